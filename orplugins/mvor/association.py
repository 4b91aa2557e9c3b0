"""Who is who across MVOR's cameras: the published protocol of association (Self-MVA, CVPR 2025).

Truth are the corrected identities of ``camma_mvor_2018_v2.json``. A method gives each pair of boxes of two cameras a
score; the pairs of two cameras are assigned one to one, and those below a threshold are dropped. Counted are pairs
(average precision, FPR-95), matches (precision, recall) and people (accuracy, that is IPAA, and the share of pairs of
cameras whose accuracy reaches 100, 90 and 80 %), pooled over all pairs of cameras that both have a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from orplugins.io.cross_view import CrossView
from orplugins.mvor.annotations import MVORAnnotations

THRESHOLD = 0.1  # of a score from 0 to 1
_OVERLAP = 0.3  # a detection is the annotation that it overlaps most, and at least this much, as in the PCK protocol
_TEST = 0.2


@dataclass(frozen=True)
class CameraPair:
    """Boxes of two cameras at one time.

    Attributes:
        first, second: (A,) and (B,) identities; negative: unknown.
        score: (A, B) 0 to 1, how sure it is that two boxes are one person.
    """

    first: np.ndarray
    second: np.ndarray
    score: np.ndarray


def match_boxes(pair: CameraPair, threshold: float = THRESHOLD, keep_only_pair: bool = False) -> np.ndarray:
    """One-to-one matches with the highest sum of scores (Hungarian).

    Args:
        pair: Two cameras.
        threshold: Pairs with a lower score are dropped.
        keep_only_pair: Never drop the pair of two cameras with one box each.

    Returns:
        (M, 2) indices.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-pair.score)
    kept = pair.score[rows, columns] >= threshold
    if keep_only_pair and pair.score.size == 1:
        kept[:] = True
    return np.stack([rows[kept], columns[kept]], 1)


def average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    """Area below the curve of precision over recall, a step for each score (ties are one step); NaN without positives.

    Args:
        score: (N,).
        positive: (N,) bool.
    """
    if not positive.any():
        return float("nan")
    hits, total = _at_scores(score, positive)
    return float((np.diff(hits, prepend=0) * hits / total).sum() / positive.sum())


def false_positive_rate(score: np.ndarray, positive: np.ndarray, recall: float = 0.95) -> float:
    """Share of the negatives that score no lower than the place where so many positives are reached.

    Args:
        score: (N,).
        positive: (N,) bool.
        recall: Share of the positives.

    Returns:
        0 to 1; NaN without positives or negatives.
    """
    if not positive.any() or positive.all():
        return float("nan")
    hits, total = _at_scores(score, positive)
    at = int(np.argmax(hits >= recall * positive.sum() - 1e-9))
    return float((total[at] - hits[at]) / (~positive).sum())


