"""Markdown tables."""

from orplugins.io.tables import markdown_table


def test_a_table_has_titles_a_rule_and_a_line_a_row():
    assert markdown_table(["a", "b"], [[1, "x"], [2.5, "y"]]) == "| a | b |\n|---|---|\n| 1 | x |\n| 2.5 | y |"
    assert markdown_table(["a"], []) == "| a |\n|---|"
