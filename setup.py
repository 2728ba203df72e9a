"""Dependencies of the plugin; everything else stands in pyproject.toml."""

import os

from setuptools import setup

# Servers without a display set DSIAM_OPENCV=opencv-python-headless before `pip install`.
OPENCV = os.environ.get("DSIAM_OPENCV", "opencv-python")

setup(
    install_requires=[
        "torch>=2.2,<3",
        "numpy>=1.23",
        f"{OPENCV}>=4.8",
        "packaging>=21",
        "PyYAML>=6",
        "safetensors>=0.4",
        "tqdm>=4.60",
        "colorama>=0.4.4",
    ]
)
