"""The job behind ``orplugins batch``: recordings through a model file, on one process or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orplugins.archive.engines import Cluster, do_spans
from orplugins.archive.files import remove_others
from orplugins.archive.manifest import MANIFEST, Manifest
from orplugins.archive.spans import plan_spans
from orplugins.archive.work import Worker, WorkerSettings
from orplugins.io.files import sha256_of
from orplugins.io.run_folder import run_folder


@dataclass(frozen=True)
class BatchSettings:
    """How :func:`run_batch` works.

    Attributes:
        models: Model files that follow one another, which all workers see under these paths, as they do recordings and
            results.
        cluster: See `orplugins.archive.engines.Cluster`.
        seconds, pictures, root: See `orplugins.archive.spans.plan_spans`.
        runtime, threads, batch, min_score: See `orplugins.archive.work.WorkerSettings`.
        again: Do spans with problems again.
    """

    models: Sequence[str | os.PathLike]
    cluster: Cluster = Cluster()
    seconds: float = 600.0
    pictures: int = 2000
    root: str | os.PathLike | None = None
    runtime: str = "onnxruntime"
    threads: int = 1
    batch: int = 8
    min_score: float = 0.5
    again: bool = False


@dataclass(frozen=True)
class BatchResult:
    """What :func:`run_batch` did.

    Attributes:
        manifest: The file that lists the results.
        spans: Number of spans of these recordings.
        done: Number of those that this run did; the others were done before.
        frames: Number of frames of all spans.
        people: Number of people in them.
        seconds: That workers took for what this run did.
        problems: One line for all that could not be read or was refused, in earlier runs, too.
    """

    manifest: Path
    spans: int
    done: int
    frames: int
    people: int
    seconds: float
    problems: tuple[str, ...]


def run_batch(
    recordings: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    settings: BatchSettings,
    say: Callable[[str], None] = lambda line: None,
) -> BatchResult:
    """Find the people in recordings; a run that was stopped goes on.

    Args:
        recordings: Videos, folders of pictures or videos, patterns.
        out: Folder for ``manifest.jsonl``, ``frames/*.parquet`` and ``coco/*.json``.
        settings: See :class:`BatchSettings`.
        say: Called with a line for every span.

    Returns:
        What was done, and what was not.

    Raises:
        FileNotFoundError: There is no such model file.
        ImportError: The engine, or pyarrow, is not installed.
        OSError: `out` cannot be written to.
        ValueError: No recording is usable, the model is not one of images, or `out` holds results of another model.
    """
    import pyarrow  # noqa: F401  a missing one is an error before the work, not after the first span

    out = Path(os.path.abspath(out))
    workers = WorkerSettings(
        tuple(os.path.abspath(path) for path in settings.models),
        str(out),
        settings.runtime,
        settings.min_score,
        settings.threads,
        settings.batch,
    )
    worker = Worker(workers)  # says what is wrong with the model before anything is written
    spans, problems = plan_spans(recordings, settings.seconds, settings.pictures, settings.root, out)
    if not spans:
        raise ValueError("; ".join(problems) or "no picture and no video to work on")
    with run_folder(out) as out:
        about = {"models": [sha256_of(path) for path in workers.models], "runtime": workers.runtime}
        manifest = Manifest(out, {**about, "min_score": workers.min_score})
        try:
            tasks = manifest.numbered(spans, settings.again)
            remove_others(out, {entry["number"] for entry in manifest.done.values()})
            known, seconds = len(spans) - len(tasks), 0.0
            say(f"{len(spans)} spans, {known} of them done before" if known else f"{len(spans)} spans")
            for count, (key, entry) in enumerate(do_spans(tasks, worker, settings.cluster), start=1):
                manifest.add(key, entry)
                seconds += entry["seconds"]
                say(f"{count}/{len(tasks)} {key}: {entry['frames']} frames, {entry['people']} people")
            found = [manifest.done[span.key] for span in spans]
        finally:
            manifest.close()
    problems += [line for entry in found for line in entry["problems"]]
    frames, people = (sum(entry[name] for entry in found) for name in ("frames", "people"))
    return BatchResult(out / MANIFEST, len(spans), len(tasks), frames, people, seconds, tuple(dict.fromkeys(problems)))
