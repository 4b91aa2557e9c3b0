"""Jobs of several cameras: MVOR's evaluation, people of a rig, one subject before a parallel pair, a generated set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orplugins.depth.png import load_depth
from orplugins.geometry.cameras import Camera
from orplugins.geometry.rectified import StereoRules
from orplugins.geometry.triangulation import Code
from orplugins.io import json_fields
from orplugins.io.atomic import write_json
from orplugins.io.c3d_files import require_c3d
from orplugins.io.calibration import is_parallel, read_parallel, read_rig
from orplugins.io.clip_files import write_motion_npz, write_people
from orplugins.io.coco_results import load_keypoint_results, load_mv3dreg
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.io.openpose import read_openpose_folder
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.capture_systems import assign_detections, best_view, by_depth, by_views, parallel_pair
from orplugins.multiview.clip_set import FPS, SetClip, detections_of, noisy_labels, read_motion_set
from orplugins.multiview.depth_checks import DepthImages, check_depth_people
from orplugins.multiview.mvor import (
    Result,
    Truth,
    detections_by_frame,
    fit_with_other_days,
    mv3dreg_people,
    mv3dreg_table,
    pinholes,
    place_one_view,
    reconstruct_all,
    score,
    to_room,
    truth_from_poses,
    with_depth,
)
from orplugins.multiview.pair_checks import check_pair_clip
from orplugins.multiview.people import LIMB_JOINTS, LIMB_NAMES, MultiViewRules
from orplugins.multiview.plausibility import (
    Finding,
    check_clocks,
    check_frames,
    check_members,
    check_people,
    check_pixels,
    check_stable,
    refuse,
)
from orplugins.multiview.rectified_pair import stereo_clip
from orplugins.multiview.report import METHODS, published_text, scores_text, without_nan
from orplugins.multiview.rig_files import write_rig_people
from orplugins.multiview.synchronise import Clock, find_clocks, on_one_clock
from orplugins.multiview.tracks import track_people_3d
from orplugins.multiview.views import check_different, from_zero, read_view
from orplugins.multiview.whole_tracks import follow
from orplugins.mvor.annotations import MVORAnnotations, load_mvor
from orplugins.skeletons import BODY_25, CAMMA_10, COCO_17, H36M_17, Skeleton, convert
from orplugins.viz.figures import draw_people

# ---- MVOR


@dataclass(frozen=True)
class MvorSettings:
    """What :func:`evaluate_mvor` works on.

    Attributes:
        annotations: MVOR's file: cameras, frames and truth.
        detections: Result files of any 2D estimator on its images, COCO-17 or CAMMA-10.
        out: Folder.
        method: Key of :data:`orplugins.multiview.report.METHODS`.
        one_view: Also who is in one view only: needs method "map", or `depth`.
        depth: Use the depth images below this folder, too (the annotation file's names, color/ replaced by depth/): in
            the triangulation, and to place who is in one view only. Not with method "map".
        depth_unit_mm: Millimetres a count of the depth images.
        undistort: Use MVOR's distortion numbers (they fit worse).
        mv3dreg: The published 3D results; None: no comparison on their samples.
        pictures: Frames to draw for each detection file, those with the most people.
        keep_implausible: Write results that cannot be believed, too; what is wrong with them becomes a warning.
    """

    annotations: str
    detections: tuple[str, ...]
    out: Path
    method: str = "geometry"
    one_view: bool = False
    depth: str | None = None
    undistort: bool = False
    mv3dreg: str | None = None
    pictures: int = 3
    depth_unit_mm: float = 1.0
    keep_implausible: bool = False

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}, expected one of {', '.join(METHODS)}")
        if not (self.detections or self.mv3dreg):
            raise ValueError("MVOR: neither detections nor the published 3D results are given")
        if bool(self.depth) and self.method == "map" or self.one_view and not (self.depth or self.method == "map"):
            raise ValueError("one view needs method 'map', or depth with another method: one camera gives no depth")
        if self.depth and not Path(self.depth).is_dir():
            raise ValueError(f"--depth {self.depth}: no such folder")
        if not 0 < self.depth_unit_mm < np.inf:
            raise ValueError(f"the depth's unit is {self.depth_unit_mm}, expected millimetres a count, above 0")


@dataclass(frozen=True)
class MvorScores:
    """What :func:`evaluate_mvor` measured; NaN is None.

    Attributes:
        method: Key of :data:`orplugins.multiview.report.METHODS`.
        results: {name of a detection file: table of :func:`orplugins.multiview.mvor.score`}.
        published: {method: table on the published method's samples}; empty without them.
        warnings: What is to be known and no failure.
        failed: How many depth images could not be read, and findings that cannot be.
    """

    method: str
    results: dict[str, dict]
    published: dict[str, dict] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failed: int = 0

    def __str__(self) -> str:
        texts = [scores_text(name, self.method, table) for name, table in self.results.items()]
        return "\n".join(f"\n{text}" for text in texts + ([published_text(self.published)] if self.published else []))


def evaluate_mvor(settings: MvorSettings) -> MvorScores:
    """Reconstruct people from detection files and compare them with MVOR's 3D annotations.

    Writes ``NAME_METHOD.json`` for every detection file and ``scores.json``, then pictures.

    Raises:
        FileNotFoundError, ValueError: A file that is not there or not of its form; annotations of one day only where
            the method learns from other days.
        ImportError: What the published 3D results need to be read.
    """
    data = load_mvor(settings.annotations)
    cameras = data.need("cameras") if settings.undistort else pinholes(data.need("cameras"))
    truth, labels, days, room = _truth(data), _labels(data), _days(data), _room(settings.annotations)
    if settings.method != "geometry" and len(np.unique(days[truth.frame])) < 2:
        raise ValueError(
            f"{settings.annotations}: annotations of one day only; --method {settings.method} learns from the other "
            "days"
        )
    tables, published, found, warnings, failed = {}, {}, {}, [], 0
    for path in settings.detections:
        poses = load_keypoint_results(path, sizes=(51, 30))
        unknown = (~np.isin(poses.image_ids, data.image_ids)).sum()
        if unknown:
            warnings.append(f"{path}: {unknown} detections are in images that {settings.annotations} does not have")
        detections = detections_by_frame(data.need("frames"), poses.image_ids, _coco(poses.keypoints))
        rules = MultiViewRules().for_cameras(cameras)
        result = reconstruct_all(cameras, detections, rules, settings.one_view)
        findings = _check_mvor(cameras, detections, result, rules)
        if settings.depth:
            images = DepthImages(Path(settings.depth), _depth_names(data), settings.depth_unit_mm)
            findings += check_depth_people(result.people, cameras, images)
            result = with_depth(result, cameras, images)
            result = place_one_view(result, cameras, images) if settings.one_view else result
            warnings += sorted(images.failed.values())
            failed += len(images.failed)
        warnings += refuse(findings, str(path), settings.keep_implausible)
        failed += sum(finding.severe for finding in findings)
        if settings.method != "geometry":
            result = fit_with_other_days(cameras, room, result, truth, days, settings.method)
        name = Path(path).stem
        found[name], tables[name] = result, without_nan(score(result, truth, labels, len(data.need("frames"))))
        _write_mvor_people(_base(settings, name).with_suffix(".json"), result, data, settings.method, path)
    if settings.mv3dreg:
        published = without_nan(_published_samples(settings.mv3dreg, cameras, truth, days, room))
    report = {
        "truth": settings.annotations,
        "method": settings.method,
        "one_view": settings.one_view,
        "results": tables,
        **({"mv3dreg": published} if settings.mv3dreg else {}),
    }
    write_json(settings.out / "scores.json", report, indent=1)
    for name, result in found.items():
        _draw_mvor(_base(settings, name), result, truth, room, settings.pictures)
    return MvorScores(settings.method, tables, published, tuple(warnings), failed)


def _base(settings: MvorSettings, name: str) -> Path:
    return settings.out / f"{name}_{settings.method}"


def _room(path: str) -> np.ndarray:
    """MVOR's transform from camera 1 to the room, metres."""
    info = json_fields.field(json_fields.load_json(path), "cameras_info", path)
    params = json_fields.field(info, "camParams", f"{path}: cameras_info")
    room = json_fields.numbers(params, "firstCamToRoomRef", 16, f"{path}: cameras_info.camParams").reshape(4, 4)
    room[:3, 3] /= 1000
    return room


def _truth(data: MVORAnnotations) -> Truth:
    index = {frame.id: k for k, frame in enumerate(data.need("frames"))}
    poses = data.need("poses3d")
    return truth_from_poses(
        np.stack([pose.keypoints for pose in poses]),
        np.array([index[pose.frame_id] for pose in poses]),
        np.array([pose.person_id for pose in poses]),
    )


def _labels(data: MVORAnnotations) -> dict:
    place = {i: (k, v) for k, frame in enumerate(data.need("frames")) for v, i in enumerate(frame.image_ids)}
    labels: dict = {}
    for person in data.annotations:
        if not person.get("only_bbox", 0) and person["image_id"] in place:
            joints = np.array(person["keypoints"], dtype=np.float64).reshape(10, 3)
            labels.setdefault(place[person["image_id"]], []).append((person.get("person_id", -1), joints))
    return labels


def _days(data: MVORAnnotations) -> np.ndarray:
    days = {image["id"]: int(image.get("day_id", 0)) for image in data.images}
    return np.array([days[frame.image_ids[0]] for frame in data.need("frames")])


def _coco(keypoints: np.ndarray) -> np.ndarray:
    return keypoints if keypoints.shape[1] == COCO_17.num_joints else convert(keypoints, CAMMA_10, COCO_17)


def _check_mvor(cameras, detections: list[list[np.ndarray]], result: Result, rules: MultiViewRules) -> list[Finding]:
    names = [f"camera {v + 1}" for v in range(len(cameras))]
    views = [dict(enumerate(frame[v] for frame in detections)) for v in range(len(cameras))]
    findings = check_pixels(names, views, cameras)
    several = (result.people.support > 1).any()
    if not several and any(sum(len(view) > 0 for view in frame) > 1 for frame in detections):
        people = reconstruct(cameras, detections, rules)
        findings += check_people(cameras, names, detections, people, rules)
    return findings


def _depth_names(data: MVORAnnotations) -> list[list[str]]:
    """Names of the depth images of every frame and view."""
    names = {image["id"]: image["file_name"].replace("/color/", "/depth/") for image in data.images}
    return [[names[i] for i in frame.image_ids] for frame in data.need("frames")]


def _write_mvor_people(path: Path, result: Result, data: MVORAnnotations, method: str, detections: str) -> None:
    frames = result.people.frame
    code = np.where(np.isfinite(result.joints).all(-1), np.where(result.inferred, Code.FILLED, Code.OK), Code.MISSING)
    details = [
        {"frame_id": data.need("frames")[f].id, "detections": m.tolist()}
        for f, m in zip(frames, result.people.members, strict=True)
    ]
    extra = {"world": "camera 1", "method": method, "detections": str(detections)}
    write_people(path, frames, np.full(len(frames), -1), result.joints, code, LIMB_NAMES, extra, details)


def _published_samples(path: str, cameras, truth: Truth, days: np.ndarray, room: np.ndarray) -> dict:
    predicted, target, encoded = load_mv3dreg(path)
    result, owner, rows = mv3dreg_people(cameras, truth, target, encoded)
    fitted = fit_with_other_days(cameras, room, result, truth, days, "map")
    return {
        "geometry": mv3dreg_table(result, truth, owner, predicted[rows]),
        "map": mv3dreg_table(fitted, truth, owner, predicted[rows]),
    }


def _draw_mvor(base: Path, result: Result, truth: Truth, room: np.ndarray, pictures: int) -> None:
    frames = np.unique(truth.frame)
    counts = [(truth.frame == f).sum() + (result.people.frame == f).sum() for f in frames]
    chosen = frames[np.argsort(counts)[::-1][:pictures]]
    for frame in sorted(chosen.tolist()):
        groups = {"annotated": truth.joints[truth.frame == frame], "found": result.joints[result.people.frame == frame]}
        groups = {key: to_room(_limbs_as_coco(limbs), room) for key, limbs in groups.items()}
        draw_people(base.parent / f"{base.name}_frame{frame:04d}.png", groups, COCO_17, f"frame {frame}")


def _limbs_as_coco(limbs: np.ndarray) -> np.ndarray:
    """(N, 8, 3) as COCO-17 with NaN where nothing is."""
    out = np.full((len(limbs), COCO_17.num_joints, 3), np.nan)
    out[:, list(LIMB_JOINTS)] = limbs
    return out


# ---- a rig


@dataclass(frozen=True)
class RigSettings:
    """What :func:`reconstruct_rig` and :func:`reconstruct_pair` work on.

    Attributes:
        rig: Calibration, see :mod:`orplugins.io.calibration`.
        views: A camera's detections each, in the calibration's order: a COCO result list (image_id = frame number) or a
            folder of OpenPose's JSON. Of a parallel pair the left one first.
        out: Folder.
        fps: Frames a second of the views.
        pictures: Frames to draw, evenly spaced.
        mirrored: Parallel pair: the images are mirror images.
        auto_swap: Parallel pair: exchange the cameras if need be.
        synchronise: Parallel pair: take out a time offset. A rig: look whether the cameras are in step.
        sync: A rig: take out time offsets and differences of frame rates.
        track: A rig: joints that are missing for at most so many seconds are filled in, and marked; 0: none.
        smooth: A rig: cut-off of the low-pass filter over time, Hz; 0: none.
        keep_implausible: Write results that cannot be believed, too; what is wrong with them becomes a warning.
        c3d: A rig: a C3D file for each track, beside its TRC file.
    """

    rig: str | os.PathLike
    views: tuple[str, ...]
    out: Path
    fps: float = 30.0
    pictures: int = 3
    mirrored: bool = False
    auto_swap: bool = False
    synchronise: bool = True
    sync: bool = False
    keep_implausible: bool = False
    track: float = 0.0
    smooth: float = 0.0
    c3d: bool = False

    def __post_init__(self):
        for name in ("track", "smooth"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if not 0 < self.fps < np.inf:
            raise ValueError(f"fps is {self.fps}, expected frames a second above 0")
        if self.sync and not self.synchronise:
            raise ValueError("time offsets cannot be both taken out (--sync) and left alone (--no-sync)")


@dataclass(frozen=True)
class RigPeople:
    """What :func:`reconstruct_rig` found.

    Attributes:
        frames: Number of frames.
        people, tracks: Numbers of 3D people in all frames, and of tracks.
        found: Share of joints with a place.
        error_px: Mean reprojection error, NaN without any joint.
        warnings: What is to be known, failures among it.
        failed: How many inputs could not be read in part.
        left_out: People who were seen too shortly to be believed, or were found twice.
    """

    frames: int
    people: int
    tracks: int
    found: float
    error_px: float
    warnings: tuple[str, ...] = ()
    failed: int = 0
    left_out: int = 0

    def __str__(self) -> str:
        if not self.people:
            return f"frames {self.frames}, nobody found"
        error = "" if np.isnan(self.error_px) else f", mean reprojection error {self.error_px:.2f} px"
        return (
            f"frames {self.frames}, people {self.people} in {self.tracks} tracks, joints found "
            f"{100 * self.found:.1f} %{error}"
            + (f"; left out {self.left_out} seen too shortly or found twice" if self.left_out else "")
        )


def reconstruct_rig(settings: RigSettings) -> RigPeople:
    """Reconstruct people of a calibrated rig, frame by frame, and follow them over time.

    Writes ``people.json``, the longest track as ``motion.npz`` and ``record.txt`` (Kinect text record) in the first
    camera's axes, ``person<track>.trc`` for every track, then pictures. Who is seen only shortly is left out.

    Raises:
        FileNotFoundError, ValueError: A file that is not there or not of its form, another number of views than
            cameras, a view without any person.
    """
    if settings.c3d:
        require_c3d()
    rig = read_rig(settings.rig)
    if len(settings.views) != len(rig.cameras):
        raise ValueError(
            f"{settings.rig}: {len(rig.cameras)} cameras, but {len(settings.views)} --view: one each, in its order"
        )
    views, warnings, failed = [], list(rig.notes), 0
    for path, camera in zip(settings.views, rig.cameras, strict=True):
        view = read_view(path, camera.size)
        failed += len(view.failed)
        warnings += view.notes + view.failed
        views.append(view.people)
    views = from_zero(views)
    names = [Path(path).name for path in settings.views]
    check_different(settings.views, [list(view.values()) for view in views])
    check_frames(settings.views, views)
    frames = list(range(min(map(min, views)), max(map(max, views)) + 1))
    lengths = [max(view) - min(view) + 1 for view in views]
    if len(set(lengths)) > 1:
        counts = ", ".join(map(str, lengths))
        warnings.append(f"the views have {counts} frames; missing ones count as without people")
    findings = check_pixels(names, views, rig.cameras)
    clocks = find_clocks(rig.cameras, views) if settings.synchronise else [Clock()] * len(views)
    in_step = [on_one_clock(view, clock, frames[0], frames) for view, clock in zip(views, clocks, strict=True)]
    empty = np.zeros((0, COCO_17.num_joints, 3))
    detections, moved = ([[view.get(f, empty) for view in v] for f in frames] for v in (views, in_step))
    detections = moved if settings.sync else detections
    rules = MultiViewRules().for_cameras(rig.cameras)
    result = reconstruct(rig.cameras, detections, rules)
    numbers = np.array(frames)[result.frame] if len(result.frame) else np.zeros(0, dtype=np.int64)
    tracks = track_people_3d(numbers, result.points, settings.fps, result.support)
    shifted = moved if any(clock != Clock(gain=clock.gain) for clock in clocks) and not settings.sync else None
    findings += check_people(rig.cameras, names, detections, result, rules, shifted)
    kept = tracks >= 0
    findings += check_stable(result.points[kept], tracks[kept]) + check_members(names, detections, result)
    # Where the rig is wrong, its clocks say nothing.
    if not any(finding.cause for finding in findings):
        remedy = "taken out" if settings.sync else "--sync takes it out"
        findings += check_clocks(names, clocks, remedy, settings.sync)
    warnings += refuse(findings, str(settings.rig), settings.keep_implausible)
    failed += sum(finding.severe for finding in findings)
    followed = follow(numbers, tracks, result.points, settings.fps, settings.track, settings.smooth)
    extra = {"world": "rig", "rig": str(settings.rig), "method": "geometry"}
    write_rig_people(settings.out, followed, result, rig, settings.fps, frames[0], frames[-1], extra, settings.c3d)
    for k in _spaced(len(frames), settings.pictures):
        found = {"found": followed.points[followed.frame == frames[k]]}
        draw_people(settings.out / f"frame{frames[k]:06d}.png", found, COCO_17, f"frame {frames[k]}", rig.up)
    placed, error = np.isfinite(followed.points).all(-1), result.error[kept]
    return RigPeople(
        len(frames),
        len(followed.track),
        len(set(followed.track.tolist())),
        float(placed.mean()) if placed.size else 0.0,
        float(np.nanmean(error)) if np.isfinite(error).any() else float("nan"),
        tuple(warnings),
        failed,
        int((~kept).sum()),
    )


def _spaced(count: int, wanted: int) -> Sequence[int]:
    """At most `wanted` of `count` numbers, evenly spaced."""
    return np.linspace(0, count - 1, min(wanted, count)).astype(int).tolist()


# ---- a parallel pair


@dataclass(frozen=True)
class PairClip:
    """What :func:`reconstruct_pair` found.

    Attributes:
        frames: Number of frames.
        counts: Joint samples by reason, before cleaning.
        cleaned: Share of joint samples by reason, after cleaning.
        warnings: What is to be known, failures among it.
        failed: How many files could not be read.
    """

    frames: int
    counts: dict[str, int]
    cleaned: dict[str, float]
    warnings: tuple[str, ...] = ()
    failed: int = 0

    def __str__(self) -> str:
        before = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        after = ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.cleaned.items())
        return f"{self.frames} frames; joint samples before cleaning: {before}\nafter cleaning: {after}"


def reconstruct_views(settings: RigSettings) -> RigPeople | PairClip:
    """Run :func:`reconstruct_pair` for a parallel pair with two folders of OpenPose, else :func:`reconstruct_rig`."""
    folders = len(settings.views) == 2 and all(Path(path).is_dir() for path in settings.views)
    return reconstruct_pair(settings) if folders and is_parallel(settings.rig) else reconstruct_rig(settings)


def reconstruct_pair(settings: RigSettings) -> PairClip:
    """Triangulate and clean one subject before a parallel pair of cameras.

    Writes ``motion.npz`` (BODY_25, with a reason for every refused joint) and ``record.txt`` (Kinect text record), then
    pictures.

    Raises:
        FileNotFoundError, ValueError: A file that is not there or not of its form, joints other than BODY_25, nobody to
            follow, exchanged cameras.
    """
    rig = read_parallel(settings.rig)
    read = [read_openpose_folder(path, rig.size, broken="skip") for path in settings.views]
    warnings = [line for view in read for line in (*view.warnings, *view.failed)]
    for path, view in zip(settings.views, read, strict=True):
        if view.skeleton is not BODY_25:
            raise ValueError(f"{path}: joints of {view.skeleton.name}, expected BODY_25")
    check_different(settings.views, [view.frames for view in read])
    start = max(view.numbers[0] for view in read)
    if start > min(view.numbers[-1] for view in read):
        spans = ", ".join(f"{p} {v.numbers[0]} to {v.numbers[-1]}" for p, v in zip(settings.views, read, strict=True))
        raise ValueError(f"no frame number is in both views: {spans}")
    if any(view.numbers[0] != start for view in read):
        warnings.append(f"the cameras start at frames {[int(v.numbers[0]) for v in read]}: cut to {start}")
    left, right = (view.frames[start - view.numbers[0] :] for view in read)
    found = stereo_clip(
        left,
        right,
        rig,
        mirrored=settings.mirrored,
        auto_swap=settings.auto_swap,
        synchronise=settings.synchronise,
    )
    warnings += found.warnings
    findings = check_pair_clip(*found.subject, found.rig, StereoRules(), [Path(path).name for path in settings.views])
    warnings += refuse(findings, str(settings.rig), settings.keep_implausible)
    record = {
        "baseline_m": rig.baseline_m,
        "focal_px": rig.focal_px,
        "size": list(rig.size),
        "left": list(rig.left),
        "right": list(rig.right),
    }
    clip = found.clip
    write_motion_npz(settings.out / "motion.npz", clip.xyz, clip.state, clip.code, settings.fps, record, BODY_25.name)
    text = make_record(
        clip.xyz, clip.state, BODY_25, settings.fps, "openpose_stereo", "absolute", first_frame=int(start)
    )
    write_kinect_record(settings.out / "record.txt", text)
    for k in _spaced(len(clip.xyz), settings.pictures):
        image, group = settings.out / f"frame{start + k:06d}.png", {"found": clip.xyz[k : k + 1]}
        draw_people(image, group, BODY_25, f"frame {start + k}", np.array([0.0, -1.0, 0.0]))
    cleaned = {Code(c).name.lower(): float((clip.code == c).mean()) for c in np.unique(clip.code)}
    failed = sum(len(view.failed) for view in read) + sum(finding.severe for finding in findings)
    return PairClip(len(clip.xyz), found.counts, cleaned, tuple(warnings), failed)


# ---- a generated motion set


@dataclass(frozen=True)
class CaptureSettings:
    """What :func:`capture_set` works on.

    Attributes:
        set: Folder of a motion set with fixed cameras, see :mod:`orplugins.multiview.clip_set`.
        out: Folder.
        detections: 2D detections on the set's images, a COCO result list; None: the labels with noise.
        noise: Of the labels, pixels of an image 640 wide.
        depth: Place one camera's people by its depth images, too.
        baseline: Of the simulated parallel pair (labels only), metres.
        seed: Of the noise.
    """

    set: Path
    out: Path
    detections: str | None = None
    noise: float = 1.0
    depth: bool = True
    baseline: float = 0.28
    seed: int = 0


@dataclass(frozen=True)
class Capture:
    """What one system recorded of a person: (F, J, 3) metres, NaN where missing, in the room's axes.

    ``root``: "absolute", or "hip_center" for a pose about the middle of the hips.
    """

    name: str
    xyz: np.ndarray
    skeleton: Skeleton = COCO_17
    root: str = "absolute"


def capture_set(
    settings: CaptureSettings,
    lift: Callable[[Camera, np.ndarray], np.ndarray | None] | None = None,
    failed: list[str] | None = None,
) -> Iterator[tuple[str, list[Capture]]]:
    """Record every person of a set by several systems, and write the recordings (``CLIP_PERSON/SYSTEM.npz``).

    Systems: a parallel pair (simulated, labels only), two and more of the set's cameras, one camera with its depth
    images, one camera and a lifter.

    Args:
        settings: The set, the systems, and where recordings are written.
        lift: Lifts what a camera saw of a person: (camera, (F, 17, 3) COCO-17 pixels) to (F, 17, 3) H36M-17 about the
            pelvis in the room's axes, or None.
        failed: Depth images that could not be read are added here, a line each; they count as holes.

    Yields:
        Name of a clip and person; the truth and what each system recorded, those left out that found nothing.

    Raises:
        FileNotFoundError: There is no such set.
        ValueError: It has no motion or no fixed cameras; detections of other images.
    """
    from tqdm import tqdm

    rng = np.random.default_rng(settings.seed)
    for clip in tqdm(read_motion_set(settings.set), unit="clip"):
        for person, captures in _captured(settings, clip, lift, rng, [] if failed is None else failed).items():
            name = f"clip{clip.day}_person{person}"
            for capture in captures:
                _write_capture(settings.out / name, capture)
            yield name, captures


def _captured(
    settings: CaptureSettings, clip: SetClip, lift, rng: np.random.Generator, failed: list[str]
) -> dict[str, list[Capture]]:
    if settings.detections:
        detections = detections_of(clip, settings.detections)
    else:
        detections = noisy_labels(clip, settings.noise, rng)
    truth = {k: clip.truth[k] for k in clip.people}
    own = assign_detections(detections, {k: clip.pixels[k] for k in clip.people})
    found = {k: [Capture("truth", truth[k])] for k in clip.people}

    def add(person: str, name: str, xyz: np.ndarray | None, *rest) -> None:
        if xyz is not None and np.isfinite(xyz).any():
            found[person].append(Capture(name, xyz, *rest))

    subsets = [list(range(count)) for count in range(2, len(clip.cameras) + 1)]
    by_subset = []
    for subset in subsets:
        parts = [[frame[v] for v in subset] for frame in detections]
        by_subset.append(by_views([clip.cameras[v] for v in subset], parts, truth))
    for person in clip.people:
        view = best_view(own[person])
        camera, keypoints = clip.cameras[view], own[person][view]
        if not settings.detections:
            seen = clip.pixels[person][view][..., 2] > 0
            pair = parallel_pair(camera, truth[person], seen, settings.baseline, settings.noise, rng)
            add(person, "parallel pair", pair)
        for subset, points in zip(subsets, by_subset, strict=True):
            add(person, f"{len(subset)} cameras", points[person])
        if settings.depth:
            placed = by_depth(camera, keypoints, [_depth_or_holes(path, failed) for path in clip.files[view]])
            add(person, "1 camera, depth", placed)
            # Of joints that something hides the image knows only where that something is.
            seen = clip.pixels[person][view][..., 2] == 2
            add(person, "1 camera, depth, seen joints", np.where(seen[..., None], placed, np.nan))
        if lift is not None:
            add(person, "1 camera, lifted", lift(camera, keypoints), H36M_17, "hip_center")
    return found


def _depth_or_holes(path: Path, failed: list[str]) -> np.ndarray:
    try:
        return load_depth(path)
    except (ValueError, OSError) as error:
        if str(error) not in failed:
            failed.append(str(error))
        return np.zeros((2, 2), dtype=np.uint16)


def _write_capture(folder: Path, capture: Capture) -> None:
    found = np.isfinite(capture.xyz).all(-1)
    state, code = np.where(found, 2, 0), np.where(found, Code.OK, Code.MISSING)
    path = folder / f"{capture.name.replace(', ', '_').replace(' ', '_')}.npz"
    note = {"axes": "room", "root": capture.root}
    write_motion_npz(path, capture.xyz, state, code, FPS, note, capture.skeleton.name)
