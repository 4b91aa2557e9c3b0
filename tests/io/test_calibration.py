"""Calibrations in every form give the same cameras; what cannot be applied is refused by name."""

import json
from itertools import combinations

import numpy as np
import pytest

from orplugins.geometry.rotations import from_vector, nearest_rotation, to_vector
from orplugins.io.calibration import is_parallel, load_camera, read_cameras, read_parallel, read_rig

import calibration_files as files  # isort: skip


def camera_record(**changes) -> dict:
    return {**files.rig()["cameras"][0], **changes}


def write_rig(path, change=None, **top):
    record = files.rig() | top
    if change:
        for camera in record["cameras"]:
            change(camera)
    path.write_text(json.dumps(record))
    return path


def check_rig(rig, distortion=tuple(files.DIST)):
    first, second = rig.cameras
    for camera in rig.cameras:
        np.testing.assert_allclose(camera.matrix, files.K, atol=1e-9)
        assert camera.size == files.SIZE
        np.testing.assert_allclose(camera.distortion, distortion, atol=1e-12)
    np.testing.assert_allclose(first.pose, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(second.world_to_camera(np.zeros(3)), files.T2, atol=1e-9)
    np.testing.assert_allclose(second.pose[:3, :3].T, files.R2, atol=1e-9)


# --- forms


@pytest.mark.parametrize("name", files.two_camera_files())
def test_every_form_gives_the_same_rig(tmp_path, name):
    (path,) = files.write(tmp_path, {name: files.two_camera_files()[name]})
    distortion = files.DIST[:4] if name == "camchain.yaml" else files.DIST
    check_rig(read_rig(path), tuple(distortion))
    assert not is_parallel(path)
    with pytest.raises(ValueError, match="2 cameras, expected one"):
        load_camera(path)


@pytest.mark.parametrize("name", files.one_camera_files())
def test_every_form_gives_the_same_camera(tmp_path, name):
    (path,) = files.write(tmp_path, {name: files.one_camera_files()[name]})
    camera = load_camera(path)
    np.testing.assert_allclose(camera.matrix, files.K)
    np.testing.assert_allclose(camera.distortion, files.DIST)
    assert camera.size == files.SIZE and np.array_equal(camera.pose, np.eye(4))
    assert camera.depth_unit_mm == (0.25 if name == "realsense.json" else 1.0)
    with pytest.raises(ValueError, match="1 cameras, expected two or more"):
        read_rig(path)


def test_a_folder_of_openpose_cameras(tmp_path):
    cameras = files.rig()["cameras"]
    files.write(tmp_path / "cameras", {f"{i}.xml": files.openpose_xml(c) for i, c in enumerate(cameras)})
    rig = read_rig(tmp_path / "cameras")
    check_rig(rig)
    assert rig.names == ["0", "1"] and "no image size" in rig.notes[0] and "640x480" in rig.notes[0]
    assert read_rig(tmp_path / "cameras", size=(640, 480)).notes == ()


@pytest.mark.parametrize("count", [8, 12, 14])
def test_openpose_lenses_of_many_numbers_are_applied(tmp_path, count):
    cv2 = pytest.importorskip("cv2")
    lens = np.concatenate([[-9.1, 21.0, 4e-4, 7e-4, 30.0, -9.0, 20.4, 33.0], np.full(6, 1e-4)])[:count].tolist()
    cameras = files.rig()["cameras"]
    files.write(tmp_path / "c", {f"{i}.xml": files.openpose_xml(c, lens) for i, c in enumerate(cameras)})
    camera = read_rig(tmp_path / "c").cameras[1]
    points = np.random.default_rng(0).uniform([-0.5, -0.4, 2], [0.5, 0.4, 3], (50, 3))
    expected, _ = cv2.projectPoints(points, np.array(files.R2), np.array(files.T2), np.array(files.K), np.array(lens))
    pixels, depth = camera.project(points, distort=True)
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(camera.back_project(pixels, depth, undistort=True), points, atol=1e-8)


def test_opencv_reads_what_the_tests_call_its_form(tmp_path):
    cv2 = pytest.importorskip("cv2")
    for path in files.write(tmp_path, {"a.yml": files.stereo_yaml(), "b.xml": files.stereo_xml()}):
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        np.testing.assert_allclose(storage.getNode("R").mat(), files.R2)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(R=to_vector(np.array(c["R"])).tolist()),
        lambda c: c.update(R=to_vector(np.array(c["R"]))[:, None].tolist()),
        lambda c: c.update(R=np.ravel(c["R"]).tolist()),
        lambda c: c.update(K=np.ravel(c["K"]).tolist()),
        lambda c: c.update(t=[[value] for value in c["t"]]),
        lambda c: c.update(t=[c["t"]]),
        lambda c: c.update(dist=[c["dist"]]),
        lambda c: c.update(dist=[[value] for value in c["dist"]]),
        lambda c: c.update(distortion=c.pop("dist")),
        lambda c: c.update(distortions=c.pop("dist")),
        lambda c: c.update(world_to_camera=np.column_stack([c.pop("R"), c.pop("t")]).tolist()),
        lambda c: c.update(K={"rows": 3, "cols": 3, "data": np.ravel(c["K"]).tolist()}),
        lambda c: c.update(width=640, height=480) or c.pop("image_size"),
        lambda c: c.update(unit="mm", t=[1000 * value for value in c["t"]]),
        lambda c: c.update(unit="centimetres", t=[100 * value for value in c["t"]]),
    ],
)
def test_ways_to_write_a_camera(tmp_path, change):
    check_rig(read_rig(write_rig(tmp_path / "r.json", change)))


