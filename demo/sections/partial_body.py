"""Boxes and poses of whole pictures; then people of whom a part is cut off: what is seen, hidden or out of view."""

import json
import shutil

import cv2
import numpy as np

from orplugins.partial_body.pipeline import PartialSettings, infer_partial, make_views
from orplugins.partial_body.shipped import completed
from orplugins.resources import SHIPPED

ORDER = 30
TITLE = "Partial body: what is seen, hidden, or out of view"
FRAME = 4
BOX_SCORE = 0.6
VIEWS = ("whole", "waist", "chest", "side")
PEOPLE = 3
# The clip's pictures are small: drawn on three times the size, lines and rings can be told apart.
SCALE = 3
TILE = 360


def run(demo) -> str:
    out = demo.folder("partial_body")
    found = whole_pictures(demo, out)
    demo.note(f"detector and poses on {found['pictures']} pictures: {found['people']} people")
    people = chosen(json.loads((demo.data / "annotations/coco17_color.json").read_text()))
    (out / "people.json").write_text(json.dumps(people))
    make_views(out / "people.json", demo.data, out / "views", VIEWS)
    truth = pictures(out)
    poses(out / "pictures", out / "run", boxes=out / "boxes.json")
    rows = figures(json.loads((out / "run/poses.json").read_text()), truth)
    for row in rows:
        demo.note(f"{row[0]}: {row[1]} people, states right {row[2]} %")
    montage(out, sorted(truth))
    return "\n".join(
        [
            demo.picture(out / "found.png", "The detector's boxes and the poses in them, one moment by each camera."),
            demo.picture(
                out / "montage.png",
                "Columns: the whole person, cut at the waist, at the chest, one side left. Full dots: visible "
                "joints; rings: hidden ones; not drawn: out of view. A thick side of a box is cut by the frame.",
            ),
            demo.table(["view", "people", "states right, %"], rows),
            f"<p>The table's boxes are the true ones. "
            f"{demo.weights(*(demo.root / SHIPPED[job][1] for job in ('partial-body', 'partial-body-detector')))}</p>",
        ]
    )


def poses(inputs, out, **settings) -> None:
    """Find poses; an input that cannot be used ends the section."""
    problems: list[str] = []
    infer_partial([inputs], out, PartialSettings(**completed(settings)), problems.append)
    if problems:
        raise ValueError("; ".join(problems))


def whole_pictures(demo, out) -> dict:
    """What the whole chain finds in a moment's pictures, drawn in found.png."""
    frames = out / "frames"
    frames.mkdir()
    for path in sorted(demo.data.glob(f"day1/cam*/color/{FRAME:06d}.png")):
        shutil.copy(path, frames / f"{path.parts[-3]}.png")
    poses(frames, out / "found", box_score=BOX_SCORE)
    drawn = [cv2.imread(str(path)) for path in sorted((out / "found/overlays").glob("*.png"))]
    cv2.imwrite(str(out / "found.png"), np.concatenate(drawn, axis=1))
    found = json.loads((out / "found/poses.json").read_text())
    return {"pictures": len(found["images"]), "people": len(found["annotations"])}


def chosen(truth: dict) -> dict:
    """A COCO set of the people of whom most is seen, one of a picture and camera."""
    best = {}
    cameras = {image["id"]: image["cam_id"] for image in truth["images"]}
    for person in truth["annotations"]:
        seen = sum(v == 2 for v in person["keypoints"][2::3])
        hips_and_shoulders = [person["keypoints"][3 * k + 2] for k in (5, 6, 11, 12)]
        camera = cameras[person["image_id"]]
        if all(hips_and_shoulders) and seen > best.get(camera, (0,))[0]:
            best[camera] = (seen, person)
    people = [person for _, (_, person) in sorted(best.items())][:PEOPLE]
    ids = {person["image_id"] for person in people}
    return {**truth, "annotations": people, "images": [image for image in truth["images"] if image["id"] in ids]}


def pictures(out) -> dict[str, list]:
    """The views in one folder, enlarged, and boxes.json of the people in them; returns their true states by picture."""
    boxes, truth = [], {}
    for view in VIEWS:
        content = json.loads((out / f"views/annotations/{view}.json").read_text())
        names = {image["id"]: image["file_name"] for image in content["images"]}
        for person in content["annotations"]:
            source = names[person["image_id"]]
            name = source.replace(f"{view}/", f"{VIEWS.index(view)}_", 1)
            picture = cv2.imread(str(out / "views/images" / source))
            (out / "pictures").mkdir(exist_ok=True)
            cv2.imwrite(str(out / "pictures" / name), cv2.resize(picture, None, fx=SCALE, fy=SCALE))
            boxes.append({"file_name": name, "bbox": [SCALE * value for value in person["bbox"]], "score": 1.0})
            truth[name] = person["keypoints"][2::3]
    (out / "boxes.json").write_text(json.dumps(boxes))
    return truth


def figures(found: dict, truth: dict) -> list[list[str]]:
    """[view, people, percent of joints whose state is right]."""
    names = {image["id"]: image["file_name"] for image in found["images"]}
    counts = {view: [0, 0] for view in VIEWS}
    for person in found["annotations"]:
        name = names[person["image_id"]]
        right = [a == b for a, b in zip(person["keypoints"][2::3], truth[name], strict=True)]
        count = counts[VIEWS[int(name[0])]]
        count[0] += 1
        count[1] += sum(right) / len(right)
    return [[view, str(n), f"{100 * total / max(n, 1):.0f}"] for view, (n, total) in counts.items()]


def montage(out, names: list[str]) -> None:
    """A row for each camera's person, a column for each view, cut out around the person."""
    boxes = {box["file_name"]: box["bbox"] for box in json.loads((out / "boxes.json").read_text())}
    rows = []
    for first in (name for name in names if name.startswith("0_")):
        stem = first[2:].removesuffix(".png")
        cells = [next((n for n in names if n.startswith(f"{k}_{stem}")), None) for k in range(len(VIEWS))]
        row = np.full((TILE, TILE * len(VIEWS), 3), 255, np.uint8)
        scale = TILE / (1.25 * max(boxes[first][2:]))
        for k, name in enumerate(cells):
            if name is not None:
                x, y, w, h = boxes[name]
                margin = 0.1 * max(boxes[first][2:])
                picture = cv2.imread(str(out / "run/overlays" / name))
                top, left = max(int(y - margin), 0), max(int(x - margin), 0)
                part = picture[top : int(y + h + margin), left : int(x + w + margin)]
                part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:TILE, :TILE]
                row[: part.shape[0], k * TILE : k * TILE + part.shape[1]] = part
        rows.append(row)
    cv2.imwrite(str(out / "montage.png"), np.concatenate(rows))
