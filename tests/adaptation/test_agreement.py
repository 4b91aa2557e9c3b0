"""What lasts becomes a label, what flickers does not, what never moves needs a higher score."""

import numpy as np
import pytest

from orplugins.adaptation.agreement import AgreementRules, agree, link
from orplugins.adaptation.stillness import Stillness

from .scenes import people, recording

RULES = AgreementRules()


def moving(frame, box):
    return 0.1


def walker(t, score=0.7):
    return [2.0 * t, 0, 2.0 * t + 10, 20, score]


def test_a_walker_is_one_chain_and_a_label_in_every_frame():
    found = [people(walker(t)) for t in range(10)]
    assert [len(chain) for chain in link(found, RULES)] == [10]
    labels = agree(found, moving, RULES)
    assert [len(each.people) for each in labels] == [1] * 10
    assert labels[4].people.boxes[0] == pytest.approx([8, 0, 18, 20])


def test_a_missed_frame_is_filled_in_between():
    found = [people(walker(t)) if t not in (4, 5) else people() for t in range(10)]
    labels = agree(found, moving, RULES)
    assert labels[4].people.boxes[0] == pytest.approx([8, 0, 18, 20]) and labels[4].filled.all()
    assert labels[5].people.keypoints[0, 0, :2] == pytest.approx([15, 10])
    assert not labels[3].filled.any()


def test_what_flickers_is_unsure_or_nothing():
    found = [people([30, 0, 40, 20, 0.95]) if t == 5 else people() for t in range(8)]
    labels = agree(found, moving, RULES)
    assert not any(len(each.people) for each in labels) and len(labels[5].unsure) == 1
    faint = [people([30, 0, 40, 20, 0.2]) if t == 5 else people() for t in range(10)]
    assert not any(len(each.unsure) for each in agree(faint, moving, RULES))


@pytest.mark.parametrize(
    ("still", "score", "said"),
    [
        (0.1, 0.5, "person"),
        (1.0, 0.5, "background"),
        (1.0, 0.85, "unsure"),
        (1.0, 0.95, "person"),
        (0.1, 0.1, "background"),
    ],
)
def test_what_never_moves_needs_a_higher_score(still, score, said):
    assert RULES.say(score, still) == said
    assert RULES.say(score, still, lasting=False) != "person"


def test_of_two_chains_at_one_place_the_stronger_is_the_label():
    found = [people([0, 0, 10, 20, 0.9], [2, 0, 12, 20, 0.6]) for _ in range(8)]
    labels = agree(found, moving, RULES)
    assert [len(each.people) for each in labels] == [1] * 8 and labels[0].people.scores[0] == pytest.approx(0.9)
    assert not any(len(each.unsure) for each in labels)


@pytest.mark.parametrize("colour", [True, False])
def test_what_never_changes_is_still(colour):
    stillness = Stillness(recording(colour), (60, 40))
    assert stillness.share(5, np.array([39, 9, 51, 31])) == 1
    assert stillness.share(5, np.array([5, 10, 13, 30])) < 0.2
    assert stillness.moving() == 0


def test_holes_change_nothing():
    pictures = recording(colour=False)
    for t in range(0, 40, 4):
        pictures[t][:, 38:52] = 0
    assert Stillness(pictures, (60, 40), holes=True).share(5, np.array([39, 9, 51, 31])) == 1
    assert Stillness(pictures, (60, 40)).share(5, np.array([39, 9, 51, 31])) == 0.75


def test_a_large_picture_is_compared_small():
    large = [np.kron(picture, np.ones((10, 10), np.uint8)) for picture in recording(colour=False)]
    stillness = Stillness(large, (600, 400))
    assert stillness.frames.shape[1:3] == (57, 85)
    assert stillness.share(5, np.array([390, 90, 510, 310])) == 1