def camera_to_world(camera: dict) -> np.ndarray:
    return np.linalg.inv(np.vstack([np.column_stack([camera["R"], camera["t"]]), [0, 0, 0, 1]]))


@pytest.mark.parametrize("key", ["camera_to_world", "cam_to_world", "T_wc"])
def test_camera_to_world_where_the_file_says_so(tmp_path, key):
    def one_matrix(camera):
        camera[key] = camera_to_world(camera).tolist()
        del camera["R"], camera["t"]

    def two_fields(camera):
        pose = camera_to_world(camera)
        camera["R"], camera["t"] = pose[:3, :3].tolist(), pose[:3, 3].tolist()

    check_rig(read_rig(write_rig(tmp_path / "r.json", one_matrix)))
    check_rig(read_rig(write_rig(tmp_path / "r.json", two_fields, pose="camera_to_world")))
    check_rig(read_rig(write_rig(tmp_path / "r.json", two_fields), direction="camera_to_world"))


@pytest.mark.parametrize(("count", "order"), [(4, False), (8, False), (12, False), (14, False), (4, True)])
def test_lenses_of_our_form(tmp_path, count, order):
    lens = np.linspace(0.01, -0.01, count).tolist()
    rig = read_rig(write_rig(tmp_path / "r.json", lambda c: c.update(dist=lens, fisheye=order)))
    camera = rig.cameras[0]
    assert camera.distortion == tuple(lens) and camera.distortion_order == ("fisheye" if order else "opencv")
    pixels = np.array([[50.0, 60.0], [500.0, 400.0]])
    assert np.abs(camera.undistort(pixels) - pixels).max() > 0.1
    np.testing.assert_allclose(camera.distort(camera.undistort(pixels)), pixels, atol=1e-6)


def test_names_notes_and_vertical(tmp_path):
    rig = read_rig(write_rig(tmp_path / "r.json", up=[0, 0, 2]))
    assert rig.names == ["camera1", "camera2"] and rig.up.tolist() == [0, 0, 2] and rig.notes == ()
    assert read_rig(write_rig(tmp_path / "r.json", lambda c: c.update(name="left"))).names == ["left", "left"]


def test_a_lens_that_ends_inside_the_image_is_noted(tmp_path):
    rig = read_rig(write_rig(tmp_path / "r.json", lambda c: c.update(dist=[-0.9, 0, 0, 0])))
    assert len(rig.notes) == 2 and rig.notes[0].startswith("camera1: the lens model has no inverse over 5")


