"""A teacher of detectron2 labels the weak views of pictures for their strong views."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from detectron2.modeling.roi_heads.fast_rcnn import FastRCNNOutputLayers
from detectron2.structures import Boxes, Instances, Keypoints

from orplugins.adaptor.detectron2.meta_arch import TARGET
from orplugins.adaptor.detectron2.roi_masks import FramedMasks
from orplugins.adaptor.detectron2.streams import Records
from orplugins.adaptor.pseudo_labels import Labels, Thresholds, View, label_strong_view
from orplugins.skeletons import COCO_17


@dataclass(frozen=True)
class Labelling:
    """How pictures are labelled.

    Attributes:
        thresholds: What counts.
        aligned: Masks keep their frames; otherwise they are taken to be in the proposals', as the release does.
        flip_indices: Of the joints, where each comes from in a mirrored picture.
    """

    thresholds: Thresholds = Thresholds()
    aligned: bool = True
    flip_indices: Sequence[int] = COCO_17.flip_indices


@dataclass
class Found:
    """What a teacher found in the pictures of a step.

    Attributes:
        pictures: All of them.
        labelled: Those with a confident person.
        people: Confident ones.
        joints: Of these people, all.
        visible: Of these people, those above the threshold.
    """

    pictures: int = 0
    labelled: int = 0
    people: int = 0
    joints: int = 0
    visible: int = 0


def build_teacher(student: torch.nn.Module) -> torch.nn.Module:
    """A copy of a network in inference mode, whose weights nobody trains.

    Args:
        student: The network.
    """
    return copy.deepcopy(student).eval().requires_grad_(False)


@torch.no_grad()
def label_pictures(
    teacher: torch.nn.Module, weak: Records, strong: Records, labelling: Labelling
) -> tuple[Records, Found]:
    """Label strong views by what a teacher finds in the weak ones.

    Args:
        teacher: A detectron2 R-CNN in inference mode.
        weak: Records of the weak views.
        strong: Of the strong ones; ``flip_enable`` says that exactly one of the two is mirrored.
        labelling: How.

    Returns:
        Records of the strong views that have a confident person, with these as ``instances`` and ``target: True``; and
        what was found.
    """
    with _only_confident(teacher, labelling.thresholds.box):
        results = teacher.inference(weak, do_postprocess=False)
    records, found = [], Found(pictures=len(weak))
    for given, record, result in zip(weak, strong, results, strict=True):
        size = tuple(record["image"].shape[-2:])
        view = View(tuple(given["image"].shape[-2:]), size, bool(record.get("flip_enable", False)))
        labels = label_strong_view(
            result.pred_boxes.tensor,
            result.scores,
            result.pred_keypoints if result.has("pred_keypoints") else None,
            result.pred_masks if result.has("pred_masks") else None,
            view,
            labelling.thresholds,
            labelling.flip_indices,
        )
        if len(labels):
            records.append({**record, "instances": as_instances(labels, size, labelling.aligned), TARGET: True})
            found.labelled += 1
            found.people += len(labels)
            if labels.keypoints is not None:
                found.joints += labels.keypoints.shape[0] * labels.keypoints.shape[1]
                found.visible += int((labels.keypoints[..., 2] > 0).sum())
    return records, found


def as_instances(labels: Labels, size: tuple[int, int], aligned: bool) -> Instances:
    """Labels as detectron2's targets.

    Args:
        labels: Of one picture.
        size: Its (height, width).
        aligned: Masks keep their frames.
    """
    instances = Instances(size, gt_boxes=Boxes(labels.boxes))
    instances.gt_classes = torch.zeros(len(labels), dtype=torch.int64, device=labels.boxes.device)
    if labels.keypoints is not None:
        instances.gt_keypoints = Keypoints(labels.keypoints)
    if labels.masks is not None:
        instances.gt_masks = FramedMasks(labels.masks, labels.mask_boxes if aligned else None)
    return instances


@contextmanager
def _only_confident(teacher: torch.nn.Module, threshold: float) -> Iterator[None]:
    """Joints and masks of people below the threshold are not computed; those above stay the same.

    Suppression goes by falling score, so that nobody is suppressed by somebody below the threshold.
    """
    predictors = [each for each in teacher.modules() if isinstance(each, FastRCNNOutputLayers)]
    before = [each.test_score_thresh for each in predictors]
    for each in predictors:
        each.test_score_thresh = max(each.test_score_thresh, threshold)
    try:
        yield
    finally:
        for each, value in zip(predictors, before, strict=True):
            each.test_score_thresh = value
