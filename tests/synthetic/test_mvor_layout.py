"""Data sets on disk: every loader reads them, runs go on where they stopped, and nothing looks complete that is not."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from orplugins.depth.png import load_depth
from orplugins.geometry.cameras import cameras_from_mvor
from orplugins.io.run_folder import run_folder
from orplugins.mvor.annotations import load_mvor
from orplugins.synthetic.export import mvor_layout
from orplugins.synthetic.export.in_memory import generate
from orplugins.synthetic.export.mvor_layout import image_id, write_dataset

TOOL = Path(__file__).parents[2] / "tools/make_or_dataset.py"
SMALL = (64, 48)


@pytest.fixture(scope="module")
def three_views(tmp_path_factory):
    out = tmp_path_factory.mktemp("views")
    write_dataset(out, frames=3, seed=1, size=(128, 96), views=3, start=7, color=True, masks=True, people=(2, 5))
    return out


@pytest.fixture(scope="module")
def motion(tmp_path_factory):
    out = tmp_path_factory.mktemp("motion")
    write_dataset(out, frames=8, seed=2, size=SMALL, views=2, motion=4, people=(2, 4))
    return out


def test_mvor_layout_can_be_read(three_views):
    data = load_mvor(three_views / "annotations/mvor.json")
    assert [image["id"] for image in data.images[:3]] == [10010000007, 10020000007, 10030000007]
    assert data.images[0]["file_name"] == "day1/cam1/depth/000007.png"
    for image in data.images:
        assert load_depth(three_views / image["file_name"], size=(128, 96)).any()
        assert image["id"] == image_id(1, image["cam_id"], int(Path(image["file_name"]).stem))
    assert [person["id"] for person in data.annotations] == list(range(len(data.annotations)))
    assert len(data.need("frames")) == 3 and len(data.need("cameras")) == 3 and data.need("poses3d")


def test_mvor_3d_poses_project_onto_2d(three_views):
    data = json.loads((three_views / "annotations/mvor.json").read_text())
    cameras = cameras_from_mvor(data["cameras_info"]["camParams"])
    people = {(a["image_id"], a["person_id"]): np.reshape(a["keypoints"], (10, 3)) for a in data["annotations"]}
    found = 0
    for pose in data["annotations3D"]:
        points = np.reshape(pose["keypoints3D"], (12, 4))
        assert np.isin(points[:, 3], (1, 2)).all()
        assert 0.05 < np.linalg.norm(points[10, :3] - points[8, :3]) / 1000 < 0.13  # the hand is past the wrist
        for image, camera in zip(pose["image_ids"].split("_"), cameras, strict=True):
            joints = people.get((int(image), pose["person_id"]))
            if joints is not None:
                found += 1
                pixels, _ = camera.project(points[:10, :3] / 1000)
                np.testing.assert_allclose(pixels[joints[:, 2] > 0], joints[joints[:, 2] > 0, :2], atol=0.02)
    assert found >= 4


def test_mmpose_data_sets_read_it(three_views):
    pytest.importorskip("mmpose")
    from mmpose.datasets import CocoDataset

    import orplugins  # noqa: F401
    from orplugins.mvor.mmpose.dataset import MVORDataset

    mvor = MVORDataset(
        data_root=f"{three_views}/",
        ann_file="annotations/mvor.json",
        with_3d=True,
        check_files=True,
        modality="color",
        test_mode=True,
    )
    record = mvor.get_data_info(0)
    assert record["camera_poses"].shape == (3, 4, 4) and len(record["poses_3d"])
    assert "/color/" in record["img_path"]
    coco = CocoDataset(data_root=f"{three_views}/", ann_file="annotations/coco17_color.json", data_mode="topdown")
    record = coco.get_data_info(0)
    assert Path(record["img_path"]).is_file() and record["keypoints"].shape == (1, 17, 2)


def test_detectron2_reads_it(three_views):
    pytest.importorskip("detectron2")
    from detectron2.data.datasets import load_coco_json

    folder = three_views / "annotations"
    records = load_coco_json(str(folder / "coco17_color.json"), str(three_views))
    assert len(records) == 9 and all(Path(record["file_name"]).is_file() for record in records)
    people = [person for record in records for person in record["annotations"]]
    assert all(len(person["keypoints"]) == 51 and person["segmentation"]["counts"] for person in people)


def test_pycocotools_reads_it_with_its_masks(three_views):
    coco = pytest.importorskip("pycocotools.coco").COCO(str(three_views / "annotations/coco17.json"))
    people = coco.loadAnns(coco.getAnnIds())
    assert min(person["id"] for person in people) == 1
    for person in people:
        v = person["keypoints"][2::3]
        assert len(v) == 17 and person["num_keypoints"] == sum(n > 0 for n in v)
        mask = coco.annToMask(person)
        x, y, w, h = map(int, person["bbox"])
        assert mask.sum() == person["area"] == mask[y : y + h, x : x + w].sum()


def test_coco_3d_projects_onto_2d(three_views):
    coco = json.loads((three_views / "annotations/coco17.json").read_text())
    lens = {image["id"]: image["camera"]["intrinsics"] for image in coco["images"]}
    for person in coco["annotations"]:
        fx, fy, cx, cy = lens[person["image_id"]]
        x, y, z = np.reshape(person["keypoints_3d"], (17, 3)).T
        joints = np.reshape(person["keypoints"], (17, 3))
        pixels = np.stack([fx * x / z + cx, fy * y / z + cy], 1)
        assert np.abs(pixels - joints[:, :2])[joints[:, 2] > 0].max(initial=0) < 0.1
        assert len(person["h36m_3d"]) == 51


def test_h36m_rows(three_views):
    with np.load(three_views / "annotations/h36m17.npz") as rows:
        coco = json.loads((three_views / "annotations/coco17.json").read_text())
        assert len(rows["image_id"]) == len(coco["annotations"])
        assert rows["keypoints_3d"].shape[1:] == (17, 3) and rows["keypoints_2d"].dtype == np.float32


def test_motion_keeps_identities_and_moves_smoothly(motion):
    coco = json.loads((motion / "annotations/coco17.json").read_text())
    assert {image["day_id"] for image in coco["images"]} == {1, 2}
    assert (motion / "day2/cam2/depth/000003.png").is_file()
    with np.load(motion / "annotations/data_3d_h36m.npz", allow_pickle=True) as data:  # our own, just written
        positions = data["positions_3d"].item()
    assert set(positions) <= {"S1", "S5"} and positions
    for actions in positions.values():
        for clip in actions.values():
            assert clip.shape == (4, 32, 3) and clip.dtype == np.float32
            assert np.abs(np.diff(clip, axis=0)).max() < 0.2  # metres in a 25th of a second
    with np.load(motion / "annotations/data_2d_h36m_coco.npz", allow_pickle=True) as data:
        views = next(iter(next(iter(data["positions_2d"].item().values())).values()))
        assert len(views) == 2 and views[0].shape == (4, 17, 2)
        assert data["metadata"].item()["keypoints_symmetry"][0][0] == 1


def test_h36m_cameras_fit_the_motion(motion):
    camera = json.loads((motion / "annotations/h36m_cameras.json").read_text())["*"][0]
    w, x, y, z = camera["orientation"]
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    folder = motion / "annotations"
    with np.load(folder / "data_3d_h36m.npz", allow_pickle=True) as data:
        subject, actions = next(iter(data["positions_3d"].item().items()))
    action, clip = next(iter(actions.items()))
    with np.load(folder / "data_2d_h36m_gt.npz", allow_pickle=True) as data:
        flat = data["positions_2d"].item()[subject][action][0]
    local = (clip[:, 0] - camera["position"]) @ matrix
    pixels = local[:, :2] / local[:, 2:] * camera["focal"] + camera["center"]
    np.testing.assert_allclose(pixels, flat[:, 0], atol=0.01)


def test_varied_cameras_have_no_shared_rig(tmp_path):
    write_dataset(tmp_path, frames=2, seed=3, size=SMALL, views=1)
    data = load_mvor(tmp_path / "annotations/mvor.json")
    assert data.cameras is None and data.poses3d is None
    coco = json.loads((tmp_path / "annotations/coco17.json").read_text())
    assert coco["images"][0]["camera"]["pose"] != coco["images"][1]["camera"]["pose"]


def test_memory_and_disk_have_the_same_frames(tmp_path):
    write_dataset(tmp_path, frames=2, seed=3, size=SMALL, views=1)
    coco, pictures = generate(2, 3, size=SMALL, views=1)
    written = json.loads((tmp_path / "annotations/coco17.json").read_text())
    assert coco["annotations"] == written["annotations"]
    for image in written["images"]:
        np.testing.assert_array_equal(load_depth(tmp_path / image["file_name"]), pictures[image["id"]])


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(mvor_layout, "_CHUNK", 2)
    arguments = {"frames": 5, "seed": 4, "size": SMALL}
    assert write_dataset(tmp_path, **arguments)["rendered"] == 5
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert write_dataset(tmp_path, **arguments)["rendered"] == 0
    lost, cut = tmp_path / "day1/cam1/depth/000000.png", tmp_path / "day1/cam1/depth/000003.png"
    lost.unlink()
    cut.write_bytes(cut.read_bytes()[:200])
    (tmp_path / "annotations/mvor.json").unlink()
    assert write_dataset(tmp_path, **arguments)["rendered"] == 4
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    with pytest.raises(ValueError, match="parameters.json: found .*expected"):
        write_dataset(tmp_path, **{**arguments, "seed": 5})


def test_a_full_disk_leaves_no_set_that_looks_complete(tmp_path, monkeypatch):
    real, calls = mvor_layout.save_depth, []

    def full(path, array):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(28, "No space left on device", str(path))
        real(path, array)

    monkeypatch.setattr(mvor_layout, "save_depth", full)
    with pytest.raises(OSError, match="No space left"):
        write_dataset(tmp_path, frames=4, seed=4, size=SMALL)
    assert not (tmp_path / "annotations").exists() and not list(tmp_path.rglob("*.tmp*"))
    monkeypatch.setattr(mvor_layout, "save_depth", real)
    assert write_dataset(tmp_path, frames=4, seed=4, size=SMALL)["images"] == 4


def test_workers_make_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setattr(mvor_layout, "_CHUNK", 2)
    calls = []
    for workers in (0, 2):
        write_dataset(
            tmp_path / str(workers),
            frames=3,
            seed=1,
            size=SMALL,
            workers=workers,
            progress=lambda *done: calls.append(done),
        )
    assert calls == [(2, 3), (3, 3)] * 2
    for path in (tmp_path / "0").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "2" / path.relative_to(tmp_path / "0")).read_bytes()


def test_damaged_notes_are_made_again(tmp_path):
    arguments = {"frames": 2, "seed": 4, "size": SMALL}
    write_dataset(tmp_path, **arguments)
    notes = tmp_path / "annotations/frames/000000.json"
    before = notes.read_bytes()
    for damaged in (before[:100], b"[]", b"[1, 2]", b"\xff\xfe", before.replace(b'"views"', b'"wives"')):
        notes.write_bytes(damaged)
        assert write_dataset(tmp_path, **arguments)["rendered"] == 2 and notes.read_bytes() == before


def test_two_runs_do_not_share_a_set(tmp_path):
    with run_folder(tmp_path):
        with pytest.raises(ValueError, match="another run is writing to this folder"):
            write_dataset(tmp_path, frames=1, seed=1, size=SMALL)
    assert not (tmp_path / "parameters.json").exists()


def test_workers_end_with_their_parent():
    code = (
        "import os, sys, time; from concurrent.futures import ProcessPoolExecutor\n"
        "from orplugins.synthetic.export.mvor_layout import _follow\n"
        "if __name__ == '__main__':\n"
        "    pool = ProcessPoolExecutor(1, initializer=_follow, initargs=(os.getpid(),))\n"
        "    print(pool.submit(os.getpid).result(), flush=True); pool.submit(time.sleep, 60); time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(TOOL.parents[1])}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and _runs(worker):
        time.sleep(0.1)
    assert not _runs(worker)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    "bad", [{"frames": 0}, {"views": 4}, {"workers": -1}, {"start": -1}, {"people": (0, 200)}, {"motion": -5}]
)
def test_bad_arguments_are_refused(tmp_path, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        write_dataset(tmp_path / "new", **{"frames": 1, "seed": 0, **bad})
    assert not (tmp_path / "new").exists()


def test_tool(tmp_path):
    command = [sys.executable, TOOL, "--out", tmp_path / "set", "--frames", "1", "--seed", "1", "--size", "64x48"]
    environment = {**os.environ, "PYTHONPATH": str(TOOL.parents[1])}
    run = subprocess.run([*command, "--depth-only"], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["images"] == 3
    run = subprocess.run([*command, "--exact"], capture_output=True, text=True, env=environment)
    assert run.returncode == 1 and "parameters.json" in run.stderr and "Traceback" not in run.stderr
    (tmp_path / "file").write_text("")
    command[3] = tmp_path / "file" / "below"
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 1 and str(tmp_path / "file") in run.stderr and "Traceback" not in run.stderr
