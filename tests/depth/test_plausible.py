"""Units of depth images: millimetres a count, holes, and distances that no room has."""

import numpy as np
import pytest

from orplugins.depth.plausible import check_room_depth, likely_units, median_distance
from orplugins.depth.png import counts_to_mm, load_depth, save_depth

ROOM = np.linspace(1500, 5000, 48 * 64).reshape(48, 64).astype(np.uint16)


@pytest.mark.parametrize("unit", [0.1, 0.125, 0.25, 0.5, 1, 10])
def test_counts_become_millimetres(tmp_path, unit):
    counts = np.rint(ROOM / unit).astype(np.uint16)
    counts[0, :3] = 0, 65535, 1
    save_depth(tmp_path / "d.png", counts)
    found = load_depth(tmp_path / "d.png", unit_mm=unit)
    assert found.dtype == np.uint16 and found[0, :2].tolist() == [0, 0] and found[0, 2] == round(unit)
    np.testing.assert_allclose(found[1:], ROOM[1:], atol=0.51 + unit / 2)


def test_what_lies_beyond_65_m_is_a_hole():
    assert counts_to_mm(np.array([[6553, 6554]], np.uint16), 10).tolist() == [[65530, 0]]
    with pytest.raises(ValueError, match="unit_mm: found 0"):
        counts_to_mm(ROOM, 0)


@pytest.mark.parametrize("unit", [0.1, 0.25, 10])
def test_another_unit_is_named(unit):
    counts = np.rint(ROOM / unit).astype(np.uint16)
    with pytest.raises(
        ValueError, match=rf"d.png: the median distance is .* a count is probably .*{unit:g} mm .* see --u"
    ):
        check_room_depth(counts, "d.png", 1.0, "--u")
    check_room_depth(counts_to_mm(counts, unit), "d.png", unit)
    assert unit in likely_units(float(np.median(counts)))[:2]


def test_images_of_holes_say_nothing():
    assert median_distance(np.zeros((4, 4), np.uint16)) is None
    check_room_depth(np.zeros((4, 4), np.uint16), "d.png")
