"""The published DepthPose decoder: whole images with and without the flip step, and its single steps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import case_arrays, params, parity_cases

from orplugins.depthpose.paf.assemble import assemble_published
from orplugins.depthpose.paf.layout import NUM_JOINTS, NUM_LIMBS, NUM_PAF_CHANNELS
from orplugins.depthpose.paf.published import (
    Peaks,
    connect_published,
    decode_published,
    enlarged_maps,
    find_peaks_published,
)
from orplugins.depthpose.paf.types import PafDecodeSettings

SYSTEM = "depthpose"
PERSON, PEAK, SAMPLE = 1e-3, 1e-4, 2e-5  # absolute tolerances of scores; joints, ids and counters are exact
FILES = [(name, path, data) for name, path, data in parity_cases(SYSTEM)
         if data.get("stages") or any("plain" in case or "flip" in case for case in data.get("cases", []))]  # fmt: skip


def _settings(data: dict) -> PafDecodeSettings:
    known = {field.name for field in dataclasses.fields(PafDecodeSettings)}
    return PafDecodeSettings(**{name: value for name, value in data.get("parameters", {}).items() if name in known})


def _scenes() -> list[tuple]:
    return [
        (f"{name}/{case['name']}/{mode}", (path, data, case, mode))
        for name, path, data in FILES
        for case in data.get("cases", [])
        for mode in ("plain", "flip")
        if mode in case
    ]


def _stages(kind: str) -> list[tuple]:
    return [
        (f"{name}/{kind}/{stage}", (data, case))
        for name, _, data in FILES
        for stage, case in data.get("stages", {}).get(kind, {}).items()
    ]


def _compare_peaks(peaks: Peaks, expected: list) -> None:
    expected = np.array(expected, dtype=np.float64).reshape(-1, 5)
    np.testing.assert_array_equal(peaks.xy, expected[:, :2])
    np.testing.assert_array_equal(np.arange(len(peaks.types)), expected[:, 3])
    np.testing.assert_array_equal(peaks.types, expected[:, 4])
    np.testing.assert_allclose(peaks.scores, expected[:, 2], rtol=0, atol=PEAK)


def _compare_connections(found: list, expected: list) -> None:
    found, expected = (np.array(limb, dtype=np.float64).reshape(-1, 3) for limb in (found, expected))
    np.testing.assert_array_equal(found[:, :2], expected[:, :2])
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=0, atol=PEAK)


def _compare_persons(found: np.ndarray, expected: list) -> None:
    expected = np.array(expected, dtype=np.float64).reshape(-1, NUM_JOINTS + 2)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(np.delete(found, NUM_JOINTS, axis=1), np.delete(expected, NUM_JOINTS, axis=1))
    np.testing.assert_allclose(found[:, NUM_JOINTS], expected[:, NUM_JOINTS], rtol=0, atol=PERSON)


@pytest.mark.parametrize("scene", params(_scenes(), SYSTEM))
def test_scene(scene):
    path, data, case, mode = scene
    settings, answer, arrays = _settings(data), case[mode], case_arrays(path, case)
    names = ["heat", "paf"] + (["flip_heat", "flip_paf"] if mode == "flip" else [])
    maps = [_map(arrays[f"{case['name']}.{name}"]) for name in names]
    network_maps = maps[0], maps[1], case["scale"], *maps[2:]

    heat, paf = enlarged_maps(*network_maps)
    assert heat.shape[1:] == paf.shape[1:] == (case["image_height"], case["image_width"])
    for sample in answer["samples"]:
        y, x = sample["at"]
        np.testing.assert_allclose(heat[:, y, x], sample["heat"], rtol=0, atol=SAMPLE)
        np.testing.assert_allclose(paf[:, y, x], sample["paf"], rtol=0, atol=SAMPLE)
    peaks = find_peaks_published(heat, settings)
    _compare_peaks(peaks, answer["peaks"])
    connections = connect_published(paf, peaks, settings)
    assert len(connections) == len(answer["connections"]) == NUM_LIMBS
    for limb, expected in zip(connections, answer["connections"], strict=True):
        _compare_connections(limb, expected)
    _compare_persons(assemble_published(peaks.scores, connections, settings), answer["persons"])

    poses = decode_published(*network_maps, settings=settings)
    assert len(poses) == len(answer["results"])
    for k, result in enumerate(answer["results"]):
        expected = np.array(result["keypoints"]).reshape(-1, 3)
        np.testing.assert_array_equal(poses.keypoints[k], expected[:, :2])
        np.testing.assert_array_equal(poses.keypoint_scores[k] > 0, expected[:, 2] > 0)
        np.testing.assert_allclose(poses.scores[k], result["score"], rtol=0, atol=PERSON)


def _map(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) / 512 if values.dtype == np.int16 else values.astype(np.float32)


@pytest.mark.parametrize("stage", params(_stages("peaks"), SYSTEM))
def test_peak_step(stage):
    data, case = stage
    peaks = find_peaks_published(np.array(case["map"], dtype=np.float32)[None], _settings(data))
    expected = np.array(case["peaks"], dtype=np.float64).reshape(-1, 3)
    np.testing.assert_array_equal(peaks.xy, expected[:, :2])
    np.testing.assert_allclose(peaks.scores, expected[:, 2], rtol=0, atol=PEAK)


@pytest.mark.parametrize("stage", params(_stages("limbs"), SYSTEM))
def test_limb_step(stage):
    data, case = stage
    # The cases' own field: 40 x 60 with neck -> right shoulder in channels 12 and 13.
    paf = np.zeros((NUM_PAF_CHANNELS, 40, 60), dtype=np.float32)
    for start, stop, x, y in case["paf_columns"]:
        paf[12, :, int(start) : int(stop)], paf[13, :, int(start) : int(stop)] = x, y
    joints = [(*joint, 1) for joint in case["neck"]] + [(*joint, 2) for joint in case["right_shoulder"]]
    table = np.array(joints, dtype=np.float64).reshape(-1, 4)
    peaks = Peaks(table[:, :2].astype(np.int64), table[:, 2], table[:, 3].astype(np.int64))
    connections = connect_published(paf, peaks, _settings(data))
    _compare_connections(connections[0], case["connections"])
    assert not any(connections[1:])


@pytest.mark.parametrize("stage", params(_stages("persons"), SYSTEM))
def test_person_step(stage):
    data, case = stage
    connections = [case["connections"].get(str(limb), []) for limb in range(NUM_LIMBS)]
    scores = np.array([score for _, score in case["joints"]], dtype=np.float64)
    _compare_persons(assemble_published(scores, connections, _settings(data)), case["persons"])
