"""Graphs that are traced, because what is in an image decides their shapes: R-CNNs, whose people are any number."""

from __future__ import annotations

from orplugins.export.plan import Plan

# Parts of the names of the nodes that take the time; others reckon with coordinates, for which 16 bits are too few.
HEAVY = ("/backbone/", "/rpn_head/conv", "/box_head/")


class TracedPlan(Plan):
    """The export of a network that takes one picture of any size and finds any number of people.

    Args:
        outputs: Names of what it gives, an entry a person each.
    """

    heavy, traced = HEAVY, True

    def __init__(self, outputs: tuple[str, ...]):
        self.outputs = outputs
        self.dynamic = {"image": {2: "height", 3: "width"}, **{name: {0: "people"} for name in outputs}}
