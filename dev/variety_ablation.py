"""What each kind of variety in generated pictures is worth on real frames: one training a row, all else equal.

    python dev/variety_ablation.py [--start WEIGHTS] [--real ../shared/data] [--data FOLDER] [--runs FOLDER]

`depthpose_small-64x48` is trained on the theatre (a start that all rows share), then for two epochs on 2,500 images of
the row's kind. Scores are those of dev/score_real_depth.py and the PCK on unseen images of the theatre. A command that
ended well is not run again. About half an hour of one CPU core from --start.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dev.recipes import RECIPES, START, depth_training  # noqa: E402
from dev.train_shipped import fill_in, run  # noqa: E402
from orplugins.io.tables import markdown_table  # noqa: E402

ROWS = {
    "theatre": "",
    "cameras": "--variety cameras poses",
    "rooms": "--variety cameras poses rooms",
    "all": "--variety all",
}
NAMES = {
    "theatre": "the theatre, cameras varied",
    "cameras": "+ cameras and poses",
    "rooms": "+ rooms",
    "all": "+ sensors, clothes",
}
_MAKE = "{python} tools/make_or_dataset.py --workers {workers} --views 1 --seed 5 --cameras varied"
_SMALL = "configs/mmpose/depthpose/depthpose_small-64x48.py"


def row_commands(row: str, start: Path | None) -> list[str]:
    """From nothing, or from the weights `start`, to the scores of one row."""
    wanted = ("{data}/depth_val --frames",)
    wanted += () if start else ("{data}/depth_theatre --frames", "--work-dir {runs}/depthpose_small ")
    depth = "--frames 2500 --depth-only --size 160x120 --people 0-5"
    weights = start or "{runs}/depthpose_small/epoch_8.pth"
    return [
        *(command for command in RECIPES["depthpose_small-64x48"] if any(part in command for part in wanted)),
        f"{_MAKE} --out {{data}}/row_{row} {depth} {ROWS[row]}".rstrip(),
        depth_training(
            "depthpose_small-64x48_varied",
            row,
            f"row_{row}",
            f"{START}{weights} train_cfg.max_epochs=2 param_scheduler.1.end=2",
        ),
        f"{{python}} dev/score_real_depth.py {_SMALL} {{runs}}/{row}/epoch_2.pth"
        f" --data {{real}}/depth_real --json {{runs}}/{row}.json",
    ]


def theatre_pck(runs: Path, row: str) -> float:
    """PCK on unseen images of the theatre after the last epoch, from the training's log."""
    logs = sorted((runs / row).glob("*/vis_data/scalars.json"))
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return [line["PCK/Average"] for line in lines if "PCK/Average" in line][-1]


def table(runs: Path) -> str:
    """Markdown table of the rows that are done."""
    head, lines = ["pictures"], []
    for row, name in NAMES.items():
        file = runs / f"{row}.json"
        if not file.is_file():
            continue
        figures = {key: value for key, value in json.loads(file.read_text()).items() if "frames" not in key}
        figures["PCK@0.2, theatre"] = round(theatre_pck(runs, row), 1)
        head = ["pictures", *figures]
        lines.append([name, *(f"{v:.1f}" if isinstance(v, float) else str(v) for v in figures.values())])
    return markdown_table(head, lines)


def main(argv: list[str] | None = None) -> int:
    """Train and score the rows, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--start", type=Path, help="weights that saw the theatre alone, for the training of them")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that generate (all cores)")
    parser.add_argument("--real", type=Path, default=ROOT.parent / "shared/data", help="folder of the real frames")
    parser.add_argument("--data", type=Path, default=Path("data/ablation"), help="generated sets (data/ablation)")
    parser.add_argument("--runs", type=Path, default=Path("work_dirs/ablation"), help="trainings (work_dirs/ablation)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands")
    args = parser.parse_args(argv)
    args.data, args.runs, args.real = args.data.resolve(), args.runs.resolve(), args.real.resolve()
    start = args.start.resolve() if args.start else None
    commands: list[str] = []
    for row in args.rows:
        commands += row_commands(row, start)
    filled = [fill_in(command.replace("{real}", str(args.real)), args) for command in dict.fromkeys(commands)]
    if args.dry_run:
        print("\n".join(shlex.join(command) for command in filled))
        return 0
    if not args.real.is_dir():
        print(f"skipped: no folder of real frames {args.real}")
        return 0
    code = run(filled, args.runs / ".done", args.runs / "commands.log")
    print(f"\n{table(args.runs)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
