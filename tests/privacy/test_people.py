"""From finds to what is hidden: heads by joints and boxes, groups of passes, masks."""

import numpy as np
import pytest

from orplugins.privacy.finds import finds, from_record, together
from orplugins.privacy.masks import mask_of
from orplugins.privacy.passes import colour_finder, depth_finder, finds_of_joints, mirrored, scaled
from orplugins.privacy.people import Person, head_circle, no_joints, people_of
from orplugins.skeletons import COCO_17

from .toy import find_red, person, picture, red

SIZE = (320, 240)
NONE = no_joints()


def standing(x: float, y: float, height: float, turned: bool = False) -> np.ndarray:
    """(17, 3) joints of a standing adult whose crown is at (x, y)."""
    out = np.full((17, 3), np.nan)
    unit = height / 1.75
    out[:5] = [x, y + 0.14 * unit, 0.9]
    side = 0.05 if turned else 0.18
    out[5], out[6] = [x + side * unit, y + 0.32 * unit, 0.9], [x - side * unit, y + 0.32 * unit, 0.9]
    out[11], out[12] = [x + 0.1 * unit, y + 0.85 * unit, 0.9], [x - 0.1 * unit, y + 0.85 * unit, 0.9]
    return out


def covered(shapes: np.ndarray, x: float, y: float, radius: float) -> bool:
    """Whether a disc is hidden."""
    person = Person(np.zeros(2), np.ones(2), shapes, 1, 1, NONE)
    rows, columns = np.mgrid[:240, :320] + 0.5
    disc = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
    return bool(mask_of([person], SIZE)[disc].all())


@pytest.mark.parametrize("turned", [False, True])
def test_head_of_a_standing_person_is_hidden_and_the_feet_are_not(turned):
    box = np.array([80, 40, 120, 160.0])
    found = people_of(finds([box], [0.9], standing(100, 40, 120, turned)), 1, SIZE)
    assert covered(found[0].shapes, 100, 50, 10)
    assert not mask_of(found, SIZE)[110:].any()


def test_head_is_hidden_without_joints():
    found = people_of(finds([[80, 40, 120, 160]], [0.9]), 1, SIZE)
    assert covered(found[0].shapes, 100, 50, 10)
    assert not mask_of(found, SIZE)[100:].any()


def test_who_lies_and_has_no_joints_is_hidden_as_a_whole_where_the_score_is_high():
    box = [60, 100, 220, 150]
    assert mask_of(people_of(finds([box], [0.9]), 1, SIZE), SIZE)[100:150, 60:220].all()
    assert not mask_of(people_of(finds([box], [0.1]), 1, SIZE), SIZE).any()


def test_a_part_of_somebody_at_the_border_is_hidden_as_a_whole():
    assert mask_of(people_of(finds([[0, 150, 70, 200]], [0.1]), 1, SIZE), SIZE)[150:200, :70].all()


def test_each_pass_counts_for_the_score_and_all_of_them_for_what_is_hidden():
    box = [80, 40, 120, 160]
    aside = standing(100, 40, 120)
    aside[:5, 0] += 40
    both = together([finds([box], [0.8], standing(100, 40, 120), 0), finds([box], [0.4], aside, 3)])
    (one,) = people_of(both, 4, SIZE)
    assert one.score == pytest.approx(0.3) and one.support == 0.5
    assert covered(one.shapes, 100, 55, 5) and covered(one.shapes, 140, 55, 5)
    assert people_of(both, 4, SIZE, least=0.31) == []


def test_people_apart_are_two():
    found = people_of(finds([[80, 40, 120, 160], [200, 40, 240, 160]], [0.9, 0.8]), 1, SIZE)
    assert [each.score for each in found] == [0.9, 0.8]


def test_whole_people_are_hidden_with_their_heads():
    box = np.array([80, 60, 120, 160.0])  # the box ends below the head
    (one,) = people_of(finds([box], [0.9], standing(100, 40, 120)), 1, SIZE, "people")
    mask = mask_of([one], SIZE)
    assert mask[60:160, 80:120].all() and covered(one.shapes, 100, 50, 9)


