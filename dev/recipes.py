"""How each shipped file of weights is made: the commands, in order, that lead from nothing to it.

``{root}`` (the repository's), ``{python}``, ``{workers}`` (processes that generate), ``{device}`` (cpu or cuda),
``{data}`` and ``{runs}`` (folders) and ``{mmpose}`` (folder of mmpose's scripts) are filled in by dev/train_shipped.py.
A command that two recipes share, such as one that generates a set, is run once.
"""

from __future__ import annotations

from collections.abc import Iterable

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


# Not load_from: together with --resume, mmengine would go on from that training's last step.
START = "model.init_cfg.type=Pretrained model.init_cfg.checkpoint="


def depth_training(config: str, run: str, data: str | None, options: str = "") -> str:
    """A training of a depth network on a set; None where `options` say which."""
    source = f"train_dataloader.dataset.data_root={{data}}/{data}/ " if data else ""
    return (
        f"{{python}} {{mmpose}}/train.py configs/mmpose/depthpose/{config}.py --resume --work-dir {{runs}}/{run}"
        f" --cfg-options {source}{_DEPTH_OPTIONS} {options}"
    ).rstrip()


_COLOUR = f"{_MAKE} --size 320x240"
_LITE0 = "configs/detectron2/orpose_color/orpose_lite0.yaml"
_COLOUR_TRUTH = "annotations/coco17_color.json"
# Name: how it is made, how many cameras it has. The theatre, the same in all colours and lights, scenes of all kinds.
_COLOUR_SETS = {
    "theatre": ("--frames 250 --seed 11 --cameras varied", 3),
    "looks": ("--frames 300 --seed 21 --cameras varied --variety clothes textures pictures --people 1-6", 3),
    "varied0": ("--frames 800 --seed 31 --views 1 --variety all --people 0-5", 1),
    "varied1": ("--frames 800 --start 800 --seed 31 --views 1 --variety all --people 0-5", 1),
}
_COLOUR_DATA = tuple(f"{_COLOUR} --out {{data}}/color_{name} {how}" for name, (how, _) in _COLOUR_SETS.items())


def _color_truth(name: str) -> str:
    return f"{{data}}/color_{name}/{_COLOUR_TRUTH}"


def _names(sets: Iterable[str]) -> str:
    return ",".join(f"'{name}'" for name in sets) + ","


def _student(run: str, sets: tuple[str, ...], options: str, labelled: bool = False) -> str:
    """A training of the colour student; without a teacher's labels of the hard 2D branch alone, on the truth."""
    files = {name: f"{{runs}}/labels/{name}.json" if labelled else _color_truth(name) for name in sets}
    named = ";".join(f"{name}={file},{{data}}/color_{name}" for name, file in files.items())
    weight = "MODEL.ROI_KEYPOINTS3D_HEAD.LOSS_WEIGHT_"
    branches = f"{weight}2DKEYPOINTS_SOFT 0.0 {weight}3D_HARD 0.0 {weight}3D_SOFT 0.0"
    # 16 regions with a person among 32 in the first two trainings, among 64, as the config has it, in the last.
    first = "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE 32 MODEL.ROI_HEADS.POSITIVE_FRACTION 0.5"
    return (
        f'env "ORPLUGINS_DATASETS={named}" {{python}} tools/train_net.py --resume --config-file {_LITE0} --num-gpus 0'
        f' MODEL.DEVICE {{device}} OUTPUT_DIR {{runs}}/{run} DATASETS.TRAIN "({_names(sets)})" {options}'
        f"{'' if labelled else f' {branches} {first}'}"
    )


def _labels(name: str) -> str:
    pictures = " ".join(f"{{data}}/color_{name}/day1/cam{k + 1}/color" for k in range(_COLOUR_SETS[name][1]))
    return (
        f"{{python}} tools/pseudo_label.py {pictures} --root {{data}}/color_{name} --truth {_color_truth(name)}"
        f" --out {{runs}}/labels/{name}.json --lifter {{runs}}/lifter/lifter.pth"
        " --statistics {runs}/lifter/statistics.json --batch 50"
    )


_COLOUR_TRAINING = (
    "{python} tools/train_lifter.py "
    + " ".join(_color_truth(name) for name in ("theatre", "looks", "varied0"))
    + " --out {runs}/lifter --width 128 --dropout 0.1",
    _student(
        "orpose_1",
        ("theatre",),
        "SEED 0 ORPLUGINS.TIMM.PRETRAINED imagenet SOLVER.MAX_ITER 300 SOLVER.LR_SCHEDULER_NAME WarmupMultiStepLR",
    ),
    _student(
        "orpose_2",
        ("theatre", "looks", "varied0"),
        "SEED 1 MODEL.WEIGHTS {runs}/orpose_1/model_final.pth SOLVER.MAX_ITER 800"
        " SOLVER.LR_SCHEDULER_NAME WarmupMultiStepLR",
    ),
    *(_labels(name) for name in _COLOUR_SETS),
    "{python} dev/start_student.py {runs}/orpose_2/model_final.pth {runs}/lifter --out {runs}/start.pth",
    _student(
        "orpose_3",
        tuple(_COLOUR_SETS),
        "SEED 2 MODEL.WEIGHTS {runs}/start.pth DATASETS.H36_STATS_PATH {runs}/lifter/statistics.json"
        " SOLVER.MAX_ITER 2000 SOLVER.WARMUP_ITERS 50",
        labelled=True,
    ),
    f"{_EXPORT} {{runs}}/orpose_3/model_final.pth --config {_LITE0} --out {{runs}}/orpose_lite0.safetensors",
)

