"""mmpose's own test script, where mim looks for one of ours: ``mim test orplugins CONFIG --checkpoint WEIGHTS``."""

import runpy
from importlib.resources import files

if __name__ == "__main__":
    runpy.run_path(str(files("mmpose") / ".mim/tools/test.py"), run_name="__main__")
