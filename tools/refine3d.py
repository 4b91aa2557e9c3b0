"""3D poses in metres from 2D poses of any estimator, aligned depth images and the camera's intrinsics.

Example:

    python tools/refine3d.py --poses detections.json --depth recording/depth --camera camera.json --out outputs/poses3d

--poses   a COCO result list, a COCO annotation file, or a folder of OpenPose's NAME_keypoints.json (17, 18, 25, 10 or
          15 joints a person; any number of people a frame)
--depth   a folder of 16-bit PNGs in millimetres: NAME.png, or for numbered frames the number with any leading zeros
--camera  {"fx": 535.1, "fy": 534.8, "cx": 319.5, "cy": 239.5, "size": [640, 480]}, optionally distortion (five numbers)

Writes poses3d.json, poses3d.npz, pictures (--pictures) and a GIF (--animate) to --out. Points are in the camera's axes:
x right, y down, z forward. A frame that cannot be used is reported, the others are done, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.depth.png import load_depth
from orplugins.device import add_device_option
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.camera_file import load_camera
from orplugins.io.pose2d import load_pose2d
from orplugins.skeletons import ITOP_15

ROOT = Path(__file__).resolve().parents[1]
CONFIG, WEIGHTS = ROOT / "configs/mmpose/refinet/refinet-lift-bc_or.py", ROOT / "demo/refinet_or-bc.safetensors"


def depth_file(folder: Path, name: str) -> Path:
    """NAME.png, else the only file whose stem is the same number."""
    path = folder / f"{name}.png"
    if path.is_file():
        return path
    same = [p for p in folder.glob("*.png") if name.isdigit() and p.stem.isdigit() and int(p.stem) == int(name)]
    if len(same) != 1:
        raise FileNotFoundError(f"{path}: no such file, expected the depth image of frame {name}")
    return same[0]


def record(name: str, result) -> dict:
    """A frame of poses3d.json."""
    people = []
    for k in range(len(result.points)):
        people.append(
            {
                "keypoints_3d": np.round(result.points[k], 4).tolist(),
                "keypoints": np.round(result.pixels[k], 2).tolist(),
                "valid": result.valid[k].tolist(),
                "hidden": result.hidden[k].tolist(),
                "confidence": np.round(result.confidence[k], 4).tolist(),
            }
        )
    return {"frame": name, "people": people}


def save_npz(path: Path, names: list[str], results: list) -> None:
    """People of all frames one after the other; `frame` says which of `frames` each belongs to."""
    counts = [len(result.points) for result in results]
    shapes = {
        "points": (15, 3),
        "plain": (15, 3),
        "pixels": (15, 2),
        "valid": (15,),
        "hidden": (15,),
        "confidence": (15,),
    }
    arrays = {
        key: np.concatenate([np.reshape(getattr(result, key), (-1, *shape)) for result in results])
        for key, shape in shapes.items()
    }
    with atomic_write(path, "wb") as file:
        np.savez(file, frames=np.array(names), frame=np.repeat(np.arange(len(names)), counts), **arrays)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", required=True, type=Path)
    parser.add_argument("--depth", required=True, type=Path)
    parser.add_argument("--camera", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path, help="folder")
    parser.add_argument("--config", type=Path, default=CONFIG, help="of the chain")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="of the chain (refinet_files.py merge-weights)")
    parser.add_argument("--plain", action="store_true", help="only lift, without networks")
    parser.add_argument("--min-score", type=float, default=0.0, help="2D joints below it are missing")
    add_device_option(parser)
    parser.add_argument("--pictures", type=int, default=8, help="frames to draw (default: 8)")
    parser.add_argument("--animate", action="store_true", help="write poses3d.gif of all frames")
    args = parser.parse_args(arguments)

    from tqdm import tqdm

    from orplugins.refinet.chain import RefineChain
    from orplugins.refinet.refiner import Refiner3D
    from orplugins.viz.depth_figures import draw_frame, save_animation

    try:
        camera, frames = load_camera(args.camera), load_pose2d(args.poses)
        if args.plain:
            chain = RefineChain(lifting=dict(window="pixel", holes="person"))
        else:
            from orplugins.refinet.mmpose.load import load_refine_chain

            chain = load_refine_chain(args.config, args.weights, args.device)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    refiner = Refiner3D(chain, camera, args.min_score)
    names, results, failed = [], [], 0
    for frame in tqdm(frames, unit="frame"):
        try:
            depth = load_depth(depth_file(args.depth, frame.frame), size=camera.size)
            result = refiner(depth, frame.keypoints, frame.skeleton)
            if len(names) < args.pictures:
                draw_frame(args.out / f"{frame.frame}.png", depth, result, ITOP_15, frame.frame)
        except (ValueError, OSError) as error:
            print(f"error: frame {frame.frame}: {error}", file=sys.stderr)
            failed += 1
            continue
        names.append(frame.frame)
        results.append(result)
    if not results:
        print("error: no frame could be used", file=sys.stderr)
        return 1
    content = {
        "skeleton": ITOP_15.name,
        "joints": list(ITOP_15.joints),
        "unit": "metres",
        "axes": "camera: x right, y down, z forward",
        "frames": [record(*pair) for pair in zip(names, results, strict=True)],
    }
    write_json(args.out / "poses3d.json", content)
    save_npz(args.out / "poses3d.npz", names, results)
    if args.animate:
        save_animation(args.out / "poses3d.gif", results, ITOP_15, names)
    people = sum(len(result.points) for result in results)
    print(
        f"{len(results)} frames, {people} people -> {args.out / 'poses3d.json'}, {args.out / 'poses3d.npz'}"
        + (f"; {failed} frames failed" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
