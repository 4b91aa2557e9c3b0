"""COCO sets of views that show people only in part, made from a set that shows them whole."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from orplugins.depth.png import is_depth_png, load_depth
from orplugins.io.atomic import write_json
from orplugins.io.coco_annotations import check_sizes, read_annotations
from orplugins.io.files import require_file
from orplugins.io.images import image_path, read_image, write_image
from orplugins.io.run_folder import run_folder
from orplugins.partial_body.crops import CUTS, cut_window, inside
from orplugins.skeletons import COCO_17

VIEWS = ("whole", *CUTS)


Paths = str | os.PathLike | Sequence[str | os.PathLike]


def write_views(
    annotations: Paths,
    images: Paths,
    out: str | os.PathLike,
    views: Sequence[str] = VIEWS,
    least_joints: int = 3,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, int], list[str]]:
    """Write ``out/annotations/<view>.json`` and the images below ``out/images``.

    ``whole`` is the set as it is. For the other views (`crops.cut_window`) every person gives an image of their own,
    whose frame ends at the cut: joints beyond it are not labelled (v = 0), the box is cut. Images of 16-bit depth
    become grey ones, near is bright.

    Args:
        annotations: COCO keypoint file with the 17 joints, or several, which become one set.
        images: Folder that its ``file_name`` are relative to; as many as files.
        out: Folder of the new sets.
        views: Some of `VIEWS`.
        least_joints: People of whom fewer labelled joints stay are left out.
        progress: Called with (images done, images in all).

    Returns:
        Number of people in each view, and one line for each image that could not be read and was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected; nothing is written then.
    """
    unknown = sorted(set(views) - set(VIEWS))
    if unknown:
        raise ValueError(f"views: found {', '.join(unknown)}, expected some of {', '.join(VIEWS)}")
    out = Path(out)
    truth, files = _joined(_listed(annotations), _listed(images))
    pictures = truth["images"]
    people, stems = _people(truth), _stems(pictures)
    sets: dict[str, dict] = {
        view: {"images": [], "annotations": [], "categories": truth["categories"]} for view in views
    }
    problems = []
    with run_folder(out):
        for k, record in enumerate(pictures):
            try:
                picture = read_picture(files[k])
            except (OSError, ValueError) as error:
                problems.append(str(error))
                continue
            for view in views:
                _add(sets[view], view, stems[k], picture, people.get(record["id"], ()), out, least_joints)
            if progress:
                progress(k + 1, len(pictures))
        for view, content in sets.items():
            write_json(out / "annotations" / f"{view}.json", content)
    return {view: len(content["annotations"]) for view, content in sets.items()}, problems


def _listed(paths: Paths) -> list[str | os.PathLike]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def _joined(annotations: Sequence[str | os.PathLike], images: Sequence[str | os.PathLike]) -> tuple[dict, list[Path]]:
    """The content of several sets as one, and the images' files; ids count on from set to set."""
    if len(annotations) != len(images):
        raise ValueError(f"found {len(annotations)} annotation files and {len(images)} folders, expected one for each")
    truth: dict = {"images": [], "annotations": [], "categories": []}
    files: list[Path] = []
    for path, folder in zip(annotations, images, strict=True):
        name, more = str(path), read_annotations(path, COCO_17.joints, sizes=False).data
        if truth["categories"] and more["categories"] != truth["categories"]:
            raise ValueError(f"{name}: 'categories' is {more['categories']}, expected {truth['categories']}")
        files += [image_path(folder, r["file_name"], f"{name}: images[{k}]") for k, r in enumerate(more["images"])]
        check_sizes(more["images"], folder, name, skip_broken=True)
        first = 1 + max((record["id"] for record in truth["images"]), default=-1)
        ids = {record["id"]: first + k for k, record in enumerate(more["images"])} if first else {}
        truth["images"] += [{**r, "id": ids.get(r["id"], r["id"])} for r in more["images"]]
        truth["annotations"] += [{**p, "image_id": ids.get(p["image_id"], p["image_id"])} for p in more["annotations"]]
        truth["categories"] = more["categories"]
    return truth, files


def _people(truth: dict) -> dict[int, list[tuple[dict, np.ndarray]]]:
    people: dict[int, list] = {}
    for person in truth["annotations"]:
        joints = np.reshape(person.get("keypoints", np.zeros(51)), (-1, 3)).astype(np.float64)
        people.setdefault(person["image_id"], []).append((person, joints))
    return people


def _stems(pictures: Sequence[dict]) -> list[str]:
    """What the files of each image begin with: the path, ``/`` as ``_``; the id follows where two would be equal."""
    stems = [Path(record["file_name"]).with_suffix("").as_posix().replace("/", "_") for record in pictures]
    twice = {stem for stem, count in Counter(stems).items() if count > 1}
    return [f"{s}_id{r['id']}" if s in twice else s for s, r in zip(stems, pictures, strict=True)]


def _add(content: dict, view: str, stem: str, picture: np.ndarray, people, out: Path, least: int) -> None:
    height, width = picture.shape[:2]
    windows = (
        [(0, 0, width, height)]
        if view == "whole"
        else [cut_window(joints[:, :2], joints[:, 2] > 0, COCO_17, view, (width, height)) for _, joints in people]
    )
    for n, window in enumerate(windows):
        if window is None:
            continue
        seen = people if view == "whole" else people[n : n + 1]
        kept = [cut for person, joints in seen if (cut := _cut(person, joints, window, least)) is not None]
        if not kept:
            continue
        x1, y1, x2, y2 = window
        image_id = len(content["images"]) + 1
        file = f"{view}/{stem}.png" if view == "whole" else f"{view}/{stem}_{n}.png"
        write_image(out / "images" / file, picture[y1:y2, x1:x2])
        content["images"].append({"id": image_id, "file_name": file, "width": x2 - x1, "height": y2 - y1})
        for person in kept:
            content["annotations"].append({**person, "id": len(content["annotations"]) + 1, "image_id": image_id})


def _cut(person: dict, joints: np.ndarray, window: tuple[int, int, int, int], least: int) -> dict | None:
    """The person as seen in a window, or None if too little of them is."""
    x1, y1, x2, y2 = window
    joints = np.where((inside(joints[:, :2], window) & (joints[:, 2] > 0))[:, None], joints - (x1, y1, 0), 0.0)
    x, y, w, h = person["bbox"]
    left, top, right, bottom = max(x, x1), max(y, y1), min(x + w, x2), min(y + h, y2)
    labelled = int((joints[:, 2] > 0).sum())
    if labelled < least or right - left < 2 or bottom - top < 2:
        return None
    box = [left - x1, top - y1, right - left, bottom - top]
    # mmpose's OKS wants an area; a person fills about this much of a box.
    return {
        "category_id": person["category_id"],
        "iscrowd": person["iscrowd"],
        "bbox": box,
        "area": 0.53 * box[2] * box[3],
        "keypoints": joints.ravel().tolist(),
        "num_keypoints": labelled,
    }


def read_picture(path: str | os.PathLike) -> np.ndarray:
    """Read an image, upright; 16-bit depth in grey, from 0.5 m (bright) to 5 m, holes black.

    Args:
        path: The file.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not an image, or damaged.
    """
    if is_depth_png(require_file(path, "an image")):
        depth = load_depth(path)
        grey = np.clip(250 - (depth.astype(np.float32) - 500) * (220 / 4500), 30, 250)
        grey = np.where(depth > 0, grey, 0).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return read_image(path)
