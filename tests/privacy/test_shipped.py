"""The networks that ship, on a generated room: heads are hidden, most of the room is not."""

import numpy as np
import pytest

from orplugins.depth.png import load_depth, save_depth
from orplugins.io.images import read_image, write_image
from orplugins.privacy.generated_heads import recording
from orplugins.privacy.pipeline import Inputs, hide_recordings
from orplugins.privacy.settings import HideSettings


def test_truth_about_heads_is_what_is_seen_of_them():
    (views,) = recording(951, 3, people=(3, 5), size=(160, 120))
    for view in views:
        assert ((view.heads == 0) | (view.heads == view.people)).all()
        for number in np.unique(view.people[view.people > 0]):
            head, body = (view.heads == number).sum(), (view.people == number).sum()
            assert head <= body and (head < 0.6 * body or body < 150)
    assert any((view.heads > 0).sum() > 30 for view in views)


@pytest.mark.slow
def test_heads_of_a_generated_room_are_hidden(tmp_path):
    pytest.importorskip("detectron2")
    pytest.importorskip("mmpose")
    from orplugins.cli._hide_detectors import shipped_detectors

    (views,) = recording(951, 3, people=(3, 5))
    view = max(views, key=lambda each: (each.heads > 0).sum())
    write_image(tmp_path / "cam/0.png", view.colour)
    save_depth(tmp_path / "depth/0.png", view.depth)
    inputs = Inputs([tmp_path / "cam"], [tmp_path / "depth"])
    done = hide_recordings(inputs, tmp_path / "out", HideSettings(), shipped_detectors("cpu"))
    assert not done.problems
    copy, depth = (read_image(tmp_path / "out/hidden/cam/0.png"), load_depth(tmp_path / "out/hidden/depth/0.png"))
    # A few pixels of a cap behind a screen are beyond every detector.
    numbers, areas = np.unique(view.heads[view.heads > 0], return_counts=True)
    heads = np.isin(view.heads, numbers[areas >= 100])
    assert heads.sum() > 1000 and (copy[heads] == 128).all() and not depth[heads].any()
    assert (copy == view.colour).all(-1)[view.people == 0].mean() > 0.5
