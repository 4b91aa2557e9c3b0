"""AdaptOR's pseudo labels, losses, and the steps of student and teacher."""

from __future__ import annotations

import re

import adaptor as ad
import numpy as np
import pytest
from cases import case_arrays

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.layers import ShapeSpec  # noqa: E402
from detectron2.modeling.box_regression import Box2BoxTransform  # noqa: E402
from detectron2.modeling.roi_heads.mask_head import mask_rcnn_loss  # noqa: E402
from detectron2.structures import BitMasks, Boxes, Instances, PolygonMasks  # noqa: E402
from detectron2.utils.events import EventStorage  # noqa: E402

from orplugins.adaptor.detectron2.heads import FocalOutputLayers  # noqa: E402
from orplugins.adaptor.detectron2.mutual import MutualSettings, MutualTrainer  # noqa: E402
from orplugins.adaptor.detectron2.roi_masks import FramedMasks  # noqa: E402
from orplugins.adaptor.detectron2.teacher import Labelling, build_teacher, label_pictures  # noqa: E402
from orplugins.adaptor.ema import TeacherSchedule  # noqa: E402
from orplugins.adaptor.losses import UnlabelledWeights, focal_loss  # noqa: E402
from orplugins.adaptor.pseudo_labels import Thresholds  # noqa: E402


class Answers:
    """A teacher whose answers are given."""

    def __init__(self, results: list[Instances]):
        self.results = results

    def modules(self) -> list:
        return []

    def inference(self, records: list[dict], do_postprocess: bool) -> list[Instances]:
        assert not do_postprocess
        return self.results


@pytest.mark.parametrize("case", ad.cases("kept_images_in_order"))
@pytest.mark.parametrize("aligned", [False, True])
def test_pseudo_labels(case, aligned):
    path, data = case
    arrays, limits = case_arrays(path, data), data["meta"]["thresholds"]
    results, weak, strong = [], [], []
    for name, image in data["images"].items():
        given = {key: torch.tensor(arrays[f"in_{name}_{key}"]) for key in ("boxes", "scores", "keypoints", "masks")}
        found = Instances(tuple(image["weak_size_hw"]), pred_boxes=Boxes(given["boxes"]), scores=given["scores"])
        found.pred_keypoints, found.pred_masks = given["keypoints"], given["masks"]
        results.append(found)
        for records, size in ((weak, image["weak_size_hw"]), (strong, image["strong_size_hw"])):
            records.append({"image": torch.zeros(3, *size), "flip_enable": image["flip"], "name": name})
    thresholds = Thresholds(limits["box"], limits["keypoint"], limits["mask"])
    labelling = Labelling(thresholds, aligned, tuple(data["meta"]["flip_order"]))
    records, found = label_pictures(Answers(results), weak, strong, labelling)
    assert [record["name"] for record in records] == [str(name) for name in data["kept_images_in_order"]]
    assert (found.pictures, found.labelled) == (len(weak), len(records))
    assert found.people == sum(image.get("labels", 0) for image in data["images"].values())
    for record in records:
        name, labels = record["name"], record["instances"]
        assert labels.image_size == tuple(data["images"][name]["strong_size_hw"])
        ad.close(labels.gt_boxes.tensor, arrays[f"out_{name}_boxes"], 0, 1e-3)
        ad.close(labels.gt_keypoints.tensor, arrays[f"out_{name}_keypoints"], 0, 1e-3)
        np.testing.assert_array_equal(labels.gt_masks.masks, arrays[f"out_{name}_masks"])
        np.testing.assert_array_equal(labels.gt_classes, arrays[f"out_{name}_classes"])
        assert (labels.gt_masks.boxes is not None) == aligned
    for number, record in zip(data["kept_images_in_order"], records, strict=True):
        assert record["image"] is strong[list(data["images"]).index(str(number))]["image"]


@pytest.mark.parametrize("case", ad.cases("focal", "box", "mask"))
def test_focal_loss(case):
    path, data = case
    arrays = case_arrays(path, data)
    for name, each in data["focal"].items():
        logits = torch.tensor(arrays[f"focal_{name}_logits"], requires_grad=True)
        found = focal_loss(logits, torch.tensor(arrays[f"focal_{name}_targets"]), each["gamma"])
        ad.close(found, np.array(each["loss_cls (sum / rows)"]), 1e-5, 1e-6, name)
        (found * len(logits)).backward()
        ad.close(found * len(logits), np.array(each["sum"]), 1e-5, 1e-6, name)
        ad.close(logits.grad, arrays[f"focal_{name}_grad_of_sum"], 1e-4, 1e-6, name)


