"""The job of ``orplugins live``: sources, a model file, a calibration and outputs by their names."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.calibration import read_rig
from orplugins.io.tables import markdown_table
from orplugins.live.files import FilesOutput
from orplugins.live.frames import Source
from orplugins.live.moment import Network, Room
from orplugins.live.outputs import CallOutput, LineOutput, Output, UdpOutput
from orplugins.live.pipeline import Live, LiveReport, LiveRules
from orplugins.live.replay import Pace
from orplugins.live.server import ViewerOutput
from orplugins.live.sources import find_live_sources
from orplugins.structures import Rig
from orplugins.tracking.one_euro import OneEuroRules

RoomOf = Callable[[Mapping[str, Camera]], Room]


@dataclass(frozen=True)
class LiveSettings:
    """What :func:`live` works on.

    Attributes:
        sources: One a camera, see `orplugins.live.sources`.
        model: A file that ``orplugins export`` wrote.
        rig: Calibration of the cameras, whose names or order are those of the sources.
        out: Folder for files; None: none.
        serve: [HOST:]PORT of the viewer; None: none.
        udp: [HOST:]PORT that datagrams are sent to; None: none.
        quiet: No records on standard output.
        fps: Frames a second of recordings that do not say, and what devices are asked for.
        speed: Of recordings.
        every_frame: Take every frame of recordings, as fast as they can be worked on.
        depth_unit_mm: Millimetres a count of folders of depth images.
        tolerance_ms: See `orplugins.live.pipeline.LiveRules`.
        stall: See there.
        seconds: See there; 0: no end.
        smooth: Cut-off of the one-euro filter for what stands still, Hz; 0: none.
        workers: Images that go through the network at once.
        threads: Of one run of the network.
        engine: ``"onnxruntime"`` or ``"openvino"``.
    """

    sources: tuple[str, ...]
    model: str
    rig: str | None = None
    out: Path | None = None
    serve: str | None = None
    udp: str | None = None
    quiet: bool = False
    fps: float | None = None
    speed: float = 1.0
    every_frame: bool = False
    depth_unit_mm: float = 1.0
    tolerance_ms: float = 20.0
    stall: float = 1.0
    seconds: float = 0.0
    smooth: float = 0.0
    workers: int = 1
    threads: int = 1
    engine: str = "onnxruntime"

    def rules(self) -> LiveRules:
        """The run's rules."""
        return LiveRules(
            tolerance=self.tolerance_ms / 1000,
            stall=self.stall,
            workers=self.workers,
            every_frame=self.every_frame,
            smooth=OneEuroRules(self.smooth) if self.smooth else None,
            seconds=self.seconds or math.inf,
        )


def live(settings: LiveSettings, room_of: RoomOf, lines: TextIO | None = None) -> LiveReport:
    """Run until the recordings end, the time is over, or Ctrl-C.

    Args:
        settings: Sources, model, outputs.
        room_of: Makes what places people in 3D, of {camera: calibration}.
        lines: Where records go as lines; None: standard output.

    Returns:
        What happened.

    Raises:
        OSError, ValueError, ImportError: What cannot be opened, read or fitted together; in one line, before the work
            starts.
    """
    rules = settings.rules()
    pace = Pace(math.inf if settings.every_frame else settings.speed)
    sources = find_live_sources(settings.sources, pace, settings.fps, settings.depth_unit_mm)
    if settings.every_frame and any(source.live for source in sources):
        raise ValueError("--every-frame: a device's frames cannot wait, expected recordings")
    rig = read_rig(settings.rig) if settings.rig else None
    cameras = by_name(sources, rig, settings.rig or "")
    up = rig.up if rig is not None and rig.up is not None else np.array([0.0, 0.0, 1.0])
    run = Live(
        sources,
        load_network(settings.model, settings.threads, settings.engine),
        room_of(cameras) if cameras else None,
        outputs_of(settings, up, lines or sys.stdout),
        rules,
        {name: camera.pose[:3, 3].tolist() for name, camera in cameras.items()},
        up,
        None if cameras else room_of,
    )
    restore = None
    if threading.current_thread() is threading.main_thread():
        restore = signal.signal(signal.SIGTERM, lambda *_: run.stop())  # a service manager's way to say enough
    try:
        return run.run()
    finally:
        if restore is not None:
            signal.signal(signal.SIGTERM, restore)


