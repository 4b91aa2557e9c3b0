"""Depth images in mmpose pipelines: loading, augmentation, the low-resolution input and packing."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmpose.datasets.transforms import PackPoseInputs

from orplugins.depth.image import unit_image
from orplugins.depth.plausible import check_room_depth
from orplugins.depth.png import check_depth, counts_to_mm, load_depth
from orplugins.registry import TRANSFORMS

_FIRST_IMAGES = 8  # a wrong unit is wrong in all of them


@TRANSFORMS.register_module()
class LoadDepth(BaseTransform):
    """Read a single-channel depth PNG.

    Reads ``img_path``, or takes ``img`` if it is there. Writes ``img`` (H, W) uint16 or uint8, ``img_shape`` and
    ``ori_shape``.

    Args:
        bits: 16 for millimetres, 8 for the published low-resolution form.
        size: Expected (width, height); any by default.
        allow_empty: Accept an image without a single measurement.
        unit_mm: Millimetres a count of 16-bit images.
        room: Refuse the first images if a room does not have their distances, which another unit would give.
    """

    def __init__(
        self,
        bits: int = 16,
        size: tuple[int, int] | None = None,
        allow_empty: bool = True,
        unit_mm: float = 1.0,
        room: bool = True,
    ):
        self.bits, self.size, self.allow_empty, self.unit_mm = bits, size, allow_empty, unit_mm
        self._unchecked = _FIRST_IMAGES if room and bits == 16 else 0

    def transform(self, results: dict) -> dict:
        """Read, or check, the image of a record."""
        options = dict(bits=self.bits, size=self.size, allow_empty=self.allow_empty)
        name = str(results.get("img_path", "array"))
        if results.get("img") is not None:
            img = check_depth(results["img"], name=name, **options)
            img = counts_to_mm(img, self.unit_mm) if self.bits == 16 else img
        else:
            img = load_depth(results["img_path"], unit_mm=self.unit_mm, **options)
        if self._unchecked:
            self._unchecked -= 1
            check_room_depth(img, name, self.unit_mm, "unit_mm of LoadDepth in the config's pipelines")
        results["img"] = img
        results["img_shape"] = results["ori_shape"] = img.shape[:2]
        return results


@TRANSFORMS.register_module()
class RandomDepthAffine(BaseTransform):
    """Rotate, scale and shift a depth image and its keypoints about the centre.

    Pixels from outside are holes; joints that leave the image become unlabelled.

    Args:
        rotate: Maximum angle in degrees.
        scale: (min, max) magnification.
        shift: Maximum shift as a fraction of the image's size.
        scale_depth: Divide depth by the magnification, as coming nearer by that factor would.
        prob: Probability that anything is done.
    """

    def __init__(
        self,
        rotate: float = 10.0,
        scale: tuple[float, float] = (0.8, 1.25),
        shift: float = 0.1,
        scale_depth: bool = True,
        prob: float = 1.0,
    ):
        self.rotate, self.scale, self.shift = rotate, scale, shift
        self.scale_depth, self.prob = scale_depth, prob

    def transform(self, results: dict) -> dict:
        """Warp ``img``, ``keypoints`` and ``bbox`` of a record."""
        if np.random.rand() >= self.prob:
            return results
        import cv2

        img = results["img"]
        height, width = img.shape[:2]
        factor = float(np.exp(np.random.uniform(*np.log(self.scale))))
        angle = np.random.uniform(-self.rotate, self.rotate)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, factor)
        matrix[:, 2] += np.random.uniform(-self.shift, self.shift, 2) * (width, height)
        # Nearest: a mean of two surfaces' depths would be a point in the air between them.
        img = cv2.warpAffine(img, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=0)
        if self.scale_depth:
            largest = np.iinfo(img.dtype).max
            img = np.clip(np.rint(img / factor), 0, largest).astype(img.dtype)
        results["img"] = img
        if results.get("keypoints") is not None:
            points = results["keypoints"] @ matrix[:, :2].T + matrix[:, 2]
            inside = ((points >= 0) & (points < (width, height))).all(-1)
            results["keypoints"] = points.astype(np.float32)
            results["keypoints_visible"] = results["keypoints_visible"] * inside
        if results.get("bbox") is not None:
            corners = results["bbox"][:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
            results["bbox"] = np.concatenate([corners.min(1), corners.max(1)], -1).astype(np.float32)
        return results


@TRANSFORMS.register_module()
class RandomDepthHoles(BaseTransform):
    """Punch rectangular holes and single missing pixels into a depth image, as real sensors do.

    Args:
        rectangles: Maximum number of rectangles per image.
        size: Maximum side of a rectangle as a fraction of the image's.
        pixels: Maximum fraction of single pixels without a measurement.
    """

    def __init__(self, rectangles: int = 3, size: float = 0.12, pixels: float = 0.02):
        self.rectangles, self.size, self.pixels = rectangles, size, pixels

    def transform(self, results: dict) -> dict:
        """Punch the holes into ``img`` of a record."""
        img = results["img"].copy()
        height, width = img.shape[:2]
        for _ in range(np.random.randint(self.rectangles + 1)):
            h, w = (np.random.uniform(0.02, self.size, 2) * (height, width)).astype(int) + 1
            y, x = np.random.randint(height - h + 1), np.random.randint(width - w + 1)
            img[y : y + h, x : x + w] = 0
        img[np.random.rand(height, width) < np.random.uniform(0, self.pixels)] = 0
        results["img"] = img
        return results


@TRANSFORMS.register_module()
class DepthToInput(BaseTransform):
    """Turn a depth image into the network's input: what a low-resolution sensor would see, in [0, 1].

    Writes ``img`` (h, w, 1) float32, mmpose's ``input_size``, ``input_center`` and ``input_scale``,
    ``transformed_keypoints`` in input pixels, and ``depth_target`` (1, H, W).

    Args:
        size: (width, height) of the input. An image of that size is not resampled, so the published low-resolution
            images and full-size ones take the same pipeline.
        z_max_mm: 16-bit depth from 0 to here is mapped to [0, 1]; 8-bit images are divided by 255.
        filter: ``"area"``, ``"bilinear"`` (antialiased) or ``"nearest"``.
        holes: ``"valid"`` averages measured pixels only, ``"zero"`` lets holes count as 0.
        frame_size: (width, height) of the image that annotations and results refer to, if it is not the loaded one:
            640x480 for the published low-resolution images.
        target_size: (width, height) of the high-resolution depth to reconstruct; none by default.
    """

    def __init__(
        self,
        size: tuple[int, int],
        z_max_mm: float = 5000,
        filter: str = "area",
        holes: str = "valid",
        frame_size: tuple[int, int] | None = None,
        target_size: tuple[int, int] | None = None,
    ):
        self.size, self.z_max_mm, self.filter, self.holes = tuple(size), z_max_mm, filter, holes
        self.frame_size, self.target_size = frame_size, target_size

    def _resample(self, img: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        return unit_image(img, size, self.z_max_mm, self.filter, self.holes)

    def transform(self, results: dict) -> dict:
        """Make the input, and the reconstruction's target, of a record."""
        img = results["img"]
        frame = np.array(self.frame_size or img.shape[1::-1], dtype=np.float32)
        results["img"] = self._resample(img, self.size)[..., None]
        if self.target_size is not None:
            results["depth_target"] = self._resample(img, self.target_size)[None]
        results["img_shape"] = self.size[::-1]
        results["input_size"] = self.size
        results["input_center"], results["input_scale"] = frame / 2, frame
        if results.get("keypoints") is not None:
            results["transformed_keypoints"] = results["keypoints"] * (np.array(self.size) / frame)
        return results


@TRANSFORMS.register_module()
class PackDepthPoseInputs(PackPoseInputs):
    """mmpose's packing, with ``depth_target`` as ``gt_depth``: it has another size than the other fields."""

    def transform(self, results: dict) -> dict:
        """Pack a record."""
        packed = super().transform(results)
        if "depth_target" in results:
            depth = PixelData(depth=results["depth_target"]).to_tensor()
            packed["data_samples"].set_field(depth, "gt_depth", dtype=PixelData)
        return packed
