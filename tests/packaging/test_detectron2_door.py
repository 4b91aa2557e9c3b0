"""detectron2's stock scripts know us through ``DETECTRON2_ENV_MODULE``, and are left alone without it."""

import sys

import pytest

from .conftest import run

pytest.importorskip("detectron2")
pytestmark = pytest.mark.slow

DOOR = {"DETECTRON2_ENV_MODULE": "orplugins.detectron2.env"}


@pytest.mark.parametrize("script", ["train_net", "lazyconfig_train_net"])
def test_stock_script_starts(script, tmp_path):
    """The distribution that is pinned in ``requirements/`` installs detectron2's scripts as the package ``tools``."""
    assert "--config-file" in run(sys.executable, "-m", f"tools.{script}", "--help", cwd=tmp_path, **DOOR)


def test_stock_get_cfg_has_our_keys_behind_the_door(python, tmp_path):
    (tmp_path / "ours.yaml").write_text("VERSION: 2\nORPLUGINS: {}\n")
    code = """
import sys
from detectron2.config import get_cfg
cfg = get_cfg()
cfg.merge_from_file("ours.yaml")
cfg.freeze()
print(type(cfg.ORPLUGINS).__name__, "orplugins.hosts.detectron2.components" in sys.modules)
"""
    # detectron2 scripts functions with torch.jit, which warns on stderr since torch 2.13
    assert python(code, **DOOR, PYTHONWARNINGS="ignore").strip() == "CfgNode True"


def test_unknown_key_is_refused_behind_the_door(python, tmp_path):
    (tmp_path / "typo.yaml").write_text("VERSION: 2\nORPLUGINS: {NO_SUCH_METHOD: 1}\n")
    code = """
from detectron2.config import get_cfg
try:
    get_cfg().merge_from_file("typo.yaml")
except KeyError as error:
    print(error)
"""
    assert "ORPLUGINS.NO_SUCH_METHOD" in python(code, **DOOR)


def test_importing_orplugins_leaves_the_defaults_alone(python):
    code = """
import orplugins
from detectron2.config import get_cfg
from orplugins.hosts.detectron2.config import add_orplugins_config
cfg = get_cfg()
assert "ORPLUGINS" not in cfg
add_orplugins_config(cfg)
ours = cfg.ORPLUGINS
add_orplugins_config(cfg)
assert cfg.ORPLUGINS is ours
assert "ORPLUGINS" not in get_cfg()
"""
    python(code)


def test_a_component_can_be_the_first_import(python):
    """The host's import, which a component begins with, imports all of them."""
    code = """
import importlib, os, sys
import cv2, torch, torchvision  # once for all
from orplugins.hosts.detectron2.components import COMPONENTS
for component in COMPONENTS:
    child = os.fork()
    if not child:
        importlib.import_module(component)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, component
assert "detectron2" not in sys.modules
"""
    python(code)
