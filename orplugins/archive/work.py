"""What a worker does: it opens the model once, then reads spans and writes who is in them."""

from __future__ import annotations

import os
import socket
import time as clock
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.archive.files import COCO, PARQUET, FrameRecord, write_coco, write_parquet
from orplugins.archive.spans import Span
from orplugins.deploy import load_chain
from orplugins.io.files import sha256_of
from orplugins.structures import People

Named = tuple[str, str, int | None, float | None, np.ndarray]  # source, frame's name, number, time, image


@dataclass(frozen=True)
class WorkerSettings:
    """What every worker is told.

    Attributes:
        models: Model files that follow one another, see `orplugins.deploy.load_chain`.
        out: The run's folder, which all workers see.
        runtime: The engine of `orplugins.deploy.load_chain`.
        min_score: Of a detector's boxes, where a top-down network follows it.
        threads: Of one worker's networks.
        batch: Frames at a time.
    """

    models: tuple[str, ...]
    out: str
    runtime: str = "onnxruntime"
    min_score: float = 0.5
    threads: int = 1
    batch: int = 8


class Worker:
    """Model files and all that a span needs, held from span to span.

    Args:
        settings: See `WorkerSettings`.

    Raises:
        FileNotFoundError, ValueError, ImportError: See `orplugins.deploy.load_chain`.
    """

    def __init__(self, settings: WorkerSettings):
        self.settings = settings
        self.model = load_chain(settings.models, settings.threads, settings.runtime, min_score=settings.min_score)

    def __call__(self, number: int, span: Span) -> dict:
        """Do a span: its files are there when this returns.

        Args:
            number: Names the files.
            span: The span.

        Returns:
            Its entry in the manifest.
        """
        began = clock.perf_counter()
        problems: list[str] = []
        frames: list[FrameRecord] = []
        batch: list[Named] = []
        for each in _read(span, self.model.kind, problems):
            batch.append(each)
            if len(batch) == self.settings.batch:
                frames += self._people(batch, problems)
                batch = []
        frames += self._people(batch, problems)
        out = Path(self.settings.out)
        points = next((frame.people.points_skeleton for frame in frames if frame.people.points_skeleton), None)
        parquet, coco = out / PARQUET / f"{number:06d}.parquet", out / COCO / f"{number:06d}.json"
        write_coco(coco, frames, number, self.model.skeleton, points)
        about = {"span": span.key, "models": [Path(path).name for path in self.settings.models]}
        joints = {"joints": self.model.skeleton.joints, "points": points.joints if points else ()}
        write_parquet(parquet, frames, {**about, **joints})
        return {
            "number": number,
            "signature": span.signature,
            "frames": len(frames),
            "people": sum(len(frame.people) for frame in frames),
            "problems": problems,
            "seconds": round(clock.perf_counter() - began, 3),
            "worker": f"{socket.gethostname()}:{os.getpid()}",
            "sha256": {path.parent.name: sha256_of(path) for path in (parquet, coco)},
        }

    def _people(self, batch: list[Named], problems: list[str]) -> list[FrameRecord]:
        """The people of some frames; a frame that the model refuses is a problem, the others are done."""
        if not batch:
            return []
        try:
            found: list[People] = self.model.batch([each[4] for each in batch], [each[1] for each in batch])
        except ValueError as error:
            if len(batch) > 1:
                return [record for each in batch for record in self._people([each], problems)]
            problems.append(f"{batch[0][1]}: {error}")
            return []
        return [
            FrameRecord(source, number, time, people)
            for (source, _, number, time, _), people in zip(batch, found, strict=True)
        ]


def _read(span: Span, kind: str, problems: list[str]) -> Iterator[Named]:
    """The frames of a span; what cannot be read is a problem."""
    if span.is_video:
        yield from _read_video(span, kind, problems)
        return
    from orplugins.depth.png import load_depth
    from orplugins.io.images import read_image

    for path, name in zip(span.paths, span.names, strict=True):
        try:
            image = read_image(path) if kind == "color" else load_depth(path)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        yield str(Path(name).parent.as_posix()), name, None, None, image


def _read_video(span: Span, kind: str, problems: list[str]) -> Iterator[Named]:
    from orplugins.io.video import read_timed_video

    path, name = span.paths[0], span.names[0]
    if kind != "color":
        problems.append(f"{path}: a video, but the model is on {kind} images")
        return
    number = span.first or 0
    try:
        for image, time in read_timed_video(path, number, span.stop):
            yield name, f"{name}#{number}", number, time, image
            number += 1
    except (OSError, ValueError) as error:
        problems.append(str(error))
