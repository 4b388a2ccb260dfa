"""The names that scripts use: there as README says, and typed for whoever checks his own code."""

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import cosemscope.live

_README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_names_in_readme_are_there() -> None:
    """What its snippet imports can be imported."""
    imported = re.findall(r"^from cosemscope\.live import (.+)$", _README.read_text(encoding="utf-8"), re.M)
    names = {name.strip() for line in imported for name in line.split(",")}
    assert names
    assert names <= set(cosemscope.live.__all__)
    assert all(hasattr(cosemscope.live, name) for name in cosemscope.live.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    """Without the marker mypy takes nothing of it for granted (PEP 561)."""
    assert files("cosemscope").joinpath("py.typed").is_file()


def test_a_script_loads_neither_the_window_nor_arrays_for_the_core() -> None:
    """`transport` is free of NumPy and Qt, `live` of Qt: what is not imported is not needed to run."""
    shown = (
        "import sys, cosemscope.transport.tcp, cosemscope.transport.udp;"
        "print('numpy' in sys.modules, 'PySide6' in sys.modules);"
        "import cosemscope.live; print('PySide6' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", shown],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(_README.parent / "app")},
    )
    assert ran.stdout.split() == ["False"] * 3
