"""ITOP, Baracca, pickles of poses, 2D pose files: read as they are, refused with one clear error otherwise."""

from __future__ import annotations

import collections
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from orplugins.io.calibration import load_camera
from orplugins.io.safe_pickle import UnsafePickleError, load_plain_pickle
from orplugins.refinet.baracca import SEQUENCE_FILE, baracca_frames, load_baracca_poses
from orplugins.refinet.pose_files import load_itop_poses, save_itop_poses


def dump(path: Path, value, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickles_of_every_protocol(tmp_path, protocol):
    value = {
        7: np.arange(30.0).reshape(15, 2),
        9: np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        "text": [1, 2.5, None, True, (np.float32(3), np.int64(4))],
        "big": np.arange(3, dtype=">f8"),
        "empty": np.zeros((0, 3), np.float16),
    }
    found = load_plain_pickle(dump(tmp_path / "a.pkl", value, protocol))
    for key in (7, 9, "big", "empty"):
        np.testing.assert_array_equal(found[key], value[key])
        assert found[key].shape == value[key].shape and type(found[key]) is np.ndarray
    assert found["text"] == [1, 2.5, None, True, (3.0, 4)]


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_what_a_pickle_would_execute_is_not(tmp_path):
    marker = tmp_path / "executed"
    objects = np.array([Evil(marker)], dtype=object)
    for value in (Evil(marker), {0: Evil(marker)}, objects, collections.Counter("a"), np.dtype("f4,i4"), {1: {2}}):
        path = dump(tmp_path / "evil.pkl", value)
        with pytest.raises(ValueError, match="evil.pkl: (refused|not a pickle)"):
            load_plain_pickle(path)
    assert not marker.exists()
    with pytest.raises(UnsafePickleError, match=r"names posix\.system|names os\.system|names nt\.system"):
        load_plain_pickle(dump(tmp_path / "evil.pkl", Evil(marker)))


def test_broken_pickles(tmp_path):
    whole = pickle.dumps({1: np.zeros((15, 2))})
    for content in (b"", whole[:-9], b"no pickle at all", whole[:40]):
        (tmp_path / "b.pkl").write_bytes(content)
        with pytest.raises(ValueError, match="b.pkl: (not a pickle|refused)"):
            load_plain_pickle(tmp_path / "b.pkl")
    with pytest.raises(FileNotFoundError, match="none.pkl"):
        load_plain_pickle(tmp_path / "none.pkl")


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
def test_itop_poses_there_and_back(tmp_path, suffix):
    poses = np.random.default_rng(0).normal(size=(3, 15, 2)).astype(np.float32)
    save_itop_poses(tmp_path / f"p{suffix}", [5, 2, 9], poses)
    found = load_itop_poses(tmp_path / f"p{suffix}", "px")
    assert sorted(found) == [2, 5, 9]
    np.testing.assert_array_equal(found[2], poses[1])
    if suffix == ".pkl":  # the form that the published program reads
        with open(tmp_path / "p.pkl", "rb") as file:
            np.testing.assert_array_equal(pickle.load(file)[5], poses[0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "filled dict"),
        ([1], "filled dict"),
        ({"a": np.zeros((15, 2))}, "row 'a'"),
        ({1: np.zeros((14, 2))}, "shape"),
        ({1: np.zeros((15, 4))}, "shape"),
        ({1: np.full((15, 2), np.nan)}, "NaN"),
        ({1: 5}, "shape"),
        ({1: np.zeros((15, 3))}, "3 columns, expected 2"),
    ],
)
def test_bad_itop_poses(tmp_path, value, message):
    with pytest.raises(ValueError, match=f"p.pkl: .*{message}"):
        load_itop_poses(dump(tmp_path / "p.pkl", value), "px")


