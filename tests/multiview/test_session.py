"""A session as Pose2Sim lays it out."""

import json

import numpy as np
import pytest

from orplugins.cli.rig import main
from orplugins.io.trc import read_trc
from orplugins.multiview.session import read_session
from orplugins.skeletons import BODY_25, COCO_17, convert
from orplugins.synthetic.motion_points import body_motion, in_skeleton, observe, rig_record, room_rig

CONFIG = """
[project]
frame_rate = 60
multi_person = true
[triangulation]
interpolation = "linear"
interp_if_gap_smaller_than = 12
[filtering]
type = "butterworth"
filter = true
[filtering.butterworth]
cut_off_frequency = 5
"""


@pytest.fixture
def session(tmp_path):
    """40 frames of two people; the calibration as TOML."""
    from orplugins.io.calibration.convert import convert_calibration

    folder = tmp_path / "take"
    rng = np.random.default_rng(0)
    bodies = []
    for k in range(2):
        body = in_skeleton(body_motion(np.random.default_rng(k), 40, 60.0, ("arms", "reach")[k]), COCO_17)
        bodies.append(body - body[:, 11:13].mean((0, 1)) * (1, 1, 0) + (1.4 * k - 0.7, 0, 0))
    cameras = room_rig()
    for v, camera in enumerate(cameras):
        out = folder / f"pose/cam{v + 1:02d}_json"
        out.mkdir(parents=True)
        for t in range(40):
            people = [
                {"pose_keypoints_2d": convert(person, COCO_17, BODY_25).ravel().tolist()}
                for person in observe(camera, np.stack([body[t] for body in bodies]), rng, 1.0, 0.02)
            ]
            (out / f"cam{v + 1:02d}.{t:04d}.json").write_text(json.dumps({"version": 1.3, "people": people}))
    (tmp_path / "own.json").write_text(json.dumps(rig_record(cameras)))
    (folder / "calibration").mkdir()
    convert_calibration(tmp_path / "own.json", folder / "calibration/Calib_scene.toml", "toml")
    (folder / "Config.toml").write_text(CONFIG)
    return folder, np.stack(bodies)


def test_a_session_runs_as_it_is(session, capsys):
    folder, truth = session
    assert main(["triangulate", str(folder)]) == 0
    said = capsys.readouterr()
    assert "frames 40, people 80 in 2 tracks" in said.out and str(folder / "pose-3d") in said.out
    for number in range(2):
        found = read_trc(folder / f"pose-3d/person{number}.trc")
        assert found.fps == 60.0 and len(found.frames) == 40
        world = found.points[..., [2, 0, 1]]  # z up again
        off = [np.nanmedian(np.linalg.norm(world - body, axis=-1)) for body in truth]
        assert min(off) < 0.03


def test_what_is_read_of_the_settings(session):
    folder, _ = session
    found = read_session(folder)
    assert (found.fps, found.fill_s, found.smooth_hz) == (60.0, 0.2, 5.0)
    assert [view.name for view in found.views] == ["cam01_json", "cam02_json", "cam03_json"]
    (folder / "Config.toml").unlink()
    found = read_session(folder)
    assert (found.fps, found.fill_s, found.smooth_hz) == (None, 0.0, 0.0)


def test_c3d_files_beside_the_others(session, tmp_path, capsys):
    pytest.importorskip("c3d", reason="C3D files need the package c3d (the extra c3d)")
    from orplugins.io.c3d_files import read_c3d

    folder, _ = session
    assert main(["triangulate", str(folder), "--c3d", "--out", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    for number in range(2):
        one, two = read_c3d(tmp_path / f"out/person{number}.c3d"), read_trc(tmp_path / f"out/person{number}.trc")
        np.testing.assert_allclose(one.points, two.points, atol=1e-5)
        assert one.names == two.names and one.fps == two.fps


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda f: (f / "calibration/Calib_scene.toml").unlink(), "no calibration"),
        (lambda f: (f / "calibration/Calib_b.toml").write_text("x = 1"), "calibrations Calib_b.toml, Calib_scene.toml"),
        (lambda f: (f / "pose").rename(f / "videos"), "3 cameras, but 2 views"),
        (lambda f: [p.rename(p.with_name(p.name[:5])) for p in (f / "pose").iterdir()], "no folders of 2D poses"),
        (
            lambda f: (f / "Config.toml").write_text(CONFIG.replace("= 60", "= -1")),
            "Config.toml: project.frame_rate is -1, expected frames a second above 0",
        ),
        (
            lambda f: (f / "Config.toml").write_text(CONFIG.replace("= 12", '= "x"')),
            "interp_if_gap_smaller_than is 'x', expected a number",
        ),
    ],
)
def test_what_is_refused(session, change, message, capsys):
    folder, _ = session
    change(folder)
    if (folder / "videos").is_dir():  # a take beside it, with one camera fewer
        (folder / "videos").rename(folder / "take1")
        (folder / "take1/cam03_json").rename(folder / "take1/cam03")
    assert main(["triangulate", str(folder)]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error
    assert not (folder / "pose-3d").exists()


def test_no_such_session(tmp_path, capsys):
    assert main(["triangulate", str(tmp_path / "nothing")]) == 1
    assert "no such folder, expected a session" in capsys.readouterr().err
