"""RefiNet's jobs: refine a recording, measure the gain over plain lifting, and prepare input poses and weights."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.depth.plausible import check_room_depth
from orplugins.depth.png import load_depth
from orplugins.device import choose_device
from orplugins.geometry.cameras import Camera
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.calibration import load_camera
from orplugins.io.coco_results import load_keypoint_results
from orplugins.io.poses2d import read_poses2d
from orplugins.io.safe_pickle import load_plain_pickle
from orplugins.io.tables import markdown_table
from orplugins.refinet.body_size import POSSIBLE, body_scale
from orplugins.refinet.depth_frames import DepthFrames, depth_files, pair_depth, short_name
from orplugins.refinet.or_frames import DepthPeople, load_depth_people
from orplugins.refinet.pose_files import load_itop_poses, save_itop_poses
from orplugins.refinet.refined_poses import RefinedErrors, match_people
from orplugins.resources import resource
from orplugins.skeletons import COCO_17, ITOP_15, convert
from orplugins.viz.depth_figures import draw_frame, save_animation

CONFIG, WEIGHTS = "configs/mmpose/refinet/refinet-lift-bc_or.py", "demo/refinet_or-bc.safetensors"
NETWORKS = {"a": "patch_net", "b": "skeleton_net", "c": "point_net"}


def load_chain(config: str | os.PathLike | None = None, weights: str | os.PathLike | None = None, device: str = "auto"):
    """Load a chain for evaluation.

    Args:
        config: Of the chain; None: the one that travels with the package, trained on generated rooms.
        weights: Its checkpoint; None: likewise.
        device: See `orplugins.device.choose_device`.

    Returns:
        An `orplugins.refinet.chain.RefineChain`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The weights do not fit the config.
    """
    from orplugins.refinet.mmpose.load import load_refine_chain

    return load_refine_chain(config or resource(CONFIG), weights or resource(WEIGHTS), choose_device(device))


# ---- a recording


@dataclass(frozen=True)
class RefineSettings:
    """What :func:`refine_recording` works on.

    Attributes:
        poses: See :func:`orplugins.io.poses2d.read_poses2d`.
        depth: Folder of 16-bit PNGs, named as the poses' images, or by the same numbers.
        camera: Intrinsics of the depth images, see :func:`orplugins.io.calibration.load_camera`.
        out: Folder.
        config, weights: Of the chain, see :func:`load_chain`.
        plain: Lift only, without networks.
        min_score: 2D joints below it are missing.
        annotations: COCO file that names the images of a result list's ids.
        keypoint_scale: OpenPose's option of that name; None: detected.
        pose_size: (width, height) of the images that poses were found in, where they are of another size than the depth
            images and show the same; None: as the poses' file says, or the depth images'.
        depth_unit_mm: Millimetres a count of the depth images; None: as the camera's file says, or 1.
        scale_camera: The camera's file is of another resolution of the same images: scale it to the depth images.
        device: See :func:`orplugins.device.choose_device`.
        pictures: The first so many frames are drawn.
        animate: Write a GIF of all frames.
    """

    poses: Path
    depth: Path
    camera: Path
    out: Path
    config: Path | None = None
    weights: Path | None = None
    plain: bool = False
    min_score: float = 0.0
    annotations: Path | None = None
    keypoint_scale: int | None = None
    pose_size: tuple[int, int] | None = None
    depth_unit_mm: float | None = None
    scale_camera: bool = False
    device: str = "auto"
    pictures: int = 8
    animate: bool = False

    def __post_init__(self):
        unit = self.depth_unit_mm
        if unit is not None and not (np.isfinite(unit) and unit > 0):
            raise ValueError(f"depth_unit_mm (--depth-unit-mm): found {unit}, expected millimetres a count, above 0")


@dataclass(frozen=True)
class RefinedRecording:
    """What :func:`refine_recording` made.

    Attributes:
        frames: Names of the frames that were refined. With none, no file is written.
        people: Their number in all frames.
        failed: {frame: reason} of those that could not be used.
        json, npz: The files of poses.
        notes: What is to be known and no failure.
    """

    frames: list[str]
    people: int
    failed: dict[str, str]
    json: Path
    npz: Path
    notes: tuple[str, ...] = ()


def refine_recording(settings: RefineSettings) -> RefinedRecording:
    """Refine the 2D poses of one camera's recording to 3D poses in metres, in the camera's axes.

    Writes ``poses3d.json`` and ``poses3d.npz``, then pictures and ``poses3d.gif``.

    Raises:
        FileNotFoundError, ValueError: Poses, camera, config or weights that are not there or not of their form; poses,
            depth images and camera that do not fit together; people of an impossible size. A frame that cannot be used
            is in the result's ``failed``; the others are done.
    """
    from tqdm import tqdm

    from orplugins.refinet.chain import RefineChain
    from orplugins.refinet.refiner import Refiner3D

    camera, files = load_camera(settings.camera), depth_files(settings.depth)
    unit = camera.depth_unit_mm if settings.depth_unit_mm is None else settings.depth_unit_mm
    size = settings.pose_size or camera.size
    read = read_poses2d(settings.poses, size, settings.keypoint_scale, settings.annotations)
    matched = pair_depth(read, files)
    camera = _fitted_camera(camera, matched, unit, settings)
    if settings.plain:
        chain = RefineChain(lifting=dict(window="pixel", holes="person"))
    else:
        chain = load_chain(settings.config, settings.weights, settings.device)
    refiner = Refiner3D(chain, camera, settings.min_score)
    names, paths, results, failed = [], [], [], dict(matched.missing)
    failed |= {Path(line.partition(": ")[0]).name: line for line in read.failed}
    for frame, path in tqdm(matched.pairs, unit="frame"):
        try:
            depth = load_depth(path, size=camera.size, unit_mm=unit)
            keypoints = in_camera_pixels(frame.filled(), frame.size or size, camera.size, read.path)
            results.append(refiner(depth, keypoints, frame.skeleton))
            names.append(short_name(frame))
            paths.append(path)
        except (ValueError, OSError) as error:
            failed[short_name(frame)] = str(error)
    json, npz = settings.out / "poses3d.json", settings.out / "poses3d.npz"
    if results:
        check_people(results, settings)
        write_poses(json, names, results)
        save_npz(npz, names, results)
        for name, path, result in list(zip(names, paths, results, strict=True))[: settings.pictures]:
            depth = load_depth(path, size=camera.size, unit_mm=unit)
            draw_frame(settings.out / f"{name}.png", depth, result, ITOP_15, name)
        if settings.animate:
            save_animation(settings.out / "poses3d.gif", results, ITOP_15, names)
    notes = (*read.notes, *matched.notes)
    return RefinedRecording(names, sum(len(result.points) for result in results), failed, json, npz, notes)


def _fitted_camera(camera: Camera, matched: DepthFrames, unit: float, settings: RefineSettings) -> Camera:
    """The camera, scaled on demand, after a look at the first depth image that can be read: its unit and size."""
    for _, path in matched.pairs:
        try:
            depth = load_depth(path, unit_mm=unit)
        except (ValueError, OSError):
            continue
        check_room_depth(depth, str(path), unit, "--depth-unit-mm and the camera's depth_scale")
        height, width = depth.shape
        if (width, height) == camera.size:
            return camera
        if not settings.scale_camera:
            raise ValueError(
                f"{path}: {width}x{height} pixels, {settings.camera} is of {camera.size[0]}x{camera.size[1]}: give the "
                "camera of these images, or scale it by --scale-camera if both show the same"
            )
        _check_shape(camera.size, (width, height), str(settings.camera))
        return camera.resized((width, height))
    return camera


def _check_shape(size: tuple[int, int], other: tuple[int, int], name: str) -> None:
    """Refuse sizes of different aspect ratios: they cannot be resized into each other."""
    if abs(size[0] * other[1] / (size[1] * other[0]) - 1) > 0.02:
        raise ValueError(
            f"{name}: {size[0]}x{size[1]} and {other[0]}x{other[1]} pixels differ in shape: they show different parts"
        )


def in_camera_pixels(
    keypoints: np.ndarray, size: tuple[int, int], camera_size: tuple[int, int], name: str
) -> np.ndarray:
    """Move joints found in resized images into the pixels of the depth images.

    Args:
        keypoints: (M, J, 3) x, y, score; zeros where missing.
        size: (width, height) of the images that they were found in.
        camera_size: Of the depth images.
        name: Of the poses, for errors.

    Returns:
        (M, J, 3).

    Raises:
        ValueError: The sizes have different shapes.
    """
    if tuple(size) == tuple(camera_size):
        return keypoints
    _check_shape(size, camera_size, name)
    scale = np.array(camera_size) / np.array(size)
    moved = np.concatenate([(keypoints[..., :2] + 0.5) * scale - 0.5, keypoints[..., 2:]], -1)
    return np.where(keypoints[..., 2:] > 0, moved, 0.0)


def check_people(results: list, settings: RefineSettings) -> None:
    """Refuse :class:`orplugins.refinet.refiner.Refined3D` of people that no human body fits.

    Raises:
        ValueError: Bones are on the median far too long or too short; the error names likely causes.
    """
    points = np.concatenate([result.points for result in results])
    seen = np.concatenate([result.valid & ~result.hidden for result in results])
    scale = body_scale(points, seen)
    if scale is not None and not POSSIBLE[0] <= scale <= POSSIBLE[1]:
        raise ValueError(
            f"{settings.poses}: people would be {scale:.2g} times as large as adults: is the depth unit "
            f"{1 / scale:.2g} times what was taken (--depth-unit-mm), is {settings.camera} of another resolution, or "
            "are the poses found in images of another size (--pose-size)?"
        )


def write_poses(path: Path, names: list[str], results: list) -> None:
    """Write :class:`orplugins.refinet.refiner.Refined3D` of frames as JSON, rounded to 0.1 mm."""
    content = {
        "skeleton": ITOP_15.name,
        "joints": list(ITOP_15.joints),
        "unit": "metres",
        "axes": "camera: x right, y down, z forward",
        "frames": [_record(*pair) for pair in zip(names, results, strict=True)],
    }
    write_json(path, content)


def _record(name: str, result) -> dict:
    people = [
        {
            "keypoints_3d": np.round(result.points[k], 4).tolist(),
            "keypoints": np.round(result.pixels[k], 2).tolist(),
            "valid": result.valid[k].tolist(),
            "hidden": result.hidden[k].tolist(),
            "confidence": np.round(result.confidence[k], 4).tolist(),
        }
        for k in range(len(result.points))
    ]
    return {"frame": name, "people": people}


def save_npz(path: Path, names: list[str], results: list) -> None:
    """Write people of all frames one after the other; `frame` says which of `frames` each belongs to."""
    counts = [len(result.points) for result in results]
    shapes = {
        "points": (15, 3),
        "plain": (15, 3),
        "pixels": (15, 2),
        "valid": (15,),
        "hidden": (15,),
        "confidence": (15,),
    }
    arrays: dict[str, Any] = {
        key: np.concatenate([np.reshape(getattr(result, key), (-1, *shape)) for result in results])
        for key, shape in shapes.items()
    }
    with atomic_write(path, "wb") as file:
        np.savez(file, frames=np.array(names), frame=np.repeat(np.arange(len(names)), counts), **arrays)


# ---- evaluation


@dataclass(frozen=True)
class EvaluateSettings:
    """What :func:`evaluate_refinement` works on.

    Attributes:
        data: Folder of a data set with depth and 3D truth, see :func:`orplugins.refinet.or_frames.load_depth_people`.
        out: Folder.
        poses: Detections, a COCO result list on the set's images; None: the labels, moved.
        noise: Standard deviation in pixels by which labels are moved.
        seed: Of that noise.
        config, weights: Of the chain, see :func:`load_chain`.
        min_score: 2D joints below it are missing.
        depth_unit_mm: Millimetres a count of the depth images.
        device: See :func:`orplugins.device.choose_device`.
        images: Take that many of the images, evenly spaced; None: all.
        pictures: Frames to draw, evenly spaced.
    """

    data: Path
    out: Path
    poses: Path | None = None
    noise: float = 4.0
    seed: int = 0
    config: Path | None = None
    weights: Path | None = None
    min_score: float = 0.0
    depth_unit_mm: float = 1.0
    device: str = "auto"
    images: int | None = None
    pictures: int = 4


@dataclass(frozen=True)
class RefinementReport:
    """What :func:`evaluate_refinement` measured.

    Attributes:
        rows: Rows of :meth:`orplugins.refinet.refined_poses.RefinedErrors.table`, metres; none where no joint could be
            compared: no file is written then, and `problem` says why.
        frames: Number of depth images that were used.
        missed: People without a detection.
        poses: What the 2D joints were.
        text: The table in Markdown.
        failed: {image: reason} of those that could not be used.
        problem: Why there are no rows.
    """

    rows: list[dict]
    frames: int
    missed: int
    poses: str
    text: str
    failed: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def evaluate_refinement(settings: EvaluateSettings) -> RefinementReport:
    """Compare refined poses and plain lifting with the 3D truth of a data set.

    Writes ``report.json`` and ``report.md``, then pictures. Joints that the 2D pose lacks are not counted.

    Raises:
        FileNotFoundError, ValueError: Data set, detections, config or weights that are not there or not of their form.
            An image that cannot be used is in the result's ``failed``; the others are done.
    """
    from tqdm import tqdm

    from orplugins.refinet.refiner import Refiner3D

    frames = [frame for frame in load_depth_people(settings.data) if len(frame.keypoints)]
    found = load_keypoint_results(settings.poses) if settings.poses else None
    chain = load_chain(settings.config, settings.weights, settings.device)
    if settings.images:
        frames = [frames[k] for k in _spaced(len(frames), settings.images)]
    errors, failed, missed, drawn = RefinedErrors(), {}, 0, []
    chosen = _spaced(len(frames), settings.pictures)
    for number, frame in enumerate(tqdm(frames, unit="frame")):
        try:
            if found:
                poses = found.keypoints[found.image_ids == frame.image_id]
                owner = match_people(poses, frame.keypoints)
            else:
                poses = moved_labels(frame, settings.noise, settings.seed)
                owner = np.arange(len(poses))
            depth = load_depth(frame.depth, size=frame.camera.size, unit_mm=settings.depth_unit_mm)
            if number == 0:
                check_room_depth(depth, str(frame.depth), settings.depth_unit_mm, "--depth-unit-mm")
            result = Refiner3D(chain, frame.camera, settings.min_score)(depth, poses, COCO_17)
        except (ValueError, OSError) as error:
            failed[frame.name] = str(error)
            continue
        missed += int((owner < 0).sum())
        if len(poses):
            _compare(frame, poses, owner, result, errors)
            drawn += [(frame, result)] if number in chosen else []
    count = len(frames) - len(failed)
    source = f"detections of {settings.poses.name}" if settings.poses else f"labels moved by {settings.noise:g} px"
    try:
        rows = errors.table()
    except ValueError as error:
        return RefinementReport([], count, missed, source, "", failed, f"{settings.poses or settings.data}: {error}")
    headline = f"{count} depth images, 2D joints: {source}"
    text = _markdown(rows, headline + (f"; {missed} people without a detection" if found else ""))
    write_json(
        settings.out / "report.json",
        {"frames": count, "poses": source, "missed": missed, "unit": "metres", "rows": rows},
    )
    with atomic_write(settings.out / "report.md") as file:
        file.write(text)
    for frame, result in drawn:
        depth = load_depth(frame.depth, size=frame.camera.size, unit_mm=settings.depth_unit_mm)
        draw_frame(settings.out / f"{frame.name.replace('/', '_')}.png", depth, result, ITOP_15, frame.name)
    return RefinementReport(rows, count, missed, source, text, failed)


def moved_labels(frame: DepthPeople, noise: float, seed: int) -> np.ndarray:
    """Return the labelled joints (M, 17, 3), moved by `noise` pixels (standard deviation); equal for the same frame."""
    rng = np.random.default_rng([seed, frame.image_id])
    poses = frame.keypoints.copy()
    poses[..., :2] += rng.normal(0, noise, poses[..., :2].shape)
    poses[..., 2] = poses[..., 2] > 0
    return poses * poses[..., 2:]


def _compare(frame: DepthPeople, poses: np.ndarray, owner: np.ndarray, result, errors: RefinedErrors) -> None:
    """Add a frame; `owner` (M,) is the pose of each labelled person, or -1."""
    people = np.flatnonzero(owner >= 0)
    # One more than the flag: a joint outside the picture has a place too.
    truth = convert(np.concatenate([frame.points, frame.keypoints[..., 2:] + 1], axis=-1), COCO_17, ITOP_15)[people]
    own = owner[people]
    errors.add(
        result.plain[own],
        result.points[own],
        truth[..., :3],
        result.valid[own] & (truth[..., 3] > 1),
        truth[..., 3] >= 3,
        len(poses),
    )


def _spaced(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` numbers, evenly spaced."""
    return np.linspace(0, count - 1, min(wanted, count)).astype(int).tolist()


