import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orplugins.mvor.camma import coco_to_camma

NOSE, L_EYE, R_EYE, L_EAR, R_EAR, L_SHOULDER, R_SHOULDER = range(7)


def pose(*present):
    """COCO pose with joint j at (10 + j, 20 + 2 j) and score (1 + j) / 100."""
    out = np.zeros((17, 3))
    for j in present:
        out[j] = (10 + j, 20 + 2 * j, (1 + j) / 100)
    return out


@pytest.mark.parametrize(
    ("present", "sources"),
    [
        ((NOSE, L_EYE, R_EYE, L_EAR, R_EAR), (L_EYE, R_EYE)),
        ((NOSE, L_EYE, L_EAR, R_EAR), (L_EAR, R_EAR)),
        ((NOSE, L_EYE, L_EAR), (NOSE,)),
        ((L_EYE, R_EAR), (L_EYE,)),
        ((R_EYE, L_EAR), (R_EYE,)),
        ((L_EAR,), (L_EAR,)),
        ((R_EAR,), (R_EAR,)),
    ],
)
@pytest.mark.parametrize("presence", ["coordinates", "score"])
def test_head(present, sources, presence):
    coco = pose(*present)
    np.testing.assert_allclose(coco_to_camma(coco, presence)[0], coco[list(sources)].mean(axis=0))


def test_neck_and_the_others():
    both, right, left = pose(5, 6), pose(6), pose(5)
    np.testing.assert_allclose(coco_to_camma(both)[1], both[[5, 6]].mean(axis=0))
    np.testing.assert_array_equal(coco_to_camma(right)[1], right[6])
    np.testing.assert_array_equal(coco_to_camma(left)[1], left[5])
    full = pose(*range(17))
    np.testing.assert_array_equal(coco_to_camma(full)[2:], full[[5, 6, 11, 12, 7, 8, 9, 10]])
    np.testing.assert_array_equal(coco_to_camma(np.zeros((2, 17, 3))), np.zeros((2, 10, 3)))


def test_the_two_versions_differ_in_what_is_present():
    coco = pose(5)
    coco[5, 2] = 0  # a place without a score
    coco[7] = (0, 0, 1)  # a score without a place
    assert coco_to_camma(coco)[2].tolist() == [15, 30, 0]
    assert not coco_to_camma(coco)[6].any()
    assert not coco_to_camma(coco, presence="score")[2].any()
    assert coco_to_camma(coco, presence="score")[6].tolist() == [0, 0, 1]


@given(st.lists(st.booleans(), min_size=34, max_size=34))
def test_batches_equal_single_poses_and_two_columns_equal_three(mask):
    coco = np.stack([pose(*np.flatnonzero(mask[:17])), pose(*np.flatnonzero(mask[17:]))])
    np.testing.assert_array_equal(coco_to_camma(coco)[1], coco_to_camma(coco[1]))
    np.testing.assert_array_equal(coco_to_camma(coco[..., :2]), coco_to_camma(coco)[..., :2])


def test_bad_input():
    with pytest.raises(ValueError, match="shape"):
        coco_to_camma(np.zeros((10, 3)))
    with pytest.raises(ValueError, match="presence"):
        coco_to_camma(np.zeros((17, 3)), presence="both")
    with pytest.raises(ValueError, match="scores"):
        coco_to_camma(np.zeros((17, 2)), presence="score")
