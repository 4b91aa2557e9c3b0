"""A session folder as Pose2Sim lays it out: a calibration, a folder of OpenPose's JSON a camera, settings in TOML.

Of the settings those are used that mean something here: the frame rate, how long a gap is filled, how smooth motion is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orplugins.io.calibration import read_rig
from orplugins.io.calibration.parse import parse
from orplugins.io.images import natural_key
from orplugins.multiview.pipeline import RigSettings, reconstruct_rig

_CONFIG = "Config.toml"
# Where 2D poses are looked for, in this order; the empty name is the session itself.
_POSES = ("pose-sync", "pose", "")
_FPS = 60.0  # of a session that does not say it
_OUT = "pose-3d"


@dataclass(frozen=True)
class Session:
    """What a session folder holds.

    Attributes:
        rig: Its calibration.
        views: A folder of 2D poses a camera, in order of their names.
        fps: Frames a second, None where it is not said.
        fill_s: Gaps that are filled, seconds; 0: none.
        smooth_hz: Cut-off of the low-pass filter; 0: none.
        notes: What was taken for granted.
    """

    rig: Path
    views: tuple[Path, ...]
    fps: float | None
    fill_s: float
    smooth_hz: float
    notes: tuple[str, ...]


def read_session(folder: str | os.PathLike, rig: str | os.PathLike | None = None) -> Session:
    """Find calibration, views and settings of a session.

    Args:
        folder: The session; a trial's calibration and settings may lie in the folder above it.
        rig: The calibration, where it lies elsewhere.

    Returns:
        What is there.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: No calibration, or several; no views, or several takes; settings that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected a session (calibration/, pose/, {_CONFIG})")
    found = Path(rig) if rig else _calibration(folder)
    views, notes = _views(folder), []
    config = next((path for path in (folder / _CONFIG, folder.parent / _CONFIG) if path.is_file()), None)
    content = parse(config) if config else {}
    rate = _value(content, ("project", "frame_rate"))
    fps = float(rate) if isinstance(rate, int | float) and not isinstance(rate, bool) else None
    if fps is not None and not 0 < fps < 100_000:
        raise ValueError(f"{config}: project.frame_rate is {rate}, expected frames a second above 0")
    if _value(content, ("project", "multi_person")) is False:
        notes.append(f"{config}: multi_person is false; everybody is followed all the same")
    gap = _amount(content, ("triangulation", "interp_if_gap_smaller_than"), config)
    filled = gap / (fps or _FPS) if _value(content, ("triangulation", "interpolation")) != "none" else 0.0
    smooth = 0.0
    if (
        _value(content, ("filtering", "type")) == "butterworth"
        and _value(content, ("filtering", "filter")) is not False
    ):
        smooth = _amount(content, ("filtering", "butterworth", "cut_off_frequency"), config)
    return Session(found, tuple(views), fps, filled, smooth, tuple(notes))


def triangulate_session(
    folder: str | os.PathLike,
    out: Path | None = None,
    rig: str | os.PathLike | None = None,
    fps: float | None = None,
    c3d: bool = False,
    pictures: int = 0,
    keep_implausible: bool = False,
):
    """Reconstruct the people of a session and follow them; see `orplugins.multiview.pipeline.reconstruct_rig`.

    Args:
        folder: The session.
        out: Where files are written; None: ``pose-3d`` in the session.
        rig: The calibration, where it lies elsewhere.
        fps: Frames a second; None: the session's.
        c3d: Write C3D files, too.
        pictures: Frames to draw.
        keep_implausible: Write what cannot be believed, too.

    Returns:
        What was found, and the folder that it was written to.

    Raises:
        FileNotFoundError, ValueError: See `read_session` and `reconstruct_rig`.
    """
    session = read_session(folder, rig)
    out = Path(out) if out else Path(folder) / _OUT
    notes = list(session.notes)
    if fps is None and session.fps is None:
        notes.append(f"frames a second are not said: taken to be {_FPS:g} (--fps)")
    rate = fps or session.fps or _FPS
    cameras = len(read_rig(session.rig).cameras)
    if cameras != len(session.views):
        raise ValueError(
            f"{session.rig}: {cameras} cameras, but {len(session.views)} views: "
            f"{', '.join(view.name for view in session.views)}"
        )
    found = reconstruct_rig(
        RigSettings(
            session.rig,
            tuple(map(str, session.views)),
            out,
            rate,
            pictures,
            keep_implausible=keep_implausible,
            track=session.fill_s,
            smooth=min(session.smooth_hz, 0.45 * rate),
            c3d=c3d,
        )
    )
    return replace(found, warnings=(*notes, *found.warnings)), out


def _calibration(folder: Path) -> Path:
    """The session's calibration, else that of the folder above it: Pose2Sim's TOML first, other forms next."""
    for base in (folder, folder.parent):
        places = [base, *sorted(p for p in base.glob("*") if p.is_dir() and p.name.lower().startswith("calib"))]
        files = [p for place in places for p in sorted(place.glob("*")) if p.is_file()]
        named = [p for p in files if p.name.lower().startswith(("calib", "rig")) or p.name.endswith(".qca.txt")]
        for wanted in (".toml", ".qca.txt", ".json", ".yaml", ".yml", ".xml"):
            fitting = [p for p in named if p.name.lower().endswith(wanted)]
            if len(fitting) > 1:
                names = ", ".join(p.name for p in fitting)
                raise ValueError(f"{folder}: calibrations {names}, expected one: say it (--rig FILE)")
            if fitting:
                return fitting[0]
    raise ValueError(
        f"{folder}: no calibration (Calib*.toml, *.qca.txt, rig.json) in it or in its folder calibration/, expected "
        "one: say it (--rig FILE)"
    )


def _views(folder: Path) -> list[Path]:
    for name in _POSES:
        found = _json_folders(folder / name)
        if len(found) > 1:
            return found
    takes = [take for take in sorted(p for p in folder.glob("*") if p.is_dir()) if len(_json_folders(take)) > 1]
    if len(takes) == 1:
        return _json_folders(takes[0])
    if takes:
        raise ValueError(f"{folder}: takes {', '.join(t.name for t in takes)}, expected one: give its own folder")
    raise ValueError(f"{folder}: no folders of 2D poses (pose/cam01_json, pose/cam02_json, ...), expected two or more")


def _json_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    inside = [p for p in folder.glob("*_json") if p.is_dir()]
    return sorted(inside, key=lambda p: natural_key(p.name))


def _value(content: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _amount(content: Any, keys: Sequence[str], config: Path | None) -> float:
    value = _value(content, keys)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10_000:
        raise ValueError(f"{config}: {'.'.join(keys)} is {str(value)[:40]!r}, expected a number of 0 or more")
    return float(value)
