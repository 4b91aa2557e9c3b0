"""The one build step that pyproject.toml has no words for: what travels in the wheel below ``orplugins/.mim``.

mim (the package manager of OpenMMLab) looks there for configs, tools and the model index; `orplugins.resources` finds
all that the wheel carries. An editable install copies nothing: the folders of the clone are found.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent.resolve()
CARRIED = (
    "configs/**/*.py",
    "configs/**/*.yaml",
    "configs/**/*.yml",
    "demo/*.safetensors",
    "demo/*.md",
    "demo/*.log.json",
    "tools/*.py",
    "model-index.yml",
)


class BuildWithResources(build_py):
    """Build the package, then copy the carried files beside it in the build folder."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib).resolve() / "orplugins" / ".mim"
        shutil.rmtree(target, ignore_errors=True)  # of an earlier build
        for pattern in CARRIED:
            for path in sorted(ROOT.glob(pattern)):
                copy = target / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


setup(cmdclass={"build_py": BuildWithResources})
