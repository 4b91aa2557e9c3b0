"""DepthPose's jobs without a command line: decoders compared, images reduced."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mvor_files import annotations, image, write

from orplugins.depth.png import load_depth, save_depth
from orplugins.depthpose.paf import DECODERS
from orplugins.depthpose.paf.compare import count_matches
from orplugins.depthpose.pipeline import compare_decoders


def test_rows_of_every_decoder(tmp_path, capsys):
    seen = []
    rows = compare_decoders(tmp_path / "out", people=(1,), scenes=1, on_row=seen.append)
    assert [row["decode"] for row in rows] == list(DECODERS) and seen == rows
    assert all(row["recall"] == 1 and row["error_px"] < 8 for row in rows)
    assert json.loads((tmp_path / "out/decoders.json").read_text())["rows"] == rows and not capsys.readouterr().out
    with pytest.raises(ValueError, match="at least 1"):
        compare_decoders(tmp_path, people=(0,))


def test_a_person_is_counted_once_and_joints_on_another_are_wrong():
    grid = np.stack([np.zeros(17), np.linspace(0, 100, 17), np.full(17, 2)], axis=1)
    truth = np.stack([grid, grid + (500, 0, 0)])
    both = truth[..., :2].copy()
    both[0, :3] = truth[1, :3, :2]
    counts = count_matches(np.concatenate([both, both[:1]]), np.ones((3, 17), bool), truth)
    assert (counts["people"], counts["recalled"], counts["false"]) == (2, 2, 1)
    assert (counts["hits"], counts["wrong"], counts["error"]) == (31, 3, 0)


def test_images_are_reduced_once(tmp_path):
    pytest.importorskip("mmpose")
    from orplugins.depthpose.mmpose.pipeline import reduce_images

    (tmp_path / "annotations").mkdir()
    write(tmp_path / "annotations/mvor.json", annotations())
    names = [each["file_name"] for each in annotations()["images"]]
    for name in names:
        save_depth(tmp_path / name, np.full((48, 64), 2000, np.uint16))
    folder = reduce_images(tmp_path, tmp_path / "out", 4)
    assert load_depth(folder / names[0]).shape == (12, 16) and (load_depth(folder / names[0]) == 2000).all()
    (tmp_path / image(1, 1, 17)["file_name"]).unlink()
    assert reduce_images(tmp_path, tmp_path / "out", 4) == folder
