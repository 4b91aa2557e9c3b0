"""The same on a Ray cluster of two nodes, one of which is killed in the middle."""

from __future__ import annotations

import os
import threading

import pytest
from tiny_model import write_red_video, write_tiny_detector

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("cv2")
pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'orplugins[archives]'")
psutil = pytest.importorskip("psutil")
ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'orplugins[archives]'")

from orplugins.archive import read_frames, run_batch  # noqa: E402
from orplugins.archive.engines import Cluster  # noqa: E402
from orplugins.archive.manifest import read_manifest  # noqa: E402
from orplugins.archive.pipeline import BatchSettings  # noqa: E402

pytestmark = pytest.mark.slow
# A node that does not answer is dead after two seconds, not after half a minute.
QUICK = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes of one processor each, which find the tests' helpers and the package."""
    from ray.cluster_utils import Cluster as LocalCluster

    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    made = LocalCluster(initialize_head=True, head_node_args={**small, "_system_config": QUICK})
    second = made.add_node(**small)
    ray.init(address=made.address, log_to_driver=False)
    yield made, second
    ray.shutdown()
    made.shutdown()


def command_of(entry: dict) -> str:
    """The command line of the worker that did a span, which names its node."""
    process = int(entry["worker"].rpartition(":")[2])
    try:
        return " ".join(psutil.Process(process).parent().cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_two_nodes_of_which_one_dies_find_what_one_process_finds(cluster, tmp_path):
    nodes, second = cluster
    write_tiny_detector(tmp_path / "model.onnx")
    for k in range(4):
        write_red_video(tmp_path / f"recordings/{k}.mp4", 120, start=11 * k, size=(320, 240))
    one = {"models": [tmp_path / "model.onnx"], "seconds": 1.0, "root": tmp_path / "recordings", "batch": 4}
    alone = run_batch([tmp_path / "recordings"], tmp_path / "alone", BatchSettings(**one))
    killed: list[str] = []

    def say(line: str) -> None:
        """Kill the second node as soon as it has done a span: it is at the next one then."""
        if killed or "/" not in line:
            return
        last = list(read_manifest(tmp_path / "both").values())[-1]
        if second.node_id in command_of(last):
            killed.append(line)
            threading.Thread(target=nodes.remove_node, args=(second, False)).start()

    ray_settings = BatchSettings(**one, cluster=Cluster("ray", nodes.address))
    both = run_batch([tmp_path / "recordings"], tmp_path / "both", ray_settings, say)
    assert killed and len([node for node in ray.nodes() if node["Alive"]]) == 1
    assert (both.spans, both.done, both.frames, both.problems) == (alone.spans, alone.spans, 480, ())
    assert read_frames(tmp_path / "both") == read_frames(tmp_path / "alone")
    for folder in ("frames", "coco"):
        names = sorted(os.listdir(tmp_path / "both" / folder))
        assert names == sorted(os.listdir(tmp_path / "alone" / folder)) and len(names) == both.spans
        for name in names:
            assert (tmp_path / "both" / folder / name).read_bytes() == (tmp_path / "alone" / folder / name).read_bytes()