def _markdown(rows: list[dict], headline: str) -> str:
    head = ["people in the picture", "joints", "number", "plain lifting, mm", "refined, mm", "factor"]
    cells = [
        [
            row["people"],
            row["joints"],
            row["count"],
            f"{1000 * row['plain']:.0f}",
            f"{1000 * row['refined']:.0f}",
            f"{row['ratio']:.2f}",
        ]
        for row in rows
    ]
    return f"{headline}\n\n{markdown_table(head, cells)}\n"


# ---- files


def poses_to_npz(path: str | os.PathLike, out: str | os.PathLike, kind: str | None = None) -> str:
    """Write a published pickle of input poses as npz; nothing that the pickle would run is run.

    Args:
        path: ITOP's poses by row, or Baracca's array of all frames.
        out: A name ending in .npz.
        kind: What the columns are, a key of :data:`orplugins.refinet.pose_files.FORMATS`; checks their number.

    Returns:
        What was written, in words.

    Raises:
        ValueError: Another suffix, a pickle that is not of plain data, or poses of different forms.
    """
    if Path(out).suffix != ".npz":
        raise ValueError(f"{out}: expected a name ending in .npz")
    content = load_plain_pickle(path)
    if isinstance(content, np.ndarray):  # Baracca: one array for all frames
        with atomic_write(out, "wb") as file:
            np.savez(file, arr_0=content)
        return f"{out}: arr_0 {content.shape} {content.dtype}"
    poses = load_itop_poses(path, kind)
    rows = sorted(poses)
    columns = {pose.shape[1] for pose in poses.values()}
    if len(columns) > 1:
        raise ValueError(f"{path}: poses have {sorted(columns)} columns, expected the same number")
    save_itop_poses(out, np.array(rows), np.stack([poses[row] for row in rows]))
    return f"{out}: {len(rows)} poses of {columns.pop()} columns, rows {rows[0]} to {rows[-1]}"


