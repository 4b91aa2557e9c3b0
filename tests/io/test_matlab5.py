"""MATLAB 5 files as scipy writes them, and damaged ones."""

import struct
import zlib

import numpy as np
import pytest

from orplugins.io.coco_results import load_mv3dreg
from orplugins.io.matlab5 import load_matrices

savemat = pytest.importorskip("scipy.io").savemat


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1", "i8"])
def test_matrices_of_every_class(tmp_path, compressed, dtype):
    matrix = np.arange(12).reshape(3, 4).astype(dtype)
    other = {"text": "abc", "cells": np.array([1, "a"], dtype=object), "z": np.array([[1j]]), "s": {"a": 1}}
    savemat(tmp_path / "a.mat", {**other, "m": matrix, "one": 5.0, "none": np.zeros((0, 3))}, do_compression=compressed)
    found = load_matrices(tmp_path / "a.mat", ("m", "one", "none", "missing"))
    assert sorted(found) == ["m", "none", "one"] and found["none"].shape == (0, 3) and found["one"] == 5
    np.testing.assert_array_equal(found["m"], matrix)
    assert found["m"].dtype == matrix.dtype
    for name in ("text", "cells", "z"):
        with pytest.raises(ValueError, match=f"a.mat: .*variable '{name}' is of MATLAB's class"):
            load_matrices(tmp_path / "a.mat", (name,))


def test_a_wrong_type_of_numbers_is_refused(tmp_path):
    """Byte 192 of the published file's form says the type of the numbers: 11 made scipy's reader crash."""
    rows = np.zeros((2, 288))
    savemat(tmp_path / "a.mat", {"det3dPoses": rows[:, :30], "GT3dPoses": rows[:, :30], "enc_in": rows})
    whole = (tmp_path / "a.mat").read_bytes()
    assert load_mv3dreg(tmp_path / "a.mat")[2].shape == (2, 288)
    place = whole.index(b"det3dPoses") + 16
    assert whole[place] == 9
    for kind in (0, 8, 10, 11, 14, 15, 200):
        (tmp_path / "a.mat").write_bytes(whole[:place] + bytes([kind]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="a.mat: "):
            load_mv3dreg(tmp_path / "a.mat")
    for end in (0, 100, 130, 140, 200, len(whole) - 8):
        (tmp_path / "a.mat").write_bytes(whole[:end])
        with pytest.raises(ValueError, match="a.mat: "):
            load_mv3dreg(tmp_path / "a.mat")


def test_a_compressed_variable_that_never_ends(tmp_path):
    head = b"x" * 124 + b"\0\1IM"
    bomb = zlib.compress(bytes(1 << 29))
    (tmp_path / "a.mat").write_bytes(head + struct.pack("<II", 15, len(bomb)) + bomb)
    with pytest.raises(ValueError, match="a.mat: .*more than"):
        load_matrices(tmp_path / "a.mat", ("m",))
