"""Files that travel with the package but are not code: configs and the demo networks' weights.

In a clone they lie beside the package; in a wheel below ``orplugins/.mim``, where mim looks for them, too.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

# The network of each job that ships, config and weights: what commands take that are not told another.
SHIPPED = {
    "depthpose": ("configs/mmpose/depthpose/depthpose_small-64x48.py", "demo/depthpose_small-64x48.safetensors"),
    "orpose-color": ("configs/detectron2/orpose_color/orpose_lite0.yaml", "demo/orpose_lite0.safetensors"),
    "adaptor": ("configs/detectron2/adaptor/adaptor_tiny_adapt.yaml", "demo/adaptor_tiny.safetensors"),
    "partial-body": (
        "configs/mmpose/partial_body/lite0_people-states_192x144.py",
        "demo/lite0_people-states.safetensors",
    ),
    "partial-body-detector": (
        "configs/detectron2/partial_body/faster_rcnn_lite0.yaml",
        "demo/faster_rcnn_lite0.safetensors",
    ),
}


def resource(path: str) -> Path:
    """Return the place of a file or folder such as ``configs/mmpose/refinet/refinet_or.py``.

    Args:
        path: Relative to the repository's root, with forward slashes.

    Returns:
        An existing path, in the wheel or in the clone.

    Raises:
        FileNotFoundError: Neither in the wheel nor in a clone.
    """
    package = Path(str(files("orplugins")))
    for root in (package / ".mim", package.parent):
        if (root / path).exists():
            return root / path
    raise FileNotFoundError(f"{path}: is neither below {package / '.mim'} nor below {package.parent}")


def shipped(job: str) -> tuple[str, str]:
    """Return the places of the config and the weights that ship for a job.

    Args:
        job: Key of `SHIPPED`.

    Returns:
        Existing paths.

    Raises:
        FileNotFoundError: See `resource`.
    """
    config, weights = (str(resource(path)) for path in SHIPPED[job])
    return config, weights
