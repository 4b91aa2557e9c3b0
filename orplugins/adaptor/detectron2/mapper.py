"""From a data set's record to two views of its picture: a weak one for the teacher, a strong one for the student."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from detectron2.config import CfgNode, configurable
from detectron2.data import detection_utils as utils
from detectron2.data import transforms as T
from PIL import Image

from orplugins.adaptor.augment import factors_of_path, random_augment, random_low_resolution

FACTORS = "low_resolution"  # key of a record, and of a set's metadata: least and greatest factor


@dataclass(frozen=True)
class StrongView:
    """What is done to the pixels of the strong view.

    Attributes:
        augment: Pairs of colour operations.
        holes: Holes, after those.
        low_resolution: Reduce and enlarge.
        shares: Where both `augment` and `low_resolution` are on: share of pictures that get the operations, and share
            of those that get a low resolution as well; all others get a low resolution alone.
    """

    augment: bool = True
    holes: bool = True
    low_resolution: bool = False
    shares: tuple[float, float] = (0.5, 0.2)

    def __call__(self, picture: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
        """Change a picture.

        Args:
            picture: (H, W, 3) uint8 RGB.
            factors: Least and greatest of a low resolution.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        low = self.low_resolution
        augment = self.augment
        if augment and low:
            augment = np.random.random() < self.shares[0]
            low = not augment or np.random.random() < self.shares[1]
        if augment:
            picture = random_augment(picture, self.holes)
        return random_low_resolution(picture, factors) if low else picture


