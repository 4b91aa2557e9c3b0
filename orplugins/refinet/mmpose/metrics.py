"""RefiNet's protocol as mmpose metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from orplugins.refinet.lift import LiftSettings, lift
from orplugins.refinet.metrics import (
    LOWER,
    OKS_SIGMA,
    UPPER,
    JointDistances,
    distance_table,
    joint_distances,
    refinet_oks,
)
from orplugins.refinet.pose_files import save_itop_poses
from orplugins.registry import METRICS
from orplugins.skeletons import ITOP_15

HALVES = {"": None, "_upper": UPPER, "_lower": LOWER}


def _numpy(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


@METRICS.register_module()
class JointDistance(BaseMetric):
    """Share of joints within a distance and mean distance, of the refined and of the input pose.

    Results: `acc@10cm`, `mde_cm`, `input/acc@10cm` ..., for the chain also of each stage (`a/...`), by body half, and
    in a table by joint. Where the input is a 2D pose also the mean distance in the image, `px` and `input/px` (of the
    chain: after module A).

    Args:
        thresholds: Millimetres; strictly less counts.
        decimals: Digits that poses are rounded to first (3 in the published test program).
        lifting: How 2D results are given depth; prediction **and** label are (published for module A, which flatters
            it: the label gets the surface's depth).
        by_visibility: Also the mean error of joints that the label calls visible, and of the others.
        table: Log the table.
        collect_device, prefix: Those of mmengine's BaseMetric.
    """

    default_prefix = "itop"

    def __init__(
        self,
        thresholds: Sequence[float] = (100, 50),
        decimals: int | None = 3,
        lifting: dict | None = None,
        by_visibility: bool = False,
        table: bool = True,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ):
        super().__init__(collect_device, prefix)
        self.thresholds, self.decimals = tuple(thresholds), decimals
        self.lifting = LiftSettings(**(lifting or {}))
        self.by_visibility, self.table = by_visibility, table

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep input, stages, prediction and truth of each sample."""
        for sample in data_samples:
            truth, labels, found = sample["gt_instances"], sample["gt_instance_labels"], sample["pred_instances"]
            target = _numpy(truth["keypoints_3d"])
            pixels = None
            if labels["input_pose"].shape[-1] == 2:
                pixels = [
                    np.linalg.norm(_numpy(pose) - _numpy(truth["keypoints"]), axis=-1)
                    for pose in (found["keypoints"], labels["input_pose"])
                ]
            poses = {"input": _numpy(labels["input_pose"])}
            poses |= {key[6:]: _numpy(found[key]) for key in found.keys() if key.startswith("stage_")}
            poses["result"] = _numpy(found["keypoints_3d"] if "keypoints_3d" in found else found["keypoints"])
            if poses["result"].shape[-1] == 2:
                # As published, the label is lifted too, and then rounded like the poses.
                target = self._lifted(_numpy(truth["keypoints"]), sample)
            poses = {key: self._lifted(pose, sample) if pose.shape[-1] == 2 else pose for key, pose in poses.items()}
            self.results.append(
                {
                    "row": sample.get("row", len(self.results)),
                    "poses": poses,
                    "target": target,
                    "visible": _numpy(truth["keypoints_visible"]),
                    "seen": _numpy(truth["keypoints_seen"]),
                    "pixels": pixels,
                }
            )

    def _lifted(self, pixels: np.ndarray, sample: dict) -> np.ndarray:
        if "depth_mm" not in sample:
            raise ValueError(
                f"frame {sample.get('frame_id')}: no 'depth_mm' to lift 2D poses with, expected "
                "PackRefineInputs(with_depth=True)"
            )
        return lift(pixels, sample["depth_mm"], sample["camera"], self.lifting)[0].astype(np.float32)

    def compute_metrics(self, results: list) -> dict:
        """Numbers of all stages; the refined pose's have no prefix."""
        results = sorted(results, key=lambda entry: entry["row"])
        target, visible, seen = (
            np.concatenate([entry[key] for entry in results]) for key in ("target", "visible", "seen")
        )
        metrics, columns = {}, {}
        for name in results[0]["poses"]:
            poses = np.concatenate([entry["poses"][name] for entry in results])
            found = columns[name] = joint_distances(poses, target, visible, self.decimals)
            prefix = "" if name == "result" else f"{name}/"
            metrics |= {f"{prefix}{key}": value for key, value in self._numbers(found, seen).items()}
        if results[0]["pixels"] is not None:
            for prefix, k in (("", 0), ("input/", 1)):
                errors = np.concatenate([entry["pixels"][k] for entry in results])
                metrics[f"{prefix}px"] = float(errors[visible == 1].mean())
        if self.table:
            text = distance_table(columns, ITOP_15.joints, self.thresholds[0])
            MMLogger.get_current_instance().info(f"\n{text}")
        return metrics

    def _numbers(self, found: JointDistances, seen: np.ndarray) -> dict[str, float]:
        numbers = {}
        for half, joints in HALVES.items():
            numbers |= {f"acc@{t / 10:g}cm{half}": found.accuracy(t, joints) for t in self.thresholds}
            numbers[f"mde_cm{half}"] = found.mean_cm(joints)
        if self.by_visibility:
            for name, part in (("visible", seen == 1), ("occluded", seen != 1)):
                numbers[f"mde_cm_{name}"] = JointDistances(found.errors, found.counted & part).mean_cm()
        return numbers


@METRICS.register_module()
class RefineOKS(BaseMetric):
    """OKS as RefiNet counts it (see `orplugins.refinet.metrics.refinet_oks`); 3D poses are projected.

    Args:
        sigmas: One for all joints, or one each.
        collect_device, prefix: Those of mmengine's BaseMetric.
    """

    default_prefix = "oks"

    def __init__(
        self, sigmas: float | Sequence[float] = OKS_SIGMA, collect_device: str = "cpu", prefix: str | None = None
    ):
        super().__init__(collect_device, prefix)
        self.sigmas = sigmas if isinstance(sigmas, (int, float)) else tuple(sigmas)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep 2D poses."""
        for sample in data_samples:
            truth, found = sample["gt_instances"], sample["pred_instances"]
            if "keypoints_3d" in found:
                project = sample["camera"].project
                pair = [project(_numpy(part["keypoints_3d"])) for part in (found, truth)]
            else:
                pair = [_numpy(part["keypoints"]) for part in (found, truth)]
            self.results.append({"row": sample.get("row", len(self.results)), "pair": pair})

    def compute_metrics(self, results: list) -> dict:
        """`mAP`, `AP50`, `AP75`, and each joint's share."""
        results = sorted(results, key=lambda entry: entry["row"])
        found = refinet_oks(*(np.concatenate([entry["pair"][k] for entry in results]) for k in (0, 1)), self.sigmas)
        metrics = {"mAP": found.mean_ap, "AP50": float(found.ap[0]), "AP75": float(found.ap[5])}
        return metrics | dict(zip(ITOP_15.joints, found.joint.tolist(), strict=True))


@METRICS.register_module()
class DumpPoses(BaseMetric):
    """Writes refined poses by row, for the next module or for a set without ground truth.

    Args:
        out_file: .npz, or .pkl for the published form (a dict from row to (15, D) float32).
        collect_device, prefix: Those of mmengine's BaseMetric.
    """

    default_prefix = "dump"

    def __init__(self, out_file: str, collect_device: str = "cpu", prefix: str | None = None):
        super().__init__(collect_device, prefix)
        self.out_file = out_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the refined pose of each frame's first person."""
        for sample in data_samples:
            found = sample["pred_instances"]
            pose = _numpy(found["keypoints_3d"] if "keypoints_3d" in found else found["keypoints"])
            self.results.append({"row": int(sample["row"]), "pose": pose[0].astype(np.float32)})

    def compute_metrics(self, results: list) -> dict:
        """Write the file."""
        results = sorted(results, key=lambda entry: entry["row"])
        save_itop_poses(self.out_file, [entry["row"] for entry in results], np.stack([e["pose"] for e in results]))
        return {"frames": float(len(results))}
