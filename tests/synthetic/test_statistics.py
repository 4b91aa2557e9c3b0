"""The figures about a generated set."""

import json

import numpy as np

from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.statistics import (
    camera_table,
    joint_table,
    penetration_table,
    picture_table,
    pose_table,
    room_table,
)


def test_figures_of_a_small_set(tmp_path):
    write_dataset(tmp_path, frames=2, seed=1, size=(64, 48), views=3)
    coco, mvor = (json.loads((tmp_path / f"annotations/{name}.json").read_text()) for name in ("coco17", "mvor"))
    rows = joint_table(coco, mvor)
    assert float(rows["people a picture"]) == round(len(coco["annotations"]) / 6, 2)
    assert abs(sum(map(int, rows["COCO joints seen/hidden/missing (%)"].split("/"))) - 100) <= 1
    low, _, high = camera_table(coco)["camera height (m)"].partition(" to ")
    assert 2.2 < float(low) <= float(high) < 2.9
    poses = pose_table(coco)
    assert float(poses["wrists above their shoulder (%)"]) < 30
    assert float(poses["distance between ankles, 5/50/95 % (m)"].split("/")[1]) < 0.6
    assert -5 < float(camera_table(coco)["camera roll, 5/95 % (degrees)"].split("/")[0]) < 5
    assert all(60 < float(v) < 64 for v in camera_table(coco)["field of view, 5/50/95 % (degrees)"].split("/"))
    assert -50 < float(camera_table(coco)["camera pitch (degrees)"].partition(" to ")[0]) < -20


def test_a_person_pushed_into_the_table_is_counted():
    scene = next(
        s for s in (make_scene(1, i, views=1) for i in range(20)) if any(p.role == "clinician" for p in s.people)
    )
    assert penetration_table([scene])["staff with a point > 2 cm inside the table top (%)"] == "0.0"
    for person in scene.people:
        if person.role == "clinician":
            offset = scene.room.on_table(0, 0, 0) - [*person.place, 0]
            person.body = person.body.shifted(offset)
    rows = penetration_table([scene])
    assert rows["staff with a point > 2 cm inside the table top (%)"] == "100.0"
    assert float(rows["deepest point inside the table top (cm)"]) > 2


def test_poses_that_are_known():
    joints = np.zeros((17, 3))
    joints[[5, 6]], joints[[11, 12]] = (0, -0.5, 2), (0, 0, 2)  # trunk upright, y down
    joints[[9, 10]] = (0, -0.9, 2), (0, -0.1, 2)  # one wrist up
    joints[[13, 14]], joints[[15, 16]] = (0, 0.4, 2), (0, 0.4, 2.4)  # knees bent by 90 degrees
    joints[16] = (0.5, 0.4, 2.4)
    pose = [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 2], [0, 0, 0, 1]]
    person = {"image_id": 1, "person_role": "clinician", "keypoints_3d": joints.ravel().tolist()}
    coco = {"images": [{"id": 1, "camera": {"pose": np.ravel(pose).tolist()}}], "annotations": [person]}
    rows = pose_table(coco)
    assert rows["wrists above their shoulder (%)"] == "50"
    assert rows["trunks that lean by more than 30 degrees (%)"] == "0"
    assert rows["knees bent by more than 45 degrees (%)"] == "100"
    assert rows["distance between ankles, 5/50/95 % (m)"] == "0.50/0.50/0.50"
    assert pose_table({**coco, "annotations": [{**person, "person_role": "patient"}]}) == {}


def test_rooms_and_pictures_that_are_known():
    scenes = [make_scene(3, i, views=1, variety=("rooms",)) for i in range(6)]
    kinds = room_table(scenes)["rooms (%)"]
    assert "theatre" in kinds and len(kinds.split(", ")) > 1
    flat, half = np.full((8, 8, 3), 100, np.uint8), np.zeros((8, 8, 3), np.uint8)
    half[:, 4:] = (255, 255, 255)
    rows = picture_table([flat])
    assert rows["brightness, 5/50/95 % (mean grey level)"] == "100/100/100"
    assert rows["contrast, 5/50/95 % (deviation of grey levels)"] == rows["sharpness, 5/50/95 % (mean of Laplacian)"]
    assert rows["contrast, 5/50/95 % (deviation of grey levels)"] == "0/0/0"
    assert picture_table([half])["white pixels, 5/50/95 % (% of a picture)"] == "50/50/50"
    assert picture_table([]) == {}
