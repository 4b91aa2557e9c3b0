"""Splits into labelled and unlabelled records, and weights."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from orplugins.adaptor.splits import record_weights, split_at_random, split_by_file, weighted_order


def test_random_splits_have_their_share_and_depend_on_the_seed():
    labelled, unlabelled = split_at_random(200, 5.0, 1)
    assert len(labelled) == 10 and sorted(labelled + unlabelled) == list(range(200))
    assert split_at_random(200, 5.0, 1) == (labelled, unlabelled)
    assert split_at_random(200, 5.0, 2)[0] != labelled


@pytest.mark.parametrize(("count", "percent"), [(10, 0), (10, 100), (10, 1), (10, 99.9)])
def test_splits_that_leave_a_side_empty_are_refused(count, percent):
    with pytest.raises(ValueError, match="SUP_PERCENT"):
        split_at_random(count, percent, 0)


@pytest.mark.parametrize(
    ("percent", "seed", "count", "message"),
    [(2.0, 1, 9, r"no 2.0 percent, expected one of \[1.0\]"), (1.0, 3, 9, "has no seed 3, expected one of 1"),
     (1.0, 1, 3, "no position is below 3")],
)  # fmt: skip
def test_lists_without_what_is_wanted_are_refused(tmp_path, percent, seed, count, message):
    (tmp_path / "list.json").write_text(json.dumps({"1.0": {"1": [4, 7]}}))
    with pytest.raises(ValueError, match=message):
        split_by_file(count, percent, seed, tmp_path / "list.json")
    with pytest.raises(FileNotFoundError):
        split_by_file(count, percent, seed, tmp_path / "none.json")


@pytest.mark.parametrize("content", [[], {"one": {}}, {"1": []}, {"1": {"1": {}}}, {"1": {"1": [1, "2"]}}])
def test_lists_of_another_form_are_refused(tmp_path, content):
    (tmp_path / "list.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"list.json: .*expected"):
        split_by_file(9, 1.0, 1, tmp_path / "list.json")


def test_weights_of_sets_are_shared_by_their_records():
    found = record_weights(["a", "a", "b"], ["a", "b"], [1.0, 3.0])
    np.testing.assert_allclose(found, [0.5, 0.5, 3.0])
    with pytest.raises(ValueError, match="found 1, expected 2"):
        record_weights(["a"], ["a", "b"], [1.0])
    with pytest.raises(ValueError, match="above 0"):
        record_weights(["a"], ["a"], [0.0])


def test_orders_with_and_without_replacement():
    pytest.importorskip("torch")
    weights = [1.0, 1.0, 8.0]
    for number, start in enumerate(range(0, 30, 3)):
        order = list(islice(weighted_order(weights, 5, False), 30))
        assert sorted(order[start : start + 3]) == [0, 1, 2], number
    first = Counter(list(islice(weighted_order(weights, 5, False), 900))[::3])
    assert first[2] > 200  # of 300 passes
    drawn = Counter(islice(weighted_order(weights, 5, True), 3000))
    assert 0.75 < drawn[2] / 3000 < 0.85
    assert list(islice(weighted_order(weights, 5, False), 9)) != list(islice(weighted_order(weights, 6, False), 9))
