"""Checks of what RefiNet's preparation is given: a wrong unit must not become a wrong pose."""

from __future__ import annotations

import numpy as np

# No indoor depth sensor sees farther than this, and none stores millimetres of a room that end below 30.
_FARTHEST_M, _FARTHEST_MM = 30.0, 30000.0


def checked_depth(depth_mm: np.ndarray, name: str = "depth") -> np.ndarray:
    """Check a depth image in millimetres.

    Args:
        depth_mm: (H, W) millimetres, 0 = hole; uint16 or float.
        name: For errors.

    Returns:
        (H, W) float32 millimetres.

    Raises:
        ValueError: Another shape or dtype, NaN, negative values, metres where millimetres are expected, or values
            beyond 65 m.
    """
    depth = np.asarray(depth_mm)
    if depth.ndim != 2 or not depth.size:
        raise ValueError(f"{name}: found shape {depth.shape}, expected (height, width)")
    if depth.dtype.kind not in "uif":
        raise ValueError(f"{name}: found dtype {depth.dtype}, expected millimetres as uint16 or float")
    least, most = float(depth.min()), float(depth.max())  # either is NaN where any pixel is
    if not np.isfinite(least + most):
        raise ValueError(f"{name}: found NaN or infinity, expected finite millimetres with 0 for holes")
    if least < 0:
        raise ValueError(f"{name}: found {least:g}, expected millimetres from 0")
    if 0 < most < _FARTHEST_M and depth.dtype.kind == "f":
        raise ValueError(f"{name}: the farthest value is {most:g}: these look like metres, expected millimetres")
    if most > 65535:
        raise ValueError(f"{name}: found {most:g}, expected millimetres up to 65535")
    return depth.astype(np.float32, copy=False)


def checked_metres(depth_m: np.ndarray, name: str = "depth") -> np.ndarray:
    """Check a depth image in metres (ITOP's files).

    float16 is made float32 before it is scaled: in float16 a distance beyond 65 m, and every square of one, overflows.

    Args:
        depth_m: (H, W) floating metres, 0 = hole.
        name: For errors.

    Returns:
        (H, W) float32 millimetres.

    Raises:
        ValueError: Another shape or dtype, NaN, negative values, or millimetres where metres are expected.
    """
    depth = np.asarray(depth_m)
    if depth.ndim != 2 or depth.dtype.kind != "f":
        raise ValueError(f"{name}: found {depth.dtype} {depth.shape}, expected floating-point metres (height, width)")
    # float16 arithmetic, comparisons too, is ten times slower than float32's.
    depth = depth.astype(np.float32)
    least, most = float(depth.min(initial=0)), float(depth.max(initial=0))
    if not np.isfinite(least + most):
        raise ValueError(f"{name}: found NaN or infinity, expected finite metres with 0 for holes")
    if most > _FARTHEST_M or least < 0:
        unit = ": these look like millimetres" if most > _FARTHEST_M else ""
        raise ValueError(f"{name}: found values from {least:g} to {most:g}{unit}, expected metres from 0")
    return depth * np.float32(1000)


def checked_joints(joints: np.ndarray, size: int | tuple[int, ...], name: str = "joints") -> np.ndarray:
    """Check the coordinates of joints.

    Args:
        joints: (..., K, size).
        size: Allowed number, or numbers, of coordinates.
        name: For errors.

    Returns:
        The same in float64.

    Raises:
        ValueError: Another shape or dtype, NaN or infinity.
    """
    joints = np.asarray(joints)
    sizes = (size,) if isinstance(size, int) else tuple(size)
    if joints.ndim < 2 or joints.shape[-1] not in sizes or joints.dtype.kind not in "uif":
        wanted = " or ".join(map(str, sizes))
        raise ValueError(f"{name}: found {joints.dtype} {joints.shape}, expected numbers (..., K, {wanted})")
    joints = joints.astype(np.float64)
    if not np.isfinite(joints).all():
        raise ValueError(f"{name}: found NaN or infinity, expected finite coordinates (mark missing joints as invalid)")
    return joints


def half_metres(depth_mm: np.ndarray) -> np.ndarray:
    """The float16 metres that a millimetre map was made from (exact: float16's steps are far coarser).

    Args:
        depth_mm: (H, W) float32 millimetres.

    Returns:
        (H, W) float16 metres.
    """
    return (depth_mm / np.float32(1000)).astype(np.float16)