_PEOPLE = "configs/mmpose/partial_body/lite0_people-states"
_VARIED_PAIR = ("varied0", "varied1")
# Training: the sets, the config's size, options of mmpose, the checkpoint that the next one starts from.
_PEOPLE_TRAININGS = {
    "first": (
        ("theatre", "looks", "rooms"),
        "128x96",
        "model.backbone.pretrained=imagenet train_cfg.max_epochs=1 param_scheduler.1.end=6"
        " default_hooks.checkpoint.interval=250",
        "iter_250",
    ),
    "second": (
        ("theatre", *_VARIED_PAIR, "rooms"),
        "128x96",
        f"{START}{{runs}}/people_first/iter_250.pth train_cfg.max_epochs=1 param_scheduler.1.end=1",
        "iter_368",
    ),
    "third": (
        ("theatre", "looks", *_VARIED_PAIR, "rooms"),
        "192x144",
        f"{START}{{runs}}/people_second/iter_368.pth train_cfg.max_epochs=2 param_scheduler.1.end=2",
        "iter_1046",
    ),
    "fourth": (
        ("theatre", "looks", *_VARIED_PAIR, "rooms"),
        "192x144",
        f"{START}{{runs}}/people_third/iter_1046.pth train_cfg.max_epochs=1 param_scheduler.1.end=1"
        " model.head.state_weight=2.0 optim_wrapper.optimizer.lr=1e-3",
        "iter_523",
    ),
}


def _people(run: str, sets: tuple[str, ...], size: str, options: str) -> tuple[str, str]:
    data = f"train_dataloader.dataset.data_root={{data}}/people_{run}/"
    short = "" if run == "first" else " param_scheduler.0.end=40 default_hooks.checkpoint.interval=50"
    return (
        f"{{python}} tools/make_partial_views.py --ann {' '.join(map(_color_truth, sets))}"
        f" --images {' '.join(f'{{data}}/color_{name}' for name in sets)} --out {{data}}/people_{run} --views whole",
        f"{{python}} {{mmpose}}/train.py {_PEOPLE}_{size}.py --resume --work-dir {{runs}}/people_{run} --cfg-options"
        f" randomness.seed=0 {data} {_PEOPLE_OPTIONS}{short} {options}",
    )


_PEOPLE_OPTIONS = (
    "val_dataloader.dataset.data_root={data}/people_val/ test_dataloader.dataset.data_root={data}/people_val/"
    " val_evaluator.0.ann_file={data}/people_val/annotations/whole.json"
    " test_evaluator.0.ann_file={data}/people_val/annotations/whole.json default_hooks.checkpoint.by_epoch=False"
    " default_hooks.checkpoint.save_best=None train_cfg.val_interval=100"
)
_PEOPLE_TRAINING = (
    f"{_MAKE} --out {{data}}/color_rooms --frames 500 --seed 31 --size 480x360 --views 1 --people 1-5"
    " --variety cameras poses rooms sensors clothes",
    f"{_COLOUR} --out {{data}}/color_val --frames 60 --seed 12 --cameras fixed",
    f"{{python}} tools/make_partial_views.py --ann {_color_truth('val')} --images {{data}}/color_val"
    " --out {data}/people_val",
    *(
        command
        for run, (sets, size, options, _) in _PEOPLE_TRAININGS.items()
        for command in _people(run, sets, size, options)
    ),
    f"{_EXPORT} {{runs}}/people_fourth/{_PEOPLE_TRAININGS['fourth'][3]}.pth --config {_PEOPLE}_192x144.py"
    " --out {runs}/lite0_people-states.safetensors",
)

_DETECTOR = "configs/detectron2/partial_body/faster_rcnn_lite0.yaml"


def _detector(run: str, weights: str, options: str) -> str:
    # From a folder that has no `tools` of its own: the script is detectron2's.
    return (
        "env --chdir={data} PYTHONPATH={root} DETECTRON2_DATASETS={data} DETECTRON2_ENV_MODULE=orplugins.detectron2.env"
        f" {{python}} -m tools.train_net --resume --config-file {{root}}/{_DETECTOR} --num-gpus 0"
        f" MODEL.DEVICE {{device}} MODEL.WEIGHTS {weights} OUTPUT_DIR {{runs}}/{run} {options}"
        f' DATASETS.TRAIN "({_names([f"partial_body_{name}" for name in _COLOUR_SETS])})"'
    )


