"""Two views of one picture, and of its labels."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from adaptor_sets import labelled_set, pictures

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

from detectron2.config import get_cfg  # noqa: E402
from detectron2.data import DatasetCatalog  # noqa: E402
from detectron2.data import transforms as T  # noqa: E402

from orplugins.adaptor.detectron2.config import add_adaptor_config  # noqa: E402
from orplugins.adaptor.detectron2.datasets import register_labelled  # noqa: E402
from orplugins.adaptor.detectron2.mapper import StrongView, TwoViewMapper  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402


def nothing(picture, factors):
    return picture


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp("mapper")
    file = labelled_set(folder, 2)
    register_labelled("adaptor_mapper", file, folder / "images")
    return DatasetCatalog.get("adaptor_mapper")


@pytest.fixture
def cfg():
    cfg = get_cfg()
    add_adaptor_config(cfg)
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = True
    cfg.INPUT.FORMAT, cfg.INPUT.MASK_FORMAT = "RGB", "bitmask"
    cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN = (64, 80, 96), 200
    cfg.DATASETS.TRAIN_LBL = ("adaptor_mapper",)
    return cfg


def test_views_of_one_record_agree_when_their_geometry_is_undone(records, cfg):
    cfg.UDA.APPLY_GEOMETRIC_TRANSFORM = cfg.UDA.APPLY_RAND_AUGMENT = True
    mapper, before, flips = TwoViewMapper(cfg), copy.deepcopy(records), []
    for seed in range(12):
        np.random.seed(seed)
        weak, strong = mapper(records[seed % 2])
        (h, w), (height, width) = (each["image"].shape[1:] for each in (weak, strong))
        assert weak["flip_enable"] == strong["flip_enable"]
        flips.append(weak["flip_enable"])
        # What the trainer does to pseudo labels must take one view's labels to the other's.
        scale = np.array([width / w, height / h])
        joints = weak["instances"].gt_keypoints.tensor.numpy()[..., :2] * scale
        mask = weak["instances"].gt_masks.tensor.numpy()
        if weak["flip_enable"]:
            joints[..., 0] = width - joints[..., 0]
            joints, mask = joints[:, COCO_17.flip_indices], mask[..., ::-1]
        np.testing.assert_allclose(joints, strong["instances"].gt_keypoints.tensor.numpy()[..., :2], atol=1e-3)
        shares = [each.reshape(2, -1).mean(1) for each in (mask, strong["instances"].gt_masks.tensor.numpy())]
        np.testing.assert_allclose(*shares, atol=0.02)
    assert len(set(flips)) == 2
    assert str(records) == str(before)


def test_without_own_geometry_both_views_have_one_and_nobody_is_mirrored(records, cfg):
    cfg.UDA.APPLY_RAND_AUGMENT, cfg.UDA.APPLY_GEOMETRIC_TRANSFORM = False, False
    weak, strong = TwoViewMapper(cfg)(records[0])
    assert not weak["flip_enable"]
    torch.testing.assert_close(weak["image"], strong["image"])
    torch.testing.assert_close(weak["instances"].gt_boxes.tensor, strong["instances"].gt_boxes.tensor)


def test_only_the_strong_view_is_changed_and_in_the_order_of_colours(records):
    seen = []

    def red(picture, factors):
        seen.append(picture[0, 0].tolist())
        picture = picture.copy()
        picture[..., 0] = 255
        return picture

    for order, channel in (("RGB", 0), ("BGR", 2)):
        geometry = [T.ResizeShortestEdge(64, 200)]
        mapper = TwoViewMapper(geometry=geometry, strong=red, image_format=order, mask_format="bitmask")
        weak, strong = mapper(records[0])
        assert (strong["image"][channel] == 255).all() and not (weak["image"][channel] == 255).all()
        rest = [k for k in range(3) if k != channel]
        torch.testing.assert_close(weak["image"][rest], strong["image"][rest])
    assert seen[0] == seen[1]


def test_a_set_says_how_far_its_pictures_are_reduced_and_else_the_path_does(records):
    asked = []
    mapper = TwoViewMapper(
        geometry=[], strong=lambda picture, factors: asked.append(factors) or picture, mask_format="bitmask"
    )
    mapper(records[0])
    mapper({**records[0], "low_resolution": (2.0, 3.0)})
    assert asked == [(1.0, 4.0), (2.0, 3.0)]


def test_target_pictures_have_no_labels_and_need_no_size(tmp_path):
    folder = pictures(tmp_path / "target", 1)
    mapper = TwoViewMapper(geometry=[], strong=nothing)
    weak, strong = mapper({"file_name": str(folder / "0.png"), "image_id": 0})
    assert "instances" not in weak and "instances" not in strong
    assert (weak["width"], weak["height"]) == (96, 64)


def test_crowds_are_left_out_and_unused_labels_dropped(records):
    record = copy.deepcopy(records[0])
    record["annotations"][0]["iscrowd"] = 1
    weak, _ = TwoViewMapper(geometry=[], strong=nothing, use_masks=False)(record)
    found = weak["instances"]
    assert len(found) == 1 and not found.has("gt_masks") and not found.has("gt_keypoints")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["INPUT.CROP.ENABLED", True], "INPUT.CROP.ENABLED: found True, expected False"),
        (["INPUT.RANDOM_FLIP", "vertical"], "INPUT.RANDOM_FLIP: found 'vertical', expected 'horizontal' or 'none'"),
        (["INPUT.FORMAT", "L"], "INPUT.FORMAT: found 'L'"),
        (["INPUT.MASK_FORMAT", "rle"], "INPUT.MASK_FORMAT: found 'rle'"),
    ],
)
def test_what_labels_could_not_follow_is_refused(records, cfg, keys, message):
    cfg.merge_from_list(keys)
    with pytest.raises(ValueError, match=message):
        TwoViewMapper(cfg)


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(ValueError, match=r"broken.png: cannot be read"):
        TwoViewMapper(geometry=[])({"file_name": str(tmp_path / "broken.png")})


def test_shares_of_strong_views():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    view = StrongView(augment=True, holes=False, low_resolution=True, shares=(0.0, 0.0))
    smooth = view(picture, (6.0, 6.0))  # never augmented: a low resolution alone
    assert (
        np.abs(np.diff(smooth.astype(int), axis=0)).mean() < 0.4 * np.abs(np.diff(picture.astype(int), axis=0)).mean()
    )
    assert StrongView(augment=False, low_resolution=False)(picture, (1.0, 4.0)) is picture
