"""What everything in a scene is covered with: colours and patterns of walls, things and clothes.

The geometry stays as it is: depth and labels do not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.synthetic.scene.colours import THEATRE_CLOTH, THEATRE_THINGS, any_colour, one_of, related
from orplugins.synthetic.scene.geometry import CLOTH, LAMP
from orplugins.synthetic.scene.human import body_model
from orplugins.synthetic.scene.patterns import COUNT, numbers_of
from orplugins.synthetic.scene.people import Person
from orplugins.synthetic.scene.scene import Scene
from orplugins.synthetic.scene.wardrobe import (
    BARE,
    GLOVE,
    HAIR,
    LABELS,
    MASK,
    SHIRT,
    SHOES,
    TROUSERS,
    TUBE,
    Outfit,
    outfit,
)

_THINGS = numbers_of("panels", "blobs", "text", "rack", "tiles", "stripes", "noise", "wood")
_RACKS = numbers_of("rack", "panels", "text")
_WALLS = numbers_of("panels", "blobs", "text", "rack", "tiles", "folds", "noise", "stripes", "veins", "wood")
_FABRICS = numbers_of("stripes", "checks", "dots", "noise", "leaves", "veins", "folds", "blobs")
_CREASES = numbers_of("noise", "folds", "veins")


@dataclass
class Cover:
    """Rows of what a surface may be covered with.

    Attributes:
        patterns: (R,) numbers of the bank.
        second, third: (R, 3) colours of the patterns.
        strength: (R,) 0..1 how much of them shows.
        period: (R,) metres after which a pattern repeats.
        turned: (R,) radians.
        offset: (R, 2) periods.
        creases: (R,) how much lighter and darker folds are.
    """

    patterns: np.ndarray
    second: np.ndarray
    third: np.ndarray
    strength: np.ndarray
    period: np.ndarray
    turned: np.ndarray
    offset: np.ndarray
    creases: np.ndarray

    @classmethod
    def empty(cls, rows: int) -> Cover:
        """Rows without any pattern."""
        zero, colour = np.zeros(rows, np.float32), np.zeros((rows, 3), np.float32)
        return cls(
            np.zeros(rows, np.int64), colour, colour.copy(), zero, zero + 1, zero.copy(), np.zeros((rows, 2)), zero + 0
        )

    def draw(
        self,
        row: int,
        rng: np.random.Generator,
        colour: np.ndarray,
        patterns: np.ndarray,
        period: tuple[float, float],
    ) -> None:
        """Draw one row's pattern.

        Args:
            row: Its number.
            rng: Source of all randomness.
            colour: (3,) what the pattern lies on.
            patterns: Numbers of the bank to choose from.
            period: (min, max) metres.
        """
        self.patterns[row] = patterns[rng.integers(len(patterns))]
        self.second[row], self.third[row] = related(rng, colour), related(rng, colour)
        self.strength[row] = rng.uniform(0.15, 1.0)
        self.period[row] = np.exp(rng.uniform(*np.log(period)))
        self.turned[row] = rng.choice((0.0, 0.0, np.pi / 2, rng.uniform(0, np.pi)))
        self.offset[row] = rng.random(2)


@dataclass
class Surfaces:
    """A scene's covers.

    Attributes:
        rows: (F,) row of each face.
        colours: (V, 3) of the vertices, below the patterns.
        cover: The rows.
        rest: (V, 3) places on the body at rest, metres, of the vertices of people.
        outfits: By the number of the person.
        backdrop: Row of what is behind everything.
        horizon: (2, 3) colours of the backdrop at the top and at the bottom.
    """

    rows: np.ndarray
    colours: np.ndarray
    cover: Cover
    rest: np.ndarray
    outfits: dict[int, Outfit]
    backdrop: int
    horizon: np.ndarray


def cover(scene: Scene, rng: np.random.Generator) -> Surfaces:
    """Cover a scene.

    Args:
        scene: The scene.
        rng: Source of all randomness.

    Returns:
        The covers; a function of scene and `rng` alone.
    """
    theatre = scene.room.kind == "theatre"
    starts = np.concatenate([[0], np.flatnonzero(np.diff(scene.pieces)) + 1])
    count = len(starts)
    rows = np.repeat(np.arange(count), np.diff([*starts, len(scene.faces)]))
    worn = len(LABELS) * len(scene.people)
    covers = Cover.empty(count + worn + 1)
    colours = scene.colours.copy()
    wild = rng.random() < (0.3 if theatre else 0.8)  # any colour on anything
    for row in range(count):
        face = starts[row]
        if scene.instances[face] == 0:
            stop = starts[row + 1] if row + 1 < count else len(scene.faces)
            _cover_thing(covers, row, scene, colours, slice(face, stop), rng, wild)
    outfits = {}
    rest = np.zeros_like(scene.vertices)
    for number, person in enumerate(scene.people):
        worn_by = outfit(rng, person, theatre)
        outfits[person.id] = worn_by
        _hide(rng, worn_by, colours, wild)
        first = count + number * len(LABELS)
        _put_on(scene, person, worn_by, first, rows, colours, rest)
        _cover_clothes(covers, first, worn_by, rng)
    backdrop = count + worn
    horizon = np.array([any_colour(rng) for _ in range(2)])
    if rng.random() < 0.3:
        horizon[1] = horizon[0]
    if rng.random() < 0.85:
        covers.draw(backdrop, rng, horizon[0], np.arange(COUNT), (0.3, 2.0))
    return Surfaces(rows, colours.astype(np.float32), covers, rest, outfits, backdrop, horizon.astype(np.float32))


def _cover_thing(
    covers: Cover, row: int, scene: Scene, colours: np.ndarray, faces: slice, rng: np.random.Generator, wild: bool
) -> None:
    """A wall or a thing of the room."""
    used = np.unique(scene.faces[faces])
    material = int(scene.materials[faces.start])
    extent = np.ptp(scene.vertices[used], axis=0)
    large = float(extent.max()) > 2.3
    colour = colours[used[0]].astype(np.float64)
    if material == LAMP:
        colours[used] *= rng.uniform(0.85, 1.0)
        return
    change = rng.random()
    if change < (0.5 if wild else 0.12):
        colour = any_colour(rng)
    elif change < (0.65 if wild else 0.5) and not large:
        colour = one_of(rng, THEATRE_CLOTH if material == CLOTH else THEATRE_THINGS)
    else:
        colour = np.clip(colour * rng.uniform(0.6, 1.25) * rng.normal(1, 0.05, 3), 0.01, 0.97)
    colours[used] = colour
    if rng.random() < (0.8 if wild else 0.7):
        if material == CLOTH:
            covers.draw(row, rng, colour, _FABRICS, (0.1, 0.8))
        elif large:
            covers.draw(row, rng, colour, _WALLS, (1.0, 8.0))
        else:
            chosen = _RACKS if rng.random() < 0.5 else _THINGS
            covers.draw(row, rng, colour, chosen, (0.3, 1.6))
            if rng.random() < 0.5:
                covers.turned[row] = 0.0
            if rng.random() < 0.5:  # black and white next to each other, as on devices and shelves
                black_white = rng.permutation([rng.uniform(0, 0.15), rng.uniform(0.6, 1)])
                covers.second[row], covers.third[row] = black_white
                covers.strength[row] = rng.uniform(0.6, 1.0)
        if not wild and large:
            covers.strength[row] *= rng.uniform(0.3, 1.0)
    if material == CLOTH:
        covers.creases[row] = rng.uniform(0, 0.25)


def _hide(rng: np.random.Generator, worn: Outfit, colours: np.ndarray, wild: bool) -> None:
    """Some people wear nearly the colour of something in the room."""
    if rng.random() < (0.2 if wild else 0.12):
        near = colours[rng.integers(len(colours))] * rng.uniform(0.85, 1.15)
        worn.colours[[SHIRT, TROUSERS, TUBE]] = np.clip(near, 0.01, 0.97)


def _put_on(
    scene: Scene,
    person: Person,
    worn: Outfit,
    first: int,
    rows: np.ndarray,
    colours: np.ndarray,
    rest: np.ndarray,
) -> None:
    """Colours, rows and places on the body at rest of one person's vertices and faces."""
    span, model = scene.person_vertices[person.id], body_model()
    faces = np.flatnonzero(scene.instances == person.id)
    body, around = faces[: len(model.faces)], faces[len(model.faces) :]
    skin = slice(span.start, span.start + model.num_vertices)
    colours[skin] = worn.colours[worn.labels]
    colours[skin.stop : span.stop] = worn.colours[TUBE]
    rest[skin] = person.body.shape.vertices
    # A tube has no place on the body: where it is, seen from the person.
    rest[skin.stop : span.stop] = (scene.vertices[skin.stop : span.stop] - [*person.place, 0.8]) @ person.body.axes
    # A face shows what two of its corners show.
    corners = np.sort(worn.labels[model.faces], axis=1)
    rows[body], rows[around] = first + corners[:, 1], first + TUBE


def _cover_clothes(covers: Cover, first: int, worn: Outfit, rng: np.random.Generator) -> None:
    shirt = rng.random() < 0.45
    for label in LABELS:
        row, colour = first + label, worn.colours[label]
        if label in (BARE, MASK, GLOVE, SHOES, HAIR):
            covers.patterns[row] = _CREASES[rng.integers(len(_CREASES))]
            covers.second[row] = covers.third[row] = np.clip(colour * rng.uniform(0.5, 1.5), 0, 1)
            covers.strength[row], covers.period[row] = rng.uniform(0, 0.6 if label == HAIR else 0.25), 0.25
            continue
        if shirt if label != TUBE else shirt or rng.random() < 0.2:
            if rng.random() < 0.8 or label == TUBE:
                covers.draw(row, rng, colour, _FABRICS, (0.08, 0.9))
        covers.creases[row] = rng.uniform(0.02, 0.4)
