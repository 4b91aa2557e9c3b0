"""What a calibration is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Knowledge:
    """What is known besides the people.

    Attributes:
        focal: The intrinsics are known; otherwise focal lengths and one term of the lens are found too.
        stature_m: People's mean height, metres; None: usual people.
        distance: (camera, camera, metres): the known distance of two cameras, by number from 0.
        up: (3,) the vertical in the first camera's axes.
        synchronous: The cameras' clocks agree.
        most_lag: Largest offset of clocks that is looked for, frames.
    """

    focal: bool = True
    stature_m: float | None = None
    distance: tuple[int, int, float] | None = None
    up: tuple[float, float, float] | None = None
    synchronous: bool = False
    most_lag: int = 60
