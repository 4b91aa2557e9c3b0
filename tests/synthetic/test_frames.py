"""Generated frames: truth and picture agree, over views and over runs."""

import numpy as np
import pytest

from orplugins.skeletons import H36M_17, ITOP_15
from orplugins.synthetic.render.annotate import COVER, JOINT_SETS, camma_joints
from orplugins.synthetic.render.frames import render_frames
from orplugins.synthetic.scene.scene import fits, hand_clearance, make_scene

SIZE = (320, 240)


@pytest.fixture(scope="module")
def moments():
    return [render_frames(11, index, SIZE, noise=False, backend="numpy") for index in range(3)]


def test_2d_joints_are_projections_of_3d_joints(moments):
    count = 0
    for _, frames in moments:
        for frame in frames:
            for skeleton in JOINT_SETS:
                keypoints, points = frame.view.keypoints[skeleton.name], frame.view.points[skeleton.name]
                pixels, z = frame.camera.project(points)
                labelled = keypoints[..., 2] > 0
                assert np.abs(pixels - keypoints[..., :2])[labelled].max(initial=0) < 0.1
                assert (z[labelled] > 0).all() and not keypoints[~labelled].any()
                count += labelled.sum()
    assert count > 400


def test_depth_at_a_seen_joint_is_its_own_within_the_body(moments):
    near, count = 0, 0
    for _, frames in moments:
        for frame in frames:
            z = frame.camera.world_to_camera(frame.view.points["coco_17"])[..., 2]
            for person, joints, depth in zip(frame.view.person_ids, frame.view.keypoints["coco_17"], z, strict=True):
                for (x, y, v), cover, deep in zip(joints, COVER, depth, strict=True):
                    if v == 2:
                        row, column = (int(np.clip(round(c), 0, n - 1)) for c, n in ((y, SIZE[1]), (x, SIZE[0])))
                        patch = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
                        own = frame.instances[patch] == person
                        gap = deep - frame.depth_mm[patch][own] / 1000
                        near += bool(own.any()) and -0.08 < gap.max() and gap.min() < cover + 0.03
                        count += 1
    assert count > 100 and near / count > 0.98


def test_people_are_the_same_in_every_view(moments):
    for scene, frames in moments:
        truth = {person.id: person.body.joints for person in scene.people}
        for frame in frames:
            for number, points in zip(frame.view.person_ids.tolist(), frame.view.points["coco_17"], strict=True):
                np.testing.assert_array_equal(points, truth[number])
            assert set(np.unique(frame.instances)) <= {0, *truth}


def test_boxes_hold_what_is_seen(moments):
    for _, frames in moments:
        for frame in frames:
            view = frame.view
            for number, (x, y, w, h), full, area in zip(
                view.person_ids, view.bboxes, view.full_bboxes, view.areas, strict=True
            ):
                rows, columns = np.nonzero(frame.instances == number)
                assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x, y, x + w, y + h)
                assert area == len(rows)
                assert full[0] <= x + 1 and full[1] <= y + 1
                assert full[0] + full[2] >= x + w - 1 and full[1] + full[3] >= y + h - 1


def test_joint_sets_agree(moments):
    scene, _ = moments[0]
    body = scene.people[-1].body
    frame = next(f for _, frames in moments for f in frames if len(f.view.person_ids))
    points = {name: values[0] for name, values in frame.view.points.items()}
    coco = points["coco_17"]
    for skeleton in (H36M_17, ITOP_15):
        for name, joint in (("left_shoulder", 5), ("right_elbow", 8), ("left_knee", 13), ("right_hip", 12)):
            np.testing.assert_array_equal(points[skeleton.name][skeleton.index(name)], coco[joint])
    np.testing.assert_allclose(points["camma_10"][1], coco[5:7].mean(0))
    mvor = camma_joints(body, "mvor")
    assert np.linalg.norm(mvor[4] - mvor[5]) == pytest.approx(0.32)
    assert np.linalg.norm(mvor[0] - mvor[2:4].mean(0)) == pytest.approx(0.2, abs=0.05)


def test_colour_and_depth_only_show_the_same_scene():
    _, plain = render_frames(3, 1, (96, 72), views=1, backend="numpy")
    _, coloured = render_frames(3, 1, (96, 72), views=1, color=True, backend="numpy")
    np.testing.assert_array_equal(plain[0].depth_mm, coloured[0].depth_mm)
    picture = coloured[0].color
    assert picture.shape == (72, 96, 3) and picture.dtype == np.uint8 and 60 < picture.mean() < 220
    assert plain[0].color is None


