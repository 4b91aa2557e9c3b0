"""The job behind ``orplugins export``: write a network, check it, shrink it, measure what that costs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

OPSET = 18


@dataclass(frozen=True)
class Exported:
    """What `export` wrote.

    Attributes:
        model: The ONNX file.
        openvino: The ``.xml`` of OpenVINO's form, where it was asked for.
        scores: Precision -> figures on a generated set (`orplugins.export.plan.Plan.score`); of fp32 and of the
            precision asked for, only where that is another.
        largest_difference: Output name -> largest difference of the file's outputs from the network's, fp32.
    """

    model: Path
    openvino: Path | None
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    largest_difference: dict[str, float] = field(default_factory=dict)


def export(
    config: str | os.PathLike,
    weights: str | os.PathLike,
    out: str | os.PathLike,
    half: bool = False,
    int8: bool = False,
    openvino: bool = False,
    opset: int = OPSET,
    licence: str = "unknown",
    calibration: int = 64,
    **options,
) -> Exported:
    """Write a network as a model file.

    Args:
        config: mmpose's (.py), detectron2's (.yaml), or the joint statistics (.json) of ORPose-Color's lifter.
        weights: Of the network.
        out: The ``.onnx`` file to write.
        half: Weights and computation in float16; inputs and outputs stay float32.
        int8: Convolutions and products in 8 bits, calibrated on generated frames.
        openvino: Also write OpenVINO's form beside it, ``.xml`` and ``.bin``.
        opset: Of ONNX.
        licence: Of the weights, put into the metadata.
        calibration: Generated frames for int8.
        **options: Those of the method's plan.

    Returns:
        What was written and measured.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A config of another network, weights that do not fit, both half and int8, another suffix.
        ImportError: What the export needs is not installed.
    """
    raise NotImplementedError  # replaced in the next commit
