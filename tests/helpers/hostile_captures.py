"""All hostile captures by name, of a wanted length: those handed to us, and those of `costly_captures`."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from tests.helpers.costly_captures import COSTLY
from tests.helpers.shared import shared_path

_GENERATOR = shared_path("cases/hostile/generate.py")
Maker = Callable[[Path, int], None]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_captures_shared", _GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _maker(octets: Callable[[int], bytes]) -> Maker:
    def make(path: Path, count: int) -> None:
        path.write_bytes(octets(count))

    return make


GIVEN: dict[str, Maker] = (
    {name: _maker(octets) for name, octets in sorted(_generator().cases.items())}
    if _GENERATOR.exists()
    else {}
)
"""Those handed to us; none where they are not there."""
HOSTILE: dict[str, Maker] = {**GIVEN, **COSTLY}


def write(name: str, path: Path, octets: int, most: int = 1 << 24) -> int:
    """Write a capture of that kind, of about as many octets; returns how many it has."""
    make, count = HOSTILE[name], 64
    while True:
        make(path, count)
        size = path.stat().st_size
        if size >= octets or count >= most:
            return size
        count = max(count + 1, min(count * 8, int(count * octets / max(size, 1)) + 1))
