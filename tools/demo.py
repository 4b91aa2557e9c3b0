"""The main job in one command: poses from 64x48 depth by mmpose's stock test script, and MVOR's published tables.

Example:
    python tools/demo.py --out outputs/demo

Generates depth frames of people, tests the small weights that ship with the project on them, and writes overlays, a
contact sheet, the detections and a table. Where MVOR's annotations and published detections are at hand
($ORPLUGINS_MVOR, else ../shared/data/mvor), their published rows are computed too.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "configs/mmpose/depthpose/depthpose_tiny-64x48.py"
WEIGHTS = ROOT / "demo/depthpose_tiny-64x48.pth"
# No training and no validation uses this seed.
SEED = 9000
# command line of tools/evaluate.py, files, title; below it the row as published
PUBLISHED = (
    ("mvor-pck", "openpose_kps.json", (), "OpenPose, PCK@0.2 (Head Shoulder Hip Elbow Wrist : Average)"),
    ("mvor-ap", "faster_rcnn_bbox.json", (), "Faster R-CNN, person boxes (AP AP50 AP75 AR1 AR10 AR100)"),
    ("mvor-ap", "openpose_bbox.json", ("--from-keypoints",), "OpenPose, boxes from keypoints (AP50 R@1 R@10)"),
    ("mvor-3d", "mv3dreg.mat", (), "MV3DReg, cm by views (Shoulder Hip Elbow Wrist Average)"),
)


def run(*command: str | Path) -> str:
    """Run a command with this interpreter and return what it printed; its output is shown if it fails."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, env=environment, text=True,
                          capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def published_rows(folder: Path) -> list[tuple[str, str]]:
    """(title, printed rows) of each published file that is at hand."""
    rows = []
    for command, file, options, title in PUBLISHED:
        if (folder / file).is_file():
            truth = () if command == "mvor-3d" else ("--gt", folder / "camma_mvor_2018.json")
            rows.append((title, run("tools/evaluate.py", command, *truth, "--dt", folder / file, *options).strip("\n")))
    return rows


def stock_test(data: Path, out: Path) -> dict:
    """Metrics of mmpose's unmodified test script; it also writes the overlays and the detections."""
    mmpose = Path(importlib.util.find_spec("mmpose").origin).parent
    truth = data / "annotations/mvor.json"
    run(
        mmpose / ".mim/tools/test.py", CONFIG, WEIGHTS, "--work-dir", out / "work", "--show-dir", out / "overlays",
        "--out", out / "metrics.json", "--interval", "1", "--cfg-options",
        f"test_dataloader.dataset.data_root={data}/", "test_dataloader.num_workers=0",
        "test_dataloader.persistent_workers=False", f"test_evaluator.ann_file={truth}",
        f"test_evaluator.outfile_prefix={out / 'detections'}", "default_hooks.visualization.kpt_thr=0.1",
    )  # fmt: skip
    return json.loads((out / "metrics.json").read_text())


def contact_sheet(folder: Path, columns: int = 3, most: int = 9) -> Path:
    """One picture of the first overlays."""
    from PIL import Image

    pictures = [Image.open(path).convert("RGB") for path in sorted(folder.rglob("*.png"))[:most]]
    if not pictures:
        raise RuntimeError(f"{folder}: found no overlay, expected one a frame")
    width, height = pictures[0].size
    sheet = Image.new("RGB", (columns * width, -(-len(pictures) // columns) * height))
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i % columns * width, i // columns * height))
    path = folder.parent / "contact_sheet.png"
    sheet.save(path)
    return path


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"), help="folder for everything that is written")
    parser.add_argument("--frames", type=int, default=24, help="generated frames (default: 24)")
    args = parser.parse_args(argv)
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)

    print(f"1/3 generating {args.frames} depth frames")
    data = out / "people"
    run("tools/make_or_dataset.py", "--out", data, "--frames", args.frames, "--seed", SEED, "--views", 1,
        "--depth-only")
    print(f"2/3 DepthPose on 64x48 depth by mmpose's tools/test.py: {CONFIG.relative_to(ROOT)}")
    metrics = stock_test(data, out)
    sheet = contact_sheet(out / "overlays")
    lines = [f"# DepthPose (tiny, 64x48 depth) on {args.frames} generated frames", "",
             "| " + " | ".join(metrics) + " |", "|---" * len(metrics) + "|",
             "| " + " | ".join(f"{value:.1f}" for value in metrics.values()) + " |", ""]
    mvor = Path(os.environ.get("ORPLUGINS_MVOR") or ROOT.parent / "shared/data/mvor")
    print(f"3/3 MVOR's published tables from the published detections in {mvor}")
    rows = published_rows(mvor)
    if not rows:
        print("    skipped: no MVOR files there; set ORPLUGINS_MVOR to the folder that holds them")
    for title, text in rows:
        lines += [f"## {title}", "", "```", text, "```", ""]
    table = out / "table.md"
    table.write_text("\n".join(lines))
    print("\n".join(lines))
    print(f"table       {table}\npictures    {sheet}\n            {out / 'overlays'}\n"
          f"detections  {out / 'detections.keypoints.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