@pytest.mark.parametrize("case", ad.cases("focal", "box", "mask"))
def test_box_losses(case):
    path, data = case
    arrays = case_arrays(path, data)
    for name, each in data["box"].items():
        part = {
            key: torch.tensor(arrays[f"box_{name}_{key}"]) for key in ("proposals", "gt", "classes", "logits", "deltas")
        }
        classes = part["logits"].shape[1] - 1
        layers = FocalOutputLayers(
            ShapeSpec(channels=4),
            box2box_transform=Box2BoxTransform((10, 10, 5, 5)),
            num_classes=classes,
            smooth_l1_beta=0.5,
        )
        proposals = []
        for rows in torch.arange(len(part["logits"])).split(each["proposals_per_image"]):
            found = Instances((100, 100), proposal_boxes=Boxes(part["proposals"][rows]))
            found.gt_boxes, found.gt_classes = Boxes(part["gt"][rows]), part["classes"][rows]
            proposals.append(found)
        predictions = part["logits"].requires_grad_(), part["deltas"].requires_grad_()
        with EventStorage():
            losses = layers.losses(predictions, proposals)
        for key, value in each["losses"].items():
            ad.close(losses[key], np.array(value), 1e-5, 1e-6, f"{name} {key}")
        sum(losses.values()).backward()
        ad.close(predictions[0].grad, arrays[f"box_{name}_grad_logits"], 1e-4, 1e-6, name)
        ad.close(predictions[1].grad, arrays[f"box_{name}_grad_deltas"], 1e-4, 1e-6, name)


@pytest.mark.parametrize("case", ad.cases("focal", "box", "mask"))
def test_mask_loss(case):
    """The stock loss, with masks in boxes, bit masks and polygons."""
    path, data = case
    arrays = case_arrays(path, data)
    for name, each in data["mask"].items():
        instances = []
        for number in range(len(each["instances_per_image"])):
            boxes = torch.tensor(arrays[f"mask_{name}_proposals_{number}"])
            found = Instances((60, 80), proposal_boxes=Boxes(boxes), gt_classes=torch.zeros(len(boxes)).long())
            if f"mask_{name}_polygons_{number}" in arrays:
                found.gt_masks = PolygonMasks([[row] for row in arrays[f"mask_{name}_polygons_{number}"]])
            else:
                masks = torch.tensor(arrays[f"mask_{name}_masks_{number}"])
                plain = masks.shape[1:] == arrays[f"mask_{name}_logits"].shape[2:]
                found.gt_masks = FramedMasks(masks) if plain else BitMasks(masks)
            instances.append(found)
        logits = torch.tensor(arrays[f"mask_{name}_logits"], requires_grad=True)
        with EventStorage() as storage:
            loss = mask_rcnn_loss(logits, instances)
            scalars = {key: value for key, (value, _) in storage.latest().items()}
        ad.close(loss, np.array(each["loss_mask"]), 1e-5, 1e-6, name)
        for key, value in each["scalars"].items():
            assert scalars[key] == pytest.approx(value, rel=1e-5), (name, key)
        loss.backward()
        ad.close(logits.grad, arrays[f"mask_{name}_grad"], 1e-4, 1e-6, name)


TERMS = ("loss_cls", "loss_box_reg", "loss_mask", "loss_keypoint", "loss_rpn_cls", "loss_rpn_loc")


class Numbered(torch.nn.Module):
    """The stand-in of the case `weights`: term number i of a batch is (i + 1) / 10 * sum of k."""

    def __init__(self, split: bool):
        super().__init__()
        self.split, self.calls = split, []
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, records: list[dict]):
        self.calls.append([record["k"] for record in records])
        half = len(records) // 2
        parts = (records[:half], records[half:]) if self.split else (records,)
        found = tuple(
            {
                term: self.weight * (number + 1) / 10 * sum(record["k"] for record in part)
                for number, term in enumerate(TERMS)
            }
            for part in parts
        )
        return found if self.split else found[0]


class Confident:
    """A teacher that finds somebody in the first `count` pictures."""

    def __init__(self, count: int):
        self.count = count

    def modules(self) -> list:
        return []

    def state_dict(self) -> dict:
        return {"weight": torch.ones(())}

    def inference(self, records: list[dict], do_postprocess: bool) -> list[Instances]:
        found = []
        for number in range(len(records)):
            scores = torch.tensor([0.9 if number < self.count else 0.1])
            found.append(Instances((8, 8), pred_boxes=Boxes(torch.tensor([[1.0, 1, 6, 6]])), scores=scores))
        return found


class Streams(list):
    """Steps that are given."""

    skip, unlabelled = 0, 10**6


def picture(**extra) -> dict:
    return {"image": torch.zeros(3, 8, 8, dtype=torch.uint8), **extra}


