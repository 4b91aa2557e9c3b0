"""Lens distortion on rays x/z, y/z: OpenCV's model of up to 14 numbers, its fisheye model, and their inverses.

Both models move a ray along its radius, r -> f(r), the first one also sideways by a little. f rises up to a radius
where the model folds over: no light comes from beyond it, whatever the formula says there. The inverse starts from f,
which is inverted by a table up to that fold, and is finished by Newton's method; a ray without an inverse is NaN.

Formulas: OpenCV's documentation, "Camera Calibration and 3D Reconstruction" and "Fisheye camera model" (Kannala and
Brandt 2006 with four terms).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# The orders of numbers in files. MVOR lists the three radial terms first, OpenCV the tangential ones in the middle.
DISTORTION_ORDERS = {
    "opencv": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6", "s1", "s2", "s3", "s4", "tx", "ty"),
    "mvor": ("k1", "k2", "k3", "p1", "p2"),
    "fisheye": ("k1", "k2", "k3", "k4"),
}
DISTORTION_COUNTS = {"opencv": (0, 4, 5, 8, 12, 14), "mvor": (0, 5), "fisheye": (4,)}
_TABLE = 2048
_STEPS = 30


class Lens:
    """OpenCV's model: radial terms k1..k6, tangential p1, p2, thin prism s1..s4, tilted sensor tx, ty (radians).

    Args:
        numbers: Values by name; those left out are 0.
    """

    def __init__(self, numbers: dict[str, float]):
        values = {name: float(numbers.get(name, 0.0)) for name in DISTORTION_ORDERS["opencv"]}
        self._above = [1.0, values["k1"], values["k2"], values["k3"]]
        self._below = [1.0, values["k4"], values["k5"], values["k6"]]
        self._tangential = values["p1"], values["p2"]
        self._prism = [values[name] for name in ("s1", "s2", "s3", "s4")]
        self._rational, self._thin = any(self._below[1:]), any(self._prism)
        self._tilt = _tilt(values["tx"], values["ty"]) if values["tx"] or values["ty"] else None
        self.fold = _fold(self._above, self._below)

    def distort(self, rays: np.ndarray) -> np.ndarray:
        """Where the lens moves rays to.

        Args:
            rays: (..., 2) x/z, y/z.

        Returns:
            (..., 2).
        """
        moved = self._moved(rays)
        return moved if self._tilt is None else _homography(self._tilt, moved)

    def undistort(self, rays: np.ndarray, tolerance: float) -> np.ndarray:
        """Inverse of `distort`.

        Args:
            rays: (..., 2) distorted x/z, y/z.
            tolerance: Maximum error of an inverse, distorted again, in the same unit.

        Returns:
            (..., 2); NaN where there is no inverse.
        """
        shape = rays.shape
        with np.errstate(all="ignore"):  # rays at infinity and NaN have no inverse
            observed = rays.reshape(-1, 2)
            if self._tilt is not None:
                observed = _homography(np.linalg.inv(self._tilt), observed)
            found = self._start(observed)
            error = self._moved(found) - observed
            size = np.abs(error).max(-1)
            enough = 1e-14 * (1 + np.abs(observed).max(-1))
            todo = np.flatnonzero(size > enough)
            for _ in range(_STEPS):
                if not len(todo):
                    break
                found[todo], error[todo] = self._step(found[todo], error[todo], observed[todo])
                new = np.abs(error[todo]).max(-1)
                # Rounding ends the descent; what no longer gets better is as good as it will be.
                going = (new > enough[todo]) & (new < size[todo])
                size[todo] = new
                todo = todo[going]
            xx, xy, yx, yy = self._derivative(found)
            rising = (xx * yy > xy * yx) & (xx > 0) & (np.hypot(*found.T) < 1.05 * self.fold)
            found[~(rising & (size < tolerance))] = np.nan
        return found.reshape(shape)

    def _start(self, observed: np.ndarray) -> np.ndarray:
        """Invert the radial part alone."""
        radius = np.hypot(observed[:, 0], observed[:, 1])
        finite = radius[np.isfinite(radius)]
        reach, most = 1.0, finite.max(initial=0.0)
        while reach < min(self.fold, 1e9) and reach * self._radial(reach * reach)[0] < most:
            reach *= 2
        # Closer together near the axis: one pixel far outside must not coarsen the table for the others.
        radii = min(reach, self.fold) * np.linspace(0, 1, _TABLE) ** 2
        start = np.interp(radius, radii * self._radial(radii * radii)[0], radii)
        return observed * np.where(radius > 0, start / np.where(radius > 0, radius, 1), 1.0)[:, None]

    def _step(self, found: np.ndarray, error: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One Newton step, halved until the error falls."""
        xx, xy, yx, yy = self._derivative(found)
        determinant = xx * yy - xy * yx
        determinant = np.where(np.abs(determinant) < 1e-12, np.inf, determinant)  # at a fold: the point stays
        ex, ey = error[:, 0], error[:, 1]
        step = np.stack([(yy * ex - xy * ey) / determinant, (xx * ey - yx * ex) / determinant], -1)
        out, out_error = found.copy(), error.copy()
        old, rest = np.hypot(ex, ey), np.arange(len(found))
        for halving in range(10):
            candidate = found[rest] - step[rest] / 2**halving
            new = self._moved(candidate) - observed[rest]
            better = np.hypot(new[:, 0], new[:, 1]) < old[rest]
            out[rest[better]], out_error[rest[better]] = candidate[better], new[better]
            rest = rest[~better]
            if not len(rest):
                break
        return out, out_error

    def _radial(self, s):
        """f(r) / r and its derivative by s = r^2."""
        _, k1, k2, k3 = self._above
        above, slope = 1 + s * (k1 + s * (k2 + s * k3)), k1 + s * (2 * k2 + s * 3 * k3)
        if not self._rational:
            return above, slope
        _, k4, k5, k6 = self._below
        below, falling = 1 + s * (k4 + s * (k5 + s * k6)), k4 + s * (2 * k5 + s * 3 * k6)
        return above / below, (slope * below - above * falling) / (below * below)

    def _moved(self, rays: np.ndarray) -> np.ndarray:
        x, y = rays[..., 0], rays[..., 1]
        p1, p2 = self._tangential
        s = x * x + y * y
        radial = self._radial(s)[0]
        moved_x = x * radial + 2 * p1 * x * y + p2 * (s + 2 * x * x)
        moved_y = y * radial + p1 * (s + 2 * y * y) + 2 * p2 * x * y
        if self._thin:
            s1, s2, s3, s4 = self._prism
            moved_x, moved_y = moved_x + s * (s1 + s * s2), moved_y + s * (s3 + s * s4)
        return np.stack([moved_x, moved_y], axis=-1)

    def _derivative(self, rays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Derivative of `_moved` as its entries xx, xy, yx, yy."""
        x, y = rays[..., 0], rays[..., 1]
        p1, p2 = self._tangential
        s = x * x + y * y
        radial, slope = self._radial(s)
        slope = 2 * slope  # d(radial)/dx = slope * x
        xx = radial + slope * x * x + 2 * p1 * y + 6 * p2 * x
        yy = radial + slope * y * y + 6 * p1 * y + 2 * p2 * x
        xy = slope * x * y + 2 * p1 * x + 2 * p2 * y
        if not self._thin:
            return xx, xy, xy, yy
        s1, s2, s3, s4 = self._prism
        a, b = 2 * (s1 + 2 * s2 * s), 2 * (s3 + 2 * s4 * s)
        return xx + a * x, xy + a * y, xy + b * x, yy + b * y


class FisheyeLens:
    """OpenCV's fisheye model ("equidistant"): theta -> theta (1 + k1 theta^2 + .. + k4 theta^8), theta the ray's angle.

    Args:
        numbers: k1 .. k4 by name.
    """

    def __init__(self, numbers: dict[str, float]):
        self._k = [1.0, *(float(numbers[name]) for name in DISTORTION_ORDERS["fisheye"])]
        roots = _positive_roots([(2 * n + 1) * k for n, k in enumerate(self._k)])
        # A ray x/z, y/z ends at 90 degrees.
        self.widest = min(np.pi / 2, np.sqrt(roots.min(initial=np.inf)))

    def distort(self, rays: np.ndarray) -> np.ndarray:
        """See `Lens.distort`."""
        radius = np.hypot(rays[..., 0], rays[..., 1])
        angle = np.arctan(radius)
        scale = np.where(radius > 1e-9, self._bent(angle) / np.where(radius > 1e-9, radius, 1), 1.0)
        return rays * scale[..., None]

    def undistort(self, rays: np.ndarray, tolerance: float) -> np.ndarray:
        """See `Lens.undistort`."""
        with np.errstate(all="ignore"):
            bent = np.hypot(rays[..., 0], rays[..., 1])
            angles = np.linspace(0, self.widest, _TABLE)
            angle = np.interp(bent, self._bent(angles), angles)
            for _ in range(_STEPS):
                s = angle * angle
                slope = np.polynomial.polynomial.polyval(s, [(2 * n + 1) * k for n, k in enumerate(self._k)])
                step = (self._bent(angle) - bent) / slope
                angle = np.clip(np.where(np.isfinite(step), angle - step, angle), 0, self.widest)
                if not (np.abs(step) > 1e-15).any():
                    break
            scale = np.where(bent > 1e-9, np.tan(angle) / np.where(bent > 1e-9, bent, 1), 1.0)
            good = (np.abs(self._bent(angle) - bent) < tolerance) & (angle < min(self.widest, np.pi / 2 - 1e-6))
            return np.where(good[..., None], rays * scale[..., None], np.nan)

    def _bent(self, angle: np.ndarray) -> np.ndarray:
        return angle * np.polynomial.polynomial.polyval(angle * angle, self._k)


@lru_cache(maxsize=256)
def lens(order: str, numbers: tuple[float, ...]) -> Lens | FisheyeLens:
    """The lens of a list of numbers.

    Args:
        order: One of `DISTORTION_ORDERS`.
        numbers: As many as `DISTORTION_COUNTS` allows.

    Returns:
        The lens.
    """
    values = dict(zip(DISTORTION_ORDERS[order], numbers, strict=False))
    return FisheyeLens(values) if order == "fisheye" else Lens(values)


def _positive_roots(coefficients: list[float]) -> np.ndarray:
    """Real roots above 0 of a polynomial, lowest power first."""
    trimmed = np.trim_zeros(np.asarray(coefficients, dtype=np.float64), "b")
    if len(trimmed) < 2:
        return np.zeros(0)
    roots = np.polynomial.polynomial.polyroots(trimmed)
    return roots.real[(np.abs(roots.imag) < 1e-9 * (1 + np.abs(roots))) & (roots.real > 0)]


def _fold(above: list[float], below: list[float]) -> float:
    """The radius up to which r above(r^2) / below(r^2) rises."""
    p = np.polynomial.polynomial
    change = p.polysub(p.polymul(p.polyder(above), below), p.polymul(above, p.polyder(below)))
    rise = p.polyadd(p.polymul(above, below), p.polymul([0, 2], change))
    roots = np.concatenate([_positive_roots(list(rise)), _positive_roots(below)])
    return float(np.sqrt(roots.min(initial=np.inf)))


def _tilt(tx: float, ty: float) -> np.ndarray:
    """(3, 3) homography of a tilted sensor (Scheimpflug)."""
    about_x = np.array([[1, 0, 0], [0, np.cos(tx), np.sin(tx)], [0, -np.sin(tx), np.cos(tx)]])
    about_y = np.array([[np.cos(ty), 0, -np.sin(ty)], [0, 1, 0], [np.sin(ty), 0, np.cos(ty)]])
    turn = about_y @ about_x
    return np.array([[turn[2, 2], 0, -turn[0, 2]], [0, turn[2, 2], -turn[1, 2]], [0, 0, 1]]) @ turn


def _homography(matrix: np.ndarray, rays: np.ndarray) -> np.ndarray:
    moved = rays @ matrix[:, :2].T + matrix[:, 2]
    return moved[..., :2] / moved[..., 2:]
