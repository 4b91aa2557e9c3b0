"""RefiNet's jobs: refine a recording, measure the gain over plain lifting, and prepare input poses and weights."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.depth.png import load_depth
from orplugins.device import choose_device
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.calibration import load_camera
from orplugins.io.coco_results import load_keypoint_results
from orplugins.io.pose2d import load_pose2d
from orplugins.io.safe_pickle import load_plain_pickle
from orplugins.io.tables import markdown_table
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
        poses: COCO result list, COCO annotation file or folder of OpenPose's JSON.
        depth: Folder of 16-bit PNGs in millimetres: NAME.png, or the frame's number with any leading zeros.
        camera: Intrinsics of the depth images, see :func:`orplugins.io.calibration.load_camera`.
        out: Folder.
        config, weights: Of the chain, see :func:`load_chain`.
        plain: Lift only, without networks.
        min_score: 2D joints below it are missing.
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
    device: str = "auto"
    pictures: int = 8
    animate: bool = False


@dataclass(frozen=True)
class RefinedRecording:
    """What :func:`refine_recording` made.

    Attributes:
        frames: Names of the frames that were refined. With none, no file is written.
        people: Their number in all frames.
        failed: {frame: reason} of those that could not be used.
        json, npz: The files of poses.
    """

    frames: list[str]
    people: int
    failed: dict[str, str]
    json: Path
    npz: Path


def depth_file(folder: Path, name: str) -> Path:
    """Return NAME.png of a folder, else the only file whose stem is the same number.

    Raises:
        FileNotFoundError: Neither is there.
    """
    path = folder / f"{name}.png"
    if path.is_file():
        return path
    same = [p for p in folder.glob("*.png") if name.isdigit() and p.stem.isdigit() and int(p.stem) == int(name)]
    if len(same) != 1:
        raise FileNotFoundError(f"{path}: no such file, expected the depth image of frame {name}")
    return same[0]


def refine_recording(settings: RefineSettings) -> RefinedRecording:
    """Refine the 2D poses of one camera's recording to 3D poses in metres, in the camera's axes.

    Writes ``poses3d.json`` and ``poses3d.npz``, then pictures and ``poses3d.gif``.

    Raises:
        FileNotFoundError, ValueError: Poses, camera, config or weights that are not there or not of their form. A
            frame that cannot be used is in the result's ``failed``; the others are done.
    """
    from tqdm import tqdm

    from orplugins.refinet.chain import RefineChain
    from orplugins.refinet.refiner import Refiner3D

    camera, frames = load_camera(settings.camera), load_pose2d(settings.poses)
    if settings.plain:
        chain = RefineChain(lifting=dict(window="pixel", holes="person"))
    else:
        chain = load_chain(settings.config, settings.weights, settings.device)
    refiner = Refiner3D(chain, camera, settings.min_score)
    names, results, failed = [], [], {}
    for frame in tqdm(frames, unit="frame"):
        try:
            depth = load_depth(depth_file(settings.depth, frame.frame), size=camera.size)
            results.append(refiner(depth, frame.keypoints, frame.skeleton))
            names.append(frame.frame)
        except (ValueError, OSError) as error:
            failed[frame.frame] = str(error)
    json, npz = settings.out / "poses3d.json", settings.out / "poses3d.npz"
    if results:
        write_poses(json, names, results)
        save_npz(npz, names, results)
        for name, result in zip(names[: settings.pictures], results, strict=False):
            depth = load_depth(depth_file(settings.depth, name), size=camera.size)
            draw_frame(settings.out / f"{name}.png", depth, result, ITOP_15, name)
        if settings.animate:
            save_animation(settings.out / "poses3d.gif", results, ITOP_15, names)
    return RefinedRecording(names, sum(len(result.points) for result in results), failed, json, npz)


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
            depth = load_depth(frame.depth, size=frame.camera.size)
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
        depth = load_depth(frame.depth, size=frame.camera.size)
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

    from orplugins.io.weights import read_weights
    from orplugins.refinet.checkpoint import bare_state_dict, which_network

    given = {NETWORKS[key]: path for key, path in sorted(modules.items())}
    if not given:
        raise ValueError("merge-weights: expected at least one of --a, --b, --c")
    merged: dict[str, torch.Tensor] = {}
    sources = {}
    for net, path in given.items():
        content = read_weights(Path(path))
        state = content.get("state_dict", content) if isinstance(content, dict) else {}
        found = which_network(state)
        if found != net:
            raise ValueError(f"{path}: found {found or 'no network of RefiNet'}, expected {net}")
        merged |= {f"chain.{net}.net.{name}": value for name, value in bare_state_dict(state).items()}
        sources[net] = Path(path).name
    with atomic_write(out, "wb") as file:
        torch.save({"state_dict": merged, "meta": {"method": "RefiNet", "sources": sources}}, file)
    return f"{out}: {', '.join(given)}, {len(merged)} tensors"
