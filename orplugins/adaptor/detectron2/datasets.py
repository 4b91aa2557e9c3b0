"""Sets for adaptation: people with boxes, joints and masks (the source), pictures without labels (the target).

``ORPLUGINS_ADAPTOR_SETS="SOURCE=ANNOTATIONS.json,IMAGE_FOLDER;TARGET=FOLDER;..."`` is read when this module is
imported, so that detectron2's stock scripts know the names; ``ORPLUGINS.ADAPTOR.SETS`` holds such entries in a config.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.datasets import load_coco_json

from orplugins.adaptor.augment import OTHER_FACTORS, ROOM_FACTORS
from orplugins.adaptor.detectron2.mapper import FACTORS
from orplugins.io.coco_annotations import usable_copy
from orplugins.io.frames import find_sources
from orplugins.io.images import image_files, image_size
from orplugins.io.video import split_video
from orplugins.skeletons import COCO_17

logger = logging.getLogger(__name__)
VARIABLE = "ORPLUGINS_ADAPTOR_SETS"
FORM = "NAME=ANNOTATIONS.json,IMAGE_FOLDER (people) or NAME=FOLDER (pictures without labels)"
FLIP_MAP = tuple((COCO_17.joints[left], COCO_17.joints[right]) for left, right in COCO_17.flip_pairs)


def register_labelled(
    name: str,
    annotations: str | os.PathLike,
    images: str | os.PathLike,
    low_resolution: tuple[float, float] = OTHER_FACTORS,
) -> None:
    """Make a set of people known to detectron2, masks included; its files are read, and checked, when it is first used.

    Args:
        name: The set's name in configs.
        annotations: COCO file of boxes, and of joints and masks where there are some.
        images: Folder that the file's image names are relative to.
        low_resolution: Least and greatest factor by which strong views are reduced.

    Raises:
        ValueError: The name is taken by other files.
    """
    files = str(annotations), str(images)
    if _known(name, files):
        return
    DatasetCatalog.register(name, lambda: _people(name, *files))
    MetadataCatalog.get(name).set(json_file=files[0], image_root=files[1], evaluator_type="coco")
    _describe(name, files, low_resolution)


def register_pictures(
    name: str,
    inputs: str | os.PathLike | Sequence[str | os.PathLike],
    low_resolution: tuple[float, float] = ROOM_FACTORS,
    frames: str | os.PathLike | None = None,
) -> None:
    """Make pictures without labels known to detectron2; they are looked for, and looked at, when first used.

    Args:
        name: The set's name in configs.
        inputs: Pictures, videos, folders (with all below them) or patterns of these.
        low_resolution: Least and greatest factor by which strong views are reduced.
        frames: Folder below which videos' frames are written; None refuses videos.

    Raises:
        ValueError: The name is taken by other files.
    """
    places = [str(inputs)] if isinstance(inputs, str | os.PathLike) else [str(each) for each in inputs]
    files = tuple(places)  # where a video's frames are written is not what the set is
    if _known(name, files):
        return
    DatasetCatalog.register(name, lambda: _pictures(name, places, frames))
    _describe(name, files, low_resolution)


def _known(name: str, files: tuple[str, ...]) -> bool:
    if name not in DatasetCatalog.list():
        return False
    found = MetadataCatalog.get(name).get("adaptor_files")
    if found != files:
        raise ValueError(f"data set {name!r}: is registered with {found}, found {files}")
    return True


def _describe(name: str, files: tuple[str, ...], factors: tuple[float, float]) -> None:
    if not 1 <= factors[0] <= factors[1]:
        raise ValueError(f"data set {name!r}: {FACTORS} is {factors}, expected 1 or more, the least first")
    MetadataCatalog.get(name).set(
        adaptor_files=files,
        keypoint_names=list(COCO_17.joints),
        keypoint_flip_map=list(FLIP_MAP),
        thing_classes=["person"],
        **{FACTORS: tuple(factors)},
    )


def _people(name: str, annotations: str, images: str) -> list[dict]:
    copy, found = usable_copy(annotations, COCO_17.joints, images)
    for note in found.notes:
        logger.info(note)
    if len(found.data["categories"]) != 1:
        names = ", ".join(str(each.get("name")) for each in found.data["categories"][:5])
        raise ValueError(f"{annotations}: has the categories {names}, expected one: person")
    meta = MetadataCatalog.get(name)
    if meta.json_file != copy:  # the evaluators read it again
        del meta.json_file
        meta.json_file = copy
    return load_coco_json(copy, images, name)


def _pictures(name: str, places: Sequence[str], frames: str | os.PathLike | None) -> list[dict]:
    sources, problems = find_sources(places, below=True)
    paths: list[Path] = []
    for source in sources:
        if not source.is_video:
            paths.append(source.path)
        elif frames is None:
            problems.append(f"{source.path}: is a video, expected pictures (tools/video_frames.py writes its frames)")
        else:
            folder = Path(frames) / source.name
            split_video(source.path, folder)
            paths += image_files(folder)
    records = []
    for path in paths:
        try:
            (width, height), _ = image_size(path)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        records.append({"file_name": str(path), "image_id": len(records), "width": width, "height": height})
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(f"data set {name!r}: {problems[0]}{more}")
    return records


def register_entry(entry: str, frames: str | os.PathLike | None = None) -> str:
    """Register what a line of the variable or of a config says.

    Args:
        entry: See the module.
        frames: Folder for the frames of videos.

    Returns:
        The set's name.

    Raises:
        ValueError: Another form, or a name that is taken by other files.
    """
    name, equals, files = (part.strip() for part in entry.partition("="))
    first, comma, images = (part.strip() for part in files.partition(","))
    if not (name and equals and first) or bool(comma) != bool(images):
        raise ValueError(f"set {entry!r}: expected {FORM}")
    if images:
        register_labelled(name, first, images)
    else:
        register_pictures(name, first, frames=Path(frames) / name if frames else None)
    return name


def register_from_config(cfg: CfgNode) -> list[str]:
    """Register ``ORPLUGINS.ADAPTOR.SETS``; frames of videos are written below ``OUTPUT_DIR``.

    Args:
        cfg: The config.

    Returns:
        The sets' names.

    Raises:
        ValueError: An entry has another form, or a name that is taken by other files.
    """
    return [register_entry(entry, Path(cfg.OUTPUT_DIR) / "frames") for entry in cfg.ORPLUGINS.ADAPTOR.SETS]


def register_from_environment() -> None:
    """Register what the variable `ORPLUGINS_ADAPTOR_SETS` lists.

    Raises:
        ValueError: An entry has another form, or a name that is taken by other files.
    """
    for entry in filter(None, os.environ.get(VARIABLE, "").split(";")):
        register_entry(entry)


register_from_environment()