def test_rounded_rotations_become_rotations(tmp_path):
    rig = read_rig(write_rig(tmp_path / "r.json", lambda c: c.update(R=np.round(c["R"], 4).tolist())))
    rotation = rig.cameras[1].pose[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(rotation.T, files.R2, atol=1e-4)


def test_qualisys_leaves_out_cameras_without_video(tmp_path):
    text = files.qualisys()
    third = text[text.index("<camera active") : text.index("</camera>") + 9].replace("cam_1", "marker")
    dark = third.replace('right="649" bottom="499"', 'right="0" bottom="0"')
    off = third.replace('active="1"', 'active="0"').replace("marker", "off")
    path = tmp_path / "a.qca.txt"
    path.write_text(text.replace("</cameras>", dark + off + "</cameras>"))
    rig = read_rig(path)
    check_rig(rig)
    assert rig.names == ["cam_1", "cam_2"] and "marker" in rig.notes[0] and "off" in rig.notes[1]
    for old, new, message in (
        ('skew="0.000"', 'skew="1.5"', "cam_1: skew 1.5 cannot be applied"),
        ('viewrotation="0"', 'viewrotation="90"', "cam_1: viewrotation 90 cannot be applied"),
        ('focalLengthU="33600"', 'focalLengthU="x"', "cam_1: 'focalLengthU' is 'x'"),
    ):
        path.write_text(text.replace(old, new))
        with pytest.raises(ValueError, match=message):
            read_rig(path)


def test_ros_camera_info(tmp_path):
    path = tmp_path / "camera_info.yaml"
    path.write_text(
        "image_width: 640\nimage_height: 480\ncamera_name: left\ncamera_matrix:\n  rows: 3\n  cols: 3\n  data: "
        f"{np.ravel(files.K).tolist()}\ndistortion_model: rational_polynomial\ndistortion_coefficients:\n  rows: 1\n"
        "  cols: 8\n  data: [1e-1, 0, 0, 0, 0, 0.2, 0, 0]\nrectification_matrix:\n  rows: 3\n  cols: 3\n"
        "  data: [1, 0, 0, 0, 1, 0, 0, 0, 1]\n"
    )
    assert load_camera(path).distortion == (0.1, 0, 0, 0, 0, 0.2, 0, 0)


def test_two_forms_of_a_parallel_pair(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("parallel: " + json.dumps(files.PAIR | {"cx_right": 300.0}))
    assert is_parallel(path) and read_parallel(path).right == (300.0, 242.0)
    rig = read_rig(path)
    assert rig.names == ["left", "right"] and rig.cameras[1].pose[0, 3] == 0.28 and rig.cameras[1].cx == 300
    with pytest.raises(ValueError, match="missing key 'parallel', found cameras"):
        read_parallel(write_rig(tmp_path / "r.json"))


# --- one camera


@pytest.mark.parametrize(
    ("change", "unit"),
    [
        ({"depth_scale": 0.001}, 1.0),
        ({"depth_scale": 0.00025}, 0.25),
        ({"depth_unit_mm": 0.1}, 0.1),
        ({"depth_unit_mm": 10, "depth_scale": 0.01}, 10.0),
        ({}, 1.0),
    ],
)
def test_depth_units(tmp_path, change, unit):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(files.SHORT | change))
    assert load_camera(path).depth_unit_mm == pytest.approx(unit)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Fx": 5}, "unknown key 'Fx', did you mean 'fx'"),
        ({"unit": "mm"}, "unknown key 'unit'"),
        ({"depth_scale": 1000}, "'depth_scale' is 1000, expected metres a count.*counts a metre"),
        ({"depth_scale": 0}, "'depth_scale' is 0"),
        ({"depth_unit_mm": -1}, "'depth_unit_mm' is -1"),
        ({"depth_unit_mm": 1, "depth_scale": 0.01}, "contradict"),
        ({"distortion": [1]}, "'distortion' has 1 numbers, expected 0 or 4 or 5 or 8 or 12 or 14 numbers"),
        ({"distortion": 5}, "'distortion' is 5, expected a list"),
        ({"distortion": [0.1] * 4, "dist": [0.1] * 4}, "both 'distortion' and 'dist'"),
        ({"distortion": [0.1] * 5, "fisheye": True}, "'distortion' has 5 numbers, expected 4"),
        ({"distortion_order": []}, r"'distortion_order' is \[\]"),
        ({"size": [640, -480]}, "Camera.size"),
        ({"size": [640.5, 480]}, "Camera.size"),
        ({"size": [480, 640]}, r"written as \(height, width\)"),
        ({"size": [1280, 960]}, "K looks calibrated at another resolution, 640x480"),
        ({"fx": "525"}, "'fx' holds '525'"),
        ({"fx": 0.5, "fy": 0.5}, "focal length 0.5, expected pixels .*looks like metres"),
        ({"fx": 9000, "fy": 9000}, "field of view of 4.07 degrees over the width"),
        ({"fx": 900}, None),
        ({"fx": 1900}, "focal lengths 1900 and 520 px, expected nearly the same"),
    ],
)
def test_camera_files_that_are_refused(tmp_path, change, message):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(files.SHORT | change))
    if message is None:
        assert load_camera(path).fx == change["fx"]
        return
    with pytest.raises(ValueError, match=rf"^{path}: .*{message}") as error:
        load_camera(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("model", "coeffs", "found"),
    [
        ("Brown Conrady", files.DIST, ("opencv", tuple(files.DIST))),
        ("RS2_DISTORTION_BROWN_CONRADY", files.DIST, ("opencv", tuple(files.DIST))),
        (4, files.DIST, ("opencv", tuple(files.DIST))),
        ("distortion.inverse_brown_conrady", [0.0] * 5, ("opencv", ())),
        ("distortion.inverse_brown_conrady", files.DIST, None),
        ("Modified Brown Conrady", files.DIST, None),
        ("None", [0.0] * 5, ("opencv", ())),
        ("none", files.DIST, None),
        ("Kannala Brandt4", [0.1, 0.0, 0.0, 0.0, 0.0], ("fisheye", (0.1, 0.0, 0.0, 0.0))),
        ("F-Theta", [0.9, 0, 0, 0, 0], None),
        ("pinhole", [0.0] * 5, None),
    ],
)
def test_realsense_lenses_are_applied_or_refused(tmp_path, model, coeffs, found):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(files.REALSENSE | {"model": model, "coeffs": coeffs}))
    if found is None:
        with pytest.raises(ValueError, match=f"^{path}: .*'model' is "):
            load_camera(path)
    else:
        camera = load_camera(path)
        assert (camera.distortion_order, camera.distortion) == found


