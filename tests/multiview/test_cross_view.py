"""Who is who across views: poses, boxes on a floor, and a rig found from the poses."""

from dataclasses import replace

import numpy as np
import pytest
from room_people import moments, right_and_all, room_cameras

from orplugins.multiview.cross_view import Seen, who_is_who
from orplugins.multiview.floor_places import FloorPlaces, PlaceRules
from orplugins.multiview.own_rig import OwnRigRules, floor_from_boxes, floor_from_people, own_rig, people_points
from orplugins.multiview.same_pose import pose_evidence

pytest.importorskip("scipy")
COARSE = PlaceRules(step_m=0.25, margin_m=1.5)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_poses(count):
    cameras = room_cameras(count)
    seen, names = moments(np.random.default_rng(0), cameras, 12, people=5)
    who = who_is_who(cameras, seen)
    right, total, possible = right_and_all(who, names)
    assert right == total and right >= 0.99 * possible > 0
    for found in who:
        together = {pair for members in found.people for pair in [(a, b) for a in members for b in members if a < b]}
        for pair, score in found.scores.items():
            assert 0.5 <= score <= 1 if pair in together else 0 <= score < 0.1


def test_the_right_pair_of_poses_is_the_likelier_one():
    cameras = room_cameras(2)
    seen, names = moments(np.random.default_rng(1), cameras, 5, people=4)
    for (a, b), (one, two) in zip(seen, names, strict=True):
        value = pose_evidence(cameras, np.repeat(a.poses, len(two), 0), np.tile(b.poses, (len(one), 1, 1)))
        same = np.repeat(one, len(two)) == np.tile(two, len(one))
        assert value[same].min() > 2 and np.median(value[~same]) < -2
    assert pose_evidence(cameras, np.zeros((1, 10, 3)), seen[0][1].poses[:1]) == 0  # no common joint says nothing


def test_boxes_without_poses():
    cameras = room_cameras()
    seen, names = moments(np.random.default_rng(2), cameras, 10, people=3, boxes_only=(0, 1))
    places = FloorPlaces(cameras, COARSE)
    right, total, possible = right_and_all(who_is_who(cameras, seen, places), names)
    assert right >= 0.95 * total and right >= 0.9 * possible
    # Without a floor, boxes stay alone.
    right, total, alone = right_and_all(who_is_who(cameras, seen), names)
    assert right == total < 0.5 * alone


def test_places_are_where_people_stand():
    cameras = room_cameras()
    rng = np.random.default_rng(3)
    seen, _ = moments(rng, cameras, 1, people=1)
    places = FloorPlaces(cameras, COARSE)
    density = places.evidence(0, seen[0][0].boxes, seen[0][0].poses)
    assert density.shape == (1, len(places.prior)) and density.sum() * places.area == pytest.approx(1, rel=1e-3)


def test_a_rig_from_the_poses():
    cameras = room_cameras()
    seen, names = moments(np.random.default_rng(4), cameras, 40, people=3)
    found, who = own_rig([camera.size for camera in cameras], seen, OwnRigRules(guesses=600))
    right, total, possible = right_and_all(who, names)
    assert right >= 0.99 * total and right >= 0.97 * possible
    for pair in ((0, 1), (0, 2), (1, 2)):  # the unit is that of usual bones
        true, mine = (np.linalg.norm(np.subtract(*(rig[k].pose[:3, 3] for k in pair))) for rig in (cameras, found))
        assert mine == pytest.approx(true, rel=0.15)
    assert [camera.pose[2, 3] for camera in found] == pytest.approx([2.4, 2.6, 2.5], abs=0.4)  # above the floor


def test_views_of_different_rooms_give_no_rig():
    cameras, rng = room_cameras(), np.random.default_rng(5)
    one, two, three = (moments(rng, cameras, 30, people=3)[0] for _ in range(3))
    mixed = [[a[0], b[1], c[2]] for a, b, c in zip(one, two, three, strict=True)]
    with pytest.raises(ValueError, match="no geometry between views"):
        own_rig([camera.size for camera in cameras], mixed, OwnRigRules(guesses=300))


def test_floor_and_vertical_from_people():
    cameras = room_cameras()
    seen, _ = moments(np.random.default_rng(6), cameras, 20, people=4)
    points = people_points(cameras, seen, who_is_who(cameras, seen))
    floor = floor_from_people(points)
    assert floor[2, :3] == pytest.approx([0, 0, 1], abs=0.05) and floor[2, 3] == pytest.approx(0, abs=0.06)
    assert floor_from_people(points, np.array([0.0, 0, 2]))[2, :3] == pytest.approx([0, 0, 1])
    with pytest.raises(ValueError, match="0 people with head and hips"):
        floor_from_people(points[:0])


def test_the_floor_from_boxes_alone():
    """Heads meet at one height again and again; what two people's boxes give is anywhere."""
    cameras = room_cameras(3)
    rng = np.random.default_rng(5)
    lifted = np.eye(4)
    lifted[2, 3] = 0.7  # the world's origin is not on the floor
    moved_up = [replace(camera, pose=lifted @ camera.pose) for camera in cameras]
    moments = []
    for _ in range(60):
        spots = rng.uniform(-1.2, 1.2, (3, 2))
        tops = np.column_stack([spots, rng.normal(1.68, 0.06, 3)])
        views = []
        for camera in cameras:
            pixels, depth = camera.project(tops)
            size = 0.5 * camera.fx / depth
            boxes = np.column_stack([pixels[:, 0] - size / 2, pixels[:, 1], size, 3 * size])
            views.append(Seen(boxes, np.zeros((3, 10, 3))))
        moments.append(views)
    floor = floor_from_boxes(moved_up, moments, np.array([0.0, 0.0, 1.0]))
    assert floor[2, 3] == pytest.approx(-0.7, abs=0.06)
    with pytest.raises(ValueError, match="0 pairs of boxes whose heads meet"):
        floor_from_boxes(cameras, [[Seen(np.zeros((0, 4)), np.zeros((0, 10, 3)))] * 3], np.array([0.0, 0.0, 1.0]))
