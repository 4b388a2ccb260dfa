"""Modules of the folder `packaging/`, which is no package, imported by path."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

CHECKOUT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """The module `packaging/<name>.py`."""
    folder = str(CHECKOUT / "packaging")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
