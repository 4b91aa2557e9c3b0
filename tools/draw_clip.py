"""Draw detected poses on the colour pictures of a generated clip, next to the low-resolution depth that was seen.

Example:
    python tools/draw_clip.py outputs/demo/clip outputs/demo/depthpose/detections.keypoints.json --out outputs/drawn

Writes `clip.gif` (all cameras; colour above, depth below) and `contact_sheet.png` (moments of the clip with the truth).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.depth.image import downsample
from orplugins.depth.png import load_depth
from orplugins.io.json_fields import load_json
from orplugins.skeletons import COCO_17
from orplugins.viz.colours import depth_colours, person_colour

PANEL = (320, 240)
# Detections below these are not drawn.
LEAST_SCORE, LEAST_JOINT = 0.2, 0.05


def draw(picture, poses: list[np.ndarray], scale: float, truth: list[np.ndarray]):
    """Lines for the limbs of poses (17, 3) with scores, dots for the joints of true ones that are seen."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(picture)
    for k, pose in enumerate(poses):
        colour = person_colour(k)
        for a, b in COCO_17.limbs:
            if pose[a, 2] > LEAST_JOINT and pose[b, 2] > LEAST_JOINT:
                pen.line([*(pose[a, :2] * scale), *(pose[b, :2] * scale)], fill=colour, width=3)
    for pose in truth:
        for x, y, v in pose:
            if v == 2:
                pen.ellipse([x * scale - 2, y * scale - 2, x * scale + 2, y * scale + 2], fill=(255, 255, 255))
    return picture


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a clip of tools/make_or_dataset.py with colour")
    parser.add_argument("detections", type=Path, help="JSON list: image_id, (coco_)keypoints of 51 numbers, score")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--low", type=int, nargs=2, default=(64, 48), metavar=("W", "H"), help="size that was seen")
    parser.add_argument("--every", type=int, default=2, help="take every n-th frame into the gif (default: 2)")
    args = parser.parse_args(argv)
    from PIL import Image

    try:
        coco, found = load_json(args.data / "annotations/coco17.json"), load_json(args.detections)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    poses: dict[int, list] = {}
    for i, entry in enumerate(found):
        joints = entry.get("coco_keypoints", entry.get("keypoints", ()))
        if len(joints) != 51:
            print(
                f"error: {args.detections}: entry {i}: keypoints: found {len(joints)} numbers, expected 51 (COCO)",
                file=sys.stderr,
            )
            return 1
        if entry["score"] >= LEAST_SCORE:
            poses.setdefault(entry["image_id"], []).append(np.reshape(joints, (17, 3)))
    truth: dict[int, list] = {}
    for person in coco["annotations"]:
        truth.setdefault(person["image_id"], []).append(np.reshape(person["keypoints"], (17, 3)))
    moments: dict[str, list[dict]] = {}
    for image in coco["images"]:
        moments.setdefault(image["frame_key"], []).append(image)

    def panel(image: dict, with_truth: bool):
        path = args.data / image["file_name"].replace("/depth/", "/color/")
        picture = Image.open(path).convert("RGB").resize(PANEL)
        return draw(
            picture,
            poses.get(image["id"], []),
            PANEL[0] / image["width"],
            truth.get(image["id"], []) if with_truth else [],
        )

    frames, rows = [], []
    keys = list(moments)
    for key in keys[:: args.every]:
        frame = Image.new("RGB", (PANEL[0] * len(moments[key]), 2 * PANEL[1]))
        for v, image in enumerate(moments[key]):
            low = downsample(load_depth(args.data / image["file_name"]), size=tuple(args.low), holes="valid")
            frame.paste(panel(image, False), (v * PANEL[0], 0))
            frame.paste(Image.fromarray(depth_colours(low)).resize(PANEL, Image.NEAREST), (v * PANEL[0], PANEL[1]))
        frames.append(frame)
    for key in keys[:: max(1, len(keys) // 4)][:4]:
        row = Image.new("RGB", (PANEL[0] * len(moments[key]), PANEL[1]))
        for v, image in enumerate(moments[key]):
            row.paste(panel(image, True), (v * PANEL[0], 0))
        rows.append(row)
    args.out.mkdir(parents=True, exist_ok=True)
    # One palette for all frames, else their colours flicker.
    palette = frames[len(frames) // 2].quantize(128)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    frames[0].save(args.out / "clip.gif", save_all=True, append_images=frames[1:], duration=40 * args.every, loop=0)
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for i, row in enumerate(rows):
        sheet.paste(row, (0, i * PANEL[1]))
    sheet.save(args.out / "contact_sheet.png")
    print(f"{args.out / 'clip.gif'}\n{args.out / 'contact_sheet.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
