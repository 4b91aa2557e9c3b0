"""Lifters as model files: VideoPose3D on clips and with a state, and ORPose-Color's lifting network."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

import orplugins  # noqa: E402, F401
from orplugins.deploy import load  # noqa: E402
from orplugins.export import export  # noqa: E402
from orplugins.orpose_color.lifting import statistics_of  # noqa: E402
from orplugins.orpose_color.network import LiftingNetwork  # noqa: E402
from orplugins.orpose_color.statistics import save_statistics  # noqa: E402
from orplugins.resources import resource  # noqa: E402
from orplugins.skeletons import COCO_17, H36M_17  # noqa: E402
from orplugins.structures import People  # noqa: E402
from orplugins.synthetic.motion_points import body_motion, in_skeleton, look_at  # noqa: E402
from orplugins.videopose3d.mmpose.build import build_lifter  # noqa: E402

ENGINES = ["onnxruntime", *(["openvino"] if importlib.util.find_spec("openvino") else [])]
CONFIG = "configs/mmpose/videopose3d/videopose3d_27-coco{}.py"
WEIGHTS = "demo/videopose3d_27.safetensors"
SIZE = (640, 480)


@pytest.fixture(scope="module")
def clip():
    motion = body_motion(np.random.default_rng(1), 40)
    camera = look_at((3.6, -2.6, 1.8), (0, 0, 0.9))
    pixels = camera.project(in_skeleton(motion, COCO_17))[0].astype(np.float32)
    return pixels, camera.world_to_camera(in_skeleton(motion, H36M_17))


def test_clips_are_lifted_as_by_the_host(clip, tmp_path):
    pixels, _ = clip
    done = export(resource(CONFIG.format("")), resource(WEIGHTS), tmp_path / "model.onnx")
    host = build_lifter(str(resource(WEIGHTS)))
    for engine in ENGINES:
        lift = load(done.model, engine=engine)
        for frames in (40, 1):
            wanted = host.lift(pixels[:frames], SIZE)["pose"]
            np.testing.assert_allclose(lift(pixels[:frames], SIZE)["pose"], wanted, atol=1e-4)
        wanted = host.lift(pixels, SIZE, flip=False, fps=30.0, resample_hz=50.0)["pose"]
        found = lift(pixels, SIZE, flip=False, fps=30.0, resample_hz=50.0)["pose"]
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    with pytest.raises(ValueError, match=r"found keypoints \(40, 17, 3\)"):
        lift(np.zeros((40, 17, 3)), SIZE)
    with pytest.raises(ValueError, match="symmetric"):
        lift.stream()


def test_a_state_gives_what_the_whole_clip_gives(clip, tmp_path):
    pixels, _ = clip
    done = export(resource(CONFIG.format("_causal")), resource(WEIGHTS), tmp_path / "live.onnx", stream=True)
    dense = export(resource(CONFIG.format("_causal")), resource(WEIGHTS), tmp_path / "dense.onnx")
    host = build_lifter(str(resource(WEIGHTS)), causal=True)
    for engine in ENGINES:
        for flip in (False, True):
            wanted = host.lift(pixels, SIZE, flip=flip)["pose"]
            person = load(done.model, engine=engine).person(SIZE, flip)
            for _ in range(2):  # a clip, and another one after a reset
                found = np.stack([person.push(frame) for frame in pixels])
                np.testing.assert_allclose(found, wanted, atol=1e-4)
                person.reset()
            window = load(dense.model, engine=engine).stream(SIZE, flip)
            np.testing.assert_allclose(np.stack([window.push(f) for f in pixels[:5]]), wanted[:5], atol=1e-4)
    with pytest.raises(ValueError, match="NaN"):
        person.push(np.full((17, 2), np.nan))


def test_what_cannot_be_exported(tmp_path):
    with pytest.raises(ValueError, match="expected a causal one"):
        export(resource(CONFIG.format("")), resource(WEIGHTS), tmp_path / "live.onnx", stream=True)
    with pytest.raises(ValueError, match=r"filter widths \(3, 3, 3\), expected \(3, 3, 3, 3, 3\)"):
        export(resource("configs/mmpose/videopose3d/videopose3d_243-coco.py"), resource(WEIGHTS), tmp_path / "m.onnx")
    assert not list(tmp_path.glob("*.onnx"))


def test_a_trajectory_is_in_the_same_file(clip, tmp_path):
    """A causal-free network of the published form with random weights."""
    from safetensors.torch import save_file

    config = resource("configs/mmpose/videopose3d/videopose3d_27-h36m_semi.py")
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    from orplugins.hosts.mmpose.topdown import read_test_config

    init_default_scope("mmpose")
    torch.manual_seed(0)
    cfg = read_test_config(config).model
    model = MODELS.build(cfg).eval()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, str(tmp_path / "weights.safetensors"))
    done = export(config, tmp_path / "weights.safetensors", tmp_path / "model.onnx")
    pixels = clip[0]
    found, wanted = load(done.model)(pixels, SIZE), model.lift(pixels, SIZE)
    assert set(found) == {"pose", "trajectory"} == set(wanted)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-4)


def test_rows_are_lifted_as_in_torch(clip, tmp_path):
    pixels, points = clip
    statistics = statistics_of(pixels, 1000 * points)
    save_statistics(tmp_path / "statistics.json", statistics)
    torch.manual_seed(0)
    network = LiftingNetwork(64).eval()
    torch.save(network.state_dict(), tmp_path / "lifter.pth")
    done = export(tmp_path / "statistics.json", tmp_path / "lifter.pth", tmp_path / "model.onnx")
    keypoints = np.concatenate([pixels[:6], np.ones((6, 17, 1))], axis=-1)
    keypoints[4, 9], keypoints[5, 0] = np.nan, np.nan
    people = People("frame", keypoints, COCO_17, size=SIZE)
    with torch.no_grad():
        rows = torch.tensor(statistics.normalise_row(people.filled()), dtype=torch.float32)
        wanted = statistics.pose(network(rows).numpy()) / 1000
    for engine in ENGINES:
        found = load(done.model, engine=engine)(people)
        np.testing.assert_allclose(found.points[[0, 1, 2, 3, 5]], wanted[[0, 1, 2, 3, 5]], atol=1e-4)
        assert np.isnan(found.points[4]).all()  # a wrist is missing; of the fifth only the nose, which is not read
        assert found.points_about == "root" and found.points_skeleton is H36M_17 and found.frame == "frame"
    nobody = load(done.model)(People("", np.zeros((0, 17, 3)), COCO_17))
    assert nobody.points.shape == (0, 17, 3)
    assert len(list(load(done.model).engine.inputs)) == 1
