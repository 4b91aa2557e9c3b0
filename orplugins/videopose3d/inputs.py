"""One person's 2D joints for lifting, from whatever an input is: a video, pictures, or another program's 2D joints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.geometry.tracking import track_people, track_poses
from orplugins.io.arrays import npz_names
from orplugins.io.frame_clock import is_recording
from orplugins.io.pixel_scale import check_extent
from orplugins.io.poses2d import one_sequence, read_poses2d, sequence_clock
from orplugins.skeletons import COCO_17, convert
from orplugins.videopose3d.files import Keypoints2D, fill_joints, read_clip, read_custom_2d, read_detection_archive


@dataclass(frozen=True)
class InputOptions:
    """What an input does not say itself.

    Attributes:
        size: (width, height) of the images that OpenPose's files and COCO lists belong to.
        fps: Frames a second of those.
        keypoint_scale: OpenPose's option of that name; None: detected.
        annotations: COCO file that names the images of a result list's ids.
        video_name: Which video, or subject/action/camera, of a ``data_2d`` file; which folder of images of a COCO file.
        pose2d, pose2d_weights, det_model: mmpose's 2D model and detector for videos and pictures.
        min_score: 2D joints that this model scores lower are missing.
        depth_unit_mm: Millimetres a count of depth images.
        device: Of the 2D model.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    keypoint_scale: int | None = None
    annotations: str | None = None
    video_name: str | None = None
    pose2d: str | None = None
    pose2d_weights: str | None = None
    det_model: str | None = None
    min_score: float = 0.3
    depth_unit_mm: float = 1.0
    device: str = "cpu"


@dataclass(frozen=True)
class InputClip:
    """What :func:`read_input` read.

    Attributes:
        clip: One person's joints.
        warnings: What is to be known and no failure.
        failed: One line for each frame or file that could not be read.
    """

    clip: Keypoints2D
    warnings: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def subject_clip(frames: list[np.ndarray], size: tuple[int, int], fps: float | None, video: str) -> Keypoints2D:
    """Return the longest and largest person of frames (N, 17, 3), gaps interpolated and marked.

    Raises:
        ValueError: Nobody is found, or a joint is never seen.
    """
    tracks = track_people(frames, COCO_17)
    if not tracks:
        raise ValueError(f"{video}: nobody with six joints or more in any of {len(frames)} frames")
    poses = track_poses(tracks[0], frames, COCO_17.num_joints)
    keypoints, detected = fill_joints(poses, video)
    return Keypoints2D(keypoints, detected, size, fps, video, scores=poses[..., 2].astype(np.float32))


def read_input(path: Path, options: InputOptions) -> InputClip:
    """Read one person's 2D joints.

    Args:
        path: Video or folder of images (both need ``options.pose2d``), 2D joints in any form of
            `orplugins.io.poses2d.read_poses2d`, Detectron archive, ``data_2d_*.npz`` or our own npz of a clip.
        options: How it is read.

    Returns:
        The person's clip.

    Raises:
        FileNotFoundError: There is no such input.
        ValueError: It is of unknown form, or nobody is in it.
    """
    from orplugins.io.video import VIDEO_SUFFIXES

    if path.is_dir():
        return _joints(path, options) if any(path.glob("*.json")) and not options.pose2d else _estimated(path, options)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return _estimated(path, options)
    if path.suffix == ".json":
        return _joints(path, options)
    if path.suffix == ".npz":
        return _archive(path, options)
    raise ValueError(f"{path}: unknown kind of input, expected a video, a folder, .npz or .json")


def read_frames(
    path: Path, failed: list[str], depth_unit_mm: float = 1.0
) -> tuple[float | None, Iterator[np.ndarray | None], int | None]:
    """Open a video or a folder of images.

    Args:
        path: The video or folder.
        failed: Takes a line for every frame that cannot be read; a video that ends early is read as far as it goes.
        depth_unit_mm: Millimetres a count of depth images.

    Returns:
        Frames per second where known; the frames (BGR, or depth in millimetres; None: not readable); their number where
        known.
    """
    from orplugins.depth.png import is_depth_png, load_depth
    from orplugins.io.images import image_files, read_image
    from orplugins.io.json_fields import load_json
    from orplugins.io.video import NOTE, probe_video, read_video

    if not path.is_dir():
        info = probe_video(path)
        return info.fps, _until_broken(read_video(path), failed), info.frames or None
    files = image_files(path)
    fps = load_json(path / NOTE).get("fps") if (path / NOTE).is_file() else None

    def images() -> Iterator[np.ndarray | None]:
        for file in files:
            try:
                yield load_depth(file, unit_mm=depth_unit_mm) if is_depth_png(file) else read_image(file)
            except (ValueError, OSError) as error:
                failed.append(str(error))
                yield None

    return fps, images(), len(files)


