"""Errors of lifted motions: the four published protocols, by action."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from orplugins.geometry.pose_error import mpjpe, n_mpjpe, p_mpjpe, velocity_error
from orplugins.geometry.timeseries import count_jumps, jitter
from orplugins.registry import METRICS

PROTOCOLS = {"MPJPE": mpjpe, "P-MPJPE": p_mpjpe, "N-MPJPE": n_mpjpe, "MPJVE": velocity_error}


@METRICS.register_module()
class MotionMetric(BaseMetric):
    """Protocols 1 to 3 and the velocity error, in millimetres (per frame), of root-centred poses.

    Each is weighted by frames within an action (the text before the first space) and averaged plainly over actions.
    Also ``jitter`` (m/s^2) and ``jumps`` (joint steps faster than 4.5 m/s, per thousand) of the predictions. Samples
    are whole clips, or windows of one clip in order (they are joined by ``clip``).

    Args:
        fps: Frames per second of the clips.
        per_action: Report every action as well.
        **kwargs: Those of mmengine's BaseMetric.
    """

    default_prefix = "motion"

    def __init__(self, fps: float = 50.0, per_action: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.fps, self.per_action = fps, per_action

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep predictions and targets of a batch, both about the true root."""
        for sample in data_samples:
            target = np.asarray(sample["gt_instances"]["lifting_target"], dtype=np.float64)
            root = np.asarray(sample["target_root"], dtype=np.float64).reshape(-1, 1, 3)
            predicted = np.asarray(sample["pred_instances"]["keypoints"], dtype=np.float64).reshape(target.shape)
            self.results.append(
                {
                    "clip": sample["clip"],
                    "frame": sample["frame"],
                    "action": sample["action"],
                    "predicted": predicted - root,
                    "target": target - root,
                }
            )

    def compute_metrics(self, results: list) -> dict:
        """Numbers by protocol."""
        clips = defaultdict(list)
        for result in sorted(results, key=lambda r: (r["clip"], r["frame"])):
            clips[(result["action"].split(" ")[0], result["clip"])].append(result)
        actions: dict[str, list[tuple[int, dict]]] = defaultdict(list)
        for (action, _), parts in clips.items():
            predicted, target = (np.concatenate([part[key] for part in parts]) for key in ("predicted", "target"))
            numbers = {name: 1000 * protocol(predicted, target) for name, protocol in PROTOCOLS.items()}
            numbers["jitter"] = jitter(predicted, self.fps)
            numbers["jumps"] = 1000 * count_jumps(predicted, self.fps) / max(predicted.shape[0] * predicted.shape[1], 1)
            actions[action].append((len(predicted), numbers))
        table = {action: _weighted(clips) for action, clips in actions.items()}
        out = {name: float(np.mean([row[name] for row in table.values()])) for name in next(iter(table.values()))}
        if self.per_action:
            out |= {f"{action}/{name}": row[name] for action, row in table.items() for name in PROTOCOLS}
        return out


def _weighted(clips: list[tuple[int, dict]]) -> dict[str, float]:
    frames = np.array([count for count, _ in clips], dtype=np.float64)
    return {name: float(np.average([numbers[name] for _, numbers in clips], weights=frames)) for name in clips[0][1]}
