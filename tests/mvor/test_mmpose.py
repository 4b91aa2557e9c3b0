import json

import numpy as np
import pytest
from mvor_files import DETECTION, annotations, image_id, keypoint_results, shifted, write
from two_processes import evaluate_rank

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402
from mmpose.registry import DATASETS, METRICS  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402

from orplugins import skeletons  # noqa: E402
from orplugins.hosts.mmpose.metainfo import skeleton_metainfo  # noqa: E402
from orplugins.io.coco_results import load_box_results, load_keypoint_results  # noqa: E402

EMPTY = image_id(1, 3, 17)


@pytest.fixture
def ann_file(tmp_path):
    return write(tmp_path / "mvor.json", annotations())


def build(ann_file, **kwargs):
    init_default_scope("mmpose")
    return DATASETS.build({"type": "orplugins.MVORDataset", "ann_file": ann_file, **kwargs})


def metric(name, ann_file, **kwargs):
    return METRICS.build({"type": f"orplugins.{name}", "ann_file": ann_file, **kwargs})


def sample(image, poses, scores, tensors=True):
    """What a model hands to the evaluator for one image."""
    poses = np.array(poses, dtype=np.float32).reshape(-1, 17, 3)
    fields = {
        "keypoints": poses[..., :2],
        "keypoint_scores": poses[..., 2],
        "bbox_scores": np.array(scores, dtype=np.float32),
    }
    if tensors:
        fields = {key: torch.from_numpy(value) for key, value in fields.items()}
    out = PoseDataSample(metainfo={"img_id": image})
    out.pred_instances = InstanceData(**fields)
    return out.to_dict()


def samples():
    """One sample an image of the made-up file, two of them without people."""
    people = {entry["image_id"]: (np.array(entry["coco_keypoints"]), entry["score"]) for entry in keypoint_results()}
    return [
        sample(image["id"], *([[x] for x in people[image["id"]]] if image["id"] in people else [[], []]))
        for image in annotations()["images"]
    ]


# metainfo


@pytest.mark.parametrize("name", sorted(skeletons.SKELETONS))
def test_metainfo_says_what_the_joint_set_says(name):
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    skeleton = skeletons.SKELETONS[name]
    meta = parse_pose_metainfo(skeleton_metainfo(skeleton))
    assert meta["dataset_name"] == name and meta["num_keypoints"] == skeleton.num_joints
    assert tuple(meta["flip_indices"]) == skeleton.flip_indices
    assert tuple(map(tuple, meta["skeleton_links"])) == skeleton.limbs
    assert len(meta["sigmas"]) == skeleton.num_joints and (meta["sigmas"] > 0).all()


def test_metainfo_of_coco_has_mmposes_sigmas_and_colours():
    from mmpose.datasets import CocoDataset

    ours, theirs = skeleton_metainfo(skeletons.COCO_17), CocoDataset._load_metainfo(CocoDataset.METAINFO)
    np.testing.assert_allclose(ours["sigmas"], theirs["sigmas"])
    colours = [joint["color"] for joint in ours["keypoint_info"].values()]
    assert colours[5:] == theirs["keypoint_colors"].tolist()[5:]  # mmpose has the whole face in the middle's colour


# data set


def test_bottomup_records(ann_file):
    data = build(ann_file, data_root="/data", data_prefix={"img": "depth_64x48"}, test_mode=True)
    ids = [data.get_data_info(i)["img_id"] for i in range(len(data))]
    assert ids == sorted(image["id"] for image in annotations()["images"])
    record = data.get_data_info(ids.index(image_id(1, 2, 17)))
    assert record["img_path"] == "/data/depth_64x48/day1/cam2/depth/000017.png"
    assert record["keypoints"].shape == (2, 10, 2) and record["keypoints_visible"].tolist()[0] == [1] * 9 + [0]
    assert record["person_id"] == [0, -1] and record["category_id"].tolist() == [1, 1]
    assert record["raw_ann_info"][0]["id"] == 0
    empty = data.get_data_info(ids.index(EMPTY))
    assert empty["id"] == [] and "camera_poses" not in empty
    assert len(build(ann_file)) == 3  # training leaves out images without people
    assert data.metainfo["dataset_name"] == "mvor" and data.metainfo["num_keypoints"] == 10


