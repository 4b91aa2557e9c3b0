"""Textures, lights and cameras of colour pictures: what they change, and what they leave as it is."""

from dataclasses import replace

import numpy as np
import pytest

from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.render.frames import render_frames
from orplugins.synthetic.render.lens import Lens, any_lens, develop
from orplugins.synthetic.render.lights import any_lights
from orplugins.synthetic.scene.colours import any_colour, skin_colour
from orplugins.synthetic.scene.patterns import COUNT, KINDS, SIDE, STARTS, look_up, numbers_of, pattern
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.scene.surfaces import cover
from orplugins.synthetic.scene.wardrobe import BARE, CAP, GLOVE, HAIR, LABELS, MASK, SHIRT, TROUSERS, outfit
from orplugins.synthetic.variety import check_variety

SIZE = (96, 72)
ALL_BUT = ("cameras", "poses", "rooms", "sensors", "clothes")


def render(index, variety, **options):
    options = {"views": 1, "people": (1, 4), "color": True, "fixed_cameras": False, **options}
    return render_frames(4, index, SIZE, variety=variety, **options)[1]


@pytest.mark.parametrize("part", ["textures", "pictures"])
def test_pictures_vary_while_depth_and_labels_stay(part):
    differences = []
    for index in range(3):
        plain, (varied,), (again,) = (render(index, parts) for parts in (ALL_BUT, (*ALL_BUT, part), (*ALL_BUT, part)))
        np.testing.assert_array_equal(varied.color, again.color)
        np.testing.assert_array_equal(varied.depth_mm, plain[0].depth_mm)
        np.testing.assert_array_equal(varied.instances, plain[0].instances)
        np.testing.assert_array_equal(varied.view.keypoints["coco_17"], plain[0].view.keypoints["coco_17"])
        differences.append(np.abs(varied.color.astype(int) - plain[0].color).mean())
    assert min(differences) > 2


def test_depth_alone_does_without_pictures(tmp_path):
    (with_color,), (without,) = (render(2, ("all",), color=color) for color in (True, False))
    assert without.color is None
    np.testing.assert_array_equal(with_color.depth_mm, without.depth_mm)
    assert check_variety(["all"], color=False) == ALL_BUT
    with pytest.raises(ValueError, match="variety: found pictures without colour pictures"):
        write_dataset(tmp_path, 1, seed=1, size=(32, 24), variety=("pictures",))


def test_nothing_is_black_behind_people_without_a_room():
    for index in range(40):
        frame = render(index, ("rooms", "textures"), people=(1, 1), noise=False)[0]
        if (frame.depth_mm == 0).mean() > 0.5:
            break
    plain = render(index, ("rooms",), people=(1, 1), noise=False)[0]
    behind = frame.depth_mm == 0
    assert plain.color[behind].mean() < 40 < frame.color[behind].mean()
    assert frame.color[behind].std(0).max() > 2 * plain.color[behind].std(0).max()


# ---- patterns


@pytest.mark.parametrize("kind", KINDS)
def test_a_pattern_is_a_function_of_its_number_and_has_smaller_copies(kind):
    number = int(numbers_of(kind)[1])
    flat = pattern(number)
    assert flat.shape == (2, STARTS[-1]) and flat.dtype == np.uint8
    assert flat[0, : SIDE * SIDE].std() > 2
    assert abs(float(flat[0, : SIDE * SIDE].mean()) - float(flat[0, STARTS[-2] :].mean())) < 2
    pattern.cache_clear()
    np.testing.assert_array_equal(flat, pattern(number))


def test_patterns_repeat_and_are_smooth_from_afar():
    numbers, rng = np.arange(COUNT)[[3, 9]], np.random.default_rng(0)
    u, v = rng.uniform(0, 1, (2, 500))
    which = rng.integers(2, size=500)
    near = look_up(numbers, which, u, v, np.ones(500))
    np.testing.assert_array_equal(near, look_up(numbers, which, u + 3, v - 2, np.ones(500)))
    assert near.min() >= 0 and near.max() <= 1
    assert look_up(numbers, which, u, v, np.full(500, 1e3)).std() < 0.7 * near.std()


