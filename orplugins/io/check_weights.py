"""Files that ORPose-Color's student starts from: its own, detectron2's model zoo's (.pkl), older torch files.

The release's names are the model's own, so nothing is renamed; detectron2's loader reports what does not fit. What has
to be added is that no file is opened that would execute code.
"""

from __future__ import annotations

from pathlib import Path

from orplugins.io.checkpoint_safety import check_checkpoint, check_pickle


def check_weights(path: str | Path) -> None:
    """Refuse a file of weights that is truncated or would execute code; nothing in it is executed.

    Args:
        path: A ``.pkl`` of detectron2's model zoo, a ``.safetensors`` file (which can hold no code), or a torch
            checkpoint, also of torch before 1.6.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, or none of these.
        UnsafeCheckpointError: It names a callable that a file of weights has no need of.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path}: no such file")
    if path.suffix == ".pkl":
        check_pickle(path, path.read_bytes())
    elif path.suffix != ".safetensors":
        check_checkpoint(path)
