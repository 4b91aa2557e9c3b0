"""People over time: through occlusions, crossings, entries and exits, at any frame rate; false people."""

import numpy as np
import pytest
from room_people import BODY

from orplugins.multiview.tracks import PeopleTrackRules, track_people_3d
from orplugins.multiview.whole_tracks import follow
from orplugins.skeletons import CAMMA_10, COCO_17, convert

pytest.importorskip("scipy")
BODY_17 = convert(np.concatenate([BODY, np.ones((10, 1))], 1), CAMMA_10, COCO_17)
BODY_17 = np.where(BODY_17[:, 3:] > 0, BODY_17[:, :3], np.nan)
RATES = (1, 5, 15, 25, 60)


def walk(seconds, fps, path, start=0.0, size=1.0):
    """(frame numbers, (F, 17, 3)) of somebody whose place at a time is ``path(t)``."""
    numbers = np.arange(int(np.ceil(start * fps)), int(start * fps) + int(round(seconds * fps)))
    return numbers, np.stack([size * BODY_17 + (*path(n / fps), 0) for n in numbers])


def together(rng, walks, noise=0.03, shuffled=True):
    """Frames, points and names of all people, in the order of frames, at random within one."""
    frames = np.concatenate([w[0] for w in walks])
    points = np.concatenate([w[1] for w in walks])
    names = np.concatenate([np.full(len(w[0]), k) for k, w in enumerate(walks)])
    points = points + rng.normal(0, noise, points.shape)
    order = np.lexsort((rng.random(len(frames)) if shuffled else names, frames))
    return frames[order], points[order], names[order]


def one_to_one(tracks, names):
    """Every person has one track, every track one person."""
    pairs = {(int(t), int(n)) for t, n in zip(tracks, names, strict=True)}
    return len(pairs) == len({t for t, _ in pairs}) == len({n for _, n in pairs}) and -1 not in {t for t, _ in pairs}


@pytest.mark.parametrize("fps", RATES)
def test_people_who_pass_each_other(fps):
    walks = [
        walk(12, fps, lambda t: (-2.4 + 0.4 * t, 0.35)),
        walk(12, fps, lambda t: (2.4 - 0.4 * t, -0.35)),
        walk(12, fps, lambda t: (0.2 * np.sin(t), 1.6)),
    ]
    frames, points, names = together(np.random.default_rng(0), walks)
    assert one_to_one(track_people_3d(frames, points, fps), names)


@pytest.mark.parametrize("fps", RATES)
def test_through_an_occlusion(fps):
    frames, points, names = together(
        np.random.default_rng(1),
        [walk(12, fps, lambda t: (-2 + 0.3 * t, 0.5)), walk(12, fps, lambda t: (1.0, -1 + 0.1 * t))],
    )
    hidden = (names == 0) & (frames / fps > 4) & (frames / fps < 6.5)
    assert hidden.sum() >= 2
    frames, points, names = frames[~hidden], points[~hidden], names[~hidden]
    assert one_to_one(track_people_3d(frames, points, fps), names)


def test_entries_and_exits():
    fps = 25
    walks = [
        walk(10, fps, lambda t: (0.0, 0.5 * np.sin(t))),
        walk(4, fps, lambda t: (-2 + 0.5 * t, 1.5)),  # leaves by the door
        walk(4, fps, lambda t: (-1.5, 1.2), start=8.5),  # somebody else comes in much later
        walk(5, fps, lambda t: (2.0, -1.0), start=5),
    ]
    frames, points, names = together(np.random.default_rng(2), walks)
    tracks = track_people_3d(frames, points, fps)
    assert one_to_one(tracks, names) and set(tracks.tolist()) == {0, 1, 2, 3}
    assert tracks[frames == 0].tolist() == [0, 1]  # in order of appearance


def test_false_people_do_not_last():
    rng, fps = np.random.default_rng(3), 30
    walks = [walk(6, fps, lambda t: (0.3 * t, 0.0)), walk(6, fps, lambda t: (0.0, 1.5))]
    ghosts = [walk(0.2, fps, lambda t, s=s: (np.sin(7 * s), 2 - s), start=s) for s in (0.5, 2, 3, 4.2)]
    frames, points, names = together(rng, walks + ghosts)
    tracks = track_people_3d(frames, points, fps)
    assert (tracks[names > 1] == -1).all() and one_to_one(tracks[names < 2], names[names < 2])
    # Of a short recording nobody is left out for its length.
    short = frames < 4
    assert (track_people_3d(frames[short], points[short], fps) >= 0).all()


