"""PAF targets and decoders: circular checks, symmetries, and bad input."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from orplugins.depthpose.paf import DECODERS, PafPoses, coco_to_openpose18, decode_pafs, encode_paf_targets
from orplugins.depthpose.paf.assemble import assemble_union
from orplugins.depthpose.paf.fast import find_peaks_fast
from orplugins.depthpose.paf.fragments import join_pieces
from orplugins.depthpose.paf.heatmaps import gaussian_heatmaps
from orplugins.depthpose.paf.layout import (
    COCO_FROM_OPENPOSE,
    HEAT_FLIP,
    LIMB_PAF_CHANNELS,
    LIMBS,
    NUM_TREE_LIMBS,
    PAF_FLIP,
    PAF_FLIP_SIGNS,
    PAF_LIMBS,
)
from orplugins.depthpose.paf.published import enlarge, merge_flip
from orplugins.depthpose.paf.scenes import paf_scene, random_people
from orplugins.skeletons import COCO_17

SCALE, MAP = 10, (64, 48)
FRAME = MAP[0] * SCALE, MAP[1] * SCALE
HALF_PIXEL = {"published": 0.5, "fast": 0.0}
# Half the body height that fits twenty people without touching, from the neck: x, y in COCO order.
BODY = np.array([
    (0, -24), (4, -29), (-4, -29), (10, -26), (-10, -26), (22, 0), (-22, 0), (32, 26), (-32, 26), (36, 50), (-36, 50),
    (14, 48), (-14, 48), (15, 74), (-15, 74), (15, 100), (-15, 100),
], dtype=float)  # fmt: skip


def grid_of_people(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 17, 3) people who do not touch, in columns and rows, jittered."""
    columns = min(count, 5) if count > 3 else count
    rows = -(-count // columns)
    size = min(FRAME[0] / columns / 100, (FRAME[1] / rows - 20) / 140, 2.0)
    people = np.full((count, 17, 3), 2.0)
    for k in range(count):
        x = (k % columns + 0.5) * FRAME[0] / columns
        y = (k // columns) * FRAME[1] / rows + 34 * size + 18
        people[k, :, :2] = BODY * size + (x, y) + rng.uniform(-1, 1, (17, 2))
    return people


def clean_maps(people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return encode_paf_targets(people, FRAME, SCALE, sigma=0.875 * SCALE, round_neck=False)


def assert_finds(poses, people: np.ndarray, shift: float, tolerance: float) -> None:
    left = set(range(len(people)))
    for keypoints, scores in zip(poses.keypoints, poses.keypoint_scores, strict=True):
        seen = scores > 0
        errors = {k: np.abs(keypoints[seen] - shift - people[k, seen, :2]).max() for k in left}
        best = min(errors, key=errors.get)
        assert errors[best] < tolerance
        np.testing.assert_array_equal(seen, people[best, :, 2] > 0)
        left.remove(best)
    assert not left


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_encode_then_decode(decode, count):
    rng = np.random.default_rng(count)
    people = grid_of_people(count, rng)
    poses = decode_pafs(*clean_maps(people), SCALE, decode=decode)
    if decode == "published":
        # Duplicate peaks on flat tops give it extra people, made of a few joints; the whole ones come first by score.
        best = np.argsort(-poses.scores)[:count]
        poses = PafPoses(poses.keypoints[best], poses.keypoint_scores[best], poses.scores[best])
    assert_finds(poses, people, HALF_PIXEL[decode], 3.0)


@pytest.mark.parametrize("count", range(1, 21))
def test_fast_counts_people_in_noise(count):
    rng = np.random.default_rng(count)
    people = grid_of_people(count, rng)
    scene = paf_scene(rng, people, noise=0.01, weakest=0.7)
    poses = decode_pafs(scene.heat, scene.paf, SCALE, scene.flip_heat, scene.flip_paf)
    assert len(poses) == count
    assert (poses.keypoint_scores > 0).mean() > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_fast_is_accurate_below_a_pixel(seed):
    people = grid_of_people(2, np.random.default_rng(seed))
    poses = decode_pafs(*clean_maps(people), SCALE)
    assert_finds(poses, people, 0.0, 0.5)


@pytest.mark.parametrize("decode", DECODERS)
def test_no_people(decode):
    heat, paf = encode_paf_targets(np.zeros((0, 17, 3)), FRAME, SCALE)
    assert heat[:-1].max() == 0 and heat[-1].min() == 1 and not paf.any()
    poses = decode_pafs(heat, paf, SCALE, heat, paf, decode=decode)
    assert len(poses) == 0
    assert poses.keypoints.shape == (0, 17, 2) and poses.keypoint_scores.shape == (0, 17)


@pytest.mark.parametrize("decode", DECODERS)
def test_people_in_any_order(decode):
    people = grid_of_people(4, np.random.default_rng(3))
    first = decode_pafs(*clean_maps(people), SCALE, decode=decode)
    second = decode_pafs(*clean_maps(people[[2, 0, 3, 1]]), SCALE, decode=decode)
    np.testing.assert_allclose(np.sort(first.scores), np.sort(second.scores), rtol=1e-5)
    np.testing.assert_allclose(
        first.keypoints[np.argsort(first.scores)], second.keypoints[np.argsort(second.scores)], atol=1e-2
    )


@pytest.mark.parametrize("seed", range(3))
def test_mirrored_maps_give_mirrored_people(seed):
    rng = np.random.default_rng(seed)
    scene = paf_scene(rng, 3)
    # The decoder's field shift is to the right in both images, so the fields have to be mirrored about their own axis.
    people = grid_of_people(3, rng)
    mirrored = people[:, list(COCO_17.flip_indices)].copy()
    mirrored[..., 0] = FRAME[0] - 1 - mirrored[..., 0]
    upright, flipped = (decode_pafs(*clean_maps(joints), SCALE) for joints in (people, mirrored))
    back = flipped.keypoints[:, list(COCO_17.flip_indices)].copy()
    back[..., 0] = FRAME[0] - 1 - back[..., 0]
    order = np.argsort(upright.keypoints[:, 0, 0]), np.argsort(back[:, 0, 0])
    np.testing.assert_allclose(upright.keypoints[order[0]], back[order[1]], atol=0.02)
    # Averaging with a mirrored pair is symmetric: twice mirrored is unchanged.
    heat, paf = merge_flip(scene.heat, scene.paf, scene.flip_heat, scene.flip_paf)
    again = merge_flip(scene.flip_heat, scene.flip_paf, scene.heat, scene.paf)
    np.testing.assert_allclose(again[0][HEAT_FLIP, :, ::-1], heat, atol=1e-6)
    np.testing.assert_allclose(again[1][PAF_FLIP, :, ::-1] * PAF_FLIP_SIGNS[:, None, None], paf, atol=1e-6)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("seed", range(3))
def test_no_joint_twice_and_inside_the_frame(decode, seed):
    scene = paf_scene(np.random.default_rng(seed), 12)
    poses = decode_pafs(scene.heat, scene.paf, SCALE, scene.flip_heat, scene.flip_paf, decode=decode)
    seen = poses.keypoint_scores > 0
    assert np.isfinite(poses.keypoints).all() and np.isfinite(poses.scores).all()
    assert (poses.keypoints >= 0).all() and (poses.keypoints <= FRAME).all()
    assert not poses.keypoints[~seen].any()
    if decode == "fast":
        for joint in range(17):
            places = poses.keypoints[seen[:, joint], joint]
            assert len(np.unique(places, axis=0)) == len(places)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_maps_that_are_not_finite(decode, value):
    heat, paf = clean_maps(grid_of_people(1, np.random.default_rng(0)))
    paf[3, 4, 5] = value
    with pytest.raises(ValueError, match=r"paf: found 1 values that are not finite, the first at \(3, 4, 5\)"):
        decode_pafs(heat, paf, SCALE, decode=decode)


def test_wrong_input_is_named():
    heat, paf = np.zeros((19, 6, 8)), np.zeros((38, 6, 8))
    with pytest.raises(ValueError, match="decode: found 'quick'"):
        decode_pafs(heat, paf, SCALE, decode="quick")
    with pytest.raises(ValueError, match=r"heat: found shape \(18, 6, 8\)"):
        decode_pafs(heat[:18], paf, SCALE)
    with pytest.raises(ValueError, match="found sizes"):
        decode_pafs(heat, paf[:, :, :7], SCALE)
    with pytest.raises(ValueError, match="both or neither"):
        decode_pafs(heat, paf, SCALE, flip_heat=heat)
    with pytest.raises(ValueError, match="ear_limbs: found 'nose'"):
        encode_paf_targets(np.zeros((1, 17, 3)), FRAME, SCALE, ear_limbs="nose")
    with pytest.raises(ValueError, match=r"keypoints: found shape \(1, 18, 3\)"):
        encode_paf_targets(np.zeros((1, 18, 3)), FRAME, SCALE)
    broken = np.full((1, 17, 3), 2.0)
    broken[0, 3, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        encode_paf_targets(broken, FRAME, SCALE)


def test_layout_is_consistent():
    for (a, b), (x, y) in zip(LIMBS, LIMB_PAF_CHANNELS, strict=True):
        assert PAF_LIMBS[x // 2] == (a, b) and y == x + 1
    reached = {1}
    for a, b in LIMBS[:NUM_TREE_LIMBS]:
        assert a in reached and b not in reached
        reached.add(b)
    assert len(reached) == 18
    np.testing.assert_array_equal(HEAT_FLIP[HEAT_FLIP], np.arange(19))
    np.testing.assert_array_equal(PAF_FLIP[PAF_FLIP], np.arange(38))
    assert list(COCO_FROM_OPENPOSE) == [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]


def test_neck_rule():
    people = np.zeros((3, 17, 3))
    people[:, 5], people[:, 6] = (10, 21, 2), (15, 20, 2)
    people[1, 5, 2], people[2, 6, 2] = 1, 0
    neck = coco_to_openpose18(people)[:, 1]
    np.testing.assert_array_equal(neck, [(12, 20, 2), (12, 20, 2), (12, 20, 0)])
    np.testing.assert_array_equal(coco_to_openpose18(people, round_neck=False)[0, 1], (12.5, 20.5, 2))


@pytest.mark.parametrize("combine", ["sum", "max"])
def test_heatmaps_against_the_definition(combine):
    rng = np.random.default_rng(1)
    points = rng.uniform(-30, 190, (6, 3, 2))
    visible = rng.random((6, 3)) < 0.8
    heat = gaussian_heatmaps(points, visible, (20, 15), 8, 7.0, combine=combine)
    y, x = np.mgrid[:15, :20] * 8 + 3.5
    for joint in range(3):
        shown = points[visible[:, joint], joint]
        exponent = ((x - shown[:, 0, None, None]) ** 2 + (y - shown[:, 1, None, None]) ** 2) / (2 * 7.0**2)
        values = np.where(exponent > 4.6052, 0, np.exp(-exponent))
        expected = np.minimum(values.sum(axis=0), 1) if combine == "sum" else values.max(axis=0)
        np.testing.assert_allclose(heat[joint], expected, atol=1e-6)


def test_flat_top_is_one_peak():
    heat = np.zeros((18, 6, 7), dtype=np.float32)
    heat[4, 2:4, 3:5] = 0.5
    xy, scores, types = find_peaks_fast(heat, 0.1)
    assert list(types) == [4] and list(scores) == [0.5]
    np.testing.assert_allclose(xy, [[3.5, 2.5]])


def test_peaks_in_corners():
    heat = np.zeros((18, 6, 7), dtype=np.float32)
    heat[0, 0, 0], heat[1, 5, 6] = 0.5, 0.6
    xy, _, types = find_peaks_fast(heat, 0.1)
    assert list(types) == [0, 1]
    assert (xy >= -0.5).all() and (xy <= (6.5, 5.5)).all()


def test_union_keeps_what_the_published_walk_loses():
    # Nose, eye, ear and a shoulder that only the ear limb reaches.
    ids, totals, counters = assemble_union(
        [0, 14, 16, 2], [0.6, 0.7, 0.8, 0.9], [(13, 0, 1, 0.5), (14, 1, 2, 0.5), (17, 3, 2, 0.4)]
    )
    assert ids.shape == (1, 18) and list(ids[0, [0, 14, 16, 2]]) == [0, 1, 2, 3]
    np.testing.assert_allclose(totals, [4.4])
    assert list(counters) == [4]


def test_union_refuses_a_second_joint_of_a_type():
    ids, _, counters = assemble_union([1, 2, 3, 1], [0.9] * 4, [(2, 1, 2, 0.9), (0, 0, 1, 0.8), (0, 3, 1, 0.7)])
    assert list(counters) == [3] and list(ids[0, 1:4]) == [0, 1, 2]


def test_pieces_without_a_neck_are_joined_by_distance():
    arm, leg = [2, 3, 4], [8, 9, 10]
    ids = np.full((3, 18), -1)
    ids[0, arm], ids[1, leg], ids[2, leg] = (0, 1, 2), (3, 4, 5), (6, 7, 8)
    xy = np.array([(100, 100), (100, 117), (100, 132), (100, 130), (100, 154), (100, 178)], dtype=float)
    xy = np.concatenate([xy, xy[3:] + (200, 0)])
    assert join_pieces(ids, xy) == [[0, 1], [2]]
    ids[0, 1] = 9  # a neck: its limbs would have shown
    assert join_pieces(ids, np.concatenate([xy, [(110, 100)]])) == [[0], [1], [2]]


def test_enlarge_without_opencv(monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("cv2")
    heat = clean_maps(random_people(np.random.default_rng(0), 2, FRAME))[0]
    with_opencv = enlarge(heat, SCALE)
    monkeypatch.setitem(sys.modules, "cv2", None)
    np.testing.assert_allclose(enlarge(heat, SCALE), with_opencv, atol=5e-6)


def test_needs_numpy_only():
    code = "import sys, orplugins.depthpose.paf; print([m for m in ('torch', 'cv2', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
