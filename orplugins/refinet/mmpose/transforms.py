"""RefiNet's preparation as mmpose transforms: the input pose, its noise, lifting, the networks' inputs, packing.

Records come from `orplugins.refinet.mmpose.itop.RefineDataset`. `pose` (15, D) is in pixels or, once lifted, in
millimetres with y up (`pose_unit`); `pose_valid` (15,) says which joints are there and is carried to the result.
"""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from orplugins.refinet.clouds import CloudSettings, joint_clouds
from orplugins.refinet.lift import LiftSettings, lift
from orplugins.refinet.noise import fixed_noise
from orplugins.refinet.patches import PatchSettings, depth_patches
from orplugins.refinet.skeleton import SkeletonScale
from orplugins.registry import KEYPOINT_CODECS, TRANSFORMS


@TRANSFORMS.register_module()
class InitInputPose(BaseTransform):
    """Start from a label or from the file's pose.

    Args:
        source: ``"label_px"``, ``"label_mm"`` or ``"file"``.
        drop_invisible: Make joints that are not visible missing in input and truth (published for module B).
    """

    def __init__(self, source: str = "file", drop_invisible: bool = False):
        if source not in ("label_px", "label_mm", "file"):
            raise ValueError(f"InitInputPose: source: found {source!r}, expected 'label_px', 'label_mm' or 'file'")
        self.source, self.drop_invisible = source, drop_invisible

    def transform(self, results: dict) -> dict:
        """Set ``pose``, ``pose_unit``, ``pose_valid`` and ``pose_scores`` of a record."""
        unit = {"label_px": "px", "label_mm": "mm"}.get(self.source, results["file_format"])
        pose = results["file_pose" if self.source == "file" else self.source]
        if pose is None:
            raise ValueError(f"frame {results['frame_id']}: no input pose, expected the data set's keypoint_file")
        pose = np.asarray(pose, dtype=np.float64)
        valid = (pose != 0).any(-1)
        if unit == "px_mm":
            pose, unit = results["camera"].back_project(pose[:, :2], pose[:, 2]), "mm"
        if unit == "mm":
            valid = pose[:, 2] != 0
        if self.drop_invisible:
            valid = valid & (results["visible"] == 1)
            results["dropped"] = results["visible"] != 1
        scores = results.get("file_scores") if self.source == "file" else None
        scores = np.ones(len(pose)) if scores is None else np.asarray(scores, dtype=np.float64)
        results.update(pose=pose, pose_unit=unit, pose_valid=valid, pose_scores=scores * valid)
        return results


@TRANSFORMS.register_module()
class AddPoseNoise(BaseTransform):
    """Gaussian noise on the input pose.

    Args:
        sigma, mean: In ``unit``.
        unit: ``"px"`` or ``"mm"``. Noise in pixels on a lifted pose is added to its projection, which then has to be
            lifted again; noise in millimetres leaves joints at z = 0 alone.
        draw: ``"item"`` draws each time from numpy's global generator, ``"fixed"`` from the published generators by the
            frame's number, ``"frozen"`` takes what the data set drew.
        seed: Of ``"fixed"``: 37 for ITOP's test split, 1295185 for validation.
        dims: Numbers drawn for a joint, if it is not the pose's own number of coordinates.
        truncate: Cut the result to whole pixels, as the published loader does for labels.
    """

    def __init__(
        self,
        sigma: float,
        mean: float = 0.0,
        unit: str = "px",
        draw: str = "item",
        seed: int = 37,
        dims: int | None = None,
        truncate: bool = False,
    ):
        if unit not in ("px", "mm") or draw not in ("item", "fixed", "frozen"):
            raise ValueError(f"AddPoseNoise: found unit {unit!r}, draw {draw!r}, expected px, mm; item, fixed, frozen")
        self.sigma, self.mean, self.unit, self.draw = sigma, mean, unit, draw
        self.seed, self.dims, self.truncate = seed, dims, truncate

    def transform(self, results: dict) -> dict:
        """Add noise to ``pose`` of a record."""
        pose = results["pose"]
        dims = self.dims or (2 if self.unit == "px" else 3)
        if self.draw == "frozen":
            noise = results["frozen_noise"]
        elif self.draw == "fixed":
            noise = fixed_noise(results["index"], self.seed, self.mean, self.sigma, dims, len(pose))
        else:
            noise = np.random.normal(self.mean, self.sigma, (len(pose), dims))
        if self.unit == "px":
            if results["pose_unit"] == "mm":
                pose = results["camera"].project(pose)
            pose = pose + noise[:, :2]
            results["pose"], results["pose_unit"] = np.trunc(pose) if self.truncate else pose, "px"
        else:
            if results["pose_unit"] != "mm":
                raise ValueError("AddPoseNoise: found a pose in pixels, expected LiftPose before noise in millimetres")
            results["pose"] = pose + noise * (pose[:, 2:] != 0)
        return results