def merge_weights(out: str | os.PathLike, modules: dict[str, str | os.PathLike]) -> str:
    """Write one checkpoint for the chain from the modules' own checkpoints.

    Args:
        out: The file.
        modules: {"a", "b" or "c": checkpoint}, ours or published.

    Returns:
        What was written, in words.

    Raises:
        ValueError: No module, or a checkpoint that is not of its module.
    """
    import torch

    from orplugins.io.weights import read_weights, tensors_of
    from orplugins.refinet.checkpoint import bare_state_dict, which_network

    given = {NETWORKS[key]: path for key, path in sorted(modules.items())}
    if not given:
        raise ValueError("merge-weights: expected at least one of --a, --b, --c")
    merged: dict[str, torch.Tensor] = {}
    sources = {}
    for net, path in given.items():
        state = tensors_of(read_weights(path), path)
        found = which_network(state)
        if found != net:
            raise ValueError(f"{path}: found {found or 'no network of RefiNet'}, expected {net}")
        merged |= {f"chain.{net}.net.{name}": value for name, value in bare_state_dict(state).items()}
        sources[net] = Path(path).name
    buffer = io.BytesIO()  # torch's own writer has errors of its own for a full disk
    torch.save({"state_dict": merged, "meta": {"method": "RefiNet", "sources": sources}}, buffer)
    with atomic_write(out, "wb") as file:
        file.write(buffer.getbuffer())
    return f"{out}: {', '.join(given)}, {len(merged)} tensors"
