"""Train or evaluate ORPose-Color's student; detectron2's own options apply.

Examples:
    python tools/train_net.py --config-file configs/detectron2/orpose_color/orpose_tiny.yaml --num-gpus 0 \\
        MODEL.DEVICE cpu OUTPUT_DIR outputs/tiny DATASETS.H36_STATS_PATH outputs/lifter/statistics.json \\
        DATASETS.TRAIN_SET_NAME toy_train DATASETS.TRAIN_SET_JSON labels.json DATASETS.TRAIN_SET_IMGDIR images
    python tools/train_net.py --config-file ... --eval-only MODEL.WEIGHTS outputs/tiny/model_final.pth \\
        DATASETS.TEST_SET_NAME toy_test DATASETS.TEST_SET_JSON test.json DATASETS.TEST_SET_IMGDIR images

ORPLUGINS.ORPOSE_COLOR and DATASETS.* keys: docs/orpose_color/differences.md.
--resume goes on from OUTPUT_DIR's last checkpoint.
"""

from __future__ import annotations

import sys

from detectron2.engine import default_argument_parser, default_setup, launch
from detectron2.evaluation import verify_results
from detectron2.utils import comm
from detectron2.utils.logger import setup_logger

import orplugins  # noqa: F401 - registers
from orplugins.device import choose_device
from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config


def main(args) -> object:
    cfg = read_config(args.config_file, args.opts, train=not args.eval_only)
    try:
        choose_device(cfg.MODEL.DEVICE)
    except ValueError as error:
        raise ValueError(f"MODEL.DEVICE: {error}; without a GPU add --num-gpus 0 MODEL.DEVICE cpu") from None
    cfg.freeze()
    default_setup(cfg, args)
    setup_logger(cfg.OUTPUT_DIR, distributed_rank=comm.get_rank(), name="orplugins")
    if args.eval_only:
        model = ORPoseTrainer.build_model(cfg)
        checkpointer = CarefulCheckpointer(model, cfg.OUTPUT_DIR, exact=True)
        checkpointer.resume_or_load(cfg.MODEL.WEIGHTS, resume=args.resume)
        results = ORPoseTrainer.test(cfg, model)
        if comm.is_main_process():
            verify_results(cfg, results)
        return results
    trainer = ORPoseTrainer(cfg)
    trainer.resume_or_load(resume=args.resume)
    return trainer.train()


if __name__ == "__main__":
    parser = default_argument_parser(__doc__)
    arguments = parser.parse_args()
    try:
        launch(
            main,
            arguments.num_gpus,
            num_machines=arguments.num_machines,
            machine_rank=arguments.machine_rank,
            dist_url=arguments.dist_url,
            args=(arguments,),
        )
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
