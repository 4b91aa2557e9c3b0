"""Evaluation of a partial-body pose network, which mmpose runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmpose.apis import init_model
from mmpose.registry import DATASETS
from tqdm import tqdm

from orplugins.device import choose_device
from orplugins.hosts.mmpose.topdown import read_test_config
from orplugins.io.atomic import write_json
from orplugins.io.checkpoint_safety import check_checkpoint
from orplugins.io.coco_annotations import read_annotations
from orplugins.io.files import require_file
from orplugins.io.run_folder import require_writable
from orplugins.partial_body.view_sets import VIEWS


def evaluate_views(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    data: str | os.PathLike,
    views: Sequence[str] = VIEWS,
    out: str | os.PathLike | None = None,
    device: str = "auto",
) -> dict[str, dict[str, float]]:
    """Evaluate a pose network on whole people and on views of parts of them.

    Args:
        config: mmpose's configuration; its test data set and evaluators are used.
        checkpoint: The weights.
        data: Folder of `orplugins.partial_body.view_sets.write_views`.
        views: Names of the views.
        out: A file for all numbers; None writes none.
        device: See `orplugins.device.choose_device`.

    Returns:
        By view: ``people`` and the evaluators' metrics.

    Raises:
        FileNotFoundError: A view's annotations, the config or the weights are missing.
        ValueError: A file does not fit, or the weights are damaged or hold code.
    """
    data = Path(data)
    truths = {view: data / f"annotations/{view}.json" for view in views}
    for view, truth in truths.items():
        if not truth.is_file():
            raise FileNotFoundError(f"{truth}: no such file, expected the annotations of the view '{view}'")
        read_annotations(truth, "any", data / "images")
    require_file(config, "a config of mmpose")
    check_checkpoint(checkpoint)
    if out:
        require_writable(Path(out).parent)
    model = init_model(read_test_config(config), str(checkpoint), device=choose_device(device))
    loader, table = model.cfg.test_dataloader, {}
    for view, truth in truths.items():
        where = {"data_root": "", "ann_file": str(truth), "data_prefix": {"img": str(data / "images")}}
        dataset = DATASETS.build({**loader.dataset, **where})
        evaluator = Evaluator(
            [{**e, "ann_file": str(truth)} if "ann_file" in e else dict(e) for e in model.cfg.test_evaluator]
        )
        evaluator.dataset_meta = dataset.metainfo
        for start in tqdm(range(0, len(dataset), loader.batch_size), desc=view):
            batch = pseudo_collate([dataset[k] for k in range(start, min(start + loader.batch_size, len(dataset)))])
            with torch.no_grad():
                evaluator.process(data_samples=model.test_step(batch), data_batch=batch)
        table[view] = {"people": len(dataset), **evaluator.evaluate(len(dataset))}
    if out:
        write_json(out, table, indent=1)
    return table