def test_a_frame_depends_on_seed_and_index_alone():
    one = render_frames(3, 5, (96, 72), views=2, backend="numpy")[1]
    render_frames(3, 6, (96, 72), views=2, backend="numpy")
    two = render_frames(3, 5, (96, 72), views=2, backend="numpy")[1]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.depth_mm, b.depth_mm)
    first = render_frames(3, 5, (96, 72), views=1, backend="numpy")[1][0]
    assert (first.depth_mm != render_frames(4, 5, (96, 72), views=1, backend="numpy")[1][0].depth_mm).mean() > 0.5


# Joints of the first person and medians of the exact depth of three cameras of frame (21, 0), as first made with
# Python 3.10 and NumPy 1.26. Other machines round elsewhere: positions to a millimetre, depth to three.
GOLDEN = "frame_21_0.npz"


def test_another_machine_makes_the_same_frame_within_tolerance():
    from pathlib import Path

    scene, frames = render_frames(21, 0, (64, 48), noise=False, backend="numpy")
    with np.load(Path(__file__).parent / GOLDEN) as golden:
        joints = np.array([person.body.joints for person in scene.people])
        assert joints.shape == golden["joints"].shape
        assert np.abs(joints - golden["joints"]).max() < 0.001
        depth = np.array([frame.depth_mm for frame in frames]).astype(int)
        assert (np.abs(depth - golden["depth"].astype(int)) <= 3).mean() > 0.999


def test_sizes_show_the_same_scene():
    _, (small, *_) = render_frames(8, 0, (64, 48), views=1, noise=False, backend="numpy")
    _, (large, *_) = render_frames(8, 0, (256, 192), views=1, noise=False, backend="numpy")
    shared = np.isin(large.view.person_ids, small.view.person_ids)
    assert shared.mean() > 0.5
    same = [k for k, i in enumerate(small.view.person_ids) if i in large.view.person_ids]
    a, b = small.view.keypoints["coco_17"][same], large.view.keypoints["coco_17"][shared]
    both = (a[..., 2] > 0) & (b[..., 2] > 0)
    np.testing.assert_allclose((a[..., :2] + 0.5)[both] * 4, (b[..., :2] + 0.5)[both], atol=1e-6)
    assert (a[..., 2] == b[..., 2]).mean() > 0.97  # seen or hidden does not depend on the picture's size


def test_sensor_errors_leave_most_pixels_near_the_truth():
    for index in range(1):
        _, (noisy, *_) = render_frames(2, index, SIZE, views=1, backend="numpy")
        _, (exact, *_) = render_frames(2, index, SIZE, views=1, noise=False, backend="numpy")
        measured = (noisy.depth_mm > 0) & (exact.depth_mm > 0)
        assert 0.7 < measured.mean() < 1.0
        error = np.abs(noisy.depth_mm.astype(int) - exact.depth_mm)[measured]
        assert np.median(error) < 25 and np.percentile(error, 90) < 150


def test_people_go_through_nothing():
    staff = 0
    for index in range(8):
        scene = make_scene(5, index, views=1)
        for k, person in enumerate(scene.people):
            if person.role == "clinician":
                staff += 1
                assert fits(scene.room, person, scene.people[:k])
                assert hand_clearance(scene.room, person.body) > -0.01
    assert staff > 8


def test_joints_under_the_drape_are_not_labelled():
    found = 0
    for index in range(5):
        scene, frames = render_frames(6, index, (64, 48), noise=False, backend="numpy")
        for frame in frames:
            for person, joints in zip(frame.view.person_ids, frame.view.keypoints["coco_17"], strict=True):
                about = next(p for p in scene.people if p.id == person)
                if about.role == "patient":
                    found += 1
                    assert not joints[15:, 2].any()  # ankles are under the cloth in every room with a patient
    assert found


@pytest.mark.parametrize(
    "bad, message",
    [
        (dict(views=0), "views: found 0"),
        (dict(views=4), "views: found 4"),
        (dict(people=(0, 200)), "found 200"),
        (dict(people=(3, 1)), "people: found"),
        (dict(size=(4, 4)), "size: found"),
        (dict(hips="x"), "hips: found 'x'"),
    ],
)
def test_impossible_options_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        render_frames(0, 0, **{"size": (64, 48), **bad})


def test_a_room_without_people():
    scene, frames = render_frames(0, 0, (64, 48), people=(0, 0), backend="numpy")
    assert not scene.people and all(len(frame.view.person_ids) == 0 for frame in frames)
    assert frames[0].view.keypoints["coco_17"].shape == (0, 17, 3)
