"""Who does the spans: this process, or the workers of a Ray cluster."""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orplugins.archive.spans import Span
from orplugins.archive.work import Worker, WorkerSettings

Task = tuple[int, Span]
ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Cluster:
    """Which workers there are.

    Attributes:
        engine: "local": this process; "ray": a cluster.
        address: Of a Ray cluster, "auto" for the one that this machine belongs to; None starts one on this machine.
        workers: The most at a time; None: as many as the cluster has processors for.
    """

    engine: str = "local"
    address: str | None = None
    workers: int | None = None

    def __post_init__(self):
        if self.engine not in ENGINES:
            raise ValueError(f"engine: found {self.engine!r}, expected one of {', '.join(ENGINES)}")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers: found {self.workers}, expected at least 1")
        if self.engine == "ray" and importlib.util.find_spec("ray") is None:
            raise ImportError("ray is not installed: pip install 'orplugins[archives]'")


def do_spans(tasks: Sequence[Task], worker: Worker, cluster: Cluster) -> Iterator[tuple[str, dict]]:
    """Do spans, in any order.

    Args:
        tasks: Numbers and spans.
        worker: This process's; those of a cluster open the same models themselves.
        cluster: See there.

    Yields:
        The key and the manifest's entry of each span as soon as its files are there.
    """
    if not tasks:
        return
    if cluster.engine == "local":
        for number, span in tasks:
            yield span.key, worker(number, span)
    else:
        yield from _on_ray(tasks, worker.settings, cluster)


def _on_ray(tasks: Sequence[Task], settings: WorkerSettings, cluster: Cluster) -> Iterator[tuple[str, dict]]:
    """Every span is a block of a Ray data set, every worker an actor that keeps its model.

    A task of a node that died is done again by another one, and writes the same files.
    """
    import ray

    if not ray.is_initialized():
        ray.init(address=cluster.address, log_to_driver=False, include_dashboard=False)
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # it tells of every step of its plan
    ray.data.DataContext.get_current().enable_progress_bars = False
    processors = int(ray.cluster_resources().get("CPU", 1)) // settings.threads
    workers = max(1, min(cluster.workers or processors, len(tasks)))
    rows = [{"number": number, "span": json.dumps(span.to_record())} for number, span in tasks]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        RayWorker,
        fn_constructor_args=(settings,),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers),
        num_cpus=settings.threads,
    )
    for row in done.iter_rows():
        yield row["key"], json.loads(row["entry"])


class RayWorker:
    """`Worker` on rows of a Ray data set.

    Args:
        settings: See `WorkerSettings`.
    """

    def __init__(self, settings: WorkerSettings):
        self._worker = Worker(settings)

    def __call__(self, row: dict) -> dict:
        """A row with number and span to one with the span's key and its entry in the manifest."""
        span = Span.of_record(json.loads(row["span"]))
        return {"key": span.key, "entry": json.dumps(self._worker(int(row["number"]), span))}
