"""A training step of AdaptOR: the teacher moves, labels the unlabelled pictures, and the student learns from all."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from detectron2.engine.train_loop import SimpleTrainer
from detectron2.utils import comm
from detectron2.utils.events import get_event_storage
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from orplugins.adaptor.detectron2.streams import Records, TwoStreams
from orplugins.adaptor.detectron2.teacher import Found, Labelling, label_pictures
from orplugins.adaptor.ema import TeacherSchedule, average_into
from orplugins.adaptor.losses import UnlabelledWeights, as_unlabelled, no_unlabelled
from orplugins.adaptor.split_norm import batch_of, copy_main_pair

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MutualSettings:
    """How student and teacher learn.

    Attributes:
        schedule: When the teacher moves, and how long the burn-in is.
        labelling: How the teacher's answers become labels.
        weights: Of the losses on unlabelled pictures.
        strong_in_burn_in: The burn-in learns from the strong views too.
        split: The network has a pair of normalisation a domain.
        published_fallback: With `split`, and fewer labelled target pictures than source pictures: drop the step's
            pseudo labels, and train both pairs on the source. Otherwise all labels that there are are used.
        amp: Mixed precision.
    """

    schedule: TeacherSchedule
    labelling: Labelling = field(default_factory=Labelling)
    weights: UnlabelledWeights = UnlabelledWeights()
    strong_in_burn_in: bool = False
    split: bool = False
    published_fallback: bool = False
    amp: bool = False


class MutualTrainer(SimpleTrainer):
    """detectron2's `SimpleTrainer` with a teacher.

    Args:
        model: The student, or its `DistributedDataParallel`.
        teacher: Of the same tensors as the student, see `orplugins.adaptor.detectron2.teacher.build_teacher`.
        data_loader: Two streams.
        optimizer: Of the student.
        settings: How the two learn.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        teacher: torch.nn.Module,
        data_loader: TwoStreams,
        optimizer: torch.optim.Optimizer,
        settings: MutualSettings,
    ):
        super().__init__(model, data_loader, optimizer)
        self.teacher, self.settings = teacher, settings
        self.student = model.module if isinstance(model, DistributedDataParallel) else model
        self.grad_scaler = _grad_scaler(settings.amp)
        self.device_type = next(self.student.parameters()).device.type
        self.fallback_steps = self.silent_pictures = 0

    def run_step(self) -> None:
        """One step, in the release's order: teacher, labels, losses, optimizer."""
        assert self.model.training, "the student was put into inference mode"
        start = time.perf_counter()
        labelled_weak, labelled_strong, weak, strong = next(self._data_loader_iter)
        data_time = time.perf_counter() - start
        settings, schedule = self.settings, self.settings.schedule
        if settings.split and schedule.burn_in and self.iter == schedule.burn_in:
            copy_main_pair(self.student)
            copy_main_pair(self.teacher)
        decay = schedule.of(self.iter)
        if decay is not None:
            average_into(self.teacher, self.student, decay)
        with torch.autocast(self.device_type, dtype=torch.float16) if settings.amp else nullcontext():
            if self.iter < schedule.burn_in:
                labelled = labelled_weak + (labelled_strong if settings.strong_in_burn_in else [])
                losses = self._source_alone(labelled)
            else:
                losses = self._mutual(labelled_weak + labelled_strong, weak, strong)
        self.optimizer.zero_grad()
        self.grad_scaler.scale(sum(losses.values())).backward()
        self.after_backward()
        self._write_metrics(losses, data_time)
        self.grad_scaler.step(self.optimizer)
        self.grad_scaler.update()

    def _source_alone(self, labelled: Records) -> dict[str, Tensor]:
        with batch_of(self.student, branch=0):
            return self.model(labelled)

    def _mutual(self, labelled: Records, weak: Records, strong: Records) -> dict[str, Tensor]:
        settings = self.settings
        pseudo, found = label_pictures(self.teacher, weak, strong, settings.labelling)
        short = settings.split and len(pseudo) != len(labelled)
        self._report(found, short)
        if not settings.split or not pseudo and not settings.published_fallback:
            losses = self._source_alone(labelled)
            unlabelled = settings.weights.weigh(self.model(pseudo)) if pseudo else no_unlabelled(losses)
        elif short and settings.published_fallback:
            losses, again = self.model(labelled + labelled)
            unlabelled = as_unlabelled(again)
        else:
            losses, of_target = self.model(labelled + pseudo)
            unlabelled = settings.weights.weigh(of_target)
        return {**losses, **unlabelled}

    def _report(self, found: Found, short: bool) -> None:
        self.fallback_steps += short
        self.silent_pictures = 0 if found.labelled else self.silent_pictures + found.pictures * comm.get_world_size()
        get_event_storage().put_scalars(
            smoothing_hint=False,
            **{
                "adaptor/labels_per_picture": found.people / max(found.pictures, 1),
                "adaptor/pictures_without_label": 1 - found.labelled / max(found.pictures, 1),
                "adaptor/joints_above_threshold": found.visible / max(found.joints, 1),
                "adaptor/fallback_steps": self.fallback_steps,
            },
        )
        if self.silent_pictures >= self.data_loader.unlabelled:
            limits = self.settings.labelling.thresholds
            logger.warning(
                "no confident person in %d unlabelled pictures, one pass: nobody's score is above UDA.BBOX_THRESHOLD "
                "%g (joints count above UDA.KEYPOINT_THRESHOLD %g); the student learns from the source alone",
                self.silent_pictures,
                limits.box,
                limits.keypoint,
            )
            self.silent_pictures = 0

    def state_dict(self) -> dict:
        """Of the optimizer, the scaler, and what is counted."""
        counted = {"fallback_steps": self.fallback_steps, "silent_pictures": self.silent_pictures}
        return {**super().state_dict(), "grad_scaler": self.grad_scaler.state_dict(), "counted": counted}

    def load_state_dict(self, state_dict: dict) -> None:
        """Take them back.

        Args:
            state_dict: Of `state_dict`.
        """
        super().load_state_dict(state_dict)
        self.grad_scaler.load_state_dict(state_dict["grad_scaler"])
        self.fallback_steps = state_dict["counted"]["fallback_steps"]
        self.silent_pictures = state_dict["counted"]["silent_pictures"]


def _grad_scaler(enabled: bool):
    if hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler("cuda", enabled=enabled)
    return torch.cuda.amp.GradScaler(enabled=enabled)  # torch before 2.3
