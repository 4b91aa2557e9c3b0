"""Models of detectron2 as plain callables on images: boxes of people, joints in given boxes, the student."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from detectron2 import model_zoo
from detectron2.config import CfgNode, get_cfg
from detectron2.data import transforms as T
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances

from orplugins.hosts.detectron2.checkpoint import load_weights
from orplugins.hosts.detectron2.config import add_orplugins_config

PERSON = 0
CELLS = 56 * 56  # of a keypoint head's map
PUBLISHED_SIDE = 480  # pixels


def merge_config(cfg: CfgNode, config: str) -> bool:
    """Merge a file, or one of detectron2's model zoo, into a config.

    Args:
        cfg: The config, changed in place.
        config: A file, or a name in the zoo.

    Returns:
        Whether it is of the zoo.

    Raises:
        FileNotFoundError: Neither a file nor a name in the zoo.
        ValueError: Not a config of detectron2; what it says is in the error.
    """
    zoo = not Path(config).is_file()
    try:
        cfg.merge_from_file(model_zoo.get_config_file(config) if zoo else config)
    except RuntimeError:
        raise FileNotFoundError(f"{config}: no such file, and not a name in detectron2's model zoo") from None
    except (KeyError, AssertionError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ValueError(f"{config}: not a config of detectron2: {' '.join(str(error).split())[:300]}") from None
    return zoo


def roi_heads_of(config: str) -> str:
    """``MODEL.ROI_HEADS.NAME`` of a config.

    Args:
        config: A file, or a name in detectron2's model zoo.

    Raises:
        FileNotFoundError, ValueError: See `merge_config`.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    merge_config(cfg, config)
    return cfg.MODEL.ROI_HEADS.NAME


def read_model_config(config: str, weights: str | None, device: str, options: list[str] = ()) -> CfgNode:
    """The config of a file, or of one of detectron2's model zoo.

    Args:
        config: A file, or a name in the zoo.
        weights: Checkpoint; None takes the zoo's own, or the config's ``MODEL.WEIGHTS``.
        device: Such as "cpu" or "cuda:0".
        options: Further keys and values.

    Returns:
        The config, with weights and device.

    Raises:
        FileNotFoundError: Neither a file nor a name in the zoo.
        ValueError: No weights are named.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    if merge_config(cfg, config) and not weights:
        weights = model_zoo.get_checkpoint_url(config)
    merge_options(cfg, options)
    cfg.MODEL.WEIGHTS = weights or cfg.MODEL.WEIGHTS
    cfg.MODEL.DEVICE = device
    if not cfg.MODEL.WEIGHTS:
        raise ValueError(f"{config}: names no weights (MODEL.WEIGHTS), expected a file of them")
    return cfg


def sides_of(config: str) -> tuple[int, int]:
    """Shorter side, and the most that the longer one may have, that a config wants pictures to have.

    Args:
        config: A file, or a name in detectron2's model zoo.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    merge_config(cfg, config)
    return network_sides(cfg)


def network_sides(cfg: CfgNode) -> tuple[int, int]:
    """Shorter side, and the most that the longer one may have, of the pictures that a config's network learned from.

    ORPose-Color's published configs leave detectron2's 800, but their networks learned from pictures of 640x480;
    AdaptOR's learned from pictures of about 800.

    Args:
        cfg: The config.
    """
    stock = get_cfg().INPUT.MIN_SIZE_TEST
    side = cfg.INPUT.MIN_SIZE_TEST
    if side == stock and cfg.MODEL.ROI_HEADS.NAME != "CustomROIHeads":
        side = PUBLISHED_SIDE
    return side, cfg.INPUT.MAX_SIZE_TEST


def merge_options(cfg: CfgNode, options: Sequence[str]) -> None:
    """Merge keys and values of a command line into a config.

    Args:
        cfg: The config, changed in place.
        options: Keys and values in turn.

    Raises:
        ValueError: A key that is not known, without a value, or with one of another type.
    """
    try:
        cfg.merge_from_list(list(options))
    except (KeyError, AssertionError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"options {' '.join(map(str, options))[:200]}: {reason}") from None


