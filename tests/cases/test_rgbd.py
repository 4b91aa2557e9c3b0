"""Recordings as users have them: OpenPose's names and units, files of other programs, archives of joints."""

from __future__ import annotations

import json

import numpy as np
import pytest

from orplugins.io.atomic import write_json
from orplugins.multiview.pipeline import RigSettings, reconstruct_views
from orplugins.refinet import pipeline
from orplugins.skeletons import BODY_25, COCO_17, convert
from orplugins.synthetic.pipeline import TakeSettings, make_take
from orplugins.synthetic.render.frames import render_frames
from orplugins.videopose3d.inputs import InputOptions, read_input

torch = pytest.importorskip("torch")

from orplugins.depth.png import save_depth  # noqa: E402

SIDES = ("left", "right")


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    out = tmp_path_factory.mktemp("take")
    make_take(TakeSettings(out, frames=40))
    return out


# ---- OpenPose's forms before a parallel pair


def scaled(document, k):
    for person in document["people"]:
        joints = np.array(person["pose_keypoints_2d"]).reshape(-1, 3)
        there = joints[:, 2] > 0
        joints[there, :2] /= (639, 479)
        person["pose_keypoints_2d"] = joints.ravel().tolist()
    return document


def old_key(document, k):
    people = [{"pose_keypoints": person["pose_keypoints_2d"]} for person in document["people"]]
    return {"version": 1.0, "people": people}


@pytest.mark.parametrize(
    "edit, name",
    [
        (None, "color_{stamp_us}"),
        (None, "color_{stamp_ms}"),
        (None, "{k:06d}"),
        (None, "{k}"),
        (None, "take.2024_{k:016d}"),
        (old_key, "left_{k:012d}"),
        (scaled, "left_{k:012d}"),
    ],
)
def test_every_form_of_openpose_gives_the_same_motion(take, tmp_path, edit, name):
    views = []
    for side in SIDES:
        for k, path in enumerate(sorted((take / f"openpose_{side}").glob("*.json"))):
            document = json.loads(path.read_text())
            stem = name.format(k=k, stamp_us=1_700_000_000_000_000 + 33333 * k, stamp_ms=1_700_000_000 + 33 * k)
            write_json(tmp_path / side / f"{stem}_keypoints.json", edit(document, k) if edit else document)
        views.append(str(tmp_path / side))
    plain = tuple(str(take / f"openpose_{side}") for side in SIDES)
    first = reconstruct_views(RigSettings(take / "pair.json", plain, tmp_path / "plain", pictures=0))
    found = reconstruct_views(RigSettings(take / "pair.json", tuple(views), tmp_path / "found", pictures=0))
    assert (found.frames, found.counts) == (first.frames, first.counts)
    a, b = (np.load(tmp_path / folder / "motion.npz")["xyz"] for folder in ("plain", "found"))
    np.testing.assert_allclose(b, a, atol=1e-6)


# ---- poses and cameras of other programs, with depth


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    out = tmp_path_factory.mktemp("recording")
    poses = []
    for k in range(3):
        frame = render_frames(21, k, (320, 240), views=1, people=(2, 3))[1][0]
        save_depth(out / f"depth/{k:06d}.png", frame.depth_mm)
        poses.append(frame.view.keypoints[COCO_17.name])
        if not k:
            lens = {name: getattr(frame.camera, name) for name in ("fx", "fy", "cx", "cy", "size")}
            write_json(out / "camera.json", lens)
    return out, poses, lens


def refined(recording, poses, camera="camera.json", **options):
    folder, _, _ = recording
    out = poses.parent / "out"
    settings = pipeline.RefineSettings(poses, folder / "depth", folder / camera, out, plain=True, pictures=0, **options)
    done = pipeline.refine_recording(settings)
    return done, np.load(done.npz)["points"]


def body_25(pose):
    joints = convert(np.column_stack([pose[:, :2], np.minimum(pose[:, 2], 1)]), COCO_17, BODY_25)
    return joints


def openpose(folder, recording, name, edit=lambda joints: joints, extra=None):
    for k, people in enumerate(recording[1]):
        bodies = [edit(body_25(person)) for person in people]
        records = [{"pose_keypoints_2d": body.ravel().tolist(), "face_keypoints_2d": []} for body in bodies]
        records += extra if extra and k == 1 else []
        write_json(folder / "op" / f"{name.format(k=k)}_keypoints.json", {"people": records})
    return folder / "op"


@pytest.fixture(scope="module")
def plain(recording, tmp_path_factory):
    return refined(recording, openpose(tmp_path_factory.mktemp("plain"), recording, "{k:06d}"))[1]


def test_names_of_videos_beside_numbered_depth(recording, plain, tmp_path):
    done, points = refined(recording, openpose(tmp_path, recording, "take1_{k:012d}"))
    np.testing.assert_array_equal(points, plain)
    assert not done.failed and not done.notes


def test_parts_of_the_image_are_named(recording, plain, tmp_path):
    share = lambda joints: np.where(joints[:, 2:] > 0, joints / (319, 239, 1), 0)  # noqa: E731
    done, points = refined(recording, openpose(tmp_path, recording, "{k:06d}", share))
    np.testing.assert_allclose(points, plain, atol=1e-6)
    assert "keypoint_scale 3" in done.notes[0]


@pytest.mark.parametrize(
    "extra",
    [[{"pose_keypoints_2d": [None] * 75}], [{"pose_keypoints_2d": [], "face_keypoints_2d": [1.0] * 210}]],
    ids=["nothing known", "a face alone"],
)
def test_people_without_a_body_are_nobody(recording, plain, tmp_path, extra):
    np.testing.assert_array_equal(refined(recording, openpose(tmp_path, recording, "{k:06d}", extra=extra))[1], plain)


