"""ITOP's HDF5 files: names, shapes and types as published, labels that fit the depth."""

import numpy as np
import pytest

from orplugins.refinet.depth_camera import ITOP_CAMERA
from orplugins.refinet.itop import ItopFrames, itop_path, load_itop_labels
from orplugins.synthetic.export.itop_files import SCALE, write_itop

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("itop")
    counts = write_itop(out, 18, seed=4, views=("side",))
    assert counts["frames"] == 18 and counts["valid"] > 5
    return out / "ITOP"


def test_names_shapes_and_types(folder):
    expected = {
        "depth_map": {"data": ((240, 320), "f2")},
        "point_cloud": {"data": ((76800, 3), "f2")},
        "labels": {
            "is_valid": ((), "u1"),
            "visible_joints": ((15,), "i2"),
            "image_coordinates": ((15, 2), "i2"),
            "real_world_coordinates": ((15, 3), "f2"),
            "segmentation": ((240, 320), "i1"),
        },
    }
    for split, count in (("train", 16), ("test", 2)):
        for kind, tables in expected.items():
            with h5py.File(folder / f"ITOP_side_{split}_{kind}.h5") as file:
                assert set(file) == {"id", *tables}
                for name, (shape, dtype) in tables.items():
                    assert file[name].shape == (count, *shape) and file[name].dtype == dtype
                assert file["id"][0] == (b"00_00000" if split == "train" else b"16_00016")


def test_labels_fit_depth_and_clouds(folder):
    with (
        h5py.File(folder / "ITOP_side_train_labels.h5") as labels,
        h5py.File(folder / "ITOP_side_train_depth_map.h5") as depths,
        h5py.File(folder / "ITOP_side_train_point_cloud.h5") as clouds,
    ):
        valid = np.nonzero(labels["is_valid"][:])[0]
        for row in valid:
            world = labels["real_world_coordinates"][row].astype(float)
            pixels, seen = labels["image_coordinates"][row], labels["visible_joints"][row] == 1
            u, v = world[:, 0] / (SCALE * world[:, 2]) + 160, -world[:, 1] / (SCALE * world[:, 2]) + 120
            assert np.abs(np.stack([u, v], 1) - pixels)[seen].max() < 1.0
            depth = depths["data"][row].astype(float)
            for (x, y), z in zip(pixels[seen], world[seen, 2], strict=True):
                surface = depth[np.clip(y, 0, 239), np.clip(x, 0, 319)]
                assert surface == 0 or surface > z - 0.6
            x, y, z = clouds["data"][row].astype(float).reshape(240, 320, 3)[120, 160]
            assert abs(x) < 1e-6 and abs(y) < 1e-6 and z == pytest.approx(depth[120, 160], abs=1e-3)


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="views: found"):
        write_itop(tmp_path, 1, 0, views=("left",))
    with pytest.raises(ValueError, match="frames=0"):
        write_itop(tmp_path, 0, 0)
    assert not list(tmp_path.iterdir())


def test_a_row_for_everybody(tmp_path):
    counts = write_itop(tmp_path, 20, seed=5, views=("side",), people=(2, 5), everyone=True)
    assert counts["rows"] == counts["valid"] > 22  # more than one person a frame
    hidden = 0
    for split in ("train", "test"):
        assert not itop_path(tmp_path, "side", split, "point_cloud").exists()
        labels, frames = (itop_path(tmp_path, "side", split, kind) for kind in ("labels", "depth_map"))
        labels, frames = load_itop_labels(labels), ItopFrames(frames)
        assert len(frames) == len(labels.ids) and (split == "test") == (labels.ids[0][:2] >= "16")
        assert ((labels.pixels >= 0) & (labels.pixels < (320, 240))).all() and (labels.visible.sum(1) >= 3).all()
        back = ITOP_CAMERA.project(labels.points_mm)
        assert np.abs(back - labels.pixels).max() < 1.5  # float16 metres
        middle = labels.points_mm[:, [9, 10]].mean(1)
        np.testing.assert_allclose(labels.points_mm[:, 8], middle, atol=3)  # the torso is the middle of the hips
        for row in range(len(frames)):
            pixels, seen = labels.pixels[row], labels.visible[row] == 1
            surface = frames[row][pixels[:, 1], pixels[:, 0]]
            hidden += (~seen).sum()
            assert np.median((labels.points_mm[row, :, 2] - surface)[seen & (surface > 0)]) < 250
    assert hidden > 0.15 * 15 * counts["rows"]
