"""Recipes of the shipped weights: every file that a command names is there, and what ships has its config."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from dev.recipes import RECIPES  # noqa: E402


@pytest.mark.parametrize("name", RECIPES)
def test_files_of_a_recipe_exist(name):
    named = {word for command in RECIPES[name] for word in re.findall(r"(?:configs|tools|dev)/[\w./-]+\.\w+", command)}
    assert named and all((ROOT / path).is_file() for path in named)
    assert (ROOT / f"demo/{name}.safetensors").is_file()
    assert re.search(rf"export_weights\.py .* --out {{runs}}/{name}\.safetensors$", RECIPES[name][-1])


@pytest.mark.parametrize("name", RECIPES)
def test_places_of_a_recipe_are_filled_in(name):
    known = {"root", "python", "workers", "device", "data", "runs", "mmpose"}
    assert {place for command in RECIPES[name] for place in re.findall(r"{(\w*)}", command)} <= known


@pytest.mark.parametrize("name", RECIPES)
def test_no_training_goes_on_from_the_last_step_of_another(name):
    # mmengine takes --resume with load_from for "resume from that file".
    assert not [command for command in RECIPES[name] if "--resume" in command and "load_from" in command]
