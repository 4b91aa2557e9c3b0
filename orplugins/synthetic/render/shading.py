"""Colour images of a scene: lights with shadow maps, cloth texture, floor tiles, exposure and camera noise."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.render.lens import Lens, develop
from orplugins.synthetic.render.lights import LOWEST_SHADOW, any_lights, theatre_lights
from orplugins.synthetic.render.paint import backdrop, paint
from orplugins.synthetic.render.raster import Caster
from orplugins.synthetic.scene.geometry import CLOTH, DARK, LAMP, METAL, PLAIN, dot, unit, vertex_normals
from orplugins.synthetic.scene.scene import Scene
from orplugins.synthetic.scene.surfaces import Surfaces, cover

_SHADOW_BIAS = 0.03  # metres


class Lighting:
    """What the views of a scene share: vertex normals, lights with their shadow maps, and covers.

    Args:
        scene: The scene.
        backend: See `raster.Caster`.
        look: Draws lights, colours and patterns; None for the theatre's own.
    """

    def __init__(self, scene: Scene, backend: str, look: np.random.Generator | None = None):
        self.scene = scene
        self.lights = theatre_lights(scene) if look is None else any_lights(scene, look)
        self.surfaces: Surfaces | None = None if look is None else cover(scene, look)
        self.normals = vertex_normals(scene.vertices, scene.faces)
        # Lamps light the room themselves, and walls hide nothing from a light below the ceiling.
        solid = (scene.materials != LAMP) & ~((scene.materials == PLAIN) & (np.arange(len(scene.faces)) < 12))
        caster = Caster(scene.vertices, scene.faces[solid], backend)
        self.maps: list[tuple[Camera, np.ndarray] | None] = []
        for light in scene.room.lights if look is None else self.lights.places:
            if light[2] < LOWEST_SHADOW:
                self.maps.append(None)
                continue
            camera = _looking_down(light, self.lights.shadow_size)
            depth, _ = caster.picture(camera)
            self.maps.append((camera, np.where(depth > 0, depth, np.inf)))

    def lit(self, number: int, points: np.ndarray) -> np.ndarray:
        """Share of a light that reaches points: the mean of 3x3 tests in its shadow map.

        Args:
            number: Of the light.
            points: (N, 3) metres in the room.

        Returns:
            (N,) 0..1.
        """
        found = self.maps[number]
        if found is None:
            return np.ones(len(points), np.float32)
        camera, nearest = found
        size = self.lights.shadow_size
        # `Camera.project` for a camera that looks straight down, in single precision.
        x, y, z = (points - camera.pose[:3, 3].astype(np.float32)).T
        scale = np.float32(camera.fx) / np.minimum(z, np.float32(-0.01))
        column = (np.float32(camera.cx + 0.5) - x * scale).astype(np.int32)
        row = (np.float32(camera.cy + 0.5) + y * scale).astype(np.int32)
        inside = (z < -0.1) & (column > 0) & (column < size - 1) & (row > 0) & (row < size - 1)
        corner = np.where(inside, row * size + column, size + 1)
        limit, flat = -z - np.float32(_SHADOW_BIAS), nearest.ravel()
        share = np.zeros(len(points), np.uint8)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                share += flat[corner + (i * size + j)] > limit
        return np.where(inside, share * np.float32(1 / 9), np.float32(1))


def _looking_down(light: np.ndarray, size: int) -> Camera:
    """A camera at a light that sees all of the floor but the far corners."""
    pose = np.eye(4)
    pose[:3, :3] = np.array([[1, 0, 0], [0, -1, 0], [0, 0, -1]]).T
    pose[:3, 3] = light
    focal = size / 2 / 1.45
    middle = (size - 1) / 2
    return Camera(focal, focal, middle, middle, (size, size), pose=pose)


def shade(
    lighting: Lighting,
    camera: Camera,
    depth: np.ndarray,
    faces: np.ndarray,
    gains: np.ndarray,
    rng: np.random.Generator | None,
    lens: Lens | None = None,
) -> np.ndarray:
    """The colour image of a view.

    Args:
        lighting: Of the scene.
        camera: The camera.
        depth: (H, W) what is seen, metres.
        faces: (H, W) what is seen, face numbers.
        gains: (3,) of red, green, blue.
        rng: The camera's noise, or None.
        lens: A camera of another kind than the theatre's; `gains` then do not matter.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    scene, lights, surfaces = lighting.scene, lighting.lights, lighting.surfaces
    height, width = depth.shape
    x, y = np.meshgrid(
        (np.arange(width, dtype=np.float32) - np.float32(camera.cx)) / np.float32(camera.fx),
        (np.arange(height, dtype=np.float32) - np.float32(camera.cy)) / np.float32(camera.fy),
    )
    rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ camera.pose[:3, :3].T.astype(np.float32)
    points = camera.pose[:3, 3].astype(np.float32) + rays * depth.reshape(-1, 1)
    face = np.maximum(faces.ravel(), 0)
    corners = scene.faces[face]
    weights = _barycentric(scene.vertices, corners, points)
    normal = unit(sum(weights[:, k, None] * lighting.normals[corners[:, k]] for k in range(3)))
    rays = unit(rays)
    facing = dot(normal, rays)
    normal = np.where(facing[:, None] > 0, -normal, normal)
    material = scene.materials[face]
    if surfaces is None:
        colour = sum(weights[:, k, None] * scene.colours[corners[:, k]] for k in range(3))
        colour = _texture(colour, points, material)
    else:
        colour = paint(scene, surfaces, camera, points, depth.ravel(), face, weights, normal)

    light = (np.float32(lights.level) + np.float32(lights.slope) * normal[:, 2])[:, None] * lights.ambient
    for k, position in enumerate(lights.places):
        towards = position - points
        square = dot(towards, towards)
        lambert = np.clip(dot(normal, towards) / np.sqrt(square), 0, 1)
        reaches = lighting.lit(k, points)
        falloff = np.float32(lights.powers[k]) / (np.float32(0.9) + np.float32(0.42) * square)
        if lights.cones[k]:
            inner = -(towards @ lights.aims[k]) / np.sqrt(square) - np.float32(lights.cones[k])
            falloff = falloff * np.clip(inner / np.float32(0.06) + np.float32(0.5), 0, 1)
        light += (lambert * reaches * falloff)[:, None] * lights.colours[k]
    gloss = np.where((material == METAL) | (material == DARK), np.float32(0.12), np.float32(0.02)) * np.abs(facing) ** 8
    picture = colour * light + gloss[:, None]
    picture = np.where(material[:, None] == LAMP, np.maximum(picture, colour * 1.1), picture)
    seen = faces >= 0
    picture = np.where(seen.reshape(-1, 1), picture, 0.05).reshape(height, width, 3).astype(np.float32)
    if surfaces is not None and not seen.all():
        picture[~seen] = backdrop(surfaces, seen)
    return _expose(picture, gains, rng) if lens is None else develop(picture, lens, rng)


