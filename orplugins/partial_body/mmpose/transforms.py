"""Training views of parts of people, and the published variants of host transforms."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import LoadImage, PackPoseInputs, RandomHalfBody

from orplugins.partial_body.appearance import Occluders, photograph
from orplugins.partial_body.crops import grow_part, inside, part_box, truncate
from orplugins.partial_body.joint_states import SIDES
from orplugins.partial_body.udp import half_body_ids, published_boxes
from orplugins.registry import TRANSFORMS
from orplugins.skeletons import OCCLUDED, OUT_OF_VIEW, VISIBLE


def _generator() -> np.random.Generator:
    """A generator that follows numpy's global seed, which the hosts set in every worker."""
    return np.random.default_rng(np.random.randint(2**31))


def _labelled(results: dict) -> np.ndarray:
    visible = results["keypoints_visible"][0]
    return (visible[..., 0] if visible.ndim == 2 else visible) > 0


def _seen(results: dict) -> np.ndarray:
    """Labelled joints that are not known to be occluded: a view that shows none of them teaches nothing."""
    visible = results["keypoints_visible"][0]
    return _labelled(results) & (visible[..., 1] != OCCLUDED) if visible.ndim == 2 else _labelled(results)


def _leave(results: dict, gone: np.ndarray) -> None:
    """Joints (K,) that are out of view: no target, and that state where they were labelled."""
    visible = results["keypoints_visible"].copy()
    if visible.ndim == 3:
        visible[0, gone & _labelled(results), 1] = OUT_OF_VIEW
        visible[0, gone, 0] = 0
    else:
        visible[0, gone] = 0
    results["keypoints_visible"] = visible


@TRANSFORMS.register_module()
class LoadImageOnce(LoadImage):
    """mmpose's `LoadImage` that keeps images in memory: one of five people is decoded once, not five times an epoch.

    Args:
        most_megabytes: Of images, in every loader process; those beyond are read again each time.
        **kwargs: Those of `LoadImage`.
    """

    def __init__(self, most_megabytes: float = 1024, **kwargs):
        super().__init__(**kwargs)
        self._room = most_megabytes * 2**20
        self._kept: dict[str, np.ndarray] = {}

    def transform(self, results: dict) -> dict:
        """Load the image of a record."""
        path = results["img_path"]
        if path in self._kept:
            return super().transform({**results, "img": self._kept[path]})
        results = super().transform(results)
        if results["img"].nbytes <= self._room:
            self._room -= results["img"].nbytes
            results["img"].setflags(write=False)  # the next person's image, too
            self._kept[path] = results["img"]
        return results


@TRANSFORMS.register_module()
class InclusiveBox(BaseTransform):
    """Boxes as mmpose 0.x understood them at inference: one pixel wider and higher."""

    def transform(self, results: dict) -> dict:
        """Widen ``bbox`` of a record."""
        results["bbox"] = published_boxes(results["bbox"])
        return results


@TRANSFORMS.register_module()
class PublishedHalfBody(RandomHalfBody):
    """mmpose's `RandomHalfBody` with 0.x's choice of the half, `orplugins.partial_body.udp.half_body_ids`.

    Args:
        min_total_keypoints: Minimum number of labelled joints.
        prob: Probability of a half-body crop.
        upper_prioritized_prob: Of the upper half, where both are possible.
    """

    def __init__(self, min_total_keypoints: int = 9, prob: float = 0.3, upper_prioritized_prob: float = 0.691):
        super().__init__(
            min_total_keypoints=min_total_keypoints, prob=prob, upper_prioritized_prob=upper_prioritized_prob
        )

    @cache_randomness
    def _random_select_half_body(self, keypoints_visible, upper_body_ids, lower_body_ids):
        visible = keypoints_visible[..., 0] if keypoints_visible.ndim == 3 else keypoints_visible
        chosen = []
        for person in visible:
            wanted = (person > 0).sum() >= self.min_total_keypoints and np.random.rand() < self.prob
            upper_first = np.random.rand() < self.upper_prioritized_prob
            chosen.append(half_body_ids(person, tuple(upper_body_ids), upper_first) if wanted else None)
        return chosen


@TRANSFORMS.register_module()
class RandomBodyCrop(BaseTransform):
    """Look at a connected part of the body only, as a camera does that is too near for the whole.

    Comes after `GetBBoxCenterScale`; joints outside the crop keep their labels until `MarkOutOfView`.

    Args:
        prob: Probability that anything is done.
        joints: Minimum number of joints of the part, and its maximum fraction of the labelled joints. At least two of
            them are not occluded.
        padding: Range of the factor by which the part's box is enlarged.
    """

    def __init__(
        self, prob: float = 0.3, joints: tuple[int, float] = (3, 0.7), padding: tuple[float, float] = (1.25, 1.5)
    ):
        self.prob, self.joints, self.padding = prob, joints, padding

    @cache_randomness
    def _part(self, labelled: np.ndarray, seen: np.ndarray, links: tuple) -> np.ndarray | None:
        most = int(self.joints[1] * labelled.sum())
        if np.random.rand() >= self.prob or most < self.joints[0] or not seen.any():
            return None
        rng = _generator()
        start = int(rng.choice(np.flatnonzero(seen)))
        part = grow_part(links, labelled, start, int(rng.integers(self.joints[0], most + 1)), rng)
        return part if len(part) >= self.joints[0] and seen[part].sum() >= 2 else None

    @cache_randomness
    def _padding(self) -> float:
        return np.random.uniform(*self.padding)

    def transform(self, results: dict) -> dict:
        """Change ``bbox_center`` and ``bbox_scale`` of a record."""
        part = self._part(_labelled(results), _seen(results), tuple(map(tuple, results["skeleton_links"])))
        if part is not None:
            least = 0.1 * float(results["bbox_scale"][0].max())
            centre, scale = part_box(results["keypoints"][0], part, least, self._padding())
            results["bbox_center"] = centre[None].astype(np.float32)
            results["bbox_scale"] = scale[None].astype(np.float32)
        return results