def test_intrinsics_are_scaled_on_request(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(files.SHORT))
    small = load_camera(path, size=(320, 240))
    assert small.size == (320, 240) and small.fx == 262.5
    assert (small.cx, small.cy) == ((317 + 0.5) / 2 - 0.5, (242 + 0.5) / 2 - 0.5)
    with pytest.raises(ValueError, match="images are 640x360, the calibration is for 640x480: another aspect ratio"):
        load_camera(path, size=(640, 360))
    assert read_rig(write_rig(tmp_path / "r.json"), size=(1280, 960)).cameras[1].fx == 1050


# --- what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(foo=1), r"cameras\[0\]: unknown key 'foo', expected "),
        (lambda c: c.update(dits=c.pop("dist")), "unknown key 'dits', did you mean 'dist'"),
        (lambda c: c.update(fisheye=True), "'dist' has 5 numbers, expected 4 numbers of the fisheye model"),
        (lambda c: c.update(dist=[0.1] * 6), "'dist' has 6 numbers, expected 0 or 4 or 5 or 8 or 12 or 14"),
        (lambda c: c.update(dist=[0.1] * 4, distortion_model="fov"), "'distortion_model' is 'fov'"),
        (lambda c: c.update(distortion=c["dist"]), "both 'dist' and 'distortion'"),
        (lambda c: c.update(K=[[525, 2, 317], [0, 520, 242], [0, 0, 1]]), "skew 2 in 'K' cannot be applied"),
        (lambda c: c.update(skew=1), "skew 1 in 'K' cannot be applied"),
        (lambda c: c.update(K=[[525, 0, 317], [0, 520], [0, 0, 1]]), "'K' has rows of different lengths"),
        (lambda c: c.update(K=[525, 520, 317, 242]), "'K' has 4 numbers, expected 9"),
        (lambda c: c.update(R=[200, 0, 0]), "'R' turns by 200, expected radians"),
        (lambda c: c.update(R=[[1, 0, 0], [0, 1, 0], [0, 0, -1]]), "'R' is no rotation .*determinant -1"),
        (lambda c: c.pop("R"), "missing key 'R'"),
        (lambda c: c.pop("t"), "missing key 't'"),
        (lambda c: c.pop("image_size"), "missing key 'image_size'"),
        (lambda c: c.update(camera_to_world=np.eye(4).tolist()), "'camera_to_world' beside 'R'"),
        (lambda c: c.update(unit="inch"), "'unit' is 'inch', expected one of m, cm, mm"),
        (lambda c: c.update(pose="sideways"), "'pose' is 'sideways'"),
        (lambda c: c.update(t=[0, 0, 1e400]), "'t' holds inf"),
        (lambda c: c.update(image_size=[480, 640]), r"written as \(height, width\)"),
        (lambda c: c.update(image_size=[1920, 1440]), "calibrated at another resolution, 640x480"),
        (lambda c: c.update(image_size=[240, 180]), "calibrated at another resolution, 640x480"),
        (lambda c: c.update(image_size=[960, 720]), "calibrated at another resolution, 640x480"),
        (lambda c: c.update(t=[1000 * v for v in c["t"]]), 'look like millimetres .*say "unit": "mm"'),
        (lambda c: c.update(t=[100 * v for v in c["t"]]), 'look like centimetres .*say "unit": "cm"'),
        (lambda c: c.update(t=[v / 100 for v in c["t"]]), "0.01.* m apart, expected 0.02 to 20; .* a larger unit"),
        (lambda c: c.update(unit="mm"), "a larger unit than the one that was read"),
        (lambda c: c.update(rotation_count=1), "'rotation_count' is 1 and cannot be applied"),
        (lambda c: c.update(R=np.eye(3).tolist(), t=[0, 0, 0]), "m apart, expected"),
    ],
)
def test_rigs_that_are_refused(tmp_path, change, message):
    path = write_rig(tmp_path / "r.json", change)
    with pytest.raises(ValueError, match=rf"^{path}: .*{message}") as error:
        read_rig(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"fps": 30}, "unknown key 'fps'"),
        ({"up": [0, 0, 0]}, "'up' is"),
        ({"cameras": []}, "'cameras' is empty"),
        ({"cameras": {}}, "cameras: found an object, expected a list"),
        ({"cameras": [1]}, r"cameras\[0\]: found a number"),
        ({"unit": 5}, "'unit' is 5"),
    ],
)
def test_keys_beside_the_cameras(tmp_path, top, message):
    with pytest.raises(ValueError, match=message):
        read_rig(write_rig(tmp_path / "r.json", **top))


