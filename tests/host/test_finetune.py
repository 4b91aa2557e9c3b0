"""Every network is fine-tuned by its host in two steps, from the command line, and goes on after a kill."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("detectron2")

from mmengine.config import Config  # noqa: E402

from orplugins.cli.finetune import NO_BETTER, main  # noqa: E402
from orplugins.depthpose.mmpose.finetune import FinetuneDepth  # noqa: E402
from orplugins.finetune.job import finetune  # noqa: E402
from orplugins.finetune.settings import FinetuneSettings  # noqa: E402
from orplugins.io.weights import read_weights  # noqa: E402
from orplugins.partial_body.detector_set import write_detector_set  # noqa: E402
from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TINY = (
    str(ROOT / "configs/mmpose/depthpose/depthpose_tiny-64x48.py"),
    str(ROOT / "demo/depthpose_tiny-64x48.safetensors"),
)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Path:
    """Five pictures in every form."""
    out = tmp_path_factory.mktemp("room")
    write_dataset(out, 5, seed=3, size=(160, 120), people=(2, 3), color=True)
    return out


def rows(text: str) -> dict[str, float]:
    return {line.split(" | ")[1]: line for line in text.splitlines() if line.startswith("| held-out")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "labels", "expected"),
    [
        ("depthpose", "coco17.json", {"AP", "PCK@0.1"}),
        ("depthpose", "mvor.json", {"AP", "PCK@0.1"}),
        ("orpose-color", "coco17_color.json", {"AP of boxes and joints", "box AP", "joint AP"}),
        ("partial-body", "coco17_color.json", {"AP", "PCK@0.1", "states right"}),
    ],
)
def test_command(method, labels, expected, room, tmp_path, capsys):
    size = ["--size", "160x120"] if method == "orpose-color" else []
    code = main(
        [method, str(room / "annotations" / labels), "--images", str(room), "--out", str(tmp_path / "out")]
        + ["--iterations", "2", "--batch", "2", "--device", "cpu", *size]
    )
    printed = capsys.readouterr().out
    assert code in (0, NO_BETTER), printed
    assert expected <= set(rows(printed)) and re.search(r"step \d+ of", printed)
    assert (tmp_path / "out/weights.safetensors").exists() == (code == 0)
    assert ("better: " in printed) == (code == 0) or "no better than before" in printed
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["better"] == (code == 0) and "orplugins finetune" in (tmp_path / "out/card.md").read_text()


@pytest.mark.slow
def test_detector(room, tmp_path, capsys):
    write_detector_set(room / "annotations/coco17_color.json", room, tmp_path / "set")
    images = str(tmp_path / "set/images")
    truth = str(tmp_path / "set/annotations/train.json")
    code = main(
        ["partial-body-detector", truth, "--images", images, "--out", str(tmp_path / "out")]
        + ["--iterations", "2", "--batch", "2", "--device", "cpu", "--val", truth]
    )
    assert code in (0, NO_BETTER) and {"AP", "AP50"} <= set(rows(capsys.readouterr().out))


def test_a_killed_run_ends_with_the_same_weights(room, tmp_path):
    config, weights = TINY
    settings = dict(annotations=room / "annotations/coco17.json", images=room, config=config, weights=weights)
    settings |= dict(iterations=3, batch=2, device="cpu", lr=1e-3)

    def job(out: str, say):
        return finetune(FinetuneDepth, FinetuneSettings(out=tmp_path / out, **settings), "finetune", say)

    def stop(line: str) -> None:
        if line.startswith("step 2 of"):
            raise KeyboardInterrupt

    whole = job("whole", lambda line: None)
    with pytest.raises(KeyboardInterrupt):
        job("killed", stop)
    lines: list[str] = []
    resumed = job("killed", lines.append)
    assert not any(line.startswith("step 1 of") for line in lines)
    assert (resumed.before, resumed.after, resumed.step) == (whole.before, whole.after, whole.step)
    states = [
        read_weights(tmp_path / out / "training/trained.safetensors")["state_dict"] for out in ("whole", "killed")
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    start = read_weights(weights)["state_dict"]
    assert states[0].keys() == start.keys()
    assert any(not torch.equal(states[0][name], start[name]) for name in start)
    # Once more: nothing is left to do. With other settings the results are kept.
    lines.clear()
    assert job("killed", lines.append).after == whole.after and not any(line.startswith("step") for line in lines)
    settings["lr"] = 1e-4
    with pytest.raises(ValueError, match="results with other settings: lr '0.001' .now '0.0001'."):
        job("killed", lines.append)


def test_errors_are_one_line(room, tmp_path, capsys):
    truth = json.loads((room / "annotations/coco17.json").read_text())
    truth["categories"][0]["keypoints"][0] = "snout"
    (tmp_path / "labels.json").write_text(json.dumps(truth))
    good = str(room / "annotations/coco17.json")
    for arguments, message in (
        ([str(tmp_path / "labels.json"), "--images", str(room)], "'snout' is no known joint"),
        ([good, "--images", str(tmp_path)], "images are missing below"),
        ([good, "--images", str(room), "--config", TINY[0]], "is given without weights"),
        ([good, "--images", str(room), "--val", "1.5"], "held-out share: found 1.5"),
        ([good, "--images", str(room), "--depth-unit-mm", "0.05"], "depth-unit-mm"),
        ([str(room / "nothing.json"), "--images", str(room)], "no such file"),
    ):
        assert main(["depthpose", *arguments, "--out", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err.strip()
        assert error.startswith("error: ") and message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out/weights.safetensors").exists()


def test_what_is_not_labelled_does_not_train(room, tmp_path):
    """Maps of joints that the file lacks are left alone by the loss, whatever they are."""
    from mmengine.dataset import pseudo_collate
    from mmpose.registry import DATASETS, MODELS

    from orplugins.finetune.method import LabelledSet
    from orplugins.skeletons import COCO_17, OPENPOSE_18

    config, weights = TINY
    settings = FinetuneSettings(room / "annotations/mvor.json", room, tmp_path, config, weights)
    method = FinetuneDepth(settings, config, weights)
    labels = method.read(settings.annotations)
    assert set(labels.known) == {j for j in COCO_17.joints if j.split("_")[-1] in {"shoulder", "elbow", "wrist", "hip"}}
    (tmp_path / "labels.json").write_text(json.dumps(labels.data))
    dataset = method.dataset(LabelledSet(labels, tmp_path / "labels.json", room))
    np.random.seed(0)
    batch = pseudo_collate([DATASETS.build(dataset)[0]])
    cfg = Config.fromfile(config)
    model = MODELS.build({**cfg.model, "head": {**cfg.model.head, "reconstruction": None}}).train()
    data = model.data_preprocessor(batch, True)
    fields = data["data_samples"][0].gt_fields
    assert not fields.heatmap_mask[OPENPOSE_18.index("nose")].any()
    assert fields.heatmap_mask[OPENPOSE_18.index("left_wrist")].any()
    before = model(**data, mode="loss")["loss_heatmap"]
    fields.heatmaps[OPENPOSE_18.index("nose")] += 100
    assert torch.equal(model(**data, mode="loss")["loss_heatmap"], before)
