"""The wheel: pure, complete, and of use where there is neither torch nor a host."""

import ast
import email
import re
import sys
import zipfile

import pytest

from .conftest import REPOSITORY, run
from .layout import without_torch


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_string(archive.read(name).decode())


def test_wheel_is_pure(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")


def test_wheel_holds_every_module_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "orplugins").rglob("*.py")}
    assert found >= modules
    assert {"orplugins/synthetic/scene/assets/body.npz", "orplugins/synthetic/scene/assets/NOTICE"} <= found
    assert {name.partition("/")[0] for name in found} == {"orplugins"}


def test_wheel_requires_numpy_and_wrapt_only(metadata):
    required = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need]
    assert sorted(need.split(">")[0].strip(" (") for need in required) == ["numpy", "wrapt"]


def test_wheel_offers_extras_for_the_hosts(metadata):
    assert {"mmpose", "detectron2", "mvor", "all"} <= set(metadata.get_all("Provides-Extra"))


def test_extras_cover_every_import(metadata):
    """What the library imports comes with an extra, but for the hosts, for which the doctor has the commands."""
    names = {"cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml"}
    by_doctor = {"mmpose", "mmcv", "detectron2", "pkg_resources", "setuptools", "xtcocotools"}
    imported = set()
    for path in (REPOSITORY / "orplugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.partition(".")[0])
    wanted = {names.get(name, name) for name in imported - set(sys.stdlib_module_names) - by_doctor - {"orplugins"}}
    needs = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need or '"all"' in need]
    offered = {re.split(r"[<>=; (]", need)[0] for need in needs}
    assert wanted <= offered


def test_extras_have_lower_bounds_only(metadata):
    assert not [need for need in metadata.get_all("Requires-Dist") if re.search(r"==|<|~=", need.partition(";")[0])]


def test_wheel_carries_the_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("LICENSE"))
        assert "Apache License" in archive.read(name).decode()


def test_doctor_reports_where_there_is_no_host(bare_python, tmp_path):
    report = run(bare_python, "-m", "orplugins", cwd=tmp_path, PYTHONPATH="")
    for name in ("torch", "mmpose", "detectron2"):
        assert f"{name:<14} absent" in report
    assert "Failed to import" not in report


def test_what_needs_no_torch_imports_with_numpy_alone(bare_python, tmp_path):
    code = f"import importlib\nfor name in {without_torch()}:\n    importlib.import_module(name)"
    run(bare_python, "-c", code, cwd=tmp_path, PYTHONPATH="")
