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


def main(argv: list[str] | None = None) -> int:
    """Parse arguments and launch the training."""
    from orplugins.orpose_color.detectron2.pipeline import launch_training

    try:
        launch_training(argv, __doc__)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
