"""Lift one person's 2D joints to 3D: from a video, a folder of frames, or 2D joints that another program found.

INPUT is a video or a folder of pictures (then --pose2d names a mmpose 2D model; a depth model takes 16-bit pictures), a
Detectron archive (VIDEO.npz), VideoPose3D's data_2d_custom_*.npz, our own npz of a clip, a folder of OpenPose JSON, a
COCO result list (image_id = frame number). Written to --out: pose.npy (F, 17, 3: camera axes, metres, about the
pelvis), motion.npz, motion.json, record.txt (Kinect text record) and, with --render, an animation. A symmetric network
sees the future, so 2D is found for all frames before any is lifted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from orplugins.device import add_device_option
from orplugins.geometry.timeseries import fill_gaps
from orplugins.geometry.tracking import track_people, track_poses
from orplugins.geometry.triangulation import present
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.coco_results import load_keypoint_results
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.io.openpose import read_openpose_folder
from orplugins.skeletons import COCO_17, H36M_17, convert
from orplugins.videopose3d.files import Keypoints2D, read_clip, read_custom_2d, read_detection_archive, write_clip
from orplugins.videopose3d.screen import display_points
from orplugins.videopose3d.sequence import TRAINING_HZ

EXAMPLES = """examples:
  python tools/lift_video.py exercise.mp4.npz --weights pretrained_h36m_detectron_coco.bin --out runs/exercise
  python tools/lift_video.py openpose_json/ --size 640 480 --fps 30 --weights best.pth --render lifted.gif --out runs/a
  python tools/lift_video.py exercise.mp4 --pose2d rtmpose-m --weights best.pth --render lifted.mp4 --out runs/b
  python tools/lift_video.py data/or_motion/day1/cam1/depth --fps 25 --min-score 0.1 --render lifted.gif --out runs/c \
      --pose2d configs/mmpose/depthpose/depthpose_small-64x48.py \
      --pose2d-weights demo/depthpose_small-64x48.safetensors --weights demo/videopose3d_27.safetensors"""


def subject_clip(frames: list[np.ndarray], size, fps, video: str) -> Keypoints2D:
    """The longest and largest person of frames (N, 17, 3): gaps interpolated and marked.

    A joint that is missing in single frames is interpolated on its own; a frame counts as detected with six joints
    or more.
    """
    tracks = track_people(frames, COCO_17)
    if not tracks:
        raise ValueError(f"{video}: nobody with six joints or more in any of {len(frames)} frames")
    poses = track_poses(tracks[0], frames, COCO_17.num_joints)
    seen = present(poses)
    keypoints = poses[..., :2].astype(np.float32)
    for joint in range(COCO_17.num_joints):
        if not seen[:, joint].any():
            raise ValueError(f"{video}: the {COCO_17.joints[joint]} is never seen; the lifter needs every joint")
        keypoints[:, joint] = fill_gaps(keypoints[:, joint], seen[:, joint])
    return Keypoints2D(keypoints, seen.sum(1) >= 6, size, fps, video, scores=poses[..., 2].astype(np.float32))


def _openpose(path: Path, args) -> Keypoints2D:
    if args.size is None:
        raise ValueError(f"{path}: OpenPose's files do not hold the image size; give --size WIDTH HEIGHT")
    read = read_openpose_folder(path, tuple(args.size), args.keypoint_scale, broken="skip")
    for warning in [*read.warnings, *read.failed]:
        print(f"warning: {warning}", file=sys.stderr)
    args.failed += len(read.failed)
    frames = [convert(people, read.skeleton, COCO_17) for people in read.frames]
    return subject_clip(frames, tuple(args.size), args.fps, read.video)


def _coco_list(path: Path, args) -> Keypoints2D:
    if args.size is None:
        raise ValueError(f"{path}: a COCO result list does not hold the image size; give --size WIDTH HEIGHT")
    poses = load_keypoint_results(path, sizes=(51,))
    if not len(poses.image_ids):
        raise ValueError(f"{path}: no detection in it")
    numbers = np.arange(poses.image_ids.min(), poses.image_ids.max() + 1)
    if len(numbers) > 10_000_000:
        raise ValueError(f"{path}: image ids from {numbers[0]} to {numbers[-1]}: expected frame numbers")
    gaps = len(numbers) - len(np.unique(poses.image_ids))
    if gaps:
        print(f"warning: {path}: {gaps} of {len(numbers)} frame numbers have no detection", file=sys.stderr)
    order = {n: poses.keypoints[poses.image_ids == n] for n in numbers}
    return subject_clip([order[n] for n in numbers], tuple(args.size), args.fps, path.stem)


def _frames(path: Path, failed: list[str]) -> tuple[float | None, Iterator[np.ndarray | None], int | None]:
    """Frame rate, frames (BGR, or depth in millimetres; None for one that cannot be read, which is noted) and their
    number, where known."""
    from orplugins.depth.png import is_depth_png, load_depth
    from orplugins.io.json_fields import load_json
    from orplugins.io.video import NOTE, image_files, probe_video, read_image, read_video

    if not path.is_dir():
        info = probe_video(path)
        return info.fps, _until_broken(read_video(path), failed), info.frames or None
    files = image_files(path)
    fps = load_json(path / NOTE).get("fps") if (path / NOTE).is_file() else None

    def pictures() -> Iterator[np.ndarray | None]:
        for file in files:
            try:
                yield load_depth(file) if is_depth_png(file) else read_image(file)
            except ValueError as error:
                failed.append(str(error))
                yield None

    return fps, pictures(), len(files)


def _until_broken(frames: Iterator[np.ndarray], failed: list[str]) -> Iterator[np.ndarray]:
    """A video that ends early is lifted as far as it goes."""
    try:
        yield from frames
    except ValueError as error:
        failed.append(str(error))


def _estimate(path: Path, args) -> Keypoints2D:
    """Run mmpose's 2D inferencer over a video or a folder of pictures."""
    from mmpose.apis import MMPoseInferencer
    from tqdm import tqdm

    if not args.pose2d:
        raise ValueError(
            f"{path}: pictures need a 2D pose estimator: give --pose2d (a mmpose model name or config), or the "
            "2D joints of another program as INPUT"
        )
    failed: list[str] = []
    fps, pictures, count = _frames(path, failed)
    inferencer = MMPoseInferencer(
        pose2d=args.pose2d, pose2d_weights=args.pose2d_weights, det_model=args.det_model, device=args.device
    )
    joints = (inferencer.inferencer.model.dataset_meta or {}).get("num_keypoints", COCO_17.num_joints)
    if joints != COCO_17.num_joints:
        raise ValueError(f"--pose2d {args.pose2d}: {joints} joints, expected COCO's 17")
    frames, size = [], None
    for picture in tqdm(pictures, total=count, desc="2D joints", unit="frame"):
        if picture is None:
            frames.append(np.zeros((0, COCO_17.num_joints, 3)))
            continue
        size = size or (picture.shape[1], picture.shape[0])
        if size != (picture.shape[1], picture.shape[0]):
            raise ValueError(
                f"{path}: frame {len(frames)} has {picture.shape[1]}x{picture.shape[0]} pixels, expected "
                f"{size[0]}x{size[1]} as before"
            )
        people = next(inferencer(picture))["predictions"][0]
        poses = [np.column_stack([person["keypoints"], person["keypoint_scores"]]) for person in people]
        poses = np.array(poses, dtype=np.float64).reshape(-1, COCO_17.num_joints, 3)
        frames.append(np.where(poses[..., 2:] >= args.min_score, poses, 0.0))
    for error in failed:
        print(f"warning: {error}", file=sys.stderr)
    args.failed += len(failed)
    if size is None:
        raise ValueError(f"{path}: no frame could be read")
    return subject_clip(frames, size, fps, path.name)


