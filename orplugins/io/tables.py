"""Tables for people: Markdown and CSV, in which text from files stays text."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence

from orplugins.io.atomic import atomic_write

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "\\|", "\n": " ", "\r": " "})


def markdown_text(value: object) -> str:
    """Return text that a Markdown page shows as it is: no HTML, no end of a table's cell or line."""
    return str(value).translate(_ESCAPES)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, one line a row, without a newline at the end.

    Args:
        head: Titles of the columns.
        rows: Cells; values are written as ``str`` writes them, HTML and ``|`` escaped.
    """
    lines = [head, *rows]
    text = ["| " + " | ".join(map(markdown_text, cells)) + " |" for cells in lines]
    return "\n".join([text[0], "|---" * len(head) + "|", *text[1:]])


def csv_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_csv(path: str | os.PathLike, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows as CSV, numbers in full precision, whole or not at all.

    Args:
        path: The file.
        rows: Column -> value; the first row's columns are written.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = list(rows[0])
    writer.writerow([csv_cell(column) for column in columns])
    writer.writerows([csv_cell(row.get(column, "")) for column in columns] for row in rows)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())
