"""The wheel: pure, complete, and of use where there is neither torch nor a host."""

import ast
import email
import os
import re
import sys
import zipfile
from pathlib import Path

import pytest

from orplugins.cli import commands

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
    assert found >= modules | {"orplugins/py.typed"}
    assert {"orplugins/synthetic/scene/assets/body.npz", "orplugins/synthetic/scene/assets/NOTICE"} <= found
    assert {name.partition("/")[0] for name in found} == {"orplugins"}


def test_wheel_carries_what_the_clone_has_beside_the_package(wheel):
    wanted = {path for suffix in ("py", "yaml", "yml") for path in (REPOSITORY / "configs").rglob(f"*.{suffix}")}
    for pattern in ("demo/*.safetensors", "demo/*.md", "demo/*.log.json", "tools/*.py", "model-index.yml"):
        wanted |= set(REPOSITORY.glob(pattern))
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if name.startswith("orplugins/.mim/")}
    assert carried == {f"orplugins/.mim/{path.relative_to(REPOSITORY).as_posix()}" for path in wanted}
    places = {f"{name.rpartition('/')[0]} {Path(name).suffix}" for name in carried}
    assert {"orplugins/.mim/demo .safetensors", "orplugins/.mim/demo .md", "orplugins/.mim/tools .py"} <= places


def test_every_host_file_that_pip_installs_from_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        found = set(archive.namelist())
    for name in ("mmcv_ops/pyproject.toml", "mmcv_ops/_ext.py", "xtcocotools_build/sitecustomize.py"):
        assert f"orplugins/hosts/{name}" in found


def test_version_is_the_package_s(metadata):
    text = (REPOSITORY / "orplugins/__init__.py").read_text()
    assert metadata["Version"] == re.search(r'__version__ = "([^"]+)"', text).group(1)


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
    standard = set(sys.stdlib_module_names) | {"tomllib"}  # since Python 3.11; before it the extra's tomli
    wanted = {names.get(name, name) for name in imported - standard - by_doctor - {"orplugins"}}
    needs = [need for need in metadata.get_all("Requires-Dist") if 'extra == "dev"' not in need]
    offered = {re.split(r"[<>=; ([]", need)[0] for need in needs}
    assert wanted <= offered


def test_all_is_every_extra_but_the_developers(metadata):
    """And but those of devices, whose libraries not every system has."""
    (need,) = (need for need in metadata.get_all("Requires-Dist") if 'extra == "all"' in need)
    named = re.fullmatch(r"orplugins\[(.+)\]", need.partition(";")[0].strip()).group(1).split(",")
    assert set(named) == set(metadata.get_all("Provides-Extra")) - {"all", "dev", "realsense", "k4a"}


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


@pytest.fixture
def command(bare_python) -> Path:
    """The console script, where there is nothing but the wheel, NumPy and wrapt."""
    return bare_python.with_name("orplugins")


def test_console_script_lists_its_commands(command, tmp_path):
    printed = run(command, "--help", cwd=tmp_path, PYTHONPATH="")
    assert "usage: orplugins COMMAND" in printed and all(f"  {name}" in printed for name in commands())


def test_console_script_runs_the_doctor(command, tmp_path):
    assert f"{'mmpose':<14} absent" in run(command, "doctor", cwd=tmp_path, PYTHONPATH="")


def test_configs_and_weights_are_found_in_the_wheel(bare_python, tmp_path):
    code = """
from orplugins.resources import resource
for name in ("configs/mmpose/refinet/refinet_or.py", "demo/refinet_or-bc.safetensors", "tools/test.py"):
    path = resource(name)
    assert ".mim" in path.parts, path
"""
    run(bare_python, "-c", code, cwd=tmp_path, PYTHONPATH="")


def test_a_published_table_comes_out_of_the_wheel(command, tmp_path):
    folder = Path(os.environ.get("ORPLUGINS_MVOR", REPOSITORY / "../shared/data/mvor")).resolve()
    files = [folder / name for name in ("camma_mvor_2018.json", "openpose_kps.json")]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        pytest.skip(f"no published files {', '.join(missing)}; ORPLUGINS_MVOR names the folder")
    printed = run(command, "evaluate", "mvor-pck", "--gt", files[0], "--dt", files[1], cwd=tmp_path, PYTHONPATH="")
    assert "70.4 69.9 42.3 57.6 45.3 57.1" in " ".join(re.findall(r"\d+\.\d\b", printed)), printed
