"""Run benchmarks: ``python -m benchmarks [NAME ...] [--list] [--repeats N] [--threads N] [--out FILE]``.

An entry is a module of this package with ``NAME`` and ``run(repeats) -> list[Comparison]``; its imports of heavy
libraries belong inside ``run``.

Example:
    python -m benchmarks decode_paf --out runs/decode_paf.json
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import benchmarks
from benchmarks import harness
from orplugins.io.atomic import atomic_write

NOT_ENTRIES = {"__main__", "harness", "multiview_reference", "refinet_reference"}


def entries() -> dict[str, object]:
    """Entry modules by their NAME."""
    names = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in NOT_ENTRIES]
    modules = [importlib.import_module(f"benchmarks.{name}") for name in names]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="entries to run; none: all")
    parser.add_argument("--list", action="store_true", help="name the entries and stop")
    parser.add_argument("--repeats", type=int, default=15, help="pairs a comparison")
    parser.add_argument("--threads", type=int, default=1, help="threads of numpy, torch and OpenCV")
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    args = parser.parse_args(argv)
    harness.set_threads(args.threads)
    found = entries()
    if args.list:
        print("\n".join(found))
        return 0
    unknown = sorted(set(args.names) - set(found))
    if unknown:
        parser.error(f"found {', '.join(unknown)}, expected {', '.join(found)}")
    if args.repeats < 1 or args.threads < 1:
        parser.error("--repeats and --threads must be at least 1")
    print(", ".join(f"{key} {value}" for key, value in harness.machine().items()), f"threads {args.threads}", sep=", ")
    comparisons = []
    for name in args.names or found:
        for comparison in found[name].run(args.repeats):
            print(comparison.line(), flush=True)
            comparisons.append(comparison)
        harness.set_threads(args.threads)  # a library may have come in with the entry
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(args.out) as file:
            json.dump(harness.report(comparisons, args.threads), file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
