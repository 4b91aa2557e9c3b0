"""The networks that ship find people where a command names no others."""

from __future__ import annotations

import os
from pathlib import Path

from orplugins.resources import SHIPPED, resource

DETECTOR_SCORE = 0.4  # least score of its boxes
DETECTOR_LABELS = ("patient", "user")
SCORE = 0.8  # of any other detector's boxes


def least_score_of(config: str | os.PathLike) -> float:
    """Least score of a detector's boxes, unless something else is asked for.

    Args:
        config: Its config.
    """
    shipped = resource(SHIPPED["partial-body-detector"][0])
    return DETECTOR_SCORE if Path(config).resolve() == shipped.resolve() else SCORE


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
        out |= _files("partial-body", "config", "checkpoint")
    if not any(out.get(name) for name in ("detector_weights", "boxes", "whole_image")):
        if out.get("detector_config"):
            raise ValueError("expected the detector's weights with its config, or neither for the one that ships")
        out |= _files("partial-body-detector", "detector_config", "detector_weights")
        shipped = {"box_score": DETECTOR_SCORE, "labels": DETECTOR_LABELS}
        out |= {name: value for name, value in shipped.items() if out.get(name) is None}
    if out.get("box_score") is None:
        out["box_score"] = SCORE
    return out


def _files(job: str, *names: str) -> dict:
    """The shipped config and weights of a job, by the names of the options."""
    return dict(zip(names, map(resource, SHIPPED[job]), strict=True))
