"""Every reader of the package with the smallest valid file that it reads."""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.util
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import calibration_files
import mvor_files
import numpy as np
from videopose3d_files import write_custom_2d, write_detection_archive

from orplugins.io import (
    c3d_files,
    calibration,
    clip_files,
    coco_people,
    coco_results,
    images,
    kinect_files,
    openpose,
    poses2d,
    resume_log,
    safe_pickle,
    trc,
    video,
)
from orplugins.skeletons import COCO_17


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        name: Of the reader and its form.
        kind: See `mutate.mutate`.
        make: Writes what is read below a folder, and gives the file that is damaged.
        read: Reads that file, to the end.
        writes: The reader leaves files beside it.
        cost: How many times as long it takes as most.
    """

    name: str
    kind: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    writes: bool = False
    cost: int = 1


READERS: list[Reader] = []


def _add(name: str, kind: str, make: Callable[[Path], Path], read: Callable[[Path], Any], **more: Any) -> None:
    READERS.append(Reader(name, kind, make, read, **more))


def _late(module: str, name: str) -> Callable[[Path], Any]:
    """A function of a module that is imported when it is first needed."""
    return lambda path: getattr(importlib.import_module(module), name)(path)


def _all_records(path: Path) -> list[dict]:
    from orplugins.live.files import read_records

    return list(read_records(path))


def _json(content: Callable[[], Any] | Any, name: str = "fuzzed.json") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content() if callable(content) else content))
        return path

    return make


def _text(content: str, name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return make


def _made(write: Callable[[Path], Any], name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        return path

    return make


def _beside(write: Callable[[Path], Any], name: str) -> Callable[[Path], Path]:
    """A whole folder, of which one file is damaged."""

    def make(folder: Path) -> Path:
        write(folder)
        return folder / name

    return make


@functools.cache
def _generated() -> Path:
    """A generated motion set: two frames of two cameras."""
    from orplugins.synthetic.export.mvor_layout import write_dataset

    folder = Path(tempfile.mkdtemp(prefix="fuzzset"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_dataset(folder, 2, 5, size=(64, 48), views=2, people=(2, 2), color=True, motion=2)
    return folder


def _set(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> None:
        shutil.copytree(_generated(), folder, dirs_exist_ok=True)

    return _beside(write, name)


# ---- 2D poses and boxes

_POSE = [float(v) for k in range(17) for v in (10 + k, 20 + 2 * k, 0.9)]
_RESULTS = [
    {"image_id": 1, "category_id": 1, "keypoints": _POSE, "score": 0.8, "bbox": [1.0, 2.0, 30.0, 40.0]},
    {"image_id": 2, "category_id": 1, "keypoints": _POSE, "score": 0.7, "bbox": [1.0, 2.0, 30.0, 40.0]},
]
_PERSON = {
    "category_id": 1,
    "bbox": [1.0, 2.0, 30.0, 40.0],
    "area": 500.0,
    "iscrowd": 0,
    "num_keypoints": 17,
    "keypoints": [2 if k % 3 == 2 else k for k in range(51)],
}
_COCO = {
    "images": [{"id": k, "file_name": f"a/{k}.png", "width": 64, "height": 48} for k in (1, 2)],
    "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": [[1, 2]]}],
    "annotations": [{"id": k, "image_id": k, **_PERSON} for k in (1, 2)],
}
_OPENPOSE = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [1.0] * 75, "face_keypoints_2d": []}]}
_INSTANCE = {"keypoints": [[float(10 + k), 20.0] for k in range(17)], "keypoint_scores": [0.9] * 17, "bbox_score": 0.8}
_add("poses_list", "json", _json(_RESULTS), poses2d.read_poses2d)
_add("poses_coco", "json", _json(_COCO), poses2d.read_poses2d)
_add("poses_mmpose_image", "json", _json([_INSTANCE]), poses2d.read_poses2d)
_VIDEO = [{"frame_id": k, "instances": [_INSTANCE]} for k in range(2)]
_add("poses_mmpose_video", "json", _json(_VIDEO), poses2d.read_poses2d)
_add("poses_mmpose_demo", "json", _json({"meta_info": {}, "instance_info": _VIDEO}), poses2d.read_poses2d)
_add("poses_names", "json", _json(_COCO), lambda p: _poses_with_names(p))
_add("openpose_file", "json", _json(_OPENPOSE, "take_000000000000_keypoints.json"), openpose.read_openpose_file)


def _poses_with_names(path: Path) -> Any:
    results = path.with_name("results.json")
    results.write_text(json.dumps(_RESULTS))
    return poses2d.read_poses2d(results, annotations=path)


def _openpose_folder(folder: Path) -> None:
    for k in range(3):
        openpose.write_openpose_frame(folder, "take", k, np.arange(75.0).reshape(1, 25, 3))


def _prediction_folder(folder: Path) -> None:
    for k in range(2):
        (folder / f"{k:06d}.json").write_text(json.dumps([_INSTANCE]))


_SECOND = "take_000000000001_keypoints.json"
_add("openpose_folder", "json", _beside(_openpose_folder, _SECOND), lambda p: openpose.read_openpose_folder(p.parent))
_add("poses_openpose", "json", _beside(_openpose_folder, _SECOND), lambda p: poses2d.read_poses2d(p.parent))
_add(
    "poses_mmpose_folder", "json", _beside(_prediction_folder, "000001.json"), lambda p: poses2d.read_poses2d(p.parent)
)
_add("keypoint_results", "json", _json(_RESULTS), coco_results.load_keypoint_results)
_add("box_results", "json", _json(_RESULTS), coco_results.load_box_results)
_add("has_boxes", "json", _json(_RESULTS), coco_results.has_boxes)
_add("people", "json", _json(_COCO), coco_people.load_people)


def _boxes(path: Path) -> None:
    from orplugins.partial_body.box_files import frame_boxes, write_boxes

    write_boxes(path, [frame_boxes("a.png", (64, 48), [((1, 2, 30, 40), 0.9, "patient"), ((1, 2, 9, 9), 0.5, "user")])])


def _read_boxes(path: Path) -> Any:
    from orplugins.partial_body.box_files import read_boxes

    return read_boxes(path)


_add("boxes_object", "json", _made(_boxes, "fuzzed.json"), _read_boxes)
_add("boxes_list", "json", _json(_RESULTS), _read_boxes)


def _refined(path: Path) -> None:
    from orplugins.refinet.pipeline import write_poses
    from orplugins.refinet.refiner import Refined3D

    fields = {
        "points": np.ones((1, 15, 3)),
        "plain": np.ones((1, 15, 3)),
        "pixels": 100 + np.arange(30.0).reshape(1, 15, 2),
        "valid": np.ones((1, 15), bool),
        "hidden": np.zeros((1, 15), bool),
        "confidence": np.ones((1, 15)),
    }
    write_poses(path, ["a"], [Refined3D(**fields)])


_add("poses_refined", "json", _made(_refined, "fuzzed.json"), poses2d.read_poses2d)


def _box_frames(path: Path) -> Any:
    from orplugins.videopose3d.inputs import InputOptions, read_input

    if path.is_dir():
        raise ValueError(f"{path}: a folder, which is another input")
    return read_input(path, InputOptions(size=(640, 480)))


_add("lift_list", "json", _json(_RESULTS), _box_frames)
_add(
    "mvor",
    "json",
    _json(mvor_files.annotations),
    _late("orplugins.mvor.annotations", "load_mvor"),
)
_IDENTITIES = [{"id": k, "image_id": k, "bbox": [1.0, 2.0, 30.0, 40.0], "person_id": 0} for k in (1, 2)]
_add(
    "identities",
    "json",
    _json({"annotations": _IDENTITIES, "pairs": [{"ids": [1, 2], "score": 0.5}]}),
    _late("orplugins.io.cross_view", "read_cross_view"),
)


# ---- cameras

_PARALLEL = json.dumps({"parallel": calibration_files.PAIR})
_add("rig_parallel", "json", _text(_PARALLEL, "fuzzed.json"), calibration.read_rig)
_add("parallel", "json", _text(_PARALLEL, "fuzzed.json"), calibration.read_parallel)
_add("is_parallel", "json", _text(_PARALLEL, "fuzzed.json"), calibration.is_parallel)
_YAML = """cameras:
- name: a
  image_size: [640, 480]
  K: [[600, 0, 320], [0, 600, 240], [0, 0, 1]]
  R: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
  t: [0, 0, 3]
