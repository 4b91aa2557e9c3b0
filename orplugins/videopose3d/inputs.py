"""One person's 2D joints for lifting, from whatever an input is: a video, pictures, or another program's 2D joints."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.timeseries import fill_gaps
from orplugins.geometry.tracking import track_people, track_poses
from orplugins.geometry.triangulation import present
from orplugins.io.coco_results import load_keypoint_results
from orplugins.io.openpose import read_openpose_folder
from orplugins.skeletons import COCO_17, convert
from orplugins.videopose3d.files import Keypoints2D, read_clip, read_custom_2d, read_detection_archive

MIN_JOINTS = 6  # a frame with fewer counts as without a detection


@dataclass(frozen=True)
class InputOptions:
    """What an input does not say itself.

    Attributes:
        size: (width, height) of the images that OpenPose's files and COCO lists belong to.
        fps: Frames a second of those.
        keypoint_scale: OpenPose's option of that name.
        video_name: Which video of a ``data_2d_custom`` file.
        pose2d, pose2d_weights, det_model: mmpose's 2D model and detector for videos and pictures.
        min_score: 2D joints that this model scores lower are missing.
        device: Of the 2D model.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    keypoint_scale: int = 0
    video_name: str | None = None
    pose2d: str | None = None
    pose2d_weights: str | None = None
    det_model: str | None = None
    min_score: float = 0.3
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


def fill_joints(poses: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate every joint over the frames in which it is missing.

    Args:
        poses: (F, 17, 3) COCO-17, pixels and score; a score of 0 is a missing joint.
        name: Of the clip, for messages.

    Returns:
        Keypoints (F, 17, 2) float32 without gaps, and (F,) whether the person was detected: six joints or more.

    Raises:
        ValueError: A joint that is never seen.
    """
    seen = present(poses)
    keypoints = poses[..., :2].astype(np.float32)
    for joint in range(COCO_17.num_joints):
        if not seen[:, joint].any():
            raise ValueError(f"{name}: the {COCO_17.joints[joint]} is never seen; the lifter needs every joint")
        keypoints[:, joint] = fill_gaps(keypoints[:, joint], seen[:, joint])
    return keypoints, seen.sum(1) >= MIN_JOINTS


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
        path: Video or folder of images (both need ``options.pose2d``), folder of OpenPose's JSON, COCO result list
            (image_id = frame number), Detectron archive, ``data_2d_custom_*.npz`` or our own npz of a clip.
        options: How it is read.

    Returns:
        The person's clip.

    Raises:
        FileNotFoundError: There is no such input.
        ValueError: It is of unknown form, or nobody is in it.
    """
    from orplugins.io.video import VIDEO_SUFFIXES

    if path.is_dir():
        return _openpose(path, options) if any(path.glob("*_keypoints.json")) else _estimated(path, options)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return _estimated(path, options)
    if path.suffix == ".json":
        return _coco_list(path, options)
    if path.suffix == ".npz":
        names = set(zipfile.ZipFile(path).namelist()) if zipfile.is_zipfile(path) else set()
        if "positions_2d.npy" in names:
            return InputClip(read_custom_2d(path, options.video_name))
        return InputClip(read_clip(path) if "image_size.npy" in names else read_detection_archive(path))
    raise ValueError(f"{path}: unknown kind of input, expected a video, a folder, .npz or .json")


def read_frames(path: Path, failed: list[str]) -> tuple[float | None, Iterator[np.ndarray | None], int | None]:
    """Open a video or a folder of images.

    Args:
        path: The video or folder.
        failed: Takes a line for every frame that cannot be read; a video that ends early is read as far as it goes.

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
                yield load_depth(file) if is_depth_png(file) else read_image(file)
            except ValueError as error:
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


def _openpose(path: Path, options: InputOptions) -> InputClip:
    if options.size is None:
        raise ValueError(f"{path}: OpenPose's files do not hold the image size; give --size WIDTH HEIGHT")
    read = read_openpose_folder(path, options.size, options.keypoint_scale, broken="skip")
    frames = [convert(people, read.skeleton, COCO_17) for people in read.frames]
    return _subject(frames, options.size, options.fps, read.video, list(read.warnings), list(read.failed))


def _coco_list(path: Path, options: InputOptions) -> InputClip:
    if options.size is None:
        raise ValueError(f"{path}: a COCO result list does not hold the image size; give --size WIDTH HEIGHT")
    poses = load_keypoint_results(path, sizes=(51,))
    if not len(poses.image_ids):
        raise ValueError(f"{path}: no detection in it")
    numbers = np.arange(poses.image_ids.min(), poses.image_ids.max() + 1)
    if len(numbers) > 10_000_000:
        raise ValueError(f"{path}: image ids from {numbers[0]} to {numbers[-1]}: expected frame numbers")
    gaps = len(numbers) - len(np.unique(poses.image_ids))
    warnings = [f"{path}: {gaps} of {len(numbers)} frame numbers have no detection"] if gaps else []
    frames = [poses.keypoints[poses.image_ids == n] for n in numbers]
    return _subject(frames, options.size, options.fps, path.stem, warnings, [])


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
    fps, images, count = read_frames(path, failed)
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