def test_what_is_said_twice_must_agree(tmp_path):
    path = write_rig(tmp_path / "r.json", unit="m", pose="world_to_camera")
    with pytest.raises(ValueError, match="says 'unit' 'm', but --unit 'mm'"):
        read_rig(path, unit="mm")
    with pytest.raises(ValueError, match="says 'pose' 'world_to_camera', but --camera-to-world"):
        read_rig(path, direction="camera_to_world")
    check_rig(read_rig(path, unit="m"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline_m": 280}, "baseline_m is 280, expected 0.01 to 5 metres; .* like millimetres"),
        ({"baseline_m": 28}, "baseline_m is 28, .* like centimetres"),
        ({"baseline_m": 0.00028}, "baseline_m is 0.00028"),
        ({"baseline_m": -1}, "baseline_m is -1"),
        ({"focal_px": 1575, "cx": 951, "cy": 726}, "calibrated at another resolution, 1920x1440"),
        ({"focal_px": 4000}, "field of view of 9.15 degrees"),
        ({"focal_px": 0.004}, "looks like metres"),
        ({"image_size": [480, 640]}, r"written as \(height, width\)"),
        ({"cx_right": 5000}, "right camera: the principal point"),
        ({"unit": "mm"}, "baseline_m is metres"),
        ({"basline": 1}, "unknown key 'basline'"),
    ],
)
def test_pairs_that_are_refused(tmp_path, change, message):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"parallel": files.PAIR | change}))
    for reader in (read_parallel, read_rig):
        with pytest.raises(ValueError, match=rf"^{path}: .*{message}"):
            reader(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("camera_model: pinhole", "camera_model: omni", "cam0: 'camera_model' is 'omni'"),
        ("distortion_model: radtan", "distortion_model: fov", "cam0: 'distortion_model' is 'fov'"),
        ("T_cn_cnm1", "T_cn", "cam1: unknown key 'T_cn', did you mean 'T_cn_cnm1'"),
        ("  cam_overlaps: [1]", "  T_cn_cnm1: []", "cam0: 'T_cn_cnm1' of the first camera"),
        ("cam1:", "cam2:", "unknown key 'cam2', did you mean"),
    ],
)
def test_kalibr_chains_that_are_refused(tmp_path, old, new, message):
    path = tmp_path / "camchain.yaml"
    path.write_text(files.kalibr().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_rig(path)


def test_tables_say_their_unit(tmp_path):
    path = tmp_path / "calibration.toml"
    text = files.toml().replace(str(files.T2), str([1000 * value for value in files.T2]))
    path.write_text(text)
    with pytest.raises(ValueError, match="look like millimetres"):
        read_rig(path)
    check_rig(read_rig(path, unit="mm"))
    path.write_text(text + 'unit = "mm"\n')
    check_rig(read_rig(path))
    path.write_text(files.toml() + 'scale = "mm"\n')
    with pytest.raises(ValueError, match=r"\[metadata\]: unknown key 'scale'"):
        read_rig(path)


def test_one_number_of_anipose_is_the_first(tmp_path):
    path = tmp_path / "calibration.toml"
    path.write_text(files.toml().replace(str(files.DIST), "[0.1]"))
    check_rig(read_rig(path), (0.1, 0, 0, 0))


def test_other_files_are_refused(tmp_path):
    for name, text, message in (
        ("a.json", '{"a": 1}', "keys a, expected a calibration"),
        ("a.txt", "hello", "begins with 'hello', expected a calibration"),
        ("a.txt", "1 PINHOLE 640 480 525 525 320 240", "begins with '1 PINHOLE"),
        ("a.xml", "<a/>", "keys a, expected a calibration"),
        ("a.json", "", "is empty"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=message):
            read_cameras(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_rig(tmp_path / "none.json")
    (tmp_path / "folder" / "a.xml").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"a.xml: is a folder, expected a calibration"):
        read_rig(tmp_path / "folder")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no file of"):
        read_rig(tmp_path / "empty")


# --- rotations


def test_rotation_vectors():
    rng = np.random.default_rng(0)
    vectors = [rng.normal(size=3) for _ in range(50)] + [np.zeros(3), np.array([1e-9, 0, 0]), np.array([np.pi, 0, 0])]
    for vector in vectors:
        rotation = from_vector(vector)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
        np.testing.assert_allclose(from_vector(to_vector(rotation)), rotation, atol=1e-14)
    for a, b in combinations(vectors[:5], 2):
        rotation = from_vector(a) @ from_vector(b)
        np.testing.assert_allclose(nearest_rotation(rotation + 1e-5), rotation, atol=1e-4)
