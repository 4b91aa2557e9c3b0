"""Make a small weights file of a training checkpoint, with a card that says where it comes from.

Example:
    python dev/export_weights.py work_dirs/depthpose_tiny-64x48/epoch_12.pth \\
        --config configs/mmpose/depthpose/depthpose_tiny-64x48.py --out demo/depthpose_tiny-64x48.safetensors \\
        --note "1200 generated frames, seed 1, 320x240" --metrics outputs/demo/metrics.json \\
        --log work_dirs/depthpose_tiny-64x48/20260101_000000/vis_data/scalars.json

Keeps the parameters (float16, safetensors) without optimiser, logs and training-only layers. mmpose's and detectron2's
stock tools load the file once a model of the project is built; `orplugins.io.weights` reads it anywhere.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from orplugins.io.atomic import atomic_write
from orplugins.io.files import read_text
from orplugins.io.json_fields import load_json
from orplugins.io.weights import read_weights, tensors_of, write_weights

TRAINING_ONLY = ("head.reconstruction.",)


def parameters(content: dict, path: Path) -> dict:
    """The tensors by name of what mmengine's runner ("state_dict") or detectron2's checkpointer ("model") saved."""
    found = [key for key in ("state_dict", "model") if isinstance(content.get(key), dict)]
    if not found:
        raise ValueError(f"{path}: found the fields {', '.join(map(str, content))}, expected 'state_dict' or 'model'")
    state = tensors_of(content, found[0], (found[0],))
    return {name: value for name, value in state.items() if not name.startswith(TRAINING_ONLY)}


def card(name: str, count: int, meta: dict) -> str:
    """A Markdown page about the file."""
    known = {
        "config": f"`{meta['config']}`",
        "parameters": f"{count:,}, float16",
        "trained on": meta["note"],
        "epochs": meta["epoch"],
        "iterations": meta["iteration"],
        "seed": meta["seed"],
        "commit": f"`{meta['commit']}`",
        **{key: f"{value:.1f}" for key, value in meta["metrics"].items()},
    }
    rows = [f"| {key} | {value} |" for key, value in known.items() if value not in (None, "")]
    return "\n".join([f"# {name}", "", "| | |", "|---|---|", *rows, ""])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="checkpoint of mmengine's runner or of detectron2")
    parser.add_argument("--config", type=Path, required=True, help="the config it was trained with")
    parser.add_argument("--out", type=Path, required=True, help="weights file (.safetensors); the card is .md")
    parser.add_argument("--note", default="", help="what it was trained on")
    parser.add_argument("--metrics", type=Path, help="JSON of metrics, as tools/test.py --out writes")
    parser.add_argument("--commit", help="that generated and trained, where it is not the present one")
    parser.add_argument(
        "--log",
        type=Path,
        help="the training's scalars (vis_data/scalars.json, metrics.json): kept as OUT's name with .log.json",
    )
    args = parser.parse_args(argv)
    if args.out.suffix != ".safetensors":
        parser.error(f"--out: found {args.out}, expected a .safetensors file")
    try:
        content = read_weights(args.checkpoint)
        metrics = load_json(args.metrics) if args.metrics else {}
        state = parameters(content, args.checkpoint)
        log = read_text(args.log, "a training's scalars") if args.log else None
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    head = args.commit or "HEAD"
    commit = subprocess.run(["git", "rev-parse", head], capture_output=True, text=True).stdout.strip()
    trained = content.get("meta", {})
    meta = dict(
        config=args.config.as_posix(),
        commit=commit,
        note=args.note,
        epoch=trained.get("epoch"),
        iteration=trained.get("iter", content.get("iteration")),
        seed=trained.get("seed"),
        metrics=metrics,
    )
    count = sum(value.numel() for value in state.values())
    try:
        write_weights(args.out, state, meta)
        if log is not None:
            with atomic_write(args.out.with_suffix(".log.json")) as file:
                file.write(log)
        with atomic_write(args.out.with_suffix(".md")) as file:
            file.write(card(args.out.stem, count, meta))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {count:,} parameters, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
