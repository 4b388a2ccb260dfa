"""Real captures and vectors that stand beside the checkout: read from there, never copied here."""

import os
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[2]


def shared_path(name: str) -> Path:
    """The path of `name` in the folder of shared test material, whether it is there or not.

    The folder is `COSEMSCOPE_SHARED`, or `shared` beside the checkout.
    """
    return Path(os.environ.get("COSEMSCOPE_SHARED", _CHECKOUT.parent / "shared")) / name


def shared(name: str) -> Path:
    """The path of `name` in the folder of shared test material; skips the test where it is missing."""
    path = shared_path(name)
    if not path.exists():
        pytest.skip(f"SHARED MATERIAL MISSING: {name} (set COSEMSCOPE_SHARED to the folder that holds it)")
    return path
