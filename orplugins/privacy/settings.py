"""What a user of hiding can choose."""

from __future__ import annotations

from dataclasses import asdict, dataclass

HEADS, PEOPLE, EVERYTHING = "heads", "people", "everything"
WHAT = (HEADS, PEOPLE, EVERYTHING)
REMOVE, PIXELATE, BLUR = "remove", "pixelate", "blur"
HOW = (REMOVE, PIXELATE, BLUR)
BLANK, MEDIAN = "blank", "median"
BACKGROUNDS = (BLANK, MEDIAN)
SMALL = (2.0, 64.0)  # factors by which copies may be smaller


@dataclass(frozen=True)
class HideSettings:
    """How people are hidden.

    Attributes:
        what: "heads", "people", or "everything" but skeletons.
        how: "remove" (one colour, or the background), "pixelate" or "blur".
        background: What is put in their place: "blank" (grey; a hole in depth), or the "median" of all moments at
            which a pixel showed nobody.
        margin: Factor of the sizes of what is hidden.
        threshold: Least score (mean over all passes) of somebody who is hidden.
        stills: The pictures of a folder are no frames of one recording.
        gap: Frames without a find that are filled between two.
        hold: Frames before the first and after the last find of somebody that are hidden, too.
        small: How many times smaller the sides of further, small copies are; None makes none.
        small_from: "hidden", or "original" for small copies of what nobody was hidden in.
        only_small: Write no copies of full size.
        rename: Number the recordings and their frames instead of keeping their names.
        depth_unit_mm: Millimetres a count of depth images.
        check: Least doubt of a frame that is listed to be looked at.

    Raises:
        ValueError: A value out of its range; it is named.
    """

    what: str = HEADS
    how: str = REMOVE
    background: str = BLANK
    margin: float = 1.0
    threshold: float = 0.05
    stills: bool = False
    gap: int = 12
    hold: int = 4
    small: float | None = None
    small_from: str = "hidden"
    only_small: bool = False
    rename: bool = False
    depth_unit_mm: float = 1.0
    check: float = 0.05

    def __post_init__(self):
        chosen = {"what": WHAT, "how": HOW, "background": BACKGROUNDS, "small_from": ("hidden", "original")}
        for name, known in chosen.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: found {getattr(self, name)!r}, expected one of {', '.join(known)}")
        ranges = {"margin": (0.5, 5), "threshold": (0, 1), "gap": (0, 10000), "hold": (0, 10000), "check": (0, 1)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}: found {getattr(self, name)}, expected {low} to {high}")
        if self.small is not None and not SMALL[0] <= self.small <= SMALL[1]:
            raise ValueError(f"small: found {self.small}, expected a factor of {SMALL[0]:g} to {SMALL[1]:g}")
        if not (0 < self.depth_unit_mm < 1000):
            raise ValueError(f"depth_unit_mm: found {self.depth_unit_mm}, expected millimetres above 0")
        if self.small is None and (self.only_small or self.small_from == "original"):
            raise ValueError("only_small and small_from 'original': expected a factor 'small', too")
        if self.background == MEDIAN and self.how != REMOVE:
            raise ValueError(f"background: found 'median' with how {self.how!r}, expected 'remove'")

    @property
    def needs_people(self) -> bool:
        """Whether anybody has to be found at all."""
        return not (self.only_small and self.small_from == "original")

    def record(self) -> dict:
        """JSON values."""
        return asdict(self)
