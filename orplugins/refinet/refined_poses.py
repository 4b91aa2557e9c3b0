"""What a refiner of 3D poses gains over plain lifting: errors of visible and occluded joints, by number of people."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orplugins.geometry.assignment import match_pairs

# A detection is of a person where its joints are, on the average, nearer than this share of the person's box diagonal.
MATCH_SHARE = 0.25
GROUPS = ("all", "1 person", "2 people", "3 and more people")


def match_people(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Match detections to true people, each detection to one person.

    Args:
        found: (D, K, 3) x, y in pixels and a score above 0 where a joint is known.
        truth: (M, K, 3) likewise.

    Returns:
        (M,) number of the detection of each true person, or -1.
    """
    cost = np.full((len(truth), len(found)), np.inf)
    for i, person in enumerate(truth):
        known = person[:, 2] > 0
        diagonal = np.linalg.norm(np.ptp(person[known, :2], axis=0)) if known.any() else 0.0
        for k, pose in enumerate(found):
            both = known & (pose[:, 2] > 0)
            if both.sum() >= 3 and diagonal > 0:
                cost[i, k] = np.linalg.norm(person[both, :2] - pose[both, :2], axis=1).mean() / diagonal
    return match_pairs(cost, MATCH_SHARE)


@dataclass
class RefinedErrors:
    """Collects the errors of frames.

    Attributes:
        plain: Errors of plain lifting, one array per frame, in the unit of the points.
        refined: Errors of refined poses.
        seen: Whether each joint is visible.
        people: How many people were in each joint's image.
    """

    plain: list[np.ndarray] = field(default_factory=list)
    refined: list[np.ndarray] = field(default_factory=list)
    seen: list[np.ndarray] = field(default_factory=list)
    people: list[np.ndarray] = field(default_factory=list)

    def add(
        self,
        plain: np.ndarray,
        refined: np.ndarray,
        truth: np.ndarray,
        counted: np.ndarray,
        seen: np.ndarray,
        people: int,
    ) -> None:
        """Add a frame.

        Args:
            plain: (M, K, 3) poses of plain lifting.
            refined: (M, K, 3) refined poses.
            truth: (M, K, 3) true poses.
            counted: (M, K) joints to count.
            seen: (M, K) visible joints.
            people: How many people were in the image.
        """
        counted = np.asarray(counted, dtype=bool)
        self.plain.append(np.linalg.norm(plain - truth, axis=-1)[counted])
        self.refined.append(np.linalg.norm(refined - truth, axis=-1)[counted])
        self.seen.append(np.asarray(seen, dtype=bool)[counted])
        self.people.append(np.full(int(counted.sum()), people))

    def table(self) -> list[dict]:
        """Errors by group.

        Returns:
            A row for each of `GROUPS` and all, visible and occluded joints: their number, the mean error of plain
            lifting and of refined poses, and the ratio. Groups without joints are left out.

        Raises:
            ValueError: No joint has been added.
        """
        columns = [
            np.concatenate(values) if values else np.zeros(0)
            for values in (self.plain, self.refined, self.seen, self.people)
        ]
        plain, refined, seen, people = columns
        if not len(plain):
            raise ValueError("found no joint to compare, expected poses that belong to labelled people")
        visible, rows = seen.astype(bool), []
        for number, group in enumerate(GROUPS):
            inside = people > 0 if not number else people == number if number < 3 else people >= 3
            for name, part in (("all", inside), ("visible", inside & visible), ("occluded", inside & ~visible)):
                if part.any():
                    errors = float(plain[part].mean()), float(refined[part].mean())
                    rows.append(
                        {
                            "people": group,
                            "joints": name,
                            "count": int(part.sum()),
                            "plain": errors[0],
                            "refined": errors[1],
                            "ratio": errors[0] / max(errors[1], 1e-9),
                        }
                    )
        return rows
