"""The neck that merges a trunk's maps."""

import pytest

torch = pytest.importorskip("torch")

from orplugins.partial_body.pyramid import MergedPyramid  # noqa: E402


def test_one_map_of_the_finest_stride_sees_all():
    torch.manual_seed(0)
    neck = MergedPyramid((3, 5, 7), 8).eval()
    maps = [torch.randn(2, c, 12 // s, 10 // s) for c, s in ((3, 1), (5, 2), (7, 4))]
    merged = neck(maps)
    assert merged.shape == (2, 8, 12, 10)
    for k in range(3):
        other = neck([m + (n == k) for n, m in enumerate(maps)])
        assert (other != merged).any()


def test_an_even_window_is_refused():
    with pytest.raises(ValueError, match="kernel: found 4, expected an odd number"):
        MergedPyramid((3,), 8, kernel=4)