def test_topdown_records_are_persons_with_joints(ann_file):
    data = build(ann_file, data_mode="topdown", modality="color", test_mode=True)
    assert len(data) == 3
    assert data.get_data_info(0)["img_path"].endswith("day1/cam1/color/000017.png")
    assert data.get_data_info(0)["bbox"].shape == (1, 4)


def test_topdown_with_a_box_file_of_string_categories(ann_file, tmp_path):
    boxes = [{"image_id": EMPTY, "category_id": "1", "bbox": [1, 2, 30, 40], "score": 0.5}]
    boxes.append({**boxes[0], "image_id": 5})
    path = write(tmp_path / "boxes.json", boxes)
    data = build(ann_file, data_mode="topdown", bbox_file=path, test_mode=True)
    assert len(data) == 1
    assert data.get_data_info(0)["bbox"].tolist() == [[1, 2, 31, 42]]


def test_records_with_3d(ann_file):
    data = build(ann_file, with_3d=True, test_mode=True)
    records = {record["img_id"]: record for record in map(data.get_data_info, range(len(data)))}
    record = records[image_id(1, 2, 17)]
    assert record["view"] == 1 and record["view_image_ids"] == [image_id(1, camera, 17) for camera in (1, 2, 3)]
    assert record["view_img_paths"][2] == "day1/cam3/depth/000017.png"
    assert record["camera_intrinsics"].shape == (3, 3, 3) and record["camera_poses"][2, 0, 3] == 2  # metres
    assert record["poses_3d"].shape == (1, 10, 3) and record["poses_3d"][0, 1, 2] == pytest.approx(2.05)
    assert record["poses_3d_present"].dtype == bool and record["poses_3d_present"].tolist() == [[False] + [True] * 9]
    assert records[EMPTY]["frame_id"] == record["frame_id"]


def test_3d_is_refused_where_there_is_none(tmp_path):
    content = annotations()
    for key in ("annotations3D", "multiview_images", "cameras_info"):
        del content[key]
    path = write(tmp_path / "depth.json", content)
    assert len(build(path, test_mode=True)) == 6
    with pytest.raises(ValueError, match="missing key 'cameras_info'"):
        build(path, with_3d=True)


def test_missing_images_are_named(ann_file, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"day1/cam2/depth/000017.png: no such file \(6 of 6"):
        build(ann_file, check_files=True, data_root=str(tmp_path))
    for image in annotations()["images"]:
        path = tmp_path / image["file_name"].replace("color", "depth")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert len(build(ann_file, check_files=True, data_root=str(tmp_path), test_mode=True)) == 6
    with pytest.raises(ValueError, match="modality is 'infrared'"):
        build(ann_file, modality="infrared")


# metrics


def test_pck_metric_and_its_file(ann_file, tmp_path):
    pck = metric("MVORPCKMetric", ann_file, outfile_prefix=str(tmp_path / "out" / "epoch_1"))
    pck.process({}, samples())
    assert pck.evaluate(size=6) == {
        "PCK/Head": 100,
        "PCK/Shoulder": 100,
        "PCK/Hip": 50,
        "PCK/Elbow": 100,
        "PCK/Wrist": 50,
        "PCK/Average": 80,
    }
    path = tmp_path / "out" / "epoch_1.keypoints.json"
    written = load_keypoint_results(path)
    assert written.image_ids.tolist() == [image_id(1, 1, 17), image_id(1, 2, 17), image_id(1, 3, 3)]
    assert written.field == "keypoints" and json.loads(path.read_text())[0]["category_id"] == 1


def test_pck_metric_without_any_person(ann_file):
    pck = metric("MVORPCKMetric", ann_file)
    pck.process({}, [sample(EMPTY, [], [], tensors=False)])
    assert set(pck.evaluate(size=1).values()) == {0}


