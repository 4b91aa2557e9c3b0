"""VideoPose3D's jobs: lift one person's clip and write it, draw the lifted clip, lift what a calibrated camera saw."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.device import choose_device
from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import present
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.videopose3d.files import MIN_JOINTS, Keypoints2D, fill_joints, write_clip
from orplugins.videopose3d.inputs import InputOptions, read_frames, read_input
from orplugins.videopose3d.screen import display_points
from orplugins.videopose3d.sequence import TRAINING_HZ
from orplugins.viz.colours import as_rgb
from orplugins.viz.figures import animation_frames, write_animation

DEFAULT_FPS = 30.0
# A view with fewer frames in which the person has been detected is not lifted: most of the motion would be invented.
LEAST_SEEN = 0.5


@dataclass(frozen=True)
class LiftSettings:
    """What :func:`lift_video` works on.

    Attributes:
        input: See :func:`orplugins.videopose3d.inputs.read_input`.
        weights: Of the lifter: VideoPose3D's .bin or a trained lifter's .pth.
        out: Folder.
        options: What the input does not say itself.
        causal: The weights are of a causal network.
        flip: Average with the mirrored clip.
        zero_root: Move joint 0 of every pose to exactly (0, 0, 0).
        resample: Lift at 50 Hz, the rate of training.
        device: See :func:`orplugins.device.choose_device`; of the 2D model, too.
    """

    input: Path
    weights: str | os.PathLike
    out: Path
    options: InputOptions = InputOptions()
    causal: bool = False
    flip: bool = True
    zero_root: bool = False
    resample: bool = False
    device: str = "auto"


@dataclass(frozen=True)
class LiftedVideo:
    """What :func:`lift_video` made.

    Attributes:
        clip: The 2D joints.
        points: (F, 17, 3) H36M-17, metres, camera axes; about the pelvis unless the weights have a trajectory.
        fps: Frames a second.
        out: Folder of the files.
        warnings: What is to be known and no failure.
        failed: One line for each frame or file that could not be read; the others were lifted.
    """

    clip: Keypoints2D
    points: np.ndarray
    fps: float
    out: Path
    warnings: tuple[str, ...]
    failed: tuple[str, ...]


def lift_video(settings: LiftSettings) -> LiftedVideo:
    """Lift one person's 2D joints to 3D.

    Writes ``pose.npy`` (F, 17, 3: camera axes, metres, about the pelvis), ``motion.npz``, ``motion.json``,
    ``record.txt`` (Kinect text record) and ``keypoints2d.npz``.

    Raises:
        FileNotFoundError, ValueError: No such file, weights of no lifter, an input of unknown form, nobody in it.
        ImportError: A host that is needed is missing.
    """
    from orplugins.videopose3d.mmpose.build import build_lifter

    device = choose_device(settings.device)
    read = read_input(settings.input, replace(settings.options, device=device))
    model = build_lifter(settings.weights, settings.causal).to(device)
    clip, rate = read.clip, TRAINING_HZ if settings.resample else None
    fps = float(settings.options.fps or clip.fps or DEFAULT_FPS)
    lifted = model.lift(clip.keypoints, clip.size, settings.flip, fps=fps, resample_hz=rate)
    if settings.zero_root:
        lifted["pose"] = lifted["pose"] - lifted["pose"][:, :1]
    points = write_results(settings.out, clip, lifted, fps, Path(settings.weights).name)
    return LiftedVideo(clip, points, fps, settings.out, read.warnings, read.failed)


def write_results(out: Path, clip: Keypoints2D, lifted: dict[str, np.ndarray], fps: float, weights: str) -> np.ndarray:
    """Write every file but the animation.

    Args:
        out: Folder.
        clip: The 2D joints.
        lifted: ``pose`` (F, 17, 3) about the pelvis and, with a trajectory network, ``trajectory`` (F, 1, 3), metres.
        fps: Frames per second.
        weights: Name of the lifter's file, for the record.

    Returns:
        (F, 17, 3) poses with their trajectory.
    """
    pose = lifted["pose"].astype(np.float32)
    with atomic_write(out / "pose.npy", "wb") as file:
        np.save(file, pose)
    root = "absolute-estimated" if "trajectory" in lifted else "hip_center"
    points = pose + lifted["trajectory"] if "trajectory" in lifted else pose
    state = np.repeat(np.where(clip.detected, 2, 1)[:, None], H36M_17.num_joints, 1)
    time = np.arange(len(points)) / fps if clip.time is None else clip.time
    with atomic_write(out / "motion.npz", "wb") as file:
        np.savez_compressed(
            file,
            xyz=points,
            state=state,
            code=np.zeros_like(state),
            fps=np.array(fps),
            layout=np.array(H36M_17.name),
            root=np.array(root),
            detected=clip.detected,
            time=time,
        )
    write_json(
        out / "motion.json",
        {
            "units": "m",
            "axes": "camera (x right, y down, z forward)",
            "root": root,
            "fps": fps,
            "joints": list(H36M_17.joints),
            "video": clip.video,
            "frames": [
                {"frame": k, "time": round(t, 6), "detected": bool(seen), "keypoints3d": np.round(xyz, 5).tolist()}
                for k, (xyz, seen, t) in enumerate(zip(points.astype(float), clip.detected, time.tolist(), strict=True))
            ],
        },
    )
    record = make_record(points, state, H36M_17, fps, "videopose3d", root, {"weights": weights}, time=time)
    write_kinect_record(out / "record.txt", record)
    write_clip(out / "keypoints2d.npz", replace(clip, fps=fps))
    return points


def render_lifted(
    lifted: LiftedVideo, path: Path, background: Path | None = None, every: int = 1, limit: int | None = None
) -> int:
    """Draw the animation: the image with its 2D joints, and the lifted pose.

    Args:
        lifted: What was lifted.
        path: A ``.gif`` or a video.
        background: Video or folder of images to draw on; None: black.
        every: Draw every n-th frame.
        limit: Maximum number of frames.

    Returns:
        The number of frames that were drawn.
    """
    from tqdm import tqdm

    indices = np.arange(0, len(lifted.points), every)[:limit]
    images: dict[int, np.ndarray] = {}
    if background:
        wanted = set(indices.tolist())
        frames = read_frames(background, [])[1]
        images = {k: as_rgb(frame) for k, frame in enumerate(frames) if k in wanted and frame is not None}
    clip = lifted.clip
    drawn = animation_frames(
        display_points(lifted.points), H36M_17, clip.keypoints, clip.size, COCO_17, images.get, indices, ~clip.detected
    )
    return write_animation(path, tqdm(drawn, total=len(indices), desc="animation", unit="frame"), lifted.fps / every)


def room_lifter(weights: str | os.PathLike) -> Callable[[Camera, np.ndarray], np.ndarray | None]:
    """Return a function that lifts what a calibrated camera saw of a person, as one of several systems.

    It takes the camera and (F, 17, 3) COCO-17 pixels with scores, and gives (F, 17, 3) H36M-17 about the pelvis, turned
    into the room, NaN where the person was not detected; None where that is in more than half of the frames, or where
    a joint is never seen.
    """
    from orplugins.videopose3d.mmpose.build import build_lifter

    model = build_lifter(weights)

    def lift(camera: Camera, keypoints: np.ndarray) -> np.ndarray | None:
        seen = present(keypoints)
        if (seen.sum(1) >= MIN_JOINTS).mean() < LEAST_SEEN or not seen.any(0).all():
            return None
        pixels, detected = fill_joints(keypoints, "clip")
        pose = model.lift(pixels, camera.size)["pose"] @ camera.pose[:3, :3].T
        return np.where(detected[:, None, None], pose, np.nan)

    return lift
