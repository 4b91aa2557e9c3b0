"""Make a small weights file of a training checkpoint, with a card that says where it comes from.

Example:
    python tools/export_weights.py work_dirs/depthpose_tiny-64x48/epoch_12.pth \\
        --config configs/mmpose/depthpose/depthpose_tiny-64x48.py --out demo/depthpose_tiny-64x48.pth \\
        --note "1200 generated frames, seed 1, 320x240" --metrics outputs/demo/metrics.json

Keeps the parameters (float16) without optimiser, logs and training-only layers; any host loads the file as it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from orplugins.checkpoints.safety import check_checkpoint
from orplugins.io.atomic import atomic_write

TRAINING_ONLY = ("head.reconstruction.",)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="checkpoint of mmengine's runner")
    parser.add_argument("--config", type=Path, required=True, help="the config it was trained with")
    parser.add_argument("--out", type=Path, required=True, help="weights file (.pth); the card gets the suffix .md")
    parser.add_argument("--note", default="", help="what it was trained on")
    parser.add_argument("--metrics", type=Path, help="JSON of metrics, as tools/test.py --out writes")
    args = parser.parse_args(argv)
    try:
        check_checkpoint(args.checkpoint)
        metrics = json.loads(args.metrics.read_text()) if args.metrics else {}
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1

    import torch

    checkpoint = torch.load(args.checkpoint, map_location="cpu", weights_only=False)  # looked into above
    state = {k: v.half() if v.is_floating_point() else v for k, v in checkpoint["state_dict"].items()
             if not k.startswith(TRAINING_ONLY)}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    meta = dict(config=args.config.as_posix(), commit=commit, note=args.note, epoch=checkpoint["meta"]["epoch"],
                seed=checkpoint["meta"]["seed"], metrics=metrics)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(args.out, mode="wb") as file:
        torch.save(dict(state_dict=state, meta=meta), file)
    count = sum(v.numel() for v in state.values())
    rows = "\n".join(f"| {key} | {value:.1f} |" for key, value in metrics.items())
    with atomic_write(args.out.with_suffix(".md")) as file:
        file.write(f"""# {args.out.stem}

| | |
|---|---|
| config | `{meta["config"]}` |
| parameters | {count:,}, float16 |
| trained on | {args.note} |
| epochs | {meta["epoch"]} |
| seed | {meta["seed"]} |
| commit | `{commit}` |
{rows}
""")
    print(f"{args.out}: {count:,} parameters, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
