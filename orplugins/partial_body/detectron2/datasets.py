"""Patients and users as detectron2 data sets.

Importing registers ``partial_body_train`` and ``partial_body_val``: COCO files ``annotations/train.json`` and
``annotations/val.json`` and images in ``images/`` below ``$DETECTRON2_DATASETS/partial_body``; other files of that
folder by their names, too. Files anywhere else are registered with `register_partial_body`.
"""

from __future__ import annotations

import os
from pathlib import Path

from detectron2.data.catalog import DatasetCatalog, MetadataCatalog
from detectron2.data.datasets.coco import load_coco_json

from orplugins.io.coco_annotations import usable_copy
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES


def load_partial_body(name: str, json_file: str | os.PathLike, image_root: str | os.PathLike) -> list[dict]:
    """Records in detectron2's form of a COCO file with the categories 1 patient and 2 user.

    Args:
        name: A registered name.
        json_file: The file.
        image_root: Folder that its image names are relative to.

    Returns:
        One record per image.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected.
    """
    path = str(json_file)
    copy, content = usable_copy(path, images=image_root)
    found = [(category["id"], category.get("name")) for category in content.data["categories"]]
    expected = [(k, category) for k, category in enumerate(PARTIAL_BODY_CLASSES, start=1)]
    if sorted(found, key=str) != expected:
        raise ValueError(f"{path}: 'categories' are {found}, expected {expected}")
    meta = MetadataCatalog.get(name)
    if meta.get("json_file", copy) != copy:  # the evaluator reads it again
        del meta.json_file
        meta.json_file = copy
    return load_coco_json(copy, str(image_root), name)  # the name has the category ids become positions


def register_partial_body(name: str, json_file: str | os.PathLike, image_root: str | os.PathLike) -> None:
    """Register a data set by its paths; the files are read when it is first used.

    Args:
        name: The set's name in configs.
        json_file: COCO file with the categories 1 patient and 2 user.
        image_root: Folder that its image names are relative to.
    """
    DatasetCatalog.register(name, lambda: load_partial_body(name, json_file, image_root))
    MetadataCatalog.get(name).set(
        json_file=str(json_file),
        image_root=str(image_root),
        evaluator_type="coco",
        thing_classes=list(PARTIAL_BODY_CLASSES),
        thing_dataset_id_to_contiguous_id={k: k - 1 for k in range(1, len(PARTIAL_BODY_CLASSES) + 1)},
    )


_ROOT = Path(os.environ.get("DETECTRON2_DATASETS", "datasets")) / "partial_body"
for _split in sorted({"train", "val", *(path.stem for path in (_ROOT / "annotations").glob("*.json"))}):
    register_partial_body(f"partial_body_{_split}", _ROOT / f"annotations/{_split}.json", _ROOT / "images")
