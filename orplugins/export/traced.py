"""Graphs that are traced, because what is in an image decides their shapes: R-CNNs, whose people are any number."""

from __future__ import annotations

from orplugins.export.graph import write_trace
from orplugins.export.plan import Plan

# Parts of the names of the nodes that take the time; others reckon with coordinates, for which 16 bits are too few.
HEAVY = ("/backbone/", "/rpn_head/conv", "/box_head/")


class TracedPlan(Plan):
    """The export of a network that takes one picture of any size and finds any number of people.

    Args:
        outputs: Names of what it gives, an entry a person each.
    """

    heavy = HEAVY

    def __init__(self, outputs: tuple[str, ...]):
        self.outputs = outputs
        self.dynamic = {"image": {2: "height", 3: "width"}, **{name: {0: "people"} for name in outputs}}

    def write(self, path: str, opset: int) -> None:
        """Write the graph, without metadata; RoiAlign of half pixels came with opset 16."""
        if opset < 16:
            raise ValueError(f"opset: found {opset}, expected 16 or more for networks of detectron2")
        write_trace(self, path, opset)