def test_margin_grows_what_is_hidden():
    found = finds([[80, 40, 120, 160]], [0.9], standing(100, 40, 120))
    areas = [mask_of(people_of(found, 1, SIZE, margin=margin), SIZE).sum() for margin in (0.8, 1.0, 1.5)]
    assert areas[0] < areas[1] < areas[2]


def test_radius_is_bounded_by_the_box():
    joints = standing(100, 40, 120)
    joints[5, 0], joints[6, 0] = 300, -100  # shoulders that are nobody's
    _, radius = head_circle(np.array([80, 40, 120, 160.0]), joints)
    assert radius <= 20


def test_mask_touches_every_pixel_that_a_shape_does():
    shapes = np.array([[10.9, 10.9, 13.1, 13.1, 0]])
    mask = mask_of([Person(np.zeros(2), np.ones(2), shapes, 1, 1, NONE)], (20, 20))
    assert mask[10:14, 10:14].all() and mask.sum() == 16
    shapes = np.array([[-50, -50, -10, -10, 1], [4, 4, 8, 8, 1]])
    mask = mask_of([Person(np.zeros(2), np.ones(2), shapes, 1, 1, NONE)], (20, 20))
    assert mask[4:8, 4:8].all() and not mask[:, 9:].any()


def test_finds_go_through_json():
    joints = np.stack([standing(100, 40, 120), NONE])
    found = finds([[80.04, 40, 120, 160], [1, 2, 3, 4]], [0.9, 0.1], joints, 5)
    again = from_record(found.record())
    np.testing.assert_allclose(again.boxes, found.boxes, atol=0.06)
    np.testing.assert_array_equal(again.passes, 5)
    np.testing.assert_allclose(again.joints[0, :5], joints[0, :5], atol=0.01)
    np.testing.assert_array_equal(np.isnan(again.joints), np.isnan(found.joints))
    assert len(from_record([])) == 0


def test_passes_ask_about_sizes_and_mirror_images_and_turn_answers_back():
    seen = []

    def detect(image: np.ndarray):
        seen.append(image.shape[:2])
        found = find_red(image)
        return found.boxes, found.scores, found.joints

    image = picture((30, 20, 8))
    found = colour_finder([detect], sides=(72, 144))(image)
    assert seen == [(72, 96), (72, 96), (144, 192), (144, 192)]
    assert found.passes.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(found.boxes, np.tile([22, 12, 38, 60], (4, 1)), atol=1)
    assert not red(np.where(mask_of(people_of(found, 4, (96, 72)), (96, 72))[..., None], 0, image)).any()


def test_mirrored_exchanges_sides():
    joints = standing(30, 20, 60)
    found = finds([[20, 20, 40, 80]], [1.0], joints)
    again = mirrored(mirrored(found, 96), 96)
    np.testing.assert_allclose(again.joints, found.joints)
    left = COCO_17.index("left_shoulder")
    assert mirrored(found, 96).joints[0, left, 0] == 96 - joints[left + 1, 0]
    np.testing.assert_allclose(scaled(found, 2, 3).boxes, [[40, 60, 80, 240]])


def test_depth_detector_gives_boxes_about_joints():
    joints = np.zeros((2, 17, 3))
    joints[0, :5] = [[10, 10, 0.5], [20, 10, 0.5], [15, 30, 1.0], [12, 12, 0.5], [18, 12, 0.5]]
    joints[1, 0] = [50, 50, 1]  # one joint is nobody
    found = finds_of_joints(joints, 1)
    np.testing.assert_allclose(found.boxes, [[10.5, 10.5, 20.5, 30.5]])
    assert found.scores[0] == pytest.approx(0.6)
    both = depth_finder(lambda depth: joints)(np.zeros((60, 80), np.uint16))
    assert sorted(both.passes.tolist()) == [0, 1]
    assert both.boxes[1].tolist() == [59.5, 10.5, 69.5, 30.5]


def test_toy_person_is_where_it_says():
    one = person(40, 30)
    np.testing.assert_allclose(one.centre, [40, 30])
