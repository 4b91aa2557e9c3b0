"""ORPose-Color's network adapted to a user's own recording: no labels, nothing from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.adaptation.colour import VIEWS, ColourFrames
from orplugins.adaptation.fusion import Detections
from orplugins.adaptation.method import Finder, Lesson
from orplugins.adaptation.views import network_size
from orplugins.io.atomic import write_json
from orplugins.io.images import write_image
from orplugins.orpose_color.adapt_labels import frame_labels, room_labels
from orplugins.orpose_color.adapt_settings import StudentTraining
from orplugins.orpose_color.ensemble import find_people
from orplugins.orpose_color.pipeline import ColorSettings, load_predictor


class ColorMethod(ColourFrames):
    """See `orplugins.adaptation.method.Method`.

    Args:
        config: The network's config, a file.
        weights: Its weights: the teacher.
        size: (width, height) at which the network sees the frames; None as for any picture.
        training: How a student is trained: fields of `orplugins.orpose_color.adapt_settings.StudentTraining`.
        statistics: ``h36stats.json``; None where the weights store their own.
        device: See `orplugins.device.choose_device`.
    """

    name = "ORPose-Color"

    def __init__(
        self,
        config: str,
        weights: str,
        size: tuple[int, int] | None = None,
        training: dict[str, Any] | None = None,
        statistics: str | None = None,
        device: str = "auto",
    ):
        self.config, self.weights, self.statistics, self.device = config, weights, statistics, device
        self.size, self.frame_size = size, (0, 0)
        self.training = training or {}

    def begin(self, size: tuple[int, int]) -> dict[str, Any]:
        """Take the frames' size, and decide at which one the network sees them."""
        from orplugins.hosts.detectron2.predictor import sides_of

        self.frame_size = size
        self.size = network_size(size, self.size, sides_of(self.config))
        return {"config": self.config, "size": list(self.size), **self.training}

    def finder(self, weights: str) -> Finder:
        """The network's answers at the chosen size."""
        predict = self._predictor(weights)

        def find(picture: np.ndarray, count: int) -> list[Detections]:
            return find_people(predict, picture, self.size, VIEWS[:count])

        return find

    def _predictor(self, weights: str):
        return load_predictor(ColorSettings(self.config, weights, self.statistics, device=self.device))

    def rooms(self, count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Generated pictures as small as the recording's, and their people's boxes."""
        from orplugins.synthetic.export.small_rooms import boxes_of, small_rooms

        return boxes_of(*small_rooms(count, seed, self.frame_size))

    def train(self, lesson: Lesson) -> Path:
        """Write the labels, render the rooms, train with detectron2, export the weights."""
        from orplugins.device import choose_device
        from orplugins.orpose_color.detectron2.adapt import StudentFiles, export_student, train_student
        from orplugins.synthetic.export.small_rooms import small_rooms

        out, done = lesson.out, lesson.out / "student.safetensors"
        if done.is_file():
            return done
        assert self.size is not None
        root = Path(os.path.commonpath([frame.path.resolve().parent for frame in lesson.frames]))
        write_json(out / "labels.json", frame_labels(lesson.frames, root, self.frame_size))
        sets = {f"recording of {out.resolve()}": (out / "labels.json", root)}
        if lesson.rooms:
            if not (out / "rooms.json").is_file():
                coco, pictures = small_rooms(lesson.rooms, lesson.seed, self.frame_size)
                for image, picture in zip(coco["images"], pictures, strict=True):
                    image["file_name"] = f"rooms/{image['id']}.png"
                    write_image(out / image["file_name"], picture)
                write_json(out / "rooms.json", room_labels(coco, [picture.shape[1::-1] for picture in pictures]))
            sets[f"rooms of {out.resolve()}"] = (out / "rooms.json", out)
        files = StudentFiles(self.config, lesson.weights, sets, out, self.statistics)
        training = StudentTraining(self.size, seed=lesson.seed, **self.training)
        last = train_student(files, training, choose_device(self.device))
        export_student(last, lesson.weights, done, f"{len(lesson.frames)} frames, {lesson.rooms} generated pictures")
        return done

    def usage(self, weights: Path) -> str:
        """The command that finds people with the adapted weights."""
        return self.command(weights, ["--statistics", self.statistics] if self.statistics else [])
