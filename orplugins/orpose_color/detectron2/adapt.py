"""Training of a student on its teacher's labels of a recording, by detectron2's trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.engine.hooks import HookBase
from detectron2.utils.logger import setup_logger

from orplugins.backbones.frozen_norm import keep_statistics
from orplugins.io.weights import read_weights, write_weights
from orplugins.orpose_color.adapt_settings import StudentTraining
from orplugins.orpose_color.detectron2.adapt_mapper import AdaptMapper
from orplugins.orpose_color.detectron2.datasets import register_people
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper
from orplugins.orpose_color.detectron2.preflight import check_before
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config


class StillNorms(HookBase):
    """Keeps batch norm's running statistics, and uses them: those of two pictures would be noise."""

    def before_step(self) -> None:
        """Put the layers into inference mode, after the trainer has put the model into training mode."""
        keep_statistics(self.trainer.model)


class AdaptTrainer(ORPoseTrainer):
    """`ORPoseTrainer` with strong views of the pictures.

    Args:
        cfg: The config, see `student_config`.
        training: How the student is trained.
    """

    training: StudentTraining

    def __init__(self, cfg: CfgNode, training: StudentTraining):
        type(self).training = training  # the loader is built by a class method, from within the constructor
        super().__init__(cfg)

    def build_hooks(self) -> list:
        """The trainer's hooks, and `StillNorms` where batch norm is to stand still."""
        hooks = super().build_hooks()
        return [StillNorms(), *hooks] if self.training.norms == "frozen" else hooks

    @classmethod
    def build_mapper(cls, cfg: CfgNode, is_train: bool = True) -> MVORDatasetMapper:
        """The training's mapper, or the test's."""
        return AdaptMapper(cfg, cls.training.size) if is_train else super().build_mapper(cfg, False)


@dataclass(frozen=True)
class StudentFiles:
    """What a student's training reads and writes.

    Attributes:
        config: The network's config.
        weights: What it begins with.
        sets: By name, label file and folder of pictures.
        out: Folder of checkpoints.
        statistics: ``h36stats.json``; None where the weights store their own.
    """

    config: str
    weights: str
    sets: Mapping[str, tuple[Path, Path]]
    out: Path
    statistics: str | None = None


def student_config(files: StudentFiles, training: StudentTraining, device: str) -> CfgNode:
    """A network's config, changed to train it a little further.

    The 3D losses are off: a teacher's lifting network would only repeat itself. Of the solver, rate and length change.

    Args:
        files: The network and its data.
        training: How it is trained.
        device: Such as "cpu".

    Returns:
        The config.
    """
    for name, (labels, pictures) in files.sets.items():
        register_people(name, labels, pictures)
    cfg = read_config(files.config, ["MODEL.DEVICE", device, "OUTPUT_DIR", str(files.out)], train=False)
    solver, head = cfg.SOLVER, cfg.MODEL.ROI_KEYPOINTS3D_HEAD
    solver.BASE_LR = training.rate * solver.BASE_LR * training.batch / solver.IMS_PER_BATCH
    solver.IMS_PER_BATCH, solver.MAX_ITER, solver.STEPS = training.batch, training.iterations, ()
    solver.LR_SCHEDULER_NAME, solver.WARMUP_ITERS = "WarmupCosineLR", min(30, training.iterations // 5)
    solver.CHECKPOINT_PERIOD = max(25, training.iterations // 8)
    head.LOSS_WEIGHT_3D_HARD = head.LOSS_WEIGHT_3D_SOFT = 0.0
    cfg.MODEL.WEIGHTS, cfg.SEED, cfg.TEST.EVAL_PERIOD = files.weights, training.seed, 0
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = tuple(files.sets), ()
    cfg.DATASETS.H36_STATS_PATH = files.statistics or ""
    cfg.DATALOADER.NUM_WORKERS, cfg.DATALOADER.ASPECT_RATIO_GROUPING = 0, False
    cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False  # a frame without people is an example, too
    cfg.ORPLUGINS.ORPOSE_COLOR.FLIP_3D = "published"  # labels for adaptation hold no 3D rows to mirror
    cfg.freeze()
    return cfg


def train_student(files: StudentFiles, training: StudentTraining, device: str) -> Path:
    """Train a student, or go on with its training.

    Args:
        files: The network and its data.
        training: How it is trained.
        device: Such as "cpu".

    Returns:
        The last checkpoint.

    Raises:
        FileNotFoundError: A file is missing.
        OSError: The output folder cannot be written to.
        ValueError: Config, labels or weights do not fit.
    """
    cfg = student_config(files, training, device)
    check_before(cfg, eval_only=False, resume=True)
    for name in ("detectron2", "fvcore", "orplugins"):
        setup_logger(str(files.out), name=name)
    trainer = AdaptTrainer(cfg, training)
    trainer.resume_or_load(resume=True)
    trainer.train()
    return files.out / "model_final.pth"


def export_student(checkpoint: Path, teacher: str, out: Path, note: str) -> None:
    """Write a student's weights as float16 safetensors.

    Args:
        checkpoint: Of the trainer.
        teacher: The weights that it began with.
        out: The file.
        note: What it was trained on.
    """
    content = read_weights(checkpoint)
    state = {name: value.half() if value.is_floating_point() else value for name, value in content["model"].items()}
    write_weights(out, state, {"adapted from": teacher, "note": note, "iteration": content.get("iteration")})
