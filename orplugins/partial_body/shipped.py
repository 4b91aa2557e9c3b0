"""The networks that ship, which find people where a command names no others; nowhere else are they named."""

from __future__ import annotations

from orplugins.resources import resource

CONFIG = "configs/mmpose/partial_body/lite0_people-states_192x144.py"
WEIGHTS = "demo/lite0_people-states.safetensors"
DETECTOR_CONFIG = "configs/detectron2/partial_body/faster_rcnn_tiny.yaml"
DETECTOR_WEIGHTS = "demo/faster_rcnn_tiny.safetensors"
DETECTOR_SCORE = 0.4  # least score of its boxes
DETECTOR_LABELS = ("patient", "user")
SCORE = 0.8  # of any other detector's boxes


def completed(options: dict) -> dict:
    """Options of `orplugins.partial_body.pipeline.PartialSettings`, with the shipped networks where none is named.

    Args:
        options: By name; None or absent where nothing was asked for. Without `config` and `checkpoint`: the shipped
            pose network. Without `detector_weights`, `boxes` and `whole_image`: the shipped detector, then the poses
            of everyone, patients and users.

    Returns:
        The options, complete.

    Raises:
        ValueError: A config without weights, or weights without a config.
    """
    out = dict(options)
    if bool(out.get("config")) != bool(out.get("checkpoint")):
        raise ValueError("expected a config and a checkpoint, or neither for the network that ships")
    if not out.get("config"):
        out |= {"config": resource(CONFIG), "checkpoint": resource(WEIGHTS)}
    if not any(out.get(name) for name in ("detector_weights", "boxes", "whole_image")):
        if out.get("detector_config"):
            raise ValueError("expected the detector's weights with its config, or neither for the one that ships")
        out |= {"detector_config": resource(DETECTOR_CONFIG), "detector_weights": resource(DETECTOR_WEIGHTS)}
        shipped = {"box_score": DETECTOR_SCORE, "labels": DETECTOR_LABELS}
        out |= {name: value for name, value in shipped.items() if out.get(name) is None}
    if out.get("box_score") is None:
        out["box_score"] = SCORE
    return out
