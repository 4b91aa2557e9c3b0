"""Configs and weights are found where the package lies."""

import pytest

from orplugins.resources import SHIPPED, resource


def test_configs_and_weights_are_there():
    assert resource("configs/mmpose/refinet/refinet_or.py").is_file()
    assert resource("demo/refinet_or-bc.safetensors").is_file()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_are_there(name):
    assert all(resource(path).is_file() for path in SHIPPED[name])


def test_what_is_not_there_is_an_error_with_both_places():
    with pytest.raises(FileNotFoundError, match=r"configs/none\.py: is neither below .*\.mim nor below "):
        resource("configs/none.py")