def _barycentric(vertices: np.ndarray, corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 3) weights of the corners (N, 3) of faces at points (N, 3) on them."""
    a, b, c = (vertices[corners[:, k]] for k in range(3))
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11, d20, d21 = dot(ab, ab), dot(ab, ac), dot(ac, ac), dot(ap, ab), dot(ap, ac)
    area = np.maximum(d00 * d11 - d01 * d01, np.float32(1e-12))
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    return np.clip(np.stack([1 - v - w, v, w], axis=1), 0, 1)


def _texture(colour: np.ndarray, points: np.ndarray, material: np.ndarray) -> np.ndarray:
    """Floor tiles of 0.6 m, and creases in cloth."""
    x, y, z = points.T
    floor = (material == PLAIN) & (z < 0.003)
    tile = (np.floor(x / 0.6) + np.floor(y / 0.6)) % 2
    joint = (np.abs((x / 0.6) % 1 - 0.5) > 0.49) | (np.abs((y / 0.6) % 1 - 0.5) > 0.49)
    colour = colour * np.where(floor, (1 - 0.05 * tile) * np.where(joint, 0.85, 1), 1)[:, None]
    crease = 1 + 0.05 * np.sin(x * 23 + z * 17) * np.sin(y * 29 - z * 13)
    return colour * np.where(material == CLOTH, crease, 1)[:, None]


def _expose(picture: np.ndarray, gains: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Lens blur, exposure, tone curve, white balance and noise; 8 bits."""
    for axis in (0, 1):
        first = np.take(picture, [0], axis)
        last = np.take(picture, [-1], axis)
        padded = np.concatenate([first, picture, last], axis)
        n = picture.shape[axis]
        before, here, after = (np.take(padded, range(k, k + n), axis) for k in range(3))
        picture = 0.22 * before + 0.56 * here + 0.22 * after
    picture = (1 - np.exp(-1.45 * gains * np.maximum(picture, 0))) ** 0.8
    if rng is not None:
        noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(0.014)
        picture = picture + noise
        picture += rng.standard_normal(picture.shape[:2], dtype=np.float32)[..., None] * np.float32(0.006)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
