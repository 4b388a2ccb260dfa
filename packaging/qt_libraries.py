"""The system libraries that Qt loads on Linux: which are missing, which packages have them.

The wheels of PySide6 bring Qt but not what Qt stands on. As root on Debian or
Ubuntu the packages are installed; elsewhere the user is told what to run.
Standard library only, like `bootstrap`; macOS and Windows need none of this.
"""

from __future__ import annotations

import os
import sys

from workspace import SetupError

#: Library -> package of Debian and Ubuntu that has it; what Qt needs to draw anywhere, a file included.
OFFSCREEN = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
#: What Qt needs besides to draw on a Wayland display.
WAYLAND = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
#: What Qt needs besides to draw on an X display.
XCB = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def needed() -> dict[str, str]:
    """The libraries for the display that the environment names; none where it names none."""
    if not sys.platform.startswith("linux"):
        return {}
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    # Without a platform that was asked for, Qt takes the display there is.
    wayland = platform.startswith("wayland") or (not platform and os.environ.get("WAYLAND_DISPLAY"))
    xcb = platform.startswith("xcb") or (not platform and os.environ.get("DISPLAY"))
    if not (platform or wayland or xcb):
        return {}
    return {**OFFSCREEN, **(WAYLAND if wayland else {}), **(XCB if xcb else {})}


def missing(libraries: dict[str, str]) -> dict[str, str]:
    """Those of `libraries` that this system cannot load."""
    import ctypes

    absent = {}
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            absent[library] = package
    return absent


def install(absent: dict[str, str]) -> None:
    """Install the packages that have the libraries `absent`, with progress on standard error.

    Raises SetupError, with the line to run, where that cannot be done.
    """
    import shutil

    packages = sorted(set(absent.values()))
    line = "apt-get install --no-install-recommends " + " ".join(packages)
    if shutil.which("apt-get") is None:
        raise SetupError(
            f"Qt needs libraries that this system lacks: {', '.join(absent)}. Install them with the system's "
            "package manager, then start again."
        )
    if os.geteuid() != 0:
        raise SetupError(
            f"Qt needs libraries that this system lacks. Install them, then start again:\n    sudo {line}"
        )
    print(f"Installing system libraries that Qt needs: {' '.join(packages)}", file=sys.stderr, flush=True)
    _apt_get("update")  # where one of several sources fails, the others may still do
    said = _apt_get("install", "-y", "--no-install-recommends", *packages)
    still = missing(absent)
    if still:
        raise SetupError(
            f"System libraries that Qt needs could not be installed ({', '.join(still)}). This was tried:\n"
            f"    {line}\n" + "\n".join("    " + text for text in said.strip().splitlines()[-6:])
        )


def _apt_get(*words: str) -> str:
    """Run apt-get without questions; what it said."""
    import subprocess

    return subprocess.run(
        ["apt-get", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        encoding="utf-8",
        errors="replace",
        check=False,
    ).stdout
