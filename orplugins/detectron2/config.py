"""Our keys in detectron2's YAML configs."""

from detectron2.config import CfgNode


def add_orplugins_config(cfg: CfgNode) -> None:
    """Add the node ``ORPLUGINS`` to a config, in place; one that is there already stays as it is.

    A method adds its defaults here, below a node of its own (``cfg.ORPLUGINS.<METHOD>``); no key of detectron2's own
    is changed. The node has no keys yet, and a config file that sets one is refused as for any unknown key.

    Parameters
    ----------
    cfg
        What ``detectron2.config.get_cfg()`` returned, before a file is merged into it.
    """
    if "ORPLUGINS" not in cfg:
        cfg.ORPLUGINS = CfgNode()
