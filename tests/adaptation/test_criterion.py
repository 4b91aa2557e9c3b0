"""Evidence without labels, and what is made of it."""

from dataclasses import replace

import numpy as np
import pytest

from orplugins.adaptation.criterion import Evidence, average_precision, compare, self_agreement

from .scenes import people

BEFORE = Evidence(agreement=0.6, consensus=0.4, still=0.2, people=3.0, room=0.5)


def test_self_agreement_counts_scores():
    one, same = people([0, 0, 10, 20, 0.8]), people([1, 0, 11, 20, 0.8])
    assert self_agreement([(one, same)]) == pytest.approx(1)
    assert self_agreement([(one, people([1, 0, 11, 20, 0.4]))]) == pytest.approx(0.8 / 1.2)
    assert self_agreement([(one, people([30, 0, 40, 20, 0.8]))]) == 0
    assert self_agreement([(people(), people())]) == 0


def test_average_precision_of_a_known_curve():
    truth = [np.array([[0, 0, 10, 20], [20, 0, 30, 20]])]
    found = [people([0, 0, 10, 20, 0.9], [50, 0, 60, 20, 0.8], [20, 0, 30, 20, 0.7], [0, 0, 10, 20, 0.6])]
    ap, recall, false = average_precision(found, truth)
    assert ap == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert recall == pytest.approx([0.5, 0.5, 1, 1]) and list(false) == [0, 1, 1, 2]
    assert average_precision(found, truth, [np.array([[50, 0, 60, 20.0]])])[0] == pytest.approx(1)
    assert average_precision([people()], truth)[0] == 0


def test_better_is_recommended():
    assert compare(BEFORE, replace(BEFORE, consensus=0.6, agreement=0.7, still=0.05)).better


@pytest.mark.parametrize(
    "worse",
    [{"consensus": 0.4}, {"agreement": 0.5}, {"room": 0.2}, {"still": 0.4}, {"people": 0.0}],
    ids=lambda worse: next(iter(worse)),
)
def test_one_kind_of_evidence_against_it_is_enough(worse):
    verdict = compare(BEFORE, replace(BEFORE, **{"consensus": 0.6, **worse}))
    assert not verdict.better and any(reason.startswith("NO") for reason in verdict.reasons)
