"""Reading and writing weights with detectron2's checkpointer, carefully."""

from __future__ import annotations

from pathlib import Path

import torch
from detectron2.checkpoint import DetectionCheckpointer

from orplugins.io.atomic import atomic_write
from orplugins.io.check_weights import check_weights


def expect_weights(path: str) -> None:
    """Refuse a file that a stock script loads next, before the model is built and its data are read.

    Args:
        path: The config's ``MODEL.WEIGHTS``, also with ``?matching_heuristics=True``; what is no local file is left to
            detectron2, whose reading is guarded too.

    Raises:
        ValueError: Truncated, or neither of the known forms.
        UnsafeCheckpointError: Another reader would execute code in it.
    """
    file = path if Path(path).exists() else path.partition("?")[0]
    if Path(file).exists() and path:
        check_weights(file)


class CarefulCheckpointer(DetectionCheckpointer):
    """detectron2's checkpointer that says what did not fit, and replaces files in one step.

    Args:
        model: The model.
        save_dir: Where checkpoints are written.
        exact: Refuse a file that lacks a tensor of the model or has one of another shape, instead of logging it.
        **options: `DetectionCheckpointer`'s.
    """

    def __init__(self, model: torch.nn.Module, save_dir: str = "", *, exact: bool = False, **options):
        super().__init__(model, save_dir, **options)
        self.exact = exact

    def _load_file(self, filename: str) -> dict:
        self._file = filename
        return super()._load_file(filename)

    def _load_model(self, checkpoint: dict):
        total = len(self.model.state_dict())
        found = super()._load_model(checkpoint)
        shapes = [f"{name}: shape {tuple(a)}, the model has {tuple(b)}" for name, a, b in found.incorrect_shapes]
        missing = [f"{name}: missing" for name in found.missing_keys]
        problems = missing + shapes
        self.logger.info("%s: %d of %d tensors of the model were loaded", self._file, total - len(problems), total)
        if self.exact and problems:
            more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
            raise ValueError(f"checkpoint {self._file}: is for another model:\n  " + "\n  ".join(problems[:10]) + more)
        return found

    def save(self, name: str, **extra) -> None:
        """Write ``<name>.pth`` in one step.

        Args:
            name: The file's name without suffix.
            **extra: Further entries of the file, such as the iteration.
        """
        if not self.save_dir or not self.save_to_disk:
            return
        parts = {"model": self.model, **self.checkpointables}
        data = {key: part.state_dict() for key, part in parts.items()}
        path = Path(self.save_dir) / f"{name}.pth"
        self.logger.info("Saving checkpoint to %s", path)
        with atomic_write(path, "wb") as file:
            torch.save({**data, **extra}, file)
        self.tag_last_checkpoint(path.name)

    def tag_last_checkpoint(self, last_filename_basename: str) -> None:
        """Note the newest checkpoint in one step: a run killed while fvcore wrote the note could not be resumed."""
        with atomic_write(Path(self.save_dir) / "last_checkpoint") as file:
            file.write(last_filename_basename)


def load_weights(model: torch.nn.Module, path: str, exact: bool = True) -> None:
    """Load a file of weights into a model.

    Args:
        model: The model, changed in place.
        path: A local file, or an address that detectron2 knows.
        exact: Refuse a file that does not fit the model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Truncated, code in it, or (if ``exact``) for another model.
    """
    checkpointer = CarefulCheckpointer(model, exact=exact)
    if "://" not in path:
        check_weights(path if Path(path).exists() else path.partition("?")[0])
    checkpointer.load(path)
