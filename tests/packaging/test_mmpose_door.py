"""mmpose finds our classes by a scoped name, and is told the truth where it cannot."""

import pytest

pytest.importorskip("mmpose")
pytestmark = pytest.mark.slow


def test_scoped_name_needs_no_import_of_ours(python):
    code = "from mmpose.registry import METRICS; print(METRICS.get('orplugins.MVORPCKMetric').__module__)"
    assert python(code).strip().endswith("orplugins.mvor.mmpose.metrics")


def test_bare_names_of_mmpose_resolve_from_our_registries(python):
    code = "import mmpose.evaluation; from orplugins.registry import METRICS; print(METRICS.get('CocoMetric'))"
    assert "mmpose.evaluation.metrics.coco_metric.CocoMetric" in python(code)


BROKEN = """
import importlib.abc, importlib.util, sys

class Broken(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == "orplugins.videopose3d.mmpose" else None
    def exec_module(self, module):
        raise ImportError("libmissing.so: cannot open shared object file")

sys.meta_path.insert(0, Broken())
"""


def test_error_behind_a_scoped_name_is_raised(python):
    code = """
from mmpose.registry import HOOKS
try:
    HOOKS.get("orplugins.AnyHook")
except ImportError as error:
    print(error)
"""
    assert "libmissing.so" in python(BROKEN + code)


def test_doctor_shows_the_error_and_goes_on(python):
    code = """
import orplugins
report = orplugins.doctor()
(failure,) = report.failures
assert failure.name == "orplugins.videopose3d.mmpose", failure
assert failure.error.startswith("ImportError: libmissing.so: cannot open shared object file (<string>:"), failure
assert report.registered["mmpose.METRICS"], report
from orplugins.diagnosis import format_report
assert "orplugins.videopose3d.mmpose: ImportError: libmissing.so" in format_report(report)
"""
    python(BROKEN + code)
