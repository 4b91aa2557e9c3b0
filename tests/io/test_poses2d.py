"""The one reader of 2D poses: OpenPose's, COCO's, mmpose's and our own forms."""

import json

import numpy as np
import pytest

from orplugins.io.coco_poses import named_skeleton
from orplugins.io.openpose import read_openpose_folder
from orplugins.io.poses2d import one_sequence, read_poses2d, sequence_clock
from orplugins.skeletons import BODY_25, BODY_25B, COCO_17, ITOP_15, MPI_15, OPENPOSE_18

RNG = np.random.default_rng(3)
POSE = np.concatenate([RNG.uniform(50, 200, (17, 2)), RNG.uniform(0.3, 1, (17, 1))], -1)


def dump(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def openpose(folder, name, poses, key="pose_keypoints_2d"):
    people = [{key: np.asarray(pose).ravel().tolist(), "face_keypoints_2d": [1.0] * 210} for pose in poses]
    return dump(folder / f"{name}_keypoints.json", {"version": 1.3, "people": people})


def body(skeleton, shift=0.0):
    """A person whose neck lies between the shoulders."""
    pose = np.concatenate([RNG.uniform(50, 200, (skeleton.num_joints, 2)), np.ones((skeleton.num_joints, 1))], -1)
    left, right = skeleton.index("left_shoulder"), skeleton.index("right_shoulder")
    pose[skeleton.index("neck"), :2] = pose[[left, right], :2].mean(0) + shift
    return pose


# --- OpenPose


@pytest.mark.parametrize(
    "names, numbers",
    [
        (["a_000000000000", "a_000000000002"], [0, 2]),
        (["take.v2_0000000000000007", "take.v2_0000000000000008"], [7, 8]),
        (["000001", "000002", "000005"], [1, 2, 5]),
        (["7", "8"], [7, 8]),
        (["IMG.0001", "IMG.0002"], [1, 2]),
        (["frame9", "frame10"], [9, 10]),
    ],
)
def test_names_of_openpose_files(tmp_path, names, numbers):
    for name in names:
        openpose(tmp_path, name, [body(BODY_25)])
    read = read_openpose_folder(tmp_path)
    assert read.numbers[read.counts >= 0].tolist() == numbers
    frames = read_poses2d(tmp_path).frames
    assert sorted(frame.number for frame in frames) == numbers and {f.frame for f in frames} == set(names)


@pytest.mark.parametrize(
    "skeleton", [BODY_25, BODY_25B, OPENPOSE_18, COCO_17, MPI_15], ids=lambda skeleton: skeleton.name
)
def test_joint_sets_of_openpose(tmp_path, skeleton):
    pose = np.concatenate([POSE[:1].repeat(skeleton.num_joints, 0)]) if skeleton is COCO_17 else body(skeleton)
    openpose(tmp_path, "a_000000000000", [pose, pose + (3, 1, 0)])
    (frame,) = read_poses2d(tmp_path).frames
    assert frame.skeleton is skeleton
    np.testing.assert_allclose(frame.keypoints[0], pose)


def test_the_old_key_nobody_and_bodies_that_are_empty(tmp_path):
    openpose(tmp_path, "a_0", [body(BODY_25)], key="pose_keypoints")
    openpose(tmp_path, "a_1", [])
    openpose(tmp_path, "a_2", [[]])
    read = read_poses2d(tmp_path)
    assert [len(frame.keypoints) for frame in read.frames] == [1, 0, 0] and not read.failed


def test_files_that_macos_leaves_beside_others_are_none(tmp_path):
    openpose(tmp_path, "a_0", [body(BODY_25)])
    (tmp_path / "._a_0_keypoints.json").write_bytes(b"\0\5\x16\7")
    assert read_openpose_folder(tmp_path).video == "a" and not read_poses2d(tmp_path).failed


def test_a_broken_file_is_one_failure(tmp_path):
    openpose(tmp_path, "a_0", [body(BODY_25)])
    (tmp_path / "a_1_keypoints.json").write_text('{"people": [')
    read = read_poses2d(tmp_path)
    assert len(read.frames) == 1 and "a_1_keypoints.json: not JSON or cut off" in read.failed[0]


@pytest.mark.parametrize("scale", [3, 4])
def test_scaled_coordinates_are_detected_and_named(tmp_path, scale):
    pose = body(BODY_25)
    part = pose / (319, 239, 1)
    part[0, :2] = 0.01  # so that both signs occur
    shown = part if scale == 3 else np.concatenate([2 * part[:, :2] - 1, part[:, 2:]], 1)
    openpose(tmp_path, "a_0", [shown])
    with pytest.raises(ValueError, match=rf"keypoint_scale {scale}\), not pixels: the image size is needed"):
        read_poses2d(tmp_path)
    read = read_poses2d(tmp_path, size=(320, 240))
    np.testing.assert_allclose(read.frames[0].keypoints[0, 1:], pose[1:], atol=1e-9)
    assert f"keypoint_scale {scale}" in read.notes[0]


def test_numbers_far_apart_are_not_expanded(tmp_path):
    for name in ("a_0", "a_1", "a_300000000"):
        openpose(tmp_path, name, [body(BODY_25)])
    with pytest.raises(ValueError, match="frame number 300000000 comes after 1"):
        read_openpose_folder(tmp_path)


# --- COCO


def record(image, pose=POSE, **more):
    return {"image_id": image, "category_id": 1, "keypoints": pose.ravel().tolist(), "score": 0.5, **more}


def test_a_result_list(tmp_path):
    read = read_poses2d(dump(tmp_path / "a.json", [record(7), record(9), record(9)]))
    assert [(f.frame, f.number, len(f.keypoints)) for f in read.frames] == [("7", 7, 1), ("9", 9, 2)]
    np.testing.assert_allclose(read.frames[0].keypoints[0], POSE)
    assert read.frames[0].scores.tolist() == [0.5]


def test_image_names_of_a_result_list(tmp_path):
    images = [{"id": 139, "file_name": "cam1/000.png", "width": 320, "height": 240}, {"id": 285, "file_name": "b.png"}]
    names = dump(tmp_path / "ann.json", {"images": images})
    read = read_poses2d(dump(tmp_path / "a.json", [record(139)]), annotations=names)
    assert [(f.frame, f.size, len(f.keypoints)) for f in read.frames] == [
        ("cam1/000.png", (320, 240), 1),
        ("b.png", None, 0),
    ]
    with pytest.raises(ValueError, match=r"'image_id' is 7, expected one of 2 ids"):
        read_poses2d(dump(tmp_path / "b.json", [record(7)]), annotations=names)


def test_image_ids_that_are_names(tmp_path):
    read = read_poses2d(dump(tmp_path / "a.json", [record(f"{k}.jpg") for k in (10, 9)]))
    assert [frame.number for frame in one_sequence(read).frames] == [9, 10]


def test_flags_are_no_scores(tmp_path):
    pose = POSE.copy()
    pose[:, 2] = [2] * 10 + [1] * 5 + [0] * 2
    images, boxes = [{"id": 1, "file_name": "a.png"}], {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}
    content = {"images": images, "annotations": [record(1, pose), boxes], "categories": [{"id": 1}]}
    for path in (dump(tmp_path / "a.json", content), dump(tmp_path / "b.json", [record(1, pose)])):
        (frame,) = read_poses2d(path).frames
        assert frame.keypoints.shape == (1, 17, 3)
        assert frame.keypoints[0, :15, 2].tolist() == [1] * 15 and np.isnan(frame.keypoints[0, 15:]).all()


def test_our_poses_have_scores_beside_flags(tmp_path):
    pose = POSE.copy()
    pose[:, 2] = 1
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 320, "height": 240}],
        "annotations": [record(1, pose, keypoint_scores=POSE[:, 2].tolist())],
        "categories": [{"id": 1, "name": "patient", "keypoints": list(COCO_17.joints)}],
    }
    (frame,) = read_poses2d(dump(tmp_path / "a.json", content)).frames
    np.testing.assert_allclose(frame.keypoints[0], POSE)


