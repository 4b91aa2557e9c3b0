"""mmengine's reader of local checkpoint files, with a look into the file first."""

from __future__ import annotations

from pathlib import Path

from mmengine.runner.checkpoint import CheckpointLoader, load_from_local

from orplugins.checkpoints.safety import check_checkpoint


def load_from_checked_local(filename: str, map_location=None) -> dict:
    """Read a checkpoint that names nothing but tensors and plain values; see `check_checkpoint` for what it raises."""
    check_checkpoint(Path(filename).expanduser())
    return load_from_local(filename, map_location)


def guard_checkpoints() -> None:
    """Have mmengine look into every local checkpoint of this process before it loads one.

    Called by the project's models when they are built: runner, `init_model`, inferencers and `resume` all load through
    mmengine's one reader, and all do so after building the model. A process without a model of ours is left alone.
    """
    CheckpointLoader.register_scheme("", load_from_checked_local, force=True)
