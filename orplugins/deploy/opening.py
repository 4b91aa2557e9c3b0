"""From a model file to what runs it."""

from __future__ import annotations

import os

from orplugins.deploy.engines import open_engine
from orplugins.deploy.metadata import parse_metadata
from orplugins.deploy.methods import class_of
from orplugins.deploy.pose import Model


def load(path: str | os.PathLike, threads: int = 1, engine: str = "onnxruntime") -> Model:
    """Open a model file.

    Args:
        path: An ONNX file that ``orplugins export`` wrote, or with OpenVINO also its IR, ``.xml``.
        threads: Of one run of the network.
        engine: ``"onnxruntime"`` or ``"openvino"``.

    Returns:
        Of networks on images a `orplugins.deploy.pose.Pose`; of lifters and RefiNet the method's own class (see
        `orplugins.deploy.methods`).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No ONNX, no metadata of ours, another version of them, or another engine; in one line.
        ImportError: The engine is not installed.
    """
    opened = open_engine(path, engine, threads)
    metadata = parse_metadata(opened.metadata, str(path))
    return class_of(metadata.method, str(path))(opened, metadata)
