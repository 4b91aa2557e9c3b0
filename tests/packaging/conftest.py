"""What the packaging tests share: fresh interpreters, and the wheel installed where there is nothing else."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command and return its output (stdout and stderr together); fail with that output if it exits nonzero."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture
def python(tmp_path):
    """Return a function that runs code in a fresh interpreter of this environment, outside the repository."""
    return lambda code, **environment: run(sys.executable, "-c", code, cwd=tmp_path, **environment)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel from a copy of the sources, so that nothing is left over in (or taken from) ``build/``."""
    pytest.importorskip("setuptools")
    pytest.importorskip("wheel")
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "model-index.yml"):
        if (REPOSITORY / name).exists():
            shutil.copy(REPOSITORY / name, sources)
    for name in ("orplugins", "configs", "demo", "tools"):
        shutil.copytree(REPOSITORY / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, sources, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bare_python(wheel, tmp_path_factory) -> Path:
    """Return the interpreter of a new environment that holds the wheel, NumPy and wrapt, and nothing else."""
    import numpy
    import wrapt

    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    interpreter = folder / "venv" / "bin" / "python"
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # Links stand in for installing the two requirements, which would need a network.
    for package in (numpy, wrapt):
        found = Path(package.__file__).parent
        for part in (found, found.with_name(found.name + ".libs")):
            if part.exists():
                (site_packages / part.name).symlink_to(part)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", interpreter)
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    return interpreter
