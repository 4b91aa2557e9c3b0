"""Depth images as a source of the metre: what they measure at people's joints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from orplugins.depth.joints import INSET, surface_depth
from orplugins.depth.png import load_depth
from orplugins.io.frame_names import last_number, path_parts
from orplugins.rig.observations import View

# (view, frame) -> (H, W) millimetres, 0 = hole; None where there is no image.
DepthSource = Callable[[int, int], "np.ndarray | None"]
_WINDOW = 0.015  # half the side of the window about a joint, as a share of the person's size


def joint_depths(view: View, number: int, detections: np.ndarray, source: DepthSource) -> np.ndarray:
    """Depths of joints along the optical axis.

    Args:
        view: What the camera saw.
        number: Of the view.
        detections: (N,) which of them.
        source: Depth images.

    Returns:
        (D, 17) metres, NaN where nothing was measured.
    """
    out = np.full(view.weight.shape, np.nan)
    camera = view.camera
    for i in detections.tolist():
        image = source(number, int(view.frame[i]))
        if image is None:
            continue
        seen = np.flatnonzero(view.weight[i] > 0)
        rays = view.rays[i, seen]
        pixels = rays * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        pixels = camera.distort(pixels) if camera.distortion else pixels
        # The image may be of another resolution of the same view.
        factor = image.shape[1] / camera.size[0]
        half = max(round(_WINDOW * view.size[i] * view.focal * factor), 1)
        surface = surface_depth(image, (pixels + 0.5) * factor - 0.5, half)
        out[i, seen] = surface + INSET[seen] / np.sqrt(1 + (rays * rays).sum(1))
    return out


class DepthFolders:
    """Depth images of each camera, found by the names of the frames.

    Args:
        folders: One a camera, or one for all: then the frames' names say where below it.
        images: Of each camera {frame: name of its image}.
        unit_mm: Millimetres that a count stands for.

    Attributes:
        failed: Images that could not be read, one line each.

    Raises:
        FileNotFoundError: A folder is not there.
        ValueError: Another number of folders, or no depth image belongs to any frame.
    """

    def __init__(self, folders: Sequence[Path], images: Sequence[Mapping[int, str]], unit_mm: float = 1.0):
        if len(folders) not in (1, len(images)):
            raise ValueError(
                f"--depth: {len(folders)} folders for {len(images)} cameras, expected one, or one a camera"
            )
        for folder in folders:
            if not folder.is_dir():
                raise FileNotFoundError(f"{folder}: no such folder of depth images")
        self.unit_mm, self.failed = unit_mm, list[str]()
        self.paths = [
            _paths(folders[v if len(folders) > 1 else 0], names, len(folders) == 1) for v, names in enumerate(images)
        ]
        if not any(self.paths):
            raise ValueError(f"{', '.join(map(str, folders))}: no PNG below belongs to any of the frames")

    def __call__(self, view: int, frame: int) -> np.ndarray | None:
        """Return the depth image of a view's frame."""
        path = self.paths[view].get(frame)
        if path is None:
            return None
        try:
            return load_depth(path, unit_mm=self.unit_mm)
        except (ValueError, OSError) as error:
            self.failed.append(str(error))
            return None


def _paths(folder: Path, names: Mapping[int, str], shared: bool) -> dict[int, Path]:
    """The depth image of each frame: of the same path with color/ replaced by depth/, or of the same name or number."""
    found = {}
    by_stem: dict[str, Path] = {}
    by_number: dict[int, Path] = {}
    if not shared:
        for each in sorted(folder.rglob("*.png")):
            by_stem.setdefault(each.stem, each)
            number = last_number(each.stem)
            if number is not None:
                by_number.setdefault(number, each)
    for frame, name in names.items():
        parts = path_parts(name, suffix=False)
        swapped = ["depth" if part in ("color", "colour", "rgb") else part for part in parts]
        below = folder.joinpath(*swapped[:-1], f"{parts[-1]}.png")
        own = last_number(parts[-1])
        path: Path | None = below if below.is_file() else by_stem.get(parts[-1])
        if path is None and own is not None:
            path = by_number.get(own)
        if path is not None:
            found[frame] = path
    return found
