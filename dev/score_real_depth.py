"""Score depth networks on real depth frames that no training saw; figures for docs/depthpose/measurements.md.

    python dev/score_real_depth.py CONFIG WEIGHTS [--data ../shared/data/depth_real] [--out pictures]

DATA holds frames (.npy of uint16 millimetres, .mat with `depth` in metres, 16-bit .png) and below it, for frames with
labels, JSON files whose names the frames' end with: {"people": [[[x, y, joint, score], ..], ..]}. Found are people of
whom half of the joints lie within a quarter of the torso; others in labelled frames are false. Frames without labels
are drawn only.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[2] / "shared/data/depth_real"
# Names of the published depth networks' joints -> COCO's.
JOINTS = {
    f"{side}{theirs}": f"{side.lower()}_{ours}"
    for side in ("Left", "Right")
    for theirs, ours in (("Arm", "shoulder"), ("ForeArm", "elbow"), ("Hand", "wrist"),
                         ("UpLeg", "hip"), ("Leg", "knee"), ("Foot", "ankle"))
}  # fmt: skip
SCORE = 0.35  # people below are not counted


def read_frame(path: Path) -> np.ndarray:
    """(H, W) uint16 millimetres."""
    if path.suffix == ".mat":
        from scipy.io import loadmat

        metres = np.nan_to_num(loadmat(path)["depth"])
        return np.where((metres > 0) & (metres < 60), np.rint(1000 * metres), 0).astype(np.uint16)
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False).astype(np.uint16)
    from orplugins.depth.png import load_depth

    return load_depth(path)


def read_people(path: Path) -> np.ndarray | None:
    """(N, 17, 2) COCO joints, NaN where unknown; None without labels."""
    from orplugins.skeletons import COCO_17

    found = [p for p in path.parent.rglob("*.json") if path.stem.endswith(p.stem)]
    if not found:
        return None
    people = json.loads(found[0].read_text())["people"]
    out = np.full((len(people), 17, 2), np.nan)
    for person, joints in zip(out, people, strict=True):
        for x, y, name, *_ in joints:
            if name in JOINTS:
                person[COCO_17.index(JOINTS[name])] = x, y
    return out


def score(truth: np.ndarray, found: np.ndarray) -> tuple[int, int, int, int]:
    """People found, false people, joints within a quarter torso, joints of the labels."""
    shoulders, hips = truth[:, [5, 6]].mean(1), truth[:, [11, 12]].mean(1)
    torso = np.linalg.norm(shoulders - hips, axis=1)
    torso = np.where(np.isfinite(torso), torso, np.nanmedian(torso))
    near = np.linalg.norm(truth[:, None] - found[None], axis=-1) < torso[:, None, None] / 4  # NaN is not near
    known = np.isfinite(truth[..., 0]).sum(1)
    hits = near.sum(2) if found.size else np.zeros((len(truth), 0), int)
    used, right, joints = set(), 0, 0
    for person, mine in sorted(np.ndindex(hits.shape), key=lambda pair: -hits[pair]):
        if person in {p for p, _ in used} or mine in {f for _, f in used} or not hits[person, mine]:
            continue
        used.add((person, mine))
        right += hits[person, mine] >= known[person] / 2
        joints += int(hits[person, mine])
    return right, len(found) - right, joints, int(known.sum())


def main() -> int:
    """Print a row a frame and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("weights")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, help="folder for pictures")
    parser.add_argument("--json", type=Path, help="the figures as a file")
    parser.add_argument("--min-score", type=float, default=SCORE, help="of a person's mean joint score")
    args = parser.parse_args()
    frames = sorted(p for p in args.data.glob("*") if p.suffix in (".mat", ".npy", ".png"))
    if not frames:
        print(f"skipped: no depth frame in {args.data}")
        return 0
    import torch
    from mmcv.transforms import Compose
    from mmengine.dataset import pseudo_collate
    from mmengine.registry import init_default_scope
    from mmpose.apis import init_model

    import orplugins.mmpose.guard  # noqa: F401

    model = init_model(args.config, args.weights, device="cpu")
    init_default_scope("mmpose")
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    total, labelled = np.zeros(4, int), 0
    for path in frames:
        depth = read_frame(path)
        sample = pipeline(
            {"img": depth, "img_id": 0, "img_path": str(path), **model.dataset_meta, "bbox": np.zeros((1, 4))}
        )
        with torch.no_grad():
            people = model.test_step(pseudo_collate([sample]))[0].pred_instances
        xy, scores = np.array(people.keypoints), np.array(people.keypoint_scores)
        mean = np.array([s[s > 0].mean() if (s > 0).any() else 0 for s in scores])
        keep = mean >= args.min_score
        xy = np.where((scores > 0)[..., None], xy, np.nan)[keep]
        truth = read_people(path)
        if truth is None:
            print(f"{path.name}: {len(xy)} people, not labelled")
        else:
            row = score(truth, xy)
            total += row
            labelled += len(truth)
            print(f"{path.name}: {row[0]} of {len(truth)} people, {row[1]} false, {row[2]} of {row[3]} joints")
        if args.out:
            draw(args.out / f"{path.stem}.png", depth, xy)
    joints = 100 * total[2] / max(total[3], 1)
    print(f"labelled frames: {total[0]} of {labelled} people, {total[1]} false, joints {joints:.0f} %")
    if args.json:
        figures = {"frames": len(frames), "labelled people": labelled, "people found": int(total[0])}
        figures |= {"false people": int(total[1]), "joints within a quarter of the torso, %": round(joints, 1)}
        args.json.write_text(json.dumps(figures))
    return 0


def draw(path: Path, depth: np.ndarray, people: np.ndarray) -> None:
    """Write the depth image with the people on it."""
    from PIL import Image, ImageDraw

    from orplugins.skeletons import COCO_17

    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.clip(255 - (depth.astype(float) - 500) * 255 / 5500, 0, 255) * (depth > 0)
    image = Image.fromarray(grey.astype(np.uint8)).convert("RGB").resize((640, 480))
    scale = np.array([640, 480]) / depth.shape[::-1]
    pen = ImageDraw.Draw(image)
    for n, person in enumerate(people * scale):
        colour = [(230, 85, 13), (49, 130, 189), (49, 163, 84), (117, 107, 177), (214, 169, 0)][n % 5]
        for a, b in COCO_17.limbs:
            if np.isfinite(person[[a, b]]).all():
                pen.line([tuple(person[a]), tuple(person[b])], fill=colour, width=3)
    image.save(path)


if __name__ == "__main__":
    sys.exit(main())
