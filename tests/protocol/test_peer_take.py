"""A take of four cameras with the result of another program: who is followed, and where the joints are."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests_tools import run_tool

DATA = Path(os.environ.get("ORPLUGINS_POSE2SIM") or Path(__file__).resolve().parents[2].parent / "shared/data/pose2sim")


def read_trc(path):
    """{marker: (F, 3)} metres."""
    lines = path.read_text().splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name]
    rows = [[float(cell) if cell else np.nan for cell in line.split("\t")[2:]] for line in lines[5:] if line.strip()]
    table = np.array([row[: 3 * len(names)] for row in rows]).reshape(len(rows), -1, 3)
    return {name: table[:, k] for k, name in enumerate(names)}


def test_one_person_among_others(tmp_path):
    files = [DATA / "Calib.qca.txt", *(DATA / f"single/cam0{k}_json" for k in range(1, 5))]
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        pytest.skip(f"no {', '.join(missing)} (set ORPLUGINS_POSE2SIM)")
    views = [word for path in files[1:] for word in ("--view", str(path))]
    out = ["--fps", "60", "--track", "--pictures", "0", "--out", str(tmp_path)]
    run_tool("triangulate", "--rig", str(files[0]), *views, *out)
    people = json.loads((tmp_path / "people.json").read_text())["people"]
    tracks = {person["track"] for person in people}
    # Somebody in the background, whom two cameras see, is followed as well; nobody else is.
    assert len(tracks) == 2
    counts = {track: sum(person["track"] == track for person in people) for track in tracks}
    main = max(counts, key=lambda track: counts[track])
    assert counts[main] == 100
    found, reference = read_trc(tmp_path / f"person{main}.trc"), read_trc(DATA / "single_reference.trc")
    shared = [name for name in found if name in reference and "Hip" not in name]  # hips are another convention
    assert len(shared) >= 10
    off = np.concatenate([np.linalg.norm(found[name] - reference[name], axis=-1) for name in shared])
    assert np.nanmedian(off) < 0.025 and np.isfinite(off).mean() > 0.95
