"""TRC files: what is in which line, and which way is up."""

import numpy as np
import pytest

from orplugins.io.trc import marker_name, write_trc, y_up


def test_a_file(tmp_path):
    points = np.arange(12, dtype=float).reshape(2, 2, 3)
    points[1, 0] = np.nan
    write_trc(tmp_path / "a.trc", np.array([7, 8]), points, ("Nose", "LWrist"), 25.0)
    lines = (tmp_path / "a.trc").read_text().splitlines()
    assert lines[0].split("\t") == ["PathFileType", "4", "(X/Y/Z)", "a.trc"]
    assert lines[2].split("\t") == ["25", "25", "2", "2", "m", "25", "7", "2"]
    assert lines[3].split("\t")[:6] == ["Frame#", "Time", "Nose", "", "", "LWrist"]
    assert lines[4].split("\t")[2:8] == ["X1", "Y1", "Z1", "X2", "Y2", "Z2"]
    first, second = (line.split("\t") for line in lines[5:])
    assert [float(cell) for cell in first] == [7, 0.28, 0, 1, 2, 3, 4, 5]
    assert second[2:5] == ["", "", ""] and float(second[7]) == 11
    with pytest.raises(ValueError, match=r"shape \(2, 2, 3\), expected \(2, 1, 3\)"):
        write_trc(tmp_path / "b.trc", np.array([7, 8]), points, ("Nose",), 25.0)
    assert not (tmp_path / "b.trc").exists()


def test_markers():
    names = [marker_name(name) for name in ("nose", "left_wrist", "right_big_toe", "mid_hip")]
    assert names == ["Nose", "LWrist", "RBigToe", "MidHip"]


@pytest.mark.parametrize("up", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_the_vertical_becomes_y(up):
    up = np.array(up, dtype=float)
    turn = y_up(0.9 * up + 0.1)
    assert turn @ up == pytest.approx([0, 1, 0]) and np.linalg.det(turn) == pytest.approx(1)


def test_z_up_as_pose2sim_has_it():
    assert y_up(np.array([0.0, 0, 1])) @ (1, 2, 3) == pytest.approx([2, 3, 1])
