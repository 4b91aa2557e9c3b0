"""Run lengths of masks, there and back, and as COCO's own tools read them."""

import numpy as np
import pytest

from orplugins.io.coco_masks import mask_of, run_lengths


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_a_mask_comes_back_and_cocos_tools_agree(share):
    mask = np.random.default_rng(0).random((7, 11)) < share
    code = run_lengths(mask)
    np.testing.assert_array_equal(mask_of(code), mask)
    tools = pytest.importorskip("pycocotools.mask")
    np.testing.assert_array_equal(tools.decode(tools.frPyObjects(code, 7, 11)).astype(bool), mask)


def test_runs_of_another_size_are_refused():
    with pytest.raises(ValueError, match="have 5 pixels, expected 6, 3x2"):
        mask_of({"size": [2, 3], "counts": [2, 3]})
