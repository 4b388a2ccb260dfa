"""The binding itself: Python 3.11 survives the PySide6 that is pinned, and Qt's warnings fail tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12")
def test_calls_that_return_nothing_keep_the_references_to_none():
    """A canary: PySide6 6.12.0 loses one reference a call, and Python 3.11 aborts when none is left."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        thing.setObjectName("")
    assert abs(sys.getrefcount(None) - before) < 100


@pytest.mark.parametrize(
    ("message", "status"),
    [("QPainter::begin: Paint device returned engine == 0", 1), ("This plugin does not support raise()", 0)],
)
def test_a_warning_of_qt_fails_the_test_it_comes_in(tmp_path, message, status):
    """Save for what the offscreen platform says of itself."""
    (tmp_path / "test_it.py").write_text(
        f"from PySide6.QtCore import qWarning\ndef test_it():\n    qWarning({message!r})\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(CHECKOUT / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout
    assert (message in done.stdout) is bool(status)