# ---- colours and clothes


def test_colours_span_the_whole_range():
    rng = np.random.default_rng(1)
    colours, skins = np.array([any_colour(rng) for _ in range(400)]), np.array([skin_colour(rng) for _ in range(400)])
    assert colours.min() >= 0 and colours.max() <= 1
    assert (np.ptp(colours, axis=1) < 0.05).mean() > 0.15 and (np.ptp(colours, axis=1) > 0.4).mean() > 0.15
    assert colours.mean(1).min() < 0.08 and colours.mean(1).max() > 0.8
    assert skins.mean(1).min() < 0.2 and skins.mean(1).max() > 0.7
    assert (skins[:, 0] > skins[:, 2]).mean() > 0.95


def test_everything_that_people_wear_occurs():
    scene = make_scene(3, 1, people=(4, 4), views=1)
    worn = {True: [], False: []}
    for theatre, found in worn.items():
        for seed in range(60):
            rng = np.random.default_rng(seed)
            found += [outfit(rng, person, theatre) for person in scene.people if person.role == "clinician"]
    share = {
        key: [np.mean([(o.labels == label).any() for o in found]) for label in LABELS] for key, found in worn.items()
    }
    assert share[True][MASK] > share[False][MASK] > 0.1 and share[True][CAP] > share[False][CAP]
    assert 0.2 < share[True][GLOVE] < 0.8 and share[False][HAIR] > 0.4
    for outfits in worn.values():
        assert all((o.labels == SHIRT).any() and (o.labels == BARE).any() for o in outfits)
        two = np.mean([np.abs(o.colours[SHIRT] - o.colours[TROUSERS]).max() > 0.05 for o in outfits])
        assert 0.2 < two < 0.95


