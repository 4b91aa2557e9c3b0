"""What is in a generated data set, next to what is known of MVOR: boxes, joints, cameras, and the generator's faults.

Example:
    python tools/make_or_dataset.py --out outputs/or --frames 200 --seed 9100 --depth-only --size 160x120
    python tools/dataset_statistics.py outputs/or

Reads the COCO file (and, for `--scenes`, puts the scenes of the same seed together again to measure interpenetration).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from orplugins.io.json_fields import load_json
from orplugins.synthetic.scene.scene import make_scene
from orplugins.synthetic.statistics import camera_table, joint_table, penetration_table

# Of the public annotation files of MVOR (Srivastav et al. 2018): counts and percentiles, no data.
MVOR = {
    "people a picture": "2.14",
    "patients a picture": "0.35",
    "box height, 5/25/50/75/95 % (px at 640x480)": "71/127/187/267/325",
    "camera height (m)": "2.4 to 2.7",
    "camera pitch (degrees)": "-35 to -40",
    "CAMMA joints seen/hidden/missing (%)": "78/20/2",
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a data set of tools/make_or_dataset.py")
    parser.add_argument("--scenes", type=int, default=100, help="scenes measured for interpenetration (default: 100)")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    args = parser.parse_args(argv)
    try:
        coco = load_json(args.folder / "annotations/coco17.json")
        mvor = load_json(args.folder / "annotations/mvor.json")
        parameters = load_json(args.folder / "parameters.json")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = {**joint_table(coco, mvor), **camera_table(coco)}
    rows["pictures with median depth below 1 m (%)"] = blocked(args.folder)
    count = min(args.scenes, parameters["frames"]) if not parameters["motion"] else 0
    if count:
        rows |= penetration_table(
            make_scene(
                parameters["seed"],
                parameters["start"] + i,
                people=tuple(parameters["people"]),
                views=parameters["views"],
                fixed_cameras=parameters["fixed_cameras"],
            )
            for i in range(count)
        )
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"| {name:<{width}} | {value:>24} | {MVOR.get(name, ''):>20} |")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def blocked(folder: Path) -> str:
    """Share of pictures that something near the camera fills, from the notes of the workers."""
    medians = [
        view["median_depth"]
        for path in sorted((folder / "annotations/frames").glob("*.json"))
        for record in load_json(path)
        for view in record["views"]
    ]
    return f"{100 * np.mean(np.array(medians) < 1.0):.1f}" if medians else "not known"


if __name__ == "__main__":
    sys.exit(main())