_DETECTOR_TRAINING = (
    *(
        f"{{python}} tools/make_detector_set.py --ann {_color_truth(name)} --images {{data}}/color_{name}"
        f" --out {{data}}/partial_body --split {name}"
        for name in _COLOUR_SETS
    ),
    _detector("detector_1", "{runs}/orpose_lite0.safetensors", "SEED 0"),
    _detector("detector_2", "{runs}/detector_1/model_final.pth", "SEED 1 SOLVER.MAX_ITER 600 SOLVER.WARMUP_ITERS 20"),
    f"{_EXPORT} {{runs}}/detector_2/model_final.pth --config {_DETECTOR} --out {{runs}}/faster_rcnn_lite0.safetensors",
)

RECIPES: dict[str, tuple[str, ...]] = {
    "depthpose_tiny-64x48": (
        f"{_MAKE} --out {{data}}/depth_theatre --frames 1300 --seed 1 {_DEPTH_SIZE} --cameras varied",
        _DEPTH_VAL,
        depth_training("depthpose_tiny-64x48", "depthpose_tiny", "depth_theatre"),
        f"{_EXPORT} {{runs}}/depthpose_tiny/epoch_6.pth --config configs/mmpose/depthpose/depthpose_tiny-64x48.py"
        " --out {runs}/depthpose_tiny-64x48.safetensors",
    ),
    # The theatre alone, then two rounds over images of every kind, then one over both.
    "depthpose_small-64x48": (
        f"{_MAKE} --out {{data}}/depth_theatre --frames 1300 --seed 1 {_DEPTH_SIZE} --cameras varied",
        f"{_MAKE} --out {{data}}/depth_varied_1 --frames 4500 --seed 1 {_VARIED}",
        f"{_MAKE} --out {{data}}/depth_varied_3 --frames 6500 --seed 3 {_VARIED}",
        f"{_MAKE} --out {{data}}/depth_varied_7 --frames 6000 --seed 7 {_VARIED}",
        f"{_MAKE} --out {{data}}/depth_theatre_700 --frames 700 --seed 1 {_DEPTH_SIZE} --cameras varied",
        _DEPTH_VAL,
        depth_training("depthpose_small-64x48", "depthpose_small", "depth_theatre"),
        depth_training(
            "depthpose_small-64x48_varied",
            "depthpose_small_1",
            "depth_varied_1",
            f"{START}{{runs}}/depthpose_small/epoch_8.pth",
        ),
        depth_training(
            "depthpose_small-64x48_varied",
            "depthpose_small_2",
            "depth_varied_3",
            f"{START}{{runs}}/depthpose_small_1/epoch_6.pth optim_wrapper.optimizer.lr=1.2e-3",
        ),
        "{python} dev/average_checkpoints.py {runs}/depthpose_small_2/epoch_4.pth {runs}/depthpose_small_2/epoch_5.pth"
        " {runs}/depthpose_small_2/epoch_6.pth --out {runs}/depthpose_small_2/average.pth",
        depth_training(
            "depthpose_small-64x48_both",
            "depthpose_small_3",
            None,
            f"{START}{{runs}}/depthpose_small_2/average.pth train_dataloader.dataset.datasets.0.data_root="
            "{data}/depth_varied_7/ train_dataloader.dataset.datasets.1.data_root={data}/depth_theatre_700/",
        ),
        "{python} dev/average_checkpoints.py {runs}/depthpose_small_3/epoch_2.pth {runs}/depthpose_small_3/epoch_3.pth"
        " {runs}/depthpose_small_3/epoch_4.pth --out {runs}/depthpose_small_3/average.pth",
        f"{_EXPORT} {{runs}}/depthpose_small_3/average.pth --config configs/mmpose/depthpose/depthpose_small-64x48.py"
        " --out {runs}/depthpose_small-64x48.safetensors",
    ),
    "orpose_lite0": (*_COLOUR_DATA, *_COLOUR_TRAINING),
    "faster_rcnn_lite0": (*_COLOUR_DATA, *_COLOUR_TRAINING, *_DETECTOR_TRAINING),
    "lite0_people-states": (*_COLOUR_DATA, *_PEOPLE_TRAINING),
    # Theatres, then an adaptation to rooms of other looks; an hour of one core.
    "adaptor_tiny": (
        "{python} dev/adaptor_table.py --out {runs}/adaptor --seeds 0 --variants adapted",
        f"{_EXPORT} {{runs}}/adaptor/adapted_0/model_final.pth"
        " --config configs/detectron2/adaptor/adaptor_tiny_adapt.yaml --out {runs}/adaptor_tiny.safetensors",
    ),
}
