"""AdaptOR's training data: labelled and unlabelled pictures in step, each in two views."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import MetadataCatalog, get_detection_dataset_dicts
from detectron2.data.build import worker_init_reset_seed
from detectron2.data.samplers import RepeatFactorTrainingSampler, TrainingSampler
from detectron2.utils import comm
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from orplugins.adaptor.detectron2.mapper import FACTORS, TwoViewMapper
from orplugins.adaptor.detectron2.streams import Records
from orplugins.adaptor.pairing import RULES
from orplugins.adaptor.splits import record_weights, split_at_random, split_by_file, weighted_order

logger = logging.getLogger(__name__)
Step = tuple[Records, Records, Records, Records]


class TwoStreamBatches(IterableDataset):
    """Batches of both streams without end; pictures are read and changed when their batch is taken.

    Args:
        records: Labelled and unlabelled records.
        orders: Endless positions in each, of this process's share.
        sizes: Of the two parts of a batch, in this process.
        mapper: Makes two views of a record.
        rule: Of `orplugins.adaptor.pairing.RULES`.

    Attributes:
        skip: Steps that are left out at the beginning.
    """

    def __init__(
        self,
        records: tuple[Sequence[dict], Sequence[dict]],
        orders: tuple[Callable[[], Iterator[int]], Callable[[], Iterator[int]]],
        sizes: tuple[int, int],
        mapper: Callable[[dict], tuple[dict, dict]],
        rule: str = "kept",
    ):
        super().__init__()
        self.records, self.orders, self.sizes, self.mapper, self.rule = records, orders, sizes, mapper, rule
        self.skip = 0

    def __iter__(self) -> Iterator[Step]:
        """Yield labelled weak and strong, unlabelled weak and strong records; a worker takes every so manieth step."""
        labelled, unlabelled = (
            map(kind.__getitem__, order()) for kind, order in zip(self.records, self.orders, strict=True)
        )
        steps = RULES[self.rule](labelled, unlabelled, self.sizes, _is_landscape)
        worker = get_worker_info()
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        for batch in islice(steps, self.skip + first, None, every):
            views: list[list] = [[], [], [], []]
            for part, records in enumerate(batch):
                for record in records:
                    weak, strong = self.mapper(record)
                    views[2 * part].append(weak)
                    views[2 * part + 1].append(strong)
            yield views[0], views[1], views[2], views[3]


def _is_landscape(record: dict) -> bool:
    return record["width"] > record["height"]


class StepLoader:
    """See `orplugins.adaptor.detectron2.streams.TwoStreams`.

    Args:
        batches: The batches.
        workers: Processes that read pictures ahead; 0: none, and a step's pictures depend on its seed alone.
    """

    def __init__(self, batches: TwoStreamBatches, workers: int = 0):
        self.batches, self.workers = batches, workers
        self.unlabelled = len(batches.records[1])

    @property
    def skip(self) -> int:
        """Steps that are left out at the beginning."""
        return self.batches.skip

    @skip.setter
    def skip(self, steps: int) -> None:
        self.batches.skip = steps

    def __iter__(self) -> Iterator[Step]:
        """Begin after the steps that are left out."""
        if not self.workers:
            return iter(self.batches)
        options = dict(num_workers=self.workers, worker_init_fn=worker_init_reset_seed)
        return iter(DataLoader(self.batches, batch_size=None, collate_fn=_as_it_is, **options))


def _as_it_is(batch: Step) -> Step:
    return batch


def training_records(cfg: CfgNode) -> tuple[list[dict], list[dict]]:
    """Labelled and unlabelled records of a config; those have the keys `dataset` and `low_resolution`.

    Args:
        cfg: The config: ``UDA.TYPE`` "uda_or" takes ``DATASETS.TRAIN_LBL`` and ``TRAIN_UNLBL``, "ssl_coco" splits
            ``DATASETS.TRAIN``.

    Returns:
        Both.

    Raises:
        FileNotFoundError: ``DATALOADER.RANDOM_DATA_SEED_PATH`` names no file.
        ValueError: Another type, no sets, or a split that leaves one side empty.
    """
    kind, data = cfg.UDA.TYPE, cfg.DATASETS
    if kind == "uda_or":
        for key in ("TRAIN_LBL", "TRAIN_UNLBL"):
            if not data[key]:
                raise ValueError(f"DATASETS.{key}: is empty, expected the names of sets")
        unlabelled = _records(cfg, data.TRAIN_UNLBL, False)
        for record in unlabelled:
            record.pop("annotations", None)  # a set that happens to have labels is a target without them all the same
        return _records(cfg, data.TRAIN_LBL, True), unlabelled
    if kind != "ssl_coco":
        raise ValueError(f"UDA.TYPE: found {kind!r}, expected 'ssl_coco' or 'uda_or'")
    if not data.TRAIN:
        raise ValueError("DATASETS.TRAIN: is empty, expected the names of sets")
    records, loader = _records(cfg, data.TRAIN, True), cfg.DATALOADER
    place = loader.RANDOM_DATA_SEED_PATH
    if place and not os.path.isfile(place):
        raise FileNotFoundError(
            f"DATALOADER.RANDOM_DATA_SEED_PATH: {place}: no such file, expected the list of positions that came with "
            "the release, or '' for a random split of our own"
        )
    split = (loader.SUP_PERCENT, loader.RANDOM_DATA_SEED)
    parts = split_by_file(len(records), *split, place) if place else split_at_random(len(records), *split)
    logger.info("%g %% of %d records stay labelled: %d", split[0], len(records), len(parts[0]))
    return [records[position] for position in parts[0]], [records[position] for position in parts[1]]


def _records(cfg: CfgNode, names: Sequence[str], labelled: bool) -> list[dict]:
    head, records = cfg.MODEL.ROI_KEYPOINT_HEAD, []
    least = head.MIN_KEYPOINTS_PER_IMAGE if cfg.MODEL.KEYPOINT_ON and labelled else 0
    for name in names:
        found = get_detection_dataset_dicts(name, labelled and cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS, least)
        factors = MetadataCatalog.get(name).get(FACTORS)
        extra = {"dataset": name, **({FACTORS: tuple(factors)} if factors else {})}
        records += [{**record, **extra} for record in found]
    return records


def _order(cfg: CfgNode, records: Sequence[dict], names: Sequence[str], part: str) -> Callable[[], Iterator[int]]:
    """Endless positions of this process's share, from the beginning at each call."""
    kind = cfg.DATALOADER.SAMPLER_TRAIN
    seed = cfg.SEED if cfg.SEED >= 0 else comm.shared_random_seed()
    seed += 1_000 * (part == "UNLBL")  # two streams of one length would go through their sets in the same order
    annotated = all("annotations" in record for record in records)
    if kind == "TrainingSampler" or (kind == "RepeatFactorTrainingSampler" and not annotated):
        sampler = TrainingSampler(len(records), seed=seed)
        return sampler.__iter__
    if kind == "RepeatFactorTrainingSampler":
        repeats = RepeatFactorTrainingSampler.repeat_factors_from_category_frequency(
            list(records), cfg.DATALOADER.REPEAT_THRESHOLD
        )
        return RepeatFactorTrainingSampler(repeats, seed=seed).__iter__
    if kind != "WeightedTrainingSampler":
        known = "TrainingSampler, RepeatFactorTrainingSampler or WeightedTrainingSampler"
        raise ValueError(f"DATALOADER.SAMPLER_TRAIN: found {kind!r}, expected {known}")
    if len(names) == 1:
        return TrainingSampler(len(records), seed=seed).__iter__
    values = cfg.DATASETS[f"WEIGHTED_TRAINING_SAMPLING_WEIGHTS_{part}"]
    weights: np.ndarray = record_weights([record["dataset"] for record in records], names, values)
    replacement, rank, world = cfg.ORPLUGINS.ADAPTOR.REPLACEMENT, comm.get_rank(), comm.get_world_size()
    return lambda: islice(weighted_order(weights, seed, replacement), rank, None, world)