def test_joint_sets_by_name():
    assert named_skeleton([j.replace("_", " ").title() for j in COCO_17.joints], "x") is COCO_17
    with pytest.raises(ValueError, match="x: found the joints of coco_17 in another order"):
        named_skeleton(COCO_17.joints[::-1], "x")
    with pytest.raises(ValueError, match="found 2 joints: a, b"):
        named_skeleton(["a", "b"], "x")


def test_several_cameras_in_one_file(tmp_path):
    names = [f"rec/cam{c}/{k:06d}.png" for c in (1, 2) for k in (0, 1)]
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    content = {"images": images, "annotations": [record(i) for i in range(4)]}
    read = read_poses2d(dump(tmp_path / "a.json", content))
    with pytest.raises(ValueError, match=r"images of 2 folders \(rec/cam1, rec/cam2\): expected a choice of one"):
        one_sequence(read)
    assert [f.frame for f in one_sequence(read, "cam2").frames] == names[2:]
    with pytest.raises(ValueError, match="'cam3' is none of them"):
        one_sequence(read, "cam3")


# --- mmpose and our own 3D poses


def instance(pose=POSE):
    return {
        "keypoints": pose[:, :2].tolist(),
        "keypoint_scores": pose[:, 2].tolist(),
        "bbox": [[0, 0, 1, 1]],
        "bbox_score": 0.9,
    }


