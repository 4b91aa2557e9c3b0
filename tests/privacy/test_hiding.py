"""What is put in place of somebody: nothing, the background, cells, a blur; and the order of doubt."""

import numpy as np
import pytest

from orplugins.privacy.background import median_background, spread
from orplugins.privacy.doubt import doubt_of
from orplugins.privacy.hiding import blank, hide, smaller
from orplugins.privacy.masks import mask_of
from orplugins.privacy.settings import HideSettings

from .toy import SIZE, person, picture


def noise(*shape: int, dtype=np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 250, shape).astype(dtype)


MASK = np.zeros((60, 80), bool)
MASK[10:40, 20:60] = True


@pytest.mark.parametrize("how", ["remove", "pixelate", "blur"])
@pytest.mark.parametrize("shape", [(60, 80, 3), (60, 80)])
def test_only_what_is_masked_changes(how, shape):
    image = noise(*shape, dtype=np.uint8 if len(shape) == 3 else np.uint16)
    out = hide(image, MASK, how)
    np.testing.assert_array_equal(out[~MASK], image[~MASK])
    assert out.dtype == image.dtype and (out[MASK] != image[MASK]).mean() > 0.9
    assert len(np.unique(out[MASK].reshape(MASK.sum(), -1), axis=0)) < (MASK.sum() if how == "blur" else 13)


def test_what_is_removed_depends_on_nothing_that_was_there():
    other = hide(noise(60, 80, 3), MASK)
    assert (hide(255 - noise(60, 80, 3), MASK)[MASK] == other[MASK]).all()
    assert not hide(noise(60, 80, dtype=np.uint16), MASK)[MASK].any()


def test_cells_are_a_third_of_the_shorter_side():
    out = hide(noise(60, 80, 3), MASK, "pixelate")
    assert (out[10:20, 20:30] == out[10, 20]).all() and (out[10, 20] != out[20, 20]).any()


def test_holes_stay_out_of_means():
    depth = np.full((60, 80), 2000, np.uint16)
    depth[12:30:2] = 0
    for how in ("pixelate", "blur"):
        assert (hide(depth, MASK, how)[MASK] == 2000).all()
    assert (smaller(depth, 10) == 2000).all()


def test_small_copies_are_means():
    image = noise(60, 80, 3)
    out = smaller(image, 10)
    assert out.shape == (6, 8, 3) and out.dtype == np.uint8
    np.testing.assert_allclose(out[0, 0], image[:10, :10].mean((0, 1)), atol=0.6)


def test_background_is_what_was_seen_and_blank_where_somebody_always_was():
    floor = noise(60, 80, 3)
    moments = []
    for t in range(9):
        image, mask = floor.copy(), np.zeros((60, 80), bool)
        mask[20:40, 5 + 5 * t : 25 + 5 * t] = True  # walks
        mask[50:, 70:] = True  # lies still
        image[mask] = 255
        moments.append((image, mask))
    out = median_background(moments)
    np.testing.assert_array_equal(out[:50], floor[:50])
    assert (out[50:, 70:] == blank(floor)[50:, 70:]).all()
    assert median_background([]) is None


def test_background_of_depth_leaves_out_holes():
    frames = [np.full((4, 4), 1000 if t % 2 else 0, np.uint16) for t in range(8)]
    assert (median_background((frame, np.zeros((4, 4), bool)) for frame in frames) == 1000).all()


def test_moments_are_spread():
    assert spread(0) == set() and spread(3) == {0, 1, 2}
    assert len(spread(1000)) == 25 and {0, 999} <= spread(1000)


def test_doubt_grows_with_what_may_be_there_and_is_not_hidden():
    sure, faint = person(30, 30), person(70, 30, score=0.03)
    mask = mask_of([sure], SIZE)
    calm = doubt_of([sure], [], mask)
    assert calm.value == 0 and calm.reasons == ()
    doubtful = doubt_of([sure], [faint], mask)
    more = doubt_of([sure], [faint, person(70, 60, score=0.02)], mask)
    assert 0 < doubtful.value < more.value < 1
    (place,) = doubtful.places
    np.testing.assert_allclose((place[:2] + place[2:]) / 2, [70, 30])
    assert 8 < place[2] - place[0] < 20
    assert doubt_of([sure, person(70, 30)], [faint], mask_of([sure, person(70, 30)], SIZE)).value == 0


def test_doubt_about_frames_without_people_and_with_fewer_than_around():
    none = np.zeros(SIZE[::-1], bool)
    assert "nobody found" in doubt_of([], [], none).reasons
    fewer = doubt_of([person(30, 30)], [], mask_of([person(30, 30)], SIZE), around=[2, 2, 2])
    assert "1 people found surely, 2 in the frames around" in fewer.reasons
    held = person(30, 30).moved(np.array([31.0, 30.0]), 0.1, "between two finds")
    assert "not found here: between two finds" in doubt_of([held], [], mask_of([held], SIZE)).reasons


def test_doubt_about_somebody_beyond_the_border_is_none():
    assert doubt_of([person(30, 30)], [person(-100, 30, score=0.03)], mask_of([person(30, 30)], SIZE)).value == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("what", "faces"), ("how", "smear"), ("margin", 0.1), ("threshold", 2), ("small", 1), ("gap", -1),
     ("only_small", True), ("depth_unit_mm", 0), ("background", "sky"), ("small_from", "file")],
)  # fmt: skip
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}.*expected"):
        HideSettings(**{field: value})


def test_a_background_needs_something_removed():
    with pytest.raises(ValueError, match="background: found 'median' with how 'blur', expected 'remove'"):
        HideSettings(background="median", how="blur")


def test_toy_picture_shows_a_head():
    assert (picture((30, 30, 8)) == (10, 10, 250)).all(-1).sum() > 150
