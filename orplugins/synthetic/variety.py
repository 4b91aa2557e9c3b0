"""What a generated set varies beyond the theatre under three ceiling cameras: named parts, each on or off."""

from __future__ import annotations

from collections.abc import Iterable

CAMERAS, POSES, ROOMS, SENSORS, CLOTHES, TEXTURES, PICTURES = PARTS = (
    "cameras",
    "poses",
    "rooms",
    "sensors",
    "clothes",
    "textures",
    "pictures",
)
# The theatre is what the networks are for: this share of rooms are one, and of those this share have cameras that hang
# under the ceiling.
THEATRE_SHARE, HUNG_SHARE = 0.45, 0.55

COLOUR_ONLY = (TEXTURES, PICTURES)  # parts that depth pictures and labels do not depend on


def check_variety(parts: Iterable[str], color: bool = True) -> tuple[str, ...]:
    """Put parts in order.

    Args:
        parts: Some of `PARTS`; "all" stands for all of them.
        color: Whether there are colour pictures; without them the parts of `COLOUR_ONLY` are left out.

    Returns:
        The parts, each once.

    Raises:
        ValueError: Another name, or nothing but parts of colour pictures that are not made.
    """
    wanted = set(parts)
    unknown = sorted(wanted - {*PARTS, "all"})
    if unknown:
        raise ValueError(f"variety: found {', '.join(unknown)}, expected some of {', '.join(PARTS)}, or all")
    found = tuple(part for part in PARTS if "all" in wanted or part in wanted)
    used = tuple(part for part in found if color or part not in COLOUR_ONLY)
    if found and not used:
        raise ValueError(f"variety: found {', '.join(found)} without colour pictures, which nothing else depends on")
    return used
