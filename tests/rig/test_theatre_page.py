"""Every command of the page `docs/theatre.md`, in its order, on the generated room."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from orplugins.geometry.cameras import cameras_from_mvor
from orplugins.io.calibration import read_rig
from orplugins.io.trc import read_trc
from tests.rig.people import errors

ROOT = Path(__file__).parents[2]


def commands() -> list[list[str]]:
    """The page's commands as lists of words."""
    text = (ROOT / "docs/theatre.md").read_text(encoding="utf-8")
    return [shlex.split(line) for block in re.findall(r"```bash\n(.*?)```", text, re.S) for line in block.splitlines()]


@pytest.mark.slow
def test_from_a_recording_to_people_in_metres(tmp_path):
    pytest.importorskip("c3d", reason="C3D files need the package c3d (the extra c3d)")
    pytest.importorskip("motmetrics", reason="identity metrics need motmetrics (the extra tracks)")
    said = []
    found = commands()
    assert len(found) <= 10
    for words in found:
        if words[0] == "python":
            run = [sys.executable, str(ROOT / words[1]), *words[2:]]
        else:
            assert words[0] == "orplugins"
            run = [sys.executable, "-m", "orplugins", *words[1:]]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        said.append(done.stdout)
    room = tmp_path / "runs/room"
    truth = json.loads((tmp_path / "data/room/annotations/mvor.json").read_text())["cameras_info"]["camParams"]
    turns, places, scale = errors(read_rig(room / "rig.json").cameras, cameras_from_mvor(truth, "room"))
    assert turns.max() < 1.0 and places.max() < 0.05 and abs(scale - 1) < 0.05
    assert "verdict: trust it" in said[1] and "scale: depth images" in said[1]
    assert "no camera moved" in said[-2] and read_rig(room / "rig_now.json").names == ["cam1", "cam2", "cam3"]
    people = sorted((room / "people").glob("person*.trc"))
    assert re.search(rf"people \d+ in {len(people)} tracks", said[5]) and len(people) >= 2
    for path in people:
        height = np.nanmax(read_trc(path).points[..., 1])
        assert 0.5 < height < 2.2 and path.with_suffix(".c3d").exists()
