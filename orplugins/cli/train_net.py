"""Train or evaluate a network of detectron2: ORPose-Color's student, AdaptOR; detectron2's own options apply.

Examples:
    python tools/train_net.py --config-file configs/detectron2/orpose_color/orpose_tiny.yaml --num-gpus 0 \\
        MODEL.DEVICE cpu OUTPUT_DIR outputs/tiny DATASETS.H36_STATS_PATH outputs/lifter/statistics.json \\
        DATASETS.TRAIN_SET_NAME toy_train DATASETS.TRAIN_SET_JSON labels.json DATASETS.TRAIN_SET_IMGDIR images
    python tools/train_net.py --config-file ... --eval-only MODEL.WEIGHTS outputs/tiny/model_final.pth \\
        DATASETS.TEST_SET_NAME toy_test DATASETS.TEST_SET_JSON test.json DATASETS.TEST_SET_IMGDIR images
    python tools/train_net.py --config-file configs/detectron2/adaptor/kmrcnn_R_50_FPN_3x_gn_amp_sup1.yaml --num-gpus 4

AdaptOR's configs (UDA.ENABLE, or its heads) are trained with a teacher; their keys: docs/adaptor/use.md.
ORPLUGINS.ORPOSE_COLOR and DATASETS.* keys: docs/orpose_color/differences.md.
--resume goes on from OUTPUT_DIR's last checkpoint.
"""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Parse arguments and launch the training."""
    from orplugins.adaptor.detectron2.pipeline import ADAPTOR
    from orplugins.hosts.detectron2.training import launch_training
    from orplugins.orpose_color.detectron2.pipeline import ORPOSE_COLOR

    try:
        launch_training(argv, __doc__, (ADAPTOR, ORPOSE_COLOR))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
