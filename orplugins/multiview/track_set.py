"""How well people of a generated motion set are followed: in 3D by the set's cameras, or in 2D by each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.tracking import track_people
from orplugins.io.atomic import write_json
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.clip_set import FPS, SetClip, detections_of, noisy_labels, read_motion_set
from orplugins.multiview.identity import GATE_M, GATE_SIZES, Moment, apart_m, apart_sizes, identity_metrics
from orplugins.multiview.people import MultiViewRules, People
from orplugins.multiview.tracks import OnlineTracks, track_people_3d
from orplugins.multiview.whole_tracks import follow
from orplugins.skeletons import COCO_17
from orplugins.tracking.people2d import PeopleTracker2D

# How people are followed, and whether it is in each camera's images.
TRACKERS = {
    "whole": "in 3D, whole recordings at a time",
    "online": "in 3D, moment by moment, as `live` does",
    "image": "in each camera's images, frame by frame, as `live` does",
    "image-last-pose": "in each camera's images, by the last pose (orplugins.geometry.tracking)",
}
_GAP_S = 0.5  # mean length of the gaps of `miss`


@dataclass(frozen=True)
class TrackSetSettings:
    """What :func:`track_set` works on.

    Attributes:
        set: Folder of a motion set with fixed cameras, see :mod:`orplugins.multiview.clip_set`.
        out: JSON file of the figures, or None.
        detections: 2D detections on the set's images, a COCO result list; None: the labels with noise.
        noise: Of the labels, pixels of an image 640 wide.
        every: Only every so many frames are used: a lower frame rate.
        fill: Seconds for which missing joints are filled in.
        smooth: Cut-off of the filter over time, Hz; 0: none.
        seed: Of the noise and of what is missed.
        tracker: Key of `TRACKERS`.
        miss: Share of a person's detections in an image that are missed, in gaps of half a second on average, as those
            of occlusions.
    """

    set: Path
    out: Path | None = None
    detections: str | None = None
    noise: float = 1.0
    every: int = 1
    fill: float = 0.0
    smooth: float = 0.0
    seed: int = 0
    tracker: str = "whole"
    miss: float = 0.0

    def __post_init__(self):
        if self.tracker not in TRACKERS:
            raise ValueError(f"tracker is {self.tracker!r}, expected one of {', '.join(TRACKERS)}")
        if not 0 <= self.miss < 1:
            raise ValueError(f"miss is {self.miss}, expected a share from 0 to below 1")
        if self.every < 1:
            raise ValueError(f"every is {self.every}, expected 1 or more")


def track_set(
    settings: TrackSetSettings, place: Callable[[SetClip, list, MultiViewRules], People] | None = None
) -> dict[str, float]:
    """Follow the people of every clip and count what happens to their identities.

    Patients lie still and are not counted, nor is who follows them. A person counts in frames in which an image shows
    it.

    Args:
        settings: The set.
        place: Makes people of a clip's detections; None: `orplugins.multiview.batch.reconstruct`.

    Returns:
        Figures of :func:`orplugins.multiview.identity.identity_metrics`.

    Raises:
        FileNotFoundError, ValueError: There is no such set, or it has no motion; detections of other images.
        ImportError: `motmetrics` is not installed.
    """
    rng = np.random.default_rng(settings.seed)
    fps = FPS / settings.every
    in_images = settings.tracker.startswith("image")
    clips: list[Sequence[Moment]] = []
    for clip in read_motion_set(settings.set):
        if settings.detections:
            detections = detections_of(clip, settings.detections)
        else:
            detections = noisy_labels(clip, settings.noise, rng)
        if settings.miss:
            detections = with_gaps(detections, clip, settings.miss, rng)
        used = range(0, clip.frames, settings.every)
        detections = [detections[t] for t in used]
        if in_images:
            clips += [_image_moments(settings, clip, v, detections, used, fps) for v in range(len(clip.cameras))]
            continue
        rules = MultiViewRules().for_cameras(clip.cameras)
        people = (place or _placed)(clip, detections, rules)
        moments = []
        for k, found in enumerate(_followed(settings, people, len(used), fps)):
            truth = {name: joints[used[k]] for name, joints in clip.truth.items() if np.isfinite(joints[used[k]]).any()}
            moments.append(Moment(truth, found, _patient(clip.patient[used[k]])))
        clips.append(moments)
    gate, apart = (GATE_SIZES, apart_sizes) if in_images else (GATE_M, apart_m)
    figures = identity_metrics(clips, fps, gate, apart)
    if settings.out is not None:
        options = {name: str(value) if isinstance(value, Path) else value for name, value in vars(settings).items()}
        write_json(settings.out, {"settings": options, **figures}, indent=1)
    return figures


def _placed(clip: SetClip, detections: list, rules: MultiViewRules) -> People:
    return reconstruct(clip.cameras, detections, rules)


def _patient(joints: np.ndarray) -> np.ndarray:
    return joints[None] if np.isfinite(joints).any() else np.zeros((0, *joints.shape))


def _followed(settings: TrackSetSettings, people: People, frames: int, fps: float) -> list[dict[int, np.ndarray]]:
    """For every frame {track: joints}."""
    if settings.tracker == "online":
        tracker, out = OnlineTracks(), []
        for k in range(frames):
            points = people.points[people.frame == k]
            tracks = tracker.step(k / fps, points)
            out.append({int(t): points[row] for row, t in enumerate(tracks) if t >= 0})
        return out
    tracks = track_people_3d(people.frame, people.points, fps, people.support)
    found = follow(people.frame, tracks, people.points, fps, settings.fill, settings.smooth)
    rows = [np.flatnonzero(found.frame == k) for k in range(frames)]
    return [{int(found.track[r]): found.points[r] for r in some} for some in rows]


def _image_moments(
    settings: TrackSetSettings, clip: SetClip, view: int, detections: list, used: range, fps: float
) -> list[Moment]:
    """Frames of one camera, in pixels."""
    frames = [detections[k][view] for k in range(len(used))]
    seen = [np.where(people[..., 2:] > 0, people[..., :2], np.nan) for people in frames]
    if settings.tracker == "image":
        tracker = PeopleTracker2D()
        tracks = [tracker.step(k / fps, people).tolist() for k, people in enumerate(seen)]
    else:
        tracks = [[-1] * len(people) for people in seen]
        for number, track in enumerate(track_people(frames, COCO_17)):
            for k, index in track.indices.items():
                tracks[k][index] = number
    moments = []
    for k, t in enumerate(used):
        truth = {}
        for name, pixels in clip.pixels.items():
            joints = np.where(pixels[view, t, :, 2:] > 0, pixels[view, t, :, :2], np.nan)
            if np.isfinite(joints).all(-1).sum() >= 3:
                truth[name] = joints
        found = {track: person for track, person in zip(tracks[k], seen[k], strict=True) if track >= 0}
        pixels, _ = clip.cameras[view].project(clip.patient[t])
        moments.append(Moment(truth, found, _patient(pixels)))
    return moments


def with_gaps(
    detections: list[list[np.ndarray]], clip: SetClip, share: float, rng: np.random.Generator
) -> list[list[np.ndarray]]:
    """Detections of which some are missed: for every camera and person whole stretches of time.

    Args:
        detections: For every frame V arrays (N, 17, 3).
        clip: Whose people they are of; a detection belongs to the person whose label is nearest.
        share: Of the detections that are missed.
        rng: Source of all randomness.

    Returns:
        The same without those.
    """
    keep_missing = 1 - 1 / (_GAP_S * FPS)
    begin = share * (1 - keep_missing) / (1 - share)
    missed = {}
    for person in clip.people:
        state = rng.random(len(clip.cameras)) < share
        rows = []
        for draws in rng.random((len(detections), len(clip.cameras))):
            state = draws < np.where(state, keep_missing, begin)
            rows.append(state)
        missed[person] = np.array(rows)
    out: list[list[np.ndarray]] = []
    for t, views in enumerate(detections):
        out.append([])
        for v, people in enumerate(views):
            labels = {name: pixels[v, t] for name, pixels in clip.pixels.items() if (pixels[v, t, :, 2] > 0).any()}
            table = [[_off(one, label) for label in labels.values()] for one in people]
            owner = [list(labels)[int(np.argmin(row))] if row and min(row) < 30 else None for row in table]
            gone = [name is not None and bool(missed[name][t, v]) for name in owner]
            out[-1].append(people[~np.array(gone, dtype=bool)])
    return out


def _off(one: np.ndarray, label: np.ndarray) -> float:
    common = (one[:, 2] > 0) & (label[:, 2] > 0)
    return float(np.median(np.linalg.norm(one[common, :2] - label[common, :2], axis=-1))) if common.any() else np.inf