def test_person_ap_metric(ann_file, tmp_path):
    # The person with annotation id 0 can never be found, one has a box only: two of four.
    ap = metric("MVORPersonAPMetric", ann_file, outfile_prefix=str(tmp_path / "o"))
    ap.process({}, samples())
    result = ap.evaluate(size=6)
    assert list(result) == ["PersonAP/AP50", "PersonAP/recall50@1", "PersonAP/recall50@10"]
    assert result["PersonAP/recall50@10"] == pytest.approx(0.5)
    assert load_box_results(tmp_path / "o.bbox.json")[0]["category_id"] == "1"

    ap = metric("MVORPersonAPMetric", ann_file, from_keypoints=False)
    for person in annotations()["annotations"]:
        x, y, width, height = person["bbox"]
        boxes = {"bboxes": np.array([[x, y, x + width, y + height]]), "bbox_scores": np.array([0.5])}
        ap.process({}, [{"img_id": person["image_id"], "pred_instances": boxes}])
    result = ap.evaluate(size=4)
    assert list(result) == [f"PersonAP/{name}" for name in ("AP", "AP50", "AP75", "AR1", "AR10", "AR100")]
    assert result["PersonAP/AR100"] == pytest.approx(0.75)


def test_mpjpe_metric():
    mpjpe = METRICS.build({"type": "orplugins.MVORMPJPEMetric"})
    target = torch.rand(2, 10, 3)
    mpjpe.process(
        {},
        [
            {
                "img_id": 1,
                "gt_instances": {"keypoints_3d": target},
                "pred_instances": {
                    "keypoints_3d": target + torch.tensor([0.03, 0.04, 0.0]),
                    "support": torch.tensor([3, 0]),
                },
            },
            {"img_id": 2, "gt_instances": {"keypoints_3d": []}, "pred_instances": {"keypoints_3d": [], "support": []}},
        ],
    )
    result = mpjpe.evaluate(size=2)
    assert list(result) == [f"MPJPE/3views_{name}" for name in ("Shoulder", "Hip", "Elbow", "Wrist", "Average")]
    assert list(result.values()) == pytest.approx([5] * 5, rel=1e-4)


def test_bad_samples(ann_file):
    pck = metric("MVORPCKMetric", ann_file)
    good = sample(EMPTY, [DETECTION], [1.0])
    for key, value, message in (
        ("keypoints", torch.zeros(1, 10, 2), "'pred_instances.keypoints' has shape"),
        ("keypoints", torch.full((1, 17, 2), torch.nan), "expected finite numbers"),
        ("bbox_scores", torch.ones(2), "1 keypoints, 1 keypoint_scores and 2 bbox_scores"),
    ):
        bad = {**good, "pred_instances": {**good["pred_instances"], key: value}}
        with pytest.raises(ValueError, match=f"image {EMPTY}: .*{message}"):
            pck.process({}, [bad])
    with pytest.raises(ValueError, match="missing 'pred_instances.keypoints'"):
        pck.process({}, [{"img_id": 1}])


def _tied_samples():
    """Two detections of equal score in every image: the order of the images must not change the result."""
    far = shifted(DETECTION, 300, 200)
    return [sample(s["img_id"], [DETECTION, far], [1, 1]) for s in samples()]


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(ann_file, tmp_path):
    data = _tied_samples()[:5]  # an odd number: the sampler pads
    two = {"type": "orplugins.MVORPCKMetric", "ann_file": ann_file, "outfile_prefix": str(tmp_path / "two")}
    torch.multiprocessing.spawn(evaluate_rank, args=(two, data, tmp_path), nprocs=2)
    one = metric("MVORPCKMetric", ann_file, outfile_prefix=str(tmp_path / "one"))
    one.process({}, data)
    assert one.evaluate(size=5) == json.loads((tmp_path / "result.json").read_text())
    assert (tmp_path / "one.keypoints.json").read_text() == (tmp_path / "two.keypoints.json").read_text()
