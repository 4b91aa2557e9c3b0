"""Crops of boxes and blurred maps without OpenCV are those with it."""

import numpy as np
import pytest

from orplugins.partial_body.blur import band, gaussian_kernel
from orplugins.partial_body.box_crops import box_extents, cut_box
from orplugins.partial_body.maps import joints_of_maps

cv2 = pytest.importorskip("cv2")


@pytest.mark.parametrize("size", range(1, 22, 2))
def test_kernels_are_opencvs(size):
    np.testing.assert_allclose(gaussian_kernel(size), cv2.getGaussianKernel(size, 0)[:, 0], atol=1e-12)


def test_what_is_no_kernel():
    with pytest.raises(ValueError, match="4 taps, expected an odd number"):
        gaussian_kernel(4)
    with pytest.raises(ValueError, match="found border 'wrap'"):
        band(5, 3, "wrap")


@pytest.mark.parametrize(("border", "theirs"), [("zero", cv2.BORDER_CONSTANT), ("mirror", cv2.BORDER_REFLECT_101)])
@pytest.mark.parametrize("shape", [(64, 48), (24, 17), (6, 5), (1, 9)])
def test_blur_is_opencvs(border, theirs, shape):
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    found = band(shape[0], 11, border) @ image @ band(shape[1], 11, border).T
    wanted = cv2.GaussianBlur(image, (11, 11), 0, borderType=theirs)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_crops_are_the_hosts_byte_by_byte():
    transforms = pytest.importorskip("mmpose.datasets.transforms")
    pytest.importorskip("mmpose")
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    cut = transforms.TopdownAffine(input_size=(72, 96), use_udp=True)
    grow = transforms.GetBBoxCenterScale(padding=1.25)
    for _ in range(100):
        corner, size = rng.uniform((-30, -30), (150, 110)), rng.uniform(4, 140, 2)
        box = np.concatenate([corner, corner + size]).astype(np.float32)
        host = cut(grow({"img": image, "bbox": box[None], "bbox_score": np.ones(1)}))
        centres, sizes = box_extents(box, (72, 96))
        np.testing.assert_array_equal(centres[0], host["input_center"])
        np.testing.assert_array_equal(sizes[0], host["input_scale"])
        np.testing.assert_array_equal(cut_box(image, centres[0], sizes[0], (72, 96)), host["img"])


def test_joints_of_no_map():
    for how in ("batched", "udp", "quarter"):
        joints, scores = joints_of_maps(np.zeros((0, 17, 64, 48), np.float32), (192, 256), how)
        assert joints.shape == (0, 17, 2) and scores.shape == (0, 17)
