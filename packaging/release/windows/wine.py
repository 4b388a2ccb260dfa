"""Runs Windows programs under Wine, in a Wine prefix of the build's own.

Two DLLs that newer Windows has and Debian's Wine has not are made for the prefix, never for the product.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.steps import need, run
from release.windows.runtime import HERE, PLACE, RUNTIME, compile_program, imports

PREFIX = PLACE / "wine"
SYSTEM = PREFIX / "drive_c" / "windows" / "system32"
LOADER = "/usr/lib/wine/wine64"


def wine(
    words: Sequence[str | Path],
    *,
    environment: Mapping[str, str] = {},
    folder: Path = PLACE,
    seconds: float = 900,
    statuses: Sequence[int] = (0,),
) -> str:
    """Run a Windows program to its end; return what it printed."""
    return run(
        [LOADER, *words],
        environment={**wine_environment(), **environment},
        folder=folder,
        seconds=seconds,
        statuses=statuses,
    )


def wine_environment() -> dict[str, str]:
    """What Wine is told: the prefix, no menus made in the user's home, no chatter."""
    return {
        "WINEPREFIX": str(PREFIX),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "winemenubuilder.exe,mscoree,mshtml=",
    }


def make_prefix() -> None:
    """Make the Wine prefix anew, with the stand-ins for what this Wine lacks."""
    need("wine", LOADER)
    shutil.rmtree(PREFIX, ignore_errors=True)
    PREFIX.parent.mkdir(parents=True, exist_ok=True)
    run(["wineboot", "--init"], environment=wine_environment(), seconds=180)
    settle()
    unicode_names: set[str] = set()
    for dll in sorted((RUNTIME / "Lib" / "site-packages" / "PySide6").glob("Qt6*.dll")):
        unicode_names |= imports(dll, "icuuc.dll")
    source = PLACE / "icuuc.c"
    stubs = [f"__declspec(dllexport) void *{name}(void) {{ return 0; }}" for name in sorted(unicode_names)]
    source.write_text("\n".join(stubs) + "\n", encoding="ascii")
    compile_program(SYSTEM / "icuuc.dll", "-shared", source)
    compile_program(SYSTEM / "bcryptprimitives.dll", "-shared", HERE / "random_stand_in.c", "-ladvapi32")


def settle() -> None:
    """Wait until every program in the prefix has ended."""
    run(["wineserver", "--wait"], environment=wine_environment(), seconds=180)


def windows_path(path: Path) -> str:
    """The path of a file as programs in the prefix see it."""
    inner = os.path.relpath(path, PREFIX / "drive_c")
    if not inner.startswith(".."):
        return "C:\\" + inner.replace("/", "\\")
    return "Z:" + str(path).replace("/", "\\")
