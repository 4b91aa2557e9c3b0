"""Jobs of the generator: data sets, motion with known 3D, figures about a set, and images of what is in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.depth.image import downsample
from orplugins.depth.png import load_depth
from orplugins.io import json_fields
from orplugins.io.atomic import atomic_path, write_json
from orplugins.io.images import image_path, read_image
from orplugins.io.json_fields import load_json
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.io.openpose import write_openpose_frame
from orplugins.skeletons import BODY_25, COCO_17, KINECT_20
from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.motion_points import (
    SIZE,
    body_motion,
    in_skeleton,
    observe,
    parallel_cameras,
    rig_record,
    room_rig,
    write_lifting_data,
)
from orplugins.synthetic.render.frames import Frame, render_frames, render_scene
from orplugins.synthetic.room_motion import write_room_lifting_data
from orplugins.synthetic.scene.motion import Clip
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.set_files import read_median_depths, read_pictures, read_set
from orplugins.synthetic.statistics import (
    camera_table,
    joint_table,
    penetration_table,
    picture_table,
    pose_table,
    room_table,
)
from orplugins.viz.clips import depth_panel, draw_detections, draw_truth, save_clip, save_sheet
from orplugins.viz.colours import depth_colours

# ---- data sets


def make_dataset(out: str | os.PathLike, frames: int, **options) -> dict[str, int]:
    """Render a data set in MVOR's layout with a progress bar; an interrupted run goes on where it stopped.

    Args:
        out: Folder.
        frames: Their number, each of all views.
        options: Of :func:`orplugins.synthetic.export.mvor_layout.write_dataset`.

    Returns:
        Counts of what was written.

    Raises:
        ValueError, OSError: As there.
    """
    from tqdm import tqdm

    with tqdm(total=frames, unit="frame") as bar:
        return write_dataset(out, frames, progress=lambda done, _: bar.update(done - bar.n), **options)


def make_itop(out: str | os.PathLike, frames: int, seed: int, view: str = "both", **options) -> dict[str, int]:
    """Render ITOP's HDF5 files with a progress bar.

    Args:
        out: Folder.
        frames: Their number.
        seed: Another seed gives another set.
        view: "side", "top" or "both".
        options: Of :func:`orplugins.synthetic.export.itop_files.write_itop`.

    Returns:
        Counts of what was written.

    Raises:
        ValueError, OSError: As there.
    """
    from tqdm import tqdm

    from orplugins.synthetic.export.itop_files import VIEWS, write_itop

    views = VIEWS if view == "both" else (view,)
    with tqdm(total=frames, unit="frame") as bar:
        return write_itop(out, frames, seed, views=views, progress=lambda done, _: bar.update(done - bar.n), **options)


# ---- motion

# Frames by which each system's recording starts later than the truth.
STARTS = {"stereo": 4, "kinect": 9, "rig": 0}


def make_lifting_data(
    out: Path, subjects: int = 6, frames: int = 300, fps: float = 50.0, seed: int = 0, noise_px: float = 1.0
) -> None:
    """Write VideoPose3D's files of generated motion; the last of the subjects is for validation."""
    names = [f"S{k + 1}" for k in range(subjects - 1)] + ["V1"]
    write_lifting_data(out, names, frames, fps, seed, noise_px)


def make_room_lifting_data(
    out: Path, clips: int = 60, frames: int = 100, seed: int = 0, noise_px: tuple[float, float] = (1.0, 1.0)
) -> int:
    """Write the same of the people of the operating room.

    Args:
        out: Folder.
        clips: Number of clips.
        frames: Frames in each.
        seed: Another seed gives another set.
        noise_px: Least and greatest noise of the 2D joints.

    Returns:
        The number of people.
    """
    from tqdm import tqdm

    with tqdm(total=clips, unit="clip") as bar:
        return write_room_lifting_data(out, clips, frames, seed, noise_px, progress=bar.update)