@TRANSFORMS.register_module()
class LiftPose(BaseTransform):
    """Give a pose in pixels the depth of the image at its joints; a lifted pose stays as it is.

    Args:
        **settings: Those of `orplugins.refinet.lift.LiftSettings`.
    """

    def __init__(self, **settings):
        self.settings = LiftSettings(**settings)

    def transform(self, results: dict) -> dict:
        """Lift ``pose`` of a record to millimetres."""
        if results["pose_unit"] == "px":
            present = results["pose_valid"]
            pose, valid = lift(results["pose"], results["depth_mm"], results["camera"], self.settings, present)
            if "dropped" in results:
                pose[results["dropped"]], valid[results["dropped"]] = 0, False
            results.update(pose=pose, pose_unit="mm", pose_valid=valid)
        return results


@TRANSFORMS.register_module()
class CropDepthPatches(BaseTransform):
    """Module A's input (15, size, size); arguments of `orplugins.refinet.patches.PatchSettings`."""

    def __init__(self, **settings):
        self.settings = PatchSettings(**settings)

    def transform(self, results: dict) -> dict:
        """Set ``inputs`` of a record."""
        results["inputs"] = depth_patches(results["pose"], results["depth_mm"], self.settings)
        return results


@TRANSFORMS.register_module()
class NormalizeSkeleton(BaseTransform):
    """Module B's input (15, 3); arguments of `orplugins.refinet.skeleton.SkeletonScale`."""

    def __init__(self, **settings):
        self.scale = SkeletonScale(**settings)

    def transform(self, results: dict) -> dict:
        """Set ``inputs`` and ``pose_root`` of a record."""
        results["inputs"] = self.scale(results["pose"], results["pose_valid"]).astype(np.float32)
        results["pose_root"] = self.scale.roots(results["pose"], results["pose_valid"])
        return results


@TRANSFORMS.register_module()
class CropJointClouds(BaseTransform):
    """Module C's input (15, N + 1, 3); arguments of `orplugins.refinet.clouds.CloudSettings`."""

    def __init__(self, **settings):
        self.settings = CloudSettings(**settings)

    def transform(self, results: dict) -> dict:
        """Set ``inputs`` of a record."""
        valid = results["pose_valid"] & (results["visible"] != 0) if results["visible"].any() else results["pose_valid"]
        clouds = joint_clouds(
            results["pose"],
            valid,
            results["depth_mm"],
            results.get("cloud_camera", results["camera"]),
            self.settings,
            results["half_depth"],
            results.get("cloud_points"),
        )
        results["inputs"] = clouds.points
        return results


@TRANSFORMS.register_module()
class UseDepth(BaseTransform):
    """The chain's input: the depth image itself, (1, H, W) float32 millimetres."""

    def transform(self, results: dict) -> dict:
        """Set ``inputs`` of a record."""
        results["inputs"] = results["depth_mm"][None]
        return results


@TRANSFORMS.register_module()
class EncodeOffsets(BaseTransform):
    """Targets of the input pose and the label, through the codec.

    Args:
        encoder: Codec config (``orplugins.JointOffset``).
    """

    def __init__(self, encoder: dict):
        self.encoder = KEYPOINT_CODECS.build(encoder)

    def transform(self, results: dict) -> dict:
        """Set ``truth``, ``keypoint_labels`` and ``keypoint_weights`` of a record."""
        pose = results["pose"].astype(np.float32)
        truth = results["label_mm" if results["pose_unit"] == "mm" else "label_px"].astype(np.float32)
        if "dropped" in results:
            truth = np.where(results["dropped"][:, None], 0, truth)
        results["truth"] = truth
        results |= self.encoder.encode(
            truth[None], results["visible"][None], input_pose=pose[None], input_root=results.get("pose_root", 0.0)
        )
        return results
