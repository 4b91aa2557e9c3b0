"""What a rig, a pair or depth images cannot have seen is refused, with its cause; right data passes."""

import json

import numpy as np
import pytest

from orplugins.depth.png import load_depth, save_depth
from orplugins.geometry.cameras import Camera
from orplugins.io.json_fields import load_json
from orplugins.io.openpose import write_openpose_frame
from orplugins.multiview.batch import reconstruct
from orplugins.multiview.people import MultiViewRules
from orplugins.multiview.pipeline import MvorSettings, RigSettings, evaluate_mvor, reconstruct_views
from orplugins.multiview.plausibility import _moved, check_people, refuse
from orplugins.skeletons import BODY_25, COCO_17
from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.motion_points import (
    ACTIONS,
    body_motion,
    in_skeleton,
    observe,
    parallel_cameras,
    rig_record,
    room_rig,
)

pytest.importorskip("scipy")
FRAMES = 60


def take(action="walk", frames=FRAMES, noise=1.0):
    """Rig record and, for each camera, (F, 17, 3)."""
    rng, cameras = np.random.default_rng(3), room_rig()
    points = in_skeleton(body_motion(rng, frames, 30.0, action), COCO_17)
    return rig_record(cameras), [observe(camera, points, rng, noise, missing=0.02) for camera in cameras]


def records(view, first=0):
    return [
        {"image_id": first + t, "category_id": 1, "score": 1.0, "keypoints": pose.ravel().tolist()}
        for t, pose in enumerate(view)
    ]


def run(folder, rig, views, **options):
    """Reconstruct; views are arrays or lists of records."""
    (folder / "rig.json").write_text(json.dumps(rig))
    paths = []
    for k, view in enumerate(views):
        paths.append(folder / f"camera{k + 1}.json")
        paths[-1].write_text(json.dumps(view if isinstance(view, list) else records(view)))
    settings = RigSettings(folder / "rig.json", tuple(map(str, paths)), folder / "out", pictures=0, **options)
    return reconstruct_views(settings)


def each(rig, change):
    return {"cameras": [{**camera, **change(camera)} for camera in rig["cameras"]]}


def inverse(camera):
    rotation, place = np.array(camera["R"]), np.array(camera["t"])
    return {"R": rotation.T.tolist(), "t": (-rotation.T @ place).tolist()}


def lens(camera, factor, size=1):
    k = np.array(camera["K"])
    k[:2] *= factor
    return {"K": k.tolist(), "image_size": [size * n for n in camera["image_size"]]}


CALIBRATIONS = {
    "millimetres": (lambda c: {"t": (1000 * np.array(c["t"])).tolist()}, "translations are in millimetres"),
    "centimetres": (lambda c: {"t": (100 * np.array(c["t"])).tolist()}, "translations are in centimetres"),
    "feet": (lambda c: {"t": (np.array(c["t"]) / 0.3048).tolist()}, "translations are in feet"),
    "camera to world": (inverse, "R and t take camera to world"),
    "camera to world, mm": (
        lambda c: {"R": inverse(c)["R"], "t": (1000 * np.array(inverse(c)["t"])).tolist()},
        "R and t take camera to world, not world to camera, and .* millimetres",
    ),
    "position for t": (lambda c: {"t": inverse(c)["t"]}, "t is the cameras' positions"),
    "y up": (lambda c: {"R": (np.diag([1.0, -1, -1]) @ c["R"]).tolist(),
                        "t": (np.array(c["t"]) * (1, -1, -1)).tolist()}, "OpenGL"),
    "lens of larger images": (lambda c: lens(c, 3), "about 1918x1438.*0.333 times"),
    "lens and size of larger images": (lambda c: lens(c, 3, 3), "about 1918x1438.*0.333 times"),
    "lens of smaller images": (lambda c: lens(c, 0.5), "about 320x240.*2 times"),
}  # fmt: skip


