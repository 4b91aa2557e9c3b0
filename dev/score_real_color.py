"""Score colour networks on real theatre frames of 53x40 pixels that no training saw; figures for docs/adapt.md.

    python dev/score_real_color.py CONFIG WEIGHTS [--data ../shared/data] [--ensemble] [--size 640x480] [--out FOLDER]

DATA holds orpose_color/people_real.json, boxes of people by eye (`ignore`: hardly to be seen, counted neither way), and
orpose_color/mvor_seq1_x12_color/ with the frames. Printed are AP at IoU 0.5, the recall of all detections, false boxes
a frame, and the recall at half a false box and at one a frame. --ensemble asks three sizes and their mirror images and
merges the answers. --out writes detections.json ({"000044": [[x1, y1, x2, y2, score], ..]}) and pictures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[2] / "shared/data"


def score(labels: dict[str, dict], found: dict[str, np.ndarray], least: float = 0.5) -> dict[str, float]:
    """AP and recalls of boxes.

    Args:
        labels: By frame, ``boxes`` and ``ignore``: lists of x1, y1, x2, y2.
        found: By frame, (N, 5) x1, y1, x2, y2, score.
        least: Least IoU of a hit.

    Returns:
        Figures by name.
    """
    from orplugins.adaptation.criterion import average_precision
    from orplugins.adaptation.fusion import single_view

    rows = [np.array(found.get(name, ())).reshape(-1, 5) for name in labels]
    people = [single_view(row[:, :4], row[:, 4], np.zeros((len(row), 17, 3))) for row in rows]
    truth, ignored = ([np.array(frame[key]).reshape(-1, 4) for frame in labels.values()] for key in ("boxes", "ignore"))
    ap, recall, false = average_precision(people, truth, ignored, least)
    return {
        "AP": 100 * ap,
        "recall": 100 * float(recall[-1]) if len(recall) else 0.0,
        "false a frame": float(false[-1]) / len(labels) if len(recall) else 0.0,
        **{
            f"recall at {limit:g} false a frame": 100 * float(max(recall[false <= limit * len(labels)], default=0.0))
            for limit in (0.5, 1.0)
        },
    }


def main() -> int:
    """Print one row of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("weights")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--iou", type=float, default=0.5, help="least IoU of a hit (default: 0.5)")
    parser.add_argument("--ensemble", action="store_true", help="several sizes and mirror images, merged")
    parser.add_argument("--size", help="what the network sees, such as 640x480 (default: shorter side 480)")
    parser.add_argument("--statistics", help="h36stats.json, for weights that store none")
    parser.add_argument("--out", type=Path, help="folder for detections and pictures")
    parser.add_argument("--json", type=Path, help="the figures as a file")
    args = parser.parse_args()
    folder = args.data / "orpose_color"
    frames = sorted((folder / "mvor_seq1_x12_color").glob("*.png"))
    if not frames or not (folder / "people_real.json").is_file():
        print(f"skipped: no people_real.json and mvor_seq1_x12_color/*.png in {folder}")
        return 0
    labels = json.loads((folder / "people_real.json").read_text())["frames"]

    from orplugins.adaptation.fusion import fuse
    from orplugins.io.images import read_image
    from orplugins.orpose_color.ensemble import ALL, DIRECT, find_people
    from orplugins.orpose_color.pipeline import ColorSettings, load_predictor

    size = tuple(map(int, args.size.split("x"))) if args.size else None
    predict = load_predictor(ColorSettings(args.config, args.weights, args.statistics, device="cpu"))
    pictures = {path.stem: read_image(path) for path in frames if path.stem in labels}
    people = {
        name: fuse(find_people(predict, picture, size, ALL if args.ensemble else DIRECT))
        for name, picture in pictures.items()
    }
    found = {name: np.column_stack([each.boxes, each.scores]) for name, each in people.items()}
    figures = score({name: labels[name] for name in pictures}, found, args.iou)
    print(", ".join(f"{name} {value:.1f}" for name, value in figures.items()), f"({len(pictures)} frames)")
    if args.json:
        args.json.write_text(json.dumps({"frames": len(pictures), **figures}))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        content = {name: np.round(rows, 4).tolist() for name, rows in found.items()}
        (args.out / "detections.json").write_text(json.dumps(content))
        for name, picture in pictures.items():
            draw(args.out / f"{name}.png", picture, found[name], labels[name], predict.least_score)
    return 0


def draw(path: Path, picture: np.ndarray, found: np.ndarray, labels: dict, least: float, zoom: int = 12) -> None:
    """Write an enlarged picture with the labels in white and what counts by the config in colour."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture[..., ::-1]).resize((picture.shape[1] * zoom, picture.shape[0] * zoom))
    pen = ImageDraw.Draw(image)
    for box in labels["boxes"]:
        pen.rectangle([zoom * side for side in box], outline=(255, 255, 255))
    for *box, value in found[found[:, 4] >= least]:
        pen.rectangle([zoom * side for side in box], outline=(230, 85, 13), width=3)
        pen.text((zoom * box[0] + 4, zoom * box[1] + 2), f"{value:.2f}", fill=(230, 85, 13))
    image.save(path)


if __name__ == "__main__":
    sys.exit(main())