def test_covers_are_those_of_the_scene_and_the_stream():
    scene = make_scene(4, 2, people=(2, 4), views=1)
    first, again, other = (cover(scene, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.colours, again.colours)
    np.testing.assert_array_equal(first.cover.patterns, again.cover.patterns)
    assert (first.colours != other.colours).mean() > 0.5
    assert first.colours.min() >= 0 and first.colours.max() <= 1.2
    assert first.rows.max() < first.backdrop and len(first.cover.patterns) == first.backdrop + 1
    people = scene.instances > 0
    assert not set(first.rows[people]) & set(first.rows[~people])


def test_lights_vary_in_number_colour_and_strength():
    scene = make_scene(4, 2, views=1)
    lights = [any_lights(scene, np.random.default_rng(seed)) for seed in range(200)]
    assert {len(found.places) for found in lights} == {1, 2, 3, 4}
    ratio = np.array([found.colours[0, 0] / found.colours[0, 2] for found in lights])
    assert ratio.min() < 0.9 and ratio.max() > 1.8
    level = np.array([found.level for found in lights])
    assert level.min() < 0.1 and level.max() > 0.7
    assert 0.05 < np.mean([found.cones.any() for found in lights]) < 0.5


# ---- the camera


@pytest.fixture(scope="module")
def radiance():
    picture = np.full((60, 80, 3), 0.3, np.float32)
    picture[:, 40:] = (0.7, 0.5, 0.3)
    picture[20:30, 10:30] = 0.1
    return picture


PLAIN = Lens()


def levels(picture):
    return picture.astype(float)


def test_exposure_balance_and_tone(radiance):
    plain = levels(develop(radiance, PLAIN, None))

    def shown(**state):
        return levels(develop(radiance, replace(PLAIN, **state), None))

    assert shown(gain=2.0).mean() > plain.mean() + 20 and shown(gain=0.5).mean() < plain.mean() - 20
    dark = develop(radiance * 0.2, replace(PLAIN, metering=1.0), None)
    np.testing.assert_allclose(dark, develop(radiance, replace(PLAIN, metering=1.0), None), atol=1)
    warm = shown(balance=(1.3, 1.0, 0.7))
    assert warm[..., 0].mean() > plain[..., 0].mean() and warm[..., 2].mean() < plain[..., 2].mean()
    assert np.ptp(shown(adapted=1.0).mean((0, 1))) < 0.5 * np.ptp(plain.mean((0, 1)))
    assert np.ptp(shown(saturation=0.0), axis=2).max() <= 1 < np.ptp(plain, axis=2).max()
    assert shown(contrast=1.5).std() > plain.std() > shown(contrast=0.6).std()
    assert shown(haze=0.2).min() > plain.min() + 10
    assert np.ptp(shown(stretched=1.0)) > 240 > np.ptp(plain)
    corners = shown(vignette=0.8) / plain
    assert corners[0, 0].max() < 0.75 and corners[30, 40].min() > 0.98
    assert shown(gain=3.0, shoulder=False).max() == 255 > shown(gain=3.0).max()


def test_blur_halos_resolution_lines_and_jpeg(radiance):
    plain = levels(develop(radiance, PLAIN, None))

    def step(picture):
        return np.abs(np.diff(picture[40, 30:50, 0])).max()

    def shown(**state):
        return levels(develop(radiance, replace(PLAIN, **state), None))

    assert step(shown(defocus=8.0)) < 0.5 * step(plain)
    assert step(shown(motion=(24.0, 0.0))) < 0.5 * step(plain)
    assert np.array_equal(shown(motion=(0.0, 24.0))[40:, 60:], plain[40:, 60:])
    assert shown(sharpening=1.5).max() > plain.max() + 3
    small = shown(reduced=4.0, enlarged=0)
    assert len(np.unique(small[:, :, 0])) < 20 and (small[40:44, 40:44] == small[40, 40]).all()
    combed = shown(comb=8)
    assert np.array_equal(combed[::2], plain[::2]) and not np.array_equal(combed[1::2], plain[1::2])
    jpeg = [np.abs(shown(quality=quality) - plain).mean() for quality in (20, 90)]
    assert jpeg[0] > jpeg[1] > 0
    assert shown(reduced=3.3, quality=50).shape == plain.shape


def test_noise_of_each_kind(radiance):
    plain = levels(develop(radiance, PLAIN, None))
    for state in ({"read_noise": 0.05}, {"shot_noise": 0.05}, {"colour_noise": 0.05}):
        noisy = replace(PLAIN, **state)
        first, again = (levels(develop(radiance, noisy, np.random.default_rng(1))) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert 2 < (first - plain).std() < 30 and abs((first - plain).mean()) < 3
        assert np.array_equal(develop(radiance, noisy, None), plain)


def test_cameras_of_every_state(radiance):
    lenses = [any_lens(np.random.default_rng(seed)) for seed in range(400)]
    gains = np.array([lens.gain for lens in lenses])
    assert gains.min() < 0.4 and gains.max() > 1.8 and 0.85 < np.median(gains) < 1.15
    assert min(lens.saturation for lens in lenses) < 0.1 and max(lens.saturation for lens in lenses) > 1.5
    qualities = {lens.quality for lens in lenses}
    assert min(qualities - {0}) >= 20 and max(qualities) <= 95
    for name, low, high in (("comb", 0.01, 0.1), ("reduced", 0.1, 0.3), ("sharpening", 0.2, 0.4), ("haze", 0.04, 0.15)):
        used = np.mean([getattr(lens, name) > (name == "reduced") for lens in lenses])
        assert low < used < high, name
    for seed, lens in enumerate(lenses[:40]):
        picture = develop(radiance, lens, np.random.default_rng(seed))
        assert picture.shape == radiance.shape and picture.dtype == np.uint8