@TRANSFORMS.register_module()
class RandomFrameTruncation(BaseTransform):
    """Let the frame end inside the person: one or two sides of the box become black, and the box is that of the rest.

    Comes after `LoadImage`, before `GetBBoxCenterScale`.

    Args:
        prob: Probability that anything is done.
        fraction: Range of the fraction of the box that a side loses.
        least: Minimum number of joints, not occluded, that must stay; with fewer the person is left whole.
    """

    def __init__(self, prob: float = 0.4, fraction: tuple[float, float] = (0.15, 0.65), least: int = 3):
        self.prob, self.fraction, self.least = prob, fraction, least

    @cache_randomness
    def _cuts(self) -> list[tuple[str, float]]:
        if np.random.rand() >= self.prob:
            return []
        rng = _generator()
        sides = rng.choice(4, size=int(rng.integers(1, 3)), replace=False)
        return [(SIDES[side], float(rng.uniform(*self.fraction) / len(sides))) for side in sides]

    def transform(self, results: dict) -> dict:
        """Change ``img``, ``bbox`` and the joints' labels of a record."""
        x1, y1, x2, y2 = results["bbox"][0]
        window = np.array([0, 0, results["img"].shape[1], results["img"].shape[0]])
        for side, fraction in self._cuts():
            cut = truncate((x2 - x1, y2 - y1), side, fraction)
            k = SIDES.index(side)
            window[k] = np.clip(round(cut[k] + (x1, y1)[k % 2]), 0, (window[2], window[3])[k % 2])
        gone = ~inside(results["keypoints"][0], window)
        if (_seen(results) & ~gone).sum() < self.least or not (gone & _labelled(results)).any():
            return results
        img = np.zeros_like(results["img"])
        rows, columns = slice(window[1], window[3]), slice(window[0], window[2])
        img[rows, columns] = results["img"][rows, columns]
        results["img"] = img
        low, high = np.maximum((x1, y1), window[:2]), np.minimum((x2, y2), window[2:] - 1)
        results["bbox"] = np.concatenate([low, np.maximum(high, low + 1)])[None].astype(np.float32)
        _leave(results, gone)
        return results


@TRANSFORMS.register_module()
class MarkOutOfView(BaseTransform):
    """Joints that lie outside the network's input are out of view. Comes after `TopdownAffine`."""

    def transform(self, results: dict) -> dict:
        """Change the joints' labels of a record."""
        window = (0, 0, *results["input_size"])
        _leave(results, ~inside(results["transformed_keypoints"][0], window))
        return results


@TRANSFORMS.register_module()
class RandomAppearance(BaseTransform):
    """Colours, light, sharpness and noise of another camera, and things in front of the person.

    Comes after `TopdownAffine`: only what the network sees is worked on. Visible joints behind a thing become
    occluded ones; their places are still learnt.

    Args:
        prob: Probability of each change of the picture, see `orplugins.partial_body.appearance.photograph`.
        occluder_prob: Probability that there is anything in front.
        most: Largest number of things in front.
    """

    def __init__(self, prob: float = 0.4, occluder_prob: float = 0.3, most: int = 3):
        self.prob, self.occluders = prob, Occluders(occluder_prob, most)

    def transform(self, results: dict) -> dict:
        """Change ``img`` and the joints' states of a record."""
        rng = _generator()
        image, hidden = self.occluders(results["img"], results["transformed_keypoints"][0], rng)
        results["img"] = photograph(image, rng, self.prob)
        visible = results["keypoints_visible"]
        if visible.ndim == 3 and hidden.any():
            visible = visible.copy()
            visible[0, hidden & (visible[0, :, 1] == VISIBLE), 1] = OCCLUDED
            results["keypoints_visible"] = visible
        return results


@TRANSFORMS.register_module()
class PackPartialBodyInputs(PackPoseInputs):
    """mmpose's packing, with the states of the joints (1, K) as the label ``keypoint_states``."""

    def transform(self, results: dict) -> dict:
        """Pack a record."""
        packed = super().transform(results)
        if "keypoints_visible_weights" in results:
            states = torch.as_tensor(results["keypoints_visible_weights"]).round().long()
            packed["data_samples"].gt_instance_labels.set_field(states, "keypoint_states")
        return packed
