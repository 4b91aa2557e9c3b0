"""Images of a set reduced by a factor: where they are written, and when they are made again."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

pytest.importorskip("mmpose")

from orplugins.depth.png import load_depth, save_depth  # noqa: E402
from orplugins.depthpose.mmpose.pipeline import reduce_images  # noqa: E402
from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402


def test_names_stay_inside_and_another_set_is_reduced_anew(tmp_path):
    write_dataset(tmp_path / "set", frames=1, seed=1, size=(64, 48))
    folder = reduce_images(tmp_path / "set", tmp_path / "out", 2)
    (image,) = folder.rglob("*.png")
    before, time = load_depth(image), os.stat(image).st_mtime_ns
    reduce_images(tmp_path / "set", tmp_path / "out", 2)
    assert os.stat(image).st_mtime_ns == time
    save_depth(tmp_path / "set/day1/cam1/depth/000000.png", np.full((48, 64), 1234, np.uint16))
    truth = tmp_path / "set/annotations/mvor.json"
    os.utime(truth)
    reduce_images(tmp_path / "set", tmp_path / "out", 2)
    assert (load_depth(image) == 1234).all() and not (before == 1234).all()
    content = json.loads(truth.read_text())
    content["images"][0]["file_name"] = "../../day1/cam1/depth/000000.png"
    truth.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="leads out of"):
        reduce_images(tmp_path / "set", tmp_path / "out", 2)
    assert not (tmp_path / "day1").exists()
