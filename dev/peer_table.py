"""Print what `orplugins rig triangulate` and the program Pose2Sim make of the same takes of four cameras.

    python dev/peer_table.py --take ../shared/data/pose2sim --work outputs/peer
    python dev/peer_table.py --take ../shared/data/pose2sim --work outputs/peer --peer PEER_VENV/bin/python

The take holds `Calib.qca.txt`, one person in `single/cam0N_json` and `single_reference.trc`, Pose2Sim's own result. The
second take is made of it: every frame with the people of the frame SHIFT later beside its own, so two people walk one
behind the other, and the reference of both is known. With --peer, Pose2Sim's steps (calibration, association,
triangulation, filter) run on the same folders; it has an environment of its own (`pip install pose2sim`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import load_json
from orplugins.io.markers import Markers
from orplugins.io.trc import read_trc
from orplugins.multiview.session import triangulate_session
from orplugins.skeletons import COCO_17

SHIFT = 50  # frames between the two people of the second take
_HIPS = {COCO_17.index(f"{side}_hip") for side in ("left", "right")}
_NEAR_M = 0.25
_PEER = (
    "from Pose2Sim import Pose2Sim as p\n"
    "for step in (p.calibration, p.personAssociation, p.triangulation, p.filtering):\n    step()\n"
)


def sessions(take: Path, work: Path) -> dict[str, tuple[Path, list[dict[int, np.ndarray]]]]:
    """Folders of both takes, and the joints of each one's people by frame."""
    markers = read_trc(take / "single_reference.trc")
    one = dict(zip(markers.frames.tolist(), markers.coco("single_reference.trc"), strict=True))
    count = len(one) - SHIFT
    made = {"one person": work / "one", "two people": work / "two"}
    for folder in made.values():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "calibration").mkdir(parents=True)
        shutil.copy(take / "Calib.qca.txt", folder / "calibration")
    for view in sorted((take / "single").glob("cam*_json")):
        shutil.copytree(view, made["one person"] / "pose" / view.name)
        files = sorted(view.glob("*.json"))
        for now, later in zip(files[:count], files[SHIFT:], strict=True):
            content = load_json(now)
            content["people"] = [*content["people"], *load_json(later)["people"]]
            write_json(made["two people"] / "pose" / view.name / now.name, content)
    both = [{t: one[t] for t in range(count)}, {t: one[t + SHIFT] for t in range(count)}]
    return {"one person": (made["one person"], [one]), "two people": (made["two people"], both)}


def figures(tracks: list[Markers], truth: list[dict[int, np.ndarray]]) -> str:
    """Error of the people who are there, frames with all of them, changes of identity."""
    where = [dict(zip(track.frames.tolist(), track.coco("result"), strict=True)) for track in tracks]
    error, complete, switches, before = [], 0, 0, {}
    for t in truth[0]:
        there = [k for k, track in enumerate(where) if t in track and np.isfinite(track[t][..., 0]).sum() >= 6]
        cost = np.full((len(truth), len(there)), 1e3)
        for i, person in enumerate(truth):
            for j, k in enumerate(there):
                away = np.linalg.norm(where[k][t] - person[t], axis=-1)
                cost[i, j] = np.nanmedian(away) if np.isfinite(away).any() else 1e3
        matched = {i: there[j] for i, j in zip(*linear_sum_assignment(cost), strict=True) if cost[i, j] < _NEAR_M}
        complete += len(matched) == len(truth)
        for i, k in matched.items():
            switches += before.get(i, k) != k
            before[i] = k
            away = np.linalg.norm(where[k][t] - truth[i][t], axis=-1)
            error += [e for j, e in enumerate(away) if np.isfinite(e) and j not in _HIPS]
    median = f"{1000 * np.median(error):.1f} mm" if error else "-"
    return f"{median} | {100 * complete / len(truth[0]):.0f} % | {switches} | {len(tracks)}"


def peer(folder: Path, python: str, several: bool) -> list[Markers]:
    """Pose2Sim's result for a session; its settings are those of its demonstration, plots and windows left out."""
    source = "import Pose2Sim, os; print(os.path.dirname(Pose2Sim.__file__))"
    place = subprocess.run([python, "-c", source], check=True, capture_output=True, text=True).stdout.strip()
    lines = (Path(place) / "Demo_SinglePerson/Config.toml").read_text(encoding="utf-8").splitlines()
    wanted = {"multi_person": json.dumps(several), "pose_model": "'BODY_25B'", "frame_rate": "60",
              "frame_range": "'all'", "display_figures": "false", "save_filt_plots": "false"}  # fmt: skip
    changed = [
        f"{key} = {wanted[key]}" if (key := line.partition("=")[0].strip()) in wanted else line for line in lines
    ]
    (folder / "Config.toml").write_text("\n".join(changed), encoding="utf-8")
    environment = {"MPLBACKEND": "Agg", "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    run = subprocess.run([python, "-c", _PEER], cwd=folder, env=environment, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr[-2000:] or run.stdout[-2000:])
    return [read_trc(path) for path in sorted((folder / "pose-3d").glob("*_filt_butterworth.trc"))]


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for the sessions, made anew")
    parser.add_argument("--peer", metavar="PYTHON", help="Python of the environment that Pose2Sim is in")
    args = parser.parse_args()
    print("| take | program | median to the reference, hips left out | frames with all | switches | tracks | time |")
    print("|---|---|---|---|---|---|---|")
    for name, (folder, truth) in sessions(args.take, args.work).items():
        start = time.perf_counter()
        found, out = triangulate_session(folder, folder / "ours", fps=60.0)
        print(
            f"| {name} | ours | {figures(_tracks(out), truth)} | {time.perf_counter() - start:.0f} s |  {found}",
            flush=True,
        )
        if args.peer:
            start = time.perf_counter()
            tracks = peer(folder, args.peer, len(truth) > 1)
            print(f"| {name} | Pose2Sim | {figures(tracks, truth)} | {time.perf_counter() - start:.0f} s |", flush=True)
    return 0


def _tracks(out: Path) -> list[Markers]:
    return [read_trc(path) for path in sorted(out.glob("person*.trc"))]


if __name__ == "__main__":
    sys.exit(main())
