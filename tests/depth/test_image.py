"""Depth images: 8-bit coding, downsampling, holes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orplugins.depth.image import depth_to_8bit, downsample, sensor_view


def picture(seed=0, shape=(48, 64), holes=0.2, dtype=np.uint16):
    rng = np.random.default_rng(seed)
    depth = rng.integers(500, 5000, shape).astype(dtype)
    depth[rng.random(shape) < holes] = 0
    return depth


def test_8bit_codes():
    depth = np.array([[0, 1, 9, 10, 2500, 4999, 5000, 65535]], dtype=np.uint16)
    np.testing.assert_array_equal(depth_to_8bit(depth), [[0, 1, 1, 1, 128, 255, 255, 255]])


@given(st.floats(300, 20000))
@settings(max_examples=20, deadline=None)
def test_8bit_keeps_holes_and_order(z_max):
    codes = depth_to_8bit(np.arange(65536, dtype=np.uint16).reshape(256, 256), z_max).ravel()
    assert codes[0] == 0 and (codes[1:] > 0).all() and (np.diff(codes.astype(int)) >= 0).all()


@pytest.mark.parametrize("filter", ["area", "bilinear", "nearest"])
@pytest.mark.parametrize("holes", ["zero", "valid"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("factor", [2, 6.4, 10, 0.5])
def test_a_flat_picture_stays_flat(filter, holes, dtype, factor):
    depth = np.full((48, 64), 200, dtype=dtype)
    small = downsample(depth, factor=factor, filter=filter, holes=holes)
    assert small.dtype == dtype and small.shape == (round(48 / factor), round(64 / factor))
    np.testing.assert_allclose(small, 200, rtol=1e-5)


def test_area_is_the_mean_of_blocks():
    depth = picture().astype(np.float64)
    np.testing.assert_allclose(downsample(depth, factor=4), depth.reshape(12, 4, 16, 4).mean(axis=(1, 3)), rtol=1e-12)


@pytest.mark.parametrize("filter", ["area", "bilinear"])
@pytest.mark.parametrize("size", [(64, 48), (100, 75), (10, 7)])
def test_means_are_pillows(filter, size):
    image = pytest.importorskip("PIL.Image")
    depth = picture(shape=(480, 640), holes=0.1).astype(np.float32)
    kind = {"area": image.Resampling.BOX, "bilinear": image.Resampling.BILINEAR}[filter]
    expected = np.asarray(image.fromarray(depth).resize(size, kind))
    # Pillow's box takes a pixel whole or not at all: it is the exact mean for whole factors only.
    if filter == "bilinear" or all(n % m == 0 for n, m in zip((640, 480), size, strict=True)):
        np.testing.assert_allclose(downsample(depth, size=size, filter=filter), expected, rtol=1e-4, atol=0.01)


def test_nearest_takes_pixels_as_they_are():
    depth = picture()
    np.testing.assert_array_equal(downsample(depth, factor=2, filter="nearest"), depth[1::2, 1::2])
    small = downsample(depth, factor=6.4, filter="nearest")
    assert np.isin(small, depth).all()


@pytest.mark.parametrize("filter", ["area", "bilinear"])
@given(seed=st.integers(0, 100), factor=st.floats(1.1, 20), holes=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_averages_of_measured_pixels_stay_in_their_range(filter, seed, factor, holes):
    depth = picture(seed, holes=holes)
    small = downsample(depth, factor=factor, filter=filter, holes="valid")
    measured = depth[depth > 0]
    assert (measured.size > 0) == bool(small.any())
    if measured.size:
        assert small[small > 0].min() >= measured.min() and small.max() <= measured.max()
    # Counting holes as zeros brings a mean nearer, never further; 1 is what rounding to whole numbers may differ by.
    zeroed = downsample(depth, factor=factor, filter=filter, holes="zero")
    assert (zeroed.astype(int) <= small.astype(int) + 1).all()


def test_only_a_footprint_without_any_measurement_is_a_hole():
    depth = np.zeros((20, 20), dtype=np.uint16)
    depth[3, 4] = 1234
    small = downsample(depth, factor=10, holes="valid")
    np.testing.assert_array_equal(small, [[1234, 0], [0, 0]])
    np.testing.assert_array_equal(downsample(depth, factor=10, holes="zero"), [[12, 0], [0, 0]])


def test_batches():
    depth = np.stack([picture(seed) for seed in range(3)])
    for filter in ("area", "bilinear", "nearest"):
        both = downsample(depth, factor=6.4, filter=filter, holes="valid")
        np.testing.assert_array_equal(both[1], downsample(depth[1], factor=6.4, filter=filter, holes="valid"))


def test_sensor_view():
    view = sensor_view(picture(shape=(480, 640)))
    assert view.shape == (48, 64) and view.dtype == np.uint8 and view.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: depth_to_8bit(d.astype(np.float32)), "found dtype float32, expected uint16"),
        (lambda d: depth_to_8bit(d[0]), "found shape"),
        (lambda d: depth_to_8bit(d, 0), "z_max_mm"),
        (lambda d: downsample(d), "exactly one"),
        (lambda d: downsample(d, size=(4, 4), factor=2), "exactly one"),
        (lambda d: downsample(d, factor=0), "factor"),
        (lambda d: downsample(d, size=(0, 4)), "size"),
        (lambda d: downsample(d, factor=2, filter="cubic"), "filter"),
        (lambda d: downsample(d, factor=2, holes="maybe"), "holes"),
        (lambda d: downsample(d.astype(np.int32), factor=2), "dtype int32"),
        (lambda d: downsample(d[:0], factor=2), "shape"),
        (lambda d: downsample(np.where(d > 4000, np.nan, d), factor=2), "NaN"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(picture())
