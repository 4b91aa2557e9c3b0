"""AdaptOR's trainer: detectron2's own with a teacher that is evaluated and saved, and runs that can be killed."""

from __future__ import annotations

import logging
import weakref

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.data import MetadataCatalog
from detectron2.data.detection_utils import create_keypoint_hflip_indices
from detectron2.engine.hooks import EvalHook
from detectron2.evaluation import COCOEvaluator
from detectron2.modeling import build_model

from orplugins.adaptor.detectron2.checkpoint import AdaptorCheckpointer
from orplugins.adaptor.detectron2.datasets import register_from_config
from orplugins.adaptor.detectron2.loader import build_adaptor_train_loader
from orplugins.adaptor.detectron2.mutual import MutualSettings, MutualTrainer
from orplugins.adaptor.detectron2.teacher import Labelling, build_teacher
from orplugins.adaptor.ema import TeacherSchedule
from orplugins.adaptor.losses import UnlabelledWeights
from orplugins.adaptor.pseudo_labels import Thresholds
from orplugins.hosts.detectron2.config import add_orplugins_config
from orplugins.hosts.detectron2.continued import ContinuedTrainer
from orplugins.hosts.detectron2.optimizer import build_named_optimizer
from orplugins.hosts.detectron2.predictor import merge_config, merge_options

logger = logging.getLogger(__name__)


def settings_of(cfg: CfgNode) -> MutualSettings:
    """How student and teacher learn, as a config says.

    Args:
        cfg: The config; its labelled sets are registered.
    """
    uda, solver, ours = cfg.UDA, cfg.SOLVER, cfg.ORPLUGINS.ADAPTOR
    labelled = cfg.DATASETS.TRAIN_LBL if uda.TYPE == "uda_or" else cfg.DATASETS.TRAIN
    joints = cfg.MODEL.KEYPOINT_ON and MetadataCatalog.get(labelled[0]).get("keypoint_names") is not None
    flips = {"flip_indices": tuple(create_keypoint_hflip_indices(labelled))} if joints else {}
    thresholds = Thresholds(uda.BBOX_THRESHOLD, uda.KEYPOINT_THRESHOLD, uda.MASK_THRESHOLD)
    decays = solver.EMA_DECAY_SUP, solver.EMA_DECAY, solver.EMA_UPDATE_PERIOD
    return MutualSettings(
        TeacherSchedule(uda.TRAIN_SUP_ITER, solver.MAX_ITER, *decays),
        Labelling(thresholds, ours.MASK_TARGETS == "aligned", **flips),
        UnlabelledWeights(uda.LAMBDA_U_KEYPOINT, uda.LAMBDA_U_MASK, uda.LAMBDA_U),
        strong_in_burn_in=uda.ADD_STRONGAUG_EXAMPLES,
        split=cfg.MODEL.USE_SPLIT_GROUP_NORM,
        published_fallback=ours.FALLBACK == "published",
        amp=solver.AMP.ENABLED,
    )


class AdaptorTrainer(ContinuedTrainer):
    """`ContinuedTrainer` with a teacher where ``UDA.ENABLE`` is set; otherwise detectron2's supervised training.

    A checkpoint's ``model`` is the teacher, as in the release; ``student`` is what goes on.
    """

    teacher: torch.nn.Module | None = None

    def build_hooks(self) -> list:
        """detectron2's hooks; the evaluated and saved network is the teacher."""
        if not self.cfg.UDA.ENABLE:
            return super().build_hooks()
        # The constructor asks for hooks when it has made everything else, and the hooks ask for the teacher.
        student = getattr(self.model, "module", self.model)
        self.teacher = build_teacher(student)
        parts = self.data_loader, self.optimizer
        self._trainer = MutualTrainer(self.model, self.teacher, *parts, settings_of(self.cfg))

        def evaluate() -> dict:
            self._last_eval_results = self.test(self.cfg, self.teacher)
            return self._last_eval_results

        evaluation = EvalHook(self.cfg.TEST.EVAL_PERIOD, evaluate)
        return [evaluation if isinstance(hook, EvalHook) else hook for hook in super().build_hooks()]

    def build_checkpointer(self) -> AdaptorCheckpointer:
        """Reads and writes the teacher, and the student beside it."""
        own = {"trainer": weakref.proxy(self)}
        if self.teacher is None:
            return AdaptorCheckpointer(self.model, self.cfg.OUTPUT_DIR, **own)
        # Without a burn-in the teacher's answers count from the first step on: a backbone alone knows none.
        exact = self.cfg.UDA.TRAIN_SUP_ITER == 0
        student = self._trainer.student
        return AdaptorCheckpointer(self.teacher, self.cfg.OUTPUT_DIR, exact=exact, student=student, **own)

    def resume_or_load(self, resume: bool = True) -> None:
        """Load weights into both networks, or go on with the last checkpoint's at its place in the data."""
        super().resume_or_load(resume)
        going_on = self.start_iter > 0 and self.cfg.ORPLUGINS.ADAPTOR.RESUME == "exact"
        if self.teacher is not None and not going_on:
            self._trainer.student.load_state_dict(self.teacher.state_dict())

    def skip_steps(self, count: int) -> None:
        """Have the loader leave out the data of steps that were done.

        Args:
            count: Of the steps.
        """
        if self.teacher is None:
            super().skip_steps(count)
        else:
            self.data_loader.skip = count

    @classmethod
    def build_model(cls, cfg: CfgNode) -> torch.nn.Module:
        """The network that the config asks for."""
        return build_model(cfg)

    @classmethod
    def build_optimizer(cls, cfg: CfgNode, model: torch.nn.Module) -> torch.optim.Optimizer:
        """The optimizer that ``ORPLUGINS.ADAPTOR.OPTIMIZER`` names."""
        return build_named_optimizer(cfg, model, cfg.ORPLUGINS.ADAPTOR.OPTIMIZER, "ORPLUGINS.ADAPTOR.OPTIMIZER")

    @classmethod
    def build_train_loader(cls, cfg: CfgNode):
        """Two streams of two views, or detectron2's pictures of a supervised training."""
        return build_adaptor_train_loader(cfg) if cfg.UDA.ENABLE else super().build_train_loader(cfg)

    @classmethod
    def build_evaluator(cls, cfg: CfgNode, dataset_name: str, output_folder: str | None = None) -> COCOEvaluator:
        """COCO's average precision of boxes, and of the masks and joints that there are."""
        return COCOEvaluator(dataset_name, output_dir=output_folder or f"{cfg.OUTPUT_DIR}/inference")


def read_config(path: str, options: list[str] = ()) -> CfgNode:
    """Read a YAML file for AdaptOR, its sets registered; mixed precision is off where there is none.

    Args:
        path: The file.
        options: Further keys and values.

    Returns:
        The config.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    merge_config(cfg, path)
    merge_options(cfg, options)
    register_from_config(cfg)
    if cfg.SOLVER.AMP.ENABLED and torch.device(cfg.MODEL.DEVICE).type != "cuda":
        logger.warning("SOLVER.AMP.ENABLED: mixed precision is for GPUs, %s computes with 32 bits", cfg.MODEL.DEVICE)
        cfg.SOLVER.AMP.ENABLED = False
    return cfg
