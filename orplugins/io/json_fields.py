"""JSON input whose faults become one clear error that names file, entry and field."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from orplugins.io.files import read_text

_MOST_DIGITS = 40


def load_json(path: str | os.PathLike) -> Any:
    """Read a JSON file.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The path is no regular file, or the content is not text or not (complete) JSON.
    """
    content = read_text(path, "a JSON file")
    try:
        return parse_json(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def parse_json(content: str) -> Any:
    """Read JSON from a text.

    Args:
        content: The text.

    Returns:
        Its content.

    Raises:
        ValueError: Not (complete) JSON, nested too deeply, or a whole number of too many digits.
    """
    try:
        return json.loads(content, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON or cut off: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply, expected a JSON file of the usual form") from None


def _whole_number(digits: str) -> int:
    # Arithmetic with a float overflows beyond 308 digits, and Python itself refuses to read more than 4,300.
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"holds a whole number of {len(digits)} digits, expected at most {_MOST_DIGITS}")
    return int(digits)


def entries(value: Any, where: str) -> list[dict]:
    """Check that a value is a list of objects.

    Args:
        value: The value.
        where: File and field, for the error.

    Returns:
        The value itself.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(value, list):
        raise ValueError(f"{where}: found {_kind(value)}, expected a list of objects")
    for i, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise ValueError(f"{where}[{i}]: found {_kind(entry)}, expected an object")
    return value


def field(entry: Any, key: str, where: str) -> Any:
    """Take a field of an object.

    Args:
        entry: The object.
        key: The field.
        where: File and entry, for the error.

    Returns:
        `entry[key]`.

    Raises:
        ValueError: Not an object, or the field is missing; the keys found instead are listed.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: found {_kind(entry)}, expected an object with the key '{key}'")
    if key not in entry:
        raise ValueError(f"{where}: missing key '{key}', found {', '.join(sorted(map(str, entry))) or 'no key'}")
    return entry[key]


def integer(entry: dict, key: str, where: str) -> int:
    """Take a whole number that fits 64 bits (MVOR's image ids do not fit 32).

    Args:
        entry: The object.
        key: The field.
        where: File and entry, for the error.

    Returns:
        `entry[key]`.

    Raises:
        ValueError: The field is missing or holds something else.
    """
    value = field(entry, key, where)
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"{where}: '{key}' is {value!r}, expected a whole number of 64 bits")
    return value


def text(entry: dict, key: str, where: str) -> str:
    """Take a non-empty string.

    Args:
        entry: The object.
        key: The field.
        where: File and entry, for the error.

    Returns:
        `entry[key]`.

    Raises:
        ValueError: The field is missing or holds something else.
    """
    value = field(entry, key, where)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}: '{key}' is {value!r}, expected a non-empty string")
    return value


def number(entry: dict, key: str, where: str) -> float:
    """Take a finite number.

    Args:
        entry: The object.
        key: The field.
        where: File and entry, for the error.

    Returns:
        `entry[key]` as a float.

    Raises:
        ValueError: The field is missing or holds something else.
    """
    return float(_finite([field(entry, key, where)], key, where)[0])


def numbers(entry: dict, key: str, counts: int | tuple[int, ...], where: str) -> np.ndarray:
    """Take a list of finite numbers.

    Args:
        entry: The object.
        key: The field.
        counts: The allowed length, or lengths.
        where: File and entry, for the error.

    Returns:
        `entry[key]` as (count,) float64.

    Raises:
        ValueError: The field is missing, has another length, or holds something else.
    """
    counts = (counts,) if isinstance(counts, int) else counts
    value = field(entry, key, where)
    found = f"{len(value)} numbers" if isinstance(value, list) else _kind(value)
    if not isinstance(value, list) or len(value) not in counts:
        raise ValueError(f"{where}: '{key}' has {found}, expected {' or '.join(map(str, counts))} numbers")
    return _finite(value, key, where)


def _finite(values: list, key: str, where: str) -> np.ndarray:
    for i, value in enumerate(values):
        # JSON knows no NaN, but Python's reader (and so every COCO tool) lets NaN and Infinity pass.
        if type(value) not in (int, float) or not -np.inf < value < np.inf:
            raise ValueError(f"{where}: '{key}' holds {value!r} at position {i}, expected a finite number")
    return np.array(values, dtype=np.float64)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")
