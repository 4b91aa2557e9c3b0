"""Calibration from people on MVOR and on the take of the package pose2sim: far within what is promised."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orplugins.geometry.cameras import cameras_from_mvor
from orplugins.io.calibration import read_rig
from orplugins.io.json_fields import load_json
from orplugins.rig.calibrate import calibrate
from orplugins.rig.inputs import read_recording
from orplugins.rig.settings import Knowledge
from orplugins.rig.verdict import judge
from tests.rig.people import errors

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MVOR = Path(os.environ.get("ORPLUGINS_MVOR") or SHARED / "mvor")
TAKE = Path(os.environ.get("ORPLUGINS_POSE2SIM") or SHARED / "pose2sim")


def test_mvor_from_published_detections():
    annotations, detections = MVOR / "camma_mvor_2018.json", MVOR / "openpose_kps.json"
    if not detections.is_file() or not annotations.is_file():
        pytest.skip(f"no file {detections} (set ORPLUGINS_MVOR)")
    read = read_recording([detections], [annotations], annotations=annotations)
    assert read.names == ["cam1", "cam2", "cam3"] and read.focal
    true = cameras_from_mvor(load_json(annotations)["cameras_info"]["camParams"])
    found = calibrate(read.people, read.cameras, read.names, Knowledge())
    turns, places, scale = errors(found.cameras, true)
    assert turns.max() < 5 and places.max() < 0.20
    assert scale == pytest.approx(1.0, abs=0.05)
    assert not found.video and judge(found).trusted


def test_one_person_before_four_cameras():
    if not (TAKE / "Calib.qca.txt").is_file():
        pytest.skip(f"no file {TAKE / 'Calib.qca.txt'} (set ORPLUGINS_POSE2SIM)")
    rig = read_rig(TAKE / "Calib.qca.txt")
    read = read_recording(sorted((TAKE / "single").glob("cam*_json")), [TAKE / "Calib.qca.txt"])
    bare = [replace(camera, pose=np.eye(4)) for camera in read.cameras]
    found = calibrate(read.people, bare, read.names, Knowledge())
    turns, places, _ = errors(found.cameras, rig.cameras)
    assert turns.max() < 2.5 and places.max() < 0.2
    assert found.video and np.abs(found.offsets).max() < 0.3
