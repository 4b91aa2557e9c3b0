"""Motion: planted feet, smooth hands, free ways."""

import numpy as np
import pytest

from orplugins.synthetic.scene.geometry import outside_rectangle
from orplugins.synthetic.scene.motion import FPS, Clip, Walk, minimum_jerk, track


@pytest.fixture(scope="module")
def clips():
    return [Clip(5, number, 75, views=1, people=(2, 4)) for number in range(3)]


def joints(clip, i):
    return np.array([clip.actions[i](clip.room, clip.people[i], t).body.joints for t in range(0, clip.length)])


def test_speeds_are_human_and_limbs_keep_their_length(clips):
    for clip in clips:
        for i, person in enumerate(clip.people):
            if person.role == "clinician":
                path = joints(clip, i)
                speed = np.linalg.norm(np.diff(path, axis=0), axis=-1) * FPS
                assert np.percentile(speed[:, 9:11], 99) < 3.2 and speed.max() < 4.5
                for a, b in ((5, 7), (7, 9), (11, 13), (13, 15)):
                    assert np.linalg.norm(path[:, a] - path[:, b], axis=-1).std() < 0.012


def test_feet_are_planted(clips):
    walks = [(clip, i) for clip in clips for i, action in enumerate(clip.actions) if isinstance(action, Walk)]
    assert walks
    for clip, i in walks:
        moments = [clip.actions[i](clip.room, clip.people[i], t) for t in range(clip.length)]
        ankles = np.array([[m.body.bone(f"foot.{s}") for s in "LR"] for m in moments])
        speed = np.linalg.norm(np.diff(ankles[..., :2], axis=0), axis=-1) * FPS
        walking = np.array([m.kind == "walk" for m in moments])[1:]
        # While walking one foot stands (or nearly: its heel rolls up) in nearly every frame.
        assert (speed.min(1)[walking] < 0.35).mean() > 0.75
        lowest = [m.body.vertices[:, 2].min() for m in moments[::5]]
        assert -0.04 < min(lowest) and max(lowest) < 0.05


def test_ways_keep_clear_of_table_and_people(clips):
    for clip in clips:
        for i, action in enumerate(clip.actions):
            if isinstance(action, Walk):
                places = np.array([action(clip.room, clip.people[i], t).place for t in range(0, clip.length, 3)])
                first = min(float(outside_rectangle(places[0], *spot)) for spot in clip.room.footprints)
                for spot in clip.room.footprints:
                    assert (outside_rectangle(places, *spot) > min(0.33, first) - 0.01).all()


def test_a_moment_does_not_depend_on_the_others():
    clip = Clip(5, 1, 10, views=1)
    one = clip.scene(7)
    clip.scene(3)
    two = Clip(5, 1, 10, views=1).scene(7)
    np.testing.assert_array_equal(one.vertices, two.vertices)
    assert [p.id for p in one.people] == [p.id for p in two.people]
    with pytest.raises(ValueError, match="t: found 10"):
        clip.scene(10)


def test_someone_hands_something_over():
    for number in range(12):
        clip = Clip(9, number, 75, views=1, people=(3, 6))
        meetings = [i for i, action in enumerate(clip.actions) if getattr(action, "meeting", None)]
        if meetings:
            break
    assert len(meetings) == 2
    wrists = [joints(clip, i)[:, 9:11] for i in meetings]
    gap = min(np.linalg.norm(wrists[0][:, a] - wrists[1][:, b], axis=-1).min() for a in (0, 1) for b in (0, 1))
    apart = np.linalg.norm(clip.people[meetings[0]].place - clip.people[meetings[1]].place)
    assert gap < 0.75 * apart


def test_tracks_start_and_stop_softly():
    path = track(np.random.default_rng(0), 200, [0, 0], [1, 2])
    assert path.shape == (200, 2) and (path >= 0).all() and (path[:, 1] <= 2).all()
    assert np.abs(np.diff(path, 3, axis=0)).max() < 0.1
    assert minimum_jerk(0) == 0 and minimum_jerk(1) == 1 and minimum_jerk(0.5) == pytest.approx(0.5)
