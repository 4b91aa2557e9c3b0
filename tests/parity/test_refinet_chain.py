"""The chain as three pickled passes of the published code ran it: stage by stage, and in one go through mmpose."""

from __future__ import annotations

import re

import numpy as np
import pytest
from cases import case_arrays, fill_state_dict, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402

from orplugins.refinet.checks import checked_metres  # noqa: E402
from orplugins.refinet.clouds import joint_clouds  # noqa: E402
from orplugins.refinet.depth_camera import ITOP_CAMERA  # noqa: E402

SYSTEM = "refinet"
FILES = parity_cases(SYSTEM)
CASES = params([(name, (path, data)) for name, path, data in FILES if "state_dicts" in data], SYSTEM)
NETS = {"A": "patch_net", "B": "skeleton_net", "C": "point_net"}


def weights(data: dict, arrays: dict) -> dict:
    """The chain's state dict: filled, scaled and overridden as the case says."""
    state = {}
    for module, net in NETS.items():
        for name, value in fill_state_dict(data["state_dicts"][module]).items():
            factor = data.get("scale", {}).get(module, {}).get(name)
            value = np.asarray(value) if factor is None else (value * np.float32(factor)).astype(np.float32)
            other = data.get("override", {}).get(module, {}).get(name)
            if other is not None:
                value = arrays[re.fullmatch(r"array (\w+)", other)[1]]
            state[f"chain.{net}.net.{name}"] = torch.as_tensor(value)
    return state


@pytest.fixture(scope="module", params=CASES)
def ran(request):
    """(case, arrays, samples after one pass, chain)."""
    path, data = request.param
    arrays = case_arrays(path, data)
    init_default_scope("mmpose")
    options = data["options"]["B"]
    chain = MODELS.build(
        dict(
            type="orplugins.DepthPoseRefiner",
            patch_net=dict(type="orplugins.RefiNetPatchNet"),
            skeleton_net=dict(
                type="orplugins.RefiNetSkeletonNet",
                width=options["linear_size"],
                attention=options["attention"],
                bigskip=options["bigskip"],
            ),
            point_net=dict(type="orplugins.RefiNetPointNet"),
            absolute=not options["offset"],
            missing="published",
            clouds=dict(preparation="published", sampling="first"),
        )
    ).eval()
    chain.load_state_dict(weights(data, arrays), strict=True)
    samples = []
    for pose in arrays["baseline_px"]:
        sample = PoseDataSample(
            metainfo=dict(camera=ITOP_CAMERA, half_depth=True, input_unit="px", input_scores=np.ones(len(pose)))
        )
        pose = torch.from_numpy(pose[None].astype(np.float32))
        sample.gt_instance_labels = InstanceData(input_pose=pose, input_valid=torch.ones(pose.shape[:2]))
        samples.append(sample)
    inputs = [torch.from_numpy(checked_metres(depth)[None]) for depth in arrays["depth"]]
    return data, arrays, chain.test_step(dict(inputs=inputs, data_samples=samples)), chain.chain


def test_in_one_pass(ran):
    data, arrays, samples, _ = ran
    found = {
        key: np.concatenate([np.asarray(getattr(s.pred_instances, key)) for s in samples])
        for key in ("keypoints", "keypoints_3d", "stage_a", "stage_b", "cloud_counts")
    }
    atol = data["atol"]
    np.testing.assert_allclose(found["keypoints"], arrays["A_kpts_out"], rtol=0, atol=atol["A_kpts_out"])
    np.testing.assert_allclose(found["stage_a"], arrays["B_kpts_in"], rtol=0, atol=atol["B_kpts_in"])
    np.testing.assert_allclose(found["stage_b"], arrays["B_kpts_out"], rtol=0, atol=atol["B_kpts_out"])
    assert np.abs(found["cloud_counts"] - arrays["C_count"]).max() <= 2
    np.testing.assert_allclose(found["keypoints_3d"], arrays["C_kpts_out"], rtol=0, atol=1.0)


def test_stage_by_stage(ran):
    data, arrays, _, chain = ran
    for i, depth in enumerate(arrays["depth"]):
        depth, atol = checked_metres(depth), data["atol"]
        pose = arrays["A_kpts_in"][i][None]
        result = chain.refine(depth, pose, np.ones(pose.shape[:2]), ITOP_CAMERA, half=True)
        np.testing.assert_allclose(result.raw["a_out"][0], arrays["A_net_out"][i], rtol=0, atol=atol["A_kpts_out"])
        poses = arrays["B_kpts_in"][i][None]
        inputs = chain.steps.scale(poses)
        np.testing.assert_allclose(inputs[0], arrays["B_net_in"][i], rtol=0, atol=1e-4)
        out = chain._run(chain.skeleton_net, inputs)
        np.testing.assert_allclose(out[0], arrays["B_net_out"][i], rtol=0, atol=atol["B_kpts_out"])
        joints = arrays["C_kpts_in"][i]
        clouds = joint_clouds(joints, joints[:, 2] != 0, depth, ITOP_CAMERA, chain.steps.clouds, half=True)
        np.testing.assert_array_equal(clouds.count, arrays["C_count"][i])
        out = chain._run(chain.point_net, clouds.points[None])
        np.testing.assert_allclose(joints - out[0], arrays["C_kpts_out"][i], rtol=0, atol=atol["C_kpts_out"])
