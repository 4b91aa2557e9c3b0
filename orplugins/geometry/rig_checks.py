"""Whether a calibration is possible: what is wrong with it, in words that name the likely cause.

Nothing here changes a number. A finding is one sentence; no finding does not prove a calibration right.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.pose_direction import looks_inverted
from orplugins.geometry.rectified import ParallelRig

# Metres between two cameras of one room, and between those of a parallel pair.
BASELINES_M = (0.02, 20.0)
PAIR_BASELINES_M = (0.01, 5.0)
_USUAL_M, _USUAL_PAIR_M = 3.0, 0.25
_UNITS = {"mm": ("millimetres", 1000.0), "cm": ("centimetres", 100.0)}
_FIELD_DEGREES = (10.0, 170.0)
_FACTORS = [a / b for a in range(1, 9) for b in range(1, 9)]
_USUAL_SIZES = [size for landscape in ((320, 240), (640, 480), (848, 480), (960, 540), (1024, 768), (1280, 720),
                                       (1280, 960), (1280, 1024), (1600, 1200), (1920, 1080), (2048, 1536),
                                       (2448, 2048), (2560, 1440), (3840, 2160))
                for size in (landscape, landscape[::-1])]  # fmt: skip


def field_of_view(camera: Camera) -> tuple[float, float]:
    """Horizontal and vertical field of view.

    Args:
        camera: The camera; of its lens only the kind counts.

    Returns:
        Degrees.
    """
    halves = camera.size[0] / 2 / camera.fx, camera.size[1] / 2 / camera.fy
    # A fisheye lens maps angles to lengths, a pinhole their tangents.
    angles = halves if camera.distortion_order == "fisheye" else np.arctan(halves)
    return 2 * float(np.degrees(angles[0])), 2 * float(np.degrees(angles[1]))


def camera_findings(camera: Camera) -> list[str]:
    """What is impossible about one camera's intrinsics.

    Args:
        camera: The camera.

    Returns:
        Findings: focal lengths and principal point against the size of the image.
    """
    return _lens_findings(camera) or _centre_findings((camera.cx, camera.cy), camera.size)


def rig_findings(cameras: Sequence[Camera], names: Sequence[str], direction_known: bool = False) -> list[str]:
    """What is impossible about cameras of one world.

    Args:
        cameras: Any number of cameras.
        names: One per camera.
        direction_known: The poses are known to be read the right way round: do not doubt it.

    Returns:
        Findings about every camera (see `camera_findings`), distances of cameras, and the direction of the poses.
    """
    texts: dict[str, list[str]] = {}
    for name, camera in zip(names, cameras, strict=True):
        for text in camera_findings(camera):
            texts.setdefault(text, []).append(name)
    found = [f"{', '.join(which)}: {text}" for text, which in texts.items()]
    if len(cameras) < 2:
        return found
    distances = baselines(cameras)
    far = _baseline_finding(distances)
    if far:
        return [*found, far]
    if not found and not direction_known and looks_inverted(cameras):
        return [
            "the poses look like camera to world: as they are read, they are not those of cameras that look into one "
            'room, the other way round they are; say "pose": "camera_to_world" (or "world_to_camera" if they are right)'
        ]
    for (i, j), distance in zip(itertools.combinations(range(len(cameras)), 2), distances, strict=True):
        if distance < 1e-6:
            found.append(f"{names[i]} and {names[j]} are at the same place: one pose copied to both?")
    return found


def parallel_findings(rig: ParallelRig) -> list[str]:
    """What is impossible about a parallel pair.

    Args:
        rig: The pair.

    Returns:
        Findings about baseline, focal length and principal points.
    """
    least, most = PAIR_BASELINES_M
    found = []
    if not least <= rig.baseline_m <= most:
        found.append(
            f"baseline_m is {rig.baseline_m:g}, expected {least:g} to {most:g} metres"
            + _which_unit([rig.baseline_m], PAIR_BASELINES_M, _USUAL_PAIR_M, "write metres")
        )
    camera = Camera(rig.focal_px, rig.focal_px, *rig.left, rig.size)
    if wrong := _lens_findings(camera):
        return found + wrong
    for side, centre in (("left", rig.left), ("right", rig.right)):
        found += [f"{side} camera: {text}" for text in _centre_findings(centre, rig.size)]
        if found:
            break
    return found


def baselines(cameras: Sequence[Camera]) -> np.ndarray:
    """Distances of all pairs of cameras.

    Args:
        cameras: V cameras.

    Returns:
        (V (V - 1) / 2,) metres, in the order of `itertools.combinations`.
    """
    centres = [camera.pose[:3, 3] for camera in cameras]
    return np.array([np.linalg.norm(a - b) for a, b in itertools.combinations(centres, 2)])


def usual_size(centre: Sequence[float]) -> tuple[int, int]:
    """The size of the image that a principal point is the middle of.

    Args:
        centre: x, y, pixels.

    Returns:
        (width, height): that of a usual camera if one is near, else twice the principal point.
    """
    width, height = (round(2 * min(max(float(value), 0.5), 1e9)) for value in centre)
    for usual in _USUAL_SIZES:
        if abs(width / usual[0] - 1) < 0.04 and abs(height / usual[1] - 1) < 0.04:
            return usual
    return width, height


def at_size(camera: Camera, size: tuple[int, int]) -> Camera:
    """A camera for images of another resolution of the same view.

    Args:
        camera: The camera.
        size: (width, height), pixels.

    Returns:
        The camera with scaled intrinsics.

    Raises:
        ValueError: Another aspect ratio: part of the view was cut off, and a scale cannot say which.
    """
    sx, sy = size[0] / camera.size[0], size[1] / camera.size[1]
    if abs(sx - sy) > 0.01 * max(sx, sy):
        raise ValueError(
            f"the images are {_by(size)}, the calibration is for {_by(camera.size)}: another aspect ratio, so the "
            "images were cropped or turned; expected the same view"
        )
    return camera if tuple(size) == camera.size else camera.resized(size)


def _lens_findings(camera: Camera) -> list[str]:
    least, most = _FIELD_DEGREES
    if camera.distortion_order == "fisheye":
        most = 300.0
    found = []
    for side, focal, degrees in zip(("width", "height"), (camera.fx, camera.fy), field_of_view(camera), strict=True):
        if focal < 10:
            found.append(
                f"focal length {focal:g}, expected pixels (10 or more); it looks like metres, mm or a share of the "
                f"image's {side}"
            )
        elif not least <= degrees <= most:
            cause = "K was calibrated at a larger size" if degrees < least else "K was calibrated at a smaller size"
            found.append(
                f"a field of view of {degrees:.3g} degrees over the {side} (focal length {focal:g} px, image "
                f"{_by(camera.size)}), expected {least:g} to {most:g}; perhaps {cause}"
            )
        if found:
            return found
    if not 0.5 < camera.fx / camera.fy < 2:
        found.append(f"focal lengths {camera.fx:g} and {camera.fy:g} px, expected nearly the same in x and y")
    return found


def _centre_findings(centre: tuple[float, float], size: tuple[int, int]) -> list[str]:
    """The principal point against the image's middle: another resolution, or a size written the other way round."""
    middle = np.array(centre) + 0.5
    share = middle / size  # 0.5 where it is in the middle
    off = np.abs(share - 0.5)
    turned = np.abs(middle / size[::-1] - 0.5)
    what = f"the principal point ({centre[0]:g}, {centre[1]:g}) does not fit an image of {_by(size)}"
    if off.min() > 0.08 and turned.max() < 0.05:
        return [f"{what}: the size looks written as (height, width), expected (width, height)"]
    scaled = share.min() > 0 and abs(share[0] / share[1] - 1) < 0.1
    same_view = share.min() > 0 and abs(share[0] / share[1] - 1) < 0.03 and abs(2 * share.mean() - 1) > 0.15
    if off.max() <= 0.25 and not same_view:
        return []
    if scaled:
        guess = usual_size(centre)
        if guess not in _USUAL_SIZES:
            factor = min(_FACTORS, key=lambda f: abs(np.log(2 * share.mean() / f)))
            guess = round(size[0] * factor), round(size[1] * factor)
        return [
            f"{what}: K looks calibrated at another resolution, {_by(guess)}; write that size there, and scale it to "
            f"the images: orplugins calibration convert --image-size {size[0]} {size[1]}"
        ]
    return [f"{what}: expected it within a quarter of the image's sides from the middle; K is of another resolution?"]


