"""mmengine's reader of local checkpoint files, with a look into the file first; it learns safetensors, too."""

from __future__ import annotations

from mmengine.runner.checkpoint import CheckpointLoader

from orplugins.io.weights import read_weights


def load_from_checked_local(filename: str, map_location=None) -> dict:
    """Read a checkpoint that holds nothing but tensors and plain values.

    Args:
        filename: A local file.
        map_location: As for `torch.load`.

    Returns:
        The checkpoint, see `orplugins.io.weights.read_weights`, which also says what is raised.
    """
    return read_weights(filename, map_location)


def guard_checkpoints() -> None:
    """Have mmengine look into every local checkpoint of this process before it loads one.

    Called by the project's models when they are built, and by the configs (`orplugins.mmpose.guard`): runner,
    `init_model`, inferencers and `resume` all load through mmengine's one reader. A process without a model or a config
    of ours is left alone.
    """
    CheckpointLoader.register_scheme("", load_from_checked_local, force=True)
