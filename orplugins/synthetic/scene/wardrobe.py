"""Who wears what, as colours: the cut stays that of `clothing`, what covers which part of a body varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.synthetic.scene.colours import (
    GLOVES,
    MASKS,
    THEATRE_CAPS,
    THEATRE_CLOTH,
    any_colour,
    hair_colour,
    one_of,
    skin_colour,
)
from orplugins.synthetic.scene.human import FOOT, FOREARM, HAND, HEAD, NECK, SHIN, THIGH, TRUNK, UPPER_ARM
from orplugins.synthetic.scene.people import Person

# What a vertex of a person shows; TUBE is the cloth around trunk and legs.
BARE, HAIR, CAP, SHIRT, TROUSERS, SHOES, MASK, GLOVE, TUBE = LABELS = range(9)


@dataclass
class Outfit:
    """What a person wears.

    Attributes:
        labels: (V,) of the body's vertices.
        colours: (9, 3) of each label.
        neckline: How far down the chest is bare, metres.
        logo: Left, bottom, right, top of a print on the chest from the neck, metres; empty without one.
        ink: (3,) colour of the print.
        open_face: Whether eyes, brows and mouth show.
    """

    labels: np.ndarray
    colours: np.ndarray
    neckline: float
    logo: tuple[float, ...]
    ink: np.ndarray
    open_face: bool


def outfit(rng: np.random.Generator, person: Person, theatre: bool) -> Outfit:
    """Dress a person.

    Args:
        rng: Source of all randomness.
        person: The person.
        theatre: Whether most people wear what theatres do.

    Returns:
        The clothes.
    """
    model = person.body.shape.model
    region, up, behind = model.regions, model.head_height, model.head_depth
    usual = rng.random() < (0.75 if theatre else 0.3)

    def cloth() -> np.ndarray:
        return one_of(rng, THEATRE_CLOTH) if usual else any_colour(rng)

    colours = np.zeros((len(LABELS), 3))
    colours[BARE], colours[HAIR], colours[SHIRT] = skin_colour(rng), hair_colour(rng), cloth()
    colours[TROUSERS] = colours[SHIRT] if rng.random() < (0.6 if usual else 0.1) else cloth()
    colours[CAP] = one_of(rng, THEATRE_CAPS) if rng.random() < 0.6 else cloth()
    colours[SHOES] = any_colour(rng)
    colours[MASK] = one_of(rng, MASKS) if rng.random() < 0.85 else cloth()
    colours[GLOVE] = one_of(rng, GLOVES)
    colours[TUBE] = cloth() if person.style == "apron" or rng.random() < 0.25 else colours[SHIRT]
    patient = person.role == "patient"
    capped, masked, gloved = rng.random(3) < ((0.8, 0.65, 0.5) if usual else (0.15, 0.1, 0.08))
    if patient:
        capped, masked, gloved = rng.random() < 0.5, rng.random() < 0.1, False
        colours[TUBE] = colours[SHIRT] = one_of(rng, THEATRE_CAPS) if rng.random() < 0.5 else cloth()

    labels = np.full(len(region), BARE)
    labels[np.isin(region, (TRUNK, UPPER_ARM))] = SHIRT
    labels[np.isin(region, (THIGH, SHIN))] = TROUSERS
    labels[region == FOOT] = SHOES if rng.random() < 0.93 else BARE
    long_sleeves = 0.95 if person.style == "gown" else 0.45
    if rng.random() < long_sleeves:
        labels[region == FOREARM] = SHIRT
    elif rng.random() < 0.12:
        labels[region == UPPER_ARM] = BARE
    legs = rng.random()
    if legs < 0.1 and not usual:  # shorts, or below a tube a dress
        labels[region == SHIN] = BARE
    elif person.style in ("long", "gown", "apron") and legs > 0.75:
        labels[np.isin(region, (THIGH, SHIN))] = BARE
    cover = (region == HEAD) & ((up > 0.5) | ((behind > 0.005) & (up > 0.02)))
    if capped or rng.random() < 0.93:
        labels[cover] = CAP if capped else HAIR
    if gloved:
        labels[region == HAND] = GLOVE
    if masked:
        labels[(region == HEAD) & (up < 0.27) & (behind < -0.035)] = MASK
    elif rng.random() < 0.12:  # a beard
        labels[(region == HEAD) & (up < 0.14) & (behind < -0.03)] = HAIR
    if capped and rng.random() < 0.25:  # a hood
        labels[(region == NECK) | ((region == HEAD) & (up < 0.25) & (behind > -0.03))] = CAP
    logo: tuple[float, ...] = ()
    if rng.random() < (0.15 if usual else 0.35):
        half, low = rng.uniform(0.03, 0.14), -rng.uniform(0.2, 0.42)
        middle = rng.choice((0.0, 0.08))
        logo = (middle - half, low, middle + half, low + rng.uniform(0.04, 0.18))
    neckline = rng.uniform(0.0, 0.16) * (rng.random() < 0.6)
    return Outfit(labels, colours, neckline, logo, any_colour(rng), rng.random() < 0.95)
