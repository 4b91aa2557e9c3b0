"""Depth networks as model files: depth images in, people out, with NumPy and an engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import Metadata
from orplugins.deploy.pose import Pose, check_image, frame_names
from orplugins.depth.image import unit_image
from orplugins.depth.plausible import check_room_depth
from orplugins.depthpose.paf import PafDecodeSettings, decode_in_input
from orplugins.depthpose.paf.published import merge_flip
from orplugins.structures import People

_FIRST_IMAGES = 8  # a wrong unit is wrong in all of them


class DepthPeople(Pose):
    """DepthPose and RTPose. ``pose(depth)`` gives the people of a depth image, in its pixels.

    The metadata's ``codec``: ``scale``, ``decode``, ``settings`` of `orplugins.depthpose.paf.decode_in_input`; its
    ``input.options``: ``z_max_mm``, ``filter``, ``holes`` of `orplugins.depth.image.unit_image`, ``results``, the
    (width, height) of the frame that results refer to where that is not the image, ``flip_test``.

    Args:
        engine: Runs the network: ``depth`` (B, 1, h, w) to ``heatmaps`` (B, 19, h', w') and ``pafs`` (B, 38, h', w').
        metadata: What the file says of itself.
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        super().__init__(engine, metadata)
        spec, codec = metadata.input, dict(metadata.codec)
        if spec.size is None or codec.pop("type", None) != "paf":
            raise ValueError(f"{engine.path}: metadata: found {metadata.codec}, expected codec 'paf' and input.size")
        self._size = spec.size
        self._decoding = {**codec, "settings": PafDecodeSettings(**codec.get("settings", {}))}
        options = dict(spec.options)
        self._results, self.flip_test = options.pop("results", None), options.pop("flip_test", False)
        self._options = options
        self._unchecked = _FIRST_IMAGES if spec.unit == "mm" else 0

    def batch(self, images: Sequence[np.ndarray], frames: Sequence[str] | None = None) -> list[People]:
        """People of several depth images, see `orplugins.deploy.pose.Pose.batch`; sizes may differ."""
        names = frame_names(frames, images)
        if not images:
            return []
        inputs = np.stack([self.prepare(image, name or "image") for image, name in zip(images, names, strict=True)])
        heatmaps, pafs = self.maps(inputs[:, None])
        return [
            self.found(heat, paf, np.shape(image)[1::-1], name)
            for heat, paf, image, name in zip(heatmaps, pafs, images, names, strict=True)
        ]

    def prepare(self, image: np.ndarray, name: str = "image") -> np.ndarray:
        """The network's input (h, w) float32 of a depth image; refuses what no room looks like, as the host does."""
        image = check_image(image, self.metadata.input, name)
        if self._unchecked:
            self._unchecked -= 1
            check_room_depth(image, name, option="the unit of the images, which must be millimetres")
        return unit_image(image, self._size, **self._options)

    def maps(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heatmaps and fields of inputs (B, 1, h, w)."""
        if not self.flip_test:
            out = self.engine.run({"depth": inputs})
            return out["heatmaps"], out["pafs"]
        both = self.engine.run({"depth": np.concatenate([inputs, inputs[..., ::-1]])})
        heat, mirrored_heat = np.split(both["heatmaps"], 2)
        paf, mirrored_paf = np.split(both["pafs"], 2)
        merged = [merge_flip(*four) for four in zip(heat, paf, mirrored_heat, mirrored_paf, strict=True)]
        return np.stack([heat for heat, _ in merged]), np.stack([paf for _, paf in merged])

    def found(self, heat: np.ndarray, paf: np.ndarray, size: tuple[int, int], frame: str = "") -> People:
        """People of one image's maps (19, h', w') and (38, h', w'), in pixels of an image of this (width, height)."""
        size = tuple(self._results or size)
        poses = decode_in_input(heat, paf, self._size, **self._decoding)
        missing = poses.keypoint_scores <= 0
        keypoints = np.concatenate(
            [poses.keypoints / self._size * np.array(size), poses.keypoint_scores[..., None]], axis=-1
        )
        keypoints[missing] = np.nan
        return People(frame, keypoints, self.skeleton, size=(int(size[0]), int(size[1])), scores=poses.scores)