def cameras_of(rig):
    """Cameras as they are when the file's own check has nothing against them."""
    cameras = []
    for camera in rig["cameras"]:
        k, pose = np.array(camera["K"]), np.eye(4)
        pose[:3, :3], pose[:3, 3] = np.array(inverse(camera)["R"]), inverse(camera)["t"]
        cameras.append(Camera(k[0, 0], k[1, 1], k[0, 2], k[1, 2], tuple(camera["image_size"]), pose=pose))
    return cameras


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_a_wrong_calibration_is_named_by_the_data(name):
    rig, views = take()
    change, message = CALIBRATIONS[name]
    cameras = cameras_of(each(rig, change))
    rules = MultiViewRules().for_cameras(cameras)
    frames = [[view[t][None] for view in views] for t in range(FRAMES)]
    findings = check_people(cameras, "abc", frames, reconstruct(cameras, frames, rules), rules)
    assert findings[0].severe and findings[-1].cause
    with pytest.raises(ValueError, match=rf"^rig: .*likely cause: .*{message}"):
        refuse(findings, "rig", False)


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_a_wrong_calibration_writes_nothing(name, tmp_path):
    rig, views = take()
    with pytest.raises(ValueError, match="rig.json: "):
        run(tmp_path, each(rig, CALIBRATIONS[name][0]), views)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_right_data_has_no_finding(action, tmp_path):
    found = run(tmp_path, *take(action))
    assert found.people == FRAMES and found.error_px < 1.5 and not found.warnings and not found.failed


@pytest.mark.parametrize("noise", [4, 8, 14])
def test_rough_detections_are_no_finding(noise, tmp_path):
    found = run(tmp_path, *take(noise=noise))
    assert found.people >= FRAMES / 2 and not found.failed


def test_views_in_another_order(tmp_path):
    rig, (one, two, three) = take()
    with pytest.raises(ValueError, match=r"the order that fits is 2 \(camera2.json\), 1 .*, 3 "):
        run(tmp_path, rig, (two, one, three))
    with pytest.raises(ValueError, match=r"the order that fits is 2 .*, 3 .*, 1 "):
        run(tmp_path, rig, (three, one, two))


@pytest.mark.parametrize("action", ["walk", "arms"])
def test_left_and_right_exchanged_in_one_view(action, tmp_path):
    rig, views = take(action)
    views[1] = views[1][:, list(COCO_17.flip_indices)]
    with pytest.raises(ValueError, match=r"left and right are exchanged in view 2 \(camera2.json\)"):
        run(tmp_path, rig, views)


def test_mirrored_images(tmp_path):
    rig, views = take()
    mirrored = [view[:, list(COCO_17.flip_indices)] * 1 for view in views]
    for view in mirrored:
        view[..., 0] = np.where(view[..., 2] > 0, 639 - view[..., 0], 0)
    with pytest.raises(ValueError, match=r"the images of view 3 \(camera3.json\) are mirrored"):
        run(tmp_path, rig, (*views[:2], mirrored[2]))
    with pytest.raises(ValueError, match="the images of all views are mirrored"):
        run(tmp_path, rig, mirrored)


def test_keypoints_of_other_pictures(tmp_path):
    rig, views = take()
    with pytest.raises(ValueError, match=r"camera1.json: .* joints lie outside an image of 640x480 .* another size"):
        run(tmp_path, rig, [view * (3, 3, 1) for view in views])
    parts = run(tmp_path, rig, [view / (639, 479, 1) for view in views])
    assert parts.people == FRAMES and "parts of the image" in parts.warnings[0]
    with pytest.raises(ValueError, match=r"view 2's \(camera2.json\) intrinsics .* 0.5 times that size"):
        run(tmp_path, rig, (views[0], views[1] * (0.5, 0.5, 1), views[2]))


def test_a_rig_of_another_scale(tmp_path):
    rig, views = take()
    with pytest.raises(ValueError, match=r"people are 1.\d times as large as usual"):
        run(tmp_path, each(rig, lambda c: {"t": (1.4 * np.array(c["t"])).tolist()}), views)


def test_what_is_refused_can_be_kept(tmp_path):
    rig, views = take()
    found = run(tmp_path, each(rig, CALIBRATIONS["position for t"][0]), views, keep_implausible=True)
    assert found.failed and str(found) == f"frames {FRAMES}, nobody found" and "positions" in found.warnings[-1]
    assert load_json(tmp_path / "out/people.json")["people"] == []


