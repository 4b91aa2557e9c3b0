"""Which pictures of a labelled set keep their labels, and how weights order a set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from orplugins.io.json_fields import load_json

_MODULUS, _MULTIPLIER = 2**31 - 1, 1132489760  # of MCG31m1 (L'Ecuyer, Mathematics of Computation 68, 1999)


def split_by_file(count: int, percent: float, seed: int, path: str | os.PathLike) -> tuple[list[int], list[int]]:
    """Split a set by a list of positions, as the release does.

    Args:
        count: Number of records. Positions beyond it, which the list of all COCO pictures has, are left out.
        percent: Key of the file.
        seed: Key below it.
        path: JSON file: percent -> seed -> positions.

    Returns:
        Labelled and unlabelled positions, in order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It has no such percent or seed, or no position below `count`.
    """
    by_percent = {_number(key, path): value for key, value in _object(load_json(path), path).items()}
    if percent not in by_percent:
        raise ValueError(f"{path}: has no {percent} percent, expected one of {sorted(by_percent)}")
    by_seed = _object(by_percent[percent], path)
    if str(seed) not in by_seed:
        raise ValueError(f"{path}: {percent} percent has no seed {seed}, expected one of {', '.join(by_seed)}")
    positions = by_seed[str(seed)]
    if not isinstance(positions, list) or not all(type(position) is int for position in positions):
        raise ValueError(f"{path}: {percent} percent, seed {seed}: expected a list of whole numbers")
    labelled = sorted({position for position in positions if 0 <= position < count})
    if not labelled:
        raise ValueError(f"{path}: {percent} percent, seed {seed}: no position is below {count}, the number of records")
    return labelled, _others(count, labelled)


def _object(value: Any, path: str | os.PathLike) -> dict:
    if not isinstance(value, dict):
        raise ValueError(f"{path}: found {type(value).__name__}, expected an object: percent -> seed -> positions")
    return value


def _number(key: str, path: str | os.PathLike) -> float:
    try:
        return float(key)
    except ValueError:
        raise ValueError(f"{path}: found the key {key[:40]!r}, expected a percent") from None


def split_at_random(count: int, percent: float, seed: int) -> tuple[list[int], list[int]]:
    """Split a set at random, where there is no list.

    Args:
        count: Number of records.
        percent: Share that stays labelled, above 0 and below 100.
        seed: Of the choice.

    Returns:
        Labelled and unlabelled positions, in order.

    Raises:
        ValueError: Another percent, or no record would be left on one side.
    """
    if not 0 < percent < 100:
        raise ValueError(f"DATALOADER.SUP_PERCENT: found {percent}, expected above 0 and below 100")
    chosen = round(count * percent / 100)
    if not 0 < chosen < count:
        raise ValueError(f"DATALOADER.SUP_PERCENT: {percent} percent of {count} records leaves one side empty")
    labelled = sorted(np.random.default_rng(seed).choice(count, chosen, replace=False).tolist())
    return labelled, _others(count, labelled)


def _others(count: int, chosen: Sequence[int]) -> list[int]:
    known = set(chosen)
    return [position for position in range(count) if position not in known]


def record_weights(sets: Sequence[str], names: Sequence[str], weights: Sequence[float]) -> np.ndarray:
    """Weights of records: their set's weight, divided by the number of its records.

    Args:
        sets: Set of each record.
        names: The sets.
        weights: Of each set.

    Returns:
        One weight a record.

    Raises:
        ValueError: Not as many weights as sets, or one that is not above 0.
    """
    if len(weights) != len(names):
        raise ValueError(f"weights of the sets: found {len(weights)}, expected {len(names)}: {', '.join(names)}")
    if min(weights) <= 0:
        raise ValueError(f"weights of the sets: found {tuple(weights)}, expected all above 0")
    share = {name: weight / max(list(sets).count(name), 1) for name, weight in zip(names, weights, strict=True)}
    return np.array([share[name] for name in sets], dtype=np.float64)


def weighted_order(weights: Sequence[float], seed: int, replacement: bool) -> Iterator[int]:
    """Positions in passes of as many as there are records, without end.

    Args:
        weights: Of the records.
        seed: Of the order.
        replacement: Records of a great weight come more often; without, as published, each comes once a pass and the
            weights decide nothing but the order.

    Yields:
        Positions.
    """
    import torch

    generator = torch.Generator()
    generator.manual_seed(seed)
    values = np.asarray(weights, dtype=np.float64)
    while True:
        if replacement:
            pass_ = torch.multinomial(torch.from_numpy(values), len(values), True, generator=generator).numpy()
        else:
            # The first to arrive of exponential times at rates of the weights: what torch.multinomial draws, too.
            start = int(torch.randint(2**32, (), generator=generator))
            pass_ = np.argsort(-values / _exponentials(len(values), start), kind="stable")
        yield from pass_.tolist()


def _exponentials(count: int, start: int) -> np.ndarray:
    """Exponential numbers of the generator MCG31m1, which torch drew with where published orders come from.

    torch's builds draw them in different ways; with this one an order does not depend on the build.
    """
    state, out = start % _MODULUS or 1, []
    for _ in range(count):
        out.append(state)
        state = state * _MULTIPLIER % _MODULUS
    return -np.log(np.array(out) / _MODULUS)