def _until_broken(frames: Iterator[np.ndarray], failed: list[str]) -> Iterator[np.ndarray]:
    try:
        yield from frames
    except ValueError as error:
        failed.append(str(error))


def _subject(frames: list[np.ndarray], size, fps, video: str, warnings: list[str], failed: list[str]) -> InputClip:
    try:
        return InputClip(subject_clip(frames, size, fps, video), tuple(warnings), tuple(failed))
    except ValueError as error:
        if not failed:
            raise
        raise ValueError(f"{error}; {len(failed)} could not be read, the first: {failed[0]}") from None


def _joints(path: Path, options: InputOptions) -> InputClip:
    """Joints that another program found, by `orplugins.io.poses2d`."""
    everything = read_poses2d(path, options.size, options.keypoint_scale, options.annotations)
    read = one_sequence(everything, options.video_name)
    sizes = {frame.size or options.size for frame in read.frames}
    size = next(iter(sizes))
    if len(sizes) > 1:
        raise ValueError(f"{path}: images of {len(sizes)} sizes, expected those of one camera")
    if size is None:
        raise ValueError(f"{path}: the file does not hold the image size; give --size WIDTH HEIGHT")
    clock = sequence_clock(read, options.fps)
    if clock.needs_fps and not options.fps:
        raise ValueError(f"{clock.note}; give --fps, the rate of these frames")
    first, count = clock.index[0], int(clock.index[-1] - clock.index[0]) + 1
    if not is_recording(len(read.frames), count):
        raise ValueError(f"{path}: {len(read.frames)} frames with numbers over {count}, expected a recording's frames")
    frames = [np.zeros((0, COCO_17.num_joints, 3))] * count
    for place, frame in zip(clock.index, read.frames, strict=True):
        frames[int(place - first)] = convert(frame.filled(), frame.skeleton, COCO_17)
    gaps = count - len(read.frames)
    notes = [*read.notes, *([clock.note] if clock.note else [])]
    notes += [f"{path}: {gaps} of {count} frame numbers have no detection"] if gaps else []
    clip = _subject(frames, size, options.fps or clock.fps, path.stem or path.name, notes, list(read.failed))
    if clock.time is None:
        return clip
    time = np.interp(np.arange(count), clock.index - first, clock.time - clock.time[0])
    return replace(clip, clip=replace(clip.clip, time=time))


def _archive(path: Path, options: InputOptions) -> InputClip:
    """VideoPose3D's own files, and ours of one clip."""
    names = npz_names(path)
    if "positions_2d" in names:
        clip = read_custom_2d(path, options.video_name, options.size)
        return InputClip(clip, clip.notes)
    clip = read_clip(path) if "image_size" in names else read_detection_archive(path)
    joints = clip.keypoints[clip.detected].reshape(-1, 2)
    check_extent(joints[np.isfinite(joints).all(1)], clip.size, str(path))
    return InputClip(clip)


def _estimated(path: Path, options: InputOptions) -> InputClip:
    """Run mmpose's 2D inferencer over a video or a folder of images."""
    from tqdm import tqdm

    from orplugins.videopose3d.mmpose.pose2d import Pose2D

    if not options.pose2d:
        raise ValueError(
            f"{path}: pictures need a 2D pose estimator: give --pose2d (a mmpose model name or config), or the "
            "2D joints of another program as INPUT"
        )
    failed: list[str] = []
    fps, images, count = read_frames(path, failed, options.depth_unit_mm)
    estimator = Pose2D(options.pose2d, options.pose2d_weights, options.det_model, options.device)
    frames, size = [], None
    for image in tqdm(images, total=count, desc="2D joints", unit="frame"):
        if image is None:
            frames.append(np.zeros((0, COCO_17.num_joints, 3)))
            continue
        height, width = image.shape[:2]
        size = size or (width, height)
        if size != (width, height):
            raise ValueError(
                f"{path}: frame {len(frames)} has {width}x{height} pixels, expected {size[0]}x{size[1]} as before"
            )
        poses = estimator(image)
        frames.append(np.where(poses[..., 2:] >= options.min_score, poses, 0.0))
    if size is None:
        raise ValueError(f"{path}: no frame could be read" + "".join(f"; {line}" for line in failed[:1]))
    return _subject(frames, size, fps, path.name, [], failed)
