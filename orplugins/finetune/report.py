"""What a fine-tuning found, for people: one table, one sentence, and a card beside the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from orplugins.io.tables import markdown_table, markdown_text

Rows = dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a fine-tuning found.

    Attributes:
        score: The figure that decided.
        margin: By how many points it has to be greater than before: less may be chance.
        before, after: Figures on the held-out pictures, in percent; ``after`` is that of the written weights, or of the
            best trained ones where none were written.
        test_before, test_after: Figures on the test file; empty without one.
        weights: The written file; None where training found nothing better than the start.
        step: Training steps of the best weights.
        facts: Further lines of the card.
        use: The command that uses the weights.
    """

    score: str
    margin: float
    before: Rows
    after: Rows
    test_before: Rows
    test_after: Rows
    weights: Path | None
    step: int
    facts: dict[str, str]
    use: str

    @property
    def better(self) -> bool:
        """Whether the written weights score better on the held-out pictures than the start."""
        return self.weights is not None


def _cell(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.1f}"


def table(outcome: Outcome) -> str:
    """The figures before and after, in Markdown, percent.

    Args:
        outcome: What was found.
    """
    parts = [("held-out pictures", outcome.before, outcome.after)]
    parts += [("test file", outcome.test_before, outcome.test_after)] * bool(outcome.test_before)
    rows = [
        [title, name, _cell(before.get(name)), _cell(after.get(name))]
        for title, before, after in parts
        for name in before | after
    ]
    return markdown_table(["scored on", "percent", "before", "after"], rows)


def verdict(outcome: Outcome) -> str:
    """One sentence that says whether it helped.

    Args:
        outcome: What was found.
    """
    before, after = (_cell(rows.get(outcome.score)) or "nothing" for rows in (outcome.before, outcome.after))
    if outcome.better:
        return f"better: {outcome.score} on the held-out pictures is {after}, was {before}"
    return (
        f"no better than before: {outcome.score} on the held-out pictures is {after} at best, was {before}; with so "
        f"few people a gain of less than {outcome.margin:.1f} may be chance. No weights were written"
    )


def ending(outcome: Outcome) -> str:
    """What a command prints in the end: table, verdict, where the weights are and what uses them.

    Args:
        outcome: What was found.
    """
    lines = ["", table(outcome), "", verdict(outcome)]
    if outcome.weights:
        lines += [f"{outcome.weights}, {outcome.weights.with_name('card.md')}; next:", outcome.use]
    return "\n".join(lines)


def card(outcome: Outcome, name: str) -> str:
    """A Markdown page about the weights.

    Args:
        outcome: What was found.
        name: Its title.
    """
    rows = "\n".join(f"| {key} | {markdown_text(value)} |" for key, value in outcome.facts.items())
    use = f"\n```bash\n{outcome.use}\n```\n" if outcome.better else ""
    return f"# {name}\n\n{verdict(outcome)}.\n\n| | |\n|---|---|\n{rows}\n\n{table(outcome)}\n{use}"
