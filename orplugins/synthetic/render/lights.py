"""What lights a scene: the theatre's three lamps, or any number of lights of any colour anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.synthetic.scene.geometry import unit
from orplugins.synthetic.scene.scene import Scene

_LIGHT_COLOURS = np.array([[1.0, 0.98, 0.94], [0.96, 0.98, 1.0], [0.96, 0.98, 1.0]], np.float32)
_LIGHT_POWER = (1.7, 1.15, 1.15)
# From candle to blue sky, brightest channel 1.
_TEMPERATURES = np.array(
    [(1.0, 0.68, 0.36), (1.0, 0.83, 0.62), (1.0, 0.95, 0.88), (0.95, 0.97, 1.0), (0.72, 0.84, 1.0)], np.float32
)
LOWEST_SHADOW = 2.0  # metres; lights below it throw no shadow: their map looks straight down


@dataclass
class Lights:
    """Lights of a scene.

    Attributes:
        places: (L, 3) metres.
        colours: (L, 3).
        powers: (L,).
        ambient: (3,) colour of what comes from everywhere.
        level, slope: Its strength on walls, and how much stronger it is on what faces up.
        aims: (L, 3) directions of lamps with a cone; zero for light in all directions.
        cones: (L,) cosine of half a cone's angle.
        shadow_size: Pixels of a shadow map's side.
    """

    places: np.ndarray
    colours: np.ndarray
    powers: tuple[float, ...] | np.ndarray
    ambient: np.ndarray
    level: float
    slope: float
    aims: np.ndarray
    cones: np.ndarray
    shadow_size: int


def theatre_lights(scene: Scene) -> Lights:
    """The lights of the theatre's fixed look.

    Args:
        scene: The scene.

    Returns:
        Three lights.
    """
    places = scene.room.lights.astype(np.float32)
    aims = np.zeros_like(places)
    return Lights(
        places, _LIGHT_COLOURS, _LIGHT_POWER, np.ones(3, np.float32), 0.46, 0.1, aims, np.zeros(len(places)), 320
    )


def any_lights(scene: Scene, rng: np.random.Generator) -> Lights:
    """One to four lights, warm to cold; some scenes are dark but for a lamp over the table.

    Args:
        scene: The scene.
        rng: Source of all randomness.

    Returns:
        The lights.
    """
    lamp_only = rng.random() < 0.08
    count = 1 if lamp_only else int(rng.integers(1, 4))
    places = np.stack([rng.uniform(-3, 3, count), rng.uniform(-3, 3, count), rng.uniform(2.1, 3.4, count)], axis=1)
    if scene.room.kind == "theatre":
        places[:, 2] = np.minimum(places[:, 2], 2.9)
    powers = rng.uniform(0.5, 2.5, count)
    aims, cones = np.zeros((count, 3)), np.zeros(count)
    aim = np.array([*scene.room.centre, 0.9]) + rng.normal(0, 0.3, 3)
    if lamp_only or rng.random() < 0.2:
        places[0] = [*(scene.room.centre + rng.normal(0, 0.5, 2)), rng.uniform(2.0, 2.6)]
        aims[0], cones[0], powers[0] = unit(aim - places[0]), np.cos(rng.uniform(0.25, 0.7)), rng.uniform(2, 6)
    if not lamp_only and rng.random() < 0.3:  # from the side: a window, or a lamp at the camera
        beside = np.array([*rng.uniform(-3, 3, 2), rng.uniform(0.8, 1.9)])
        beside = scene.cameras[0].pose[:3, 3] - (0, 0, 0.05) if rng.random() < 0.3 else beside
        places, powers = np.concatenate([places, [beside]]), np.append(powers, rng.uniform(0.5, 3))
        aims, cones = np.concatenate([aims, np.zeros((1, 3))]), np.append(cones, 0.0)
    warmth = rng.uniform(0, len(_TEMPERATURES) - 1)
    colours = np.array([_temperature(warmth + rng.normal(0, 0.6)) for _ in powers])
    if rng.random() < 0.1:
        colours[rng.integers(len(colours))] = rng.uniform(0.2, 1, 3)
    level = rng.uniform(0.02, 0.15) if lamp_only else rng.uniform(0.12, 0.8)
    ambient = _temperature(warmth + rng.normal(0, 0.8)).astype(np.float32)
    to_single = (places.astype(np.float32), colours.astype(np.float32), powers.astype(np.float32))
    return Lights(
        *to_single, ambient, level, level * rng.uniform(0.0, 0.5), aims.astype(np.float32), cones, shadow_size=160
    )


def _temperature(at: float) -> np.ndarray:
    at = float(np.clip(at, 0, len(_TEMPERATURES) - 1.001))
    low = int(at)
    return _TEMPERATURES[low] + (at - low) * (_TEMPERATURES[low + 1] - _TEMPERATURES[low])