def _baseline_finding(distances: np.ndarray) -> str:
    least, most = BASELINES_M
    if distances.max() > most or distances.max() < least:
        found = f"the cameras are {distances.min():g} to {distances.max():g} m apart, expected {least:g} to {most:g}"
        return found + _which_unit(distances, BASELINES_M, _USUAL_M)
    return ""


def _which_unit(
    lengths: Sequence[float] | np.ndarray, limits: tuple[float, float], usual: float, instead: str | None = None
) -> str:
    """The likely cause of impossible lengths."""
    least, most = min(lengths), max(lengths)
    if most < limits[0]:
        return "; the translations look like a larger unit than the one that was read (metres, unless said otherwise)"
    found = {}
    for unit, (name, factor) in _UNITS.items():
        if limits[0] <= least / factor and most / factor <= limits[1]:
            # 250 may be 25 cm in millimetres or 2.5 m in centimetres: the likelier one first.
            found[name] = (abs(np.log(most / factor / usual)), unit)
    if not found:
        return "; the unit of the translations is not metres"
    names = sorted(found, key=lambda name: found[name][0])
    range_ = f"{least:.4g}" if least == most else f"{least:.4g} to {most:.4g}"
    units = " or ".join(f'"{found[name][1]}"' for name in names)
    advice = instead or f'say "unit": {units}'
    return f"; the translations look like {' or '.join(names)} (baselines {range_}): {advice}"


def _by(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
