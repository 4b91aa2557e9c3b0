"""model-index.yml and the metafiles: configs, weights and cards are there, and the zoo tables are made of them."""

import hashlib
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("dev_zoo", ROOT / "dev/zoo.py")
zoo = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(zoo)
COLLECTIONS, MODELS = zoo.read_index()
EACH = pytest.mark.parametrize("model", MODELS, ids=lambda model: model["Name"])
SHIPPED = [model for model in MODELS if "Weights" in model]
EACH_SHIPPED = pytest.mark.parametrize("model", SHIPPED, ids=lambda model: model["Name"])


@EACH
def test_config_parses(model):
    path = ROOT / model["Config"]
    assert path.stem == model["Name"]
    if "detectron2" not in path.parts:
        pytest.importorskip("mmpose")
        from mmengine.config import Config

        assert "model" in Config.fromfile(path)
        return
    pytest.importorskip("detectron2")
    if path.suffix == ".py":
        from detectron2.config import LazyConfig

        assert "model" in LazyConfig.load(str(path))
    else:
        from detectron2.config import get_cfg

        from orplugins.hosts.detectron2.config import add_orplugins_config

        config = get_cfg()
        add_orplugins_config(config)
        config.merge_from_file(str(path))


def test_every_config_has_an_entry():
    configs = [path for path in (ROOT / "configs").rglob("*.*") if path.suffix in (".py", ".yaml")]
    named = {model["Config"] for model in MODELS}
    assert {str(p.relative_to(ROOT)) for p in configs if "_base" not in str(p)} == named


@EACH_SHIPPED
def test_weights_have_their_hash_and_card(model):
    assert hashlib.sha256((ROOT / model["Weights"]).read_bytes()).hexdigest() == model["SHA256"]
    card = (ROOT / model["Card"]).read_text(encoding="utf-8")
    assert f"`{model['Config']}`" in card and f"{model['Metadata']['Parameters']:,}" in card


def test_every_file_of_weights_has_an_entry():
    files = {
        str(path.relative_to(ROOT)) for path in ROOT.glob("*/**/*.safetensors") if path.parts[len(ROOT.parts)] == "demo"
    }
    assert files == {model["Weights"] for model in SHIPPED}


@EACH
def test_results_are_those_of_card_or_page(model):
    for result in model.get("Results", []):
        source = result.get("Source", model.get("Card", ""))
        if source.startswith("published"):
            continue
        numbers = re.findall(r"\d+\.?\d*", (ROOT / source).read_text(encoding="utf-8"))
        assert {str(number) for number in result["Metrics"].values()} <= set(numbers)


def test_index_is_of_the_form_that_mim_reads():
    modelindex = pytest.importorskip("modelindex")
    index = modelindex.load(str(ROOT / "model-index.yml"))
    index.build_models_with_collections()
    assert {model.name for model in index.models} == {model["Name"] for model in MODELS}


@pytest.mark.parametrize("collection", COLLECTIONS.values(), ids=lambda each: each["Name"])
def test_collections_name_a_page(collection):
    assert (ROOT / collection["README"]).is_file()


def test_tables_are_up_to_date():
    assert zoo.pages(), "no page has a table"
    assert zoo.main(["--check"]) == 0
