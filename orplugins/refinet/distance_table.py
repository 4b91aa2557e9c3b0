"""A table of joint distances: one row per joint, one pair of columns per stage."""

from __future__ import annotations

from collections.abc import Sequence

from orplugins.refinet.joint_distance import LOWER, UPPER, JointDistances


def distance_table(stages: dict[str, JointDistances], joints: Sequence[str], threshold_mm: float = 100) -> str:
    """Text with the share of joints within the threshold (percent) and the mean error (cm), joint by joint.

    Args:
        stages: Name -> distances.
        joints: K names.
        threshold_mm: Millimetres.

    Returns:
        Lines joined by newlines; the last ones are both halves of the body and all joints.
    """
    groups: list[tuple[str, tuple[int, ...] | None]] = [(name, (i,)) for i, name in enumerate(joints)]
    groups += [("upper body", UPPER), ("lower body", LOWER), ("all", None)]
    head = "joint".ljust(16) + "".join(f"{name:>18}" for name in stages)
    unit = " " * 16 + "".join(f"{f'@{threshold_mm / 10:g}cm':>9}{'cm':>9}" for _ in stages)
    lines = [head, unit]
    for label, part in groups:
        cells = (
            f"{100 * found.accuracy(threshold_mm, part):9.1f}{found.mean_cm(part):9.2f}" for found in stages.values()
        )
        lines.append(f"{label:<16}" + "".join(cells))
    return "\n".join(lines)
