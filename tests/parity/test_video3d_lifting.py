"""Temporal lifting against VideoPose3D: published names in, poses of clips, windows and streams out."""

from __future__ import annotations

import numpy as np
import pytest
from cases import case_arrays, fill_state_dict, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402

from orplugins.skeletons import COCO_17, H36M_17  # noqa: E402
from orplugins.videopose3d.checkpoint import convert_published, recover_options, to_published  # noqa: E402
from orplugins.videopose3d.files import read_custom_2d, read_detection_archive  # noqa: E402
from orplugins.videopose3d.screen import display_points, to_screen  # noqa: E402
from orplugins.videopose3d.sequence import lift_normalised  # noqa: E402

SYSTEM = "video3d"
MODES = ("symmetric", "causal")
NETWORKS = [
    (f"{name}/{mode}", (path, case, mode))
    for name, path, case in parity_cases(SYSTEM)
    if "window_start" in case.get("arrays", {})
    for mode in MODES
    if f"y_valid_{mode}" in case["arrays"]
]
WILD = [(name, (path, case)) for name, path, case in parity_cases(SYSTEM) if "detections_file" in case]


def _tensors(shapes: dict) -> dict:
    return {name: torch.as_tensor(np.asarray(value)) for name, value in fill_state_dict(shapes).items()}


def _model(weights: dict, causal: bool, strided: bool = True):
    """The registered lifter in the size that the weights tell."""
    init_default_scope("mmpose")
    options = recover_options(weights["model_pos"])
    tcn = dict(
        type="orplugins.VideoPoseTCN",
        in_channels=2 * options.joints_in,
        stem_channels=options.channels,
        causal=causal,
        num_blocks=len(options.filter_widths) - 1,
        kernel_sizes=options.filter_widths,
        strided_windows=strided,
    )
    head = dict(in_channels=options.channels, loss=dict(type="MPJPELoss"))
    extra = {}
    if weights.get("model_traj"):
        extra = dict(traj_backbone=tcn, traj_head=dict(type="orplugins.RootTrajectoryHead", num_joints=1, **head))
    model = MODELS.build(
        dict(
            type="orplugins.VideoPoseLifter",
            backbone=tcn,
            **extra,
            head=dict(type="orplugins.DenseTemporalHead", num_joints=options.joints_out, **head),
        )
    )
    model.load_state_dict(weights)  # published names, strictly
    model.eval()
    return model


@pytest.fixture(params=params(NETWORKS, SYSTEM))
def case(request):
    path, data, mode = request.param
    weights = {"model_pos": _tensors(data["state_dict"]), "model_traj": None}
    return data, case_arrays(path, data), mode, _model(weights, mode == "causal"), weights


def _close(found, expected, data):
    tolerance = data["tolerance"]
    np.testing.assert_allclose(found, expected, rtol=tolerance["rtol"], atol=tolerance["atol"])


def test_valid_pass_and_windows(case):
    data, arrays, mode, model, weights = case
    run = model._network(False)
    _close(run(arrays["x"]), arrays[f"y_valid_{mode}"], data)
    field = data["receptive_field"]
    assert model.backbone.receptive_field == field
    windows = np.stack(
        [arrays["x"][b, s : s + field] for b, s in zip(arrays["window_batch"], arrays["window_start"], strict=True)]
    )
    _close(run(windows), arrays[f"y_window_strided_{mode}"], data)
    dilated = _model(weights, mode == "causal", strided=False)
    _close(dilated._network(False)(windows), arrays[f"y_window_dilated_{mode}"], data)


def test_whole_clip_with_and_without_mirror(case):
    data, arrays, mode, model, _ = case
    run, field, causal = model._network(False), data["receptive_field"], mode == "causal"
    _close(lift_normalised(run, arrays["x"][0], field, causal), arrays[f"y_full_{mode}"], data)
    _close(lift_normalised(run, arrays["x"][0], field, causal, (COCO_17, H36M_17)), arrays[f"y_tta_{mode}"], data)


def test_stream_equals_the_causal_pass(case):
    data, arrays, mode, model, _ = case
    if mode != "causal":
        with pytest.raises(ValueError, match="causal"):
            model.stream()
        return
    stream = model.stream()
    frames = min(20, len(arrays["x"][0]))
    _close(np.stack([stream.push(frame) for frame in arrays["x"][0][:frames]]), arrays["y_full_causal"][:frames], data)


def test_names_and_back(case):
    data, _, _, model, weights = case
    renamed = convert_published(weights)
    if "mmpose_names" in data:
        assert {name: new for name, new in zip(weights["model_pos"], renamed, strict=True)} == data["mmpose_names"]
    assert set(renamed) == set(model.state_dict())
    back = to_published(renamed)["model_pos"]
    assert back.keys() == weights["model_pos"].keys()
    assert all(torch.equal(back[name], weights["model_pos"][name]) for name in back)


@pytest.mark.parametrize("wild", params(WILD, SYSTEM))
def test_from_a_detection_archive_to_display(wild):
    path, data = wild
    arrays = case_arrays(path, data)
    clip = read_detection_archive(path.parent / data["detections_file"])
    assert clip.size == (data["image_size"]["w"], data["image_size"]["h"]) and clip.video == data["video_name"]
    np.testing.assert_allclose(clip.keypoints, arrays["keypoints_px"], atol=1e-4)
    np.testing.assert_allclose(clip.boxes, arrays["bounding_boxes"], atol=1e-4)
    np.testing.assert_array_equal(clip.detected, arrays["detected"])
    np.testing.assert_allclose(to_screen(clip.keypoints, clip.size), arrays["keypoints_normalised"], atol=1e-6)
    custom = read_custom_2d(path.parent / data["custom_dataset_file"], data["video_name"])
    np.testing.assert_allclose(custom.keypoints, arrays["keypoints_px"], atol=1e-4)
    weights = {
        "model_pos": _tensors(data["position_state_dict"]),
        "model_traj": _tensors(data["trajectory_state_dict"]),
    }
    for mode in MODES:
        lifted = _model(weights, mode == "causal").lift(clip.keypoints, clip.size, flip=data["test_time_flip"])
        _close(lifted["pose"], arrays[f"pos_{mode}"], data)
        _close(lifted["trajectory"], arrays[f"traj_{mode}"], data)
        if mode == "symmetric":
            _close(display_points(lifted["pose"] + lifted["trajectory"]), arrays["render_world"], data)
