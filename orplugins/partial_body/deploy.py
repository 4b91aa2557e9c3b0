"""Top-down networks as model files: a colour image and boxes in, people out, with NumPy and an engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import Metadata
from orplugins.deploy.pose import Pose, check_image, frame_names
from orplugins.partial_body.box_crops import box_extents, cut_box
from orplugins.partial_body.maps import joints_of_maps
from orplugins.partial_body.udp import published_boxes
from orplugins.structures import People

BATCH = 32  # people that go through the network together


class BoxPeople(Pose):
    """ViTPose and the like. ``pose(image, boxes=boxes)`` gives the people in boxes of a colour image.

    Without boxes the whole image is one. The metadata's ``codec``: ``how`` and ``blur`` of
    `orplugins.partial_body.maps.joints_of_maps`; its ``input.options``: ``padding`` of the boxes, ``inclusive``: the
    last pixel belongs to a box, ``flip_test``, and ``flip_indices`` where they are not the joint set's: networks that
    were published with left and right not exchanged.

    Args:
        engine: Runs the network: ``crops`` (B, 3, h, w) to ``heatmaps`` (B, K, h', w') and, where it tells them,
            ``states`` (B, K, 3).
        metadata: What the file says of itself.
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        super().__init__(engine, metadata)
        spec, codec = metadata.input, dict(metadata.codec)
        if spec.size is None or codec.pop("type", None) != "heatmap":
            raise ValueError(f"{engine.path}: metadata: found {metadata.codec}, expected codec 'heatmap', input.size")
        self._size, self._decoding = spec.size, codec
        self._padding, self._inclusive = spec.options["padding"], spec.options.get("inclusive", False)
        self.flip_test = bool(spec.options.get("flip_test", False))
        self._flip = list(spec.options.get("flip_indices", self.skeleton.flip_indices))
        self._mean, self._std = (np.array(values, dtype=np.float32) for values in (spec.mean, spec.std))

    def batch(
        self,
        images: Sequence[np.ndarray],
        frames: Sequence[str] | None = None,
        boxes: Sequence[np.ndarray | None] | None = None,
        box_scores: Sequence[np.ndarray | None] | None = None,
    ) -> list[People]:
        """People in the boxes of several images; all boxes are one batch, `BATCH` at a time.

        Args:
            images: (H, W, 3) uint8 BGR.
            frames: Their keys.
            boxes: Of each image (N, 4) x1, y1, x2, y2 in pixels; None: the whole image.
            box_scores: Of each image (N,); a person's score is the box's times the mean of the joints'.

        Returns:
            One entry an image, with the boxes as they were given.

        Raises:
            ValueError: An image of another kind, or boxes of another shape.
        """
        names = frame_names(frames, images)
        boxes = [None] * len(images) if boxes is None else boxes
        box_scores = [None] * len(images) if box_scores is None else box_scores
        given, crops, extents = [], [], []
        for image, box, name in zip(images, boxes, names, strict=True):
            image = check_image(image, self.metadata.input, name or "image")
            given.append(_boxes(box, image))
            centres, sizes = box_extents(
                published_boxes(given[-1]) if self._inclusive else given[-1], self._size, self._padding
            )
            extents.append((centres, sizes))
            crops += [cut_box(image, *extent, self._size) for extent in zip(centres, sizes, strict=True)]
        joints, scores, states = self._joints(crops)
        people, start = [], 0
        for image, box, (centres, sizes), weight, name in zip(images, given, extents, box_scores, names, strict=True):
            own = slice(start, start + len(box))
            start += len(box)
            places = joints[own] / self._size * sizes[:, None] + centres[:, None] - 0.5 * sizes[:, None]
            keypoints = np.concatenate([places, scores[own][..., None]], axis=-1)
            keypoints[scores[own] <= 0] = np.nan
            found = np.clip(scores[own], 0, None).mean(-1) if len(box) else np.zeros(0)
            people.append(
                People(
                    name,
                    keypoints,
                    self.skeleton,
                    size=(image.shape[1], image.shape[0]),
                    scores=found if weight is None else found * np.asarray(weight),
                    boxes=box,
                    states=None if states is None else states[own],
                )
            )
        return people

    def _joints(self, crops: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Joints (N, K, 2) in input pixels, scores (N, K), states (N, K, 3)."""
        if not crops:  # engines do not agree on what a batch of none is
            count = self.skeleton.num_joints
            return np.zeros((0, count, 2)), np.zeros((0, count)), None
        heatmaps, states = self.maps(self.prepare(crops))
        return *joints_of_maps(heatmaps, self._size, **self._decoding), states

    def prepare(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """The network's input (N, 3, h, w) float32 of crops (h, w, 3) uint8 BGR."""
        stacked = np.stack(crops)
        if self.metadata.input.channels == "rgb":
            stacked = stacked[..., ::-1]
        return np.ascontiguousarray(((stacked - self._mean) / self._std).transpose(0, 3, 1, 2), dtype=np.float32)

    def maps(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Heatmaps (N, K, h', w') and states (N, K, 3) of inputs (N, 3, h, w); mirrored ones are averaged in."""
        parts = [self._run(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return out["heatmaps"], out.get("states")

    def _run(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        if not self.flip_test:
            return self.engine.run({"crops": inputs})
        both = self.engine.run({"crops": np.concatenate([inputs, inputs[..., ::-1]])})
        out = {}
        for name, values in both.items():
            plain, mirrored = np.split(values, 2)
            mirrored = mirrored[:, self._flip]
            out[name] = (plain + (mirrored[..., ::-1] if name == "heatmaps" else mirrored)) / 2
        return out


def _boxes(boxes: np.ndarray | None, image: np.ndarray) -> np.ndarray:
    if boxes is None:
        return np.array([[0, 0, image.shape[1], image.shape[0]]], dtype=np.float64)
    boxes = np.asarray(boxes, dtype=np.float64)
    boxes = boxes.reshape(0, 4) if not boxes.size else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(f"boxes: found shape {boxes.shape} or NaN, expected finite (N, 4): x1, y1, x2, y2")
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        raise ValueError("boxes: found one without width or height, expected x1 < x2 and y1 < y2")
    return boxes
