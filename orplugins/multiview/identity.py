"""How well people keep their identities: IDF1, switches, MOTA through `motmetrics`, HOTA through `trackeval`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

GATE_M = 0.5  # median distance of joints, at most, between a person and the track that follows it
GATE_SIZES = 0.5  # the same in an image, in roots of the area of the box around the person's joints


@dataclass(frozen=True)
class Moment:
    """One frame.

    Attributes:
        truth: {person: (17, D)} metres, or pixels of one camera's image; NaN where missing.
        found: {track: (17, D)} likewise.
        ignored: (I, 17, D) people who are not to be followed: who follows them is not counted.
    """

    truth: dict[str, np.ndarray]
    found: dict[int, np.ndarray]
    ignored: np.ndarray


def apart_m(one: np.ndarray, two: np.ndarray) -> float:
    """Median distance of the joints that two poses (17, 3) share, metres; NaN where there are fewer than three."""
    apart = np.linalg.norm(one - two, axis=-1)
    apart = apart[np.isfinite(apart)]
    return float(np.median(apart)) if len(apart) >= 3 else float("nan")


def apart_sizes(one: np.ndarray, two: np.ndarray) -> float:
    """Median distance of the joints (17, 2) that a person and a track share, in roots of the area of the person's box.

    NaN where there are fewer than three.
    """
    there = one[np.isfinite(one).all(-1)]
    size = float(np.sqrt(np.prod(np.ptp(there, axis=0)))) if len(there) else 0.0
    return apart_m(one, two) / max(size, 8.0)


Apart = Callable[[np.ndarray, np.ndarray], float]


def distances(
    truth: Sequence[np.ndarray], found: Sequence[np.ndarray], gate: float = GATE_M, apart: Apart = apart_m
) -> np.ndarray:
    """Distances of people.

    Args:
        truth: T poses (17, D), NaN where missing.
        found: N poses likewise.
        gate: Larger ones are no match.
        apart: Of two poses.

    Returns:
        (T, N), NaN for no match.
    """
    out = np.full((len(truth), len(found)), np.nan)
    for i, one in enumerate(truth):
        for j, two in enumerate(found):
            far = apart(one, two)
            if far <= gate:
                out[i, j] = far
    return out


def without_ignored(moment: Moment, gate: float = GATE_M, apart: Apart = apart_m) -> dict[int, np.ndarray]:
    """The tracks of a frame but those that follow somebody who is to be ignored."""
    from orplugins.geometry.assignment import match_pairs

    if not len(moment.ignored) or not moment.found:
        return moment.found
    names, tracks = list(moment.truth.values()), list(moment.found)
    table = distances([*names, *moment.ignored], list(moment.found.values()), gate, apart)
    match = match_pairs(table)
    gone = {tracks[j] for j in match[len(names) :] if j >= 0}
    return {track: pose for track, pose in moment.found.items() if track not in gone}


def identity_metrics(
    clips: Sequence[Sequence[Moment]], fps: float, gate: float = GATE_M, apart: Apart = apart_m
) -> dict[str, float]:
    """Identity metrics over clips; their identities have nothing to do with each other.

    Args:
        clips: Frames, one after the other.
        fps: Frames a second.
        gate: See `GATE_M` and `GATE_SIZES`.
        apart: The distance that the gate is for.

    Returns:
        IDF1, its precision IDP and recall IDR, MOTA, recall, precision (0 to 1), switches and switches a minute (of
        recording), frames, people (in all frames) and the mean distance: in centimetres for the distance in metres,
        else in sizes. Where `trackeval` is installed also HOTA and its parts DetA and AssA.

    Raises:
        ImportError: `motmetrics` is not installed (``pip install orplugins[tracks]``).
    """
    try:
        import motmetrics
    except ImportError:
        text = "motmetrics is not installed, which counts identities: pip install orplugins[tracks]"
        raise ImportError(text) from None
    recordings, sequences = [], []
    for clip in clips:
        recording = motmetrics.MOTAccumulator(auto_id=True)
        names = {name: k for k, name in enumerate(sorted({name for moment in clip for name in moment.truth}))}
        rows = []
        for moment in clip:
            found = without_ignored(moment, gate, apart)
            table = distances(list(moment.truth.values()), list(found.values()), gate, apart)
            people = [names[name] for name in moment.truth]
            recording.update(people, list(found), table)
            # At the gate poses are alike by one half.
            every = distances(list(moment.truth.values()), list(found.values()), 2 * gate, apart)
            rows.append((people, list(found), np.nan_to_num(1 - every / (2 * gate), nan=0.0)))
        recordings.append(recording)
        sequences.append(rows)
    wanted = ["idf1", "idp", "idr", "mota", "motp", "recall", "precision", "num_switches", "num_frames", "num_objects"]
    table = motmetrics.metrics.create().compute_many(recordings, metrics=wanted, generate_overall=True)
    row = table.loc["OVERALL"]
    minutes = float(row["num_frames"]) / fps / 60
    return {
        "IDF1": float(row["idf1"]),
        "IDP": float(row["idp"]),
        "IDR": float(row["idr"]),
        "MOTA": float(row["mota"]),
        **(hota(sequences) if find_spec("trackeval") else {}),
        "recall": float(row["recall"]),
        "precision": float(row["precision"]),
        "switches": float(row["num_switches"]),
        "switches a minute": float(row["num_switches"]) / minutes if minutes else float("nan"),
        "frames": float(row["num_frames"]),
        "people": float(row["num_objects"]),
        **({"distance_cm": 100 * float(row["motp"])} if apart is apart_m else {"distance_sizes": float(row["motp"])}),
    }


def hota(clips: Sequence[Sequence[tuple[Sequence[int], Sequence[int], np.ndarray]]]) -> dict[str, float]:
    """HOTA (Luiten et al., IJCV 2021), the mean over its thresholds, with detection and association apart.

    Args:
        clips: For every frame of every clip T people, N tracks, and (T, N) how alike they are, 0 to 1.

    Returns:
        HOTA, DetA, AssA.

    Raises:
        ImportError: `trackeval` is not installed (``pip install orplugins[tracks]``).
    """
    try:
        from trackeval.metrics import HOTA
    except ImportError:
        text = "trackeval is not installed, which computes HOTA: pip install orplugins[tracks]"
        raise ImportError(text) from None
    metric, results = HOTA(), {}
    for number, clip in enumerate(clips):
        people = sorted({one for row, _, _ in clip for one in row})
        tracks = sorted({one for _, row, _ in clip for one in row})
        results[str(number)] = metric.eval_sequence(
            {
                "gt_ids": [np.searchsorted(people, row).astype(int) for row, _, _ in clip],
                "tracker_ids": [np.searchsorted(tracks, row).astype(int) for _, row, _ in clip],
                "similarity_scores": [alike for _, _, alike in clip],
                "num_gt_ids": len(people),
                "num_tracker_ids": len(tracks),
                "num_gt_dets": sum(len(row) for row, _, _ in clip),
                "num_tracker_dets": sum(len(row) for _, row, _ in clip),
            }
        )
    whole = metric.combine_sequences(results)
    return {name: float(np.mean(whole[name])) for name in ("HOTA", "DetA", "AssA")}
