"""Real frames that no training saw, where they are at hand: depth, colour in 53x40 pixels, photographs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from orplugins.resources import SHIPPED

ORDER = 1
TITLE = "Real frames"


class Kind(NamedTuple):
    """A kind of frames, the script of dev/ that scores a network on them, and the network."""

    title: str
    script: str
    network: str  # key of SHIPPED
    folder: str  # below the data
    data: str  # what the script is given, below the data
    caption: str


KINDS = (
    Kind(
        "Depth images, of which the network sees 64x48 pixels",
        "score_real_depth.py",
        "depthpose",
        "depth_real",
        "depth_real",
        "A Kinect 2 dome and ITOP's side view; a joint counts within a quarter of the torso.",
    ),
    Kind(
        "Colour pictures of 53x40 pixels of an operating room",
        "score_real_color.py",
        "orpose-color",
        "orpose_color",
        "",
        "Labels by eye in white, what is found in orange; figures at an overlap (IoU) of 0.5.",
    ),
    Kind(
        "Photographs, in labelled boxes",
        "score_real_partial.py",
        "partial-body",
        "coco_samples",
        "coco_samples",
        "A joint counts within a tenth of the box.",
    ),
)


def run(demo) -> str:
    data = Path(os.environ.get("ORPLUGINS_REAL_FRAMES") or demo.root.parent / "shared/data")
    parts = [part for kind in KINDS if (data / kind.folder).is_dir() for part in score(demo, kind, data)]
    if not parts:
        return (
            f"<p>Skipped: no real frames in <code>{demo.escape(str(data))}</code>. Set "
            "<code>ORPLUGINS_REAL_FRAMES</code> to the folder that holds them.</p>"
        )
    seen = "No training saw any of these frames, rooms, cameras or people: all weights come from generated pictures"
    return "\n".join([f"<p>{seen} (those for colour start from ImageNet's).</p>", *parts])


def score(demo, kind: Kind, data: Path) -> list[str]:
    """Figures and pictures of a kind of frames as HTML; the command is what a user would run."""
    config, weights = SHIPPED[kind.network]
    out = demo.folder(f"real_frames/{kind.folder}")
    figures_file = out / "figures.json"
    command = [f"dev/{kind.script}", config, weights, "--data", data / kind.data, "--out", out / "pictures"]
    command = list(map(str, [sys.executable, *command, "--json", figures_file]))
    done = subprocess.run(command, cwd=demo.root, capture_output=True, text=True)
    if done.returncode or not figures_file.is_file():
        raise RuntimeError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    figures = {name: f"{value:.4g}" for name, value in json.loads(figures_file.read_text()).items()}
    demo.note(f"{kind.title}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    montage(sorted((out / "pictures").glob("*.png")), out / "montage.png")
    shown = f"python dev/{kind.script} {config} {weights}"
    return [
        f"<h3>{demo.escape(kind.title)}</h3>",
        demo.table(list(figures), [list(figures.values())]),
        demo.picture(out / "montage.png", kind.caption),
        f"<p><code>{demo.escape(shown)}</code>. {demo.weights(demo.root / weights)}</p>",
    ]


def montage(files: list[Path], out: Path, height: int = 300, columns: int = 4) -> None:
    """Pictures side by side."""
    pictures = [cv2.imread(str(file)) for file in files]
    width = round(height * 4 / 3)
    tiles = []
    for picture in pictures:
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        tile = np.full((height, width, 3), 255, np.uint8)
        tile[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        tiles.append(tile)
    columns = min(columns, len(tiles))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)]
    cv2.imwrite(str(out), np.vstack(rows))
