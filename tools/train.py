"""mmpose's own training script, where mim looks for one of ours: ``mim train orplugins CONFIG``."""

import runpy
from importlib.resources import files

if __name__ == "__main__":
    runpy.run_path(str(files("mmpose") / ".mim/tools/train.py"), run_name="__main__")