def read_input(path: Path, args) -> Keypoints2D:
    """One person's 2D joints from whatever INPUT is."""
    from orplugins.io.video import VIDEO_SUFFIXES

    if path.is_dir():
        return _openpose(path, args) if any(path.glob("*_keypoints.json")) else _estimate(path, args)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return _estimate(path, args)
    if path.suffix == ".json":
        return _coco_list(path, args)
    if path.suffix == ".npz":
        import zipfile

        names = set(zipfile.ZipFile(path).namelist()) if zipfile.is_zipfile(path) else set()
        if "positions_2d.npy" in names:
            return read_custom_2d(path, args.video_name)
        return read_clip(path) if "image_size.npy" in names else read_detection_archive(path)
    raise ValueError(f"{path}: unknown kind of input, expected a video, a folder, .npz or .json")


def write_results(args, clip: Keypoints2D, lifted: dict[str, np.ndarray], fps: float) -> np.ndarray:
    """Write every file but the animation; returns the poses to show."""
    pose = lifted["pose"].astype(np.float32)
    with atomic_write(args.out / "pose.npy", "wb") as file:
        np.save(file, pose)
    root = "absolute-estimated" if "trajectory" in lifted else "hip_center"
    shown = pose + lifted["trajectory"] if "trajectory" in lifted else pose
    state = np.repeat(np.where(clip.detected, 2, 1)[:, None], H36M_17.num_joints, 1)
    with atomic_write(args.out / "motion.npz", "wb") as file:
        np.savez_compressed(
            file,
            xyz=shown,
            state=state,
            code=np.zeros_like(state),
            fps=np.array(fps),
            layout=np.array(H36M_17.name),
            root=np.array(root),
            detected=clip.detected,
        )
    write_json(
        args.out / "motion.json",
        {
            "units": "m",
            "axes": "camera (x right, y down, z forward)",
            "root": root,
            "fps": fps,
            "joints": list(H36M_17.joints),
            "video": clip.video,
            "frames": [
                {"frame": k, "detected": bool(seen), "keypoints3d": np.round(joints, 5).tolist()}
                for k, (joints, seen) in enumerate(zip(shown.astype(float), clip.detected, strict=True))
            ],
        },
    )
    record = make_record(shown, state, H36M_17, fps, "videopose3d", root, {"weights": Path(args.weights).name})
    write_kinect_record(args.out / "record.txt", record)
    write_clip(args.out / "keypoints2d.npz", replace(clip, fps=fps))
    return shown


