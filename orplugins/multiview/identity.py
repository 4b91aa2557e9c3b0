"""How well people keep their identities over time: IDF1, switches, MOTA, through `motmetrics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GATE_M = 0.5  # median distance of joints, at most, between a person and the track that follows it


@dataclass(frozen=True)
class Moment:
    """One frame.

    Attributes:
        truth: {person: (17, 3)} metres, NaN where missing.
        found: {track: (17, 3)} likewise.
        ignored: (I, 17, 3) people who are not to be followed: who follows them is not counted.
    """

    truth: dict[str, np.ndarray]
    found: dict[int, np.ndarray]
    ignored: np.ndarray


def distances(truth: Sequence[np.ndarray], found: Sequence[np.ndarray], gate: float = GATE_M) -> np.ndarray:
    """Median distances of joints.

    Args:
        truth: T poses (17, 3), NaN where missing.
        found: N poses likewise.
        gate: Larger ones are no match.

    Returns:
        (T, N) metres, NaN for no match.
    """
    out = np.full((len(truth), len(found)), np.nan)
    for i, one in enumerate(truth):
        for j, two in enumerate(found):
            apart = np.linalg.norm(one - two, axis=-1)
            apart = apart[np.isfinite(apart)]
            if len(apart) >= 3 and np.median(apart) <= gate:
                out[i, j] = np.median(apart)
    return out


def without_ignored(moment: Moment, gate: float = GATE_M) -> dict[int, np.ndarray]:
    """The tracks of a frame but those that follow somebody who is to be ignored."""
    from orplugins.geometry.assignment import NO_MATCH, match_pairs

    if not len(moment.ignored) or not moment.found:
        return moment.found
    names, tracks = list(moment.truth.values()), list(moment.found)
    table = distances([*names, *moment.ignored], list(moment.found.values()), gate)
    match = match_pairs(table, float(np.nextafter(NO_MATCH, 0)))
    gone = {tracks[j] for j in match[len(names) :] if j >= 0}
    return {track: pose for track, pose in moment.found.items() if track not in gone}


def identity_metrics(clips: Sequence[Sequence[Moment]], fps: float, gate: float = GATE_M) -> dict[str, float]:
    """Identity metrics over clips; their identities have nothing to do with each other.

    Args:
        clips: Frames, one after the other.
        fps: Frames a second.
        gate: See `GATE_M`.

    Returns:
        IDF1, its precision IDP and recall IDR, MOTA, recall, precision (0 to 1), switches and switches a minute (of
        recording), frames, people (in all frames) and the mean distance in centimetres.

    Raises:
        ImportError: `motmetrics` is not installed (``pip install orplugins[tracks]``).
    """
    try:
        import motmetrics
    except ImportError:
        text = "motmetrics is not installed, which counts identities: pip install orplugins[tracks]"
        raise ImportError(text) from None
    recordings = []
    for clip in clips:
        recording = motmetrics.MOTAccumulator(auto_id=True)
        names = {name: k for k, name in enumerate(sorted({name for moment in clip for name in moment.truth}))}
        for moment in clip:
            found = without_ignored(moment, gate)
            table = distances(list(moment.truth.values()), list(found.values()), gate)
            recording.update([names[name] for name in moment.truth], list(found), table)
        recordings.append(recording)
    wanted = ["idf1", "idp", "idr", "mota", "motp", "recall", "precision", "num_switches", "num_frames", "num_objects"]
    table = motmetrics.metrics.create().compute_many(recordings, metrics=wanted, generate_overall=True)
    row = table.loc["OVERALL"]
    minutes = float(row["num_frames"]) / fps / 60
    return {
        "IDF1": float(row["idf1"]),
        "IDP": float(row["idp"]),
        "IDR": float(row["idr"]),
        "MOTA": float(row["mota"]),
        "recall": float(row["recall"]),
        "precision": float(row["precision"]),
        "switches": float(row["num_switches"]),
        "switches a minute": float(row["num_switches"]) / minutes if minutes else float("nan"),
        "frames": float(row["num_frames"]),
        "people": float(row["num_objects"]),
        "distance_cm": 100 * float(row["motp"]),
    }
