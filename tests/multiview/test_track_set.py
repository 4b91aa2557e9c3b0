"""Following the people of a motion set: every tracker, and detections that are missed."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("motmetrics", reason="pip install orplugins[tracks]")
pytest.importorskip("filterpy", reason="pip install orplugins[live]")
from orplugins.multiview import track_set as module
from orplugins.multiview.clip_set import FPS, SetClip, noisy_labels
from orplugins.multiview.track_set import TRACKERS, TrackSetSettings, track_set, with_gaps
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.synthetic.motion_points import body_motion, in_skeleton, room_rig


@pytest.fixture(scope="module")
def clip():
    """Two people who pass each other for three seconds; nobody lies on the table."""
    frames, cameras, rng = 75, room_rig(), np.random.default_rng(0)
    truth = {}
    for k, name in enumerate("ab"):
        body = in_skeleton(body_motion(rng, frames, FPS, "arms"), COCO_17)
        x = np.linspace(-1, 1, frames) * (1 - 2 * k)
        truth[name] = (
            body - body[:, 11:13].mean((0, 1)) * (1, 1, 0) + np.stack([x, 0 * x + 0.4 * k, 0 * x], -1)[:, None]
        )
    pixels = {
        name: np.stack([np.concatenate([c.project(joints)[0], np.full((frames, 17, 1), 2.0)], -1) for c in cameras])
        for name, joints in truth.items()
    }
    labels = [[np.stack([pixels[name][v, t] for name in truth]) for v in range(3)] for t in range(frames)]
    lifted = {name: np.zeros((frames, H36M_17.num_joints, 3)) for name in truth}
    ids = np.arange(3 * frames).reshape(3, frames)
    files = [[Path("none")] * frames] * 3
    return SetClip(1, cameras, files, ids, labels, list(truth), truth, lifted, pixels, np.full((frames, 17, 3), np.nan))


@pytest.mark.parametrize("tracker", TRACKERS)
def test_every_tracker(clip, tracker, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "read_motion_set", lambda _: [clip])
    found = track_set(TrackSetSettings(tmp_path, tmp_path / "out.json", tracker=tracker))
    assert found["IDF1"] > 0.93 and found["switches"] == 0 and found["precision"] == 1
    frames, people = (225, 450) if tracker.startswith("image") else (75, 150)
    assert found["frames"] == frames and found["people"] == people
    assert ("distance_sizes" in found) == tracker.startswith("image") and (tmp_path / "out.json").is_file()


def test_what_is_missed(clip, monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    detections = noisy_labels(clip, 1.0, rng)
    counts = []
    for seed in range(20):
        some = with_gaps(detections, clip, 0.3, np.random.default_rng(seed))
        counts.append(sum(len(people) for views in some for people in views))
    assert np.mean(counts) == pytest.approx(0.7 * 450, rel=0.1)
    # In gaps, not here and there: far fewer changes than there would be by chance.
    there = np.array([len(views[0]) == 2 for views in with_gaps(detections, clip, 0.3, np.random.default_rng(1))])
    assert np.diff(there.astype(int)).astype(bool).sum() < 0.3 * len(there)
    monkeypatch.setattr(module, "read_motion_set", lambda _: [clip])
    found = track_set(TrackSetSettings(tmp_path, tracker="image", miss=0.3))
    assert found["recall"] < 0.8 and found["IDP"] > 0.9


@pytest.mark.parametrize("bad", [{"tracker": "norfair"}, {"miss": 1.0}, {"every": 0}])
def test_settings(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        TrackSetSettings(Path("x"), **bad)
