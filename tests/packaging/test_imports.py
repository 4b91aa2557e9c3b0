"""`import orplugins`: light, and registering whichever host is imported, in any order."""

import pytest

from .layout import HOSTS as ALL_HOSTS
from .layout import without_a_host, without_torch

HOSTS = ("mmpose", "detectron2")

BLOCKED = """
import importlib, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Block())
for name in {names!r}:
    importlib.import_module(name)
"""

ORDER = """
import importlib, sys
order = {order!r}
for name in order:
    importlib.import_module(name)
if "mmpose" in order:
    from mmpose.registry import MODELS
    assert MODELS.children["orplugins"] is sys.modules["orplugins.registry"].MODELS
else:
    assert "orplugins.registry" not in sys.modules
assert ("orplugins.hosts.detectron2.components" in sys.modules) == ("detectron2" in order)
import orplugins
orplugins.register()
assert not [name for name in {hosts!r} if name not in order and name in sys.modules]
"""


def test_import_takes_less_than_half_a_second(python):
    code = "import time; start = time.perf_counter(); import orplugins; print(time.perf_counter() - start)"
    assert min(float(python(code)) for _ in range(5)) < 0.5


def test_import_brings_neither_torch_nor_a_host(python):
    heavy = ("torch", "numpy", "cv2", "mmengine", "mmcv", *HOSTS)
    assert python(f"import sys, orplugins; print([name for name in {heavy} if name in sys.modules])").strip() == "[]"


def test_what_needs_no_torch_imports_without_it(python):
    names = without_torch()
    assert {"orplugins.io.video", "orplugins.multiview.batch", "orplugins.depthpose.paf.fast"} <= set(names)
    python(BLOCKED.format(blocked={"torch", "torchvision", *ALL_HOSTS}, names=names))


def test_what_is_no_adapter_imports_without_a_host(python):
    python(BLOCKED.format(blocked=ALL_HOSTS, names=without_a_host()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "order",
    [
        ("orplugins", "mmpose"),
        ("mmpose", "orplugins"),
        ("orplugins", "detectron2"),
        ("detectron2", "orplugins"),
        ("orplugins", "mmpose", "detectron2"),
        ("mmpose", "orplugins", "detectron2"),
        ("detectron2", "mmpose", "orplugins"),
    ],
    ids="-".join,
)
def test_any_order_of_imports_registers(python, order):
    for host in set(HOSTS) & set(order):
        pytest.importorskip(host)
    python(ORDER.format(order=order, hosts=HOSTS))
