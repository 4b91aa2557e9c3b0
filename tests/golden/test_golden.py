"""Outputs of the networks and of the shipped weights are those that the repository keeps (dev/make_goldens.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from dev.make_goldens import GOLDEN, GOLDENS, outputs  # noqa: E402

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-3  # of an output's largest value: other versions of torch and other processors round otherwise


@pytest.fixture(scope="module")
def kept() -> dict[str, np.ndarray]:
    with np.load(GOLDENS) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", GOLDEN)
def test_outputs(name, kept):
    for package in GOLDEN[name][0]:
        pytest.importorskip(package)
    found = outputs(name)
    assert {f"{name}|{key}" for key in found} == {key for key in kept if key.startswith(f"{name}|")}
    for key, values in found.items():
        expected = kept[f"{name}|{key}"]
        assert np.isfinite(expected).all() and np.ptp(expected) > 0
        np.testing.assert_allclose(values, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max(), err_msg=key)


def test_every_weight_file_and_nothing_else_is_kept(kept):
    shipped = {f"demo/{path.stem}" for path in (ROOT / "demo").glob("*.safetensors")}
    assert shipped == {name for name in GOLDEN if name.startswith("demo/")}
    assert {key.partition("|")[0] for key in kept} == set(GOLDEN)
    assert GOLDENS.stat().st_size < 1e6