def render(args, clip: Keypoints2D, shown: np.ndarray, fps: float) -> None:
    """Draw the animation: the picture with its 2D joints, and the lifted pose."""
    from tqdm import tqdm

    from orplugins.viz.figures import animation_frames, write_animation

    indices = np.arange(0, len(shown), args.every)[: args.limit]
    pictures = _pictures(args.background, set(indices.tolist())) if args.background else {}
    frames = animation_frames(
        display_points(shown), H36M_17, clip.keypoints, clip.size, COCO_17, pictures.get, indices, ~clip.detected
    )
    path = args.out / args.render
    count = write_animation(path, tqdm(frames, total=len(indices), desc="animation", unit="frame"), fps / args.every)
    print(f"{path}: {count} frames")


def _pictures(path: Path, wanted: set[int]) -> dict[int, np.ndarray]:
    frames = _frames(path, [])[1]
    return {k: _shown(frame) for k, frame in enumerate(frames) if k in wanted and frame is not None}


def _shown(frame: np.ndarray) -> np.ndarray:
    """A frame as RGB; depth as grey, near things bright, holes black."""
    from orplugins.depth.image import depth_to_8bit

    if frame.ndim == 3:
        return frame[..., ::-1]
    grey = np.where(frame > 0, 255 - depth_to_8bit(frame), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path, metavar="INPUT")
    parser.add_argument(
        "--weights", required=True, help="lifting weights: VideoPose3D's .bin or a trained lifter's .pth"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--causal", action="store_true", help="the weights are of a causal network")
    parser.add_argument("--no-flip", action="store_true", help="do not average with the mirrored clip")
    parser.add_argument("--zero-root", action="store_true", help="move joint 0 of every pose to exactly (0, 0, 0)")
    parser.add_argument(
        "--resample", action="store_true", help=f"lift at {TRAINING_HZ:g} Hz, the weights' training rate"
    )
    parser.add_argument("--fps", type=float, help="frames a second where the input does not say (default 30)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"), help="of the pictures, where needed")
    parser.add_argument("--keypoint-scale", type=int, default=0, choices=(0, 3, 4), help="OpenPose's option")
    parser.add_argument("--video-name", help="which video of a data_2d_custom file")
    parser.add_argument("--pose2d", help="mmpose 2D model (name or config) for videos and pictures; COCO-17")
    parser.add_argument("--pose2d-weights", help="its weights")
    parser.add_argument("--det-model", help="person detector of mmpose's inferencer, or 'whole_image'")
    parser.add_argument("--min-score", type=float, default=0.3, help="least 2D score of a joint")
    add_device_option(parser)
    parser.add_argument("--render", metavar="NAME", help="animation in --out: .gif, .mp4, .avi")
    parser.add_argument("--background", type=Path, metavar="VIDEO", help="video or folder of frames to draw on")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="draw every N-th frame")
    parser.add_argument("--limit", type=int, metavar="N", help="draw at most N frames")
    args = parser.parse_args(argv)
    args.failed = 0
    try:
        from orplugins.videopose3d.mmpose.build import build_lifter

        model = build_lifter(args.weights, args.causal).to(args.device)
        clip = read_input(args.input, args)
        fps = float(args.fps or clip.fps or 30.0)
        lifted = model.lift(
            clip.keypoints, clip.size, not args.no_flip, fps=fps, resample_hz=TRAINING_HZ if args.resample else None
        )
        if args.zero_root:
            lifted["pose"] = lifted["pose"] - lifted["pose"][:, :1]
        shown = write_results(args, clip, lifted, fps)
        print(
            f"{clip.video}: {len(shown)} frames at {fps:g} a second, {int((~clip.detected).sum())} without a detection "
            f"(interpolated, marked as inferred); written to {args.out}"
        )
        if args.render:
            if args.background is None and args.pose2d:
                args.background = args.input
            render(args, clip, shown, fps)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if args.failed else 0


if __name__ == "__main__":
    sys.exit(main())
