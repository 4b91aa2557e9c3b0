"""The doctor's advice: the exact command for what is missing, and the traps."""

import shlex

import pytest

from orplugins.advice import MMCV_OPS, XTCOCOTOOLS_BUILD, Facts, advise, torchvision_for, version_tuple

COMPLETE = {
    "numpy": "2.3.5",
    "torch": "2.14.1+cu130",
    "torchvision": "0.29.1+cu130",
    "mmengine": "0.10.7",
    "mmcv": "2.1.0",
    "mmdet": "3.2.0",
    "mmpose": "1.3.2",
    "detectron2": "0.7.2",
    "xtcocotools": "1.14.3",
}


def facts(
    without=(), errors=None, python=(3, 11), distributions=(), pkg_resources=True, mmcv_ops="torchvision", **versions
):
    """A complete environment of Python 3.11, but for what is said."""
    found = {name: version for name, version in {**COMPLETE, **versions}.items() if name not in without}
    return Facts(python, found, errors or {}, frozenset(distributions), pkg_resources, mmcv_ops, "/env/site-packages")


def commands(advice: dict, heading: str) -> str:
    return "\n".join(command for each in advice.get(heading, ()) for command in each.commands)


def test_nothing_to_say_about_a_complete_environment():
    assert advise(facts()) == {}


def test_every_command_is_one_a_shell_can_split():
    for each in advise(facts(without=COMPLETE, mmcv_ops=None, pkg_resources=False)).values():
        for advice in each:
            assert advice.commands and all(shlex.split(command) for command in advice.commands)


def test_mmcv_is_mmcv_lite_with_the_operators_that_travel_in_the_wheel():
    text = commands(advise(facts(without=("mmcv",), mmcv_ops=None)), "mmpose")
    assert "'mmcv-lite>=2.0,<2.2'" in text and str(MMCV_OPS) in text
    assert (MMCV_OPS / "pyproject.toml").is_file() and (MMCV_OPS / "_ext.py").is_file()


def test_mmcv_without_operators():
    (advice,) = advise(facts(mmcv_ops=None))["mmpose"]
    assert advice.commands == (f"python -m pip install {MMCV_OPS}",)


def test_mmpose_is_installed_without_chumpy():
    (advice,) = advise(facts(without=("mmpose",)))["mmpose"]
    assert "chumpy" in advice.found and "--no-deps 'mmpose>=1.3'" in advice.commands[-1]


def test_torchvision_follows_the_torch_that_is_there():
    text = commands(advise(facts(without=("torchvision",), torch="2.3.1+cpu")), "detectron2")
    assert text == "python -m pip install torch==2.3.1 'torchvision==0.18.*'"


@pytest.mark.parametrize(
    ("torch", "requirement"),
    [("2.14.1+cu130", "torchvision==0.29.*"), ("2.3.1", "torchvision==0.18.*"), ("3.0.0", "torchvision")],
)
def test_torchvision_for(torch, requirement):
    assert torchvision_for(torch) == requirement


@pytest.mark.parametrize("python", [(3, 10), (3, 11), (3, 13)])
def test_detectron2_by_python(python):
    text = commands(advise(facts(without=("detectron2",), python=python)), "detectron2")
    assert "sal-detectron2" in text
    assert ("--python-version 3.10 --target /env/site-packages" in text) == (python != (3, 10))


@pytest.mark.parametrize("python", [(3, 12), (3, 13)])
def test_xtcocotools_is_built_against_this_numpy(python):
    text = commands(advise(facts(without=("xtcocotools",), python=python)), "mmpose")
    assert "--no-binary xtcocotools --no-build-isolation" in text
    assert (f"PYTHONPATH={XTCOCOTOOLS_BUILD}" in text) == (python == (3, 13))
    assert (XTCOCOTOOLS_BUILD / "sitecustomize.py").is_file()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (dict(numpy="2.4.0"), "visualiser"),
        (dict(pkg_resources=False), "pkg_resources"),
        (
            dict(without=("xtcocotools",), errors={"xtcocotools": "ValueError: numpy.dtype size changed"}),
            "another NumPy",
        ),
        (dict(distributions=("mmcv", "mmcv-lite")), "both installed"),
        (dict(without=("mmcv",), distributions=("mmcv-torchvision-ops",)), "neither mmcv nor mmcv-lite"),
    ],
    ids=["numpy", "setuptools", "xtcocotools", "two mmcv", "operators alone"],
)
def test_traps(case, words):
    traps = advise(facts(**case))["traps"]
    assert any(words in trap.found and trap.commands for trap in traps)


def test_no_trap_where_the_host_is_not_used():
    advice = advise(facts(without=("mmpose", "detectron2"), numpy="2.4.1", pkg_resources=False))
    assert "traps" not in advice
    assert advice["mmpose"][0].commands == ("python -m pip install 'numpy<2.4'",), "before xtcocotools is built"


def test_version_tuple():
    assert version_tuple("2.14.1+cu130") == (2, 14, 1)
    assert version_tuple("2.4.0rc1") == (2, 4, 0)
