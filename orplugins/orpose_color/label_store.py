"""A teacher's label file, made image by image: a run that was killed goes on, several processes share the work."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from orplugins.io.atomic import write_json
from orplugins.io.files import read_bytes
from orplugins.io.json_fields import load_json, parse_json
from orplugins.skeletons import COCO_17

FORMAT = "orplugins-orpose-pseudo"


class LabelStore:
    """Notes of finished images in ``<out>.parts/``, one line each, and the merged file in the end.

    Args:
        out: The label file.
        info: What the labels depend on; a store that was begun with something else is refused.
        rank: This process; it alone writes its notes.
        inputs: What the labels are of (a digest of pictures, weights, groups): notes of others are replaced.

    Raises:
        ValueError: The notes that are there were made with other settings.
    """

    def __init__(self, out: str | os.PathLike, info: dict, rank: int = 0, inputs: str = ""):
        self.out, self.info = Path(out), {"format": FORMAT, "version": 1, **info}
        self.folder = self.out.with_name(self.out.name + ".parts")
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "settings.json"
        if settings.exists():
            found = load_json(settings)
            if not isinstance(found, dict):
                raise ValueError(f"{settings}: found no settings, expected an object; remove {self.folder}")
            if found != json.loads(json.dumps(self.info)):
                different = [key for key in {**found, **self.info} if found.get(key) != self.info.get(key)]
                raise ValueError(
                    f"{settings}: {', '.join(different)} differ from this run's, expected the same to go on (or remove "
                    f"{self.folder})"
                )
        elif rank == 0:
            write_json(settings, self.info)
        self.path = self.folder / f"rank{rank}.jsonl"
        self.inputs = inputs
        if self.path.exists() and self._inputs_of(self.path) != inputs:
            self.path.unlink()
        self.notes = self._read()

    @staticmethod
    def _inputs_of(path: Path) -> str:
        first = read_bytes(path, "notes of labelled images").partition(b"\n")[0]
        try:
            return parse_json(first.decode("utf-8"))["inputs"]
        except (ValueError, LookupError, TypeError):
            return ""

    def _read(self) -> dict[str, dict]:
        """Notes of all processes by file name. A line that a kill cut off is none."""
        notes: dict[str, dict] = {}
        for path in sorted(self.folder.glob("rank*.jsonl")):
            if self._inputs_of(path) != self.inputs:
                continue
            for line in read_bytes(path, "notes of labelled images").split(b"\n")[:-1]:
                note = _note(line)
                if note is not None:
                    name = note["image"]["file_name"]
                    if "error" not in note or name not in notes:  # what failed once may have worked again
                        notes[name] = note
        return notes

    def is_done(self, file_name: str) -> bool:
        """Whether an image is labelled; one that failed is tried again.

        Args:
            file_name: The image.

        Returns:
            True if it has labels.
        """
        return file_name in self.notes and "error" not in self.notes[file_name]

    def add(self, file_name: str, height: int, width: int, annotations: list[dict]) -> None:
        """Note the labels of an image.

        Args:
            file_name: The image.
            height: Pixels.
            width: Pixels.
            annotations: Its people, without ids.
        """
        self._append({"image": {"file_name": file_name, "height": height, "width": width}, "annotations": annotations})

    def fail(self, file_name: str, error: str) -> None:
        """Note that an image could not be labelled.

        Args:
            file_name: The image.
            error: Why.
        """
        self._append({"image": {"file_name": file_name}, "error": error})

    def _append(self, note: dict) -> None:
        line = json.dumps(note, allow_nan=False).encode() + b"\n"
        with self.path.open("ab") as file:
            if not file.tell() and self.inputs:
                line = json.dumps({"inputs": self.inputs}).encode() + b"\n" + line
            elif file.tell() and not self._ends_whole():
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.notes[note["image"]["file_name"]] = note

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def merge(self, file_names: Iterable[str]) -> dict:
        """Write the label file, with ids in the order of the names, and remove the notes.

        Args:
            file_names: All images.

        Returns:
            Counts `images` and `people`, the `annotations`, and `failed`: the errors by file name.

        Raises:
            ValueError: An image has no note.
        """
        annotations: list[dict]
        notes, images, annotations, failed = self._read(), [], [], {}
        for number, name in enumerate(file_names, start=1):
            if name not in notes:
                raise ValueError(f"{self.folder}: has no note of {name}, expected all images to be done")
            note = notes[name]
            if "error" in note:
                failed[name] = note["error"]
                continue
            images.append({"id": number, **note["image"]})
            for person in note["annotations"]:
                annotations.append({"id": len(annotations) + 1, "image_id": number, **person})
        category = {
            "id": 1,
            "name": "person",
            "keypoints": list(COCO_17.joints),
            "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
        }
        merged = {"info": self.info, "images": images, "categories": [category], "annotations": annotations}
        write_json(self.out, merged)
        shutil.rmtree(self.folder)
        return {"images": len(images), "people": len(annotations), "annotations": annotations, "failed": failed}


def _note(line: bytes) -> dict | None:
    """A line of notes; None if it is damaged, and its image is done again."""
    try:
        note = parse_json(line.decode("utf-8"))
        image = note["image"]
        whole = isinstance(image["file_name"], str)
        if "error" in note:
            return note if whole and isinstance(note["error"], str) else None
        sides = all(type(image[side]) is int and image[side] > 0 for side in ("height", "width"))
        people = isinstance(note["annotations"], list) and all(isinstance(each, dict) for each in note["annotations"])
        return note if whole and sides and people else None
    except (ValueError, LookupError, TypeError):
        return None
