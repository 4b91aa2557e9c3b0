"""What `orplugins.io.pickle_machine` works on beside plain values, and what its results may be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

DEEPEST = 100
_LONGEST_KEY, _LONGEST_TUPLE = 1 << 16, 16  # comparing longer ones again and again takes for ever
CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_LEAVES = {str, int, float, bool, type(None), bytes}
_NUMBERS = (bool, int, float, complex, type(None), np.generic)


class UnsafePickleError(ValueError):
    """A pickle names something that its reader does not build.

    Attributes:
        name: What it names, with its module.
    """

    def __init__(self, message: str, name: str = ""):
        super().__init__(message)
        self.name = name


class Name:
    """A name in a file: what calls of it build, and (where it stands alone) the value that it means."""

    __slots__ = ("build", "name")

    def __init__(self, name: str, build: Callable[..., Any]):
        self.name, self.build = name, build


class Constant:
    """In the table of builders: a name that is a value, such as a data type."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value


class Unfinished:
    """An object whose state comes later; nothing may use it before.

    Args:
        finish: Builds the value from the state.
    """

    __slots__ = ("finish", "places")

    def __init__(self, finish: Callable[[Any], Any]):
        self.finish = finish
        self.places: list[int] = []


class NotRead:
    """Stands for whatever a file names and its reader has no use for; swallows everything that is done to it."""

    def __repr__(self) -> str:
        return "<not read>"


NOT_READ = NotRead()


def as_key(value: Any) -> Any:
    """Refuse keys but text, numbers and flat tuples of them: hashing what nests deeply overflows Python's own stack."""
    parts = value if type(value) is tuple else (value,)
    for part in parts if len(parts) <= _LONGEST_TUPLE else (None, parts):
        long = len(part) > _LONGEST_KEY if isinstance(part, (str, bytes)) else isinstance(part, int) and abs(part) >> 64
        if long or not isinstance(part, (str, bytes, *_NUMBERS)):
            raise ValueError(f"a key of type {type(value).__name__}, expected short text or numbers of 64 bits")
    return value


def _parts(value: Any) -> list:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, (list, tuple, deque)):
        return list(value)
    return list(value.flat) if isinstance(value, np.ndarray) and value.dtype.hasobject else []


def check_value(value: Any, types: tuple[type, ...] | None = None) -> None:
    """Refuse a result that contains itself, nests too deeply, is left half made, or holds what was not asked for.

    Args:
        value: What a pickle gave.
        types: The types that it may hold; None takes all.

    Raises:
        UnsafePickleError: Another type in it, or a name.
        ValueError: One of the others.
    """
    _depth(value, 0, types, {}, set())


def _depth(value: Any, level: int, types: tuple[type, ...] | None, known: dict[int, int], around: set[int]) -> int:
    _check_type(value, types)
    if not isinstance(value, (*CONTAINERS, np.ndarray)):
        return 0
    key = id(value)
    if key in around:
        raise ValueError("it contains itself")
    if key not in known and level <= DEEPEST:
        around.add(key)
        below, leaves = 0, _LEAVES if types is None else _LEAVES.intersection(types)
        for part in _parts(value):
            if type(part) not in leaves:
                below = max(below, _depth(part, level + 1, types, known, around))
        known[key] = 1 + below
        around.discard(key)
    if level + known.get(key, 1) > DEEPEST:
        raise ValueError(f"it nests deeper than {DEEPEST} levels")
    return known[key]


def _check_type(value: Any, types: tuple[type, ...] | None) -> None:
    if isinstance(value, Unfinished):
        raise ValueError("it uses an object before its state")
    if isinstance(value, Name):
        raise UnsafePickleError(f"it holds {value.name} itself, expected values", value.name)
    if types is not None and not isinstance(value, types):
        raise UnsafePickleError(f"a value of type {type(value).__name__}")
