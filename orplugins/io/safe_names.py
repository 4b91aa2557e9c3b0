"""Names from files that become parts of paths: what would lead elsewhere is refused."""

from __future__ import annotations

import re

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def safe_name(value: object, where: str) -> str:
    """Return a name that a file or folder can be given.

    Args:
        value: A string or whole number.
        where: File and field, for the error.

    Returns:
        The name: letters, digits, ``.``, ``_`` and ``-``, no dot in front.

    Raises:
        ValueError: Anything else, a path above all.
    """
    text = str(value) if type(value) is int or isinstance(value, str) else ""
    if not _SAFE.fullmatch(text):
        raise ValueError(
            f"{where} is {value!r:.80}, expected a name of letters, digits, '.', '_' and '-' (at most 100): it becomes "
            "part of a path"
        )
    return text
