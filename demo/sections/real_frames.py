"""Real frames that no training saw, where they are at hand: depth, colour in 53x40 pixels, photographs."""

import json
import os
import subprocess
import sys
from pathlib import Path

ORDER = 1
TITLE = "Real frames"

# What is scored, by which command (dev/), and the data it looks for below the folder.
DEPTH = (
    "Depth images, reduced to 64x48 pixels",
    ["dev/score_real_depth.py", "configs/mmpose/depthpose/depthpose_small-64x48.py"],
    "demo/depthpose_small-64x48.safetensors",
    "depth_real",
)


def run(demo) -> str:
    data = Path(os.environ.get("ORPLUGINS_REAL_FRAMES") or demo.root.parent / "shared/data")
    parts = []
    for title, (script, *arguments), weights, folder in (DEPTH,):
        if not (data / folder).is_dir():
            continue
        out = demo.folder(f"real_frames/{folder}")
        command = [sys.executable, script, *arguments, weights, "--data", data / folder, "--out", out]
        command += ["--json", out / "figures.json"]
        done = subprocess.run(list(map(str, command)), cwd=demo.root, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{script} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        figures = json.loads((out / "figures.json").read_text())
        demo.note(f"{title}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
        parts.append(f"<h3>{demo.escape(title)}</h3>")
        parts.append(demo.table(list(figures), [list(figures.values())]))
        parts += [demo.picture(picture, picture.stem) for picture in sorted(out.glob("*.png"))]
        parts.append(f"<p>{demo.weights(demo.root / weights)}</p>")
    if not parts:
        return (
            f"<p>Skipped: no real frames in <code>{demo.escape(str(data))}</code>. Set "
            "<code>ORPLUGINS_REAL_FRAMES</code> to the folder that holds them.</p>"
        )
    return (
        "<p>None of these frames, rooms, cameras or people was seen in training: all weights come from generated "
        "pictures alone.</p>\n" + "\n".join(parts)
    )