def test_predictions_of_a_video_and_of_images(tmp_path):
    video = [{"frame_id": k, "instances": [instance()] * k} for k in range(3)]
    for path in (dump(tmp_path / "v.json", video), dump(tmp_path / "demo.json", {"instance_info": video})):
        read = read_poses2d(path)
        assert [(f.number, len(f.keypoints)) for f in read.frames] == [(0, 0), (1, 1), (2, 2)]
        np.testing.assert_allclose(read.frames[1].keypoints[0], POSE)
        assert read.frames[1].scores.tolist() == [0.9]
    dump(tmp_path / "preds/000001.json", [instance()])
    dump(tmp_path / "preds/000002.json", [])
    (tmp_path / "preds/000003.json").write_text("[")
    read = read_poses2d(tmp_path / "preds")
    assert [(f.frame, len(f.keypoints)) for f in read.frames] == [("000001", 1), ("000002", 0)]
    assert len(read.failed) == 1 and "000003.json" in read.failed[0]


def test_refined_poses(tmp_path):
    person = {"keypoints": POSE[:15, :2].tolist(), "confidence": [0.0, *POSE[1:15, 2].tolist()]}
    content = {"skeleton": "itop_15", "frames": [{"frame": "000003", "people": [person]}]}
    (frame,) = read_poses2d(dump(tmp_path / "poses3d.json", content)).frames
    assert frame.skeleton is ITOP_15 and np.isnan(frame.keypoints[0, 0]).all()
    np.testing.assert_allclose(frame.keypoints[0, 1:], POSE[1:15])


# --- units, sizes, clocks


def test_poses_of_other_images_are_refused(tmp_path):
    path = dump(tmp_path / "a.json", [record(0), record(1)])
    with pytest.raises(
        ValueError,
        match=r"a.json: \d+ % of the joints lie outside an image of 100x80 .* another size, such as \d+x\d+\?",
    ):
        read_poses2d(path, size=(100, 80))
    assert "upper left quarter of 640x480" in read_poses2d(path, size=(640, 480)).notes[0]
    assert not read_poses2d(path, size=(240, 220)).notes


def test_parts_of_the_image_in_a_result_list(tmp_path):
    path = dump(tmp_path / "a.json", [record(0, POSE / (319, 239, 1))])
    with pytest.raises(ValueError, match="parts of the image from 0 to 1, not pixels"):
        read_poses2d(path)
    read = read_poses2d(path, size=(320, 240))
    np.testing.assert_allclose(read.frames[0].keypoints[0], POSE)
    assert "taken as of 320x240" in read.notes[0]


def test_nobody_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="nobody in any of 1 frames"):
        read_poses2d(dump(tmp_path / "a.json", [record(0, POSE * 0)]))


def test_time_stamps_of_a_list(tmp_path):
    path = dump(tmp_path / "a.json", [record(1_700_000_000_000 + 40 * k) for k in range(5)])
    clock = sequence_clock(one_sequence(read_poses2d(path)))
    assert clock.fps == 25 and (clock.index - clock.index[0]).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "content, message",
    [
        ([{"image_id": 3, "keypoints": [1.0] * 50}], r"detections\[0\]: 'keypoints' has 50 numbers"),
        ([{"image_id": 3.5, "keypoints": [1.0] * 51}], r"detections\[0\]: 'image_id' is 3.5, expected a whole number"),
        ([{"keypoints": [1.0] * 51}], r"detections\[0\]: missing key 'image_id'"),
        ({"people": []}, "one file of OpenPose, expected the folder"),
        ({"skeleton": "x", "frames": []}, "'skeleton' is 'x'"),
        (
            [{"frame_id": 0, "instances": [{"keypoints": [[1]] * 17, "keypoint_scores": [1] * 17}]}],
            "'x, y' has 1 numbers",
        ),
        ([{"frame_id": 0, "instances": 3}], "instances: found a number, expected a list"),
        (5, "found a number, expected a list of objects"),
        ({"images": 3, "annotations": []}, "images: found a number"),
    ],
)
def test_bad_files(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as error:
        read_poses2d(dump(tmp_path / "bad.json", content))
    assert str(error.value).startswith(str(tmp_path / "bad.json")) and "\n" not in str(error.value)
