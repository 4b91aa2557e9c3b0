"""Parts of the generator that vary: what they change, and that without them nothing changes."""

import numpy as np
import pytest

from orplugins.synthetic.export.in_memory import generate
from orplugins.synthetic.render import sensors
from orplugins.synthetic.render.frames import render_frames
from orplugins.synthetic.render.sensors import measure_by_any
from orplugins.synthetic.scene.anywhere import aim_cameras, other_room
from orplugins.synthetic.scene.free_poses import ARMS, LEGS, free_pose
from orplugins.synthetic.scene.human import body_model, facing, skin, solve
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.variety import PARTS, check_variety

SIZE = (64, 48)


def test_names_of_parts():
    assert check_variety(["rooms", "cameras", "rooms"]) == ("cameras", "rooms")
    assert check_variety(["all"]) == PARTS and check_variety([]) == ()
    with pytest.raises(ValueError, match="variety: found smells, expected some of cameras"):
        check_variety(["smells"])


@pytest.mark.parametrize("part", ["cameras", "poses", "rooms", "sensors", "clothes"])
def test_each_part_alone_gives_frames_that_depend_on_their_number_alone(part):
    options = dict(views=2, people=(1, 4), variety=(part,), fixed_cameras=False)
    (_, first), (_, again) = (render_frames(3, 5, SIZE, **options) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.depth_mm, b.depth_mm)
        np.testing.assert_array_equal(a.view.keypoints["coco_17"], b.view.keypoints["coco_17"])
    changed = 0
    for index in range(6):
        varied = render_frames(3, index, SIZE, **options)[1]
        plain = render_frames(3, index, SIZE, **{**options, "variety": ()})[1]
        changed += any((a.depth_mm != b.depth_mm).any() for a, b in zip(varied, plain, strict=True))
    assert changed >= 2


def test_joints_lie_on_their_people():
    hits = seen = 0
    for index in range(24):
        _, frames = render_frames(8, index, (96, 72), views=1, people=(1, 3), noise=False, variety=PARTS)
        for frame in frames:
            for person, number in zip(frame.view.keypoints["coco_17"], frame.view.person_ids, strict=True):
                shown = person[person[:, 2] == 2]
                x, y = np.rint(shown[:, :2]).astype(int).T
                hits += int((frame.instances[y.clip(0, 71), x.clip(0, 95)] == number).sum())
                seen += len(shown)
    assert seen > 100 and hits > 0.85 * seen


def test_cameras_of_every_height_and_angle():
    cameras = [c for k in range(80) for c in aim_cameras(np.random.default_rng(k), 1, np.array([[0, 0, 1.6]]))]
    heights = np.array([c.pose[2, 3] for c in cameras])
    pitch = np.degrees(np.arcsin([c.pose[2, 2] for c in cameras]))
    width = np.degrees(2 * np.arctan(320 / np.array([c.fx for c in cameras])))
    assert heights.min() < 1.2 and heights.max() > 2.7
    assert pitch.min() < -40 and (np.abs(pitch) < 10).mean() > 0.2
    assert 45 <= width.min() and width.max() <= 110 and np.ptp(width) > 40


def test_cameras_stay_inside_other_rooms():
    for k in range(20):
        rng = np.random.default_rng(k)
        cameras = aim_cameras(rng, 2, np.array([[0.5, 0, 1.6]]))
        places = np.array([camera.pose[:3, 3] for camera in cameras])
        room = other_room(rng, places, np.array([[0.5, 0.0]]))
        vertices = room.mesh.arrays()[0]
        assert np.linalg.norm(vertices[:, None] - places[None], axis=2).min() > 0.1


def test_the_whole_range_of_arms_and_legs():
    shape = body_model().random_shape(np.random.default_rng(0))
    kinds, wrists, ankles = set(), [], []
    for k in range(150):
        kind, pose = free_pose(np.random.default_rng(k), shape)
        kinds.add(kind)
        joints = skin(shape, *solve(shape, pose), facing(0.0), np.zeros(3)).joints
        assert np.isfinite(joints).all() and joints[:, 2].min() > -0.5
        wrists.append(joints[9] - joints[5])
        ankles.append(joints[15])
    wrists, ankles = np.array(wrists) / shape.arm, np.array(ankles)
    assert kinds == set(LEGS) and len(ARMS) == 8
    assert wrists[:, 2].max() > 0.6 and wrists[:, 2].min() < -0.8 and np.abs(wrists[:, :2]).max() > 0.8
    assert ankles[:, 2].max() > 0.4


def test_sensors_lose_what_is_not_there_and_keep_distances():
    camera = make_scene(0, 0, views=1).cameras[0].resized((160, 120))
    depth = np.full((120, 160), 2.5, np.float32)
    depth[:, 80:] = 0
    grazing, material = np.ones_like(depth), np.zeros(depth.shape, int)
    kept = []
    for k in range(40):
        found = measure_by_any(depth, grazing, material, camera, np.random.default_rng(k))
        assert found.dtype == np.uint16 and not found[:, 84:].any()
        inner = found[:, :76]
        kept.append((inner > 0).mean())
        if inner.any():
            assert abs(np.median(inner[inner > 0]) - 2500) < 120
    assert np.median(kept) > 0.8


def test_light_that_comes_by_way_of_a_wall_makes_corners_round():
    across = np.abs(np.arange(160) - 80) / 80
    corner = np.repeat((3.0 - across)[None], 120, 0).astype(np.float32)
    late = sensors._hollows(corner)
    assert 0.02 < late[60, 80] <= 0.1 and not late[60, [30, 130]].round(4).any()
    step = np.where(np.arange(160) < 80, 1.5, 3.0)[None].repeat(120, 0).astype(np.float32)
    assert not sensors._hollows(step).any() and not sensors._hollows(np.zeros((12, 16), np.float32)).any()
    flat, grazing, dull = np.full_like(corner, 2.5), np.ones_like(corner), np.zeros(corner.shape, int)
    excess = []
    for k in range(40):
        here, there = (sensors._time_of_flight(d, grazing, dull, np.random.default_rng(k)) for d in (corner, flat))
        if there[40:80, 78:83].all() and here[40:80, 78:83].all():
            excess.append((here - corner * 1000)[40:80, 78:83].mean() - (there - flat * 1000)[40:80, 78:83].mean())
    assert len(excess) > 10 and 3 < np.mean(excess) < 60


def test_sets_in_memory_vary_too():
    coco, pictures = generate(3, 4, size=SIZE, views=1, variety=("rooms", "poses"))
    assert len(pictures) == len(coco["images"]) == 3


def test_people_whom_no_sensor_measured_are_not_annotated():
    """Of 60 scenes' people some are lost whole, and then only where depth is all there is."""
    options = dict(size=(80, 60), views=1, people=(1, 5), fixed_cameras=False, variety=("rooms", "sensors"))
    lost = 0
    for index in range(60):
        _, (frame,) = render_frames(7, index, **options)
        _, (exact,) = render_frames(7, index, noise=False, **options)
        shares = {p: (frame.depth_mm[exact.instances == p] > 0).mean() for p in exact.view.person_ids.tolist()}
        assert frame.view.person_ids.tolist() == [p for p, share in shares.items() if share >= 0.1]
        lost += len(shares) - len(frame.view.person_ids)
    assert lost > 0
