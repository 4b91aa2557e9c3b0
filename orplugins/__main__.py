"""``orplugins doctor`` (or ``python -m orplugins``) prints what `orplugins.doctor()` found."""

from __future__ import annotations

import argparse
import sys

from orplugins import doctor
from orplugins.diagnosis import format_report


def main(argv: list[str] | None = None) -> int:
    """Print the report; the exit code is 1 where something is installed and does not import."""
    parser = argparse.ArgumentParser(prog="orplugins", description="Human pose in operating rooms.")
    parser.add_argument("command", nargs="?", choices=("doctor",), default="doctor", help="doctor: what is installed")
    parser.parse_args(argv)
    report = doctor()
    print(format_report(report))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