def test_bad_npz(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ValueError, match="a.npz: not an npz"):
        load_itop_poses(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", other=np.zeros(3))
    with pytest.raises(ValueError, match="expected 'rows' and 'poses'"):
        load_itop_poses(tmp_path / "b.npz")


def labels(n: int = 4) -> dict:
    ids = [f"0{i}_0000{i}" for i in range(3, 3 + n)]
    return {
        "id": ids,
        "is_valid": np.ones(n),
        "visible_joints": np.ones((n, 15)),
        "image_coordinates": np.full((n, 15, 2), 50),
        "real_world_coordinates": np.full((n, 15, 3), 2.5),
    }


class TestItop:
    @pytest.fixture
    def root(self, tmp_path):
        pytest.importorskip("h5py")
        from orplugins.refinet.itop import write_itop

        depth = (np.full((24, 32), 2.0 + 0.1 * i, np.float16) for i in range(4))
        write_itop(tmp_path, "side", "train", labels(), depth)
        return tmp_path

    def test_the_exact_layout(self, root):
        import h5py

        from orplugins.refinet.itop import ItopFrames, itop_path, load_itop_labels

        kinds = {
            "depth_map": {"id": "S8", "data": "f2"},
            "labels": {
                "id": "S8",
                "is_valid": "u1",
                "visible_joints": "i2",
                "image_coordinates": "i2",
                "real_world_coordinates": "f2",
            },
        }
        for kind, keys in kinds.items():
            with h5py.File(itop_path(root, "side", "train", kind)) as file:
                assert {key: file[key].dtype for key in file} == keys
        found = load_itop_labels(itop_path(root, "side", "train", "labels"))
        assert found.rows("train").tolist() == [0, 3] and found.rows("val").tolist() == [1, 2]
        assert found.rows("trainval").tolist() == [0, 1, 2, 3]
        frames = ItopFrames(itop_path(root, "side", "train", "depth_map"))
        np.testing.assert_allclose(frames[1], 2100, rtol=1e-3)
        again = pickle.loads(pickle.dumps(frames))  # as it goes to a loader's process
        np.testing.assert_array_equal(again[1], frames[1])
        assert [p.name for p in (root / "ITOP").iterdir() if p.name.startswith(".")] == []

    def test_broken_files(self, root):
        import h5py

        from orplugins.refinet.itop import ItopFrames, itop_path, load_itop_labels

        path, depth = (itop_path(root, "side", "train", kind) for kind in ("labels", "depth_map"))
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match="labels.h5: not HDF5 or truncated"):
            load_itop_labels(path)
        path.write_bytes(whole)
        with h5py.File(path, "a") as file:
            del file["is_valid"]
        with pytest.raises(ValueError, match="missing key 'is_valid', found id, image"):
            load_itop_labels(path)
        path.write_bytes(whole)
        with h5py.File(path, "a") as file:
            file["real_world_coordinates"][...] = 2500
        with pytest.raises(ValueError, match="looks like millimetres"):
            load_itop_labels(path)
        with h5py.File(depth, "a") as file:
            file["data"][0, 0, 0] = np.nan
            file["data"][1] = 2500
        frames = ItopFrames(depth)
        with pytest.raises(ValueError, match="depth_map.h5: row 0: found NaN"):
            frames[0]
        with pytest.raises(ValueError, match="row 1: .*millimetres, expected metres"):
            frames[1]
        with pytest.raises(FileNotFoundError, match="ITOP_top_train_labels.h5"):
            load_itop_labels(itop_path(root, "top", "train", "labels"))

    def test_an_interrupted_write_leaves_the_old_file(self, root):
        from orplugins.refinet.itop import itop_path, write_itop

        path = itop_path(root, "side", "train", "depth_map")
        before = path.read_bytes()

        def depths():
            yield np.zeros((24, 32))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_itop(root, "side", "train", labels(), depths())
        assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 2


@pytest.fixture
def baracca(tmp_path):
    (tmp_path / "viewpoints.json").write_text(json.dumps({"0": {"orientation": [0]}, "1": {"orientation": [90]}}))
    return tmp_path


def test_baracca_frames_and_poses(baracca):
    frames = baracca_frames(baracca, subjects=2, views=2, frames=3)
    assert len(frames) == 12 and frames[4].path.name == "imgDepth_001_001_001.png" and frames[4].orientation == 90
    poses = np.random.default_rng(0).uniform(1, 100, (2, 6, 25, 3))
    np.savez(baracca / "p.npz", poses)
    found = load_baracca_poses(baracca / "p.npz", frames)
    order = [0, 1, 2, 5, 3, 6, 4, 7, 8, 9, 12, 10, 13, 11, 14]
    np.testing.assert_allclose(found[..., :2], poses.reshape(12, 25, 3)[:, order, :2])
    found = load_baracca_poses(dump(baracca / "p.pkl", np.ones((12, 15, 2))), frames)
    assert found.shape == (12, 15, 3) and found[..., 2].all()
    for k, frame in enumerate(frames):
        folder = baracca / f"{frame.subject:03d}/{frame.view:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        names = [
            f"\\{frame.subject:03d}\\{frame.view:03d}\\imgIR_{frame.subject:03d}_{frame.view:03d}_{i:03d}.png"
            for i in range(3)
        ]
        dump(folder / SEQUENCE_FILE, {"IR": {name: [np.full((15, 3), k + 1.0)] for name in names}})
    assert load_baracca_poses(baracca, frames).shape == (12, 15, 3)
    with pytest.raises(ValueError, match=r"found shape \(5, 15, 2\), expected \(12"):
        load_baracca_poses(dump(baracca / "p.pkl", np.ones((5, 15, 2))), frames)
    (baracca / "viewpoints.json").write_text(json.dumps({"0": {"orientation": [45]}}))
    with pytest.raises(ValueError, match="'orientation' is"):
        baracca_frames(baracca, views=1)


def test_camera_file(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(dict(fx=500, fy=501, cx=320, cy=240, size=[640, 480])))
    assert load_camera(path).size == (640, 480)
    for change, message in (
        (dict(fx=-1), "fx"),
        (dict(size=[640]), "size"),
        (dict(distortion=[1]), "distortion"),
        (dict(cx=None), "cx"),
    ):
        path.write_text(json.dumps(dict(fx=500, fy=501, cx=320, cy=240, size=[640, 480]) | change))
        with pytest.raises(ValueError, match=f"c.json: .*{message}"):
            load_camera(path)
