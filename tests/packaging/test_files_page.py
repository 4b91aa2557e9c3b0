"""docs/files.md: every command that reads or writes files has a place in its tables."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/files.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("tool", sorted(path.name for path in (ROOT / "tools").glob("[a-z]*.py")))
def test_every_tool_is_in_a_table(tool):
    assert any(f"tools/{tool}" in cell for row in ROWS for cell in row[2:4])


def test_tables_are_whole():
    assert len(ROWS) > 20 and all(len(row) == 5 for row in ROWS)
    for row in ROWS:
        read, written = (re.findall(r"`(tools/\w+\.py)", cell) for cell in row[2:4])
        assert not read or re.search(r"`orplugins/[\w/]+(\.py)?`", row[1]) or row[0] == "format", row[0]
        assert row[0] in ("format", "---") or read or written or "host" in row[2] or row[2], row[0]