@dataclass(frozen=True)
class TakeSettings:
    """One person's motion as :func:`make_take` writes it.

    Attributes:
        out: Folder.
        action: Key of :data:`orplugins.synthetic.motion_points.ACTIONS`.
        frames, fps: Length, and frames a second.
        seed: Of motion and noise.
        noise_px: Noise of the 2D joints.
    """

    out: Path
    action: str = "walk"
    frames: int = 300
    fps: float = 30.0
    seed: int = 0
    noise_px: float = 1.0


def make_take(settings: TakeSettings) -> None:
    """Write one take as several systems would record it, each on a clock of its own, with the truth.

    A rig of three cameras (``rig.json``, ``cameraN.json``: COCO results), a parallel pair (``pair.json``,
    ``openpose_left``, ``openpose_right``), a Kinect (``kinect.txt``) and ``truth.txt``.
    """
    rng = np.random.default_rng(settings.seed)
    out, frames, fps = settings.out, settings.frames, settings.fps
    points = body_motion(rng, frames + max(STARTS.values()), fps, settings.action)
    pair, rig = parallel_cameras(), room_rig()
    coco, body25, kinect = (in_skeleton(points, skeleton) for skeleton in (COCO_17, BODY_25, KINECT_20))
    for camera, name in zip(pair, ("left", "right"), strict=True):
        seen = observe(camera, body25, rng, settings.noise_px, missing=0.01)
        for frame in range(frames):
            write_openpose_frame(out / f"openpose_{name}", name, frame, seen[frame + STARTS["stereo"]][None])
    left = pair[0]
    lens = {"baseline_m": 0.28, "focal_px": left.fx, "cx": left.cx, "cy": left.cy, "image_size": list(SIZE)}
    write_json(out / "pair.json", {"parallel": lens}, indent=1)
    write_json(out / "rig.json", rig_record(rig), indent=1)
    for index, camera in enumerate(rig):
        seen = observe(camera, coco, rng, settings.noise_px, missing=0.02)[:frames]
        records = [
            {"image_id": frame, "category_id": 1, "keypoints": pose.ravel().tolist(), "score": 1.0}
            for frame, pose in enumerate(seen)
        ]
        write_json(out / f"camera{index + 1}.json", records)
    state, kind = np.full((frames, 20), 2), ("kinect_v1", "absolute")
    at = slice(STARTS["kinect"], STARTS["kinect"] + frames)
    noisy = left.world_to_camera(kinect[at]) + rng.normal(0, 0.015, (frames, 20, 3))
    record = make_record(noisy * (-1, -1, 1), state, KINECT_20, fps, *kind, camera_axes=False)
    write_kinect_record(out / "kinect.txt", record)
    truth = left.world_to_camera(kinect[:frames]) * (-1, -1, 1)
    record = make_record(truth, state, KINECT_20, fps, *kind, {"made": "generated truth"}, camera_axes=False)
    write_kinect_record(out / "truth.txt", record)


# ---- figures

# Of the public annotation files of MVOR (Srivastav et al. 2018): counts and percentiles, no data.
MVOR = {
    "people a picture": "2.14",
    "patients a picture": "0.35",
    "box height, 5/25/50/75/95 % (px at 640x480)": "71/127/187/267/325",
    "camera height (m)": "2.4 to 2.7",
    "camera pitch (degrees)": "-35 to -40",
    "CAMMA joints seen/hidden/missing (%)": "78/20/2",
}


def describe_dataset(folder: Path, scenes: int = 100) -> dict[str, str]:
    """Return figures about a set of :func:`make_dataset`, as text by name; :data:`MVOR` has those that are known of it.

    Args:
        folder: Of the set.
        scenes: So many scenes of the set's seed are put together again to measure interpenetration and kinds of rooms
            (a set with motion has none); as many colour pictures are looked at.

    Raises:
        FileNotFoundError, ValueError: A file of the set is missing or not of its form.
    """
    coco, mvor, parameters = read_set(folder)
    rows = {**joint_table(coco, mvor), **camera_table(coco), **pose_table(coco)}
    rows |= picture_table(read_pictures(folder, max(scenes, 1)))
    rows["pictures with median depth below 1 m (%)"] = _blocked(folder)
    count = min(scenes, parameters["frames"]) if not parameters["motion"] else 0
    if count:
        made = [
            make_scene(
                parameters["seed"],
                parameters["start"] + i,
                people=tuple(parameters["people"]),
                views=parameters["views"],
                fixed_cameras=parameters["fixed_cameras"],
                variety=tuple(parameters.get("variety", ())),
            )
            for i in range(count)
        ]
        rows |= {**room_table(made), **penetration_table(scene for scene in made if scene.room.kind == "theatre")}
    return rows


