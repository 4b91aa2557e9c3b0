"""The entry point into detectron2's unmodified scripts: ``DETECTRON2_ENV_MODULE=orplugins.detectron2.env``.

detectron2 calls `setup_environment` in the middle of its own import, when the package `detectron2` has no attributes
yet: code that runs from here imports its submodules and asks nothing of the package.
"""

from orplugins.hosts.detectron2.components import register


def setup_environment() -> None:
    """Register our components, and let stock scripts know our config keys (by ``get_cfg()``) and our mapper.

    Only this entry point touches detectron2's defaults, as a script that does not call `add_orplugins_config` needs it;
    ``import orplugins`` leaves the configs of other code in the process as they are.
    """
    from detectron2.config.defaults import _C as defaults

    from orplugins.hosts.detectron2.config import add_orplugins_config
    from orplugins.orpose_color.detectron2.stock_mapper import choose_mapper

    register()
    add_orplugins_config(defaults)
    choose_mapper()
