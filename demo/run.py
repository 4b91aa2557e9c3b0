"""The whole in one command: a generated clip of an operating room, poses from 64x48 depth, one HTML page.

Example:
    python demo/run.py --out outputs/demo

Generates a short clip of three cameras, runs every section of `demo/sections/` on it and writes `index.html` (pictures,
tables, what it shows), `table.md` (the same numbers as text) and each section's own files. A section is a Python file
with ORDER, TITLE and `run(demo) -> html`, where `demo` is a `page.Demo`; a method joins the page by adding one. Two
sections run at a time, each in a process of its own, because mmengine's default scope and detectron2's registries are
global; what a process prints is in NAME.log. A section that uses another's files names it in NEEDS (file names without
.py). A section that fails is reported on the page, the others go on, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import copy
import html
import importlib.util
import os
import string
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from page import ROOT, Demo

from orplugins.io.atomic import atomic_write
from orplugins.synthetic.pipeline import make_dataset

# No training and no validation uses this seed; someone walks in it, and something is handed over.
SEED = 9003


class Result(NamedTuple):
    """What a section gave: its HTML, its lines of table.md, and whether it failed."""

    body: str
    notes: list[str]
    failed: bool


def load_section(path: Path):
    """Return a section's module."""
    spec = importlib.util.spec_from_file_location(f"demo_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections() -> list:
    """Return the modules of demo/sections in their order."""
    modules = [load_section(path) for path in sorted((ROOT / "demo/sections").glob("*.py"))]
    return sorted(modules, key=lambda module: module.ORDER)


def run_section(demo: Demo, module) -> Result:
    """Run a section in this process; whatever it raises is its result."""
    own = copy.copy(demo)
    own.notes = []
    try:
        return Result(module.run(own), own.notes, False)
    except Exception as error:  # a section may fail in any way; the page shows how, and the others go on
        traceback.print_exc()
        return failure(error, own.notes)


def failure(error: BaseException, notes: list[str]) -> Result:
    """Return what stands on the page in a failed section's place."""
    text = html.escape(f"{type(error).__name__}: {error}"[-2000:])
    return Result(f"<p class='failed'>This section failed:</p><pre>{text}</pre>", notes, True)


def print_to(log: Path) -> None:
    """Send all that this process and its children print to a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ["TQDM_DISABLE"] = "1"


def run_file(demo: Demo, path: Path) -> Result:
    """Run the section of a file."""
    return run_section(demo, load_section(path))


def in_a_process(demo: Demo, module) -> Result:
    """Run a section in a process of its own."""
    log = demo.out / f"{Path(module.__file__).stem}.log"
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=print_to, initargs=(log,)) as pool:
        try:
            result = pool.submit(run_file, demo, Path(module.__file__)).result()
        except BrokenProcessPool as error:
            result = failure(error, [])
    if result.failed:
        print(f"error: {module.TITLE}: see {log}", file=sys.stderr)
    return result


def run_sections(demo: Demo, modules: list, call: Callable[[Demo, object], Result] = in_a_process) -> list[Result]:
    """Return results in the order of `modules`; sections that need others are started after all that do not."""
    futures: dict[str, Future] = {}

    def one(module, needs: list[Future]) -> Result:
        for need in needs:
            need.result()
        result = call(demo, module)
        lines = "\n".join(result.notes).replace("\n", "\n    ")
        print(f"{module.TITLE}\n    {lines}", flush=True)
        return result

    with ThreadPoolExecutor(max_workers=2) as pool:
        for module in sorted(modules, key=lambda module: bool(needed(module))):
            needs = [futures[name] for name in needed(module) if name in futures]
            futures[module.__name__] = pool.submit(one, module, needs)
    return [futures[module.__name__].result() for module in modules]


def needed(module) -> tuple[str, ...]:
    """Return the names of the modules whose files a section uses."""
    return tuple(f"demo_{name}" for name in getattr(module, "NEEDS", ()))


def make_clip(out: Path, frames: int) -> None:
    """Generate the clip of three cameras, depth and colour."""
    workers = min(2, os.cpu_count() or 1)
    clip = dict(seed=SEED, size=(320, 240), views=3, people=(3, 5), motion=frames, color=True)
    make_dataset(out, frames, workers=workers, **clip)


def write_page(demo: Demo, modules: list, results: list[Result], seconds: float) -> None:
    """Write index.html and table.md."""
    bodies = [f"<h2>{html.escape(m.TITLE)}</h2>\n{r.body}" for m, r in zip(modules, results, strict=True)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    page = string.Template((ROOT / "demo/page.html").read_text()).substitute(
        sections="\n".join(bodies),
        command="make demo",
        commit=commit.strip() or "unknown",
        seconds=round(seconds),
    )
    with atomic_write(demo.out / "index.html") as file:
        file.write(page)
    with atomic_write(demo.out / "table.md") as file:
        file.write("\n".join(line for result in results for line in (*result.notes, "")))


def main(argv: list[str] | None = None) -> int:
    """Make the page; the exit code is 1 where a section failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"), help="folder for everything that is written")
    parser.add_argument("--frames", type=int, default=24, help="frames of the clip, 25 a second (default: 24)")
    args = parser.parse_args(argv)
    start = time.monotonic()
    demo = Demo(args.out.resolve())
    demo.out.mkdir(parents=True, exist_ok=True)
    print(f"generating {args.frames} frames of three cameras", flush=True)
    try:
        make_clip(demo.data, args.frames)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    modules = sections()
    print(f"running {len(modules)} sections", flush=True)
    results = run_sections(demo, modules)
    write_page(demo, modules, results, time.monotonic() - start)
    print(f"page        {demo.out / 'index.html'}\ntable       {demo.out / 'table.md'}")
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each section: two run side by side
    sys.exit(main())
