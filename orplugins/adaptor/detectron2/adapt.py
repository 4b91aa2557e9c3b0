"""AdaptOR's training on a user's recording, by detectron2's trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.utils.logger import setup_logger

from orplugins.adaptor.detectron2.datasets import register_labelled, register_pictures
from orplugins.adaptor.detectron2.preflight import check_before
from orplugins.adaptor.detectron2.trainer import AdaptorTrainer, read_config
from orplugins.io.check_weights import check_weights
from orplugins.io.weights import read_weights, write_weights

_SCALES = (0.85, 1.0, 1.15)  # of the size at which the network sees the frames


@dataclass(frozen=True)
class Recording:
    """What a student is trained on.

    Attributes:
        source: COCO file of the source; pictures' names are relative to its folder.
        frames: Of the recording.
        source_factors: Least and greatest factor by which strong views of the source are reduced.
        frame_factors: The same of the frames.
        size: (width, height) at which the network sees the frames.
        out: Folder of checkpoints.
    """

    source: Path
    frames: Sequence[Path]
    source_factors: tuple[float, float]
    frame_factors: tuple[float, float]
    size: tuple[int, int]
    out: Path


def check_config(config: str, weights: str) -> None:
    """Refuse what could not be adapted, before anything is computed.

    Args:
        config: The network's config.
        weights: Its weights.

    Raises:
        FileNotFoundError: One of them is missing.
        ValueError: The config is not one of an adaptation, or the weights cannot be read.
    """
    cfg = read_config(config)
    if not cfg.UDA.ENABLE or cfg.UDA.TYPE != "uda_or":
        raise ValueError(
            f"{config}: UDA.ENABLE is {cfg.UDA.ENABLE} and UDA.TYPE {cfg.UDA.TYPE!r}, expected True and 'uda_or': "
            "see configs/detectron2/adaptor/adaptor_tiny_adapt.yaml"
        )
    check_weights(weights)


def student_config(config: str, weights: str, recording: Recording, iterations: int, seed: int, device: str) -> CfgNode:
    """A config of an adaptation, for a recording.

    Args:
        config: The config.
        weights: What teacher and student begin with.
        recording: What is learned from; its sets are registered here.
        iterations: Steps.
        seed: Of order and views.
        device: Such as "cpu".

    Returns:
        The config.
    """
    out = recording.out.resolve()
    source, target = f"source of {out}", f"recording of {out}"
    register_labelled(source, recording.source, recording.source.parent, recording.source_factors)
    register_pictures(target, recording.frames, recording.frame_factors)
    cfg = read_config(config, ["MODEL.DEVICE", device, "OUTPUT_DIR", str(recording.out)])
    cfg.MODEL.WEIGHTS, cfg.SEED = weights, seed
    cfg.DATASETS.TRAIN_LBL, cfg.DATASETS.TRAIN_UNLBL, cfg.DATASETS.TEST = (source,), (target,), ()
    sides = [round(scale * min(recording.size)) for scale in _SCALES]
    cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN = tuple(sides), round(_SCALES[-1] * max(recording.size)) + 1
    cfg.INPUT.MIN_SIZE_TRAIN_SAMPLING, cfg.INPUT.MASK_FORMAT = "choice", "bitmask"
    solver = cfg.SOLVER
    solver.MAX_ITER, solver.STEPS, solver.CHECKPOINT_PERIOD = iterations, (), max(25, iterations // 8)
    solver.WARMUP_ITERS, cfg.UDA.TRAIN_SUP_ITER, cfg.TEST.EVAL_PERIOD = min(10, iterations // 5), 0, 0
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.freeze()
    return cfg


def train_student(
    config: str, weights: str, recording: Recording, iterations: int, seed: int, device: str, done: Path
) -> None:
    """Train, or go on with a training, and write the teacher's weights as float16 safetensors.

    Args:
        config: As for `student_config`.
        weights: As there.
        recording: As there.
        iterations: As there.
        seed: As there.
        device: As there.
        done: The file.

    Raises:
        FileNotFoundError: A file is missing.
        OSError: The output folder cannot be written to.
        ValueError: Config, pictures or weights do not fit.
    """
    cfg = student_config(config, weights, recording, iterations, seed, device)
    check_before(cfg, eval_only=False, resume=True)
    for name in ("detectron2", "fvcore", "orplugins"):
        setup_logger(str(recording.out), name=name)
    trainer = AdaptorTrainer(cfg)
    trainer.resume_or_load(resume=True)
    trainer.train()
    state = read_weights(recording.out / "model_final.pth")["model"]
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    note = f"{len(recording.frames)} frames without labels, generated rooms as the source"
    write_weights(done, half, {"adapted from": weights, "note": note, "iteration": iterations})
