"""mmpose's dataset metainfo, made from the joint sets of `orplugins.skeletons`."""

from __future__ import annotations

from orplugins.skeletons import COCO_17, USER_6, Skeleton

# mmpose's own colours for COCO: green on the left, orange on the right, blue in the middle.
_LEFT, _RIGHT, _MIDDLE = [0, 255, 0], [255, 128, 0], [51, 153, 255]
_LOWER = ("hip", "pelvis", "leg", "knee", "ankle", "foot", "toe", "heel")
# OKS constant of joints for which the field has agreed on none: COCO's for a shoulder, a middle one.
_DEFAULT_SIGMA = 0.079
_PUBLISHED_SIGMAS = {USER_6.name: [0.67] * USER_6.num_joints}


def skeleton_metainfo(skeleton: Skeleton, dataset_name: str | None = None, published: bool = False) -> dict:
    """Metainfo of a joint set in the form of mmpose's `dataset_info`.

    Args:
        skeleton: The joint set.
        dataset_name: Name that mmpose stores files and messages under; the joint set's if None.
        published: Keep what the released files of the patient and user sets have: no mirror pairs, and the user's OKS
            constants ten times wider (0.67, most likely a slip).

    Returns:
        `dataset_name`, `keypoint_info`, `skeleton_info`, `joint_weights` and `sigmas`. Where the joint set has no OKS
        constants, joints have those of their COCO namesakes, or 0.079.
    """
    return {
        "dataset_name": dataset_name or skeleton.name,
        "keypoint_info": {
            i: {
                "name": name,
                "id": i,
                "color": list(_colour(name)),
                "type": "lower" if any(part in name for part in _LOWER) else "upper",
                "swap": skeleton.joints[mirrored] if mirrored != i and not published else "",
            }
            for i, (name, mirrored) in enumerate(zip(skeleton.joints, skeleton.flip_indices, strict=True))
        },
        "skeleton_info": {
            i: {"link": (skeleton.joints[a], skeleton.joints[b]), "id": i, "color": _limb_colour(skeleton, a, b)}
            for i, (a, b) in enumerate(skeleton.limbs)
        },
        "joint_weights": [1.0] * skeleton.num_joints,
        "sigmas": _PUBLISHED_SIGMAS[skeleton.name]
        if published and skeleton.name in _PUBLISHED_SIGMAS
        else list(skeleton.sigmas) or [_coco_sigma(name) for name in skeleton.joints],
    }


def _colour(name: str) -> list[int]:
    return _LEFT if name.startswith("left_") else _RIGHT if name.startswith("right_") else _MIDDLE


def _limb_colour(skeleton: Skeleton, a: int, b: int) -> list[int]:
    """A limb that touches one side only has its colour; one that connects the sides has the middle's."""
    colours = [c for c in (_colour(skeleton.joints[a]), _colour(skeleton.joints[b])) if c != _MIDDLE]
    return list(colours[0]) if colours and all(c == colours[0] for c in colours) else list(_MIDDLE)


def _coco_sigma(name: str) -> float:
    return COCO_17.sigmas[COCO_17.index(name)] if name in COCO_17.joints else _DEFAULT_SIGMA
