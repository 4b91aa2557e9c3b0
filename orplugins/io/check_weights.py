"""A look into a file of weights before a job begins: detectron2's model zoo's form is taken as well."""

from __future__ import annotations

from pathlib import Path

from orplugins.io.checkpoint_safety import check_checkpoint


def check_weights(path: str | Path) -> None:
    """Refuse a file of weights that is truncated or would execute code; nothing in it is executed.

    Args:
        path: A safetensors file, a torch checkpoint, also of torch before 1.6, or a pickle of detectron2's model zoo;
            which of them is told by its content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, or none of these.
        UnsafeCheckpointError: It names a callable that a file of weights has no need of.
    """
    check_checkpoint(path, model_zoo=True)
