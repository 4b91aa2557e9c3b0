"""How many labelled pictures fine-tuning needs: 0, 10, 30, 100 of a generated room that no training saw.

Example:
    python dev/learning_curves.py depthpose --out outputs/curves --pictures 10 30 100

A room under one fixed camera is rendered; its first pictures with people are the labelled ones, 60 later ones the test
file. Each row is one run of `orplugins finetune`, which holds a fifth of the labelled pictures out and chooses by them;
the test file is scored with what a user then has: the fine-tuned weights, or the start where nothing better was found.
The same command goes on after an interruption. Writes METHOD.md and METHOD.json.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from orplugins.cli.finetune import METHODS, NO_BETTER
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.json_fields import load_json
from orplugins.io.tables import markdown_table
from orplugins.partial_body.detector_set import CATEGORY_OF_ROLE
from orplugins.synthetic.pipeline import make_dataset

TEST_FROM = 100  # the test file's first picture, also where fewer are labelled
ROOM = 2026  # the seed; no shipped network was trained or tested on it
DEPTH, COLOUR = (160, 120), (320, 240)


def room(out: Path, color: bool, pictures: int, test: int) -> Path:
    """Render the room, or go on; returns its folder."""
    folder = out / ("colour" if color else "depth")
    size = COLOUR if color else DEPTH
    # A tenth more: in some pictures nobody is seen.
    frames = round(1.1 * (pictures + test))
    make_dataset(folder, frames, seed=ROOM, size=size, views=1, fixed_cameras=True, color=color)
    return folder


def labels(folder: Path, color: bool, boxes: bool) -> dict:
    """The room's COCO file without pictures that show nobody; with ``boxes`` patients and users are its categories."""
    data = load_json(folder / "annotations" / ("coco17_color.json" if color else "coco17.json"))
    people = [{**person, "area": max(person["area"], 1)} for person in data["annotations"]]
    if boxes:
        keys = ("id", "image_id", "bbox", "area", "iscrowd")
        people = [{k: p[k] for k in keys} | {"category_id": CATEGORY_OF_ROLE[p["person_role"]]} for p in people]
        data["categories"] = [{"id": 1, "name": "patient"}, {"id": 2, "name": "user"}]
    seen = {person["image_id"] for person in people}
    images = [image for image in data["images"] if image["id"] in seen]
    return {"images": images, "annotations": people, "categories": data["categories"]}


def part(data: dict, images: list[dict], path: Path) -> Path:
    """Write some of the pictures as a COCO file, unless it is there."""
    ids = {image["id"] for image in images}
    people = [person for person in data["annotations"] if person["image_id"] in ids]
    content = {**data, "images": images, "annotations": people}
    if not (path.is_file() and load_json(path) == content):
        write_json(path, content)
    return path


def run(method: str, folder: Path, file: Path, test: Path, out: Path, options: list[str]) -> dict:
    """One run of the command; returns its results.json."""
    size = ["--size", "{}x{}".format(*COLOUR)] if method == "orpose-color" else []
    command = [sys.executable, "-m", "orplugins", "finetune", method, file, "--images", folder, "--out", out]
    done = subprocess.run([*map(str, command), "--test", str(test), *size, *options])
    if done.returncode not in (0, NO_BETTER):
        raise RuntimeError(f"{out}: the command exited with {done.returncode}")
    return load_json(out / "results.json")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--out", type=Path, required=True, help="folder for the room, the runs and the table")
    parser.add_argument("--pictures", type=int, nargs="+", default=[10, 30, 100], help="numbers of labelled pictures")
    parser.add_argument("--test", type=int, default=60, help="pictures of the test file (default: 60)")
    parser.add_argument("--iterations", help="of the command (default: its own)")
    args = parser.parse_args(argv)
    options = ["--iterations", args.iterations] if args.iterations else []
    color, most = args.method != "depthpose", max(*args.pictures, TEST_FROM)
    try:
        folder = room(args.out, color, most, args.test)
        data = labels(folder, color, args.method == "partial-body-detector")
        work = args.out / args.method
        test = part(data, data["images"][most : most + args.test], work / "test.json")
        rows, found = [], {}
        for count in sorted(args.pictures):
            file = part(data, data["images"][:count], work / f"{count}.json")
            result = run(args.method, folder, file, test, work / str(count), options)
            found[0], found[count] = result["test_before"], result["test_after" if result["better"] else "test_before"]
            rows.append([count, "" if result["better"] else "no better", *(f"{v:.1f}" for v in found[count].values())])
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    first = [0, "", *(f"{value:.1f}" for value in found[0].values())]
    table = markdown_table(["labelled pictures", "", *found[0]], [first, *rows])
    write_json(args.out / f"{args.method}.json", {str(count): row for count, row in sorted(found.items())}, indent=1)
    with atomic_write(args.out / f"{args.method}.md") as file:
        file.write(table + "\n")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
