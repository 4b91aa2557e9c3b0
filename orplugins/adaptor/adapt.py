"""AdaptOR's network adapted to a user's own recording: its frames are the target, generated rooms the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orplugins.adaptation.colour import VIEWS, ColourFrames
from orplugins.adaptation.fusion import Detections
from orplugins.adaptation.method import Finder, Lesson
from orplugins.adaptation.views import find_in_views, network_size
from orplugins.adaptor.augment import OTHER_FACTORS, ROOM_FACTORS, reduce_and_enlarge
from orplugins.io.atomic import write_json
from orplugins.io.images import write_image

_RENDERED = (320, 240)
_ROOMS_TIMES = 4  # half of what the student sees is the source: more rooms than a method needs that keeps them aside
_LEAST_ROWS = 40  # of a frame at a low resolution: 480 rows reduced 12 times


class AdaptorMethod(ColourFrames):
    """See `orplugins.adaptation.method.Method`.

    The labels that a lesson brings serve to judge the student only: AdaptOR's teacher labels the frames anew at every
    step.

    Args:
        config: A config with ``UDA.ENABLE``, a file.
        weights: The network's weights, which the source taught: the teacher's and the student's first ones.
        size: (width, height) at which the network sees the frames; None as the config says.
        iterations: Steps of a round's training.
        device: See `orplugins.device.choose_device`.
    """

    name = "AdaptOR"

    def __init__(
        self,
        config: str,
        weights: str,
        size: tuple[int, int] | None = None,
        iterations: int = 200,
        device: str = "auto",
    ):
        self.config, self.weights, self.device, self.iterations = config, weights, device, iterations
        self.size, self.frame_size = size, (0, 0)

    def begin(self, size: tuple[int, int]) -> dict[str, Any]:
        """Take the frames' size, and decide at which one the network sees them."""
        from orplugins.adaptor.detectron2.adapt import check_config
        from orplugins.hosts.detectron2.predictor import sides_of

        check_config(self.config, self.weights)
        self.frame_size = size
        self.size = network_size(size, self.size, sides_of(self.config))
        return {"config": self.config, "size": list(self.size), "iterations": self.iterations}

    def finder(self, weights: str) -> Finder:
        """The network's answers at the chosen size."""
        from orplugins.device import choose_device
        from orplugins.hosts.detectron2.predictor import Predictor, read_model_config

        predict = Predictor(read_model_config(self.config, weights, choose_device(self.device)), native=True)
        size = self.size
        assert size is not None

        def find(picture: np.ndarray, count: int) -> list[Detections]:
            return find_in_views(predict, picture, size, VIEWS[:count])

        return find

    def rooms(self, count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Generated pictures as small as the recording's, and their people's boxes."""
        from orplugins.synthetic.export.small_rooms import boxes_of, small_rooms

        return boxes_of(*small_rooms(count, seed, self.frame_size))

    def train(self, lesson: Lesson) -> Path:
        """Render the source, train with detectron2, export the teacher."""
        from orplugins.adaptor.detectron2.adapt import Recording, train_student
        from orplugins.device import choose_device

        done = lesson.out / "student.safetensors"
        if done.is_file():
            return done
        if not lesson.rooms:
            raise ValueError("rooms: found 0, expected some generated pictures: AdaptOR learns from a source, too")
        assert self.size is not None
        factor = max(1.0, min(_RENDERED) / min(self.frame_size))
        self._write_source(lesson, factor)
        smallest = max(1.0, min(ROOM_FACTORS[1], min(self.frame_size) / _LEAST_ROWS))
        recording = Recording(
            source=lesson.out / "source.json",
            frames=[frame.path for frame in lesson.frames],
            source_factors=(1.0, max(OTHER_FACTORS[1], factor)),
            frame_factors=(1.0, smallest),
            size=self.size,
            out=lesson.out,
        )
        device = choose_device(self.device)
        train_student(self.config, lesson.weights, recording, self.iterations, lesson.seed, device, done)
        return done

    def _write_source(self, lesson: Lesson, factor: float) -> None:
        """Generated rooms with masks, as blurred as the recording, in the size in which they were rendered."""
        from orplugins.synthetic.export.in_memory import generate

        if (lesson.out / "source.json").is_file():
            return
        views, count = 3, _ROOMS_TIMES * lesson.rooms
        coco, pictures = generate(
            -(-count // views),
            lesson.seed,
            size=_RENDERED,
            views=views,
            people=(0, 6),
            color=True,
            variety=("all",),
            masks=True,
        )
        for image in coco["images"]:
            image["file_name"] = f"source/{image['id']}.png"
            picture = reduce_and_enlarge(np.ascontiguousarray(pictures[image["id"]]), factor)
            write_image(lesson.out / image["file_name"], np.ascontiguousarray(picture[..., ::-1]))
        write_json(lesson.out / "source.json", coco)

    def usage(self, weights: Path) -> str:
        """The command that finds people with the adapted weights."""
        return self.command(weights)
