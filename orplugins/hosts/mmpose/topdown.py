"""Run a top-down mmpose model on the people of several frames at once: as it is, and as a teacher's second stage."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.apis import init_model

from orplugins.io.checkpoint_safety import check_checkpoint
from orplugins.skeletons import COCO_17


@dataclass(frozen=True)
class Poses:
    """Poses of one frame's boxes.

    Attributes:
        keypoints: (N, K, 2) in frame pixels.
        scores: (N, K).
        crops: (N, 4) x1, y1, x2, y2 of what the network saw, in frame pixels.
        states: (N, K, 3) probabilities of out of view, occluded, visible; None if the network does not tell.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    crops: np.ndarray
    states: np.ndarray | None


def read_test_config(config: str | os.PathLike) -> Config:
    """Read a config that has a model and a test pipeline.

    Args:
        config: mmpose's configuration, a file.

    Returns:
        The config.

    Raises:
        ValueError: It cannot be read, or lacks one of them.
    """
    try:
        cfg = Config.fromfile(str(config))
        cfg.model, cfg.test_dataloader.dataset.pipeline  # noqa: B018 - missing ones raise
    except Exception as error:  # a config is Python, and raises whatever it likes
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{config}: not a config of mmpose with a model and a test pipeline: {reason}") from None
    return cfg


class TopdownRunner:
    """A pose model and its test pipeline.

    Args:
        config: mmpose's configuration, a file.
        checkpoint: Weights, a file or an address; None leaves the model untrained.
        device: Such as "cpu" or "cuda:0".
        batch: People that go through the network together.
        flip_test: Average with the mirrored image; the configuration's if None.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The checkpoint is damaged or holds code.
    """

    def __init__(
        self,
        config,
        checkpoint: str | os.PathLike | None,
        device: str = "cpu",
        batch: int = 32,
        flip_test: bool | None = None,
    ):
        if not Path(config).is_file():
            raise FileNotFoundError(f"{config}: no such file, expected a config of mmpose")
        if checkpoint and "://" not in str(checkpoint):
            check_checkpoint(checkpoint)
        self.model = init_model(read_test_config(config), str(checkpoint) if checkpoint else None, device=device)
        if flip_test is not None:
            self.model.test_cfg["flip_test"] = flip_test
        self.batch = batch
        init_default_scope(self.model.cfg.get("default_scope", "mmpose"))
        self.pipeline = Compose(self.model.cfg.test_dataloader.dataset.pipeline)

    @property
    def joints(self) -> list[str]:
        """Joint names in order."""
        names = self.model.dataset_meta["keypoint_id2name"]
        return [names[k] for k in range(len(names))]

    @property
    def links(self) -> list[tuple[int, int]]:
        """Pairs of joints to be drawn as limbs."""
        return [tuple(link) for link in self.model.dataset_meta["skeleton_links"]]

    def __call__(self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray]) -> list[Poses]:
        """Poses of the boxes (N, 4) x1, y1, x2, y2 of images (H, W, 3) uint8 BGR; a frame may have no box."""
        samples = [
            self.pipeline(
                {
                    "img": image,
                    "bbox": np.array(box, dtype=np.float32)[None],
                    "bbox_score": np.ones(1, dtype=np.float32),
                    **self.model.dataset_meta,
                }
            )
            for image, frame in zip(images, boxes, strict=True)
            for box in frame
        ]
        found = []
        with torch.no_grad():
            for start in range(0, len(samples), self.batch):
                found += self.model.test_step(pseudo_collate(samples[start : start + self.batch]))
        out, start = [], 0
        for frame in boxes:
            out.append(self._poses(found[start : start + len(frame)]))
            start += len(frame)
        return out

    def _poses(self, samples: list) -> Poses:
        joints = len(self.joints)
        people = [sample.pred_instances for sample in samples]
        centres = np.array([sample.metainfo["input_center"] for sample in samples]).reshape(-1, 2)
        scales = np.array([sample.metainfo["input_scale"] for sample in samples]).reshape(-1, 2)
        with_states = all("keypoint_states" in p for p in people) and people
        return Poses(
            np.array([p.keypoints[0, :, :2] for p in people], dtype=np.float64).reshape(-1, joints, 2),
            np.array([p.keypoint_scores[0] for p in people], dtype=np.float64).reshape(-1, joints),
            np.concatenate([centres - scales / 2, centres + scales / 2], axis=1),
            np.array([p.keypoint_states[0] for p in people], dtype=np.float64) if with_states else None,
        )


class TeacherPose:
    """Stage 2 of a teacher: images, boxes of each -> joints (N, 17, 3) x, y in continuous pixels, confidence.

    Args:
        runner: Of a model with COCO's 17 joints.

    Raises:
        ValueError: The model has other joints.
    """

    def __init__(self, runner: TopdownRunner):
        if tuple(runner.joints) != COCO_17.joints:
            raise ValueError(f"pose estimator: has the joints {', '.join(runner.joints)}, expected COCO's 17")
        self.runner = runner

    def __call__(self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Joints (N, 17, 3) in the boxes (N, 4) of each image (H, W, 3) uint8 BGR."""
        # mmpose counts from a pixel's centre
        return [
            np.concatenate([found.keypoints + 0.5, found.scores[..., None].clip(0, 1)], axis=-1)
            for found in self.runner(images, boxes)
        ]
