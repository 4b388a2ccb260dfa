"""For the whole suite: Qt draws to no screen, hypothesis has its two profiles, and a folder for everybody."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports Qt; `python3 tests` sets it too, a bare `pytest` does not.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A shell lets its background jobs ignore Ctrl+C, and they their children: tests interrupt many of these.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: The first use of NumPy or of a big module is slow on a busy machine: that is no failure.
_PATIENT = (HealthCheck.too_slow,)
settings.register_profile("modest", max_examples=50, deadline=None, suppress_health_check=_PATIENT)
settings.register_profile(
    "ci", max_examples=100, deadline=None, suppress_health_check=_PATIENT, derandomize=True, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "modest"))


@pytest.fixture
def own() -> Iterator[Path]:
    """A folder that every user may pass through and write to: pytest's are for their owner alone."""
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as name:
        Path(name).chmod(0o777)
        yield Path(name)
