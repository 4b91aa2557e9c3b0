"""The synthetic operating room as a data set of mmpose, made in memory or cached on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from orplugins.hosts.mmpose.metainfo import skeleton_metainfo
from orplugins.io.json_fields import load_json
from orplugins.registry import DATASETS
from orplugins.skeletons import COCO_17
from orplugins.synthetic.export.in_memory import generate
from orplugins.synthetic.export.mvor_layout import write_dataset


@DATASETS.register_module()
class SyntheticORDataset(BaseCocoStyleDataset):
    """People of a synthetic operating room with COCO's joints; images are depth (uint16 millimetres) or colour (RGB).

    Args:
        frames, seed, start: Which frames; a frame depends on seed and number alone. Training, validation and test sets
            need seeds of their own.
        size: (width, height) of the images.
        views: Cameras, each of which takes one image of every frame.
        people: (min, max) number of people in the room.
        color: Colour images instead of depth.
        fixed_cameras: The cameras hang at one place for the whole set; otherwise elsewhere in each frame.
        workers: Processes that make the frames.
        variety: Parts of `orplugins.synthetic.variety.PARTS` that vary.
        cache_dir: Make the set there (or go on with it, or use it if it is complete); None keeps it in memory.
        data_mode: "bottomup" (a record is an image) or "topdown" (a record is a person).
        **kwargs: Those of mmpose's BaseCocoStyleDataset. A record has `img` (in memory; colours as BGR) or `img_path`
            (cached); an instance also has `keypoints_3d` (17, 3), metres in the camera's axes, and `person_id`.
    """

    METAINFO: dict = skeleton_metainfo(COCO_17, dataset_name="synthetic_or")

    def __init__(
        self,
        frames: int,
        seed: int,
        start: int = 0,
        size: tuple[int, int] = (128, 96),
        views: int = 3,
        people: tuple[int, int] = (1, 6),
        color: bool = False,
        fixed_cameras: bool = False,
        workers: int = 0,
        variety: Sequence[str] = (),
        cache_dir: str | None = None,
        data_mode: str = "bottomup",
        **kwargs,
    ):
        # Set first: the parent loads the data in its constructor.
        self.cache_dir, self.color = cache_dir, color
        self._pictures: dict[int, np.ndarray] = {}
        self.options = dict(
            frames=frames,
            seed=seed,
            start=start,
            size=tuple(size),
            views=views,
            people=tuple(people),
            color=color,
            fixed_cameras=fixed_cameras,
            workers=workers,
            variety=tuple(variety),
        )
        super().__init__(ann_file="", data_mode=data_mode, **kwargs)

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        if self.cache_dir is None:
            coco, pictures = generate(**self.options)
            # OpenCV's order of colours, as mmpose reads files.
            self._pictures = {k: np.ascontiguousarray(p[..., ::-1]) if self.color else p for k, p in pictures.items()}
        else:
            write_dataset(self.cache_dir, **self.options)
            name = "coco17_color.json" if self.color else "coco17.json"
            coco = load_json(Path(self.cache_dir) / "annotations" / name)
        folder = Path(self.cache_dir or "")
        images = {
            image["id"]: {**image, "img_id": image["id"], "img_path": str(folder / image["file_name"])}
            for image in coco["images"][:: self.sample_interval]
        }
        instances = [
            self.parse_data_info({"raw_ann_info": person, "raw_img_info": images[person["image_id"]]})
            for person in coco["annotations"]
            if person["image_id"] in images
        ]
        return instances, list(images.values())

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One person, in mmpose's form."""
        person = raw_data_info["raw_ann_info"]
        info = super().parse_data_info(raw_data_info)
        info["person_id"] = person["person_id"]
        info["keypoints_3d"] = np.array(person["keypoints_3d"], dtype=np.float32).reshape(1, -1, 3)
        return info

    def get_data_info(self, idx: int) -> dict:
        """A record, with its image where it is in memory."""
        info = super().get_data_info(idx)
        if self._pictures:
            info["img"] = self._pictures[info["img_id"]].copy()
        return info