def test_frame_numbers(tmp_path):
    rig, views = take(frames=10)
    stamped = [[{**r, "image_id": 10**12 + 33 * r["image_id"]} for r in records(v)] for v in views]
    found = run(tmp_path, rig, stamped)
    assert found.frames == found.people == 10 and "time stamps in ms: 30 frames a second" in found.warnings[0]
    with pytest.raises(ValueError, match=r"no frame number has people in two views: .*camera2.json 500 to 509"):
        run(tmp_path, rig, [records(view, 500 * k) for k, view in enumerate(views)])


# ---- clocks


def test_a_late_camera_is_named_and_put_right(tmp_path):
    rig, views = take()
    late = [views[0], records(views[1], 5), views[2]]
    with pytest.raises(ValueError, match=r"view 2 \(camera2.json\) is out of step, 5.0 frames late.*--sync"):
        run(tmp_path, rig, late)
    right = run(tmp_path, rig, views)
    found = run(tmp_path, rig, late, sync=True)
    assert found.people == FRAMES and not found.failed and "taken out" in found.warnings[-1]
    assert found.error_px == pytest.approx(right.error_px, rel=0.05)
    assert run(tmp_path, rig, late, synchronise=False).error_px > 2 * right.error_px
    with pytest.raises(ValueError, match="--no-sync"):
        RigSettings("rig.json", (), tmp_path, sync=True, synchronise=False)


def test_another_frame_rate(tmp_path):
    rig, views = take(frames=90)
    slow = [views[0], views[1][np.round(np.arange(74) * 1.2).astype(int)], views[2]]
    with pytest.raises(ValueError, match=r"another frame rate: 0.8333 .*as 25 and 30 frames a second"):
        run(tmp_path, rig, slow)
    found = run(tmp_path, rig, slow, sync=True)
    assert found.error_px < 1.5 and not found.failed


def test_lost_frames(tmp_path):
    rig, views = take(frames=90)
    with pytest.raises(ValueError, match=r"goes out of step: .* [+-]0.\d frames at the beginning and -5.\d at the end"):
        run(tmp_path, rig, [views[0], np.delete(views[1], slice(45, 50), 0), views[2]])


# ---- a pair


@pytest.fixture
def pair(tmp_path):
    rng, cameras = np.random.default_rng(2), parallel_cameras()
    points = in_skeleton(body_motion(rng, FRAMES, 30.0, "arms"), BODY_25)
    views = [observe(camera, points, rng, 0.5, missing=0.0) for camera in cameras]

    def reconstruct(changed=None, **lens_):
        seen = views if changed is None else changed(*views)
        for name, view in zip(("left", "right"), seen, strict=True):
            for frame, pose in enumerate(view):
                write_openpose_frame(tmp_path / name, name, frame, pose[None])
        base = {"baseline_m": 0.28, "focal_px": cameras[0].fx, "cx": 319.5, "cy": 239.5, "image_size": [640, 480]}
        (tmp_path / "pair.json").write_text(json.dumps({"parallel": {**base, **lens_}}))
        paths = (str(tmp_path / "left"), str(tmp_path / "right"))
        return reconstruct_views(RigSettings(tmp_path / "pair.json", paths, tmp_path / "out", pictures=0))

    return reconstruct


def test_a_pair_that_is_right(pair):
    found = pair()
    assert not found.failed and found.counts["ok"] > 1000


