"""2D and 3D poses of people in pictures or videos, also in tiny ones.

Example:
    python tools/infer_color.py frames/ --config configs/detectron2/orpose_color/orpose_fixed_12x.yaml \\
        --weights orpose_fixed_12x_model_final.pth --statistics h36stats.json --out outputs/poses

Pictures of any size are enlarged to --size (bilinear, as published) first. Below --out: poses.json (COCO, joints in the
pixels of the input; `h36m_3d`: 17 x X, Y, Z metres from the pelvis, Human3.6M's order, y down), overlays/*.png at
--size in Human3.6M's colours, and poses.mp4. The exit code is 1 if a picture failed; the others are done.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from orplugins.device import add_device_option
from orplugins.io.atomic import write_json
from orplugins.io.images import find_pictures, read_image, write_image
from orplugins.io.video import VIDEO_SUFFIXES, read_video, write_video
from orplugins.orpose_color.lifting import coco_to_h36_present
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.viz.overlay import draw_pose


def frames(inputs: list[str], failed: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, picture) of everything that can be read; errors go into `failed`."""
    for path in find_pictures(inputs):
        try:
            if path.suffix.lower() in VIDEO_SUFFIXES:
                for number, picture in enumerate(read_video(path)):
                    yield f"{path.name}#{number:06d}", picture
            else:
                yield path.as_posix(), read_image(path)
        except ValueError as error:
            failed[str(path)] = str(error)


def enlarge(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized to (width, height) by Pillow's bilinear filter."""
    from PIL import Image

    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.BILINEAR))


def records(found, size: tuple[int, int], original: tuple[int, int], threshold: float) -> list[dict]:
    """Annotations of one picture, in the pixels of the original (width, height)."""
    scale = np.array(original) / size
    people = []
    for k in range(len(found)):
        if found.scores[k] < threshold:
            continue
        box = found.pred_boxes.tensor[k].numpy().reshape(2, 2) * scale
        joints = found.pred_keypoints[k].numpy().astype(np.float64)
        joints[:, :2] = joints[:, :2] * scale - 0.5  # COCO counts from the pixel's centre
        people.append(
            {
                "category_id": 1,
                "iscrowd": 0,
                "score": round(float(found.scores[k]), 4),
                "bbox": np.round([*box[0], *(box[1] - box[0])], 3).tolist(),
                "area": round(float((box[1] - box[0]).prod()), 3),
                "keypoints": np.round(joints, 4).ravel().tolist(),
                "num_keypoints": 17,
                "h36m_3d": np.round(found.pred_keypoints_3d[k].numpy(), 5).ravel().tolist(),
            }
        )
    return people


def overlay(picture: np.ndarray, found, threshold: float) -> np.ndarray:
    drawn = picture.copy()
    for k in np.flatnonzero(found.scores.numpy() >= threshold):
        joints = coco_to_h36_present(found.pred_keypoints[k].numpy())
        draw_pose(drawn, joints, "h36", found.pred_boxes.tensor[k].numpy())
    return drawn


def parse_size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in text.split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected WIDTHxHEIGHT such as 640x480") from None
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected sides above 0")
    return width, height


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", help="pictures, folders of them, videos")
    parser.add_argument("--config", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--statistics", help="h36stats.json (not needed where the weights store their own)")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--size", type=parse_size, default=(640, 480), help="what the network sees (default: 640x480)")
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of a person (default: 0.5)")
    parser.add_argument("--fps", type=float, default=20.0, help="of poses.mp4 (default: 20)")
    add_device_option(parser)
    args = parser.parse_args(argv)
    failed: dict[str, str] = {}
    try:
        images, annotations = run(args, failed)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {len(images)} pictures, {len(annotations)} people: poses.json, overlays/, poses.mp4")
    for name, error in failed.items():
        print(f"failed: {name}: {error}", file=sys.stderr)
    return 1 if failed or not images else 0


def run(args: argparse.Namespace, failed: dict[str, str]) -> tuple[list[dict], list[dict]]:
    import orplugins  # noqa: F401 - registers
    from orplugins.hosts.detectron2.predictor import Predictor, read_model_config

    options = ["DATASETS.H36_STATS_PATH", args.statistics] if args.statistics else []
    predictor = Predictor(read_model_config(args.config, args.weights, args.device, options), native=True)
    images: list[dict] = []
    annotations: list[dict] = []

    def drawings() -> Iterator[np.ndarray]:
        source = tqdm(frames(args.inputs, failed), unit="picture", disable=None)
        for number, (name, picture) in enumerate(source, start=1):
            large = enlarge(picture, args.size)
            (found,) = predictor([large])
            drawn = overlay(large, found, args.threshold)
            write_image(args.out / "overlays" / f"{number:06d}.png", drawn)
            height, width = picture.shape[:2]
            images.append({"id": number, "file_name": name, "width": width, "height": height})
            for person in records(found, args.size, (width, height), args.threshold):
                annotations.append({"id": len(annotations) + 1, "image_id": number, **person})
            yield drawn

    todo = drawings()
    first = next(todo, None)
    if first is not None:
        write_video(args.out / "poses.mp4", itertools.chain([first], todo), args.fps)
    category = {
        "id": 1,
        "name": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
        "h36m_3d": list(H36M_17.joints),
    }
    result = {"images": images, "annotations": annotations, "categories": [category], "failed": failed}
    write_json(args.out / "poses.json", result)
    return images, annotations


if __name__ == "__main__":
    sys.exit(main())
