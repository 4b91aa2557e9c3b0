"""Lifting data of the room's people: the files, and the noise of their 2D joints."""

import numpy as np
import pytest

from orplugins.skeletons import H36M_17
from orplugins.synthetic.room_motion import detector_noise, write_room_lifting_data
from orplugins.videopose3d.files import load_lifting_clips


def test_files_are_read_and_fit_together(tmp_path):
    count = write_room_lifting_data(tmp_path, clips=2, frames=4, seed=5, noise_px=(1.0, 1.0), people=(2, 3))
    files = [str(tmp_path / name) for name in ("data_2d_motion_h36m.npz", "cameras.json", "data_3d_motion.npz")]
    clips = load_lifting_clips(*files, None, H36M_17, H36M_17)
    assert len(clips) == 3 * count and {clip.keypoints.shape for clip in clips} == {(4, 17, 2)}
    for clip in clips:
        fx, fy, cx, cy = clip.intrinsics[:4]
        screen = clip.positions[..., :2] / clip.positions[..., 2:] * (fx, fy) + (cx, cy)
        pixels = (screen + (1, clip.size[1] / clip.size[0])) * clip.size[0] / 2
        error = pixels - clip.keypoints
        assert 0.4 < error.std() < 2.0 and abs(error.mean()) < 1.0
    assert len({clip.intrinsics.tobytes() for clip in clips}) == 6  # another rig in every clip


def test_noise_has_its_level_and_lasts():
    noise = detector_noise(np.random.default_rng(0), (4000, 6, 2), 3.0, 25.0)
    assert noise.std() == pytest.approx(3.0, rel=0.05)
    next_to = (noise[1:] * noise[:-1]).mean() / noise.var()
    far = (noise[60:] * noise[:-60]).mean() / noise.var()
    assert 0.4 < next_to < 0.5 and abs(far) < 0.05


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="noise_px"):
        write_room_lifting_data(tmp_path, clips=1, noise_px=(2.0, 1.0))
    assert not list(tmp_path.iterdir())
