"""Batches of two streams: published, and without throwing records away."""

from __future__ import annotations

from itertools import count, islice

import pytest

from orplugins.adaptor.pairing import RULES


def wide(record: tuple[int, bool]) -> bool:
    return record[1]


def stream(every: int):
    """Endless records; one of so many is upright."""
    return ((number, number % every > 0) for number in count())


@pytest.mark.parametrize("rule", list(RULES))
def test_batches_have_their_sizes_and_one_orientation_a_part(rule):
    for batch in islice(RULES[rule](stream(3), stream(4), (2, 3), wide), 50):
        for part, size in zip(batch, (2, 3), strict=True):
            assert len(part) == size and len({wide(record) for record in part}) == 1


def test_kept_uses_every_record_and_keeps_their_order():
    batches = list(islice(RULES["kept"](stream(3), stream(4), (2, 4), wide), 40))
    for part in (0, 1):
        for orientation in (True, False):
            seen = [number for batch in batches for number, is_wide in batch[part] if is_wide == orientation]
            expected = [record[0] for record in islice(stream(4 if part else 3), 400) if record[1] == orientation]
            assert seen == expected[: len(seen)] and seen


def test_published_throws_records_away_where_one_part_waits_for_the_other():
    batches = list(islice(RULES["published"](stream(10**9), stream(10**9), (1, 3), wide), 5))
    # Number 0 is upright. The labelled part is complete after one record; three unlabelled ones take three.
    assert [[number for number, _ in batch[0]] for batch in batches[1:]] == [[4], [7], [10], [13]]
    assert [[number for number, _ in batch[1]] for batch in batches[1:]] == [[4, 5, 6], [7, 8, 9], [10, 11, 12],
                                                                            [13, 14, 15]]  # fmt: skip


@pytest.mark.parametrize("rule", list(RULES))
def test_streams_that_end(rule):
    assert list(RULES[rule](iter([]), stream(3), (1, 1), wide)) == []
    ended = list(RULES[rule](islice(stream(10**9), 1, 6), islice(stream(10**9), 1, 4), (1, 1), wide))
    assert len(ended) == 3
