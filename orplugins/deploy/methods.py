"""Which class runs the model files of a method: the method's own module, imported when a file asks for it."""

from __future__ import annotations

import importlib

# method in the metadata -> module and class. Each takes an `Engine` and a `Metadata`; none may need torch or a host.
METHODS = {
    "depthpose": ("orplugins.depthpose.deploy", "DepthPeople"),
    "orpose-color": ("orplugins.orpose_color.deploy", "ColorPeople"),
    "orpose-lifter": ("orplugins.orpose_color.deploy_lifter", "RowLifter"),
    "partial-body": ("orplugins.partial_body.deploy", "BoxPeople"),
    "partial-body-detector": ("orplugins.partial_body.deploy_detector", "Detector"),
    "refinet": ("orplugins.refinet.deploy", "Refiner"),
    "videopose3d": ("orplugins.videopose3d.deploy", "ClipLifter"),
    "videopose3d-stream": ("orplugins.videopose3d.deploy", "LiveLifter"),
}


def class_of(method: str, path: str) -> type:
    """The class that runs a method's files.

    Args:
        method: As in the metadata.
        path: For errors.

    Raises:
        ValueError: A method that this version does not know.
    """
    if method not in METHODS:
        raise ValueError(f"{path}: metadata: found method {method!r}, expected one of {', '.join(METHODS)}")
    module, name = METHODS[method]
    return getattr(importlib.import_module(module), name)
