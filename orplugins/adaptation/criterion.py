"""Whether an adapted network is better than the one it came from, said without a label.

Three kinds of evidence, each of which a network can cheat alone but hardly together: it agrees with itself (other sizes
of a picture, its mirror image); on frames that no training saw it finds, alone and in one picture, what the first
network found only with the help of several views and of the neighbouring frames; and on generated rooms, where the
truth is known, it has not forgotten what people look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.adaptation.agreement import FrameLabels
from orplugins.adaptation.fusion import Detections, iou

SURE = 0.5  # score of a detection that a user would see


def self_agreement(pairs: Sequence[tuple[Detections, Detections]], least: float = 0.5) -> float:
    """How far two answers about the same are the same.

    Twice the score that matched people have in both answers, over all score (a Dice coefficient of scores): 1 if every
    person is found in both with one score, 0 if nobody is or nothing is found at all.

    Args:
        pairs: Two answers about each picture, in the same pixels.
        least: Least overlap of a match.

    Returns:
        In [0, 1].
    """
    common = total = 0.0
    for a, b in pairs:
        total += a.scores.sum() + b.scores.sum()
        overlap = iou(a.boxes, b.boxes)
        for i in np.argsort(-a.scores, kind="stable"):
            if overlap.shape[1] and overlap[i].max() >= least:
                j = int(overlap[i].argmax())
                common += 2 * min(a.scores[i], b.scores[j])
                overlap[:, j] = 0
    return float(common / total) if total else 0.0


def average_precision(
    found: Sequence[Detections],
    truth: Sequence[np.ndarray],
    ignored: Sequence[np.ndarray] | None = None,
    least: float = 0.5,
) -> tuple[float, np.ndarray, np.ndarray]:
    """AP of boxes, area under the precision-recall curve.

    Args:
        found: What was found in each frame.
        truth: (N, 4) boxes of each.
        ignored: (K, 4) boxes that count neither way.
        least: Least IoU of a hit.

    Returns:
        AP in [0, 1]; recall and the number of false boxes at each score, falling.
    """
    rows = []
    for k, each in enumerate(found):
        overlap = iou(each.boxes, truth[k])
        passed = iou(each.boxes, ignored[k]) if ignored is not None else np.zeros((len(each), 0))
        for i in np.argsort(-each.scores, kind="stable"):
            best = int(overlap[i].argmax()) if overlap.shape[1] else -1
            if best >= 0 and overlap[i, best] >= least:
                overlap[:, best] = -1  # each person is found once
                rows.append((each.scores[i], 1))
            elif not (passed[i] >= least).any():
                rows.append((each.scores[i], 0))
    people = sum(len(np.reshape(boxes, (-1, 4))) for boxes in truth)
    hits = np.array([hit for _, hit in sorted(rows, key=lambda row: -row[0])], dtype=int)
    recall, false = np.cumsum(hits) / max(people, 1), np.cumsum(1 - hits)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum()), recall, false


@dataclass(frozen=True)
class Evidence:
    """What is known of a network without a label.

    Attributes:
        agreement: Of its answers about other sizes and mirror images, see :func:`self_agreement`.
        consensus: AP of its single answer against the labels of frames that were held out.
        still: Share of the score of its sure detections at places that never change.
        people: Sure detections a frame.
        room: AP on generated rooms.
    """

    agreement: float
    consensus: float
    still: float
    people: float
    room: float


@dataclass(frozen=True)
class Verdict:
    """Whether adapted weights are recommended.

    Attributes:
        better: They are.
        reasons: In words, one a kind of evidence.
    """

    better: bool
    reasons: tuple[str, ...]


def gather(
    single: Sequence[Detections],
    other: Sequence[Detections],
    labels: Sequence[FrameLabels],
    still: Sequence[np.ndarray],
    room: float,
) -> Evidence:
    """Evidence about a network from the frames that were held out.

    Args:
        single: Its answer about each of them.
        other: Its answer about another view of each.
        labels: What the agreement of the first network says about each.
        still: (N,) of each answer in `single`: share of the recording in which the place looks the same.
        room: AP on generated rooms.

    Returns:
        The evidence.
    """
    sure = [each.scores >= SURE for each in single]
    score = np.concatenate([each.scores[keep] for each, keep in zip(single, sure, strict=True)])
    places = np.concatenate([np.asarray(share)[keep] for share, keep in zip(still, sure, strict=True)])
    return Evidence(
        self_agreement(list(zip(single, other, strict=True))),
        average_precision(single, [each.people.boxes for each in labels], [each.unsure for each in labels])[0],
        float(score[places > 0.9].sum() / score.sum()) if score.size else 0.0,
        len(score) / max(len(single), 1),
        room,
    )


def compare(before: Evidence, after: Evidence) -> Verdict:
    """Judge an adapted network.

    Args:
        before: Evidence about the network that it came from.
        after: About the adapted one.

    Returns:
        The verdict: better only if consensus rises by a point and nothing else falls beyond its noise.
    """
    tests = (
        ("finds alone what views and frames agree on (held-out frames)", before.consensus, after.consensus, 0.01),
        ("agrees with itself about other sizes and mirror images", before.agreement, after.agreement, -0.02),
        ("has not forgotten generated rooms", before.room, after.room, -0.3 * before.room),
        ("does not see people where nothing ever changes", -before.still, -after.still, -0.05),
    )
    reasons = []
    for text, old, new, least in tests:
        good = new >= old + least
        reasons.append(f"{'yes' if good else 'NO'}: {text}: {100 * abs(old):.1f} before, {100 * abs(new):.1f} after")
    some = after.people > 0
    if not some:
        reasons.append("NO: finds anybody at all")
    return Verdict(some and all(reason.startswith("yes") for reason in reasons), tuple(reasons))
