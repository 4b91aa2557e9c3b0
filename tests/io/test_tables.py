"""Markdown tables."""

import csv

from orplugins.io.tables import markdown_table, write_csv


def test_a_table_has_titles_a_rule_and_a_line_a_row():
    assert markdown_table(["a", "b"], [[1, "x"], [2.5, "y"]]) == "| a | b |\n|---|---|\n| 1 | x |\n| 2.5 | y |"
    assert markdown_table(["a"], []) == "| a |\n|---|"


def test_text_from_files_is_no_html_and_no_formula(tmp_path):
    table = markdown_table(["<b>"], [["<script>alert(1)</script>"], ["a|b\nc"]])
    assert "<" not in table and "&lt;script&gt;" in table and "a\\|b c" in table
    rows = [{"name": "=cmd|' /C calc'!A0", "value": -1.5}, {"name": "+1", "value": 2}, {"name": "@x", "value": "-"}]
    write_csv(tmp_path / "t.csv", rows)
    with open(tmp_path / "t.csv", newline="") as file:
        read = list(csv.reader(file))
    assert read == [["name", "value"], ["'=cmd|' /C calc'!A0", "-1.5"], ["'+1", "2"], ["'@x", "'-"]]
