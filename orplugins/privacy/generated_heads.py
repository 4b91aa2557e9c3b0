"""Recordings of the generated operating room of which every pixel of a head is known: what hiding is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.render.frames import render_scene
from orplugins.synthetic.render.raster import Caster
from orplugins.synthetic.scene.human import HEAD
from orplugins.synthetic.scene.motion import Clip
from orplugins.synthetic.scene.scene import Scene, make_scene


@dataclass(frozen=True, eq=False)
class View:
    """What one camera recorded at one moment.

    Attributes:
        colour: (H, W, 3) uint8 BGR.
        depth: (H, W) uint16 millimetres, 0 = hole.
        heads: (H, W) uint8, number of the person whose head is seen there, 0 elsewhere.
        people: (H, W) uint8, number of the person who is seen there, 0 elsewhere.
        camera: Its pose is in the room.
    """

    colour: np.ndarray
    depth: np.ndarray
    heads: np.ndarray
    people: np.ndarray
    camera: Camera


def recording(
    seed: int,
    number: int,
    frames: int = 1,
    step: int = 4,
    size: tuple[int, int] = (320, 240),
    views: int = 3,
    people: tuple[int, int] = (1, 6),
) -> Iterator[list[View]]:
    """Render a clip, or a single moment, from cameras that hang at one place for the whole seed.

    Args:
        seed: Of the set.
        number: Of the clip, or of the moment.
        frames: Their number; 1 renders a moment of no clip.
        step: Every which frame of the 25 a second is kept.
        size: (width, height) of the pictures.
        views: Cameras.
        people: (min, max) in the room.

    Yields:
        The views of each moment.
    """
    if frames == 1:
        yield render_views(make_scene(seed, number, people=people, views=views), size, (seed, number))
        return
    clip = Clip(seed, number, (frames - 1) * step + 1, people=people, views=views)
    for k in range(frames):
        yield render_views(clip.scene(k * step), size, (seed, number, k))


def render_views(scene: Scene, size: tuple[int, int], key: tuple[int, ...]) -> list[View]:
    """Render a scene's cameras with the truth about heads.

    Args:
        scene: The scene.
        size: (width, height) of the pictures.
        key: Numbers that choose the sensors' noise.

    Returns:
        One a camera.
    """
    owner, caster = head_owners(scene), Caster(scene.vertices, scene.faces)
    out = []
    for frame in render_scene(scene, size, key, color=True):
        _, faces = caster.picture(frame.camera)
        heads = np.where(faces >= 0, owner[np.maximum(faces, 0)], 0).astype(np.uint8)
        assert frame.color is not None  # asked for
        colour = np.ascontiguousarray(frame.color[:, :, ::-1])
        out.append(View(colour, frame.depth_mm, heads, frame.instances, frame.camera))
    return out


def head_owners(scene: Scene) -> np.ndarray:
    """Whose head each face of a scene's mesh belongs to: hair, cap and mask count, the neck does not.

    A face is of the head where the nearest vertex of its person's body is moved by the head's bone.

    Args:
        scene: The scene.

    Returns:
        (F,) uint8 number of the person, 0 for what is of no head.
    """
    from scipy.spatial import cKDTree

    owner = np.zeros(len(scene.faces), np.uint8)
    for person in scene.people:
        own = np.flatnonzero(scene.instances == person.id)
        _, nearest = cKDTree(person.body.vertices).query(scene.vertices[scene.faces[own]].mean(1))
        owner[own[person.body.shape.model.regions[nearest] == HEAD]] = person.id
    return owner
