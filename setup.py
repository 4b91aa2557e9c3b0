"""Packaging of orplugins: a pure wheel whose core needs NumPy alone; hosts are extras."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "orplugins/__init__.py").read_text()).group(1)

# Lower bounds only. mmpose, its xtcocotools, mmcv and detectron2 are not here, because pip cannot install them as they
# are; `orplugins doctor` prints the commands for the Python and torch that it finds.
EXTRAS = {
    "mmpose": [
        "torch>=2.0",
        "torchvision>=0.15",
        "mmengine>=0.10",
        "mmdet>=3.2",
        "json_tricks",
        "munkres",
        "scipy",
        "opencv-python",
        "pillow",
        "matplotlib",
        "safetensors",
        "timm>=1.0",
        "tqdm",
    ],
    "detectron2": [
        "torch>=2.0",
        "torchvision>=0.15",
        "fvcore",
        "iopath",
        "yacs",
        "omegaconf>=2.1",
        "hydra-core",
        "tabulate",
        "cloudpickle",
        "tensorboard",
        "pycocotools>=2.0.6",
        "termcolor",
        "tqdm",
        "black",
        "packaging",
        "matplotlib",
        "pillow",
        "safetensors",
        "scipy",
        "opencv-python",
    ],
    "mvor": ["scipy", "pycocotools>=2.0.6"],
    "motion": ["scipy", "matplotlib", "opencv-python", "pillow", "pyyaml"],
    "itop": ["h5py"],
    "onnx": ["onnx", "onnxruntime"],
    "synthetic": ["pillow"],
    "embree": ["embreex"],
    "dev": ["pytest", "pytest-xdist", "hypothesis", "ruff"],
}
EXTRAS["all"] = sorted({need for name, needs in EXTRAS.items() if name != "dev" for need in needs})

setup(
    name="orplugins",
    version=VERSION,
    description="Human pose in operating rooms for detectron2 and mmpose",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["orplugins", "orplugins.*"]),
    package_data={
        "orplugins.synthetic.scene": ["assets/*"],
        "orplugins.hosts": ["mmcv_ops/*.*", "xtcocotools_build/*.py"],
    },
    entry_points={"console_scripts": ["orplugins = orplugins.cli:main"]},
    python_requires=">=3.10",
    install_requires=["numpy>=1.24", "wrapt>=1.14"],
    extras_require=EXTRAS,
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
