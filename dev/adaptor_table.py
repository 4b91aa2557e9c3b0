"""Adapt the small AdaptOR network to a room of another look, with and without its parts; figures for docs/adaptor/.

    python dev/adaptor_table.py --out outputs/adaptor [--seeds 0 1] [--source-steps 1000] [--steps 60]

Generates a labelled source (theatres as they come), an unlabelled target (other rooms, clothes, light and cameras) and
a test set of the target; trains on the source; adapts once for each part that is left out and each seed; evaluates box,
keypoint and mask AP at 1x to 12x. A run that was stopped goes on with the same command. Below --out: table.md,
results.json, source/ and a folder a run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs/detectron2/adaptor"
SUPERVISED, ADAPT = CONFIGS / "adaptor_tiny.yaml", CONFIGS / "adaptor_tiny_adapt.yaml"
LOOK = ("--variety", "rooms", "clothes", "textures", "pictures")
SETS = {  # frames (of three views), seed, further options
    "source": (220, 101, ("--cameras", "varied")),
    "target": (200, 103, LOOK),
    "target_test": (12, 104, LOOK),
}
NO_TARGET = {f"UDA.LAMBDA_U{part}": 0.0 for part in ("", "_KEYPOINT", "_MASK")}
VARIANTS: dict[str, dict] = {
    # What further steps and strong views of the source do by themselves: the target's losses weigh nothing.
    "source and its strong views": {"MODEL.USE_SPLIT_GROUP_NORM": False, **NO_TARGET},
    "adapted": {},
    "without split norm": {"MODEL.USE_SPLIT_GROUP_NORM": False},
    "without own geometry": {"UDA.APPLY_GEOMETRIC_TRANSFORM": False},
    "without low resolution": {"UDA.APPLY_LOW_RES_RESIZE": False},
}
BOUND = "with the target's labels"
SCALARS = ("labels_per_picture", "pictures_without_label", "joints_above_threshold", "fallback_steps")


def make_sets(out: Path) -> dict[str, Path]:
    """Generate what is not there yet; returns a folder a set."""
    places = {name: out / "sets" / name for name in SETS}
    for name, (frames, seed, options) in SETS.items():
        if not (places[name] / "annotations/coco17_color.json").is_file():
            command = ["tools/make_or_dataset.py", "--out", places[name], "--frames", frames, "--seed", seed]
            command += ["--size", "320x240", "--masks", *options]
            print(" ".join(map(str, command)), flush=True)
            subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True)
    return places


def entries(places: dict[str, Path]) -> list[str]:
    """The sets as a config names them: the target as pictures, and (for scores) with its labels."""
    labelled = [f"{name}={place}/annotations/coco17_color.json,{place}" for name, place in places.items()]
    labelled[1] = "target_labelled" + labelled[1].removeprefix("target")
    return [*labelled, f"target={places['target']}/day1/cam*/color"]


def train(config: Path, out: Path, options: dict) -> Path:
    """Train, or go on; returns the last checkpoint."""
    last = out / "model_final.pth"
    if last.is_file():
        return last
    from detectron2.utils.logger import setup_logger

    from orplugins.adaptor.detectron2.trainer import AdaptorTrainer, read_config

    out.mkdir(parents=True, exist_ok=True)
    options = {"MODEL.DEVICE": "cpu", "OUTPUT_DIR": str(out), **options}
    cfg = read_config(str(config), [word for pair in options.items() for word in pair])
    for name in ("detectron2", "fvcore", "orplugins"):
        setup_logger(str(out), name=name)
    trainer = AdaptorTrainer(cfg)
    trainer.resume_or_load(resume=True)
    trainer.train()
    return last


def evaluate(config: Path, weights: Path, options: dict) -> dict[str, dict[str, float]]:
    """AP by factor."""
    from detectron2.modeling import build_model

    from orplugins.adaptor.detectron2.evaluation import evaluate_ladder
    from orplugins.adaptor.detectron2.trainer import read_config
    from orplugins.hosts.detectron2.checkpoint import load_weights

    options = {"MODEL.DEVICE": "cpu", **options}
    cfg = read_config(str(config), [word for pair in options.items() for word in pair])
    model = build_model(cfg).eval()
    load_weights(model, str(weights))
    return {f"{factor:g}": row for factor, row in evaluate_ladder(cfg, model, "target_test").items()}


def scalars(out: Path) -> dict[str, float]:
    """Means of what a run logged about its labels; of what is counted the last."""
    rows = [json.loads(line) for line in (out / "metrics.json").read_text().splitlines()]
    found = {}
    for name in SCALARS:
        values = [row[f"adaptor/{name}"] for row in rows if f"adaptor/{name}" in row]
        if values:
            found[name] = values[-1] if name == "fallback_steps" else float(np.mean(values))
    return found


class Results:
    """What was measured so far, kept in a file.

    Args:
        out: Folder.
    """

    def __init__(self, out: Path):
        self.out, self.file = out, out / "results.json"
        self.rows: dict[str, dict] = json.loads(self.file.read_text()) if self.file.is_file() else {}

    def add(self, name: str, seed: int | None, factors: dict, logged: dict) -> None:
        """Note a row, and write file and table."""
        from orplugins.io.atomic import atomic_write, write_json

        self.rows[f"{name}/{seed}"] = {"name": name, "seed": seed, "factors": factors, "logged": logged}
        write_json(self.file, self.rows, indent=1)
        with atomic_write(self.out / "table.md") as file:
            file.write(self.table())

    def table(self) -> str:
        """A row a variant: AP of boxes, joints and masks by factor, means over seeds and their span."""
        from orplugins.io.tables import markdown_table

        groups: dict[str, list[dict]] = {}
        for row in self.rows.values():
            groups.setdefault(row["name"], []).append(row)
        factors = list(next(iter(self.rows.values()))["factors"])
        titles = list(next(iter(self.rows.values()))["factors"][factors[0]])
        parts = []
        for title in titles:
            lines = []
            for name, rows in groups.items():
                cells = [np.array([row["factors"][factor][title] for row in rows]) for factor in factors]
                lines.append([name, str(len(rows)), *(span(values) for values in cells)])
            parts += [title, "", markdown_table([title, "runs", *(f"{f}x" for f in factors)], lines), ""]
        logged = [
            [name, *(span(100 ** (key[0] in "pj") * np.array([row["logged"].get(key, np.nan) for row in rows]))
             for key in SCALARS)]
            for name, rows in groups.items() if rows[0]["logged"]
        ]  # fmt: skip
        if logged:
            heads = ["run", "labels a picture", "pictures without label, %", "joints above threshold, %", "short steps"]
            parts += [markdown_table(heads, logged), ""]
        return "\n".join(parts)


def span(values: np.ndarray) -> str:
    """A mean, with the least and the greatest where there are several."""
    mean = f"{values.mean():.1f}"
    return mean if len(values) == 1 else f"{mean} ({values.min():.1f} to {values.max():.1f})"


def main() -> int:
    """Do what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--source-steps", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=60, help="of an adaptation (default: 60)")
    parser.add_argument("--variants", nargs="+", choices=(*VARIANTS, BOUND), default=(*VARIANTS, BOUND))
    args = parser.parse_args()

    import torch

    torch.set_num_threads(1)
    out = args.out.resolve()
    sets = {"ORPLUGINS.ADAPTOR.SETS": entries(make_sets(out))}
    results = Results(out)
    one = {**sets, "DATASETS.TRAIN": ("source",), "SOLVER.MAX_ITER": args.source_steps}
    source = train(SUPERVISED, out / "source", one)
    if "source only/None" not in results.rows:
        results.add("source only", None, evaluate(SUPERVISED, source, sets), {})
    base = {**sets, "MODEL.WEIGHTS": str(source), "SOLVER.MAX_ITER": args.steps}
    # A short run's teacher has to be faster than a long one's: it forgets in a third of the run.
    decay = {"SOLVER.EMA_DECAY": 1 - 3 / args.steps}
    for seed in args.seeds:
        for name in filter(VARIANTS.__contains__, args.variants):
            changes = VARIANTS[name]
            folder = out / f"{name.replace(' ', '_')}_{seed}"
            names = {"DATASETS.TRAIN_LBL": ("source",), "DATASETS.TRAIN_UNLBL": ("target",)}
            last = train(ADAPT, folder, {**base, **decay, **names, **changes, "SEED": seed})
            tests = (
                {"": {}}
                if changes
                else {", target's pair": {}, ", source's pair": {"ORPLUGINS.ADAPTOR.INFER_BRANCH": "main"}}
            )
            for kind, test in tests.items():
                if f"{name}{kind}/{seed}" not in results.rows:
                    found = evaluate(ADAPT, last, {**sets, **changes, **test})
                    results.add(name + kind, seed, found, scalars(folder))
    if BOUND in args.variants:
        names = {"DATASETS.TRAIN": ("source", "target_labelled"), "SOLVER.BASE_LR": 0.0003, "SOLVER.WARMUP_ITERS": 10}
        last = train(SUPERVISED, out / "target_labels", {**base, **names})
        if f"{BOUND}/None" not in results.rows:
            results.add(BOUND, None, evaluate(SUPERVISED, last, sets), {})
    print(results.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
