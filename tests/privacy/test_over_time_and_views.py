"""People who are missed in a frame or by a camera are hidden by what other frames and cameras show."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from orplugins.privacy.across_views import BY_DEPTH, OTHER_VIEWS, ViewRules, across_views, once, place_by_depth
from orplugins.privacy.decide import plan
from orplugins.privacy.masks import mask_of
from orplugins.privacy.over_time import BETWEEN, HELD, TimeRules, follow, over_time
from orplugins.privacy.recordings import Recording
from orplugins.privacy.search import Searched
from orplugins.privacy.settings import HideSettings

from .toy import SIZE, find_red, person, picture, red, ring, seen

RULES = TimeRules(gap=5, hold=2)
HEAD = np.array([0.2, -0.1, 1.6])


def hides(people, x, y, radius=8, size=(200, 100)) -> bool:
    return bool(mask_of(people, size)[red(picture((x, y, radius), size=size))].all())


def test_somebody_missed_between_two_finds_is_hidden_where_they_were():
    walk = [[person(40 + 5 * t, 50)] for t in range(8)]
    missed = [frame if t not in (3, 4, 5) else [] for t, frame in enumerate(walk)]
    filled = over_time(missed, RULES)
    for t in (3, 4, 5):
        assert {each.why for each in filled[t]} == {BETWEEN}
        assert hides(filled[t], 40 + 5 * t, 50)


def test_gaps_longer_than_allowed_stay_but_ends_are_held():
    frames = [[person(40, 50)] if t in (0, 1, 2, 12) else [] for t in range(13)]
    filled = over_time(frames, RULES)
    assert [bool(frame) for frame in filled] == [True] * 5 + [False] * 5 + [True] * 3
    assert filled[4][0].why == HELD
    sizes = [np.ptp(filled[t][0].shapes[0, [0, 2]]) for t in (2, 3, 4)]
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_single_weak_find_is_hidden_but_spreads_no_further():
    frames = [[person(40, 50, score=0.1)] if t == 4 else [] for t in range(9)]
    assert [len(frame) for frame in over_time(frames, RULES)] == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_people_who_cross_keep_their_tracks_and_all_of_them_stay_hidden():
    frames = [[person(20 + 10 * t, 30), person(120 - 10 * t, 60)] for t in range(10)]
    assert sorted(len(track) for track in follow(frames, RULES)) == [10, 10]
    frames[5] = frames[5][:1]
    assert hides(over_time(frames, RULES)[5], 70, 60)


def test_a_head_of_another_size_is_somebody_else():
    frames = [[person(40, 50, 4)], [], [person(42, 50, 16)]]
    assert all(len(track) == 1 for track in follow(frames, RULES))


def test_without_frames_nothing_happens():
    assert over_time([], RULES) == [] and over_time([[], []]) == [[], []]


def shown(camera, score=0.9):
    return person(*seen(camera, HEAD), score=score)


def test_who_is_seen_by_two_cameras_is_hidden_in_the_third():
    cameras = ring()
    views = [[shown(cameras[0])], [shown(cameras[1])], []]
    added = across_views(cameras, views)
    assert [each.why for each in added[2]] == [OTHER_VIEWS]
    assert mask_of(added[2], SIZE)[red(picture(seen(cameras[2], HEAD)))].all()


def test_lens_distortion_is_taken_into_account():
    from dataclasses import replace

    cameras = [replace(camera, distortion=(-0.25, 0.05, 0, 0, 0)) for camera in ring()]
    where = [np.array(seen(camera, HEAD)) for camera in cameras]
    for camera, disc in zip(cameras, where, strict=True):
        disc[:2] = camera.distort(disc[:2] - 0.5) + 0.5
    added = across_views(cameras, [[person(*where[0])], [person(*where[1])], []])
    np.testing.assert_allclose(added[2][0].centre, where[2][:2], atol=0.2)


def test_weak_finds_confirm_each_other_only_with_a_sum_that_is_high_enough():
    cameras = ring()
    weak = [[shown(cameras[0], 0.1)], [shown(cameras[1], 0.1)], []]
    assert not any(across_views(cameras, weak))
    assert all(across_views(cameras, [[shown(cameras[0], 0.3)], weak[1], []]))


def test_rays_that_miss_each_other_are_two_people():
    cameras = ring()
    other = person(*seen(cameras[1], HEAD + [0, 0, 0.6]))
    assert not any(across_views(cameras, [[shown(cameras[0])], [other], []]))


def test_of_many_pairs_the_best_partners_are_taken():
    cameras = ring()
    second = HEAD + [0.0, 0.05, 0.1]
    views = [[person(*seen(camera, point)) for point in (HEAD, second)] for camera in cameras[:2]]
    added = across_views(cameras, [*views, []], rules=ViewRules(miss=0.4))
    assert len(added[2]) == len(once(views[0]))


def test_who_is_seen_by_one_rgbd_camera_is_hidden_in_the_others():
    cameras = ring()
    x, y, radius = seen(cameras[0], HEAD)
    depth = np.full(SIZE[::-1], 6000, np.uint16)
    z = float(cameras[0].world_to_camera(HEAD)[2])
    depth[red(picture((x, y, radius)))] = round(1000 * (z - 0.09))
    depth[int(y), int(x)] = 0  # a hole
    np.testing.assert_allclose(place_by_depth(cameras[0], shown(cameras[0]), depth), HEAD, atol=0.03)
    added = across_views(cameras, [[shown(cameras[0])], [], []], [depth, None, None])
    for camera, people in zip(cameras[1:], added[1:], strict=True):
        assert [each.why for each in people] == [BY_DEPTH]
        assert mask_of(people, SIZE)[red(picture(seen(camera, HEAD)))].all()


def test_without_depth_there_nobody_is_placed():
    camera = ring()[0]
    assert np.isnan(place_by_depth(camera, shown(camera), np.zeros(SIZE[::-1], np.uint16))).all()
    assert np.isnan(place_by_depth(camera, person(-50, -50), np.full(SIZE[::-1], 900, np.uint16))).all()


def test_finds_at_one_place_are_one():
    people = [person(40, 50, score=0.5), person(42, 50, score=0.9), person(80, 50)]
    assert [each.score for each in once(people)] == pytest.approx([0.9, 0.9])


def test_long_recordings_are_looked_at_in_parts_to_the_same_end():
    walk = [picture((12 + 2 * t, 30, 8)) for t in range(30)]
    recording = Recording("cam", "video", (Path("cam.mp4"),))
    rows = [find_red(image).record() if t % 7 not in (2, 3) else [] for t, image in enumerate(walk)]
    searched = [Searched(SIZE, {"colour": zlib.compress(json.dumps(each).encode())}) for each in rows]
    settings = HideSettings(gap=3, hold=1)
    whole, parts = (plan([recording], [searched], {"colour": 1}, settings, chunk=chunk)[0] for chunk in (100, 4))
    assert [frame.known for frame in whole] == [frame.known for frame in parts]
    for image, one, other in zip(walk, whole, parts, strict=True):
        np.testing.assert_array_equal(one.mask(), other.mask())
        assert one.doubt.value == other.doubt.value
        assert not red(np.where(one.mask()[..., None], 0, image)).any()
