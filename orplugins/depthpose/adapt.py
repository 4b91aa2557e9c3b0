"""DepthPose's network adapted to a user's own depth recording: no labels, nothing from elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.adaptation.agreement import AgreementRules
from orplugins.adaptation.fusion import Detections
from orplugins.adaptation.method import Finder, Lesson
from orplugins.depth.image import depth_to_8bit, downsample
from orplugins.depth.png import load_depth, save_depth
from orplugins.depthpose.adapt_labels import coco_file, people_boxes, pose_detections, with_holes
from orplugins.io.atomic import write_json
from orplugins.viz.colours import depth_colours

# (magnification about the centre, mirrored), see `orplugins.adaptation.method.Method.finder`.
VIEWS = ((1.0, False), (0.85, True), (1.15, False), (1.0, True))
# Boxes of joints differ more between views than boxes that a network was taught, and scores are lower: they are means
# of heatmaps' peaks.
RULES = AgreementRules(
    fuse_iou=0.4, least_score=0.08, link_iou=0.3, sure=0.3, sure_still=0.45, unsure=0.18, unsure_still=0.3
)
_ROOM_SIZE = (160, 120)


class DepthMethod:
    """See `orplugins.adaptation.method.Method`.

    Args:
        config: The network's config of mmpose, a file.
        weights: Its weights: the teacher.
        unit_mm: Millimetres a count of the frames.
        iterations: Steps of a student's training.
        rate: Learning rate, as a share of the config's.
        device: See `orplugins.device.choose_device`.
    """

    name, holes, rules = "DepthPose", True, RULES

    def __init__(
        self,
        config: str,
        weights: str,
        unit_mm: float = 1.0,
        iterations: int = 300,
        rate: float = 0.15,
        device: str = "auto",
    ):
        self.config, self.weights, self.unit_mm, self.device = config, weights, unit_mm, device
        self.iterations, self.rate = iterations, rate
        self.frame_size = (0, 0)

    def read(self, path: Path) -> np.ndarray:
        """A frame, (H, W) uint16 millimetres."""
        return load_depth(path, unit_mm=self.unit_mm)

    def grey(self, picture: np.ndarray) -> np.ndarray:
        """The frame with 255 for 3.6 metres and more: what differs by 14 is 20 cm away."""
        return depth_to_8bit(picture, z_max_mm=3600)

    def show(self, picture: np.ndarray) -> np.ndarray:
        """The frame in colours."""
        return np.ascontiguousarray(depth_colours(picture)[..., ::-1])

    def begin(self, size: tuple[int, int]) -> dict[str, Any]:
        """Take the frames' size."""
        self.frame_size = size
        own = {"unit_mm": self.unit_mm, "iterations": self.iterations, "rate": self.rate}
        return {"config": self.config, **own}

    def views(self) -> int:
        """All of them."""
        return len(VIEWS)

    def finder(self, weights: str) -> Finder:
        """The network's answers about a frame, moved nearer or farther."""
        from orplugins.depthpose.mmpose.adapt import DepthPeople

        people = DepthPeople(self.config, weights, self._device())

        def find(picture: np.ndarray, count: int) -> list[Detections]:
            return [find_in_view(people, picture, scale, mirrored) for scale, mirrored in VIEWS[:count]]

        return find

    def _device(self) -> str:
        from orplugins.device import choose_device

        return choose_device(self.device)

    def _rooms(self, count: int, seed: int) -> tuple[dict, list[np.ndarray]]:
        """COCO's form of generated rooms, and the depth images, no larger than the recording's."""
        from orplugins.synthetic.export.in_memory import generate

        views = 3
        coco, pictures = generate(
            -(-count // views), seed, size=_ROOM_SIZE, views=views, people=(0, 5), variety=("all",)
        )
        coco["images"] = coco["images"][:count]
        factor = min(1.0, min(self.frame_size) / min(_ROOM_SIZE))
        size = round(_ROOM_SIZE[0] * factor), round(_ROOM_SIZE[1] * factor)
        depth = [pictures[image["id"]] for image in coco["images"]]
        return coco, [each if factor == 1 else downsample(each, size=size, holes="valid") for each in depth]

    def rooms(self, count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Generated depth images, and boxes of their people's joints."""
        coco, pictures = self._rooms(count, seed)
        return [
            (picture, people_boxes(coco, image["id"]) * picture.shape[1] / image["width"])
            for image, picture in zip(coco["images"], pictures, strict=True)
        ]

    def train(self, lesson: Lesson) -> Path:
        """Write the frames with holes where nothing is said, and their labels; train with mmpose."""
        from orplugins.depthpose.mmpose.adapt import train_student

        done = lesson.out / "student.safetensors"
        if done.is_file():
            return done
        entries = []
        for number, frame in enumerate(lesson.frames, start=1):
            picture = with_holes(self.read(frame.path), frame.labels)
            entries.append((f"frames/{number:06d}.png", picture, frame.labels.people.keypoints))
        coco, pictures = self._rooms(lesson.rooms, lesson.seed) if lesson.rooms else ({"images": []}, [])
        for image, picture in zip(coco["images"], pictures, strict=True):
            people = [a["keypoints"] for a in coco["annotations"] if a["image_id"] == image["id"]]
            joints = np.array(people, dtype=np.float64).reshape(-1, 17, 3)
            joints[..., :2] = (joints[..., :2] + 0.5) * (picture.shape[1] / image["width"]) - 0.5
            joints[..., 2] = joints[..., 2] > 0
            entries.append((f"rooms/{image['id']}.png", picture, joints))
        for name, picture, _ in entries:
            if not (lesson.out / name).is_file():
                save_depth(lesson.out / name, picture)
        write_json(lesson.out / "labels.json", coco_file([(n, p.shape[1::-1], joints) for n, p, joints in entries]))
        train_student(
            self.config, lesson.weights, lesson.out, len(entries), self.iterations, self.rate, lesson.seed, done,
            self._device(),
        )  # fmt: skip
        return done

    def usage(self, weights: Path) -> str:
        """The command that evaluates or runs the adapted weights by mmpose's own scripts."""
        return shlex.join(["python", "tools/test.py", self.config, str(weights)]) + (
            "\n# in Python: mmpose.apis.init_model("
            + repr(self.config)
            + ", "
            + repr(str(weights))
            + ") in place of the shipped weights"
        )


def find_in_view(people: Any, picture: np.ndarray, scale: float, mirrored: bool) -> Detections:
    """People that a view of a depth image shows.

    Args:
        people: (H, W) uint16 to joints (N, 17, 3), see `orplugins.depthpose.mmpose.adapt.DepthPeople`.
        picture: (H, W) uint16 millimetres.
        scale: Magnification about the centre, as coming nearer by that factor would give.
        mirrored: Of the mirror image.

    Returns:
        The people, in pixels of the picture.
    """
    from orplugins.skeletons import COCO_17

    height, width = picture.shape
    joints = people(zoom(picture[:, ::-1] if mirrored else picture, scale))
    found = joints[..., 2] > 0
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    joints = joints.copy()
    joints[..., :2] = (joints[..., :2] - centre) / scale + centre
    if mirrored:
        joints[..., 0] = width - 1 - joints[..., 0]
        joints, found = joints[:, COCO_17.flip_indices], found[:, COCO_17.flip_indices]
    joints[~found] = 0
    return pose_detections(joints, (width, height))


def zoom(picture: np.ndarray, scale: float) -> np.ndarray:
    """What a camera that is nearer by a factor would see, roughly: nearest pixels about the centre, depth divided.

    Args:
        picture: (H, W) uint16 millimetres.
        scale: The factor; below 1 there are holes around the picture.

    Returns:
        (H, W) uint16.
    """
    if scale == 1:
        return np.ascontiguousarray(picture)
    out = np.zeros_like(picture)
    spans = []
    for side in picture.shape:
        source = (np.arange(side) - (side - 1) / 2) / scale + (side - 1) / 2
        inside = (source > -0.5) & (source < side - 0.5)
        spans.append((np.flatnonzero(inside), np.rint(source[inside]).astype(int)))
    (rows, from_rows), (columns, from_columns) = spans
    out[np.ix_(rows, columns)] = np.rint(picture[np.ix_(from_rows, from_columns)] / scale).clip(0, 65534)
    return out
