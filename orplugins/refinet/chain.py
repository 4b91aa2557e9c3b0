"""RefiNet's modules one after the other as a torch module: what trains, and what the hosts load."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.steps import RefinedPoses, RefineSteps

__all__ = ["RefineChain", "RefinedPoses"]


class RefineChain(nn.Module):
    """The chain; any module may be left out.

    Args:
        patch_net, skeleton_net, point_net: Modules A, B and C; their output is the last item if it is a tuple.
        **steps: Arguments of `orplugins.refinet.steps.RefineSteps`.
    """

    def __init__(
        self,
        patch_net: nn.Module | None = None,
        skeleton_net: nn.Module | None = None,
        point_net: nn.Module | None = None,
        **steps,
    ):
        super().__init__()
        self.steps = RefineSteps(**steps)
        self.patch_net, self.skeleton_net, self.point_net = patch_net, skeleton_net, point_net

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The modules that there are, by the names of `orplugins.refinet.steps.MODULES`."""
        nets = {"a": self.patch_net, "b": self.skeleton_net, "c": self.point_net}
        return {name: net for name, net in nets.items() if net is not None}

    def refine(
        self,
        depth_mm: np.ndarray,
        pixels: np.ndarray,
        present: np.ndarray,
        camera: DepthCamera,
        half: bool = False,
        cloud_camera: DepthCamera | None = None,
    ) -> RefinedPoses:
        """Refine the people of one image; arguments and result as of `orplugins.refinet.steps.RefineSteps.refine`."""
        networks = {name: partial(self._run, net) for name, net in self.networks.items()}
        return self.steps.refine(networks, depth_mm, pixels, present, camera, half, cloud_camera)

    @torch.no_grad()
    def _run(self, network: nn.Module, inputs: np.ndarray) -> np.ndarray:
        """Output of a network as float32, on the device that the network is on."""
        device = next(network.parameters()).device
        out = network(torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32)).to(device))
        out = out[-1] if isinstance(out, (tuple, list)) else out
        return out.float().cpu().numpy()

    def forward(self, patches: Tensor, poses: Tensor, clouds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three networks' outputs for prepared inputs; to count their work, and to export them.

        Args:
            patches: (M, K, size, size).
            poses: (M, K, 3) scaled.
            clouds: (M, K, N + 1, 3).

        Returns:
            Outputs of modules A (M, K, 2), B and C (M, K, 3).
        """
        a, b, c = (net(x) for net, x in zip(self.networks.values(), (patches, poses, clouds), strict=True))
        return a, b, c
