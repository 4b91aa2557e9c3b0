"""Stereo, association, files, cameras, losses and comparison against the reference numbers of the video 3D cases."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import case_arrays, params, parity_cases

from orplugins.geometry.assignment import match_pairs
from orplugins.geometry.cameras import Camera
from orplugins.geometry.kinect import to_kinect
from orplugins.geometry.pose_error import mpjpe, n_mpjpe, p_mpjpe, velocity_error
from orplugins.geometry.rectified import ParallelRig, StereoRules, triangulate_rectified
from orplugins.geometry.tracking import subject_score
from orplugins.geometry.triangulation import triangulate
from orplugins.io.kinect_files import make_record, read_kinect_record, write_kinect_record
from orplugins.io.openpose import read_openpose_folder
from orplugins.motion.compare import compare_core
from orplugins.motion.measures import p_mpjpe_frames
from orplugins.multiview.association import PairRules, pair_cost
from orplugins.multiview.rectified_pair import clean_clip
from orplugins.skeletons import BODY_25
from orplugins.videopose3d.screen import camera_to_world, project_screen, to_screen, world_to_camera

SYSTEM = "video3d"


def cases(*arrays: str) -> list:
    rows = [
        (name, (path, data)) for name, path, data in parity_cases(SYSTEM) if set(arrays) <= set(data.get("arrays", {}))
    ]
    return params(rows, SYSTEM)


def _known(cls, values: dict):
    names = {field.name for field in dataclasses.fields(cls)}
    return cls(**{name: value for name, value in values.items() if name in names})


def _rig(data: dict) -> ParallelRig:
    rig = data["rig"]
    middle = (rig["cx"], rig["cy"])
    return ParallelRig(rig["baseline_m"], rig["focal_px"], (rig["width"], rig["height"]), middle, middle)


@pytest.mark.parametrize("case", cases("left", "right", "noisy_left", "filtered_xyz"))
def test_rectified_pair_and_clip(case):
    path, data = case
    a, rig, rules = case_arrays(path, data), _rig(data), _known(StereoRules, data["rules"])
    xyz, code, disparity = triangulate_rectified(a["left"], a["right"], rig, rules)
    np.testing.assert_array_equal(code, a["code"])
    np.testing.assert_allclose(xyz, a["xyz"], atol=data["tolerance"]["exact_part"]["atol"])
    np.testing.assert_allclose(disparity[code == 0], a["disparity"][code == 0], atol=1e-6)
    np.testing.assert_allclose(xyz[code == 0], a["truth_xyz"][code == 0], atol=1e-6)
    atol = data["tolerance"]["noisy_part"]["atol"]
    xyz, code, _ = triangulate_rectified(a["noisy_left"], a["noisy_right"], rig, rules)
    np.testing.assert_array_equal(code, a["noisy_code"])
    np.testing.assert_allclose(xyz, a["noisy_xyz"], atol=atol)
    clip = clean_clip(xyz, code, rules, data["rules"].get("bones"))
    np.testing.assert_array_equal(clip.code, a["filtered_code"])
    np.testing.assert_array_equal(clip.state, a["filtered_state"])
    np.testing.assert_allclose(clip.xyz, a["filtered_xyz"], atol=atol)


@pytest.mark.parametrize("case", cases("general_K", "general_Rt", "general_uv_noisy"))
def test_calibrated_cameras(case):
    path, data = case
    a = case_arrays(path, data)
    poses = [np.linalg.inv(np.vstack([matrix, [0, 0, 0, 1]])) for matrix in a["general_Rt"]]
    size = (data["rig"]["width"], data["rig"]["height"])
    cameras = [
        Camera(k[0, 0], k[1, 1], k[0, 2], k[1, 2], size, pose=pose)
        for k, pose in zip(a["general_K"], poses, strict=True)
    ]
    for kind in ("exact", "noisy"):
        keypoints = np.concatenate([a[f"general_uv_{kind}"], a["general_conf"][..., None]], -1)
        found = triangulate(cameras, keypoints)
        atol = data["tolerance"][f"general_{kind}"]["atol"]
        np.testing.assert_allclose(found.points, a[f"general_xyz_{kind}"], atol=atol)
        np.testing.assert_array_equal(found.views, a["general_views_used"])
    np.testing.assert_allclose(found.error, a["general_reprojection_error"], atol=1e-5)


@pytest.mark.parametrize("case", cases("pair_left", "pair_right", "pair_cost"))
def test_people_of_two_cameras(case):
    path, data = case
    a, values = case_arrays(path, data), data["rules"]["association"]
    pair = PairRules(values["lambda_px"], values["mu_px"], values["torso_m"], values["min_joints"], values["reject_px"])
    rules = _known(StereoRules, data["rules"])
    for t in range(len(a["pair_left"])):
        cost = pair_cost(a["pair_left"][t], a["pair_right"][t], _rig(data), pair, rules)
        np.testing.assert_allclose(cost, a["pair_cost"][t], atol=data["tolerance"]["pair_cost"]["atol"])
        np.testing.assert_array_equal(match_pairs(cost, pair.reject_px), a["pair_match"][t])


@pytest.mark.parametrize("case", cases("left_people", "right_people"))
def test_openpose_files(case):
    path, data = case
    a = case_arrays(path, data)
    for folder in data["folder"].split(" and "):
        root = path.parent / folder if "/" in folder else path.parent / data["folder"].split("/")[0] / folder
        side = folder.rpartition("_")[2]
        read = read_openpose_folder(root)
        np.testing.assert_array_equal(read.counts, a[f"{side}_count"])
        for t, people in enumerate(read.frames):
            np.testing.assert_allclose(people, a[f"{side}_people"][t, : len(people)], atol=data["tolerance"]["atol"])
            subject = int(np.argmax([subject_score(person) for person in people])) if len(people) else -1
            assert subject == a[f"{side}_subject"][t]


@pytest.mark.parametrize("case", cases("body25_xyz", "kinect_xyz"))
def test_kinect_record(case, tmp_path):
    path, data = case
    a, atol = case_arrays(path, data), data["tolerance"]["atol"]
    xyz, state = to_kinect(a["body25_xyz"], a["body25_state"], BODY_25, data["spine_fraction"])
    np.testing.assert_array_equal(state, a["kinect_state"])
    np.testing.assert_allclose(xyz, a["kinect_xyz"], atol=1e-12)
    expected = path.parent / data["text_file"]
    head = dict(
        line[2:].split(": ", 1) for line in expected.read_text().splitlines() if line.startswith("# ") and ": " in line
    )
    extra = {
        key: value
        for key, value in head.items()
        if key not in ("source", "fps", "units", "axes", "root", "joints", "columns", "frames")
    }
    record = make_record(
        a["body25_xyz"],
        a["body25_state"],
        BODY_25,
        data["fps"],
        head["source"],
        head["root"],
        extra,
        spine_fraction=data["spine_fraction"],
    )
    write_kinect_record(tmp_path / "record.txt", record)
    assert (tmp_path / "record.txt").read_bytes() == expected.read_bytes()
    read = read_kinect_record(expected)
    np.testing.assert_allclose(read.xyz, a["kinect_xyz"], atol=atol)
    np.testing.assert_allclose(read.time, a["time"], atol=atol)
    np.testing.assert_array_equal(read.state, a["kinect_state"])
    table = np.loadtxt(tmp_path / "record.txt")
    assert table.shape == (len(xyz), 83)


@pytest.mark.parametrize("case", cases("X_world", "X_project", "intrinsic"))
def test_camera_arithmetic(case):
    path, data = case
    a, size = case_arrays(path, data), (data["image_size"]["w"], data["image_size"]["h"])
    found = {
        "X_camera": world_to_camera(a["X_world"], a["R"], a["t"]),
        "X_world_back": camera_to_world(a["X_camera"], a["R"], a["t"]),
        "X_rotated_only": camera_to_world(a["X_camera"], a["R"]),
        "pixels_normalised": to_screen(a["pixels"], size),
        "projected": project_screen(a["X_project"], a["intrinsic"]),
        "projected_linear": project_screen(a["X_project"], a["intrinsic"], distort=False),
    }
    for name, value in found.items():
        np.testing.assert_allclose(value, a[name], **data["tolerance"], err_msg=name)


@pytest.mark.parametrize("case", cases("p_mpjpe_per_frame", "mean_velocity_error"))
def test_protocols(case):
    path, data = case
    a = case_arrays(path, data)
    p, t = (a[name].reshape(-1, *a[name].shape[2:]).astype(np.float64) for name in ("predicted", "target"))
    found = {
        "mpjpe": mpjpe(p, t),
        "n_mpjpe": n_mpjpe(p, t),
        "p_mpjpe": p_mpjpe(p, t),
        "p_mpjpe_per_frame": p_mpjpe_frames(p, t),
        "mean_velocity_error": velocity_error(p, t),
    }
    for name, value in found.items():
        np.testing.assert_allclose(value, a[name], **data["tolerance"], err_msg=name)


@pytest.mark.parametrize("case", cases("loss_bone_T1", "loss_projection_T1"))
def test_losses_of_training(case):
    torch = pytest.importorskip("torch")
    from orplugins.videopose3d.losses import bone_length_loss, mpjpe_loss, projection_loss, weighted_mpjpe_loss

    path, data = case
    a = {name: torch.as_tensor(value) for name, value in case_arrays(path, data).items()}
    for tag in sorted({name.rpartition("_")[2] for name in a}):
        labelled, unlabelled = a[f"pos_predicted_labeled_{tag}"], a[f"pos_predicted_unlabeled_{tag}"]
        root, path_2d = a[f"traj_target_labeled_{tag}"], a[f"target_2d_unlabeled_{tag}"]
        back = unlabelled, a[f"traj_predicted_unlabeled_{tag}"], a[f"intrinsic_unlabeled_{tag}"].clone(), path_2d
        found = {
            "pos": mpjpe_loss(labelled, a[f"pos_target_labeled_{tag}"]),
            "traj": weighted_mpjpe_loss(a[f"traj_predicted_labeled_{tag}"], root, 1 / root[..., 2]),
            "projection": projection_loss(*back),
            "bone": bone_length_loss(labelled, unlabelled, data["parents"]),
        }
        found["total"] = sum(found.values())
        found["projection_linear"] = projection_loss(*back, distort=False)
        for name, value in found.items():
            np.testing.assert_allclose(
                value.numpy(), a[f"loss_{name}_{tag}"].numpy(), **data["tolerance"], err_msg=name
            )
        assert torch.equal(back[2], a[f"intrinsic_unlabeled_{tag}"])  # not changed in place


@pytest.mark.parametrize("case", cases("lag_scores", "similarity_R"))
def test_comparison(case):
    path, data = case
    a = case_arrays(path, data)
    c = compare_core(a["a"], a["b"], data["fps"], max_lag=data["max_lag"])
    found = {
        "channels_a": c.offset.channels[0],
        "channels_b": c.offset.channels[1],
        "channels_used": c.offset.used,
        "lag": c.offset.lag,
        "lag_fractional": c.offset.fractional,
        "lag_correlation": c.offset.correlation,
        "lag_scores": c.offset.scores,
        "root_mpjpe_mm": c.alignments["root"].mpjpe,
        "p_mpjpe_mm": c.p_mpjpe,
        "p_mpjpe_frames": c.p_mpjpe_frames,
        "left_shoulder_rmse_deg": c.angles["left_shoulder"].rmse,
        "left_shoulder_rom_deg": c.angles["left_shoulder"].rom,
        "left_shoulder_pearson": c.angles["left_shoulder"].pearson,
    }
    for mode in ("rigid", "similarity"):
        one = c.alignments[mode]
        found |= {
            f"{mode}_scale": one.transform.scale,
            f"{mode}_R": one.transform.rotation,
            f"{mode}_t": one.transform.translation,
            f"{mode}_mpjpe_mm": one.mpjpe,
            f"{mode}_per_joint_mm": one.per_joint,
            f"{mode}_mpjve_mm_per_frame": one.velocity,
        }
    for name, q in zip("ab", c.sequences, strict=True):
        found |= {
            f"{name}_missing_rate": q.missing,
            f"{name}_spikes": q.spikes,
            f"{name}_jumps": q.jumps,
            f"{name}_jitter_m_s2": q.jitter,
            f"{name}_bone_cv": q.bone_variation,
        }
        found |= {f"{side}_{name}": getattr(c.angles[side], name) for side in ("left_elbow", "left_shoulder")}
    for name, value in found.items():
        loose = {"atol": 1e-5, "rtol": 1e-6} if name.startswith("channels_") else data["tolerance"]
        np.testing.assert_allclose(np.asarray(value, dtype=float), a[name].astype(float), **loose, err_msg=name)
