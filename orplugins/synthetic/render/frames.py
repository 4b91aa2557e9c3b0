"""Images of the synthetic operating room with their ground truth: the generator's entry point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.render.annotate import View, annotate
from orplugins.synthetic.render.lens import any_lens
from orplugins.synthetic.render.raster import Caster
from orplugins.synthetic.render.sensor import measure, to_millimetres
from orplugins.synthetic.render.sensors import measure_by_any
from orplugins.synthetic.render.shading import Lighting, shade
from orplugins.synthetic.scene.cameras import FULL_SIZE, MOST_VIEWS
from orplugins.synthetic.scene.geometry import face_normals, unit
from orplugins.synthetic.scene.scene import COLOUR, LENS, LOOK, MOST_PEOPLE, SENSOR, Scene, make_scene, stream
from orplugins.synthetic.variety import PICTURES, SENSORS, TEXTURES, check_variety


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a scene.

    Attributes:
        depth_mm: (H, W) uint16 millimetres, 0 = hole.
        color: (H, W, 3) uint8 RGB, or None.
        instances: (H, W) uint8, 0 = room, 1.. = person.
        view: The annotated people.
        camera: Its pose is in the room.
    """

    depth_mm: np.ndarray
    color: np.ndarray | None
    instances: np.ndarray
    view: View
    camera: Camera


def check_options(size: tuple[int, int], views: int, people: tuple[int, int], hips: str = "coco") -> None:
    """Refuse options that no room can hold.

    Args:
        size: (width, height) of the images.
        views: Number of cameras.
        people: (min, max) number of people in the room.
        hips: See `annotate.annotate`.

    Raises:
        ValueError: An option is out of its range; it is named.
    """
    if len(size) != 2 or any(int(n) != n for n in size) or min(size) < 16 or max(size) > 4096:
        raise ValueError(f"size: found {size!r}, expected (width, height), whole numbers of 16 to 4096 pixels")
    if views not in range(1, MOST_VIEWS + 1):
        raise ValueError(f"views: found {views!r}, expected 1 to {MOST_VIEWS} cameras")
    if len(people) != 2 or not 0 <= people[0] <= people[1]:
        raise ValueError(f"people: found {people!r}, expected (min, max), 0 <= min <= max")
    if people[1] > MOST_PEOPLE:
        raise ValueError(f"people: found {people[1]}, expected at most {MOST_PEOPLE}: the room holds no more")
    if hips not in ("coco", "mvor"):
        raise ValueError(f"hips: found {hips!r}, expected 'coco' or 'mvor'")


def render_frames(
    seed: int,
    index: int,
    size: tuple[int, int] = FULL_SIZE,
    *,
    views: int = 3,
    people: tuple[int, int] = (1, 6),
    color: bool = False,
    noise: bool = True,
    fixed_cameras: bool = True,
    hips: str = "coco",
    backend: str = "auto",
    variety: tuple[str, ...] = (),
) -> tuple[Scene, list[Frame]]:
    """Render one scene from one to three cameras. A frame depends on its seed and index alone.

    Args:
        seed: Of the set.
        index: Number of the scene.
        size: (width, height) of the images; the field of view is that of 640x480 pixels.
        views: Number of cameras, see `cameras.hang_cameras`.
        people: (min, max) number of people in the room; a camera may see fewer.
        color: Render colour images too.
        noise: Add the errors of the depth sensor and the noise of the colour camera.
        fixed_cameras: The cameras hang at one place for the whole seed; otherwise elsewhere in each scene.
        hips: See `annotate.annotate`.
        backend: "numpy", "embree", or "auto": embree if it is installed.
        variety: Parts of `variety.PARTS` that vary.

    Returns:
        The scene and one frame per camera.

    Raises:
        ValueError: An argument is out of its range.
    """
    check_options(size, views, people, hips)
    if seed < 0 or index < 0:
        raise ValueError(f"render_frames: found seed={seed}, index={index}, expected whole numbers from 0")
    variety = check_variety(variety)
    scene = make_scene(seed, index, people=people, views=views, fixed_cameras=fixed_cameras, variety=variety)
    return scene, render_scene(
        scene, size, (seed, index), color=color, noise=noise, hips=hips, backend=backend, variety=variety
    )


def render_scene(
    scene: Scene,
    size: tuple[int, int],
    key: tuple[int, ...],
    *,
    color: bool = False,
    noise: bool = True,
    hips: str = "coco",
    backend: str = "auto",
    variety: tuple[str, ...] = (),
) -> list[Frame]:
    """Render each camera of a scene.

    Args:
        scene: The scene.
        size: (width, height) of the images.
        key: Numbers that choose the noise.
        color: See `render_frames`.
        noise: See `render_frames`.
        hips: See `render_frames`.
        backend: See `render_frames`.
        variety: Whether sensors, textures and pictures vary, see `variety.PARTS`.

    Returns:
        One frame per camera.
    """
    caster = Caster(scene.vertices, scene.faces, backend)
    look = stream(LOOK, *key) if TEXTURES in variety else None
    lighting = Lighting(scene, backend, look) if color else None
    sensor = measure_by_any if SENSORS in variety else measure
    frames = []
    for number, full in enumerate(scene.cameras):
        camera = full.resized(size)
        depth, faces = caster.picture(camera)
        instances = np.where(faces >= 0, scene.instances[np.maximum(faces, 0)], 0).astype(np.uint8)
        picture = None
        if lighting is not None:
            rng = stream(COLOUR, *key, number) if noise else None
            lens = any_lens(stream(LENS, *key, number)) if PICTURES in variety else None
            picture = shade(lighting, camera, depth, faces, scene.exposures[number], rng, lens)
        if noise:
            material = np.where(faces >= 0, scene.materials[np.maximum(faces, 0)], 0)
            measured = sensor(depth, _grazing(scene, camera, faces), material, camera, stream(SENSOR, *key, number))
        else:
            measured = to_millimetres(depth)
        # Other sensors lose whole people. Where depth is all there is, these are not in the image.
        lost = measured == 0 if not color and SENSORS in variety else None
        view = annotate(scene, camera, caster, depth, instances, hips, lost)
        frames.append(Frame(measured, picture, instances, view, camera))
    return frames


def _grazing(scene: Scene, camera: Camera, faces: np.ndarray) -> np.ndarray:
    """(H, W) absolute cosine between each pixel's ray and the normal of the face that it sees."""
    normals = unit(face_normals(scene.vertices[scene.faces]))
    height, width = faces.shape
    x, y = np.meshgrid((np.arange(width) - camera.cx) / camera.fx, (np.arange(height) - camera.cy) / camera.fy)
    local = (normals @ camera.pose[:3, :3])[np.maximum(faces, 0)]
    cosine = np.abs(local[..., 0] * x + local[..., 1] * y + local[..., 2]) / np.sqrt(x * x + y * y + 1)
    return np.where(faces >= 0, cosine, 1.0)
