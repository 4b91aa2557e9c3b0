"""Training and evaluation of a method's config through detectron2's own options and ``launch``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from detectron2.config import CfgNode, get_cfg
from detectron2.engine import DefaultTrainer, default_argument_parser, default_setup, launch
from detectron2.evaluation import verify_results
from detectron2.utils import comm
from detectron2.utils.logger import setup_logger

from orplugins.device import choose_device
from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer
from orplugins.hosts.detectron2.config import add_orplugins_config
from orplugins.hosts.detectron2.predictor import merge_config, merge_options
from orplugins.io.run_folder import run_folder


@dataclass(frozen=True)
class Method:
    """What a method's training is made of. Its parts are found by name in another process.

    Attributes:
        takes: Whether a config is the method's.
        read: A config by file, options, and whether it is for training; its sets are registered.
        check: Refuses what cannot work, before anything is built; see `check_before` of the methods.
        trainer: The trainer's class.
        checkpointer: What reads weights for an evaluation, of (model, folder).
    """

    takes: Callable[[CfgNode], bool]
    read: Callable[[str, Sequence[str], bool], CfgNode]
    check: Callable[[CfgNode, bool, bool], None]
    trainer: type[DefaultTrainer]
    checkpointer: Callable[..., CarefulCheckpointer]


def method_of(methods: Sequence[Method], path: str, options: Sequence[str]) -> Method:
    """The first method that takes a config.

    Args:
        methods: All of them; the last one takes what nobody else does.
        path: The config's file.
        options: Further keys and values.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    merge_config(cfg, path)
    merge_options(cfg, options)
    return next((method for method in methods if method.takes(cfg)), methods[-1])


def train(args: argparse.Namespace, methods: Sequence[Method]) -> Any:
    """Train, or evaluate with ``--eval-only``: what detectron2's ``launch`` calls in every process.

    Args:
        args: Of detectron2's own parser.
        methods: See `method_of`.

    Raises:
        ValueError: A key of the config, the device, or the weights do not fit.
    """
    method = method_of(methods, args.config_file, args.opts)
    cfg = method.read(args.config_file, args.opts, not args.eval_only)
    try:
        choose_device(cfg.MODEL.DEVICE)
    except ValueError as error:
        raise ValueError(f"MODEL.DEVICE: {error}; without a GPU add --num-gpus 0 MODEL.DEVICE cpu") from None
    cfg.freeze()
    method.check(cfg, args.eval_only, args.resume)
    default_setup(cfg, args)
    setup_logger(cfg.OUTPUT_DIR, distributed_rank=comm.get_rank(), name="orplugins")
    if args.eval_only:
        model = method.trainer.build_model(cfg)
        method.checkpointer(model, cfg.OUTPUT_DIR).resume_or_load(cfg.MODEL.WEIGHTS, resume=args.resume)
        results = method.trainer.test(cfg, model)
        if comm.is_main_process():
            verify_results(cfg, results)
        return results
    with run_folder(cfg.OUTPUT_DIR, below=False) if comm.is_main_process() else nullcontext():
        trainer = method.trainer(cfg)
        trainer.resume_or_load(resume=args.resume)
        return trainer.train()


def launch_training(argv: Sequence[str] | None, description: str | None, methods: Sequence[Method]) -> None:
    """Parse detectron2's own options and train in as many processes as they ask for.

    Args:
        argv: The arguments; None: those of the command line.
        description: What ``--help`` ends with.
        methods: See `method_of`.
    """
    args = default_argument_parser(description).parse_args(argv)
    launch(
        train,
        args.num_gpus,
        num_machines=args.num_machines,
        machine_rank=args.machine_rank,
        dist_url=args.dist_url,
        args=(args, tuple(methods)),
    )