class TwoViewMapper:
    """Callable for AdaptOR's training loader: one record in, its weak and its strong view out.

    Both are records as the stock models take them, with ``flip_enable``: exactly one of the two was mirrored.

    Args:
        geometry: Makes the resize and the flip of a view.
        own_geometry: Each view has its own; otherwise both share one resize, and nothing is mirrored.
        strong: Changes the strong view's pixels.
        image_format: "RGB" or "BGR", as the network expects.
        use_masks: Keep masks.
        mask_format: "polygon" or "bitmask".
        flip_indices: Order of a mirrored person's joints; None drops joints.

    Raises:
        ValueError: Another format.
    """

    @configurable
    def __init__(
        self,
        *,
        geometry: Sequence[T.Augmentation],
        own_geometry: bool = True,
        strong: Callable[[np.ndarray, tuple[float, float]], np.ndarray] | None = None,
        image_format: str = "RGB",
        use_masks: bool = True,
        mask_format: str = "polygon",
        flip_indices: Sequence[int] | None = None,
    ):
        if image_format not in ("BGR", "RGB"):
            raise ValueError(f"INPUT.FORMAT: found {image_format!r}, expected 'RGB' or 'BGR'")
        if mask_format not in ("polygon", "bitmask"):
            raise ValueError(f"INPUT.MASK_FORMAT: found {mask_format!r}, expected 'polygon' or 'bitmask'")
        self.geometry, self.own_geometry = T.AugmentationList(list(geometry)), own_geometry
        self.strong, self.image_format = strong or StrongView(), image_format
        self.use_masks, self.mask_format, self.flip_indices = use_masks, mask_format, flip_indices

    @classmethod
    def from_config(cls, cfg: CfgNode) -> dict:
        """Arguments of the mapper that a config asks for.

        Raises:
            ValueError: The config asks for what labels could not follow: crops, flips upside down.
        """
        if cfg.INPUT.CROP.ENABLED:
            raise ValueError(
                "INPUT.CROP.ENABLED: found True, expected False: labels of one view could not follow to the other"
            )
        if cfg.INPUT.RANDOM_FLIP not in ("horizontal", "none"):
            raise ValueError(
                f"INPUT.RANDOM_FLIP: found {cfg.INPUT.RANDOM_FLIP!r}, expected 'horizontal' or 'none': labels of one "
                "view could not follow to the other"
            )
        uda = cfg.UDA
        # The published mapper reads the order of joints from DATASETS.TRAIN, which adaptation does not use.
        named = cfg.DATASETS.TRAIN_LBL or cfg.DATASETS.TRAIN
        resize = T.ResizeShortestEdge(
            cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN, cfg.INPUT.MIN_SIZE_TRAIN_SAMPLING
        )
        flips = uda.APPLY_GEOMETRIC_TRANSFORM and cfg.INPUT.RANDOM_FLIP == "horizontal"
        return dict(
            geometry=[resize, T.RandomFlip()] if flips else [resize],
            own_geometry=uda.APPLY_GEOMETRIC_TRANSFORM,
            strong=StrongView(
                augment=uda.APPLY_RAND_AUGMENT,
                holes=uda.APPLY_RANDCUTOUT,
                low_resolution=uda.APPLY_LOW_RES_RESIZE,
                shares=(uda.RANDOM_AUGMENT_THRESH1, uda.RANDOM_AUGMENT_THRESH2),
            ),
            image_format=cfg.INPUT.FORMAT,
            use_masks=cfg.MODEL.MASK_ON,
            mask_format=cfg.INPUT.MASK_FORMAT,
            flip_indices=utils.create_keypoint_hflip_indices(tuple(named)) if cfg.MODEL.KEYPOINT_ON else None,
        )

    def __call__(self, record: dict) -> tuple[dict, dict]:
        """The two views of a data set's record, which is not changed.

        Raises:
            ValueError: The picture cannot be read.
        """
        try:
            picture = utils.read_image(record["file_name"], format=self.image_format)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise ValueError(f"image {record['file_name']}: cannot be read ({error}), expected an image") from error
        size = {"height": picture.shape[0], "width": picture.shape[1]}
        record = {**size, **copy.deepcopy(record)}
        utils.check_image_size(record, picture)
        factors = record.get(FACTORS) or factors_of_path(record["file_name"])
        order = slice(None, None, -1) if self.image_format == "BGR" else slice(None)
        strong = self.strong(np.ascontiguousarray(picture[..., order]), tuple(factors))[..., order]
        weak_image, weak_transforms = self._moved(picture)
        if self.own_geometry:
            strong_image, strong_transforms = self._moved(strong)
        else:
            strong_image, strong_transforms = weak_transforms.apply_image(strong), weak_transforms
        flipped = _mirrored(weak_transforms) != _mirrored(strong_transforms)
        people = record.pop("annotations", None)
        views = []
        for image, transforms in ((weak_image, weak_transforms), (strong_image, strong_transforms)):
            pixels = torch.as_tensor(np.ascontiguousarray(image.transpose(2, 0, 1)))
            view = {**record, "image": pixels, "flip_enable": flipped}
            if people is not None:
                view["instances"] = self._instances(copy.deepcopy(people), transforms, image.shape[:2])
            views.append(view)
        return views[0], views[1]

    def _moved(self, picture: np.ndarray) -> tuple[np.ndarray, T.TransformList]:
        inputs = T.AugInput(picture)
        transforms = self.geometry(inputs)
        return inputs.image, transforms

    def _instances(self, people: list[dict], transforms: T.TransformList, size: tuple[int, int]):
        unused = [*([] if self.use_masks else ["segmentation"]), *(["keypoints"] if self.flip_indices is None else [])]
        kept = [person for person in people if not person.get("iscrowd", 0)]
        for person in kept:
            for key in unused:
                person.pop(key, None)
        moved = [
            utils.transform_instance_annotations(person, transforms, size, keypoint_hflip_indices=self.flip_indices)
            for person in kept
        ]
        return utils.filter_empty_instances(utils.annotations_to_instances(moved, size, self.mask_format))


def _mirrored(transforms: T.TransformList) -> bool:
    return sum(isinstance(each, T.HFlipTransform) for each in transforms.transforms) % 2 == 1