def _blocked(folder: Path) -> str:
    """Share of images that something near the camera fills."""
    medians = read_median_depths(folder)
    return f"{100 * np.mean(np.array(medians) < 1.0):.1f}" if medians else "not known"


# ---- images

MONTAGE_SIZE = (320, 240)
MIN_SCORE = 0.2  # a detection with a lower score is not drawn


def draw_montage(
    path: Path, seed: int = 7, numbers: tuple[int, ...] = (0, 4), motion: bool = False, variety: tuple[str, ...] = ()
) -> tuple[int, int]:
    """Draw what the generator makes into a PNG.

    Args:
        path: The file.
        seed: Of the set.
        numbers: Of frames: colour, true joints, depth and 64x48 depth of each view.
        motion: Moments of clip ``numbers[0]`` instead.
        variety: Colour pictures by one camera each, six in a row, where these parts of `variety.PARTS` vary.

    Returns:
        (width, height).

    Raises:
        ValueError: Motion and variety together.
        OSError: The file cannot be written.
    """
    if motion and variety:
        raise ValueError(f"variety: found {', '.join(variety)} with motion, expected single scenes")
    if variety:
        sheet = _varied_sheet(seed, numbers, variety)
    else:
        sheet = _motion_sheet(seed, numbers[0]) if motion else _still_sheet(seed, numbers)
    save_sheet(path, sheet)
    return sheet.shape[1], sheet.shape[0]


def _with_truth(frame: Frame) -> np.ndarray:
    view = frame.view
    return draw_truth(_color(frame), view.person_ids, view.bboxes, view.keypoints[COCO_17.name])


def _color(frame: Frame) -> np.ndarray:
    assert frame.color is not None, "rendered with color=True"
    return frame.color


def _still_sheet(seed: int, numbers: tuple[int, ...]) -> np.ndarray:
    """A frame is three columns; rows are colour, truth, depth, 64x48 depth."""
    columns: list[np.ndarray] = []
    for number in numbers:
        for frame in render_frames(seed, number, MONTAGE_SIZE, color=True)[1]:
            low = downsample(frame.depth_mm, size=(64, 48), holes="valid")
            rows = [_color(frame), _with_truth(frame), depth_colours(frame.depth_mm), depth_panel(low, MONTAGE_SIZE)]
            columns.append(np.concatenate(rows))
    return np.concatenate(columns, axis=1)


def _varied_sheet(seed: int, numbers: tuple[int, ...], variety: tuple[str, ...]) -> np.ndarray:
    size = (MONTAGE_SIZE[0] // 2, MONTAGE_SIZE[1] // 2)
    cells = [
        _color(render_frames(seed, n, size, views=1, color=True, fixed_cameras=False, variety=variety)[1][0])
        for n in numbers
    ]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % 6)
    return np.concatenate([np.concatenate(cells[k : k + 6], 1) for k in range(0, len(cells), 6)])


def _motion_sheet(seed: int, number: int) -> np.ndarray:
    """Two rows of moments of one clip, a third of a second apart, by the first camera."""
    clip = Clip(seed, number, 100, people=(3, 5))
    row = [_with_truth(render_scene(clip.scene(t), MONTAGE_SIZE, (seed, t), color=True)[0]) for t in range(10, 90, 8)]
    return np.concatenate([np.concatenate(row[:5], 1), np.concatenate(row[5:10], 1)])


@dataclass(frozen=True)
class DrawnClip:
    """The files of :func:`draw_clip`."""

    clip: Path
    sheet: Path


