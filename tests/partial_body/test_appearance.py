"""Pictures as another camera would have taken them, and things in front of people."""

import numpy as np
import pytest

pytest.importorskip("cv2")

from orplugins.partial_body.appearance import Occluders, photograph  # noqa: E402


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (48, 36, 3), dtype=np.uint8)


def test_photographs_differ_and_can_be_repeated():
    image = picture()
    made = [photograph(image, np.random.default_rng(seed), 1.0) for seed in (1, 1, 2)]
    assert all(one.shape == image.shape and one.dtype == np.uint8 for one in made)
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any() and (image == picture()).all()
    np.testing.assert_array_equal(photograph(image, np.random.default_rng(1), 0.0), image)


def test_a_joint_is_hidden_where_the_picture_was_painted():
    image, hidden_at, seen_at = np.full((48, 36, 3), 7, np.uint8), [], []
    rows, columns = np.mgrid[:48, :36]
    joints = np.stack([columns.ravel(), rows.ravel()], -1).astype(float)
    drawing = Occluders(1.0)
    for seed in range(20):
        painted, hidden = drawing(image, joints, np.random.default_rng(seed))
        changed = (painted != 7).any(-1).ravel()
        assert (hidden >= changed).all()
        hidden_at.append(hidden.mean())
        seen_at.append(changed.mean())
    assert 0.02 < np.mean(seen_at) <= np.mean(hidden_at) < 0.6 and (image == 7).all()
    outside = drawing(image, np.array([[-5.0, 3.0], [40.0, 3.0]]), np.random.default_rng(0))[1]
    assert not outside.any()
