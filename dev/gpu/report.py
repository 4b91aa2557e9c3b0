"""Checks, what came of them, and the table: a check that raises is a row, not the end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orplugins.io.atomic import write_json

COLUMNS = ("part", "check", "network", "setting", "value", "reference", "result")
LONGEST = 100  # characters of an error's line


class Skipped(Exception):
    """Raised by a check that cannot run here; its text is the reason."""


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes:
        value: In words, with its unit.
        reference: The tolerance, or what it is compared with.
        ok: Whether the value is as it should be.
        numbers: The same for programs.
    """

    value: str
    reference: str = ""
    ok: bool = True
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A row to be: where it stands in the table, and what finds its outcome."""

    part: str
    name: str
    network: str
    setting: str
    run: Callable[[], Outcome]


@dataclass(frozen=True)
class Row:
    """A line of the table; ``result`` is "ok", "FAILED", "FAILED: <error>" or "skipped: <reason>"."""

    part: str
    check: str
    network: str
    setting: str
    value: str
    reference: str
    result: str
    numbers: dict[str, float]
    seconds: float


class Report:
    """Runs checks, and keeps their rows.

    Args:
        head: What the run was made on.
        out: JSON file for the rows so far, written whenever a part ends.
        minutes: Checks that are not begun by then are skipped.
    """

    def __init__(self, head: dict[str, str], out: Path | None = None, minutes: float = float("inf")):
        self.head, self.out, self.minutes = head, out, minutes
        self.rows: list[Row] = []
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._start

    @property
    def failed(self) -> int:
        """Number of rows that FAILED."""
        return sum(row.result.startswith("FAILED") for row in self.rows)

    def run(self, checks: Iterable[Check]) -> None:
        """Run the checks of a part, and write the file."""
        for check in checks:
            self.rows.append(self._row(check))
        if self.out:
            write_json(self.out, {"head": self.head, "failed": self.failed, "rows": [asdict(r) for r in self.rows]}, 1)

    def _row(self, check: Check) -> Row:
        start, found = self.seconds, Outcome("")
        if start > 60 * self.minutes:
            result = "skipped: time"
        else:
            try:
                found = check.run()
                result = "ok" if found.ok else "FAILED"
            except Skipped as reason:
                result = f"skipped: {reason}"
            except Exception as error:  # whatever it is, it is this row's result, and the next check runs
                result = f"FAILED: {one_line(error)}"
        place = check.part, check.name, check.network, check.setting
        return Row(*place, found.value, found.reference, result, found.numbers, round(self.seconds - start, 3))

    def text(self) -> str:
        """The head, the table in Markdown, and a last line with the counts."""
        lines = [[getattr(row, name).replace("|", "\\|") for name in COLUMNS] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(COLUMNS, *lines, strict=True)]
        table = [COLUMNS, ["-" * width for width in widths], *lines]
        body = ("| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in table)
        skipped = sum(row.result.startswith("skipped") for row in self.rows)
        ok = len(self.rows) - skipped - self.failed
        head = (f"{name}: {value}" for name, value in self.head.items())
        last = f"{ok} ok, {skipped} skipped, {self.failed} FAILED, {self.seconds:.0f} s"
        return "\n".join([*head, "", *body, "", last])


def one_line(error: BaseException) -> str:
    """An error's type and the first line of its text."""
    text = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {text}"[:LONGEST]
