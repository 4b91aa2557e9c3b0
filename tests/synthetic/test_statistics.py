"""The figures about a generated set."""

import json

from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.statistics import camera_table, joint_table, penetration_table


def test_figures_of_a_small_set(tmp_path):
    write_dataset(tmp_path, frames=2, seed=1, size=(64, 48), views=3)
    coco, mvor = (json.loads((tmp_path / f"annotations/{name}.json").read_text()) for name in ("coco17", "mvor"))
    rows = joint_table(coco, mvor)
    assert float(rows["people a picture"]) == round(len(coco["annotations"]) / 6, 2)
    assert abs(sum(map(int, rows["COCO joints seen/hidden/missing (%)"].split("/"))) - 100) <= 1
    low, _, high = camera_table(coco)["camera height (m)"].partition(" to ")
    assert 2.2 < float(low) <= float(high) < 2.9
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
