"""Score pose networks of people in boxes on ordinary photographs that no training saw; figures for docs/partial_body.

    python dev/score_real_partial.py [CONFIG WEIGHTS] [--data ../shared/data/coco_samples] [--out pictures]

Without CONFIG and WEIGHTS: the network that ships. DATA holds photographs and people.json, COCO's labels with boxes. A
joint counts that lies within a tenth of its box's larger side of the label, as in mmpose's PCKAccuracy (thr=0.1,
norm_item="bbox"); that one takes the mean over the kinds of joints, `joints` the share of all labelled ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from orplugins.io.coco_annotations import read_annotations
from orplugins.io.images import image_path, read_image, write_image
from orplugins.skeletons import COCO_17

DATA = Path(__file__).parents[2] / "shared/data/coco_samples"
WITHIN = 0.1


def score(truth: np.ndarray, found: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Joints (N, 17) that are near, that are labelled, and PCKAccuracy's value.

    Args:
        truth: (N, 17, 3) labels.
        found: (N, 17, 2).
        boxes: (N, 4) x, y, width, height.
    """
    from mmpose.evaluation.functional import keypoint_pck_accuracy

    labelled = truth[..., 2] > 0
    size = boxes[:, 2:].max(1)
    near = (np.linalg.norm(found - truth[..., :2], axis=-1) <= WITHIN * size[:, None]) & labelled
    pck = keypoint_pck_accuracy(found, truth[..., :2], labelled, WITHIN, np.repeat(size[:, None], 2, 1))[1]
    return near, labelled, float(pck)


def main(argv: list[str] | None = None) -> int:
    """Print a row a person and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="*", metavar="CONFIG WEIGHTS", help="default: what ships")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, help="folder for pictures")
    parser.add_argument("--json", type=Path, help="the figures as a file")
    args = parser.parse_args(argv)
    if len(args.network) not in (0, 2):
        parser.error("expected a config and its weights, or neither")
    labels = args.data / "people.json"
    if not labels.is_file():
        print(f"skipped: no {labels}")
        return 0
    from orplugins.hosts.mmpose.topdown import TopdownRunner
    from orplugins.resources import shipped

    runner = TopdownRunner(*(args.network or shipped("partial-body")))
    truth = read_annotations(labels, COCO_17.joints, args.data).data
    everything = []
    for record in truth["images"]:
        mine = [p for p in truth["annotations"] if p["image_id"] == record["id"] and p["num_keypoints"]]
        image = read_image(image_path(args.data, record["file_name"], str(labels)))
        boxes = np.array([person["bbox"] for person in mine], float)
        joints = np.array([person["keypoints"] for person in mine], float).reshape(-1, 17, 3)
        found = runner([image], [boxes + np.pad(boxes[:, :2], ((0, 0), (2, 0)))])[0]
        near, labelled, _ = score(joints, found.keypoints, boxes)
        for n, person in enumerate(mine):
            print(f"{record['file_name']}: person {person['id']}: {near[n].sum()} of {labelled[n].sum()} joints")
        everything.append((joints, found.keypoints, boxes))
        if args.out:
            draw(args.out / f"{Path(record['file_name']).stem}.png", image, found, boxes)
    near, labelled, pck = score(*(np.concatenate(part) for part in zip(*everything, strict=True)))
    joints = 100 * near.sum() / labelled.sum()
    if args.json:
        args.json.write_text(json.dumps({"people": len(near), "joints, %": float(joints), "PCK@0.1, %": 100 * pck}))
    print(f"{len(near)} people: joints {joints:.1f} %, PCK@{WITHIN} {100 * pck:.1f} %")
    return 0


def draw(path: Path, image: np.ndarray, found, boxes: np.ndarray) -> None:
    """Write the photograph with the people on it."""
    from orplugins.viz.overlay import draw_pose

    image = image.copy()
    for xy, scores, (x, y, w, h) in zip(found.keypoints, found.scores, boxes, strict=True):
        draw_pose(image, np.column_stack([xy, scores]), "coco", (x, y, x + w, y + h))
    write_image(path, image)


if __name__ == "__main__":
    sys.exit(main())
