"""The whole in one command: a generated clip of an operating room, poses from 64x48 depth, one HTML page.

Example:
    python tools/demo.py --out outputs/demo

Generates a short clip of three cameras, runs every section of `demo/sections/` on it and writes `index.html` (pictures,
tables, what it shows), `table.md` (the same numbers as text) and each section's own files. A section is a Python file
with ORDER, TITLE and `run(demo) -> html`, where `demo` is this script's `Demo`; a method joins the page by adding one.
Two sections run at a time; one that uses another's files names it in NEEDS (file names without .py). A section that
fails is reported on the page, the others go on, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import copy
import html
import importlib.util
import json
import os
import shutil
import string
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from orplugins.io.atomic import atomic_write

ROOT = Path(__file__).resolve().parents[1]
# No training and no validation uses this seed; someone walks in it, and something is handed over.
SEED = 9003


class CommandFailed(RuntimeError):
    """A command of a section exited with an error; the message holds what it printed."""


class Demo:
    """What sections work with.

    root : the repository. out : folder of the page. data : the clip, a data set of tools/make_or_dataset.py with three
    views, depth and colour. mvor : where MVOR's files may be.
    """

    def __init__(self, out: Path):
        self.root, self.out, self.data = ROOT, out, out / "clip"
        self.mvor = Path(os.environ.get("ORPLUGINS_MVOR") or ROOT.parent / "shared/data/mvor")
        self.notes: list[str] = []

    def run(self, *command) -> str:
        """Run a script with this interpreter and return what it printed."""
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        # One thread each: sections run side by side.
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            text=True,
            capture_output=True,
            env={"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": paths},
        )
        if done.returncode:
            text = f"{' '.join(map(str, command))} exited with {done.returncode}:\n{done.stdout}{done.stderr}"
            raise CommandFailed(text)
        return done.stdout

    def stock_test(self, config: str, weights: str, out: Path, **options) -> dict:
        """Metrics of mmpose's unmodified test script on the clip; detections go to out/detections.keypoints.json.

        options : further overrides of the config, `__` in a name for a dot.
        """
        mmpose = Path(importlib.util.find_spec("mmpose").origin).parent
        truth = self.data / "annotations/mvor.json"
        changes = {
            "test_dataloader.dataset.data_root": f"{self.data}/",
            "test_dataloader.num_workers": 0,
            "test_dataloader.persistent_workers": False,
            "test_evaluator.ann_file": truth,
            "test_evaluator.outfile_prefix": out / "detections",
            **{name.replace("__", "."): value for name, value in options.items()},
        }
        self.run(
            mmpose / ".mim/tools/test.py",
            config,
            weights,
            "--work-dir",
            out / "work",
            "--out",
            out / "metrics.json",
            "--cfg-options",
            *(f"{name}={value}" for name, value in changes.items()),
        )
        return json.loads((out / "metrics.json").read_text())

    def folder(self, name: str) -> Path:
        """An empty folder for a section's files; those of an earlier run are removed."""
        folder = self.out / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder

    def note(self, text: str) -> None:
        """Add a line to table.md and to what is printed once the section is through."""
        self.notes.append(text)

    def link(self, path: Path) -> str:
        return html.escape(os.path.relpath(path, self.out))

    def escape(self, text: str) -> str:
        return html.escape(text)

    def picture(self, path: Path, caption: str) -> str:
        return (
            f"<figure><img src='{self.link(path)}' alt='{html.escape(caption)}'>"
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )

    def weights(self, *files: Path) -> str:
        """A sentence with links to files of weights and to what is known of each."""
        links = [
            f"<a href='{self.link(file)}'>{html.escape(str(file.relative_to(self.root)))}</a> "
            f"(<a href='{self.link(file.with_suffix('.md'))}'>how they were made</a>)"
            for file in files
        ]
        return f"Weights: {', '.join(links)}."

    def table(self, head: list[str], rows: list[list[str]]) -> str:
        def line(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

        return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def sections() -> list:
    """The modules of demo/sections in their order."""
    modules = []
    for path in sorted((ROOT / "demo/sections").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"demo_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        modules.append(module)
    return sorted(modules, key=lambda module: module.ORDER)


class Result(NamedTuple):
    """What a section gave: its HTML, its lines of table.md, and whether it failed."""

    body: str
    notes: list[str]
    failed: bool


def run_section(demo: Demo, module, needs: list[Future]) -> Result:
    """One section, once those that it needs are through; prints its lines."""
    for need in needs:
        need.result()
    own = copy.copy(demo)
    own.notes = []
    try:
        result = Result(module.run(own), own.notes, False)
    except (CommandFailed, OSError, ValueError) as error:
        print(f"error: {module.TITLE}: {error}", file=sys.stderr)
        body = f"<p class='failed'>This section failed:</p><pre>{html.escape(str(error)[-2000:])}</pre>"
        result = Result(body, own.notes, True)
    lines = "\n".join(result.notes).replace("\n", "\n    ")
    print(f"{module.TITLE}\n    {lines}", flush=True)
    return result


def run_sections(demo: Demo, modules: list) -> list[Result]:
    """Results in the order of `modules`. Sections that need others are started after all that do not."""
    futures: dict[str, Future] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for module in sorted(modules, key=lambda module: bool(needed(module))):
            needs = [futures[name] for name in needed(module) if name in futures]
            futures[module.__name__] = pool.submit(run_section, demo, module, needs)
    return [futures[module.__name__].result() for module in modules]


def needed(module) -> tuple[str, ...]:
    return tuple(f"demo_{name}" for name in getattr(module, "NEEDS", ()))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"), help="folder for everything that is written")
    parser.add_argument("--frames", type=int, default=24, help="frames of the clip, 25 a second (default: 24)")
    args = parser.parse_args(argv)
    start = time.monotonic()
    demo = Demo(args.out.resolve())
    demo.out.mkdir(parents=True, exist_ok=True)
    print(f"generating {args.frames} frames of three cameras")
    try:
        demo.run(
            "tools/make_or_dataset.py",
            "--out",
            demo.data,
            "--frames",
            args.frames,
            "--motion",
            args.frames,
            "--seed",
            SEED,
            "--size",
            "320x240",
            "--people",
            "3-5",
            "--workers",
            min(2, os.cpu_count() or 1),
        )
    except CommandFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    modules = sections()
    print(f"running {len(modules)} sections")
    results = run_sections(demo, modules)
    parts = [
        f"<h2>{html.escape(module.TITLE)}</h2>\n{result.body}" for module, result in zip(modules, results, strict=True)
    ]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    page = string.Template((ROOT / "demo/page.html").read_text())
    with atomic_write(demo.out / "index.html") as file:
        file.write(
            page.substitute(
                sections="\n".join(parts),
                command="make demo",
                commit=commit.strip() or "unknown",
                seconds=round(time.monotonic() - start),
            )
        )
    with atomic_write(demo.out / "table.md") as file:
        file.write("\n".join(line for result in results for line in (*result.notes, "")))
    print(f"page        {demo.out / 'index.html'}\ntable       {demo.out / 'table.md'}")
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
