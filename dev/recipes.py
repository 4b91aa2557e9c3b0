"""How each shipped file of weights is made: the commands, in order, that lead from nothing to it.

``{python}``, ``{workers}`` (processes that generate), ``{device}`` (cpu or cuda), ``{data}`` and ``{runs}`` (folders)
and ``{mmpose}`` (folder of mmpose's scripts) are filled in by dev/train_shipped.py. A command that two recipes share,
such as one that generates a set, is run once.
"""

from __future__ import annotations

_MAKE = "{python} tools/make_or_dataset.py --workers {workers}"
_EXPORT = "{python} dev/export_weights.py"

_DEPTH_SIZE = "--depth-only --size 160x120"
_VARIED = f"--views 1 {_DEPTH_SIZE} --variety all --people 0-5"
_DEPTH_VAL = f"{_MAKE} --out {{data}}/depth_val --frames 24 --seed 2 {_DEPTH_SIZE}"
_DEPTH_OPTIONS = (
    "randomness.seed=0 train_dataloader.num_workers=0 train_dataloader.persistent_workers=False"
    " val_dataloader.num_workers=0 val_dataloader.persistent_workers=False"
    " test_dataloader.num_workers=0 test_dataloader.persistent_workers=False"
    " val_dataloader.dataset.data_root={data}/depth_val/ test_dataloader.dataset.data_root={data}/depth_val/"
    " val_evaluator.ann_file={data}/depth_val/annotations/mvor.json"
    " test_evaluator.ann_file={data}/depth_val/annotations/mvor.json"
)


def _depth(config: str, run: str, data: str, options: str = "") -> str:
    return (
        f"{{python}} {{mmpose}}/train.py configs/mmpose/depthpose/{config}.py --resume --work-dir {{runs}}/{run}"
        f" --cfg-options train_dataloader.dataset.data_root={{data}}/{data}/ {_DEPTH_OPTIONS} {options}"
    ).rstrip()


RECIPES: dict[str, tuple[str, ...]] = {
    "depthpose_tiny-64x48": (
        f"{_MAKE} --out {{data}}/depth_theatre --frames 1300 --seed 1 {_DEPTH_SIZE} --cameras varied",
        _DEPTH_VAL,
        _depth("depthpose_tiny-64x48", "depthpose_tiny", "depth_theatre"),
        f"{_EXPORT} {{runs}}/depthpose_tiny/epoch_6.pth --config configs/mmpose/depthpose/depthpose_tiny-64x48.py"
        " --out {runs}/depthpose_tiny-64x48.safetensors",
    ),
    # The theatre alone, then two rounds over images of every kind.
    "depthpose_small-64x48": (
        f"{_MAKE} --out {{data}}/depth_theatre --frames 1300 --seed 1 {_DEPTH_SIZE} --cameras varied",
        f"{_MAKE} --out {{data}}/depth_varied_1 --frames 4500 --seed 1 {_VARIED}",
        f"{_MAKE} --out {{data}}/depth_varied_3 --frames 6500 --seed 3 {_VARIED}",
        _DEPTH_VAL,
        _depth("depthpose_small-64x48", "depthpose_small", "depth_theatre"),
        _depth(
            "depthpose_small-64x48_varied",
            "depthpose_small_1",
            "depth_varied_1",
            "load_from={runs}/depthpose_small/epoch_8.pth",
        ),
        _depth(
            "depthpose_small-64x48_varied",
            "depthpose_small_2",
            "depth_varied_3",
            "load_from={runs}/depthpose_small_1/epoch_6.pth optim_wrapper.optimizer.lr=1.2e-3",
        ),
        "{python} dev/average_checkpoints.py {runs}/depthpose_small_2/epoch_4.pth {runs}/depthpose_small_2/epoch_5.pth"
        " {runs}/depthpose_small_2/epoch_6.pth --out {runs}/depthpose_small_2/average.pth",
        f"{_EXPORT} {{runs}}/depthpose_small_2/average.pth --config configs/mmpose/depthpose/depthpose_small-64x48.py"
        " --out {runs}/depthpose_small-64x48.safetensors",
    ),
}
