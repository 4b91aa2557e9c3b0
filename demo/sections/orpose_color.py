"""ORPose-Color on the clip reduced twelve times, and on real theatre pictures of that size where they are at hand."""

import json
import os
from pathlib import Path

import cv2
import numpy as np

from orplugins.orpose_color.pipeline import ColorSettings, infer_color
from orplugins.resources import SHIPPED

ORDER = 15
TITLE = "ORPose-Color: people in colour pictures reduced twelve times"
CONFIG, WEIGHTS = SHIPPED["orpose-color"]
FACTOR, EVERY, SIZE = 12, 8, (320, 240)


def run(demo) -> str:
    # Here, because the page's own process reads the sections' titles and needs no host for it.
    from orplugins.orpose_color.detectron2.pipeline import sweep_resolutions

    out = demo.folder("orpose_color")
    truth = chosen(json.loads((demo.data / "annotations/coco17_color.json").read_text()))
    (out / "people.json").write_text(json.dumps(truth))
    clip = {"NAME": "demo_clip", "JSON": str(out / "people.json"), "IMGDIR": str(demo.data)}
    options = [word for key, value in clip.items() for word in (f"DATASETS.TEST_SET_{key}", value)]
    student = {"student": str(demo.root / WEIGHTS)}
    sweep_resolutions(str(demo.root / CONFIG), student, out / "ladder", (1, FACTOR), options, "cpu")
    ladder = json.loads((out / "ladder/ladder.json").read_text())["student"]
    names = list(next(iter(ladder.values())))
    rows = [[f"{factor}x", *(f"{metrics[name]:.1f}" for name in names)] for factor, metrics in ladder.items()]
    for row in rows:
        demo.note(f"reduced {row[0]}: " + "  ".join(map(" ".join, zip(names, row[1:], strict=True))))

    pictures = [demo.data / image["file_name"] for image in truth["images"][:6]]
    parts = [
        demo.table(["reduced", *names], rows),
        demo.picture(
            montage(demo, pictures, out / "clip", FACTOR),
            "Pairs: all that the network gets, and the poses that it finds in it.",
        ),
    ]
    real = real_pictures(demo)
    if real:
        parts.append(
            demo.picture(
                montage(demo, real, out / "real", 1),
                "Real pictures of an operating room, 53x40 pixels, with the poses that are found (scored above).",
            )
        )
    return "\n".join([*parts, f"<p>{len(truth['images'])} pictures. {demo.weights(demo.root / WEIGHTS)}</p>"])


def chosen(truth: dict) -> dict:
    """The pictures of every eighth frame, camera by camera, and their people."""
    images = [image for image in truth["images"] if int(image["file_name"][-10:-4]) % EVERY == 0]
    ids = {image["id"] for image in images}
    people = [person for person in truth["annotations"] if person["image_id"] in ids]
    return {**truth, "images": images, "annotations": people}


def real_pictures(demo) -> list:
    """The release's dozen low-resolution frames, if they are at hand; the whole recording beside them fills no page."""
    folder = Path(os.environ.get("ORPLUGINS_ORPOSE_COLOR") or demo.root.parent / "shared/data/orpose_color")
    return sorted(folder.glob("mvor_seq1_x12_color/*.png"))


def montage(demo, pictures: list, out, factor: int):
    """Pairs of what the network gets and what it finds, three pairs a row; returns the picture's path."""
    inputs = out / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(pictures):
        picture = cv2.imread(str(path))
        small = (picture.shape[1] // factor, picture.shape[0] // factor)
        cv2.imwrite(str(inputs / f"{number:03d}.png"), cv2.resize(picture, small, interpolation=cv2.INTER_AREA))
    network = str(demo.root / CONFIG), str(demo.root / WEIGHTS)
    result = infer_color([inputs], out / "poses", ColorSettings(*network, size=SIZE, device="cpu"))
    if result.failed:
        raise ValueError(f"images that could not be used: {result.failed}")
    pairs = []
    drawn = sorted((out / "poses/overlays").glob("*.png"))
    for path, overlay in zip(sorted(inputs.glob("*.png")), drawn, strict=True):
        seen = cv2.resize(cv2.imread(str(path)), SIZE, interpolation=cv2.INTER_NEAREST)
        pairs.append(np.hstack([seen, cv2.resize(cv2.imread(str(overlay)), SIZE)]))
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % 3)
    cv2.imwrite(str(out / "montage.png"), np.vstack([np.hstack(pairs[k : k + 3]) for k in range(0, len(pairs), 3)]))
    return out / "montage.png"
