"""Fields of a calibration under the names that different programs give them, as flat lists of finite numbers."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Any

import numpy as np

from orplugins.io.json_fields import field, numbers


def flat(value: Any, where: str, key: str) -> tuple[list, tuple[int, ...]]:
    """A matrix, written in any of the usual ways, as one list.

    Args:
        value: A list, a list of rows, or OpenCV's object of rows, cols and data.
        where: File and entry, for the error.
        key: The field, for the error.

    Returns:
        The values, unchecked, and the shape in which they were written.

    Raises:
        ValueError: No list, rows of different lengths, or other than rows x cols data.
    """
    if isinstance(value, dict):
        data = field(value, "data", f"{where}: '{key}'")
        if not isinstance(data, list):
            raise ValueError(f"{where}: 'data' of '{key}' is {_short(data)}, expected a list of numbers")
        if "rows" not in value and "cols" not in value:
            return data, (len(data),)
        rows, cols = value.get("rows"), value.get("cols")
        if type(rows) is not int or type(cols) is not int or rows * cols != len(data):
            raise ValueError(
                f"{where}: '{key}' has {len(data)} values, but rows {_short(rows)} and cols {_short(cols)}"
            )
        return data, (rows, cols)
    if not isinstance(value, list):
        raise ValueError(f"{where}: '{key}' is {_short(value)}, expected a list of numbers")
    if not any(isinstance(row, list) for row in value):
        return value, (len(value),)
    lengths = {len(row) if isinstance(row, list) else -1 for row in value}
    if len(lengths) != 1:
        raise ValueError(f"{where}: '{key}' has rows of different lengths, expected a matrix")
    return [item for row in value for item in row], (len(value), lengths.pop())


def array(entry: dict, key: str, shapes: Collection[tuple[int, ...]], where: str) -> np.ndarray:
    """Take a matrix or vector.

    Args:
        entry: The object.
        key: The field.
        shapes: Its allowed shapes; a vector may be a row or a column, a matrix may be written flat.
        where: File and entry, for the error.

    Returns:
        (n,) or (rows, cols) float64, of one of `shapes`.

    Raises:
        ValueError: The field is missing, or has another shape or something else than finite numbers in it.
    """
    values, shape = flat(field(entry, key, where), where, key)
    counts = {int(np.prod(allowed)): allowed for allowed in shapes}
    found = numbers({key: values}, key, tuple(counts), where)
    allowed = counts[len(values)]
    written = tuple(n for n in shape if n != 1)
    if len(written) > 1 and written != allowed:
        raise ValueError(f"{where}: '{key}' is {'x'.join(map(str, shape))}, expected {'x'.join(map(str, allowed))}")
    return found.reshape(allowed)


def one_of(entry: dict, names: Collection[str], where: str) -> str | None:
    """Which of a field's names is used.

    Args:
        entry: The object.
        names: The names.
        where: File and entry, for the error.

    Returns:
        The name, None where the field is missing.

    Raises:
        ValueError: It is there twice under different names.
    """
    found = [name for name in names if name in entry]
    if len(found) > 1:
        raise ValueError(f"{where}: both '{found[0]}' and '{found[1]}', expected one of them")
    return found[0] if found else None


def only(entry: Any, known: Collection[str], where: str) -> None:
    """Refuse keys that nothing reads.

    Args:
        entry: The object.
        known: The keys that are read, or known to be without effect.
        where: File and entry, for the error.

    Raises:
        ValueError: No object, or unknown keys; the known one that looks most like it is named.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: found {_short(entry)}, expected an object")
    for key in entry:
        if key not in known:
            close = difflib.get_close_matches(key.lower(), {name.lower(): name for name in known}, 1, 0.6)
            like = next((name for name in known if close and name.lower() == close[0]), None)
            hint = f", did you mean '{like}'?" if like else ""
            raise ValueError(
                f"{where}: unknown key {key[:60]!r}{hint or ', expected ' + ', '.join(sorted(known)[:30])}"
            )


def _short(value: Any) -> str:
    names = {dict: "an object", list: "a list", type(None): "null", bool: "a boolean"}
    return names.get(type(value)) or repr(value)[:60]