def _at_scores(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives and all at or above every score, falling."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    return np.cumsum(positive[order])[last], last + 1


def association_metrics(
    pairs: Sequence[CameraPair], threshold: float = THRESHOLD, keep_only_pair: bool = False
) -> dict[str, float]:
    """All figures of the protocol, 0 to 1.

    A match of two unknown boxes is not right and stays in the denominator; AP and FPR-95 leave unknown boxes out.

    Args:
        pairs: Cameras that both have a box, all moments.
        threshold: See `match_boxes`.
        keep_only_pair: See there.

    Returns:
        Value by column.

    Raises:
        ValueError: There is no pair.
    """
    if not pairs:
        raise ValueError("no moment at which two cameras have labelled people: association is not defined")
    scores, positives, accuracy = [], [], []
    matches = right = common = people = unmatched = 0
    for pair in pairs:
        known = (pair.first >= 0)[:, None] & (pair.second >= 0)
        scores.append(pair.score[known])
        positives.append((pair.first[:, None] == pair.second)[known])
        one, two = ({int(i) for i in side if i >= 0} for side in (pair.first, pair.second))
        found = match_boxes(pair, threshold, keep_only_pair)
        names = [(int(pair.first[i]), int(pair.second[j])) for i, j in found]
        good = sum(a == b >= 0 for a, b in names)
        alone = len((one ^ two) - {name for both in names for name in both})
        matches, right, common = matches + len(names), right + good, common + len(one & two)
        people, unmatched = people + len(one | two), unmatched + alone
        accuracy.append((good + alone) / len(one | two) if one | two else 1.0)
    score, positive, each = np.concatenate(scores), np.concatenate(positives), np.array(accuracy)
    return {
        "AP": average_precision(score, positive),
        "FPR-95": false_positive_rate(score, positive),
        "precision": right / matches if matches else float("nan"),
        "recall": right / common if common else float("nan"),
        "accuracy": (right + unmatched) / people if people else float("nan"),
        **{f"IPAA-{x}": float((each >= x / 100 - 1e-9).mean()) for x in (100, 90, 80)},
        "camera pairs": float(len(pairs)),
        "people in both": float(common),
    }


def counted_frames(truth: MVORAnnotations, test: bool = False) -> list[tuple[int, ...]]:
    """Moments whose labelled people appear in more than one camera, by number.

    Args:
        truth: The annotations.
        test: Only the last fifth.

    Returns:
        Image ids in camera order.
    """
    labelled = {a["image_id"] for a in truth.annotations if a.get("person_id", -1) >= 0}
    every = sorted(frame.image_ids for frame in truth.need("frames"))
    frames = [ids for ids in every if sum(i in labelled for i in ids) > 1]
    return frames[len(frames) - round(_TEST * len(frames)) :] if test else frames


def camera_pairs(
    truth: MVORAnnotations, found: CrossView, frames: Sequence[tuple[int, ...]], poses_only: bool = False
) -> list[CameraPair]:
    """The labelled boxes of all pairs of cameras with a method's scores.

    Args:
        truth: The annotations; those without an identity are left out.
        found: What the method says; an identity alone is a score of 1. Pairs that are not there have a score of 0.
        frames: Image ids of the moments, see `counted_frames`.
        poses_only: Leave out people who have a box only.

    Returns:
        Pairs of cameras that both have a box.
    """
    people: dict[int, list[dict]] = {}
    for person in truth.box_persons():
        if person.get("person_id", -1) >= 0 and not (poses_only and person.get("only_bbox", 0)):
            people.setdefault(person["image_id"], []).append(person)
    row = _rows(truth, found)
    scored = {(int(a), int(b)): float(s) for (a, b), s in zip(found.pairs, found.scores, strict=True)}
    scored |= {(b, a): s for (a, b), s in scored.items()}

    def score(one: dict, two: dict) -> float:
        a, b = row.get(one["id"]), row.get(two["id"])
        if a is None or b is None:
            return 0.0
        if len(found.pairs):
            return scored.get((a, b), 0.0)
        return float(found.persons[a] == found.persons[b] >= 0)

    pairs = []
    for ids in frames:
        for i, j in combinations(ids, 2):
            first, second = people.get(i, []), people.get(j, [])
            if first and second:
                table = np.array([[score(a, b) for b in second] for a in first])
                one, two = (np.array([p["person_id"] for p in side]) for side in (first, second))
                pairs.append(CameraPair(one, two, table))
    return pairs


def _rows(truth: MVORAnnotations, found: CrossView) -> dict[int, int]:
    """The method's row of every annotation: by its id where the boxes agree, or else by overlap, best first.

    Detections may have ids, too, which have nothing to do with the annotations'.
    """
    by_image: dict[int, list[int]] = {}
    for k, image in enumerate(found.image_ids.tolist()):
        by_image.setdefault(image, []).append(k)
    own = {int(i): k for k, i in enumerate(found.ids) if i >= 0}
    rows: dict[int, int] = {}
    rest: dict[int, list[dict]] = {}
    for person in truth.box_persons():
        k = own.get(person["id"], -1)
        same = k >= 0 and found.image_ids[k] == person["image_id"]
        if same and np.allclose(found.boxes[k], person["bbox"], atol=0.5):
            rows[person["id"]] = k
        else:
            rest.setdefault(person["image_id"], []).append(person)
    used = set(rows.values())
    for image, people in rest.items():
        free = [k for k in by_image.get(image, []) if k not in used]
        overlaps = [(_overlap(person["bbox"], found.boxes[k]), person["id"], k) for person in people for k in free]
        for share, person_id, k in sorted(overlaps, reverse=True):
            if share >= _OVERLAP and person_id not in rows and k not in used:
                rows[person_id] = k
                used.add(k)
    return rows


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes x, y, width, height."""
    width, height = (min(a[k] + a[k + 2], b[k] + b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    inside = max(width, 0.0) * max(height, 0.0)
    union = a[2] * a[3] + b[2] * b[3] - inside
    return float(inside / union) if union > 0 else 0.0
