"""Names that become parts of paths."""

from pathlib import Path

import pytest

from orplugins.io.images import image_path
from orplugins.io.safe_names import safe_name


@pytest.mark.parametrize("name", ["1", "nurse_2", "a.b-c", 7, -3])
def test_names_that_are_taken(name):
    assert safe_name(name, "x") == str(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "a/b", "/../../x", "a\\b", "a b", "é", "x" * 101, None, 1.5, True]
)
def test_names_that_are_refused(name):
    with pytest.raises(ValueError, match="f.json: 'person_id' is .*, expected a name of letters"):
        safe_name(name, "f.json: 'person_id'")


def test_paths_stay_below_a_folder():
    assert image_path("set", "day1/cam1/a.png", "x") == Path("set/day1/cam1/a.png")
    assert image_path("set", "day1\\a.png", "x") == Path("set/day1/a.png")
    for name in ("../a.png", "a/../../b", "/etc/passwd", "C:\\a.png", "\\\\host\\a", "a\0b"):
        with pytest.raises(ValueError, match="leads out of set"):
            image_path("set", name, "x")
