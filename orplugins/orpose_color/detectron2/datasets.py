"""Sets of people for detectron2, registered by path: from a config, from the environment, or by `register_people`.

``ORPLUGINS_DATASETS="NAME=ANNOTATIONS.json,IMAGE_FOLDER;NAME=..."`` is read when this module is imported, so that
detectron2's stock scripts know the names.
"""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.data.datasets import load_coco_json
from detectron2.structures import BoxMode

from orplugins.io.coco_annotations import usable_copy
from orplugins.io.coco_people import CAMMA_FIELDS, LABEL_FIELDS, check_labels
from orplugins.io.images import image_path
from orplugins.io.json_fields import field, load_json
from orplugins.mvor.annotations import load_mvor
from orplugins.orpose_color.annotations import camma_fields, intrinsics
from orplugins.skeletons import COCO_17

logger = logging.getLogger(__name__)
VARIABLE = "ORPLUGINS_DATASETS"
EXTRA_KEYS = (*LABEL_FIELDS, *CAMMA_FIELDS, "keypoints_3d", "score", "person_id")
# Evaluation -> the fields of an annotation that one of is enough for it.
EVALUATIONS = {"coco": ("bbox",), "mpjpe": ("keypoints3D_camma_projected_allkps", "keypoints_3d"),
               "pck": ("keypoints2D_camma", "keypoints_3d")}  # fmt: skip
FLIP_MAP = tuple((COCO_17.joints[left], COCO_17.joints[right]) for left, right in COCO_17.flip_pairs)


def register_people(name: str, annotations: str | os.PathLike, images: str | os.PathLike) -> None:
    """Make a set of people known to detectron2; its files are read, and checked, when it is first used.

    Args:
        name: The set's name in configs.
        annotations: A file that `orplugins.io.coco_people.load_people` reads, or MVOR's of 2018.
        images: Folder that the file's image names are relative to.

    Raises:
        ValueError: The name is taken by other files.
    """
    files = str(annotations), str(images)
    if name in DatasetCatalog.list():
        meta = MetadataCatalog.get(name)
        if (meta.get("annotation_file"), meta.get("image_root")) != files:
            raise ValueError(f"data set {name!r}: is registered with {meta.get('annotation_file')}, found {files[0]}")
        return
    DatasetCatalog.register(name, lambda: _dicts(name, *files))
    MetadataCatalog.get(name).set(
        json_file=files[0],
        annotation_file=files[0],
        image_root=files[1],
        evaluator_type="coco",
        keypoint_names=list(COCO_17.joints),
        keypoint_flip_map=list(FLIP_MAP),
        thing_classes=["person"],
    )


def register_from_config(cfg: CfgNode, train: bool = True) -> list[str]:
    """Register ``DATASETS.TEST_SET_*`` and, for training, ``TRAIN_SET_*``.

    Args:
        cfg: The config.
        train: Register the training set too.

    Returns:
        Names of the sets that have files.

    Raises:
        ValueError: A set has files and no name, or a name that is taken by other files.
    """
    names = []
    for part in ("TRAIN", "TEST") if train else ("TEST",):
        name, annotations, images = (cfg.DATASETS[f"{part}_SET_{key}"] for key in ("NAME", "JSON", "IMGDIR"))
        if annotations:
            if not name:
                raise ValueError(f"DATASETS.{part}_SET_NAME: is empty, expected a name for {annotations}")
            register_people(name, annotations, images)
            names.append(name)
    return names


def register_from_environment() -> None:
    """Register what the variable `ORPLUGINS_DATASETS` lists.

    Raises:
        ValueError: An entry has another form, or a name that is taken by other files.
    """
    for entry in filter(None, os.environ.get(VARIABLE, "").split(";")):
        name, equals, files = entry.partition("=")
        annotations, comma, images = files.partition(",")
        if not (name and equals and annotations and comma):
            raise ValueError(f"{VARIABLE}: found {entry!r}, expected NAME=ANNOTATIONS.json,IMAGE_FOLDER")
        register_people(name.strip(), annotations.strip(), images.strip())


@lru_cache(maxsize=4)
def is_mvor(path: str) -> bool:
    """Whether a file has MVOR's own 10-joint annotations.

    Args:
        path: JSON file.

    Returns:
        True if its first person has 30 numbers in `keypoints`.
    """
    people = field(load_json(path), "annotations", path)
    first = people[0] if isinstance(people, list) and people else None
    return isinstance(first, dict) and isinstance(first.get("keypoints"), list) and len(first["keypoints"]) == 30


def evaluators_of(name: str) -> tuple[str, ...]:
    """Evaluations that a set's annotations allow.

    Args:
        name: A registered set; one that somebody else registered has "coco".

    Returns:
        Of "coco", "mpjpe", "pck", "person_ap"; none where nobody is annotated.
    """
    meta = MetadataCatalog.get(name)
    if meta.get("orplugins_evaluators") is None and meta.get("keypoint_names") and name in DatasetCatalog.list():
        DatasetCatalog.get(name)  # reading the file finds them
    return meta.get("orplugins_evaluators", ("coco",))


def _dicts(name: str, annotations: str, images: str) -> list[dict]:
    if is_mvor(annotations):
        MetadataCatalog.get(name).set(orplugins_evaluators=("person_ap", "pck"))
        return _mvor_dicts(annotations, images)
    copy, found = usable_copy(annotations, COCO_17.joints, images, one_category=True)
    data = found.data
    check_labels(data, annotations)
    for note in found.notes:
        logger.info(note)
    meta = MetadataCatalog.get(name)
    if meta.json_file != copy:  # the evaluators read it again
        del meta.json_file
        meta.json_file = copy
    dicts = load_coco_json(copy, images, name, extra_annotation_keys=list(EXTRA_KEYS))
    first = data["annotations"][0] if data["annotations"] else {}
    for record in dicts:
        record["file_name"] = _colour(record["file_name"])
        for person in record["annotations"]:
            person.pop("segmentation", None)
            if "keypoints_3d" in person:
                person.update(camma_fields(person))
        camera = intrinsics(data, record["image_id"], annotations) if "keypoints2D_camma" in first else None
        if camera:
            record["focal_length"], record["principal_point"] = camera
    kinds = [kind for kind, keys in EVALUATIONS.items() if any(key in first for key in keys)]
    meta.set(orplugins_evaluators=tuple(kinds))
    return dicts


def _colour(path: str) -> str:
    """MVOR's layout lists depth images in some files; the colour ones lie beside them under the same names."""
    parts = Path(path).parts
    return str(Path(*("color" if part == "depth" else part for part in parts[:-1]), parts[-1])) if parts else path


def _mvor_dicts(annotations: str, images: str) -> list[dict]:
    data = load_mvor(annotations)
    people: dict[int, list] = {}
    for person in data.box_persons():
        row = dict(bbox=person["bbox"], bbox_mode=BoxMode.XYWH_ABS, category_id=0, iscrowd=0)
        people.setdefault(person["image_id"], []).append(row)
    return [
        dict(
            file_name=_colour(str(image_path(images, image["file_name"], annotations))),
            image_id=image["id"],
            height=image["height"],
            width=image["width"],
            annotations=people.get(image["id"], []),
        )
        for image in data.images
    ]


register_from_environment()