def test_one_person_found_twice():
    fps = 30
    walks = [walk(4, fps, lambda t: (0.3 * t, 0.0)), walk(4, fps, lambda t: (0.3 * t + 0.08, 0.0))]
    frames, points, names = together(np.random.default_rng(4), walks, shuffled=False)
    views = np.where(names == 0, 2, 3)
    tracks = track_people_3d(frames, points, fps, views)
    assert (tracks[names == 1] == 0).all() and (tracks[names == 0] == -1).all()


def test_few_joints_and_none():
    fps = 25
    frames, points, names = together(
        np.random.default_rng(5), [walk(3, fps, lambda t: (0.0, 0.0)), walk(3, fps, lambda t: (1.5, 0.0))]
    )
    points[np.random.default_rng(6).random(points.shape[:2]) < 0.6] = np.nan
    points[10] = np.nan
    known = np.isfinite(points).any((1, 2))
    tracks = track_people_3d(frames, points, fps)
    assert one_to_one(tracks[known], names[known])
    assert len(track_people_3d(np.zeros(0, dtype=int), np.zeros((0, 17, 3)), fps)) == 0
    for bad in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="fps is"):
            track_people_3d(frames, points, bad)
    with pytest.raises(ValueError, match="order of their frames"):
        track_people_3d(frames[::-1], points, fps)


def test_the_order_of_people_does_not_matter():
    fps = 10
    walks = [walk(5, fps, lambda t, k=k: (k, 0.2 * t)) for k in range(4)]
    frames, points, names = together(np.random.default_rng(7), walks, shuffled=False)
    order = np.lexsort((-names, frames))
    one, two = track_people_3d(frames, points, fps), track_people_3d(frames[order], points[order], fps)
    pairs = set(zip(one[order].tolist(), two.tolist(), strict=True))
    assert len(pairs) == 4


def test_a_long_absence_is_somebody_else():
    fps, patience = 10, PeopleTrackRules().patience_s
    for gap, count in ((patience - 1, 1), (patience + 1, 2)):
        walks = [walk(2, fps, lambda t: (0, 0)), walk(2, fps, lambda t: (0, 0), start=2 + gap)]
        frames, points, _ = together(np.random.default_rng(8), walks)
        assert len(set(track_people_3d(frames, points, fps).tolist())) == count


def test_gaps_are_filled_in_and_marked():
    fps = 10
    numbers, points = walk(3, fps, lambda t: (t, 0.0))
    kept = np.ones(30, dtype=bool)
    kept[10:14] = False  # 0.4 s
    kept[20:26] = False  # 0.6 s
    found = follow(numbers[kept], np.zeros(kept.sum(), dtype=int), points[kept], fps, fill_s=0.5)
    assert found.frame.tolist() == [*range(20), *range(26, 30)]
    there = np.isfinite(found.points).all(-1)
    assert np.allclose(found.points[there], points[found.frame][there])
    joints = np.isfinite(points[0]).all(-1)
    assert (found.filled.any(1) == np.isin(found.frame, range(10, 14))).all()
    assert (found.row[found.filled.any(1)] == -1).all() and found.filled[10, joints].all()
    alone = follow(numbers[kept], np.zeros(kept.sum(), dtype=int), points[kept], fps)
    assert len(alone.frame) == kept.sum() and not alone.filled.any()
    assert len(follow(numbers, np.full(30, -1), points, fps).frame) == 0
    with pytest.raises(ValueError, match="fill_s is -1"):
        follow(numbers, np.zeros(30, dtype=int), points, fps, fill_s=-1)


def test_smoothing_takes_noise_out_and_nothing_else():
    pytest.importorskip("scipy.signal")
    fps, rng = 60, np.random.default_rng(9)
    numbers, points = walk(4, fps, lambda t: (np.sin(2 * np.pi * 0.5 * t), 0.0))
    noisy = points + rng.normal(0, 0.02, points.shape)
    noisy[100:110] = np.nan
    found = follow(numbers, np.zeros(len(numbers), dtype=int), noisy, fps, smooth_hz=5.0)
    keep = np.isfinite(noisy[found.row]).all(-1)
    true = points[found.row][keep]
    before, after = (np.linalg.norm(x[keep] - true, axis=-1) for x in (noisy[found.row], found.points))
    assert np.sqrt((after**2).mean()) < 0.55 * np.sqrt((before**2).mean())
    assert (np.isfinite(found.points).all(-1) == keep).all()
    # At one frame a second there is nothing to smooth.
    slow = follow(numbers, np.zeros(len(numbers), dtype=int), noisy, 1.0, smooth_hz=5.0)
    assert np.array_equal(slow.points, noisy[slow.row], equal_nan=True)
