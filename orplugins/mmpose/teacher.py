"""mmpose's top-down estimators as plain callables on pictures and boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orplugins.checkpoints.orpose_color import check_weights


class TopDownPose:
    """Stage 2 of a teacher: joints (N, 17, 3) x, y, confidence in given boxes.

    Args:
        config: A file of mmpose's.
        weights: A checkpoint; None leaves the model untrained.
        device: "cpu", "cuda:0" ...

    Raises:
        FileNotFoundError, ValueError: The checkpoint is missing, damaged, or holds code.
    """

    def __init__(self, config: str, weights: str | None, device: str = "cpu"):
        from mmpose.apis import init_model

        if not Path(config).is_file():
            raise FileNotFoundError(f"{config}: no such file, expected a config of mmpose")
        if weights and "://" not in weights:
            check_weights(weights)
        self.model = init_model(config, weights, device=device)

    def __call__(self, images: list[np.ndarray], boxes: list[np.ndarray]) -> list[np.ndarray]:
        from mmpose.apis import inference_topdown

        out = []
        for image, each in zip(images, boxes, strict=True):
            if not len(each):  # mmpose would take the whole picture for one box
                out.append(np.zeros((0, 17, 3)))
                continue
            found = inference_topdown(self.model, image, np.asarray(each, dtype=np.float32), bbox_format="xyxy")
            instances = [sample.pred_instances for sample in found]
            joints = np.concatenate([each.keypoints for each in instances]) + 0.5  # from pixel indices
            scores = np.concatenate([each.keypoint_scores for each in instances]).clip(0, 1)
            out.append(np.concatenate([joints, scores[..., None]], axis=-1))
        return out
