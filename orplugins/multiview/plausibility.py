"""Whether what several cameras found can be: checked before it is written.

A finding says in words what is impossible; `orplugins.multiview.causes` names the likely cause where one fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import present
from orplugins.multiview.causes import Cause, Frames, evaluate, likely_cause, sample
from orplugins.multiview.fit import BODY, bone_lengths, measure, stature
from orplugins.multiview.people import MultiViewRules, People
from orplugins.multiview.synchronise import Clock, SyncRules, View, believed

# Below this agreement the usual slips are tried; at the lower one the result is not believed without any.
_GOOD_SCORE, _LOW_QUALITY, _LEAST_QUALITY = 0.75, 0.3, 0.12
# Sizes of people, as shares of usual ones.
_STATURE = (0.55, 1.3)
_MOST_VARIATION = 0.3
_MARGIN, _MOST_OUTSIDE = 0.05, 0.05
_SPARSE, _LARGEST = 20, 10**9


_FEW_PEOPLE = 10


@dataclass(frozen=True)
class Finding:
    """What does not look right.

    Attributes:
        text: One line.
        severe: The result cannot be believed.
        cause: It names a likely cause.
    """

    text: str
    severe: bool = True
    cause: bool = False


def refuse(findings: Sequence[Finding], where: str, keep: bool) -> list[str]:
    """Return findings as warnings.

    Args:
        findings: Of a result that is about to be written.
        where: What they are of, for the error.
        keep: Take severe ones as warnings.

    Raises:
        ValueError: A severe finding; one line with all of them.
    """
    severe = [finding.text for finding in findings if finding.severe]
    if severe and not keep:
        raise ValueError(f"{where}: {'; '.join(severe)}. Nothing is written (--keep-implausible writes it)")
    return [finding.text for finding in findings]


def check_frames(names: Sequence[str], views: Sequence[Mapping[int, np.ndarray]]) -> None:
    """Refuse frame numbers that are none, and views that have no frame in common.

    Args:
        names: Of the views.
        views: People by frame number.

    Raises:
        ValueError: Numbers too sparse to be frames (time stamps), or no number with people in two views.
    """
    for name, view in zip(names, views, strict=True):
        span = max(view) - min(view) + 1
        if span > _SPARSE * len(view) + 1000 or max(view) >= _LARGEST:
            raise ValueError(
                f"{name}: {len(view)} frame numbers from {min(view)} to {max(view)}, expected the numbers of frames "
                "taken one after the other; these look like time stamps or image ids"
            )
    seen = [{number for number, people in view.items() if len(people)} for view in views]
    counts = np.array([sum(number in view for view in seen) for number in set().union(*seen)])
    if not (counts > 1).any():
        ranges = ", ".join(f"{name} {min(view)} to {max(view)}" for name, view in zip(names, seen, strict=True))
        raise ValueError(f"no frame number has people in two views: {ranges}; are the frames counted alike?")


def check_pixels(names: Sequence[str], views: Sequence[View], cameras: Sequence[Camera]) -> list[Finding]:
    """Compare where keypoints lie with the sizes of the cameras' images.

    Args:
        names: Of the views.
        views: People (N, J, 3) by frame number.
        cameras: Of the views.

    Returns:
        Findings.
    """
    findings = []
    for name, view, camera in zip(names, views, cameras, strict=True):
        people = [frame[present(frame)][:, :2] for frame in view.values() if len(frame)]
        xy = np.concatenate(people) if people else np.zeros((0, 2))
        if not len(xy):
            continue
        size = np.array(camera.size, dtype=float)
        outside = ((xy < -_MARGIN * size) | (xy > (1 + _MARGIN) * size)).any(1).mean()
        width, height = camera.size
        reach = np.percentile(xy, 99.5, axis=0)
        if np.abs(xy).max() <= 2:
            text = f"all keypoints lie within {np.abs(xy).max():.2g} of 0: they are shares of the image, not pixels"
        elif outside > _MOST_OUTSIDE:
            text = (
                f"{100 * outside:.0f} % of the keypoints lie outside the rig's {width}x{height}, they reach "
                f"({reach[0]:.0f}, {reach[1]:.0f}): the pictures are at least {(reach / size).max():.2g} times as large"
            )
            if (reach <= size[::-1]).all() and width != height:
                text += ", or width and height are exchanged in the rig"
        else:
            continue
        findings.append(Finding(f"{name}: {text}"))
    return findings


def check_clocks(
    names: Sequence[str], clocks: Sequence[Clock], remedy: str, corrected: bool = False, rules: SyncRules | None = None
) -> list[Finding]:
    """Say which cameras are out of step.

    Args:
        names: Of the views.
        clocks: From `orplugins.multiview.synchronise.find_clocks`.
        remedy: What is said at the end: what can be done, or has been.
        corrected: Offsets and rates have been taken out.
        rules: When an offset is believed; None: the defaults.

    Returns:
        Findings.
    """
    findings = []
    for k, (name, clock) in enumerate(zip(names, clocks, strict=True)):
        if not believed(clock, rules):
            continue
        who = f"view {k + 1} ({name})"
        if clock.jump is not None:
            text = (
                f"{who} goes out of step: its offset to the others is {clock.jump[0]:+.1f} frames at the beginning and "
                f"{clock.jump[1]:+.1f} at the end; frames were lost or doubled in it, or in the others"
            )
            findings.append(Finding(text))
            continue
        if clock.rate != 1:
            text = (
                f"{who} has another frame rate: {clock.rate:.4g} of its frames for each of the others' "
                f"({_rates(clock.rate)}), offset {clock.offset:+.1f} frames"
            )
        else:
            late = "late" if clock.offset > 0 else "early"
            text = (
                f"{who} is out of step, {abs(clock.offset):.1f} frames {late}: its frame t {clock.offset:+.1f} shows "
                "what frame t of the others shows; the recordings did not start together"
            )
        findings.append(Finding(f"{text}; {remedy}", not corrected))
    return findings


def _rates(rate: float) -> str:
    pairs = ((25, 30), (24, 25), (24, 30), (50, 60), (30, 60), (15, 30), (25, 50), (30, 50), (24, 60), (25, 60))
    both = [*pairs, *((b, a) for a, b in pairs)]
    a, b = min(both, key=lambda pair: abs(pair[0] / pair[1] - rate))
    return f"as {a} and {b} frames a second" if abs(a / b - rate) < 0.005 else "no usual pair of rates"


def check_people(
    cameras: Sequence[Camera],
    names: Sequence[str],
    frames: Frames,
    people: People,
    rules: MultiViewRules,
    in_step: Frames | None = None,
) -> list[Finding]:
    """Look at reconstructed people: are they there, do they fit, can they be of this size?

    Args:
        cameras: V cameras of one world.
        names: Of the views.
        frames: For every frame V arrays (N, 17, 3), what the people were made of.
        people: The people.
        rules: Limits that were used.
        in_step: The same frames with the cameras' time offsets taken out, to look for causes in; None: ``frames``.

    Returns:
        Findings, with the likely cause where one fits.
    """
    fit = measure(cameras, frames, people, rules)
    findings = _nobody(frames, people)
    if people.frame.size:
        if fit.quality < _LOW_QUALITY:
            mean = float(np.nanmean(people.error)) if np.isfinite(people.error).any() else rules.residual_px
            findings.append(
                Finding(
                    f"the people found do not fit the views: mean reprojection error {mean:.1f} px (a joint is refused "
                    f"at {rules.residual_px:.0f}), agreement of the views {fit.quality:.2f} of 1",
                    severe=fit.quality < _LEAST_QUALITY,  # detections on images of low resolution are no better
                )
            )
        findings += check_bodies(people.points)
    if fit.score < _GOOD_SCORE or any(finding.severe for finding in findings):
        cause = _cause(cameras, names, frames, rules, in_step)
        if cause is not None:
            findings.append(Finding(f"likely cause: {cause}", cause=True))
        else:
            moved = _moved(names, fit.by_view, frames)
            findings += moved
            if not moved and in_step is None and any(finding.severe for finding in findings):
                findings.append(Finding("no usual slip explains it: look at the calibration as a whole", False))
    return findings


def _moved(names: Sequence[str], by_view: np.ndarray, frames: Frames) -> list[Finding]:
    """Name a view that fits far worse than the others; severe where all views show one person, the same one."""
    best = float(np.nanmax(by_view)) if np.isfinite(by_view).any() else 0.0
    alone = all(len(view) <= 1 for frame in frames for view in frame)
    return [
        Finding(
            f"view {view + 1} ({names[view]}) fits the others badly, {score:.2f} of 1 against {best:.2f}: was its "
            "camera moved since the calibration?",
            severe=alone,
        )
        for view, score in enumerate(by_view)
        if len(by_view) > 2 and score < 0.5 * best and best > 0.45  # rough detections agree less, and by chance
    ]


def _cause(
    cameras: Sequence[Camera], names: Sequence[str], frames: Frames, rules: MultiViewRules, in_step: Frames | None
) -> Cause | None:
    """The best cause of both forms of the frames, unless the time offsets alone explain as much."""
    forms = [frames] if in_step is None else [frames, in_step]
    causes = [cause for form in forms if (cause := likely_cause(cameras, names, form, rules)) is not None]
    best = max(causes, key=lambda cause: cause.score, default=None)
    if best is None or in_step is None:
        return best
    return best if best.score > 1.1 * evaluate(cameras, sample(in_step), rules).score else None


def _nobody(frames: Frames, people: People) -> list[Finding]:
    several = [t for t, frame in enumerate(frames) if sum(len(view) > 0 for view in frame) > 1]
    found = len(np.intersect1d(np.unique(people.frame), several))
    if not found:
        return [Finding(f"nobody found in {len(several)} frames that have people in two views or more")]
    if found < 0.5 * len(several):
        text = f"people found in {found} of {len(several)} frames that have people in two views or more"
        return [Finding(text, severe=False)]
    return []


def check_bodies(points: np.ndarray) -> list[Finding]:
    """Whether people can have these bones.

    Args:
        points: (P, 17, 3) metres, NaN where missing.

    Returns:
        Findings.
    """
    findings, wrong = [], []
    size = stature(points)
    for name, lengths in bone_lengths(points).items():
        known = lengths[np.isfinite(lengths)]
        if len(known) < 5:
            continue
        usual = float(np.median(known))
        short, long = BODY[name]
        if not short <= usual <= long:
            wrong.append(f"{name} {usual:.2f} m (possible: {short:g} to {long:g})")
    if not np.isnan(size) and not _STATURE[0] <= size <= _STATURE[1]:
        findings.append(Finding(f"people are {size:.2g} times as large as usual ({1.7 * size:.1f} m tall)"))
    if wrong:
        # One bone alone is as likely the detector's doing.
        findings.append(Finding(f"impossible lengths of bones: {', '.join(wrong)}", len(wrong) > 1))
    return findings


def check_members(names: Sequence[str], frames: Frames, people: People) -> list[Finding]:
    """Name a view whose people hardly ever belong to those that the other views found.

    Args:
        names: Of the views.
        frames: For every frame V arrays (N, 17, 3).
        people: The people.

    Returns:
        Findings; severe where every view shows one person, so that no view can have seen somebody else.
    """
    counts = np.array([[len(view) for view in frame] for frame in frames])
    rows = np.asarray(people.frame, dtype=int)
    if len(rows) < _FEW_PEOPLE or counts.shape[1] < 3:
        return []
    shares = []
    for view in range(counts.shape[1]):
        there = counts[rows, view] > 0
        shares.append(float((people.members[there, view] >= 0).mean()) if there.sum() >= _FEW_PEOPLE else 1.0)
    return [
        Finding(
            f"view {view + 1} ({names[view]}) agrees with no other view (it has {100 * share:.0f} % of the people): is "
            "its R transposed, its pose camera to world, or was the camera moved?",
            severe=bool((counts <= 1).all()),
        )
        for view, share in enumerate(shares)
        if share < 0.3 and max(shares) > 0.7
    ]


def check_stable(points: np.ndarray, tracks: np.ndarray) -> list[Finding]:
    """Whether the bones of the person who was followed longest keep their lengths.

    Args:
        points: (P, 17, 3) metres, NaN where missing.
        tracks: (P,) identities.

    Returns:
        Findings.
    """
    if not len(tracks) or np.bincount(tracks).max() < 15:
        return []
    variation = []
    for lengths in bone_lengths(points[tracks == np.bincount(tracks).argmax()]).values():
        for known in (side[np.isfinite(side)] for side in lengths.T):
            if len(known) > 9:
                variation.append(1.48 * np.median(np.abs(known - np.median(known))) / np.median(known))
    if not variation or np.median(variation) <= _MOST_VARIATION:
        return []
    text = f"lengths of bones vary by {100 * np.median(variation):.0f} % (median), expected a few per cent"
    return [Finding(text, severe=False)]
