"""One training step of each small config on the device: finite loss, and the CPU's gradient where nothing is random.

Models, data pipelines, losses and optimisers are the config's own; the data are generated.
"""

from __future__ import annotations

import copy
import functools
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from dev.gpu.networks import CONFIGS, mmpose_model
from dev.gpu.report import Check, Outcome, Skipped
from dev.gpu.session import Session

# Norm of the gradients' difference over the CPU gradient's norm. A ReLU or a maximum that decides another way within
# rounding moves a part of the gradient.
TOLERANCE = 5e-3
PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Step:
    """A model on the CPU in training mode, and what a step of it takes.

    Attributes:
        model: With its own initialisation.
        losses: Of a model and a batch of its own, a tensor to go down from.
        optimise: Of a model whose gradients are there: change its parameters.
        batch: What ``losses`` takes; it is copied, as hosts change batches.
        random: Why the gradient cannot be compared; empty: it can.
    """

    model: nn.Module
    losses: Callable[[nn.Module, object], torch.Tensor]
    optimise: Callable[[nn.Module], None]
    batch: object
    random: str = ""


@dataclass(frozen=True)
class Recipe:
    """How a config is trained.

    Attributes:
        config: Below configs/, without its suffix.
        data: The function of :mod:`dev.gpu.data` that makes its data.
        changes: Lead an mmpose config's data set to them.
        needs: Packages beside torch and NumPy.
        no_bf16: Why the host cannot train it in bfloat16; empty: it can.
    """

    config: str
    data: str
    changes: Callable[[dict, str], None] = lambda dataset, folder: None
    needs: tuple[str, ...] = ("mmpose",)
    no_bf16: str = ""


def _depth(dataset: dict, folder: str) -> None:
    dataset.update(data_root=f"{folder}/", ann_file="annotations/coco17.json")


def _whole_people(dataset: dict, folder: str) -> None:
    dataset.update(data_root=f"{folder}/", ann_file="annotations/coco17_color.json", data_prefix={"img": ""})


def _itop(dataset: dict, folder: str) -> None:
    dataset.update(data_root=f"{folder}/")
    if "keypoint_file" in dataset:
        dataset.update(keypoint_file=f"{folder}/poses_mm.npz", keypoint_format="mm")


def _motion(dataset: dict, folder: str) -> None:
    parts = dataset.get("datasets", [dataset])
    for part, subject in zip(parts, ("S1", "S2"), strict=False):
        part.update(data_root=folder, subjects=[subject])


NUMPY_ACCURACY = "mmpose's accuracy is NumPy's"

RECIPES = (
    Recipe("mmpose/depthpose/depthpose_tiny-64x48", "depth_people", _depth),
    Recipe("mmpose/depthpose/depthpose_small-64x48", "depth_people", _depth),
    Recipe("mmpose/depthpose/rtpose_tiny-320x240", "depth_people", _depth),
    Recipe("mmpose/refinet/refinet-a_or", "itop_people", _itop, ("mmpose", "h5py")),
    Recipe("mmpose/refinet/refinet-b_or", "itop_people", _itop, ("mmpose", "h5py")),
    Recipe("mmpose/refinet/refinet-c_or", "itop_people", _itop, ("mmpose", "h5py")),
    Recipe("mmpose/videopose3d/videopose3d_27-coco", "motion", _motion, no_bf16=NUMPY_ACCURACY),
    Recipe("mmpose/videopose3d/videopose3d_27-coco_causal", "motion", _motion, no_bf16=NUMPY_ACCURACY),
    Recipe("mmpose/videopose3d/videopose3d_27-coco_or", "motion", _motion, no_bf16=NUMPY_ACCURACY),
    Recipe("mmpose/videopose3d/videopose3d_27-h36m_semi", "motion", _motion, no_bf16=NUMPY_ACCURACY),
    Recipe("mmpose/partial_body/vitpose-t_people-states_128x96", "colour_people", _whole_people, ("mmpose", "timm"),
           NUMPY_ACCURACY),
    Recipe("mmpose/partial_body/lite0_people-states_192x144", "colour_people", _whole_people, ("mmpose", "timm"),
           NUMPY_ACCURACY),
    Recipe("detectron2/orpose_color/orpose_tiny", "colour_people", needs=("detectron2",)),
    Recipe("detectron2/partial_body/faster_rcnn_tiny", "colour_people", needs=("detectron2",)),
)  # fmt: skip


def checks(session: Session, hosts: bool) -> Iterator[Check]:
    if not hosts:
        return
    with tempfile.TemporaryDirectory() as folder:  # it lives as long as the checks are asked for
        made = functools.cache(functools.partial(_make, Path(folder)))
        for recipe in RECIPES:
            prepared = functools.cache(functools.partial(_prepare, recipe, made))
            reference = functools.cache(functools.partial(_reference, session, prepared))
            for precision in PRECISIONS:
                run = functools.partial(_run, session, recipe, precision, prepared, reference)
                yield Check("training", "one step", recipe.config.rpartition("/")[2], precision, run)


def _make(folder: Path, name: str) -> Path:
    from dev.gpu import data  # its writers need what the hosts need

    return getattr(data, name)(folder / name)


