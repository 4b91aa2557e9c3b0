"""One page about an adaptation: a verdict, a table, pictures before and after. Nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.adaptation.agreement import FrameLabels
from orplugins.adaptation.criterion import Verdict
from orplugins.adaptation.fusion import Detections
from orplugins.io.atomic import atomic_write
from orplugins.viz.overlay import draw_pose

_ROWS = (
    ("consensus", "finds alone what views and neighbouring frames agree on, AP"),
    ("agreement", "agrees with itself about other sizes and mirror images"),
    ("still", "share of sure detections at places that never change"),
    ("people", "sure detections a frame"),
    ("room", "AP on generated rooms"),
)
_WIDTH, _SURE = 420, 0.5
_GREY, _YELLOW = (150, 150, 150), (0, 220, 255)
_NOBODY = np.zeros((17, 3))  # to draw a box alone
_PAGE = """<!doctype html><meta charset="utf-8"><title>Adaptation</title><style>
body {{font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 1340px; padding: 0 1em}} td, th {{padding: .2em .8em;
text-align: right; border-bottom: 1px solid #ccc}} td:first-child, th:first-child {{text-align: left}}
img {{width: 32.5%}} pre {{background: #f2f2f2; padding: .8em; white-space: pre-wrap}} h1 {{color: {colour}}}</style>
<h1>{title}</h1><p>{summary}</p><ul>{reasons}</ul>
<table><tr><th>evidence without labels, held-out frames</th>{head}</tr>
{rows}</table><h2>How to use the weights</h2><pre>{usage}</pre>
<h2>Held-out frames: before, what was agreed on, after</h2><p>White: score of 0.5 and more (grey: of 0.3). Middle:
labels in yellow, in grey what is neither person nor background.</p>{pictures}
"""


@dataclass(frozen=True)
class Panel:
    """A frame of the report.

    Attributes:
        name: The frame's file.
        picture: (H, W, 3) uint8 BGR.
        before: People that the first network finds.
        labels: What was agreed on.
        after: People that the adapted network finds.
    """

    name: str
    picture: np.ndarray
    before: Detections
    labels: FrameLabels
    after: Detections


def write_report(path: Path, facts: dict, panels: Sequence[Panel], usage: str) -> None:
    """Write the page.

    Args:
        path: The file.
        facts: Content of ``adaptation.json``.
        panels: Frames to show.
        usage: A command.
    """
    better, rounds = facts["recommended"], facts["rounds"]
    shown = next((each for each in reversed(rounds) if each["better"]), rounds[0])
    head = "".join(f"<th>round {k}: before</th><th>after</th>" for k in range(1, len(rounds) + 1))
    rows = "\n".join(
        f"<tr><td>{text}</td>"
        + "".join(f"<td>{_cell(name, each['before'])}</td><td>{_cell(name, each['after'])}</td>" for each in rounds)
        + "</tr>"
        for name, text in _ROWS
    )
    summary = (
        f"{facts['method']}, {facts['frames']} frames: {facts['people_labelled']} labels of people, "
        f"{facts['filled_in']} of them filled in between frames, {facts['unsure']} unsure regions left out."
    )
    page = _PAGE.format(
        colour="#197a3c" if better else "#b3261e",
        title="Adapted weights are recommended" if better else "Keep the weights that you had",
        summary=html.escape(summary),
        reasons="".join(f"<li>{html.escape(reason)}</li>" for reason in shown["reasons"]),
        head=head,
        rows=rows,
        usage=html.escape(usage if better else "The adapted weights are not better: they are kept for a look only."),
        pictures="".join(_pictures(panel) for panel in panels),
    )
    with atomic_write(path) as file:
        file.write(page)


def card(name: str, facts: dict, verdict: Verdict, usage: str) -> str:
    """A Markdown page about the weights.

    Args:
        name: Of the file.
        facts: Content of ``adaptation.json``.
        verdict: About these weights.
        usage: A command.

    Returns:
        The page.
    """
    told = ("method", "config", "teacher", "size", "frames", "people_labelled", "seed")
    rows = "\n".join(f"| {key.replace('_', ' ')} | {facts[key]} |" for key in told if key in facts)
    reasons = "\n".join(f"- {reason}" for reason in verdict.reasons)
    title = "recommended" if verdict.better else "NOT recommended"
    return f"# {name}\n\n| | |\n|---|---|\n{rows}\n\n{title}:\n\n{reasons}\n\n```bash\n{usage}\n```\n"


def _cell(name: str, evidence: dict) -> str:
    return f"{evidence[name]:.2f}" if name == "people" else f"{100 * evidence[name]:.1f} %"


def _pictures(panel: Panel) -> str:
    middle = _enlarged(panel.picture)
    scale = middle.shape[1] / panel.picture.shape[1]
    for boxes, colour in ((panel.labels.unsure, _GREY), (panel.labels.people.boxes, _YELLOW)):
        for box in boxes:
            draw_pose(middle, _NOBODY, "coco", box * scale, colour)
    images = (_people(panel.picture, panel.before), middle, _people(panel.picture, panel.after))
    return f"<p>{html.escape(panel.name)}<br>" + " ".join(map(_embedded, images)) + "</p>"


def _people(picture: np.ndarray, people: Detections) -> np.ndarray:
    drawn = _enlarged(picture)
    scale = drawn.shape[1] / picture.shape[1]
    for box, score, joints in zip(people.boxes, people.scores, people.keypoints, strict=True):
        if score >= _SURE:
            draw_pose(drawn, joints * (scale, scale, 1), "coco", box * scale)
        elif score >= 0.3:
            draw_pose(drawn, _NOBODY, "coco", box * scale, _GREY)
    return drawn


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3), `_WIDTH` wide."""
    from PIL import Image

    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    return np.array(Image.fromarray(picture).resize((_WIDTH, height), Image.Resampling.BILINEAR))


def _embedded(picture: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture[..., ::-1])).save(file, "PNG")
    return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'
