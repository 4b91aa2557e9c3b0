"""What the sections of the demo page work with: folders, links, pictures, tables, and mmpose's stock test script."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class CommandFailed(RuntimeError):
    """A command of a section exited with an error; the message holds what it printed."""


class Demo:
    """The page in the making.

    Attributes:
        root: The repository.
        out: Folder of the page.
        data: The clip, a generated data set of three views, depth and colour.
        mvor: Where MVOR's files may be.
        notes: Lines for table.md and for the terminal.
    """

    def __init__(self, out: Path):
        self.root, self.out, self.data = ROOT, out, out / "clip"
        self.mvor = Path(os.environ.get("ORPLUGINS_MVOR") or ROOT.parent / "shared/data/mvor")
        self.notes: list[str] = []

    def stock_test(self, config: str, weights: Path, out: Path, **options) -> dict:
        """Run mmpose's unmodified test script on the clip; detections go to out/detections.keypoints.json.

        Args:
            config: mmpose config, relative to the repository.
            weights: Checkpoint.
            out: Folder.
            options: Further overrides of the config, `__` in a name for a dot.

        Returns:
            The metrics.

        Raises:
            CommandFailed: With what the script printed.
        """
        mmpose = Path(importlib.util.find_spec("mmpose").origin).parent
        changes = {
            "test_dataloader.dataset.data_root": f"{self.data}/",
            "test_dataloader.num_workers": 0,
            "test_dataloader.persistent_workers": False,
            "test_evaluator.ann_file": self.data / "annotations/mvor.json",
            "test_evaluator.outfile_prefix": out / "detections",
            **{name.replace("__", "."): value for name, value in options.items()},
        }
        script = [mmpose / ".mim/tools/test.py", self.root / config, weights]
        folders = ["--work-dir", out / "work", "--out", out / "metrics.json"]
        overrides = ["--cfg-options", *(f"{name}={value}" for name, value in changes.items())]
        command = list(map(str, [sys.executable, *script, *folders, *overrides]))
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": paths}
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, env=environment)
        if done.returncode:
            raise CommandFailed(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads((out / "metrics.json").read_text())

    def folder(self, name: str) -> Path:
        """Return an empty folder for a section's files; those of an earlier run are removed."""
        folder = self.out / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder

    def note(self, text: str) -> None:
        """Add a line to table.md and to what is printed once the section is through."""
        self.notes.append(text)

    def link(self, path: Path) -> str:
        """Return the address of a file on the page."""
        return html.escape(os.path.relpath(path, self.out))

    def escape(self, text: str) -> str:
        """Return text as HTML."""
        return html.escape(text)

    def picture(self, path: Path, caption: str) -> str:
        """Return a figure as HTML."""
        return (
            f"<figure><img src='{self.link(path)}' alt='{html.escape(caption)}'>"
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        )

    def weights(self, *files: Path) -> str:
        """Return a sentence with links to files of weights and to what is known of each."""
        links = [
            f"<a href='{self.link(file)}'>{html.escape(str(file.relative_to(self.root)))}</a> "
            f"(<a href='{self.link(file.with_suffix('.md'))}'>how they were made</a>)"
            for file in files
        ]
        return f"Weights: {', '.join(links)}."

    def table(self, head: list[str], rows: list[list[str]]) -> str:
        """Return a table as HTML."""

        def line(cells, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

        return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"
