"""Say what is installed, what is registered, what is missing and how to get it, and which traps are near."""

from __future__ import annotations

import argparse

import orplugins
from orplugins.diagnosis import format_report


def main(argv: list[str] | None = None) -> int:
    """Print the report; the exit code is 1 where something is installed and does not import."""
    argparse.ArgumentParser(description=__doc__).parse_args(argv)
    report = orplugins.doctor()
    print(format_report(report))
    return 1 if report.failures else 0
