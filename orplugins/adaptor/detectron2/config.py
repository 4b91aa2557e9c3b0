"""AdaptOR's keys in detectron2's YAML configs."""

from __future__ import annotations

from typing import Any

from detectron2.config import CfgNode

from orplugins.hosts.detectron2.config import add_keys

# What each option of ours may be; `published` is the release's behaviour.
CHOICES = {
    "INFER_BRANCH": ("published", "main", "aux"),
    "MASK_TARGETS": ("aligned", "published"),
    "FALLBACK": ("corrected", "published"),
    "RESUME": ("exact", "published"),
    "BATCHES": ("kept", "published"),
    "OPTIMIZER": ("sgd", "adamw"),
}


def add_adaptor_config(cfg: CfgNode) -> None:
    """Add AdaptOR's keys to a config, in place, with the release's defaults; those that are there already stay.

    The keys that published configurations name are where those have them: ``UDA``, and some of ``MODEL``, ``DATASETS``,
    ``DATALOADER`` and ``SOLVER``. Ours are below ``ORPLUGINS.ADAPTOR``. No key of detectron2's own is changed.

    Args:
        cfg: What ``detectron2.config.get_cfg()`` returned, before a file is merged into it.
    """
    add_keys(cfg, _published())
    add_keys(cfg, {f"ORPLUGINS.ADAPTOR.{name}": value for name, value in _ours().items()})


def check_choices(cfg: CfgNode) -> None:
    """Refuse an option of ours with a value that there is not.

    Args:
        cfg: The config.

    Raises:
        ValueError: The option, what was found, and what there is.
    """
    for name, known in CHOICES.items():
        found = cfg.ORPLUGINS.ADAPTOR[name]
        if found not in known:
            raise ValueError(f"ORPLUGINS.ADAPTOR.{name}: found {found!r}, expected one of {', '.join(known)}")


def _published() -> dict[str, Any]:
    return {
        "MODEL.ROI_BOX_HEAD.LOSS": "CE",  # or FocalLoss
        "MODEL.ROI_KEYPOINT_HEAD.NORM": "",
        "MODEL.USE_SPLIT_GROUP_NORM": False,
        "MODEL.SPLIT_GN_INFER_TYPE": "aux",  # read by nothing, as in the release: see ORPLUGINS.ADAPTOR.INFER_BRANCH
        "DATASETS.WEIGHTED_TRAINING_SAMPLING_WEIGHTS_LBL": (1.0,),
        "DATASETS.WEIGHTED_TRAINING_SAMPLING_WEIGHTS_UNLBL": (1.0,),
        "DATASETS.TRAIN_LBL": (),
        "DATASETS.TRAIN_UNLBL": (),
        "DATALOADER.SUP_PERCENT": 100.0,
        "DATALOADER.RANDOM_DATA_SEED": 0,
        "DATALOADER.RANDOM_DATA_SEED_PATH": "dataseed/COCO_supervision.txt",
        "SOLVER.USE_EMA": False,
        "SOLVER.EMA_UPDATE_PERIOD": 1,
        "SOLVER.EMA_DECAY": 0.0,
        "SOLVER.EMA_DECAY_SUP": 0.0,
        "SOLVER.IMS_PER_BATCH_LBL": 2,  # of all processes
        "SOLVER.IMS_PER_BATCH_UNLBL": 2,
        "UDA.ENABLE": False,
        "UDA.TYPE": "ssl_coco",  # or uda_or
        "UDA.BBOX_THRESHOLD": 0.7,
        "UDA.KEYPOINT_THRESHOLD": 0.06,
        "UDA.MASK_THRESHOLD": 0.5,
        "UDA.LAMBDA_U": 1.0,
        "UDA.LAMBDA_U_KEYPOINT": 1.0,
        "UDA.LAMBDA_U_MASK": 1.0,
        "UDA.RANDOM_AUGMENT_THRESH1": 0.5,
        "UDA.RANDOM_AUGMENT_THRESH2": 0.2,
        "UDA.APPLY_RAND_AUGMENT": False,
        "UDA.APPLY_RANDCUTOUT": True,
        "UDA.APPLY_LOW_RES_RESIZE": False,
        "UDA.APPLY_GEOMETRIC_TRANSFORM": False,
        "UDA.ADD_STRONGAUG_EXAMPLES": False,
        "UDA.TRAIN_SUP_ITER": 0,
    }


def _ours() -> dict[str, Any]:
    return {
        # The pair of the split norms at inference, the teacher's too: aux is the target's, main the source's, which is
        # what the release always uses.
        "INFER_BRANCH": "aux",
        # Pseudo masks are moved into the proposal's frame, or taken as if they were in it.
        "MASK_TARGETS": "aligned",
        # Split norms, and fewer pictures with pseudo labels than labelled ones: learn from those that there are, or
        # drop all of the step's pseudo labels and give the labelled pictures to both branches.
        "FALLBACK": "corrected",
        # Go on with both networks, or with the teacher's weights in the student too.
        "RESUME": "exact",
        # A record that finds its bucket full: wait for the next batch, or be thrown away.
        "BATCHES": "kept",
        # WeightedTrainingSampler draws with replacement, so that the weights count; the release's does not.
        "REPLACEMENT": True,
        "OPTIMIZER": "sgd",
        # Sets by path, see orplugins.adaptor.detectron2.datasets.
        "SETS": [],
    }
