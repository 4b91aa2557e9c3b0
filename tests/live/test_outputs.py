"""Where records go: lines, datagrams, files."""

import io
import json
import socket

import numpy as np
import pytest

from orplugins.io.clip_files import read_motion_npz
from orplugins.io.coco_annotations import read_annotations
from orplugins.live.events import Event
from orplugins.live.files import RECORDS, FilesOutput, read_records
from orplugins.live.frames import Frame
from orplugins.live.messages import event_record, line_of, moment_record, start_record
from orplugins.live.moment import Moment, Placed
from orplugins.live.outputs import LineOutput, Outputs, UdpOutput
from orplugins.skeletons import COCO_17
from orplugins.structures import Poses2D

START = start_record(
    {"cam1": {"size": [640, 480], "clock": "c", "place": [0, 0, 2]}}, COCO_17, True, np.array([0, 0, 1.0])
)


def moment(n, track=0, fps=10.0):
    keypoints = np.full((2, 17, 3), np.nan)
    keypoints[0, :5] = np.arange(5)[:, None] * (10, 7, 0) + (100 + n, 200, 0.9)
    points = np.full((2, 17, 3), np.nan)
    points[0, :5] = np.arange(5)[:, None] * (0.1, 0, 0.2) + (n / 10, 1, 1)
    frame = Frame("cam1", n, n / fps, name=f"{n}.png")
    found = Moment(n, 50 + n / fps, {"cam1": frame}, 0.0)
    found.people["cam1"] = Poses2D("", keypoints, COCO_17, size=(640, 480), scores=np.array([0.5, 0.1]))
    found.tracks["cam1"] = np.array([track, -1])
    found.placed = Placed(points, ({"cam1": 0}, {"cam1": 1}))
    found.room_tracks = np.array([track, -1])
    found.latency_ms = {"total": 12.3456}
    return found


def records(count=5):
    return [START, *(moment_record(moment(n), 50.0) for n in range(count))]


def test_a_record():
    record = json.loads(line_of(moment_record(moment(3), 50.0)))
    first, second = record["cameras"]["cam1"]["people"]
    assert record["time"] == pytest.approx(0.3) and record["cameras"]["cam1"]["size"] == [640, 480]
    assert first["track"] == 0 and second["track"] is None  # not known yet
    assert first["keypoints"][1] == [113, 207, 0.9] and first["keypoints"][9] is None
    assert record["people3d"][0]["keypoints3d"][2] == [0.5, 1, 1.4] and record["people3d"][0]["seen_by"] == {"cam1": 0}
    assert record["latency"] == {"total": 12.35}


def test_nobody_looked():
    found = moment(0)
    found.placed = None
    found.people = {}
    record = moment_record(found, 50.0)
    assert record["people3d"] is None and record["cameras"]["cam1"]["people"] is None


def test_lines():
    stream = io.StringIO()
    outputs = Outputs([LineOutput(stream)], lambda *_: None)
    outputs.open()
    for record in records(2):
        outputs.write(record)
    outputs.write(event_record(Event("stalled", "cam1", "no frame for 1 s", 0.0)))
    outputs.close({"type": "end"})
    kinds = [json.loads(line)["type"] for line in stream.getvalue().splitlines()]
    assert kinds == ["start", "people", "people", "event", "end"]


def test_datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        output = UdpOutput("127.0.0.1", listener.getsockname()[1])
        output.open()
        output.write({}, line_of(records()[1]))
        assert json.loads(listener.recv(65536))["moment"] == 0
    for _ in range(3):
        output.write({}, "{}")  # nobody listens any more: no failure
    with pytest.raises(OSError, match="a datagram holds"):
        output.write({}, "x" * 70_000)
    output.close()
    with pytest.raises(ValueError, match="found port 0"):
        UdpOutput("127.0.0.1", 0)


def write(folder, some, **options):
    output = FilesOutput(folder, **options)
    output.open()
    for record in some:
        output.write(record, line_of(record))
    output.close()


def test_files(tmp_path):
    out = tmp_path / "out"
    some = [record for record in records(12) if record.get("moment") != 6]
    write(out, some)
    assert sorted(path.name for path in out.iterdir()) == ["cam1.coco.json", "person0.npz", "person0.trc", RECORDS]
    data = read_annotations(out / "cam1.coco.json", COCO_17.joints).data
    assert len(data["images"]) == 11 and data["images"][0]["width"] == 640
    person = data["annotations"][0]
    assert person["num_keypoints"] == 5 and person["track_id"] == 0 and person["bbox"] == [100, 200, 40, 28]
    clip = read_motion_npz(out / "person0.npz")
    assert clip["fps"] == 10 and clip["xyz"].shape == (12, 17, 3)
    assert np.allclose(clip["xyz"][3, 2], (0.5, 1, 1.4)) and np.isnan(clip["xyz"][6]).all()  # a moment that is missing
    rows = (out / "person0.trc").read_text().splitlines()
    assert rows[2].startswith("10\t10\t12\t17\tm") and rows[5].split("\t")[2:5] == ["1.000000", "1.000000", "0.000000"]


def test_the_rate_of_clips(tmp_path):
    write(tmp_path, records(9), fps=20.0)
    assert read_motion_npz(tmp_path / "person0.npz")["xyz"].shape[0] == 17  # every second frame is missing


def test_a_folder_with_a_run(tmp_path):
    write(tmp_path, records())
    before = (tmp_path / RECORDS).read_bytes()
    with pytest.raises(ValueError, match="holds an earlier run"):
        FilesOutput(tmp_path).open()
    assert (tmp_path / RECORDS).read_bytes() == before


def test_two_runs_into_one_folder(tmp_path):
    one = FilesOutput(tmp_path)
    one.open()
    with pytest.raises(ValueError, match="another run"):
        FilesOutput(tmp_path).open()
    one.close()


def test_a_run_that_was_killed(tmp_path):
    path = tmp_path / RECORDS
    lines = [line_of(record) for record in records(3)]
    path.write_text("\n".join(lines) + "\n" + lines[1][:50])
    assert [record["type"] for record in read_records(path)] == ["start", "people", "people", "people"]
    path.write_text(lines[0] + "\nnot JSON\n" + lines[1] + "\n")
    with pytest.raises(ValueError, match="line 2: not JSON"):
        list(read_records(path))
    path.write_text("[]\n")
    with pytest.raises(ValueError, match="line 1: found '\\[\\]"):
        list(read_records(path))


def test_a_run_without_people(tmp_path):
    write(tmp_path, [START])
    assert [path.name for path in tmp_path.iterdir()] == [RECORDS]