def draw_clip(data: Path, detections: Path, out: Path, low: tuple[int, int] = (64, 48), every: int = 2) -> DrawnClip:
    """Draw detections on the colour images of a generated clip, above the low-resolution depth that was seen.

    Args:
        data: A clip of :func:`make_dataset` with colour.
        detections: JSON list: image_id, (coco_)keypoints of 51 numbers, score.
        out: Folder for ``clip.gif`` (all cameras) and ``contact_sheet.png`` (moments of the clip with the truth).
        low: (width, height) that was seen.
        every: Take every n-th frame into the GIF.

    Raises:
        FileNotFoundError, ValueError: A file that is not there or not of its form.
    """
    from PIL import Image

    poses = _read_detections(detections)
    moments, truth = _read_clip(data)
    if every < 1 or min(low) < 1:
        raise ValueError(f"every is {every}, low is {low}, expected whole numbers above 0")

    def panel(image: dict, with_truth: bool) -> np.ndarray:
        color = np.ascontiguousarray(read_image(image["color"])[..., ::-1])
        return draw_detections(color, poses.get(image["id"], []), truth.get(image["id"], []) if with_truth else [])

    def column(image: dict) -> np.ndarray:
        seen = downsample(load_depth(image["depth"]), size=low, holes="valid")
        return np.concatenate([panel(image, False), depth_panel(seen)])

    keys = list(moments)
    frames = [np.concatenate([column(image) for image in moments[key]], axis=1) for key in keys[::every]]
    rows = [
        np.concatenate([panel(image, True) for image in moments[key]], axis=1)
        for key in keys[:: max(1, len(keys) // 4)][:4]
    ]
    drawn = DrawnClip(out / "clip.gif", out / "contact_sheet.png")
    save_clip(drawn.clip, frames, 40 * every)
    with atomic_path(drawn.sheet) as temporary:
        Image.fromarray(np.concatenate(rows)).save(temporary)
    return drawn


def _read_clip(data: Path) -> tuple[dict[str, list[dict]], dict[int, list[np.ndarray]]]:
    """Images of every moment, in the order of the file, and true joints (17, 3) by image."""
    path = data / "annotations/coco17.json"
    coco = load_json(path)
    moments: dict[str, list[dict]] = {}
    for k, image in enumerate(json_fields.entries(json_fields.field(coco, "images", str(path)), f"{path}: images")):
        here = f"{path}: images[{k}]"
        depth = image_path(data, json_fields.text(image, "file_name", here), here)
        color = data / f"/{depth.relative_to(data).as_posix()}".replace("/depth/", "/color/")[1:]
        record = {"id": json_fields.integer(image, "id", here), "depth": depth, "color": color}
        moments.setdefault(json_fields.text(image, "frame_key", here), []).append(record)
    counts = sorted({len(images) for images in moments.values()})
    if len(counts) != 1:
        raise ValueError(f"{path}: moments of {counts} images, expected a clip with every camera at every moment")
    truth: dict[int, list[np.ndarray]] = {}
    for k, person in enumerate(
        json_fields.entries(json_fields.field(coco, "annotations", str(path)), f"{path}: annotations")
    ):
        here = f"{path}: annotations[{k}]"
        joints = json_fields.numbers(person, "keypoints", 51, here).reshape(17, 3)
        truth.setdefault(json_fields.integer(person, "image_id", here), []).append(joints)
    return moments, truth


def _read_detections(path: Path) -> dict[int, list[np.ndarray]]:
    poses: dict[int, list] = {}
    for i, entry in enumerate(json_fields.entries(load_json(path), f"{path}: detections")):
        here = f"{path}: detections[{i}]"
        joints = json_fields.numbers(entry, "coco_keypoints" if entry.get("coco_keypoints") else "keypoints", 51, here)
        if json_fields.number(entry, "score", here) >= MIN_SCORE:
            poses.setdefault(json_fields.integer(entry, "image_id", here), []).append(joints.reshape(17, 3))
    return poses