@pytest.mark.parametrize("case", ad.cases("weights", "weights_note"))
def test_weights_of_the_terms(case):
    _, data = case
    note = data["weights_note"]
    weights = UnlabelledWeights(note["lambda_u_keypoint"], note["lambda_u_mask"], note["lambda_u"])
    for name, each in data["weights"].items():
        labelled = [picture(k=k) for k in range(1, each["labelled_records"] + 1)]
        # As many pictures as the split needs, of which the teacher finds somebody in the first ones.
        count = max(each["pseudo_records"], each["labelled_records"])
        strong = [picture(k=k) for k in range(10, 10 + count)]
        half = len(labelled) // 2
        step = (labelled[:half], labelled[half:], [picture() for _ in strong], strong)
        model = Numbered(each["split_norm"])
        settings = MutualSettings(
            TeacherSchedule(0, 10, 0.0, 0.9, 1), weights=weights, split=each["split_norm"], published_fallback=True
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        trainer = MutualTrainer(model, Confident(each["pseudo_records"]), Streams([step]), optimizer, settings)
        with EventStorage() as storage:
            trainer.iter = 0
            trainer.run_step()
            logged = {key: value for key, (value, _) in storage.latest().items()}
        assert model.calls == each["forward_calls"], name
        assert {key: logged[key] for key in each["terms"]} == pytest.approx(each["terms"], rel=1e-5), name
        assert {key for key in logged if key.startswith("loss")} == set(each["terms"]), name
        assert logged["total_loss"] == pytest.approx(each["total"], rel=1e-5), name


class Toy(torch.nn.Module):
    """The stand-in of the case `ema_steps`, see there."""

    def __init__(self, start, threshold: float, split: bool):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(start))
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.threshold, self.split = threshold, split

    def channel_means(self, record: dict):
        return record["image"].float().mean((1, 2))

    def forward(self, records: list[dict]):
        self.seen += len(records)
        self.count += len(records)
        half = len(records) // 2
        parts = (records[:half], records[half:]) if self.split else (records,)
        found = []
        for part in parts:
            values = [
                (self.w * self.channel_means(record)).sum() * (1 + 0.1 * len(record["instances"])) / 50
                for record in part
            ]
            s = torch.stack(values).mean() + 0.5 * (self.w**2).sum()
            found.append({"loss_cls": s, "loss_keypoint": 0.5 * s, "loss_mask": 0.25 * s})
        return tuple(found) if self.split else found[0]

    def inference(self, records: list[dict], do_postprocess: bool) -> list[Instances]:
        results = []
        for record in records:
            high = 0.95 if (self.w * self.channel_means(record)).sum() > self.threshold else 0.2
            found = Instances((6, 8), pred_boxes=Boxes(torch.tensor([[1.0, 1, 6, 6], [1.0, 1, 6, 6]])))
            found.scores = torch.tensor([high, 0.1])
            results.append(found)
        return results


def toy_steps(pictures: np.ndarray, counts: list[int]) -> Streams:
    steps = Streams()
    for channels in pictures:
        records = []
        for row in channels:
            image = torch.tensor(row, dtype=torch.uint8)[:, None, None].expand(3, 6, 8)
            truth = Instances((6, 8), gt_boxes=Boxes(torch.tensor([[1.0, 1, 6, 6], [2.0, 1, 6, 6]])))
            records.append({"image": image, "instances": truth, "flip_enable": False})
        ends = np.cumsum([0, *counts])
        steps.append(tuple(records[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)))
    return steps


@pytest.mark.parametrize("case", ad.cases("runs", "stand_in_model"))
def test_steps_of_student_and_teacher(case):
    path, data = case
    arrays = case_arrays(path, data)
    rate, weight = (
        float(re.search(pattern, data["stand_in_model"])[1]) for pattern in (r"lr ([\d.]*\d)", r"published ([\d.]*\d)")
    )
    for name, run in data["runs"].items():
        pictures, start = arrays[f"{name}_pictures"], arrays[f"{name}_student_w"][0]
        counts = next(value for key, value in run.items() if key.startswith("records"))
        steps = toy_steps(pictures, counts)
        student = Toy(start, run["threshold"], run["split_norm"]).train()
        teacher = build_teacher(student)
        schedule = TeacherSchedule(
            run["TRAIN_SUP_ITER"], len(steps), run["EMA_DECAY_SUP"], run["EMA_DECAY"], run["EMA_UPDATE_PERIOD"]
        )
        settings = MutualSettings(
            schedule,
            weights=UnlabelledWeights(weight, weight, weight),
            strong_in_burn_in=run["ADD_STRONGAUG_EXAMPLES"],
            split=run["split_norm"],
            published_fallback=True,
        )
        optimizer = torch.optim.SGD(student.parameters(), lr=rate)
        trainer = MutualTrainer(student, teacher, steps, optimizer, settings)
        for number in range(len(steps) + 1):
            for who, network in (("student", student), ("teacher", teacher)):
                for key in ("w", "seen", "count"):
                    found = getattr(network, key)
                    note = f"{name}: {who}'s {key} after {number} steps"
                    ad.close(found, arrays[f"{name}_{who}_{key}"][number], 1e-5, 1e-6, note)
            if number == len(steps):
                break
            trainer.iter = number
            with EventStorage(number) as storage:
                trainer.run_step()
                logged = {key: value for key, (value, _) in storage.latest().items()}
            expected = run["logged"][number]
            assert {key: logged[key] for key in expected} == pytest.approx(expected, rel=1e-5, abs=1e-5), (name, number)
            assert {key for key in logged if "loss" in key} == set(expected), (name, number)