class Predictor:
    """A built model with its weights.

    Args:
        cfg: Its config, from `read_model_config`.
        native: Give it images in their own size; otherwise resized as the config's ``INPUT`` says.

    Attributes:
        sides: Shorter side, and the most that the longer one may have, see `network_sides`.
        least_score: Of a person, that the config says (``ORPLUGINS.ORPOSE_COLOR.LEAST_SCORE``).
    """

    def __init__(self, cfg: CfgNode, native: bool = False):
        self.cfg = cfg
        self.model = build_model(cfg).eval()
        load_weights(self.model, cfg.MODEL.WEIGHTS)
        self.sides: tuple[int, int] = network_sides(cfg)
        self.least_score: float = cfg.ORPLUGINS.ORPOSE_COLOR.LEAST_SCORE
        ours = cfg.MODEL.ROI_HEADS.NAME == "Keypoints3DROIHeads"  # its training and evaluation resize nothing
        side = 0 if native or ours else cfg.INPUT.MIN_SIZE_TEST  # 0: as they are
        self.resize = T.ResizeShortestEdge([side, side], cfg.INPUT.MAX_SIZE_TEST)

    def inputs(self, images: list[np.ndarray]) -> list[dict]:
        """The model's input records of images.

        Args:
            images: (H, W, 3) uint8 BGR each.

        Returns:
            Records with ``image``, ``height`` and ``width``.
        """
        records = []
        for image in images:
            picture = image if self.cfg.INPUT.FORMAT == "BGR" else image[:, :, ::-1]
            picture = self.resize.get_transform(picture).apply_image(picture)
            tensor = torch.as_tensor(np.ascontiguousarray(picture.transpose(2, 0, 1)).astype(np.float32))
            records.append({"image": tensor, "height": image.shape[0], "width": image.shape[1]})
        return records

    @torch.no_grad()
    def __call__(self, images: list[np.ndarray]) -> list[Instances]:
        """Instances of each image (H, W, 3) uint8 BGR, in its pixels."""
        return [output["instances"].to("cpu") for output in self.model(self.inputs(images))]


class PersonDetector:
    """Stage 1 of a teacher: images to (boxes (N, 4), scores (N,)) of people.

    Args:
        predictor: A model that detects people, among others.
    """

    def __init__(self, predictor: Predictor):
        self.predictor = predictor

    def __call__(self, images: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Boxes (N, 4) and scores (N,) of the people in each image (H, W, 3) uint8 BGR."""
        persons = [found[found.pred_classes == PERSON] for found in self.predictor(images)]
        return [(found.pred_boxes.tensor.numpy(), found.scores.numpy()) for found in persons]


class KeypointsInBoxes:
    """Stage 2 of a teacher by a keypoint model of detectron2: joints (N, 17, 3) in given boxes.

    detectron2's score is the peak of a softmax over a map's cells, far below 1 for a good joint too. The confidence
    here is 1 + log(score) / log(cells): 0 for a flat map, 1 for a single peak.

    Args:
        predictor: A model with a keypoint head for COCO's 17 joints.
    """

    def __init__(self, predictor: Predictor):
        self.predictor = predictor

    @torch.no_grad()
    def __call__(self, images: list[np.ndarray], boxes: list[np.ndarray]) -> list[np.ndarray]:
        """Joints (N, 17, 3) in the boxes (N, 4) of each image (H, W, 3) uint8 BGR."""
        model = self.predictor.model
        records, given = self.predictor.inputs(images), []
        for record, each in zip(records, boxes, strict=True):
            height, width = record["image"].shape[1:]
            scale = torch.tensor([width / record["width"], height / record["height"]] * 2)
            tensor = torch.as_tensor(np.asarray(each, dtype=np.float32)).reshape(-1, 4) * scale
            given.append(
                Instances(
                    (height, width),
                    pred_boxes=Boxes(tensor.to(model.device)),
                    pred_classes=torch.full((len(tensor),), PERSON, device=model.device),
                )
            )
        results = model.inference(records, detected_instances=given, do_postprocess=False)
        out = []
        for record, found in zip(records, results, strict=True):
            height, width = record["image"].shape[1:]
            scale = np.array([record["width"] / width, record["height"] / height, 1])
            joints = found.pred_keypoints.cpu().numpy() * scale
            joints[..., 2] = (1 + np.log(np.maximum(joints[..., 2], 1e-9)) / np.log(CELLS)).clip(0, 1)
            out.append(joints)
        return out