def test_a_cut_file_is_named_and_the_others_are_done(recording, plain, tmp_path):
    folder = openpose(tmp_path, recording, "{k:06d}")
    path = folder / "000001_keypoints.json"
    path.write_text(path.read_text()[:100])
    done, points = refined(recording, folder)
    assert done.frames == ["000000", "000002"] and list(done.failed) == [path.name]
    assert len(points) == len(recording[1][0]) + len(recording[1][2])


def test_realsense_intrinsics_and_keys_that_nobody_knows(recording, plain, tmp_path):
    folder, _, lens = recording
    poses = openpose(tmp_path, recording, "{k:06d}")
    fx, fy, cx, cy = (lens[name] for name in ("fx", "fy", "cx", "cy"))
    realsense = dict(
        width=320, height=240, fx=fx, fy=fy, ppx=cx, ppy=cy, model="distortion.brown_conrady", coeffs=[0] * 5
    )
    write_json(folder / "rs.json", realsense)
    np.testing.assert_array_equal(refined(recording, poses, "rs.json")[1], plain)
    write_json(folder / "odd.json", {**lens, "Fx": 1, "unit": "mm"})
    with pytest.raises(ValueError, match="odd.json.*(Fx|unit)"):
        refined(recording, poses, "odd.json")
    write_json(folder / "lens.json", {**lens, "dist": [0.3, -0.2, 0, 0, 0]})
    write_json(folder / "same.json", {**lens, "distortion": [0.3, -0.2, 0, 0, 0]})
    bent, same = (refined(recording, poses, name)[1] for name in ("lens.json", "same.json"))
    np.testing.assert_array_equal(bent, same)
    assert np.abs(bent - plain).max() > 0.01


# ---- one person's joints, to be lifted


@pytest.fixture(scope="module")
def clip(take):
    records = json.loads((take / "camera1.json").read_text())
    return np.array([record["keypoints"] for record in records]).reshape(-1, 17, 3)


META = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"take.mp4": {"w": 640, "h": 480}}}
OPTIONS = InputOptions(size=(640, 480))


def archive(path, positions, meta=META):
    np.savez_compressed(path, positions_2d=np.array(positions, dtype=object), metadata=np.array(meta, dtype=object))
    return path


@pytest.mark.parametrize("missing", [np.nan, 0.0])
def test_missing_frames_of_an_archive_are_interpolated(clip, tmp_path, missing):
    joints = clip[..., :2].astype(np.float32)
    joints[20:24] = missing
    read = read_input(archive(tmp_path / "a.npz", {"take.mp4": {"custom": [joints]}}), InputOptions())
    assert np.flatnonzero(~read.clip.detected).tolist() == [20, 21, 22, 23]
    assert np.isfinite(read.clip.keypoints).all() and read.clip.keypoints[20:24].min() > 50


def test_archives_by_subject_and_action(clip, tmp_path):
    joints = clip[..., :2].astype(np.float32)
    path = archive(tmp_path / "a.npz", {"S9": {"Walking": [joints, joints + 1]}, "S11": {"Eating": [joints + 2]}})
    read = read_input(path, InputOptions(size=(640, 480), video_name="S9/Walking/1"))
    np.testing.assert_allclose(read.clip.keypoints[read.clip.detected], (joints + 1)[read.clip.detected], atol=30)
    first = read_input(path, InputOptions(size=(640, 480), video_name="S9"))
    assert "S9/Walking/0 taken of 2 cameras" in first.warnings[0]
    with pytest.raises(ValueError, match=r"3 clips \(S9/Walking/0, S9/Walking/1, S11/Eating/0\), expected a choice"):
        read_input(path, OPTIONS)
    with pytest.raises(ValueError, match="give --size"):
        read_input(path, InputOptions(video_name="S11"))


def test_screen_units_of_an_archive(clip, tmp_path):
    units = clip[..., :2] / 320 - (1, 0.75)
    plain = read_input(archive(tmp_path / "p.npz", {"take.mp4": {"custom": [clip[..., :2]]}}), InputOptions())
    read = read_input(archive(tmp_path / "a.npz", {"take.mp4": {"custom": [units]}}), InputOptions())
    there = plain.clip.detected & read.clip.detected
    seen = (clip[..., 2] > 0)[there]
    np.testing.assert_allclose(read.clip.keypoints[there][seen], plain.clip.keypoints[there][seen], atol=0.01)
    assert "screen units" in read.warnings[0]


def test_predictions_and_lists_of_other_programs_agree(take, clip, tmp_path):
    plain = read_input(take / "camera1.json", OPTIONS).clip.keypoints
    video = [
        {"frame_id": k, "instances": [{"keypoints": pose[:, :2].tolist(), "keypoint_scores": pose[:, 2].tolist()}]}
        for k, pose in enumerate(clip)
    ]
    write_json(tmp_path / "mmpose.json", video)
    named = [{**r, "image_id": f"{r['image_id']}.jpg"} for r in json.loads((take / "camera1.json").read_text())]
    write_json(tmp_path / "alphapose.json", named)
    for name in ("mmpose.json", "alphapose.json"):
        np.testing.assert_allclose(read_input(tmp_path / name, OPTIONS).clip.keypoints, plain)
    with pytest.raises(ValueError, match="lie outside an image of 320x240"):
        read_input(take / "camera1.json", InputOptions(size=(320, 240)))
