"""The best weights of a training so far, by their score on held-out pictures; lasts over interruptions."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import load_json
from orplugins.io.weights import write_weights


class Best:
    """Keeps the weights with the greatest score.

    Args:
        folder: For ``best.safetensors`` and ``scores.json``; a record that is there is continued.
        score: The figure that decides.
        say: Called with a line for every score.
        before: The figure of the weights to start from.
        total: Training steps, for the line.
    """

    def __init__(self, folder: Path, score: str, say: Callable[[str], None], before: float, total: int):
        self.folder, self.score, self.say, self.before, self.total = folder, score, say, before, total
        self._record = folder / "scores.json"
        self.scores: list[dict] = load_json(self._record) if self._record.is_file() else []

    @property
    def weights(self) -> Path:
        """The file of the best weights, there once something was offered."""
        return self.folder / "best.safetensors"

    def seen(self, step: int) -> bool:
        """Whether weights of this step, or of a later one, were offered."""
        return any(entry["step"] >= step for entry in self.scores)

    def offer(self, step: int, rows: dict[str, float], state: Callable[[], dict], loss: float | None = None) -> None:
        """Note a score; keep the weights if it is the greatest.

        Args:
            step: Training steps done.
            rows: Figures.
            state: Gives the tensors by name.
            loss: Of the last steps, for the line.
        """
        scores = [entry for entry in self.scores if entry["step"] < step]
        known = max((entry["score"] for entry in scores if entry["score"] is not None), default=-math.inf)
        score = rows.get(self.score, math.nan)
        better = score > known
        if better:
            write_weights(self.weights, state(), {"step": step, "score": score})
        self.scores = [*scores, {"step": step, "score": score if math.isfinite(score) else None}]
        write_json(self._record, self.scores)
        told = f", loss {loss:.4g}" if loss is not None and math.isfinite(loss) else ""
        mark = ", the best so far" if better and score > self.before else ""
        self.say(f"step {step} of {self.total}{told}: {self.score} {score:.1f} (before: {self.before:.1f}){mark}")
