"""The batched reconstruction against the readable one, and its proof of the best choice."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import multiview_reference
from orplugins.multiview import batch as multiview_batch
from orplugins.multiview.people import MultiViewRules, pack
from orplugins.skeletons import COCO_17
from orplugins.synthetic.motion_points import body_motion, in_skeleton, look_at, observe, room_rig


def scene(seed, people, frames, cameras, noise=2.0, missing=0.1, lost=0.1, spread=1.0):
    """Detections of a crowd: noise, missing joints, people lost in a view, repeated ones, and some that are nobody."""
    rng = np.random.default_rng(seed)
    bodies = []
    for _ in range(people):
        body = in_skeleton(body_motion(rng, frames, 30.0, "arms"), COCO_17)
        bodies.append(body - body[:, 11:13].mean((0, 1)) * (1, 1, 0) + (*rng.uniform(-spread, spread, 2), 0))
    world, detections = np.stack(bodies, 1), []
    for frame in world:
        views = []
        for camera in cameras:
            seen = observe(camera, frame, rng, noise, missing)[rng.random(people) >= lost]
            if len(seen) and rng.random() < 0.3:
                seen = np.concatenate([seen, seen[:1] + (0.5, 0.5, 0)])
            ghost = np.concatenate([rng.uniform(0, 480, (1, 17, 2)), np.full((1, 17, 1), 0.5)], -1)
            seen = np.concatenate([seen, ghost])
            seen[0, 3] = np.nan
            views.append(seen[rng.permutation(len(seen))])
        detections.append(views)
    return detections


def same(one, two):
    def table(people):
        return {(int(f), *map(int, m)): k for k, (f, m) in enumerate(zip(people.frame, people.members, strict=True))}

    first, second = table(one), table(two)
    assert first.keys() == second.keys() and len(first) == len(one.frame)
    order = [second[key] for key in first]
    for name in ("keypoints", "points", "error"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name)[order], atol=1e-6)
    np.testing.assert_array_equal(one.views, two.views[order])
    assert (np.diff(two.frame) >= 0).all()
    return len(first)


RIGS = {
    2: room_rig()[:2],
    3: room_rig(),
    5: [*room_rig(), look_at((-0.4, -4.2, 2.0), (0, 0, 0.9)), look_at((4.0, 1.5, 2.4), (0, 0, 0.9))],
}


@pytest.mark.parametrize(("views", "people", "seed"), [(2, 4, 0), (3, 1, 1), (3, 6, 2), (3, 9, 3), (5, 3, 4)])
def test_the_same_people(views, people, seed):
    detections = scene(seed, people, 5, RIGS[views])
    for one_view in (False, True):
        one = multiview_reference.reconstruct(RIGS[views], detections, one_view=one_view)
        two = multiview_batch.reconstruct(RIGS[views], detections, one_view=one_view)
        assert same(one, two) >= (0 if people == 1 else people)


def test_the_search_and_the_limit_give_the_same(monkeypatch):
    """Frames whose choice is not proven, and frames with too many sets, are searched: the answer stays."""
    detections = scene(7, 6, 4, RIGS[3], spread=0.6)
    expected = multiview_reference.reconstruct(RIGS[3], detections)
    choose = multiview_batch._choose

    def unproven(sets, count, frames):
        chosen, proven = choose(sets, count, frames)
        return chosen, np.zeros_like(proven)

    with monkeypatch.context() as patch:
        patch.setattr(multiview_batch, "_choose", unproven)
        same(expected, multiview_batch.reconstruct(RIGS[3], detections))
    with monkeypatch.context() as patch:
        patch.setattr(multiview_batch, "_MOST_SETS", 10)
        same(expected, multiview_batch.reconstruct(RIGS[3], detections))


def test_most_choices_are_proven():
    detections = scene(5, 8, 20, RIGS[3], lost=0.0, missing=0.05)
    rules = MultiViewRules()
    views = [multiview_batch._prepare(c, [f[v] for f in detections], rules) for v, c in enumerate(RIGS[3])]
    sets, crowded = multiview_batch._candidates(views, multiview_batch._link(views, rules), rules)
    _, proven = multiview_batch._choose(sets, sum(len(v.index) for v in views), len(detections))
    assert proven.mean() > 0.5 and not crowded.any()


def test_nobody():
    nothing = np.zeros((0, 17, 3))
    for detections in ([[nothing] * 3] * 2, []):
        found = multiview_batch.reconstruct(room_rig(), detections)
        assert found.points.shape == (0, 17, 3) and found.members.shape == (0, 3)
    one = observe(room_rig()[0], in_skeleton(body_motion(np.random.default_rng(0), 1), COCO_17))
    found = multiview_batch.reconstruct(room_rig(), [[nothing] * 3, [one, nothing, nothing]], one_view=True)
    assert found.frame.tolist() == [1] and found.members.tolist() == [[0, -1, -1]]


def test_the_bound_is_a_bound():
    """No pair is left out whose term the reference finds to be allowed."""
    detections, rules = scene(11, 8, 6, RIGS[3]), MultiViewRules()
    views = [multiview_batch._prepare(c, [f[v] for f in detections], rules) for v, c in enumerate(RIGS[3])]
    for a, b in itertools.combinations(range(3), 2):
        _, i, j = multiview_batch._pairs(views[a].first, views[b].first)
        kept = multiview_batch._Bound(views[a], views[b], rules)(i, j)
        allowed = multiview_batch._affinity(views[a], views[b], (i, j), rules) >= rules.worst
        assert not (allowed & ~kept).any() and kept.mean() < 0.95


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_proven_is_the_best(seed):
    """Random sets: wherever the prices prove the greedy choice, the exact search finds nothing better."""
    rng = np.random.default_rng(seed)
    terms = rng.normal(0.0, 3.0, (9, 9)) + 8 * (np.arange(9)[:, None] % 3 == np.arange(9) % 3)
    rows, values, shares = [], [], []
    for size in (2, 3):
        for cameras in itertools.combinations(range(3), size):
            for people in itertools.product(range(3), repeat=size):
                nodes = [3 * c + p for c, p in zip(cameras, people, strict=True)]
                value = sum(terms[p, q] for p, q in itertools.combinations(nodes, 2))
                if value > 0:
                    row, share = np.full(3, -1), np.zeros(3)
                    row[list(cameras)] = nodes
                    for p, q in itertools.combinations(range(size), 2):
                        share[[cameras[p], cameras[q]]] += terms[nodes[p], nodes[q]] / 2
                    rows.append(row), values.append(value), shares.append(share)
    if not rows:
        return
    sets = multiview_batch._Sets(np.zeros(len(rows), dtype=int), np.array(rows), np.array(values), np.array(shares))
    chosen, proven = multiview_batch._choose(sets, 9, 1)
    used = sets.members[chosen][sets.members[chosen] >= 0]
    assert len(set(used.tolist())) == len(used)
    names = [tuple(row[row >= 0].tolist()) for row in sets.members]
    best = pack(list(zip(sets.value.tolist(), names, strict=True)))
    total = sum(values[names.index(name)] for name in best)
    if proven[0]:
        assert sets.value[chosen].sum() == pytest.approx(total)
    else:
        assert sets.value[chosen].sum() <= total + 1e-9
