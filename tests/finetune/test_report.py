"""What is said in the end."""

from pathlib import Path

from orplugins.finetune.report import Outcome, card, table, verdict


def outcome(weights: Path | None) -> Outcome:
    before, after = {"AP": 20.04, "PCK": 50.0}, {"AP": 31.26}
    return Outcome("AP", 2.5, before, after, {"AP": 1.0}, {"AP": 2.0}, weights, 30, {"seed": "0"}, "orplugins use it")


def test_better():
    done = outcome(Path("w.safetensors"))
    assert verdict(done) == "better: AP on the held-out pictures is 31.3, was 20.0"
    assert "| held-out pictures | AP | 20.0 | 31.3 |" in table(done) and "| test file | AP | 1.0 | 2.0 |" in table(done)
    assert "| held-out pictures | PCK | 50.0 |  |" in table(done) and "orplugins use it" in card(done, "title")


def test_no_better():
    done = outcome(None)
    assert verdict(done).startswith("no better than before: AP") and "orplugins use it" not in card(done, "t")
