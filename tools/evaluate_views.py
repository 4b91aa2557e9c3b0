"""AP, PCK and joint states of a pose network on whole people and on views of parts of them.

Example:
    python tools/evaluate_views.py --data data/partial_people/val --out views.json \\
        --config configs/mmpose/partial_body/vitpose-t_people-states_128x96.py --checkpoint epoch_7.pth

The views are the files below DIR/annotations, as tools/make_partial_views.py writes them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.io.atomic import write_json
from orplugins.partial_body.view_sets import VIEWS

COLUMNS = ("coco/AP", "coco/AP .5", "PCK", "state/accuracy", "state/balanced")


def evaluate(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    import torch
    from mmengine.dataset import pseudo_collate
    from mmengine.evaluator import Evaluator
    from mmpose.apis import init_model
    from mmpose.registry import DATASETS
    from tqdm import tqdm

    model = init_model(str(args.config), str(args.checkpoint), device=args.device)
    loader = model.cfg.test_dataloader
    table = {}
    for view in args.views:
        truth = args.data / f"annotations/{view}.json"
        if not truth.is_file():
            raise FileNotFoundError(f"{truth}: no such file, expected the annotations of the view '{view}'")
        where = {"data_root": "", "ann_file": str(truth), "data_prefix": {"img": str(args.data / "images")}}
        dataset = DATASETS.build({**loader.dataset, **where})
        evaluator = Evaluator(
            [{**e, "ann_file": str(truth)} if "ann_file" in e else dict(e) for e in model.cfg.test_evaluator]
        )
        evaluator.dataset_meta = dataset.metainfo
        for start in tqdm(range(0, len(dataset), loader.batch_size), desc=view, file=sys.stderr):
            batch = pseudo_collate([dataset[k] for k in range(start, min(start + loader.batch_size, len(dataset)))])
            with torch.no_grad():
                evaluator.process(data_samples=model.test_step(batch), data_batch=batch)
        table[view] = {"people": len(dataset), **evaluator.evaluate(len(dataset))}
    return table


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the views")
    parser.add_argument("--views", nargs="+", default=list(VIEWS), help="default: " + " ".join(VIEWS))
    parser.add_argument("--out", type=Path, metavar="JSON", help="write all numbers there")
    add_device_option(parser)
    args = parser.parse_args(argv)
    try:
        table = evaluate(args)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    columns = [name for name in COLUMNS if name in next(iter(table.values()))]
    print("| view | people | " + " | ".join(columns) + " |\n" + "|---" * (2 + len(columns)) + "|")
    for view, row in table.items():
        print(f"| {view} | {row['people']} | " + " | ".join(f"{row[name]:.3f}" for name in columns) + " |")
    if args.out:
        write_json(args.out, table, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
