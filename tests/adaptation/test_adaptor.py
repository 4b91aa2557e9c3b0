"""AdaptOR's network adapted to a generated recording: files, resuming, what is refused, the command's code."""

import json
from pathlib import Path

import numpy as np
import pytest

from orplugins.adaptation.agreement import AgreementRules, FrameLabels
from orplugins.adaptation.method import Labelled, Lesson

from .generated import write_recording

ROOT = Path(__file__).resolve().parents[2]
CONFIG, SUPERVISED = (
    str(ROOT / f"configs/detectron2/adaptor/{name}.yaml") for name in ("adaptor_tiny_adapt", "adaptor_tiny")
)
SIZE = (64, 48)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """An untrained network: it is half sure of everything."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("detectron2")
    from detectron2.modeling import build_model

    from orplugins.adaptor.detectron2.trainer import read_config
    from orplugins.io.weights import write_weights

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("adaptor") / "weights.safetensors"
    write_weights(path, build_model(read_config(SUPERVISED, ["MODEL.DEVICE", "cpu"])).state_dict(), {})
    return str(path)


@pytest.mark.slow
def test_a_recording_is_adapted_to_and_the_same_command_goes_on(weights, tmp_path, monkeypatch, capsys):
    from orplugins.adaptor.adapt import AdaptorMethod
    from orplugins.cli.adapt import main
    from orplugins.io.weights import read_weights

    monkeypatch.setattr(AdaptorMethod, "rules", AgreementRules(sure=0.1, sure_still=0.1, least_presence=0.2))
    write_recording(tmp_path / "frames", 22, SIZE, color=True)
    arguments = [str(tmp_path / "frames"), "--out", str(tmp_path / "out"), "--method", "adaptor", "--iterations", "2"]
    arguments += ["--size", "128x96", "--device", "cpu", "--config", CONFIG, "--weights", weights]
    code = main(arguments)
    printed = capsys.readouterr()
    assert code in (0, 3), printed.err
    facts = json.loads((tmp_path / "out/adaptation.json").read_text())
    assert facts["method"] == "AdaptOR" and facts["size"] == [128, 96] and facts["iterations"] == 2
    student = tmp_path / "out/round1/student/student.safetensors"
    names = read_weights(student)["state_dict"]
    assert any("aux_bn" in name for name in names)  # the target's own pairs
    made = student.stat().st_mtime_ns
    assert main(arguments) == code and student.stat().st_mtime_ns == made
    scalars = [json.loads(line) for line in (student.parent / "metrics.json").read_text().splitlines()]
    assert any("adaptor/labels_per_picture" in row for row in scalars)


def test_sizes_and_factors_follow_the_recording(weights, tmp_path):
    from detectron2.data import DatasetCatalog, MetadataCatalog

    from orplugins.adaptor.detectron2.adapt import Recording, student_config

    write_recording(tmp_path / "frames", 2, SIZE, color=True)
    frames = sorted((tmp_path / "frames").iterdir())
    recording = Recording(tmp_path / "source.json", frames, (1.0, 5.0), (1.0, 1.2), (128, 96), tmp_path / "out")
    cfg = student_config(CONFIG, weights, recording, 40, 3, "cpu")
    assert cfg.INPUT.MIN_SIZE_TRAIN == (82, 96, 110) and cfg.SOLVER.MAX_ITER == 40 and cfg.SEED == 3
    (source,), (target,) = cfg.DATASETS.TRAIN_LBL, cfg.DATASETS.TRAIN_UNLBL
    assert MetadataCatalog.get(source).low_resolution == (1.0, 5.0)
    assert MetadataCatalog.get(target).low_resolution == (1.0, 1.2)
    assert [record["file_name"] for record in DatasetCatalog.get(target)] == [str(path) for path in frames]


def test_a_config_without_a_teacher_and_missing_weights_are_refused(weights, tmp_path, capsys):
    from orplugins.cli.adapt import main

    write_recording(tmp_path / "frames", 22, SIZE, color=True)
    arguments = [str(tmp_path / "frames"), "--out", str(tmp_path / "out"), "--method", "adaptor", "--config"]
    assert main([*arguments, SUPERVISED, "--weights", weights]) == 1
    assert "UDA.ENABLE is False" in capsys.readouterr().err
    assert main([*arguments, CONFIG, "--weights", str(tmp_path / "none.safetensors")]) == 1
    assert "none.safetensors" in capsys.readouterr().err


def test_no_source_is_refused(tmp_path):
    from orplugins.adaptor.adapt import AdaptorMethod

    method = AdaptorMethod(CONFIG, "weights", (128, 96))
    nobody = FrameLabels(None, np.zeros(0, dtype=bool), np.zeros((0, 4)))
    lesson = Lesson([Labelled(tmp_path / "a.png", nobody)], "weights", 0, 0, tmp_path / "student")
    with pytest.raises(ValueError, match="rooms: found 0"):
        method.train(lesson)
