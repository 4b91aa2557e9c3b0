"""Frames of results files and images are matched by the longest common tail of their paths."""

import pytest

from orplugins.io.frame_names import match_frames, path_parts


def matched(names, images, **options):
    found = match_frames(names, images, **options)
    return {images[k]: names[n] for k, n in found.name_of.items()}, found


def test_folders_are_part_of_a_frames_name():
    names = ["cam1/000000.png", "cam2/000001.png"]
    pairs, found = matched(names, ["/rec/cam1/000000.png", "/rec/cam1/000001.png"])
    assert pairs == {"/rec/cam1/000000.png": "cam1/000000.png"}
    assert found.unmatched == ("cam2/000001.png",)


def test_backslashes_are_slashes():
    pairs, _ = matched(["cam1\\000001.png", "cam2\\000001.png"], ["rec/cam1/000001.png", "rec/cam2/000001.png"])
    assert pairs == {"rec/cam1/000001.png": "cam1\\000001.png", "rec/cam2/000001.png": "cam2\\000001.png"}


def test_one_folder_of_another_name_is_the_same_images():
    pairs, found = matched(["images/a.png", "images/b.png"], ["pics/a.png", "pics/b.png"])
    assert len(pairs) == 2 and not found.unmatched


@pytest.mark.parametrize("there, here", [("cam2", "cam1"), ("day_03", "day_1"), ("S9", "S11")])
def test_folders_that_differ_in_their_number_contradict(there, here):
    assert not matched([f"{there}/a.png"], [f"/x/{here}/a.png"])[0]


def test_what_fits_twice_is_ambiguous():
    pairs, found = matched(["a.png"], ["one/a.png", "two/a.png"])
    assert not pairs and found.ambiguous == ("a.png",)
    pairs, found = matched(["x/one/a.png", "y/one/a.png"], ["one/a.png"])
    assert not pairs


def test_an_absolute_path_of_another_machine():
    pairs, _ = matched(["C:\\data\\rec\\cam1\\a.png"], ["/home/u/cam1/a.png", "/home/u/cam2/a.png"])
    assert pairs == {"/home/u/cam1/a.png": "C:\\data\\rec\\cam1\\a.png"}


def test_suffixes_may_differ_on_request():
    assert matched(["c/a.jpg"], ["d/a.png"], suffix=False)[0] == {"d/a.png": "c/a.jpg"}
    assert not matched(["c/a.jpg"], ["d/a.png"])[0]
    assert path_parts("take.v2_000000000012", suffix=False)[-1] == "take.v2_000000000012"


def test_problems_are_lines():
    _, found = matched(["a.png", "b.png"], ["x/a.png", "y/a.png"])
    assert found.problems("dets.json") == [
        "dets.json: 1 entries belong to none of the images: b.png",
        "dets.json: 1 entries are ambiguous: a.png",
    ]
