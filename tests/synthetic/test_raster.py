"""The rasteriser against ray casting by hand, and against embree where that is installed."""

import numpy as np
import pytest

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.render.raster import Caster, has_embree
from orplugins.synthetic.scene.geometry import box, moved
from orplugins.synthetic.scene.scene import make_scene

CAMERA = Camera(60.0, 60.0, 39.5, 29.5, (80, 60))


def by_hand(vertices, faces, camera, pixels):
    """Nearest depth and face along each pixel's ray, by solving for each triangle (Moeller and Trumbore 1997)."""
    rays = np.concatenate([(pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy), np.ones((len(pixels), 1))], 1)
    local = (vertices - camera.pose[:3, 3]) @ camera.pose[:3, :3]
    best, owner = np.full(len(pixels), np.inf), np.full(len(pixels), -1)
    for number, (a, b, c) in enumerate(local[faces]):
        system = np.stack([np.broadcast_to(b - a, rays.shape), np.broadcast_to(c - a, rays.shape), -rays], axis=2)
        regular = np.abs(np.linalg.det(system)) > 1e-12
        safe = np.where(regular[:, None, None], system, np.eye(3))
        u, v, t = np.linalg.solve(safe, np.tile(-a, (len(rays), 1))[..., None])[..., 0].T
        hit = regular & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0.15) & (t < best)
        best[hit], owner[hit] = t[hit], number
    return best, owner


@pytest.fixture(scope="module")
def things():
    rng = np.random.default_rng(3)
    parts = [
        moved(box(*rng.uniform(0.2, 1.2, 3)), rng.uniform(0, 3), [*rng.uniform(-1, 1, 2), rng.uniform(1.5, 4)])
        for _ in range(6)
    ]
    parts.append(moved(box(0.3, 0.3, 3.0), 0.2, (0.4, 0.3, 1.0)))  # crosses the near plane
    offsets = np.cumsum([0] + [len(v) for v, _ in parts[:-1]])
    return (
        np.concatenate([v for v, _ in parts]).astype(np.float32),
        np.concatenate([f + o for (_, f), o in zip(parts, offsets, strict=True)]).astype(np.int32),
    )


def test_picture_and_points_against_rays_by_hand(things):
    caster = Caster(*things, backend="numpy")
    depth, face = caster.picture(CAMERA)
    grid = np.stack(np.meshgrid(np.arange(80), np.arange(60)), -1).reshape(-1, 2)
    expected, owner = by_hand(*things, CAMERA, grid)
    covered = owner >= 0
    assert ((face.ravel() >= 0) == covered).mean() > 0.999
    both = covered & (face.ravel() >= 0)
    assert (np.abs(depth.ravel()[both] - expected[both]) < 1e-3).mean() > 0.998
    points = np.random.default_rng(0).uniform(-5, 85, (200, 2))
    at, which = caster.at(CAMERA, points)
    expected, owner = by_hand(*things, CAMERA, points)
    assert ((which >= 0) == (owner >= 0)).mean() > 0.98
    both = (which >= 0) & (owner >= 0)
    assert np.abs(at[both] - expected[both]).max() < 1e-3


def test_a_camera_among_things_behind_it_sees_nothing(things):
    pose = np.eye(4)
    pose[:3, :3] = np.diag([-1.0, 1, -1])
    pose[2, 3] = -3
    depth, face = Caster(*things, backend="numpy").picture(Camera(60, 60, 39.5, 29.5, (80, 60), pose=pose))
    assert (face == -1).all() and not depth.any()


@pytest.mark.skipif(not has_embree(), reason="embreex is not installed")
def test_embree_gives_the_same_picture():
    scene = make_scene(4, 0)
    camera = scene.cameras[0].resized((160, 120))
    (one, first), (two, second) = (
        Caster(scene.vertices, scene.faces, backend).picture(camera) for backend in ("numpy", "embree")
    )
    assert (first == second).mean() > 0.995
    assert (np.abs(one - two) < 0.002).mean() > 0.998


def test_unknown_backends_are_refused(things):
    with pytest.raises(ValueError, match="backend: found 'gl'"):
        Caster(*things, backend="gl")
    if not has_embree():
        with pytest.raises(ValueError, match="embreex"):
            Caster(*things, backend="embree")
