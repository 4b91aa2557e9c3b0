"""What every model file becomes: images in, people out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import InputSpec, Metadata
from orplugins.skeletons import Skeleton
from orplugins.structures import NO_JOINTS, People


class Model:
    """A model file that is open.

    Args:
        engine: Runs it.
        metadata: What it says of itself.
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        self.engine, self.metadata = engine, metadata
        self.path = engine.path

    @property
    def skeleton(self) -> Skeleton:
        """The joints that it finds in images."""
        return self.metadata.skeleton or NO_JOINTS


class Pose(Model, ABC):
    """A network on images: ``people = pose(image)``, ``pose.batch(images)``.

    Depth images are (H, W) uint16 millimetres with 0 for holes (uint8 where the metadata says 8-bit), colour images
    (H, W, 3) uint8 BGR.
    """

    @property
    def kind(self) -> str:
        """``"depth"`` or ``"color"``."""
        return self.metadata.input.kind

    def __call__(self, image: np.ndarray, frame: str = "", **options) -> People:
        """People of one image.

        Args:
            image: See the class.
            frame: The frame's key, kept in the result.
            **options: Further ones of the method's `batch`: what is a list with an entry an image there is one here.

        Returns:
            The people; there may be none.

        Raises:
            ValueError: An image of another kind or size than the metadata says.
        """
        return self.batch([image], [frame], **{name: [value] for name, value in options.items()})[0]

    @abstractmethod
    def batch(self, images: Sequence[np.ndarray], frames: Sequence[str] | None = None) -> list[People]:
        """People of several images, which go through the network together where their sizes allow it.

        Args:
            images: See the class.
            frames: Their keys. A method may have more arguments, with an entry an image.

        Returns:
            One entry an image.

        Raises:
            ValueError: An image of another kind or size than the metadata says.
        """


def check_image(image: np.ndarray, spec: InputSpec, name: str = "image") -> np.ndarray:
    """Check an image against what a file says of its input.

    Args:
        image: The caller's.
        spec: What is expected.
        name: For errors.

    Returns:
        The image.

    Raises:
        ValueError: Another kind, type or size.
    """
    image = np.asarray(image)
    dtype, shape = ("uint8", "(H, W, 3)") if spec.kind == "color" else ("uint16", "(H, W)")
    if spec.unit == "8-bit":
        dtype = "uint8"
    fits = image.ndim == 3 and image.shape[2] == 3 if spec.kind == "color" else image.ndim == 2
    if image.dtype.name != dtype or not fits or not image.size:
        what = "a colour image, BGR" if spec.kind == "color" else f"a depth image, {spec.unit}"
        raise ValueError(f"{name}: found {image.dtype} {image.shape}, expected {dtype} {shape}: {what}")
    if spec.frame is not None and image.shape[1::-1] != spec.frame:
        found, wanted = ("{}x{}".format(*size) for size in (image.shape[1::-1], spec.frame))
        raise ValueError(f"{name}: found {found} pixels, expected {wanted} as the model's metadata says")
    return image


def frame_names(frames: Sequence[str] | None, images: Sequence) -> list[str]:
    """The frames' keys, one an image.

    Raises:
        ValueError: Another number of them.
    """
    if frames is None:
        return [""] * len(images)
    if len(frames) != len(images):
        raise ValueError(f"frames: found {len(frames)} names for {len(images)} images")
    return list(frames)