- name: b
  image_size: [640, 480]
  K: [[600, 0, 320], [0, 600, 240], [0, 0, 1]]
  R: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
  t: [1, 0, 3]
up: [0, -1, 0]
"""
_add("rig_yaml", "text", _text(_YAML, "fuzzed.yaml"), calibration.read_rig, cost=4)


def _xml(folder: Path) -> None:
    for k, camera in enumerate(calibration_files.rig()["cameras"]):
        (folder / f"{k}.xml").write_text(calibration_files.openpose_xml(camera))


_add("rig_openpose", "text", _beside(_xml, "1.xml"), lambda p: calibration.read_rig(p.parent))
for _read, _files in (
    (calibration.read_rig, calibration_files.two_camera_files()),
    (calibration.load_camera, calibration_files.one_camera_files()),
):
    for _name, _content in _files.items():
        _kind = "json" if _name.endswith(".json") else "text"
        _add(f"calibration_{_name}", _kind, _text(_content, _name), _read)


def _vp3d_cameras() -> dict:
    view = {
        "size": [640, 480],
        "focal": [600, 600],
        "center": [320, 240],
        "orientation": [1.0, 0, 0, 0],
        "position": [0.0, 0, 3],
    }
    return {"S1": [{**view, "radial": [0.1, 0, 0]}, view]}


def _vp3d(name: str) -> Any:
    return getattr(importlib.import_module("orplugins.videopose3d.files"), name)


_add("lifting_cameras", "json", _json(_vp3d_cameras), _late("orplugins.videopose3d.files", "read_cameras"))


# ---- motion


def _record() -> kinect_files.KinectRecord:
    frames = np.arange(3)
    xyz = np.arange(180, dtype=float).reshape(3, 20, 3) / 100
    return kinect_files.KinectRecord(
        frames, frames / 30, np.zeros(3, int), xyz, np.full((3, 20), 2), 30.0, "kinect_v1", "absolute", {"subject": "a"}
    )


def _recording(path: Path) -> Any:
    from orplugins.motion.recordings import read_recording

    return read_recording(path)


def _csv() -> str:
    head = "Frame,Time," + ",".join(
        f"{joint}{axis}" for joint in kinect_files.JOINT_NAMES for axis in ("X", "Y", "Z", "State")
    )
    rows = [",".join([str(k), f"{k / 30:.4f}", *(["0.1", "0.2", "2.5", "2"] * 20)]) for k in range(3)]
    return "\n".join([head, *rows]) + "\n"


def _motion_npz(path: Path) -> None:
    clip_files.write_motion_npz(
        path, np.ones((3, 17, 3)), np.full((3, 17), 2), np.zeros((3, 17), int), 30.0, {"a": 1}, "coco_17"
    )


_write_record = _made(lambda p: kinect_files.write_kinect_record(p, _record()), "fuzzed.txt")
_add("kinect_record", "text", _write_record, kinect_files.read_kinect_record)
_add("kinect_csv", "text", _text(_csv(), "fuzzed.csv"), kinect_files.read_kinect_export)
_add(
    "kinect_npy", "npy", _made(lambda p: np.save(p, np.ones((3, 20, 4))), "fuzzed.npy"), kinect_files.read_kinect_export
)
_kinect_npz = _made(lambda p: np.savez(p, xyz=np.ones((3, 20, 3)), state=np.full((3, 20), 2)), "fuzzed.npz")
_add("kinect_npz", "npz", _kinect_npz, kinect_files.read_kinect_export)
_add("motion_npz", "npz", _made(_motion_npz, "fuzzed.npz"), clip_files.read_motion_npz)
_add("recording_record", "text", _write_record, _recording)
_add("recording_csv", "text", _text(_csv(), "fuzzed.csv"), _recording)
_add("recording_npz", "npz", _made(_motion_npz, "fuzzed.npz"), _recording)
_add("recording_kinect_npz", "npz", _kinect_npz, _recording)
_add("recording_npy", "npy", _made(lambda p: np.save(p, np.ones((3, 17, 3))), "fuzzed.npy"), _recording)


def _markers(write: Callable[..., Any]) -> Callable[[Path], None]:
    return lambda path: write(path, np.arange(3), np.ones((3, 2, 3)), ("LHip", "Nose"), 30.0)


_add("recording_trc", "text", _made(_markers(trc.write_trc), "fuzzed.trc"), _recording)
if importlib.util.find_spec("c3d"):  # the extra c3d
    _add("recording_c3d", "binary", _made(_markers(c3d_files.write_c3d), "fuzzed.c3d"), _recording)


# ---- VideoPose3D


def _clip(path: Path) -> None:
    keypoints = np.arange(102, dtype=np.float32).reshape(3, 17, 2)
    clip = _vp3d("Keypoints2D")(
        keypoints, np.ones(3, bool), (640, 480), 25.0, "take", scores=np.ones((3, 17), np.float32)
    )
    _vp3d("write_clip")(path, clip)


def _archive(path: Path) -> None:
    write_detection_archive(path, [(np.array([[1, 2, 30, 40, 0.9]]), np.ones((1, 17, 3)))] * 2, (640, 480))


def _custom(path: Path) -> None:
    keypoints = 100 + np.arange(102, dtype=np.float32).reshape(3, 17, 2)
    write_custom_2d(path, [_vp3d("Keypoints2D")(keypoints, np.ones(3, bool), (640, 480), None, "take")])


def _h36m(folder: Path) -> None:
    views = [np.ones((4, 17, 2), np.float32), np.ones((4, 17, 2), np.float32)]
    meta = {"num_joints": 17, "keypoints_symmetry": [[1], [2]]}
    np.savez_compressed(
        folder / "data_2d.npz", positions_2d=np.array({"S1": {"Walk": views}}, dtype=object), metadata=np.array(meta)
    )
    clip = np.ones((4, 32, 3), np.float32)
    np.savez_compressed(folder / "data_3d.npz", positions_3d=np.array({"S1": {"Walk": clip}}, dtype=object))
    (folder / "cameras.json").write_text(json.dumps(_vp3d_cameras()))


def _lifting(path: Path) -> Any:
    from orplugins.skeletons import H36M_17

    folder = path.parent
    files = [str(folder / name) for name in ("data_2d.npz", "cameras.json", "data_3d.npz")]
    return _vp3d("load_lifting_clips")(*files, None, H36M_17, H36M_17)


for _name, _write, _reader in (
    ("clip", _clip, "read_clip"),
    ("archive", _archive, "read_detection_archive"),
    ("custom", _custom, "read_custom_2d"),
):
    _add(f"lift_{_name}", "npz", _made(_write, "fuzzed.npz"), lambda p, name=_reader: _vp3d(name)(p))
    _add(f"lift_input_{_name}", "npz", _made(_write, "fuzzed.npz"), _box_frames)
_add("positions_2d", "npz", _beside(_h36m, "data_2d.npz"), _late("orplugins.videopose3d.files", "read_positions_2d"))
_add("positions_3d", "npz", _beside(_h36m, "data_3d.npz"), _late("orplugins.videopose3d.files", "read_positions_3d"))
_add("lifting_clips_2d", "npz", _beside(_h36m, "data_2d.npz"), _lifting)
_add("lifting_clips_3d", "npz", _beside(_h36m, "data_3d.npz"), _lifting)
_add("lifting_clips_cameras", "json", _beside(_h36m, "cameras.json"), _lifting)


# ---- RefiNet: ITOP, Baracca, poses


def _itop(folder: Path) -> None:
    from orplugins.refinet.itop import write_itop

    labels = {"id": np.array(["00_00000", "04_00001"]), "is_valid": np.ones(2), "visible_joints": np.ones((2, 15)),
              "image_coordinates": np.ones((2, 15, 2)), "real_world_coordinates": np.ones((2, 15, 3))}  # fmt: skip
    write_itop(folder, "side", "test", labels, iter(np.ones((2, 12, 16))))


def _itop_frames(path: Path) -> Any:
    from orplugins.refinet.itop import ItopFrames

    frames = ItopFrames(path)
    return [frames[k] for k in range(min(len(frames), 3))]


def _refinet(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"orplugins.refinet.{module}"), name)


_add(
    "itop_labels",
    "h5",
    _beside(_itop, "ITOP/ITOP_side_test_labels.h5"),
    _late("orplugins.refinet.itop", "load_itop_labels"),
)
_add("itop_depth", "h5", _beside(_itop, "ITOP/ITOP_side_test_depth_map.h5"), _itop_frames)
_POSES = np.ones((2, 15, 3), np.float32)


def _itop_poses(path: Path) -> None:
    _refinet("pose_files", "save_itop_poses")(path, np.arange(2), _POSES)


def _load_itop_poses(path: Path) -> Any:
    return _refinet("pose_files", "load_itop_poses")(path)


_add("itop_poses_npz", "npz", _made(_itop_poses, "fuzzed.npz"), _load_itop_poses)
_add("itop_poses_pickle", "pickle", _made(_itop_poses, "fuzzed.pkl"), _load_itop_poses)


def _baracca(folder: Path) -> None:
    (folder / "viewpoints.json").write_text(json.dumps({str(k): {"orientation": [0]} for k in range(8)}))
    sequence = folder / "001/000" / _refinet("baracca", "SEQUENCE_FILE")
    sequence.parent.mkdir(parents=True)
    people = {f"001/000/imgIR_001_000_{k:03d}.png": [np.ones((15, 3))] for k in range(2)}
    sequence.write_bytes(pickle.dumps({"IR": people}, protocol=4))
    np.savez(folder / "poses.npz", np.ones((2, 15, 3)))


def _baracca_poses(path: Path) -> Any:
    root = path.parents[2] if path.suffix == ".pkl" else path.parent
    _refinet("baracca", "_cache").clear()
    frames = _refinet("baracca", "baracca_frames")(root, 1, 1, 2)
    return _refinet("baracca", "load_baracca_poses")(root if path.suffix == ".pkl" else path, frames)


_add(
    "baracca_views",
    "json",
    _beside(_baracca, "viewpoints.json"),
    lambda p: _refinet("baracca", "baracca_frames")(p.parent),
)
_add("baracca_sequence", "pickle", _beside(_baracca, "001/000/hrnet_w48_384x288_with_yolo.pkl"), _baracca_poses)
_add("baracca_poses", "npz", _beside(_baracca, "poses.npz"), _baracca_poses)
_add(
    "plain_pickle",
    "pickle",
    _made(lambda p: p.write_bytes(pickle.dumps({"a": np.ones(3), "b": [1, "x"]}, 2)), "fuzzed.pkl"),
    safe_pickle.load_plain_pickle,
)


# ---- images, video


def _picture(**options: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from PIL import Image

        rows = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(rows).save(path, **options)

    return write


def _view_picture(path: Path) -> Any:
    from orplugins.partial_body.view_sets import read_picture

    return read_picture(path)


for _suffix, _options in (
    ("png", {}),
    ("jpg", {}),
    ("bmp", {}),
    ("tif", {}),
    ("webp", {"lossless": True}),
    ("ppm", {}),
):
    _add(f"image_{_suffix}", "binary", _made(_picture(**_options), f"fuzzed.{_suffix}"), images.read_image)
for _name in ("tiff_lzw", "tiff_deflate", "tiff_jpeg"):
    _method = {"tiff_lzw": "tiff_lzw", "tiff_deflate": "tiff_adobe_deflate", "tiff_jpeg": "jpeg"}[_name]
    _add(f"image_{_name}", "binary", _made(_picture(compression=_method), "fuzzed.tif"), images.read_image)
_add("view_picture", "binary", _made(_picture(), "fuzzed.png"), _view_picture)
_add("view_picture_jpg", "binary", _made(_picture(), "fuzzed.jpg"), _view_picture)


def _depth_png(path: Path) -> None:
    from orplugins.depth.png import save_depth

    save_depth(path, np.random.default_rng(0).integers(500, 4000, (12, 16), dtype=np.uint16))


def _load_depth(path: Path) -> Any:
    from orplugins.depth.png import is_depth_png, load_depth

    is_depth_png(path)
    return load_depth(path)


_add("depth_png", "binary", _made(_depth_png, "fuzzed.png"), _load_depth)
_add("view_picture_depth", "binary", _made(_depth_png, "fuzzed.png"), _view_picture)


def _video(path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, 255, (6, 48, 64, 3), dtype=np.uint8)
    video.write_video(path, rows, 25)


for _suffix in ("mp4", "avi", "mkv"):
    _add(
        f"video_{_suffix}", "binary", _made(_video, f"fuzzed.{_suffix}"), lambda p: sum(1 for _ in video.read_video(p))
    )


def _note(folder: Path) -> None:
    for k in range(2):
        images.write_image(folder / f"{k:06d}.png", np.zeros((48, 64, 3), np.uint8))
    (folder / "video.json").write_text(
        json.dumps({"path": "a.mp4", "fps": 25.0, "size": [64, 48], "frames": 2, "rotation": 0})
    )


_add(
    "video_note",
    "json",
    _beside(_note, "video.json"),
    lambda p: video.join_frames(p.parent, p.parent / "joined.avi"),
    writes=True,
)


# ---- MATLAB, statistics, notes of jobs


def _mat(compressed: bool) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from scipy.io import savemat

        rows = np.random.default_rng(0).normal(size=(2, 288))
        content = {"det3dPoses": rows[:, :30], "GT3dPoses": rows[:, :30].astype(np.float32), "enc_in": rows}
        savemat(path, content, do_compression=compressed)

    return write


_add("mat", "binary", _made(_mat(False), "fuzzed.mat"), coco_results.load_mv3dreg)
_add("mat_compressed", "binary", _made(_mat(True), "fuzzed.mat"), coco_results.load_mv3dreg)


def _statistics() -> dict:
    from orplugins.orpose_color.lifting import statistics_of

    random = np.random.default_rng(0)
    made = statistics_of(random.normal(size=(4, 17, 3)), random.normal(size=(4, 17, 3)))
    fields = importlib.import_module("orplugins.orpose_color.statistics")._FIELDS
    return {key: getattr(made, name).tolist() for name, (key, _) in fields.items()}


_add(
    "statistics",
    "json",
    _json(_statistics),
    _late("orplugins.orpose_color.statistics", "load_statistics"),
)


def _store(folder: Path) -> None:
    from orplugins.orpose_color.label_store import LabelStore

    store = LabelStore(folder / "labels.json", {"a": [1]})
    person = {"category_id": 1, "bbox": [1.0, 2.0, 3.0, 4.0], "area": 12.0, "iscrowd": 0, "keypoints": [0] * 51}
    store.add("a.png", 48, 64, [person])
    store.add("b.png", 48, 64, [])


def _read_store(path: Path) -> Any:
    from orplugins.orpose_color.label_store import LabelStore

    store = LabelStore(path.parent.parent / "labels.json", {"a": [1]})
    return store.is_done("a.png"), store.is_done("b.png")


_add("label_notes", "jsonl", _beside(_store, "labels.json.parts/rank0.jsonl"), _read_store)
_add("label_settings", "json", _beside(_store, "labels.json.parts/settings.json"), _read_store)


def _journal(path: Path) -> None:
    journal = resume_log.Journal(path, {"a": 1})
    journal.add("a.png", {"people": [1, 2]})
    journal.add("b.png", [])
    journal.close()


_add("journal", "jsonl", _made(_journal, "fuzzed.jsonl"), lambda p: resume_log.Journal(p, {"a": 1}).close())


# ---- generated sets


def _resume(path: Path) -> Any:
    from orplugins.synthetic.export.mvor_layout import write_dataset

    folder = path.parents[2] if path.parent.name == "frames" else path.parent
    return write_dataset(folder, 2, 5, size=(64, 48), views=2, people=(2, 2), color=True, motion=2)


def _describe(path: Path) -> Any:
    from orplugins.synthetic.pipeline import describe_dataset

    folder = next(parent for parent in path.parents if (parent / "day1").is_dir())
    return describe_dataset(folder, 0)


def _motion_set(path: Path) -> Any:
    from orplugins.multiview.clip_set import read_motion_set

    return read_motion_set(path.parents[1])


def _depth_people(path: Path) -> Any:
    from orplugins.refinet.or_frames import load_depth_people

    return load_depth_people(path.parents[1])


def _detector_set(path: Path) -> Any:
    from orplugins.partial_body.detector_set import write_detector_set

    return write_detector_set(path, path.parents[1], path.parents[1] / "detector")


def _view_set(path: Path) -> Any:
    from orplugins.partial_body.view_sets import write_views

    return write_views(path, path.parents[1], path.parents[1] / "views", views=("whole",))


def _pairs(path: Path) -> Any:
    from orplugins.orpose_color.annotations import image_width_of, lifting_pairs

    return lifting_pairs(path), image_width_of([path])


def _draw(path: Path) -> Any:
    from orplugins.synthetic.pipeline import draw_clip

    folder = next(parent for parent in path.parents if (parent / "day1").is_dir())
    return draw_clip(folder, folder / "found.json", folder / "drawn")


def _set_with_detections(folder: Path) -> None:
    shutil.copytree(_generated(), folder, dirs_exist_ok=True)
    ids = [image["id"] for image in json.loads((folder / "annotations/coco17.json").read_text())["images"]]
    (folder / "found.json").write_text(
        json.dumps([{**record, "image_id": i} for record, i in zip(_RESULTS, ids, strict=False)])
    )


_COCO_FILE = "annotations/coco17.json"
_add("set_parameters", "json", _set("parameters.json"), _resume)
_add("set_statistics", "json", _set(_COCO_FILE), _describe)
_add("set_statistics_mvor", "json", _set("annotations/mvor.json"), _describe)
_add("set_statistics_parameters", "json", _set("parameters.json"), _describe)
_add("set_statistics_notes", "json", _set("annotations/frames/000000.json"), _describe, cost=4)
_add("motion_set", "json", _set(_COCO_FILE), _motion_set)
_add("depth_people", "json", _set(_COCO_FILE), _depth_people)
_add("detector_set", "json", _set(_COCO_FILE), _detector_set, writes=True)
_add("view_set", "json", _set(_COCO_FILE), _view_set, writes=True)
_add("lifting_pairs", "json", _set(_COCO_FILE), _pairs)
_add("generated_people", "json", _set(_COCO_FILE), coco_people.load_people)
_add(
    "generated_mvor",
    "json",
    _set("annotations/mvor.json"),
    _late("orplugins.mvor.annotations", "load_mvor"),
)
_add("draw_clip_set", "json", _beside(_set_with_detections, _COCO_FILE), _draw, writes=True, cost=20)
_add("draw_clip_found", "json", _beside(_set_with_detections, "found.json"), _draw, writes=True, cost=20)


# ---- weights


def _torch_file(path: Path) -> None:
    import torch

    torch.save({"state_dict": {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2)}, "meta": {"epoch": 1}}, path)


def _legacy_file(path: Path) -> None:
    import torch

    torch.save({"state_dict": {"a.weight": torch.ones(2, 3)}}, path, _use_new_zipfile_serialization=False)


def _safetensors(path: Path) -> None:
    import torch

    from orplugins.io.weights import write_weights

    write_weights(path, {"a": torch.ones(2, 3)}, {"epoch": 1})


def _weights(path: Path) -> Any:
    from orplugins.io.weights import read_weights

    return read_weights(path)


_add("pth", "binary", _made(_torch_file, "fuzzed.pth"), _weights)
_add("pth_legacy", "binary", _made(_legacy_file, "fuzzed.pth"), _weights)
_add("safetensors", "binary", _made(_safetensors, "fuzzed.safetensors"), _weights)
_zoo = _made(
    lambda p: p.write_bytes(pickle.dumps({"model": {"a": np.ones(3, np.float32)}, "__author__": "x"}, 2)), "fuzzed.pkl"
)
_add("zoo_pkl", "pickle", _zoo, _late("orplugins.io.check_weights", "check_weights"))


def _run_record(moment: int) -> dict:
    people = [{"track": 0, "score": 0.5, "keypoints": [[10.0 * k, 20.0, 0.9] for k in range(17)]}]
    camera = {"frame": moment, "name": "0.png", "time": 0.1, "size": [640, 480], "people": people}
    joints = [None, *[[0.1 * k, 1.0, 2.0] for k in range(16)]]
    placed = [{"track": 0, "seen_by": {"cam1": 0}, "keypoints3d": joints}]
    return {"type": "people", "moment": moment, "time": moment / 10, "cameras": {"cam1": camera}, "people3d": placed}


_START = {"type": "start", "cameras": {"cam1": {"size": [640, 480]}}, "joints": list(COCO_17.joints), "limbs": [[0, 1]]}
_lines = "".join(json.dumps(record) + "\n" for record in (_START, *map(_run_record, range(3))))
_add("live_records", "jsonl", _text(_lines, "records.jsonl"), _all_records)


def _positions(path: Path) -> Any:
    from orplugins.adaptor.splits import split_by_file

    return split_by_file(9, 1.0, 1, path)


_add("positions", "json", _json({"1.0": {"1": [1, 4, 90], "2": [3]}}), _positions)
