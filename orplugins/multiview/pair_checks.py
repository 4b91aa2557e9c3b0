"""Whether what a parallel pair measured of its subject can be, and why not; see `plausibility`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.rectified import ParallelRig, StereoRules, triangulate_rectified
from orplugins.geometry.triangulation import Code, present
from orplugins.multiview.causes import UNITS
from orplugins.multiview.fit import USUAL, bone_lengths
from orplugins.multiview.plausibility import Finding, check_bodies, check_clocks, check_pixels
from orplugins.multiview.synchronise import Clock, believed, find_clocks
from orplugins.skeletons import BODY_25, COCO_17, convert


def pair_cameras(rig: ParallelRig) -> list[Camera]:
    """Return the two cameras; the left one is the world."""
    pose = np.eye(4)
    pose[0, 3] = rig.baseline_m
    left, right = (Camera(rig.focal_px, rig.focal_px, *middle, rig.size) for middle in (rig.left, rig.right))
    return [left, replace(right, pose=pose)]


def check_pair_clip(
    left: np.ndarray, right: np.ndarray, rig: ParallelRig, rules: StereoRules, names: Sequence[str]
) -> list[Finding]:
    """Look at the subject of a parallel pair.

    Args:
        left: (F, 25, 3) the subject in the left camera, zeros where it is not.
        right: (F, 25, 3) the same in the right camera, on one clock.
        rig: The pair.
        rules: Limits of single joints.
        names: Of the views.

    Returns:
        Findings, with the likely cause where one fits.
    """
    cameras, views = pair_cameras(rig), [dict(enumerate(view[:, None])) for view in (left, right)]
    findings = check_pixels(names, views, cameras)
    both = present(left) & present(right)
    if not both.any():
        return [*findings, Finding("no joint of the subject is seen by both cameras")]
    points, code, _ = triangulate_rectified(left, right, rig, rules)
    for reason, text in (
        (Code.DEPTH_RANGE, f"have depths outside {rules.z_min_m:g} to {rules.z_max_m:g} m"),
        (Code.DISPARITY, "have no disparity, or a negative one"),
        (Code.ROW_MISMATCH, f"lie in rows that differ by more than {rules.row_tolerance_px:g} px"),
    ):
        share = float((code == reason)[both].mean())
        if share > 0.5:
            findings.append(Finding(f"{100 * share:.0f} % of the joints that both cameras see {text}"))
    anywhere = _anywhere(left, right, rig, rules)
    sides = _anywhere(left, right[:, list(BODY_25.flip_indices)], rig, rules)
    findings += check_bodies(_coco(points))
    if _variation(sides) < 0.6 * _variation(anywhere):
        text = "likely cause: left and right joints are exchanged in one of the views"
        return [*findings, Finding(text, cause=True)]
    clocks = find_clocks(cameras, [{n: p for n, p in view.items() if present(p).any()} for view in views])
    odd = [c if believed(c) and (c.rate != 1 or c.jump is not None) else Clock() for c in clocks]
    out_of_step = check_clocks(names, odd, "bring both to one clock first")
    cause = _cause(rig, anywhere, findings)
    if cause and not out_of_step:
        findings.append(Finding(f"likely cause: {cause}", cause=True))
    return findings + out_of_step


def _anywhere(left: np.ndarray, right: np.ndarray, rig: ParallelRig, rules: StereoRules) -> np.ndarray:
    return _coco(
        triangulate_rectified(left, right, rig, replace(rules, z_min_m=0.0, z_max_m=np.inf, disparity_min_px=0.01))[0]
    )


def _coco(points: np.ndarray) -> np.ndarray:
    """(F, 17, 3) of (F, 25, 3), NaN where missing."""
    found = np.isfinite(points).all(-1)
    both = convert(np.concatenate([np.nan_to_num(points), found[..., None]], -1), BODY_25, COCO_17)
    return np.where(both[..., 3:] > 0, both[..., :3], np.nan)


def _cause(rig: ParallelRig, points: np.ndarray, findings: list[Finding]) -> str | None:
    if not findings or not np.isfinite(points).any():
        return None
    width, height = rig.size
    middle = (2 * np.array(rig.left) + 1) / (width, height)
    if middle.min() > 0 and abs(np.log(middle)).max() > 0.25 and middle.max() < 1.1 * middle.min():
        text = f"{round(middle[0] * width)}x{round(middle[1] * height)}"
        return f"focal length and principal point belong to images of about {text}, not of {width}x{height}"
    size, depth = _height(points), float(np.nanmedian(points[..., 2]))
    if not np.isnan(size) and not 0.65 <= size <= 1.35:
        unit = min(UNITS, key=lambda name: abs(np.log(UNITS[name] * size)))
        if abs(np.log(UNITS[unit] * size)) < 0.3:
            return f"the baseline of {rig.baseline_m:g} is in {unit}, not metres"
        return f"the baseline of {rig.baseline_m:g} m is about {size:.2g} times the true one"
    return (
        f"the subject has the right size, but a depth of {depth:.1f} m: the focal length of {rig.focal_px:g} px is of "
        "images of another resolution, or the subject stands there"
    )


def _height(points: np.ndarray) -> float:
    """Size of a person across the optical axis, as a share of the usual one: a focal length has no part in it."""
    lengths = bone_lengths(points * (1, 1, 0))
    shares = [(lengths[name] / USUAL[name]).ravel() for name in ("trunk", "thigh", "shin")]
    known = np.concatenate(shares)
    known = known[np.isfinite(known)]
    return float(np.percentile(known, 75)) if len(known) else float("nan")


def _variation(points: np.ndarray) -> float:
    """Relative spread of the lengths of bones over time."""
    spread = []
    for lengths in bone_lengths(points).values():
        for known in (side[np.isfinite(side)] for side in lengths.T):
            if len(known) > 9:
                spread.append(np.median(np.abs(known - np.median(known))) / np.median(known))
    return float(np.mean(spread)) if spread else np.inf