def share_of(total: int, key: str) -> int:
    """A process's part of a batch.

    Args:
        total: Of all processes.
        key: In the config, for the error.

    Raises:
        ValueError: The processes could not share it.
    """
    world = comm.get_world_size()
    if total < 1 or total % world:
        raise ValueError(f"SOLVER.{key}: found {total}, expected a multiple of {world}, the number of processes")
    return total // world


def build_adaptor_train_loader(cfg: CfgNode, mapper: Callable[[dict], tuple[dict, dict]] | None = None) -> StepLoader:
    """The training data that a config asks for.

    Args:
        cfg: The config.
        mapper: Makes two views of a record; None: `TwoViewMapper` as the config says.

    Returns:
        Steps without end: labelled weak, labelled strong, unlabelled weak, unlabelled strong records.

    Raises:
        FileNotFoundError: See `training_records`.
        ValueError: See `training_records`, `TwoViewMapper.from_config`; a batch that processes could not share;
            pictures of mixed orientation in one batch (``DATALOADER.ASPECT_RATIO_GROUPING`` False), as in the release.
    """
    if not cfg.DATALOADER.ASPECT_RATIO_GROUPING:
        raise ValueError("DATALOADER.ASPECT_RATIO_GROUPING: found False, expected True")
    sizes = tuple(share_of(cfg.SOLVER[key], key) for key in ("IMS_PER_BATCH_LBL", "IMS_PER_BATCH_UNLBL"))
    records = training_records(cfg)
    data = cfg.DATASETS
    names = (data.TRAIN_LBL, data.TRAIN_UNLBL) if cfg.UDA.TYPE == "uda_or" else (data.TRAIN, data.TRAIN)
    orders = tuple(
        _order(cfg, kind, name, part) for kind, name, part in zip(records, names, ("LBL", "UNLBL"), strict=True)
    )
    batches = TwoStreamBatches(records, orders, sizes, mapper or TwoViewMapper(cfg), cfg.ORPLUGINS.ADAPTOR.BATCHES)
    return StepLoader(batches, cfg.DATALOADER.NUM_WORKERS)
