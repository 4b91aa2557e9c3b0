"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, one line a row, without a newline at the end.

    Args:
        head: Titles of the columns.
        rows: Cells; values are written as ``str`` writes them.
    """
    lines = [head, *rows]
    text = ["| " + " | ".join(map(str, cells)) + " |" for cells in lines]
    return "\n".join([text[0], "|---" * len(head) + "|", *text[1:]])
