"""The pipeline on cameras with a script: people in 3D, cameras that fail, what is dropped, memory."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("filterpy", reason="pip install orplugins[live]")
from fake_devices import FakeCamera, FakeNetwork, Script, walkers

from orplugins.live.frames import Frame, Source
from orplugins.live.outputs import CallOutput, Output
from orplugins.live.pipeline import Live, LiveRules, check_fits, check_lens
from orplugins.multiview.online import LiveRoom
from orplugins.structures import Poses2D
from orplugins.tracking.one_euro import OneEuroRules

NAMES = ("cam1", "cam2", "cam3")
CAMERAS, DETECTIONS, WORLD = walkers(300, 3)


def room():
    return LiveRoom(dict(zip(NAMES, CAMERAS, strict=True)))


def cameras(scripts=None, **options):
    return [
        FakeCamera(name, k, (scripts or {}).get(name), **{"clock": "trigger", **options})
        for k, name in enumerate(NAMES)
    ]


def run(sources, network=None, place=None, **rules):
    records = []
    live = Live(sources, network or FakeNetwork(DETECTIONS), place, [CallOutput(records.append)], LiveRules(**rules))
    report = live.run()
    return report, records


def of(records, kind):
    return [record for record in records if record["type"] == kind]


class Recording(Source):
    """Frames that are there already."""

    live = False

    def __init__(self, name, frames):
        super().__init__(name, "recording")
        self._frames = frames

    def open(self):
        self.sizes = {"color": (16, 12)}

    def frames(self):
        yield from self._frames

    def close(self):
        pass


def recordings(count=60, lost=()):
    from fake_devices import coded

    return [
        Recording(
            name,
            [Frame(name, n, n / 15, color=coded(k, n), name=f"{n}.png") for n in range(count) if (name, n) not in lost],
        )
        for k, name in enumerate(NAMES)
    ]


def test_people_of_recordings_frame_by_frame():
    report, records = run(recordings(), place=room(), every_frame=True)
    moments = of(records, "people")
    assert [moment["moment"] for moment in moments] == list(range(60)) and report.moments == 60
    assert all(len(moment["cameras"]) == 3 for moment in moments) and not any(report.dropped.values())
    assert report.failures == 0 and records[-1]["type"] == "end"
    for n, moment in enumerate(moments):
        people = moment["people3d"]
        assert len(people) == 3 and moment["time"] == pytest.approx(n / 15, abs=1e-5)
        for person in people:
            points = np.array([row or [np.nan] * 3 for row in person["keypoints3d"]], dtype=float)
            far = np.nanmedian(np.linalg.norm(points - WORLD[n], axis=-1), axis=-1)
            assert np.nanmin(far) < 0.03  # metres
    assert {person["track"] for moment in moments[5:] for person in moment["people3d"]} == {0, 1, 2}
    assert {person["track"] for moment in moments[5:] for person in moment["cameras"]["cam2"]["people"]} == {0, 1, 2}


def test_a_run_is_repeatable():
    def people():
        _, records = run(recordings(20, {("cam2", 5), ("cam1", 9)}), place=room(), every_frame=True, workers=2)
        return [[moment["cameras"], moment["people3d"]] for moment in of(records, "people")]

    first = people()
    assert first == people() and [len(cameras) for cameras, _ in first].count(2) == 2


def test_smoothing():
    def jitter(smooth):
        _, records = run(recordings(60), place=room(), every_frame=True, smooth=smooth)
        tracks = {}
        for moment in of(records, "people")[5:]:
            for person in moment["people3d"]:
                tracks.setdefault(person["track"], []).append([row or [np.nan] * 3 for row in person["keypoints3d"]])
        return np.nanmean(
            [np.nanmean(np.abs(np.diff(np.array(rows, dtype=float), 2, axis=0))) for rows in tracks.values()]
        )

    assert jitter(OneEuroRules()) < 0.7 * jitter(None)


def test_devices_that_stall_break_and_leave():
    scripts = {
        "cam1": Script(end=75),
        "cam2": Script(stalls={20: 1.0}, broken=frozenset({5, 6}), jumps={60: 4.0}, end=75),
        "cam3": Script(lost={40: 0.6}, end=75),
    }
    report, records = run(cameras(scripts), place=room(), stall=0.5)
    events = report.events
    # On a busy machine any camera may seem to stall for a moment.
    busy = {"stalled", "running again"}
    assert events["cam2"]["broken frame"] == 2 and events["cam2"]["clock jumped"] == 1 and busy <= set(events["cam2"])
    assert events["cam3"]["disconnected"] == events["cam3"]["rejoined"] == 1 and set(events.get("cam1", ())) <= busy
    assert report.failures == 2
    # The others went on meanwhile, and everybody was together again afterwards.
    sizes = [len(moment["cameras"]) for moment in of(records, "people")]
    assert sizes.count(3) > 25 and sizes.count(2) >= 10 and 3 in sizes[-10:]
    assert [event["camera"] for event in of(records, "event") if event["what"] == "disconnected"] == ["cam3"]


def test_people_keep_their_identities_while_a_camera_is_away():
    scripts = {name: Script(end=60) for name in NAMES} | {"cam3": Script(lost={20: 1.0}, end=60)}
    _, records = run(cameras(scripts), place=room())
    tracks = {person["track"] for moment in of(records, "people")[8:] for person in moment["people3d"] or ()}
    assert tracks <= {0, 1, 2, None}


def test_clocks_that_are_apart():
    scripts = {name: Script(end=30) for name in NAMES}
    sources = [FakeCamera(name, k, scripts[name], clock=name, offset=100.0 * k) for k, name in enumerate(NAMES)]
    report, records = run(sources, tolerance=0.03)
    assert report.clocks["cam2"] == pytest.approx(100, abs=0.05) and report.clocks["cam3"] == pytest.approx(
        200, abs=0.05
    )
    sizes = [len(moment["cameras"]) for moment in of(records, "people")]
    assert sizes.count(3) > 20


def test_the_newest_wins_where_the_network_is_slow():
    scripts = {name: Script(end=45) for name in NAMES}
    report, records = run(cameras(scripts), FakeNetwork(DETECTIONS, delay=0.05))
    moments = of(records, "people")
    assert report.dropped["before network"] > 10 and len(moments) < 35
    # Whatever was dropped was old: latency does not grow.
    totals = [moment["latency"]["total"] for moment in moments]
    assert np.median(totals[len(totals) // 2 :]) < 1.5 * np.median(totals) + 50
    assert all(len(moment["cameras"]) == 3 for moment in moments[2:-2])


def test_every_stage_is_timed():
    report, records = run(recordings(20), place=room(), every_frame=True)
    assert list(report.latency) == [
        "pairing",
        "network",
        "association",
        "refinement",
        "tracking",
        "output",
        "waiting",
        "total",
    ]
    assert all(row["count"] == 20 and row["p50"] <= row["p99"] <= row["most"] for row in report.latency.values())
    latency = of(records, "people")[7]["latency"]
    assert latency["total"] == pytest.approx(sum(value for name, value in latency.items() if name != "total"), abs=0.1)


def test_stop_and_time():
    live = Live(cameras(), FakeNetwork(DETECTIONS), rules=LiveRules())
    threading.Timer(0.6, live.stop).start()
    start = time.perf_counter()
    live.run()
    assert time.perf_counter() - start < 3
    report, _ = run(cameras(), seconds=0.5)
    assert report.seconds < 3 and report.moments > 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("live-")]


def test_a_network_that_takes_nothing_ends_the_run():
    class Refuses(FakeNetwork):
        def __call__(self, image):
            raise ValueError("found 16x12 pixels, expected 64x48")

    with pytest.raises(ValueError, match="cam.: the network takes none of its images: found 16x12"):
        run(recordings(), Refuses(DETECTIONS), every_frame=True)


def test_a_network_that_fails_now_and_then_is_said():
    class Fails(FakeNetwork):
        def __call__(self, image):
            if image[0, 1, 1] % 10 == 3:
                raise ValueError("nothing but holes")
            return super().__call__(image)

    report, records = run(recordings(30), Fails(DETECTIONS), room(), every_frame=True)
    assert report.events["cam1"] == {"network failed": 3} and report.failures == 9 and report.moments == 30
    assert (
        of(records, "people")[3]["cameras"]["cam1"]["people"] is None and of(records, "people")[3]["people3d"] is None
    )


def test_a_mistake_in_the_network_is_not_hidden():
    class Wrong(FakeNetwork):
        def __call__(self, image):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(recordings(), Wrong(DETECTIONS), every_frame=True)


def test_nobody():
    network = FakeNetwork([[np.zeros((0, 17, 3))] * 3] * 2)
    report, records = run(recordings(10), network, room(), every_frame=True, smooth=OneEuroRules())
    assert report.moments == 10 and all(moment["people3d"] == [] for moment in of(records, "people"))


def test_one_camera_with_depth():
    """Its people are placed by their depth, in its own axes."""
    from orplugins.geometry.cameras import Camera

    camera = Camera(fx=500, fy=500, cx=319.5, cy=239.5, size=(640, 480))
    points = WORLD[0][0] - WORLD[0][0].mean(0)
    points = np.stack([points[:, 0], -points[:, 2], points[:, 1] * 0 + 2.5], -1)
    pixels, _ = camera.project(points)
    keypoints = np.concatenate([pixels, np.ones((17, 1))], -1)[None]

    class Depth(Recording):
        def open(self):
            self.sizes, self.camera = {"depth": (640, 480)}, camera

    class Network:
        kind = "depth"

        def __call__(self, image):
            return Poses2D("", keypoints, FakeNetwork.skeleton, size=image.shape[1::-1])

    frames = [Frame("cam", n, n / 15, depth=np.full((480, 640), 2500, np.uint16)) for n in range(6)]
    records = []
    Live(
        [Depth("cam", frames)],
        Network(),
        None,
        [CallOutput(records.append)],
        LiveRules(every_frame=True),
        room_of=LiveRoom,
    ).run()
    people = of(records, "people")[-1]["people3d"]
    found = np.array([row or [np.nan] * 3 for row in people[0]["keypoints3d"]], dtype=float)
    assert people[0]["track"] == 0 and people[0]["seen_by"] == {"cam": 0}
    assert np.nanmax(np.abs(found - points)) < 0.15 and records[0]["cameras"]["cam"]["place"] == [0, 0, 0]


def test_images_that_do_not_fit():
    class Metadata:
        class metadata:  # noqa: N801
            class input:  # noqa: N801
                frame = (640, 480)

    source = Recording("cam", [])
    source.sizes = {"color": (320, 240)}
    with pytest.raises(ValueError, match="cam: images of 320x240 pixels, the model's metadata say 640x480"):
        check_fits(source, Metadata(), "color")
    with pytest.raises(ValueError, match="cam: gives color images, the network takes depth"):
        check_fits(source, Metadata(), "depth")


def test_images_that_are_not_the_calibrations():
    source = Recording("cam1", [])
    source.sizes = {"color": (320, 240)}
    check_lens(source, "color", CAMERAS[0])  # half the resolution
    check_lens(source, "color", None)
    source.sizes = {"color": (1280, 720)}
    with pytest.raises(ValueError, match="cam1: images of 1280x720 pixels, its calibration is of 640x480"):
        check_lens(source, "color", CAMERAS[0])


def test_an_output_that_fails_is_left_out():
    class Full(Output):
        name = "disk"

        def write(self, record, line):
            if record["type"] == "people":
                raise OSError("no space left on device")

    records = []
    live = Live(
        recordings(10), FakeNetwork(DETECTIONS), None, [Full(), CallOutput(records.append)], LiveRules(every_frame=True)
    )
    report = live.run()
    assert report.failures == 1 and len(of(records, "people")) == 10
    assert of(records, "event")[0]["text"] == "disk: no space left on device"


def test_a_reader_that_went_ends_the_run():
    class Gone(Output):
        name = "head"

        def write(self, record, line):
            if record["type"] == "people":
                raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Live(cameras(), FakeNetwork(DETECTIONS), None, [Gone()], LiveRules()).run()


def test_a_source_that_cannot_be_opened_ends_it_before_it_begins():
    closed = []

    class Absent(Recording):
        def open(self):
            raise FileNotFoundError("cam9: no such recording")

    class Opened(Recording):
        def close(self):
            closed.append(self.name)

    with pytest.raises(FileNotFoundError, match="cam9"):
        Live([Opened("cam1", []), Absent("cam9", [])], FakeNetwork(DETECTIONS)).run()
    assert closed == ["cam1"]


@pytest.mark.parametrize(
    "bad", [{"tolerance": 0}, {"stall": -1}, {"workers": 0}, {"kind": "ir"}, {"seconds": float("nan")}]
)
def test_rules(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        LiveRules(**bad)
