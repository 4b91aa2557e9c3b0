"""A picture of what the generator makes: colour, true joints, depth and 64x48 depth of frames, or moments of a clip.

Example:
    python tools/draw_montage.py --out docs/synthetic/room.png
    python tools/draw_montage.py --out docs/synthetic/motion.png --motion
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.depth.image import downsample
from orplugins.io.atomic import atomic_write
from orplugins.skeletons import COCO_17
from orplugins.synthetic.render.frames import Frame, render_frames, render_scene
from orplugins.synthetic.scene.motion import Clip
from orplugins.viz.colours import depth_colours, person_colour

SIZE = (320, 240)


def with_truth(frame: Frame) -> np.ndarray:
    """The colour picture with true joints (thick: both ends seen) and boxes of what is seen."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(frame.color)
    pen = ImageDraw.Draw(picture)
    people = zip(frame.view.person_ids, frame.view.bboxes, frame.view.keypoints["coco_17"], strict=True)
    for number, (x, y, w, h), joints in people:
        pen.rectangle([x, y, x + w - 1, y + h - 1], outline=person_colour(number))
        for a, b in COCO_17.limbs:
            if joints[a, 2] and joints[b, 2]:
                seen = joints[a, 2] == 2 and joints[b, 2] == 2
                pen.line(
                    [*joints[a, :2], *joints[b, :2]],
                    width=3 if seen else 1,
                    fill=person_colour(number, 1.0 if seen else 0.6),
                )
    return np.asarray(picture)


def still_sheet(seed: int, numbers: list[int]) -> np.ndarray:
    """A frame is three columns; rows are colour, truth, depth, 64x48 depth."""
    columns = []
    for number in numbers:
        for frame in render_frames(seed, number, SIZE, color=True)[1]:
            low = downsample(frame.depth_mm, size=(64, 48), holes="valid")
            low = np.kron(depth_colours(low), np.ones((5, 5, 1), np.uint8))
            columns.append(np.concatenate([frame.color, with_truth(frame), depth_colours(frame.depth_mm), low]))
    return np.concatenate(columns, axis=1)


def motion_sheet(seed: int, number: int) -> np.ndarray:
    """Two rows of moments of one clip, a third of a second apart, by the first camera."""
    clip = Clip(seed, number, 100, people=(3, 5))
    row = [with_truth(render_scene(clip.scene(t), SIZE, (seed, t), color=True)[0]) for t in range(10, 90, 8)]
    return np.concatenate([np.concatenate(row[:5], 1), np.concatenate(row[5:10], 1)])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--seed", type=int, default=7, help="seed of the frames (default: 7)")
    parser.add_argument("--numbers", type=int, nargs="+", default=[0, 4], help="frames, or the clip (default: 0 4)")
    parser.add_argument("--motion", action="store_true", help="moments of a clip instead")
    args = parser.parse_args(argv)
    from PIL import Image

    sheet = motion_sheet(args.seed, args.numbers[0]) if args.motion else still_sheet(args.seed, args.numbers)
    try:
        with atomic_write(args.out, mode="wb") as file:
            # 128 colours: a third of the size, and the eye sees no difference at this scale.
            Image.fromarray(sheet).quantize(128).save(file, format="PNG", optimize=True)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {sheet.shape[1]}x{sheet.shape[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
