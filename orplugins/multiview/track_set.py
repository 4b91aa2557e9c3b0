"""How well people of a generated motion set are followed by the set's cameras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.clip_set import FPS, SetClip, detections_of, noisy_labels, read_motion_set
from orplugins.multiview.identity import Moment, identity_metrics
from orplugins.multiview.people import MultiViewRules, People
from orplugins.multiview.tracks import track_people_3d
from orplugins.multiview.whole_tracks import follow


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
        seed: Of the noise.
    """

    set: Path
    out: Path | None = None
    detections: str | None = None
    noise: float = 1.0
    every: int = 1
    fill: float = 0.0
    smooth: float = 0.0
    seed: int = 0

    def __post_init__(self):
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
    clips: list[Sequence[Moment]] = []
    for clip in read_motion_set(settings.set):
        if settings.detections:
            detections = detections_of(clip, settings.detections)
        else:
            detections = noisy_labels(clip, settings.noise, rng)
        used = range(0, clip.frames, settings.every)
        rules = MultiViewRules().for_cameras(clip.cameras)
        if place is None:
            people = reconstruct(clip.cameras, [detections[t] for t in used], rules)
        else:
            people = place(clip, [detections[t] for t in used], rules)
        tracks = track_people_3d(people.frame, people.points, fps, people.support)
        found = follow(people.frame, tracks, people.points, fps, settings.fill, settings.smooth)
        moments = []
        for k, t in enumerate(used):
            rows = np.flatnonzero(found.frame == k)
            truth = {name: joints[t] for name, joints in clip.truth.items() if np.isfinite(joints[t]).any()}
            patient = clip.patient[t][None] if np.isfinite(clip.patient[t]).any() else clip.patient[:0]
            moments.append(Moment(truth, {int(found.track[r]): found.points[r] for r in rows}, patient))
        clips.append(moments)
    figures = identity_metrics(clips, fps)
    if settings.out is not None:
        options = {name: str(value) if isinstance(value, Path) else value for name, value in vars(settings).items()}
        write_json(settings.out, {"settings": options, **figures}, indent=1)
    return figures
