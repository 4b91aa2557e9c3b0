"""People of whom a part is out of view: detector, ViTPose (Xu et al., NeurIPS 2022), joint states."""
