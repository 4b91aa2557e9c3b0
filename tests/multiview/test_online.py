"""A room moment by moment: the same people as in a batch, cameras that are missing, one camera with depth."""

import numpy as np
import pytest

from orplugins.geometry.cameras import Camera
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.online import LiveRoom
from orplugins.multiview.people import MultiViewRules
from orplugins.multiview.tracks import OnlineTracks, PeopleTrackRules
from orplugins.skeletons import COCO_17
from orplugins.structures import Poses2D
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, room_rig

CAMERAS, NAMES = room_rig(), ("a", "b", "c")


@pytest.fixture(scope="module")
def moments():
    rng, bodies = np.random.default_rng(0), []
    for x in (-0.8, 0.8):
        body = in_skeleton(body_motion(rng, 20, 15.0, "arms"), COCO_17)
        bodies.append(body - body[:, 11:13].mean((0, 1)) * (1, 1, 0) + (x, 0, 0))
    world = np.stack(bodies, 1)
    return world, [[observe(camera, frame, rng, 1.0, 0.0) for camera in CAMERAS] for frame in world]


def poses(people, size=(640, 480)):
    return Poses2D("", np.where(people[..., 2:] > 0, people, np.nan), COCO_17, size=size)


def view(moment, names=NAMES):
    return {name: poses(people) for name, people in zip(NAMES, moment, strict=True) if name in names}


def test_the_same_people_as_in_a_batch(moments):
    room = LiveRoom(dict(zip(NAMES, CAMERAS, strict=True)))
    _, detections = moments
    batch = reconstruct(CAMERAS, detections, MultiViewRules().for_cameras(CAMERAS))
    for t, moment in enumerate(detections):
        placed = room.associate(view(moment))
        assert np.allclose(placed.points, batch.points[batch.frame == t], atol=1e-6, equal_nan=True)
        assert placed.members[0] == dict(zip(NAMES, batch.members[batch.frame == t][0].tolist(), strict=True))


def test_a_camera_that_is_missing(moments):
    room = LiveRoom(dict(zip(NAMES, CAMERAS, strict=True)))
    world, detections = moments
    placed = room.associate(view(detections[0], ("a", "c")))
    assert len(placed.points) == 2 and all(set(members) == {"a", "c"} for members in placed.members)
    assert room.associate(view(detections[0], ("b",))) is None and room.associate({}) is None


def test_images_of_another_size(moments):
    room = LiveRoom(dict(zip(NAMES, CAMERAS, strict=True)))
    _, detections = moments
    half = {name: poses(np.concatenate([(p.keypoints[..., :2] + 0.5) / 2 - 0.5, p.keypoints[..., 2:]], -1), (320, 240))
            for name, p in view(detections[0]).items()}  # fmt: skip
    assert np.allclose(
        room.associate(half).points, room.associate(view(detections[0])).points, atol=0.01, equal_nan=True
    )


def test_depth_moves_joints(moments):
    room = LiveRoom(dict(zip(NAMES, CAMERAS, strict=True)))
    _, detections = moments
    placed = room.associate(view(detections[0]))
    same = room.refine(placed, view(detections[0]), {})
    assert same is placed
    hole = {"a": np.zeros((480, 640), np.uint16)}
    assert np.allclose(room.refine(placed, view(detections[0]), hole).points, placed.points, atol=0.02, equal_nan=True)


def test_one_camera_without_depth_places_nobody(moments):
    room = LiveRoom({"a": CAMERAS[0]})
    _, detections = moments
    people = view(detections[0], ("a",))
    placed = room.associate(people)
    assert len(placed.points) == 2 and np.isnan(placed.points).all()
    assert len(room.refine(placed, people, {}).points) == 0
    nobody = {"a": poses(np.zeros((0, 17, 3)))}
    assert len(room.refine(room.associate(nobody), nobody, {"a": np.zeros((480, 640), np.uint16)}).points) == 0


def test_one_camera_with_depth():
    camera = Camera(fx=500, fy=500, cx=319.5, cy=239.5, size=(640, 480))
    rng = np.random.default_rng(1)
    body = in_skeleton(body_motion(rng, 1, 15.0, "arms"), COCO_17)[0]
    points = np.stack([body[:, 0] - body[:, 0].mean(), 1.0 - body[:, 2], np.full(17, 2.5)], -1)
    pixels, _ = camera.project(points)
    people = {"a": poses(np.concatenate([pixels, np.ones((17, 1))], -1)[None])}
    room = LiveRoom({"a": camera})
    placed = room.refine(room.associate(people), people, {"a": np.full((480, 640), 2500, np.uint16)})
    assert len(placed.points) == 1 and np.nanmedian(np.linalg.norm(placed.points[0] - points, axis=-1)) < 0.1


def walk(frames, start, step):
    body = in_skeleton(body_motion(np.random.default_rng(2), 1, 15.0, "arms"), COCO_17)[0]
    return np.array([body + np.array(start) + k * np.array(step) for k in range(frames)])


def test_online_tracks():
    one, two = walk(40, (-1, 0, 0), (0.05, 0, 0)), walk(40, (1, 0.5, 0), (-0.05, 0, 0))
    tracks = OnlineTracks()
    names = [tracks.step(k / 15, np.stack([one[k], two[k]][:: 1 - 2 * (k % 2)])).tolist() for k in range(40)]
    assert names[:2] == [[-1, -1]] * 2 and all(
        row == [0, 1][:: 1 - 2 * (k % 2)] for k, row in enumerate(names) if k >= 2
    )


def test_online_tracks_through_a_gap_and_after_a_long_one():
    one = walk(90, (-1, 0, 0), (0.01, 0, 0))
    tracks = OnlineTracks(PeopleTrackRules(patience_s=2.0))
    seen = [k for k in range(90) if not (10 <= k < 20 or 40 <= k < 75)]
    names = {k: tracks.step(k / 15, one[k : k + 1] if k in seen else one[:0]).tolist() for k in range(90)}
    assert names[39] == [0] and names[25] == [0] and names[89] == [1] and names[15] == []


def test_online_tracks_begin_anew_when_time_goes_back():
    tracks, one = OnlineTracks(settle=1), walk(2, (0, 0, 0), (0, 0, 0))
    assert tracks.step(5.0, one[:1]).tolist() == [0] and tracks.step(1.0, one[:1]).tolist() == [1]


def test_memory_of_online_tracks_is_flat():
    rng, tracks = np.random.default_rng(0), OnlineTracks()
    body = walk(1, (0, 0, 0), (0, 0, 0))[0]
    for k in range(300):
        tracks.step(k / 15, body[None] + rng.uniform(-50, 50, (2, 1, 3)))
        assert (
            len(tracks) <= 2 * (3 * 15 + 2) and len(tracks._seen) <= len(tracks) and len(tracks._names) <= len(tracks)
        )


def test_a_room_has_a_camera():
    with pytest.raises(ValueError, match="found no camera"):
        LiveRoom({})
