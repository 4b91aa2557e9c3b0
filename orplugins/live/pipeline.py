"""The pipeline: capture and pairing, network, association, refinement, tracking, output; a thread each."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.live.capture import Capture, InStep
from orplugins.live.clock import Clocks
from orplugins.live.events import Event, Events
from orplugins.live.frames import Frame, Source
from orplugins.live.latency import Latency
from orplugins.live.messages import event_record, moment_record, start_record
from orplugins.live.moment import Moment, Network, Room
from orplugins.live.outputs import Output, Outputs
from orplugins.live.pairing import Pairing, Together
from orplugins.live.stages import NewestQueue, Stage
from orplugins.skeletons import COCO_17
from orplugins.structures import Poses2D
from orplugins.tracking.one_euro import OneEuroRules, OneEuroTracks
from orplugins.tracking.people2d import PeopleTracker2D

STAGES = ("pairing", "network", "association", "refinement", "tracking", "output", "waiting", "total")
_FIRST = 8  # images of a camera: if the network refuses all of them, it is not the images' fault
_LOOK = 0.05  # seconds between two looks at the cameras


@dataclass(frozen=True)
class LiveRules:
    """How a run works.

    Attributes:
        tolerance: Greatest difference of the times of one moment's frames, seconds.
        stall: A camera without a frame for so many seconds has stalled, and is not waited for.
        wait: A moment waits for a camera's frame for so many seconds at most.
        workers: Images that go through the network at once.
        every_frame: Drop nothing and wait for nothing, as befits a recording.
        smooth: One-euro filter of joints in 3D, whose beta is for metres a second; None: none. In images it counts a
            person's size for a metre.
        seconds: The run ends after so many; infinity: not by itself.
        kind: What the network looks at, ``"color"`` or ``"depth"``, where it does not say.

    Raises:
        ValueError: A number out of its range.
    """

    tolerance: float = 0.02
    stall: float = 1.0
    wait: float = 0.15
    workers: int = 1
    every_frame: bool = False
    smooth: OneEuroRules | None = None
    seconds: float = math.inf
    kind: str | None = None

    def __post_init__(self):
        for name in ("tolerance", "stall", "wait", "seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: found {getattr(self, name)}, expected seconds above 0")
        if self.workers < 1:
            raise ValueError(f"workers: found {self.workers}, expected 1 or more")
        if self.kind not in (None, "color", "depth"):
            raise ValueError(f"kind: found {self.kind!r}, expected 'color' or 'depth'")


@dataclass(frozen=True)
class LiveReport:
    """What a run did.

    Attributes:
        seconds: How long it took.
        moments: That left the last stage.
        frames: {camera: frames that came}.
        dropped: {where: how many were dropped there, in favour of newer ones}.
        latency: See `orplugins.live.latency.Latency.table`.
        events: See `orplugins.live.events.Events.summary`.
        clocks: {camera: seconds by which its clock is ahead of the first one's}.
        failures: Broken frames and the like: a run with some is no success.
    """

    seconds: float
    moments: int
    frames: dict[str, int]
    dropped: dict[str, int]
    latency: dict[str, dict[str, float]]
    events: dict[str, dict[str, int]] = field(default_factory=dict)
    clocks: dict[str, float] = field(default_factory=dict)
    failures: int = 0

    def record(self) -> dict[str, Any]:
        """As the last line of the output."""
        return {"type": "end", **{name: getattr(self, name) for name in self.__dataclass_fields__}}


class Live:
    """A run.

    Args:
        sources: The cameras.
        network: Finds people in an image.
        room: Places them in 3D; None: people in images only.
        outputs: Where they go.
        rules: How it works; None: the defaults.
        places: {camera: (3,) its place in the room}, for the viewer.
        up: (3,) the room's vertical.
        room_of: Makes a room of a single camera that knows its own lens, where `room` is None; its axes are the
            camera's.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        network: Network,
        room: Room | None = None,
        outputs: Sequence[Output] = (),
        rules: LiveRules | None = None,
        places: Mapping[str, Sequence[float]] | None = None,
        up: Sequence[float] | np.ndarray = (0.0, 0.0, 1.0),
        room_of: Callable[[Mapping[str, Camera]], Room] | None = None,
    ):
        self.sources, self.network, self.room = list(sources), network, room
        self.rules = rules or LiveRules()
        self.kind = getattr(network, "kind", None) or self.rules.kind or "color"
        self.latency = Latency()
        self.events = Events(self._tell)
        self._outputs = Outputs(list(outputs), self._output_failed)
        self._places, self._up, self._room_of = dict(places or {}), np.asarray(up, dtype=np.float64), room_of
        names = [source.name for source in self.sources]
        self._pairing: Pairing[Frame] = Pairing(names, self.rules.tolerance)
        self._clocks = Clocks({source.name: source.clock for source in self.sources})
        self._lock = threading.Lock()
        keep = self.rules.every_frame
        self._moments: NewestQueue[Moment] = NewestQueue(1, keep)
        self._queues = [NewestQueue[Moment](2, keep) for _ in range(4)]
        self._error: BaseException | None = None
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._count, self._start, self._finished = 0, 0.0, 0
        self._refused = dict.fromkeys(names, 0)
        self._accepted = dict.fromkeys(names, 0)
        self._trackers = {name: PeopleTracker2D() for name in names}
        self._smooth_room = OneEuroTracks(self.rules.smooth) if self.rules.smooth else None
        self._smooth_images = {name: OneEuroTracks(self.rules.smooth) for name in names if self.rules.smooth}
        self._stalled: set[str] = set()
        self._pool = ThreadPoolExecutor(self.rules.workers) if self.rules.workers > 1 else None

    # ---- a run from outside

    def stop(self) -> None:
        """End the run; what is in the queues is still worked on."""
        self._stopping.set()

    def run(self) -> LiveReport:
        """Open the cameras, work until all have ended or `stop` is called, and say what happened.

        Returns:
            The report.

        Raises:
            OSError, ValueError, ImportError: A source that cannot be opened, or gives other images than the network
                takes; an output that cannot be opened. In one line, before any work.
        """
        opened: list[Source] = []
        began = time.perf_counter()
        try:
            for source in self.sources:
                source.open()
                opened.append(source)
                check_fits(source, self.network, self.kind)
                check_lens(source, self.kind, getattr(self.room, "cameras", {}).get(source.name))
            self._own_room()
            self._outputs.open()
            for note in [note for source in self.sources for note in source.notes]:
                self.events.add("note", "", note, always=True)
            self._outputs.write(start_record(self._described(), self._skeleton(), self.room is not None, self._up))
            self._work(began)
        finally:
            for source in opened:
                source.close()
            report = self._report(time.perf_counter() - began)
            self._outputs.close(report.record() if self._error is None else None)
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
        if self._error is not None:
            raise self._error
        # Closing writes files, which may fail as well.
        return replace(report, events=self.events.summary(), failures=self.events.failures)

    def _work(self, began: float) -> None:
        names = [source.name for source in self.sources]
        in_step = InStep(names) if self.rules.every_frame else None
        captures = [Capture(s, self._accept, self._ended, self.events, self._failed, in_step) for s in self.sources]

        def weight(moment: Moment) -> int:
            return len(moment.frames)

        works = (self._see, self._associate, self._refine, self._track, self._output)
        inboxes = [self._moments, *self._queues]
        stages = [
            Stage(name, work, inbox, outbox, self._note, self._failed, weight)
            for name, work, inbox, outbox in zip(STAGES[1:6], works, inboxes, [*self._queues, None], strict=True)
        ]
        self._captures = captures
        for thread in [*(stage.thread for stage in stages), *(capture.thread for capture in captures)]:
            thread.start()
        try:
            while stages[-1].thread.is_alive() and not (self._stopping.is_set() or self._wake.wait(_LOOK)):
                self._look(captures)
                if time.perf_counter() - began > self.rules.seconds:
                    break
        except KeyboardInterrupt:
            self._stopping.set()  # how a run of devices ends: what is on its way is still written
        finally:
            for capture in captures:
                capture.stop()
            if self._error is not None:
                for queue in inboxes:
                    queue.close()
            for capture in captures:
                capture.thread.join(3.0)  # a driver that hangs is left behind: its thread is a daemon
            self._moments.close()
            for stage in stages:
                stage.thread.join(30.0)

    # ---- capture: called from the cameras' threads

    def _accept(self, frame: Frame) -> None:
        with self._lock:
            camera = frame.camera
            if camera in self._stalled:
                self._stalled.discard(camera)
                self.events.add("running again", camera, always=True)
            arrival = frame.time if self.rules.every_frame else frame.arrival
            common, jump = self._clocks.step(camera, frame.time, arrival)
            if jump is not None:
                self.events.add("clock jumped", camera, str(jump), always=True)
                self._pairing.reset(camera)
            missing = frame.problem is None and frame.image(self.kind) is None
            if missing or frame.problem is not None:
                self.events.add("broken frame", camera, frame.problem or f"{frame.name}: no {self.kind} image")
                self._emit(self._pairing.skip(camera, common))
            else:
                self._emit(self._pairing.push(camera, common, frame))

    def _ended(self, camera: str) -> None:
        with self._lock:
            self._emit(self._pairing.stop(camera))
            if all(capture.finished for capture in self._captures):
                self._moments.close()

    def _emit(self, ready: Sequence[Together[Frame]]) -> None:
        for together in ready:
            if not self._count:
                self._start = together.time
            moment = Moment(self._count, together.time, together.frames, together.spread)
            self._count += 1
            first = min(frame.arrival for frame in together.frames.values())
            self._note(moment, "pairing", moment.captured - first)
            moment.captured = first
            self._moments.put(moment, len(moment.frames))

    def _look(self, captures: Sequence[Capture]) -> None:
        """Do not wait for cameras from which nothing comes."""
        if self.rules.every_frame:
            return
        now = time.perf_counter()
        for capture in captures:
            late = now - capture.last_frame > self.rules.stall
            if (late or capture.lost_since is not None) and not capture.finished:
                with self._lock:
                    if capture.name not in self._stalled and capture.lost_since is None:
                        self._stalled.add(capture.name)
                        self.events.add("stalled", capture.name, f"no frame for {self.rules.stall:g} s", always=True)
                    self._emit(self._pairing.stop(capture.name))
        with self._lock:
            self._emit(self._pairing.overdue(now - self.rules.wait))

    # ---- stages

    def _see(self, moment: Moment) -> None:
        frames = list(moment.frames.values())
        found = list(self._pool.map(self._people, frames)) if self._pool else [self._people(f) for f in frames]
        moment.people = {
            frame.camera: people for frame, people in zip(frames, found, strict=True) if people is not None
        }

    def _people(self, frame: Frame) -> Poses2D | None:
        image = frame.image(self.kind)
        assert image is not None  # frames without were left out
        try:
            people = self.network(image)
        except ValueError as error:
            self._refused[frame.camera] += 1
            if self._refused[frame.camera] >= _FIRST and not self._accepted[frame.camera]:
                raise ValueError(f"{frame.camera}: the network takes none of its images: {error}") from None
            self.events.add("network failed", frame.camera, str(error))
            return None
        self._accepted[frame.camera] += 1
        return people if people.size is not None else replace(people, size=image.shape[1::-1])

    def _associate(self, moment: Moment) -> None:
        if self.room is not None and moment.people:
            moment.placed = self.room.associate(moment.people)

    def _refine(self, moment: Moment) -> None:
        if self.room is not None and moment.placed is not None:
            depth = {name: frame.depth for name, frame in moment.frames.items() if frame.depth is not None}
            moment.placed = self.room.refine(moment.placed, moment.people, depth)
        for frame in moment.frames.values():
            frame.color = frame.depth = None  # nobody needs the images any more: queues stay small

    def _track(self, moment: Moment) -> None:
        for name, poses in moment.people.items():
            tracks = self._trackers[name].step(moment.time, poses.keypoints)
            moment.tracks[name] = tracks
            if self.rules.smooth is not None and len(tracks):
                moment.people[name] = self._calm(name, moment.time, tracks, poses)
        if self.room is None or moment.placed is None:
            return
        moment.room_tracks = self.room.follow(moment.time, moment.placed)
        if self._smooth_room is not None:
            points = self._smooth_room.step(moment.time, moment.room_tracks, moment.placed.points)
            moment.placed = replace(moment.placed, points=points)

    def _calm(self, name: str, when: float, tracks: np.ndarray, poses: Poses2D) -> Poses2D:
        """People of an image, smoothed in units of their sizes: beta means the same in images and in the room."""
        keypoints = poses.keypoints.copy()
        low, high = np.nanmin(keypoints[..., :2], 1), np.nanmax(keypoints[..., :2], 1)
        size = np.maximum(np.sqrt(np.prod(high - low, -1)), 8.0)[:, None, None]
        keypoints[..., :2] = self._smooth_images[name].step(when, tracks, keypoints[..., :2] / size) * size
        return replace(poses, keypoints=keypoints)

    def _output(self, moment: Moment) -> None:
        total = time.perf_counter() - moment.captured
        self._note(moment, "waiting", total - sum(moment.latency_ms.values()) / 1000)
        self._note(moment, "total", total)
        self._outputs.write(moment_record(moment, self._start))
        self._finished += 1

    def _note(self, moment: Moment, stage: str, seconds: float) -> None:
        self.latency.add(stage, seconds)
        moment.latency_ms[stage] = 1000 * seconds

    # ---- what happened

    def _failed(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self._wake.set()

    def _tell(self, event: Event) -> None:
        self._outputs.write(event_record(event))

    def _output_failed(self, name: str, error: Exception) -> None:
        self.events.add("output failed", "", f"{name}: {error}", always=True)

    def _skeleton(self):
        return getattr(self.network, "skeleton", None) or COCO_17

    def _own_room(self) -> None:
        """A single camera with depth needs no calibration of others."""
        if self.room is None and self._room_of is not None and len(self.sources) == 1:
            source = self.sources[0]
            if source.camera is not None and "depth" in source.sizes:
                self.room = self._room_of({source.name: source.camera})
                self._places, self._up = {source.name: (0.0, 0.0, 0.0)}, np.array([0.0, -1.0, 0.0])

    def _described(self) -> dict[str, dict[str, Any]]:
        out = {}
        for source in self.sources:
            place = self._places.get(source.name)
            size = source.sizes.get(self.kind)
            out[source.name] = {
                "size": list(size) if size else None,
                "clock": source.clock,
                "place": [round(float(value), 4) for value in place] if place is not None else None,
            }
        return out

    def _report(self, seconds: float) -> LiveReport:
        dropped = {"pairing": sum(self._pairing.dropped.values())}
        for name, queue in zip(STAGES[1:6], [self._moments, *self._queues], strict=True):
            dropped[f"before {name}"] = queue.dropped
        skipped = sum(getattr(source, "skipped", 0) for source in self.sources)
        return LiveReport(
            round(seconds, 3),
            self._finished,
            {capture.name: capture.frames for capture in getattr(self, "_captures", [])},
            {**dropped, "not read": skipped},
            self.latency.table(STAGES),
            self.events.summary(),
            self._clocks.apart(),
            self.events.failures,
        )


def check_fits(source: Source, network: Network, kind: str) -> None:
    """Refuse a source whose images the network does not take.

    Args:
        source: Open.
        network: Its metadata, where it has any, say which size it takes.
        kind: ``"color"`` or ``"depth"``.

    Raises:
        ValueError: Other images, or of another size.
    """
    if source.sizes and kind not in source.sizes:
        found = " and ".join(source.sizes)
        raise ValueError(f"{source.name}: gives {found} images, the network takes {kind}")
    wanted = getattr(getattr(getattr(network, "metadata", None), "input", None), "frame", None)
    found_size = source.sizes.get(kind)
    if wanted is not None and found_size is not None and tuple(found_size) != tuple(wanted):
        (w, h), (ww, wh) = found_size, wanted
        raise ValueError(f"{source.name}: images of {w}x{h} pixels, the model's metadata say {ww}x{wh}")


def check_lens(source: Source, kind: str, camera: Camera | None) -> None:
    """Refuse a source whose images are not the calibration's: another resolution of the same view is none other.

    Args:
        source: Open.
        kind: ``"color"`` or ``"depth"``.
        camera: Its calibration, None without.

    Raises:
        ValueError: Images of another shape.
    """
    size = source.sizes.get(kind)
    if camera is None or size is None:
        return
    if abs(size[0] * camera.size[1] / (size[1] * camera.size[0]) - 1) > 0.01:
        (w, h), (cw, ch) = size, camera.size
        raise ValueError(f"{source.name}: images of {w}x{h} pixels, its calibration is of {cw}x{ch}: another view")
