"""Depth transforms: loading errors, geometry of the input, augmentation that moves joints with pixels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mmpose")
cv2 = pytest.importorskip("cv2")

from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import TRANSFORMS  # noqa: E402

from orplugins.depth.image import depth_to_8bit  # noqa: E402
from orplugins.depth.png import save_depth  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402


def build(name, **kwargs):
    init_default_scope("mmpose")
    return TRANSFORMS.build({"type": name if name == "RandomFlip" else f"orplugins.{name}", **kwargs})


def picture(bits=16, size=(64, 48)):
    top = 5000 if bits == 16 else 255
    values = np.random.default_rng(0).integers(top // 5, top, size[::-1])
    return values.astype(np.uint16 if bits == 16 else np.uint8)


def blobs(points, size=(160, 120)):
    """A far wall with a near square of 5 x 5 pixels at every point, each of its own depth."""
    image = np.full(size[::-1], 4000, np.uint16)
    for k, (x, y) in enumerate(points):
        image[y - 2 : y + 3, x - 2 : x + 3] = 1000 + 100 * k
    return image


def scene(points, size=(160, 120)):
    keypoints = np.zeros((1, 17, 2), np.float32)
    keypoints[0, : len(points)] = points
    visible = np.zeros((1, 17), np.float32)
    visible[0, : len(points)] = 1
    return {
        "img": blobs(points, size),
        "img_shape": size[::-1],
        "keypoints": keypoints,
        "keypoints_visible": visible,
        "flip_indices": list(COCO_17.flip_indices),
    }


def centre(image, value, tolerance):
    """Mean (x, y) of the pixels of about this value."""
    y, x = np.nonzero(np.abs(image.astype(int) - value) <= tolerance)
    return np.array([x.mean(), y.mean()])


# LoadDepth


@pytest.mark.parametrize("bits", [8, 16])
def test_load(bits, tmp_path):
    save_depth(tmp_path / "d.png", picture(bits))
    results = build("LoadDepth", bits=bits, size=(64, 48))({"img_path": str(tmp_path / "d.png")})
    np.testing.assert_array_equal(results["img"], picture(bits))
    assert results["img"].dtype == (np.uint16 if bits == 16 else np.uint8)
    assert results["img_shape"] == results["ori_shape"] == (48, 64)
    array = build("LoadDepth", bits=bits)({"img": picture(bits)})
    np.testing.assert_array_equal(array["img"], picture(bits))


def test_load_errors_name_file_found_and_expected(tmp_path):
    for bits in (8, 16):
        save_depth(tmp_path / f"{bits}.png", picture(bits))
    whole = (tmp_path / "16.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    cv2.imwrite(str(tmp_path / "colour.png"), np.full((48, 64, 3), 9, np.uint8))
    save_depth(tmp_path / "holes.png", np.zeros((48, 64), np.uint16))
    cases = {
        "half.png: pixels: found a truncated": {},
        "8.png: bit depth: found 8, expected 16": {},
        "16.png: bit depth: found 16, expected 8": {"bits": 8},
        "colour.png: channels: found a three-channel": {},
        "16.png: size: found 64x48, expected 80x60": {"size": (80, 60)},
        "holes.png: pixels: found nothing but holes": {"allow_empty": False},
    }
    for message, options in cases.items():
        with pytest.raises(ValueError, match=message):
            build("LoadDepth", **options)({"img_path": str(tmp_path / message.split(":")[0])})
    with pytest.raises(FileNotFoundError, match="none.png"):
        build("LoadDepth")({"img_path": str(tmp_path / "none.png")})
    with pytest.warns(UserWarning, match="nothing but holes"):
        build("LoadDepth")({"img_path": str(tmp_path / "holes.png")})


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.ones((4, 4, 3), np.uint16), {}, "channels"),
        (np.ones((4, 4), np.uint8), {}, "bit depth: found uint8, expected uint16"),
        (np.ones((4, 4), np.uint16), {"bits": 8}, "bit depth: found uint16, expected uint8"),
        (np.ones((4, 4), np.uint16), {"size": (5, 4)}, "size: found 4x4, expected 5x4"),
        (np.zeros((4, 4), np.uint16), {"allow_empty": False}, "holes"),
    ],
)
def test_arrays_are_checked_like_files(array, options, message):
    with pytest.raises(ValueError, match=message):
        build("LoadDepth", **options)({"img": array})


# DepthToInput


def test_geometry_of_the_input():
    results = scene([(40, 30), (159, 119)])
    results = build("DepthToInput", size=(32, 24), target_size=(64, 48))(results)
    assert results["img"].shape == (24, 32, 1) and results["img"].dtype == np.float32
    assert results["depth_target"].shape == (1, 48, 64) and results["depth_target"].dtype == np.float32
    assert results["img_shape"] == (24, 32) and results["input_size"] == (32, 24)
    np.testing.assert_array_equal(results["input_center"], (80, 60))
    np.testing.assert_array_equal(results["input_scale"], (160, 120))
    np.testing.assert_allclose(results["transformed_keypoints"][0, :2], [(8, 6), (31.8, 23.8)], rtol=1e-6)
    # as mmpose brings results back to the image
    back = results["transformed_keypoints"] / results["input_size"] * results["input_scale"]
    back = back + results["input_center"] - 0.5 * results["input_scale"]
    np.testing.assert_allclose(back, results["keypoints"], atol=1e-4)


def test_frame_of_low_resolution_images():
    results = build("DepthToInput", size=(64, 48), frame_size=(640, 480))({"img": picture(8)})
    np.testing.assert_array_equal(results["img"][..., 0], picture(8).astype(np.float32) / 255)
    np.testing.assert_array_equal(results["input_scale"], (640, 480))


@pytest.mark.parametrize("filter", ["area", "bilinear", "nearest"])
def test_8_bit_and_16_bit_agree(filter):
    image = picture(16, (160, 120))
    options = dict(size=(32, 24), filter=filter, z_max_mm=5000)
    wide = build("DepthToInput", **options)({"img": image.copy()})["img"]
    narrow = build("DepthToInput", **options)({"img": depth_to_8bit(image, z_max_mm=5000)})["img"]
    np.testing.assert_array_equal(wide, narrow)
    assert 0 < wide.min() and wide.max() <= 1


def test_range_and_holes():
    image = np.full((48, 64), 2500, np.uint16)
    image[:, 32:] = 9000
    image[:24] = 0
    found = build("DepthToInput", size=(32, 24), z_max_mm=5000)({"img": image})["img"][..., 0]
    assert (found[:12] == 0).all() and (found[12:, 16:] == 1).all()
    np.testing.assert_allclose(found[12:, :16], 0.5, atol=0.01)


# augmentation

POINTS = [(60, 50), (100, 50), (60, 80), (100, 85), (80, 40)]


@pytest.mark.parametrize("seed", range(6))
def test_affine_moves_joints_with_pixels(seed):
    np.random.seed(seed)
    results = build("RandomDepthAffine", scale_depth=False)(scene(POINTS))
    assert results["img"].dtype == np.uint16 and results["img"].shape == (120, 160)
    assert (results["keypoints_visible"][0, : len(POINTS)] == 1).all()
    moved = np.abs(results["keypoints"][0, : len(POINTS)] - POINTS).max()
    assert moved > 1
    for k, joint in enumerate(results["keypoints"][0, : len(POINTS)]):
        assert np.abs(centre(results["img"], 1000 + 100 * k, 0) - joint).max() < 0.6


def test_affine_makes_nearer_what_it_makes_larger():
    results = build("RandomDepthAffine", rotate=0, scale=(2, 2), shift=0)(scene([(80, 60)]))
    assert set(np.unique(results["img"])) == {500, 2000}
    assert (results["img"] == 500).sum() == 100  # 5 x 5 at twice the size
    assert np.abs(centre(results["img"], 500, 0) - results["keypoints"][0, 0]).max() <= 0.5


def test_affine_unlabels_what_leaves_and_makes_no_depth():
    np.random.seed(0)
    enlarge = build("RandomDepthAffine", rotate=0, scale=(2, 2), shift=0, scale_depth=False)
    results = enlarge(scene([(10, 60), (80, 60)]))
    assert results["keypoints_visible"][0, :2].tolist() == [0, 1]
    results = build("RandomDepthAffine", rotate=10, scale=(0.5, 0.5), shift=0, scale_depth=False)(scene(POINTS))
    # no value in between: nothing was interpolated, and what came from outside is a hole
    assert set(np.unique(results["img"])) <= {0, 1000, 1100, 1200, 1300, 1400, 4000} and (results["img"] == 0).any()


def test_affine_with_probability_zero():
    results = build("RandomDepthAffine", prob=0)(scene(POINTS))
    np.testing.assert_array_equal(results["img"], blobs(POINTS))
    empty = build("RandomDepthAffine")({"img": blobs(POINTS)})
    assert "keypoints" not in empty


def test_flip_of_the_host_moves_joints_with_pixels():
    results = build("RandomFlip", direction="horizontal", prob=1.0)(scene(POINTS))
    for k in range(len(POINTS)):
        joint = results["keypoints"][0, COCO_17.flip_indices[k]]
        np.testing.assert_allclose(centre(results["img"], 1000 + 100 * k, 0), joint, atol=1e-4)


def test_holes():
    image = np.full((120, 160), 2000, np.uint16)
    fractions = []
    for seed in range(30):
        np.random.seed(seed)
        results = build("RandomDepthHoles", rectangles=3, size=0.12, pixels=0.02)({"img": image})
        assert set(np.unique(results["img"])) <= {0, 2000}
        fractions.append((results["img"] == 0).mean())
    assert (image == 2000).all()  # the input is left alone
    assert min(fractions) < 0.02 < max(fractions) < 0.02 + 3 * 0.13**2 + 0.01
    none = build("RandomDepthHoles", rectangles=0, pixels=0)({"img": image})
    np.testing.assert_array_equal(none["img"], image)
