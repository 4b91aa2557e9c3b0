"""Evaluation of a depth network at several resolutions, through mmpose's stock test script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import mmpose

from orplugins.depth.image import downsample
from orplugins.depth.png import load_depth, save_depth
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.checkpoint_safety import check_checkpoint
from orplugins.io.files import require_file
from orplugins.io.images import image_path
from orplugins.io.json_fields import load_json
from orplugins.io.run_folder import require_writable
from orplugins.io.tables import markdown_table
from orplugins.mvor.annotations import load_mvor

Metrics = dict[str, float]


def sweep_depth_resolutions(
    config: str | os.PathLike,
    weights: str | os.PathLike,
    data: str | os.PathLike,
    out: str | os.PathLike,
    factors: Sequence[int] = (1, 2, 4, 6, 8, 10, 12),
    on_row: Callable[[int, Metrics], None] | None = None,
) -> dict[int, Metrics]:
    """Evaluate a depth network on a set whose images are reduced by several factors.

    Writes ``ladder.json``, ``ladder.md`` and the reduced images, which a second call uses again.

    Args:
        config: An mmpose config whose test pipeline is LoadDepth, DepthToInput, Pack...
        weights: The checkpoint.
        data: Folder of a set in MVOR's layout, with ``parameters.json``, as ``make_or_dataset`` writes it.
        out: Folder.
        factors: How many times smaller each side is.
        on_row: Called with each factor and its metrics when they are known.

    Returns:
        Metrics by factor.

    Raises:
        FileNotFoundError: The set, one of its images or the weights are missing.
        RuntimeError: The stock script failed; with the last line that it printed.
        ValueError: A file does not fit, a name in it leads out of the set, or the weights are damaged or hold code.
    """
    data, out = Path(data), Path(out).resolve()
    require_file(config, "a config of mmpose")
    check_checkpoint(weights)
    require_writable(out)
    size = tuple(load_json(data / "parameters.json")["size"])
    rows = {}
    for factor in factors:
        rows[factor] = _stock_test(config, weights, data, reduce_images(data, out, factor), size, out)
        if on_row:
            on_row(factor, rows[factor])
    write_json(out / "ladder.json", {str(factor): metrics for factor, metrics in rows.items()}, indent=1)
    names = list(next(iter(rows.values())))
    with atomic_write(out / "ladder.md") as file:
        head = ["reduced", "pixels", *(name.partition("/")[2] for name in names)]
        cells = [
            [
                f"{factor}x",
                f"{round(size[0] / factor)}x{round(size[1] / factor)}",
                *(f"{metrics[name]:.1f}" for name in names),
            ]
            for factor, metrics in rows.items()
        ]
        file.write(markdown_table(head, cells) + "\n")
    return rows


def reduce_images(data: Path, out: Path, factor: int) -> Path:
    """Write a set's depth images with each side `factor` times smaller; returns their folder."""
    folder, truth = out / f"x{factor}", data / "annotations/mvor.json"
    images = [
        (
            image_path(data, image["file_name"], f"{truth}: images[{k}]"),
            image_path(folder, image["file_name"], str(truth)),
        )
        for k, image in enumerate(load_mvor(truth).images)
    ]
    status = truth.stat()
    source = [str(data.resolve()), status.st_size, status.st_mtime_ns]
    note = folder / "source.json"
    same = note.is_file() and load_json(note) == source  # else the images there are of another set
    if not same:
        note.unlink(missing_ok=True)
    for original, reduced in images:
        if not same or not reduced.exists():
            save_depth(reduced, downsample(load_depth(original), factor=factor, holes="valid"))
    write_json(note, source)
    return folder


def _stock_test(config, weights, data: Path, images: Path, size: tuple[int, int], out: Path) -> Metrics:
    """Metrics of the stock script on images that stand for frames of `size`."""
    truth = (data / "annotations/mvor.json").resolve()
    changes = {
        "test_dataloader.dataset.data_root": f"{images}/",
        "test_dataloader.dataset.ann_file": truth,
        "test_dataloader.num_workers": 0,
        "test_dataloader.persistent_workers": False,
        "test_evaluator.ann_file": truth,
        "test_dataloader.dataset.pipeline.1.frame_size": f"{size[0]},{size[1]}",
    }
    script = Path(mmpose.__file__).parent / ".mim/tools/test.py"
    command = [sys.executable, script, config, weights, "--work-dir", out / "work", "--out", out / "metrics.json"]
    command += ["--cfg-options", *(f"{name}={value}" for name, value in changes.items())]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()] or ["it printed nothing"]
        raise RuntimeError(f"{config}: the stock test exited with {done.returncode}: {lines[-1].strip()}")
    return json.loads((out / "metrics.json").read_text())