def load_network(path: str, threads: int, engine: str) -> Network:
    """A model file as a network on images.

    Args:
        path: The file.
        threads: See `LiveSettings`.
        engine: See `LiveSettings`.

    Returns:
        The network.

    Raises:
        FileNotFoundError, ValueError, ImportError: See `orplugins.deploy.load`; or a model that takes no images.
    """
    from orplugins.deploy import Pose, load

    model = load(path, threads, engine)
    if not isinstance(model, Pose):
        raise ValueError(f"{path}: a model of {model.metadata.input.kind}, expected one that takes images")
    return model


def by_name(sources: list[Source], rig: Rig | None, path: str) -> dict[str, Camera]:
    """Cameras of a calibration by the names of the sources: by name, or in order where no name agrees.

    Args:
        sources: The sources.
        rig: The calibration; None: none.
        path: Its file, for errors.

    Returns:
        {source: camera}.

    Raises:
        ValueError: Names of which some agree, or another number of cameras.
    """
    if rig is None:
        return {}
    names = [source.name for source in sources]
    known = dict(zip(rig.names, rig.cameras, strict=True))
    shared = [name for name in names if name in known]
    if len(shared) == len(names):
        return {name: known[name] for name in names}
    if shared or len(names) != len(rig.cameras):
        raise ValueError(
            f"{path}: cameras {', '.join(rig.names)}, sources {', '.join(names)}: expected the same names, or as many"
        )
    return dict(zip(names, rig.cameras, strict=True))


def address(text: str, option: str, port: int) -> tuple[str, int]:
    """Read ``[HOST:]PORT``; without a host it is this machine alone.

    Args:
        text: What the user wrote; "" for all by default.
        option: Its name, for errors.
        port: Where none is given.

    Returns:
        Host and port.

    Raises:
        ValueError: No number.
    """
    host, _, number = text.rpartition(":")
    if number and not number.isdigit():
        raise ValueError(f"{option}: found {text!r}, expected [HOST:]PORT such as 127.0.0.1:{port}")
    return host.strip("[]") or "127.0.0.1", int(number) if number else port


def outputs_of(settings: LiveSettings, up: np.ndarray, lines: TextIO) -> list[Output]:
    """The outputs that settings ask for; events and the viewer's address also go to standard error."""
    outputs: list[Output] = [] if settings.quiet else [LineOutput(lines)]
    if settings.udp is not None:
        outputs.append(UdpOutput(*address(settings.udp, "--udp", 8766)))
    if settings.out is not None:
        outputs.append(FilesOutput(settings.out, up, settings.fps))
    viewer = None
    if settings.serve is not None:
        viewer = ViewerOutput(*address(settings.serve, "--serve", 8765))
        outputs.append(viewer)

    def say(record: dict) -> None:
        if record["type"] == "event":
            camera = f"{record['camera']}: " if record["camera"] else ""
            text = f": {record['text']}" if record["text"] else ""
            print(f"{camera}{record['what']}{text}", file=sys.stderr, flush=True)
        elif record["type"] == "start" and viewer is not None:
            print(f"viewer: {viewer.name}", file=sys.stderr, flush=True)

    return [*outputs, CallOutput(say)]


def summary(report: LiveReport) -> str:
    """What a run did, as text: latencies, frames, what was dropped, clocks."""
    rows = [
        [name, *(f"{values[key]:.1f}" for key in ("p50", "p99", "most")), str(int(values["count"]))]
        for name, values in report.latency.items()
    ]
    frames = ", ".join(f"{name} {count}" for name, count in report.frames.items())
    dropped = ", ".join(f"{where} {count}" for where, count in report.dropped.items() if count) or "none"
    text = [
        f"{report.seconds:.1f} s, {report.moments} moments; frames: {frames}; dropped: {dropped}",
        markdown_table(["stage", "p50 ms", "p99 ms", "most ms", "count"], rows) if rows else "",
    ]
    if len(report.clocks) > 1:
        apart = ", ".join(f"{name} {1000 * seconds:+.1f} ms" for name, seconds in list(report.clocks.items())[1:])
        text.append(f"clocks against {next(iter(report.clocks))}: {apart}")
    counts = [
        f"{camera or 'run'}: {what} {count}"
        for camera, events in report.events.items()
        for what, count in events.items()
    ]
    return "\n".join([part for part in [*text, "events: " + ", ".join(counts) if counts else ""] if part])
