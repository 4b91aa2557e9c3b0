"""mmpose's heatmap codec of ViTPose: with the decoding it was published with, and for whole batches."""

from __future__ import annotations

import numpy as np
from mmpose.codecs import UDPHeatmap
from torch import Tensor

from orplugins.partial_body.maps import joints_of_maps
from orplugins.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class PublishedHeatmap(UDPHeatmap):
    """Targets of mmpose's `UDPHeatmap`, decoded as mmpose 0.x did.

    Both decode alike where a peak is five or more map pixels inside; near the border of the crop 0.x pulls a joint
    outwards by up to 1.35 map pixels, 1.x pushes most inwards by up to 0.8.

    Args:
        input_size: (width, height) of the network's input.
        heatmap_size: (width, height) of its maps.
        decoding: ``"udp"``, ``"quarter"`` or ``"argmax"``, see `orplugins.partial_body.udp.decode`; the last two
            measure maps from edge to edge of their outer pixels.
        **kwargs: Others of `mmpose.codecs.UDPHeatmap`, Gaussian maps only.
    """

    def __init__(self, input_size: tuple[int, int], heatmap_size: tuple[int, int], decoding: str = "udp", **kwargs):
        super().__init__(input_size=input_size, heatmap_size=heatmap_size, **kwargs)
        if self.heatmap_type != "gaussian":
            raise ValueError(f"PublishedHeatmap: heatmap_type is {self.heatmap_type!r}, expected 'gaussian'")
        self.decoding = decoding

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints of one person.

        Args:
            encoded: (K, h, w) maps.

        Returns:
            Keypoints (1, K, 2) in input pixels and scores (1, K).
        """
        joints, scores = joints_of_maps(encoded[None], self.input_size, self.decoding, self.blur_kernel_size)
        return joints.astype(np.float32), scores


@KEYPOINT_CODECS.register_module()
class BatchedHeatmap(UDPHeatmap):
    """mmpose's `UDPHeatmap`, with the people of a batch decoded together: the same joints in less time.

    Args:
        input_size: (width, height) of the network's input.
        heatmap_size: (width, height) of its maps.
        **kwargs: Others of `mmpose.codecs.UDPHeatmap`, Gaussian maps only.
    """

    support_batch_decoding = True

    def __init__(self, input_size: tuple[int, int], heatmap_size: tuple[int, int], **kwargs):
        super().__init__(input_size=input_size, heatmap_size=heatmap_size, **kwargs)
        if self.heatmap_type != "gaussian":
            raise ValueError(f"BatchedHeatmap: heatmap_type is {self.heatmap_type!r}, expected 'gaussian'")

    def batch_decode(self, encoded: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Joints of the people of a batch.

        Args:
            encoded: (B, K, h, w) maps.

        Returns:
            Keypoints (B, 1, K, 2) in input pixels and scores (B, 1, K).
        """
        maps = encoded.detach().float().cpu().numpy()
        joints, scores = joints_of_maps(maps, self.input_size, blur=self.blur_kernel_size)
        return joints[:, None], scores[:, None]