def _prepare(recipe: Recipe, made: Callable[[str], Path]) -> Step:
    folder = made(recipe.data)
    for seed in (torch.manual_seed, np.random.seed, random.seed):
        seed(0)
    if recipe.config.startswith("mmpose/"):
        return _mmpose_step(recipe, str(folder))
    return _student_step(recipe, folder) if "orpose" in recipe.config else _detector_step(recipe, folder)


def _mmpose_step(recipe: Recipe, folder: str) -> Step:
    from mmengine.config import Config
    from mmengine.dataset import pseudo_collate
    from mmengine.optim import build_optim_wrapper
    from mmpose.registry import DATASETS

    model = mmpose_model(recipe.config.removeprefix("mmpose/")).train()
    config = Config.fromfile(CONFIGS / f"{recipe.config}.py")
    options = config.train_dataloader.dataset
    recipe.changes(options, folder)
    dataset = DATASETS.build(options)
    batch = pseudo_collate([dataset[k] for k in sorted({0, 1, len(dataset) // 2, len(dataset) - 1})])

    def losses(model: nn.Module, batch) -> torch.Tensor:
        prepared = model.data_preprocessor(batch, True)
        return model.parse_losses(model._run_forward(prepared, mode="loss"))[0]

    return Step(model, losses, lambda model: build_optim_wrapper(model, config.optim_wrapper).step(), batch)


def _student_step(recipe: Recipe, folder: Path) -> Step:
    import orplugins  # noqa: F401 - registers
    from orplugins.orpose_color.detectron2.datasets import register_people
    from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config

    register_people("gpu_check_people", folder / "labels.json", folder)
    cfg = read_config(
        str(CONFIGS / f"{recipe.config}.yaml"),
        [
            "MODEL.DEVICE",
            "cpu",
            "DATASETS.H36_STATS_PATH",
            str(folder / "statistics.json"),
            "DATASETS.TRAIN",
            ("gpu_check_people",),
        ],
    )
    model, batch = ORPoseTrainer.build_model(cfg), next(iter(ORPoseTrainer.build_train_loader(cfg)))
    return _detectron2_step(model, batch, lambda model: ORPoseTrainer.build_optimizer(cfg, model).step())


def _detector_step(recipe: Recipe, folder: Path) -> Step:
    from detectron2.engine import DefaultTrainer

    import orplugins  # noqa: F401 - registers
    from orplugins.partial_body.detectron2.datasets import register_partial_body
    from orplugins.partial_body.detectron2.detector import detector_config

    register_partial_body("gpu_check_detector", folder / "detector.json", folder)
    cfg = detector_config(CONFIGS / f"{recipe.config}.yaml", ["DATASETS.TRAIN", ("gpu_check_detector",)])
    model, batch = DefaultTrainer.build_model(cfg), next(iter(DefaultTrainer.build_train_loader(cfg)))
    return _detectron2_step(model, batch, lambda model: DefaultTrainer.build_optimizer(cfg, model).step())


def _detectron2_step(model: nn.Module, batch: list, optimise: Callable) -> Step:
    def losses(model: nn.Module, batch) -> torch.Tensor:
        from detectron2.utils.events import EventStorage

        with EventStorage():
            return sum(model(batch).values())

    return Step(model.train(), losses, optimise, batch, random="regions are drawn on the device")


def _reference(session: Session, prepared: Callable[[], Step]) -> tuple[float, torch.Tensor]:
    with session.precision("fp32"):
        return _loss_and_gradient(prepared(), _without_dropout(prepared().model))


def _run(session: Session, recipe: Recipe, precision: str, prepared, reference) -> Outcome:
    session.require(recipe.needs)
    if precision == "bf16" and recipe.no_bf16:
        raise Skipped(recipe.no_bf16)
    with session.precision(precision):
        step = prepared()
        model = _without_dropout(step.model).to(session.device)
        loss, gradient = _loss_and_gradient(step, model)
    step.optimise(model)
    expected_loss, expected = reference()
    numbers = {"loss": loss, "cpu_loss": expected_loss}
    value, told = f"loss {loss:.4g}", f"CPU {expected_loss:.4g}"
    if precision == "fp16":  # a loss scaler takes care of gradients that are too large
        return Outcome(value, told, numbers=numbers)
    if not torch.isfinite(gradient).all() or not all(torch.isfinite(p).all() for p in model.parameters()):
        raise ValueError(f"loss {loss:.4g}, but gradients or changed parameters are not finite")
    if step.random or precision != "fp32":
        return Outcome(value, f"{told}; {step.random or 'gradient finite'}", numbers=numbers)
    difference = float((gradient - expected).norm() / expected.norm())
    return Outcome(
        f"{value}, gradient {difference:.1e} off",
        f"{told}, <= {TOLERANCE:.0e}",
        difference <= TOLERANCE,
        {**numbers, "gradient_difference": difference, "tolerance": TOLERANCE},
    )


def _without_dropout(model: nn.Module) -> nn.Module:
    """A copy that draws nothing at random in its layers."""
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
    return model


def _loss_and_gradient(step: Step, model: nn.Module) -> tuple[float, torch.Tensor]:
    """The loss and all gradients as one vector in double precision on the CPU.

    Raises:
        ValueError: The loss is not finite.
    """
    torch.manual_seed(0)
    loss = step.losses(model, copy.deepcopy(step.batch))
    if not torch.isfinite(loss):
        raise ValueError(f"the loss is {loss.item()}")
    loss.backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return loss.item(), torch.cat([gradient.flatten().double().cpu() for gradient in gradients])
