"""The table of ablations: what was measured is kept, and written as means with their span."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from dev.adaptor_table import Results, entries, scalars  # noqa: E402


def test_rows_are_kept_and_averaged_over_seeds(tmp_path):
    results = Results(tmp_path)
    results.add("source only", None, {"1": {"box AP": 10.0}, "8": {"box AP": 2.0}}, {})
    logged = {"labels_per_picture": 1.5, "pictures_without_label": 0.25, "fallback_steps": 7}
    for seed, value in ((0, 20.0), (1, 30.0)):
        results.add("adapted", seed, {"1": {"box AP": value}, "8": {"box AP": 4.0}}, logged)
    table = Results(tmp_path).table()
    assert table == (tmp_path / "table.md").read_text()
    assert "| source only | 1 | 10.0 | 2.0 |" in table
    assert "| adapted | 2 | 25.0 (20.0 to 30.0) | 4.0 (4.0 to 4.0) |" in table
    assert "25.0 (25.0 to 25.0)" in table  # per cent of pictures without label


def test_what_a_run_logged_about_its_labels(tmp_path):
    rows = [{"adaptor/labels_per_picture": value, "adaptor/fallback_steps": k} for k, value in enumerate((1.0, 2.0))]
    (tmp_path / "metrics.json").write_text("\n".join(json.dumps(row) for row in [*rows, {"iteration": 3}]))
    assert scalars(tmp_path) == {"labels_per_picture": 1.5, "fallback_steps": 1}


def test_the_target_is_named_with_and_without_its_labels():
    found = entries({name: Path(name) for name in ("source", "target", "target_test")})
    assert [entry.partition("=")[0] for entry in found] == ["source", "target_labelled", "target_test", "target"]
    assert "," not in found[-1]
