"""Make a shipped file of weights again, from nothing: generate its pictures, train, export.

Examples:
    python dev/train_shipped.py --list
    python dev/train_shipped.py depthpose_small-64x48                      # on this machine's CPUs
    python dev/train_shipped.py orpose_lite0 --device cuda --workers 16    # pictures on CPU cores, training on the GPU

The commands are those of dev/recipes.py and are printed as they run; --dry-run prints them alone. A command that ended
well is not run again, and trainings resume, so the same call goes on after an interruption. Sets are written below
--data, trainings and the weights below --runs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def fill_in(command: str, args: argparse.Namespace) -> list[str]:
    """Return a recipe's command as words."""
    spec = find_spec("mmpose")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("mmpose is not installed: make setup")
    places = dict(
        root=ROOT,
        python=sys.executable,
        workers=args.workers,
        device=args.device,
        data=args.data,
        runs=args.runs,
        mmpose=Path(spec.origin).parent / ".mim/tools",
    )
    return [word.format(**places) for word in shlex.split(command)]


def run(commands: list[list[str]], done: Path, log: Path) -> int:
    """Run commands that have not ended well before; the first that fails ends it, with its exit code."""
    done.mkdir(parents=True, exist_ok=True)
    for number, command in enumerate(commands, 1):
        text = shlex.join(command)
        mark = done / hashlib.sha256(text.encode()).hexdigest()[:16]
        if mark.exists():
            print(f"[{number}/{len(commands)}] done before: {text}", flush=True)
            continue
        print(f"[{number}/{len(commands)}] {text}", flush=True)
        start = time.time()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        line = f"{(time.time() - start) / 60:.1f} minutes, exit code {code}: {text}"
        print(line, flush=True)
        with log.open("a") as file:
            file.write(line + "\n")
        if code:
            return code
        mark.write_text(text + "\n")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the recipes asked for."""
    sys.path.insert(0, str(ROOT))
    from dev.recipes import RECIPES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*RECIPES, []], help=", ".join(RECIPES))
    parser.add_argument("--list", action="store_true", help="names of the recipes")
    parser.add_argument("--dry-run", action="store_true", help="print the commands")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: cuda if there is one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that generate (all cores)")
    parser.add_argument("--data", type=Path, default=Path("data/shipped"), help="generated sets (data/shipped)")
    parser.add_argument("--runs", type=Path, default=Path("work_dirs/shipped"), help="trainings (work_dirs/shipped)")
    args = parser.parse_args(argv)
    if args.list or not args.names:
        print("\n".join(RECIPES))
        return 0
    if args.device == "auto":
        import torch

        args.device = "cuda" if torch.cuda.is_available() else "cpu"
    args.data, args.runs = args.data.resolve(), args.runs.resolve()
    commands = list(dict.fromkeys(tuple(fill_in(command, args)) for name in args.names for command in RECIPES[name]))
    if args.dry_run:
        print("\n".join(shlex.join(command) for command in commands))
        return 0
    return run([list(command) for command in commands], args.runs / ".done", args.runs / "commands.log")


if __name__ == "__main__":
    sys.exit(main())
