"""Model files one after the other, used like one: a detector and a top-down network, a depth network and RefiNet."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from orplugins.deploy.opening import load
from orplugins.deploy.pose import frame_names
from orplugins.geometry.cameras import Camera
from orplugins.skeletons import Skeleton
from orplugins.structures import People


class FindsPeople(Protocol):
    """What a `orplugins.deploy.pose.Pose` is, and a chain of them."""

    @property
    def kind(self) -> str:
        """``"depth"`` or ``"color"``."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the people."""

    def batch(self, images: Sequence[np.ndarray], frames: Sequence[str] | None = None) -> list[People]:
        """People of several images."""


class Chain:
    """Images to people in steps. Base of the chains below; used as a `orplugins.deploy.pose.Pose` is.

    Args:
        first: Finds people, or their boxes, in images.
        skeleton: The joints of the people in the end; None: those of `first`.
    """

    def __init__(self, first: FindsPeople, skeleton: Skeleton | None = None):
        self.first, self.skeleton = first, skeleton or first.skeleton

    @property
    def kind(self) -> str:
        """``"depth"`` or ``"color"``."""
        return self.first.kind

    def __call__(self, image: np.ndarray, frame: str = "") -> People:
        """People of one image."""
        return self.batch([image], [frame])[0]

    def batch(self, images: Sequence[np.ndarray], frames: Sequence[str] | None = None) -> list[People]:
        """People of several images."""
        names = frame_names(frames, images)
        return self.then(images, self.first.batch(images, names))

    def then(self, images: Sequence[np.ndarray], found: list[People]) -> list[People]:
        """What the later steps make of the first one's people."""
        raise NotImplementedError


class BoxedPose(Chain):
    """A detector's boxes, and a top-down network's joints in them.

    Args:
        detector: Finds boxes.
        pose: A `orplugins.partial_body.deploy.BoxPeople`.
        min_score: Boxes below it are left out.
    """

    def __init__(self, detector: FindsPeople, pose: Any, min_score: float = 0.5):
        super().__init__(detector, pose.skeleton)
        self.pose, self.min_score = pose, min_score

    def then(self, images: Sequence[np.ndarray], found: list[People]) -> list[People]:
        """Joints in the boxes."""
        boxes, scores, labels = [], [], []
        for people in found:
            box, score = np.asarray(people.boxes, dtype=np.float64).reshape(-1, 4), np.asarray(people.scores)
            # A box without area at the image's border holds nobody.
            kept = (score >= self.min_score) & (box[:, 2:] > box[:, :2]).all(-1)
            boxes.append(box[kept])
            scores.append(score[kept])
            labels.append(people.labels and tuple(np.array(people.labels)[kept].tolist()))
        posed = self.pose.batch(images, [people.frame for people in found], boxes=boxes, box_scores=scores)
        return [replace(people, labels=names) for people, names in zip(posed, labels, strict=True)]


class RefinedPose(Chain):
    """People of depth images, refined to metres.

    Args:
        pose: Finds people in depth images.
        refine: A `orplugins.refinet.deploy.Refiner`.
        camera: Of the depth images.
    """

    def __init__(self, pose: FindsPeople, refine: Any, camera: Camera):
        super().__init__(pose, refine.skeleton)
        self.refine, self.camera = refine, camera

    def then(self, images: Sequence[np.ndarray], found: list[People]) -> list[People]:
        """Refined people."""
        return [self.refine(people, image, self.camera) for people, image in zip(found, images, strict=True)]


class LiftedPose(Chain):
    """People of images, each frame's lifted on its own.

    Args:
        pose: Finds people.
        lift: A `orplugins.orpose_color.deploy_lifter.RowLifter`.
    """

    def __init__(self, pose: FindsPeople, lift: Callable[[People], People]):
        super().__init__(pose)
        self.lift = lift

    def then(self, images: Sequence[np.ndarray], found: list[People]) -> list[People]:
        """Lifted people."""
        return [self.lift(people) for people in found]


def load_chain(
    paths: Sequence[str | os.PathLike],
    threads: int = 1,
    engine: str = "onnxruntime",
    camera: Camera | None = None,
    min_score: float = 0.5,
) -> Any:
    """Open model files and put them together in the given order.

    Args:
        paths: One network on images; or a detector and a top-down network; and then RefiNet or the lifter.
        threads: Of one run.
        engine: See `orplugins.deploy.load`.
        camera: Of depth images, which RefiNet needs.
        min_score: Of a detector's boxes.

    Returns:
        What is used as a `orplugins.deploy.pose.Pose`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Files that do not follow one another, or RefiNet without a camera.
    """
    if not paths:
        raise ValueError("models: found none, expected a file of a network on images first")
    chain: Any = None
    for path in paths:
        model = load(path, threads, engine)
        chain = _joined(chain, model, camera, min_score, str(path))
    return chain


def _joined(chain: Any, model: Any, camera: Camera | None, min_score: float, path: str) -> Any:
    method, kind = model.metadata.method, model.metadata.input.kind
    if chain is None:
        if kind == "keypoints":
            raise ValueError(f"{path}: takes keypoints, expected a network on images before it")
        return model
    if kind == "color" and method == "partial-body" and not chain.skeleton.joints:
        return BoxedPose(chain, model, min_score)
    if method == "refinet" and chain.skeleton.joints:
        if camera is None or chain.kind != "depth":
            raise ValueError(f"{path}: expected a network on depth images before it, and their camera")
        return RefinedPose(chain, model, camera)
    if method == "orpose-lifter" and chain.skeleton.joints:
        return LiftedPose(chain, model)
    raise ValueError(f"{path}: {method} cannot follow what is before it")
