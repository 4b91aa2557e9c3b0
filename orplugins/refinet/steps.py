"""RefiNet's steps one after the other: 2D poses and a depth image in, refined 3D poses out.

The geometry is NumPy's; networks are any functions of arrays, so that torch's modules and exported ones take the same
way. People of an image are one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from orplugins.refinet.clouds import CloudSettings, joint_clouds
from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.lift import LiftSettings, lift
from orplugins.refinet.patches import PatchSettings, depth_patches
from orplugins.refinet.skeleton import SkeletonScale

Network = Callable[[np.ndarray], np.ndarray]
MODULES = ("a", "b", "c")


@dataclass(frozen=True)
class RefinedPoses:
    """M people with K joints; millimetres, y up.

    Attributes:
        pixels: (M, K, 2) after module A.
        points: (M, K, 3) after the last module; zeros where missing.
        valid: (M, K) bool.
        stages: name -> (M, K, 3): "input" (the given pose lifted), "a" (module A's pose lifted), "b", "c"; only of the
            modules there are.
        counts: (M, K) points in each joint's cube, -1 without module C.
        raw: What went into and came out of the networks, for tests: "a_in", "a_out", "b_in", "b_out", "c_in", "c_out".
    """

    pixels: np.ndarray
    points: np.ndarray
    valid: np.ndarray
    stages: dict[str, np.ndarray]
    counts: np.ndarray
    raw: dict[str, np.ndarray] = field(default_factory=dict)


class RefineSteps:
    """What happens between a 2D pose and a 3D pose, whoever runs the networks; any of them may be left out.

    Args:
        patches, lifting, scale, clouds: Arguments of the settings classes in `patches`, `lift`, `skeleton`, `clouds`.
        absolute: Module B predicts places.
        patch_unit, skeleton_unit, point_unit: Pixels, millimetres and millimetres that an output of 1 stands for.
        apply: ``"subtract"`` or ``"add"`` the offsets (the published Baracca program adds).
        missing: ``"kept"``: a joint that the 2D pose lacks, or that has no depth, stays missing. ``"published"``: its
            flag is lost, module A moves it from (0, 0), and module B's offset from the origin makes a joint of it.
    """

    def __init__(
        self,
        patches: dict | None = None,
        lifting: dict | None = None,
        scale: dict | None = None,
        clouds: dict | None = None,
        absolute: bool = False,
        apply: str = "subtract",
        missing: str = "kept",
        patch_unit: float = 1.0,
        skeleton_unit: float = 1.0,
        point_unit: float = 1.0,
    ):
        if missing not in ("kept", "published") or apply not in ("subtract", "add"):
            raise ValueError(
                f"RefineChain: found missing {missing!r}, apply {apply!r}, expected kept or published; subtract or add"
            )
        self.patches, self.lifting = PatchSettings(**(patches or {})), LiftSettings(**(lifting or {}))
        self.scale, self.clouds = SkeletonScale(**(scale or {})), CloudSettings(**(clouds or {}))
        units = {"a": patch_unit, "b": skeleton_unit, "c": point_unit}
        self.units = {stage: np.float32(unit) for stage, unit in units.items()}
        self.absolute, self.apply, self.missing = absolute, apply, missing

    def record(self) -> dict:
        """The arguments, as JSON values."""
        settings = {name: vars(getattr(self, name)).copy() for name in ("patches", "lifting", "scale", "clouds")}
        units = zip(("patch_unit", "skeleton_unit", "point_unit"), self.units.values(), strict=True)
        rest = {"absolute": self.absolute, "apply": self.apply, "missing": self.missing}
        return settings | rest | {name: float(unit) for name, unit in units}

    def refine(
        self,
        networks: Mapping[str, Network],
        depth_mm: np.ndarray,
        pixels: np.ndarray,
        present: np.ndarray,
        camera: DepthCamera,
        half: bool = False,
        cloud_camera: DepthCamera | None = None,
    ) -> RefinedPoses:
        """Refine the people of one image.

        Args:
            networks: Of `MODULES`, those that there are: float32 inputs to float32 outputs.
            depth_mm: (H, W) millimetres, 0 = hole.
            pixels: (M, K, 2).
            present: (M, K) which joints the 2D poses have.
            camera: Of the depth image.
            half: The depth was stored as float16 metres (ITOP): points are rounded as in its cloud files.
            cloud_camera: Camera of the point sets, where it is another one (Baracca as published).

        Returns:
            The people after each module.
        """
        pixels = np.asarray(pixels, dtype=np.float32)
        present = np.asarray(present, dtype=bool)
        kept, sign = self.missing == "kept", np.float32(-1 if self.apply == "subtract" else 1)
        counts = np.full(present.shape, -1)
        if not pixels.size:
            empty = np.zeros((*pixels.shape[:-1], 3), dtype=np.float32)
            return RefinedPoses(pixels, empty, present, {}, counts)
        raw: dict[str, np.ndarray] = {}
        stages = {"input": self._lifted(pixels, depth_mm, camera, present)[0]}
        if "a" in networks:
            raw["a_in"] = depth_patches(pixels, depth_mm, self.patches)
            raw["a_out"] = networks["a"](raw["a_in"])
            moved = pixels + sign * self.units["a"] * raw["a_out"]
            pixels = np.where(present[..., None], moved, pixels) if kept else moved
        points, valid = self._lifted(pixels, depth_mm, camera, present)
        if "a" in networks:
            stages["a"] = points
        if "b" in networks:
            raw["b_in"] = self.scale(points, valid).astype(np.float32)
            raw["b_out"] = networks["b"](raw["b_in"])
            out = raw["b_out"] * self.units["b"]
            root = self.scale.roots(points, valid)[:, None].astype(np.float32)
            points = root + out if self.absolute else points + sign * out
            valid = self._still_valid(points, valid)
            points = stages["b"] = np.where(valid[..., None], points, 0).astype(np.float32)
        if "c" in networks:
            clouds = joint_clouds(points, valid, depth_mm, cloud_camera or camera, self.clouds, half)
            counts, raw["c_in"] = clouds.count, clouds.points
            raw["c_out"] = networks["c"](clouds.points)
            points = points + sign * self.units["c"] * raw["c_out"]
            points = stages["c"] = np.where(valid[..., None], points, 0).astype(np.float32)
        return RefinedPoses(pixels, points, valid, stages, counts, raw)

    def _lifted(self, pixels, depth_mm, camera, present):
        points, valid = lift(pixels, depth_mm, camera, self.lifting, present if self.missing == "kept" else None)
        return points.astype(np.float32), valid

    def _still_valid(self, points, valid):
        # As published a joint counts once module B has given it a depth.
        return valid if self.missing == "kept" else points[..., 2] != 0
