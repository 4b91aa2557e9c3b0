"""People who move in the synthetic operating room, without images: training data for lifting 2D joints to 3D.

The same rooms, people and motion as the clips of `mvor_layout.write_dataset`, but nothing is rendered: a frame takes a
sixth of the time. Every clip has cameras of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from orplugins.skeletons import COCO_17, H36M_17
from orplugins.synthetic.motion_points import camera_record, save_lifting_files
from orplugins.synthetic.render.annotate import body_joints
from orplugins.synthetic.scene.motion import FPS, Clip

_NEAREST = 0.3  # metres in front of a camera; people nearer than this to any camera are left out
_MEMORY = 0.4  # seconds for which a detector's error lasts


def detector_noise(rng: np.random.Generator, shape: Sequence[int], level: float, fps: float) -> np.ndarray:
    """Errors as a detector makes them: half of the variance white, half lasting (first order, 0.4 s).

    A detector errs alike in neighbouring frames: it misreads the same fold of cloth. White noise alone would be
    averaged away by a network that sees many frames.

    Args:
        rng: Source of all randomness.
        shape: (F, ...).
        level: Standard deviation.
        fps: Frames per second.

    Returns:
        (F, ...).
    """
    white, steps = rng.normal(size=shape), rng.normal(size=shape)
    keep = np.exp(-1 / (_MEMORY * fps))
    slow = steps.copy()
    for t in range(1, len(slow)):
        slow[t] = keep * slow[t - 1] + np.sqrt(1 - keep * keep) * steps[t]
    return level * np.sqrt(0.5) * (white + slow)


def clip_joints(clip: Clip, frames: int) -> dict[str, np.ndarray]:
    """Joints of the people of a clip.

    Args:
        clip: The clip.
        frames: F, its first ones.

    Returns:
        ``coco`` and ``h36m``: (P, F, 17, 3) metres in the room.
    """
    bodies = [[person.body for person in clip.scene(t).people] for t in range(frames)]
    return {
        name: np.array([[body_joints(body, skeleton.name) for body in moment] for moment in bodies]).swapaxes(0, 1)
        for name, skeleton in (("coco", COCO_17), ("h36m", H36M_17))
    }


def write_room_lifting_data(
    folder: str | Path,
    clips: int,
    frames: int = 100,
    seed: int = 0,
    noise_px: tuple[float, float] = (1.0, 1.0),
    people: tuple[int, int] = (2, 6),
    progress: Callable[[], None] | None = None,
) -> int:
    """Write the files of `motion_points.save_lifting_files`: a clip is a subject, a person an action.

    Args:
        folder: Where the files are written.
        clips: Number of clips.
        frames: Of each clip, 25 per second.
        seed: Another seed, other rooms and people.
        noise_px: (min, max) noise of the 2D joints (images of 640x480); drawn for each person and camera,
            logarithmically even.
        people: (min, max) number of people in a room.
        progress: Called after each clip.

    Returns:
        Number of people.

    Raises:
        ValueError: An argument is out of its range.
    """
    low, high = noise_px
    if clips < 1 or not 0 < low <= high:
        raise ValueError(
            f"write_room_lifting_data: found clips={clips}, noise_px={noise_px}, expected 1 or more clips "
            "and 0 < min <= max noise"
        )
    world: dict = {}
    images: dict = {"coco": {}, "h36m": {}}
    records, count = {}, 0
    for number in range(clips):
        clip = Clip(seed, number, frames, people=people, views=3, fixed_cameras=False)
        rng = np.random.default_rng((seed, number, 7))
        moments = clip_joints(clip, frames)
        subject = f"C{number + 1:03d}"
        records[subject] = [camera_record(camera) for camera in clip.cameras]
        for kind in images.values():
            kind[subject] = {}
        world[subject] = {}
        for index in range(len(clip.people)):
            joints = {name: points[index] for name, points in moments.items()}
            seen = {name: [camera.project(points) for camera in clip.cameras] for name, points in joints.items()}
            if min(depth.min() for views in seen.values() for _, depth in views) < _NEAREST:
                continue
            action = f"person {clip.people[index].id}"
            world[subject][action] = joints["h36m"].astype(np.float32)
            levels = np.exp(rng.uniform(np.log(low), np.log(high), len(clip.cameras)))
            for name, views in seen.items():
                images[name][subject][action] = [
                    (pixels + detector_noise(rng, pixels.shape, level, FPS)).astype(np.float32)
                    for (pixels, _), level in zip(views, levels, strict=True)
                ]
            count += 1
        if progress is not None:
            progress()
    save_lifting_files(Path(folder), world, images, records)
    return count
