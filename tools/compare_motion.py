"""Compare recordings of one motion by different systems: time offset, alignment, distances, angles, plots, one report.

Each file is a Kinect text record, a clip's npz (motion.npz), the lifter's pose.npy or a Kinect export; every pair is
compared, the first of a pair as the reference. No file is the truth unless you know it is: the report speaks of
agreement.
Several exercises: --exercise NAME before the files of each.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

from orplugins.io.atomic import write_json
from orplugins.motion.compare import MODES, compare
from orplugins.motion.recordings import read_recording
from orplugins.motion.report import markdown_table, row, write_report

EXAMPLES = """examples:
  python tools/compare_motion.py kinect.txt lifted/record.txt stereo/record.txt --out runs/report
  python tools/compare_motion.py --exercise walk a.txt b.txt --exercise arms c.txt d.txt --out runs/report"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="two or more recordings of one motion")
    parser.add_argument(
        "--exercise",
        nargs="+",
        action="append",
        default=[],
        metavar="NAME_OR_FILE",
        help="an exercise's name, then its files",
    )
    parser.add_argument("--names", nargs="+", help="names of the systems, in the order of the files")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for report.md, report.csv, report.json and plots"
    )
    parser.add_argument(
        "--align", choices=MODES, default="similarity", help="spatial alignment of the headline numbers"
    )
    parser.add_argument("--measured-only", action="store_true", help="leave inferred joints (state 1) out")
    parser.add_argument("--max-lag", type=int, default=30, help="largest time offset, frames")
    parser.add_argument("--fps", type=float, help="of files that hold no frame rate (default 30)")
    parser.add_argument("--frame", type=int, default=25, help="frame at which both skeletons are drawn")
    args = parser.parse_args(argv)
    exercises = [("motion", args.files)] if args.files else []
    exercises += [(names[0], names[1:]) for names in args.exercise]
    if not exercises or any(len(files) < 2 for _, files in exercises):
        parser.error("two recordings or more are needed for each exercise")
    if args.names and any(len(args.names) != len(files) for _, files in exercises):
        parser.error(f"{len(args.names)} --names, expected one for each file of an exercise")
    results, failed = [], 0
    for exercise, files in exercises:
        try:
            names = args.names or [None] * len(files)
            recordings = [read_recording(file, name, args.fps) for file, name in zip(files, names, strict=True)]
            if len({r.name for r in recordings}) < len(recordings):
                recordings = [read_recording(f, str(Path(f).with_suffix("")), args.fps) for f in files]
        except (ValueError, OSError) as error:
            print(f"error: {exercise}: {error}", file=sys.stderr)
            failed += 1
            continue
        for a, b in itertools.combinations(recordings, 2):
            try:
                results.append((exercise, compare(a, b, args.measured_only, args.max_lag)))
            except ValueError as error:
                print(f"error: {exercise}: {error}", file=sys.stderr)
                failed += 1
    if not results:
        return 1
    try:
        path = write_report(args.out, results, args.align, args.frame)
        rows = [row(exercise, c, args.align) for exercise, c in results]
        clean = [{k: None if isinstance(v, float) and v != v else v for k, v in r.items()} for r in rows]
        write_json(args.out / "report.json", {"alignment": args.align, "rows": clean}, indent=1)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    short = (
        "exercise",
        "A",
        "B",
        "frames",
        "lag",
        "scale",
        "MPJPE mm",
        "rigid MPJPE mm",
        "P-MPJPE mm",
        "MPJVE mm/frame",
        "angle RMSE deg",
    )
    print(markdown_table([{key: r[key] for key in short} for r in rows]))
    for exercise, c in results:
        for warning in c.warnings:
            print(f"note: {exercise}, {c.names[0]} and {c.names[1]}: {warning}")
    print(f"agreement, not accuracy; report: {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