@pytest.mark.parametrize(
    ("lens_", "message"),
    [
        ({"baseline_m": 280}, "baseline_m is 280, .* look like millimetres"),
        ({"baseline_m": 28}, "baseline_m is 28, .* look like centimetres"),
        ({"baseline_m": 2.8}, "likely cause: the baseline of 2.8 is in decimetres"),
        ({"focal_px": 1575, "cx": 958.5, "cy": 718.5}, "calibrated at another resolution, 1920x1440"),
        ({"focal_px": 1575}, "right size, but a depth of .* m: the focal length of 1575 px is of images of another"),
    ],
)
def test_a_wrong_pair_is_named(pair, lens_, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        pair(**lens_)
    assert not (tmp_path / "out").exists()


def test_a_pair_with_exchanged_sides(pair):
    with pytest.raises(ValueError, match="left and right joints are exchanged in one of the views"):
        pair(lambda left, right: (left, right[:, list(BODY_25.flip_indices)]))


def test_a_pair_that_started_by_hand(pair):
    found = pair(lambda left, right: (left[:-12], right[12:]))
    assert any("-12." in line or "-11.9" in line for line in found.warnings) and not found.failed


# ---- depth images


def test_depth_of_another_unit(tmp_path):
    write_dataset(tmp_path / "set", frames=2, seed=5, size=(160, 120), views=3, people=(2, 2), color=False)
    data = load_json(tmp_path / "set/annotations/coco17.json")
    first = {image["id"] for image in data["images"] if image["cam_id"] == 1}
    people = [p for p in data["annotations"] if p["image_id"] in first]
    found = [{"image_id": p["image_id"], "category_id": 1, "score": 1.0, "keypoints": p["keypoints"]} for p in people]
    (tmp_path / "dt.json").write_text(json.dumps(found))
    for path in sorted((tmp_path / "set").glob("day1/cam*/depth/*.png")):
        depth = load_depth(path).astype(np.uint32)
        save_depth(
            tmp_path / "fine" / path.relative_to(tmp_path / "set"), np.minimum(4 * depth, 65535).astype("uint16")
        )
    truth = str(tmp_path / "set/annotations/mvor.json")

    def score(folder, **options):
        settings = MvorSettings(
            truth,
            (str(tmp_path / "dt.json"),),
            tmp_path / "out",
            one_view=True,
            depth=str(folder),
            pictures=0,
            **options,
        )
        return evaluate_mvor(settings)

    right = score(tmp_path / "set")
    with pytest.raises(ValueError, match=r"times as large as usual, .* a count is probably 0.25 mm, not 1 mm"):
        score(tmp_path / "fine")
    again = score(tmp_path / "fine", depth_unit_mm=0.25)
    assert again.results["dt"]["recall_percent"] == right.results["dt"]["recall_percent"] > 0 and not again.failed
    broken = next((tmp_path / "set").glob("day1/cam1/depth/*.png"))
    broken.write_bytes(broken.read_bytes()[:300])
    part = score(tmp_path / "set")
    assert part.failed == 1 and broken.name in part.warnings[-1]


# ---- views that are no views of their own


def test_one_camera_given_twice(tmp_path):
    rig, views = take(frames=12)
    with pytest.raises(ValueError, match="view 1 and view 2 hold the same people: .*camera1.json, .*camera2.json"):
        run(tmp_path, rig, [views[0], views[0], views[2]], sync=True)


def test_a_view_that_agrees_with_no_other(tmp_path):
    rig, views = take()
    rig["cameras"][0]["R"] = np.array(rig["cameras"][0]["R"]).reshape(3, 3).T.tolist()
    with pytest.raises(ValueError, match=r"view 1 \(camera1.json\) agrees with no other view .*its R transposed"):
        run(tmp_path, rig, views)


def test_a_camera_that_was_moved(tmp_path):
    rig, views = take()
    angle = np.radians(5)
    turned = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    camera = rig["cameras"][1]
    rotation, translation = np.array(camera["R"]).reshape(3, 3), np.array(camera["t"])
    camera.update(R=(turned @ rotation).tolist(), t=(turned @ translation).tolist())
    with pytest.raises(ValueError, match="Nothing is written"):
        run(tmp_path, rig, views)


def test_a_view_that_fits_far_worse_is_named():
    frames = [[np.ones((1, 17, 3))] * 3] * 20
    (finding,) = _moved("abc", np.array([0.6, 0.2, 0.55]), frames)
    assert finding.severe and "view 2 (b) fits the others badly, 0.20 of 1 against 0.60" in finding.text
    assert not _moved("abc", np.array([0.4, 0.1, 0.4]), frames) and not _moved("ab", np.array([0.6, 0.2]), frames)
