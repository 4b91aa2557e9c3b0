"""Compare recordings of one motion by different systems: time offset, alignment, distances, angles, plots, one report.

Each file is a Kinect text record, a clip's npz (motion.npz), the lifter's pose.npy or a Kinect export; every pair is
compared, the first of a pair as the reference. No file is the truth unless you know it is: the report speaks of
agreement.
Several exercises: --exercise NAME before the files of each.

examples:
  python tools/compare_motion.py kinect.txt lifted/record.txt stereo/record.txt --out runs/report
  python tools/compare_motion.py --exercise walk a.txt b.txt --exercise arms c.txt d.txt --out runs/report
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.motion.compare import MODES
from orplugins.motion.pipeline import CompareSettings, compare_recordings
from orplugins.motion.report import rows_table

SHORT = ("exercise", "A", "B", "frames", "lag", "scale", "MPJPE mm", "rigid MPJPE mm", "P-MPJPE mm",
         "MPJVE mm/frame", "angle RMSE deg")  # fmt: skip


def _parse(argv: list[str] | None) -> CompareSettings:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="two or more recordings of one motion")
    name = "an exercise's name, then its files"
    add("--exercise", nargs="+", action="append", default=[], metavar="NAME_OR_FILE", help=name)
    add("--names", nargs="+", help="names of the systems, in the order of the files")
    add("--out", type=Path, required=True, help="folder for report.md, report.csv, report.json and plots")
    add("--align", choices=MODES, default="similarity", help="spatial alignment of the headline numbers")
    add("--measured-only", action="store_true", help="leave inferred joints (state 1) out")
    add("--max-lag", type=int, default=30, help="largest time offset, frames")
    add("--fps", type=float, help="of files that hold no frame rate (default 30)")
    add("--frame", type=int, default=25, help="frame at which both skeletons are drawn")
    args = vars(parser.parse_args(argv))
    files, exercises = args.pop("files"), args.pop("exercise")
    chosen = [("motion", tuple(files))] if files else []
    chosen += [(names[0], tuple(names[1:])) for names in exercises]
    try:
        return CompareSettings(tuple(chosen), **args)
    except ValueError as error:
        parser.error(str(error))


def main(argv: list[str] | None = None) -> int:
    """Print the table; the exit code is 1 where a file could not be read or compared."""
    try:
        done = compare_recordings(_parse(argv))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for exercise, why in done.failed:
        print(f"error: {exercise}: {why}", file=sys.stderr)
    if not done.results:
        return 1
    print(rows_table([{key: row[key] for key in SHORT} for row in done.rows]))
    for exercise, c in done.results:
        for warning in c.warnings:
            print(f"note: {exercise}, {c.names[0]} and {c.names[1]}: {warning}")
    print(f"agreement, not accuracy; report: {done.report}")
    return 1 if done.failed else 0
