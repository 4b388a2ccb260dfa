"""Installs the package on this Debian, starts it, photographs it, removes it, and looks at what is left."""

import os
import subprocess
from pathlib import Path

import qt_libraries
from release.display import photograph, screen, window
from release.facts import BUILD, FACTS
from release.freezing import FROZEN
from release.inspection import check_download
from release.linux import deb
from release.steps import BuildError, need, run, say
from workspace import SetupError

#: The bar: seconds until the frozen program's window is there.
MOST_SECONDS = 2.0
_FLATPAK = Path(__file__).with_name(f"{FACTS.identifier}.yml")
PICTURE = BUILD / "pictures" / "linux.png"


def self_test() -> None:
    """Run the frozen program's self-test."""
    say(run([FROZEN / FACTS.command / FACTS.command, "self-test"]))


def check() -> None:
    """Hold the package and what desktops read of it against the tools that judge them."""
    need("lintian", "desktop-file-validate", "appstreamcli", "flatpak-builder")
    check_download(deb.PACKAGE)
    options = ["--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0"]
    say(run(["lintian", *options, deb.PACKAGE]) or "lintian: clean")
    share = deb.TREE / "usr" / "share"
    run(["desktop-file-validate", share / "applications" / f"{FACTS.command}.desktop"])
    metainfo = share / "metainfo" / f"{FACTS.identifier}.metainfo.xml"
    run(["flatpak-builder", "--show-manifest", _FLATPAK])
    say("flatpak-builder: reads the manifest")
    say(run(["appstreamcli", "validate", "--no-net", "--explain", metainfo]))


def install_and_remove() -> None:
    """Install the package, run its self-test, photograph its window, remove it; raises BuildError."""
    if os.geteuid() != 0:
        raise BuildError("Installing a package needs root: run this as root, or in a container.")
    libraries = {**qt_libraries.OFFSCREEN, **qt_libraries.XCB, **qt_libraries.WAYLAND}
    absent = qt_libraries.missing(libraries)
    try:
        if absent:
            qt_libraries.install(absent)
    except SetupError as error:
        raise BuildError(str(error)) from error
    run(["dpkg", "--install", deb.PACKAGE])
    try:
        program = f"/usr/bin/{FACTS.command}"
        say(run([program, "self-test"], folder=Path("/")))
        run(["man", "--warnings", "-l", f"/usr/share/man/man1/{FACTS.command}.1.gz"], folder=Path("/"))
        sample = f"/usr/lib/{FACTS.command}/_internal/cosemscope/_resources/samples/first-look.pcapng"
        with screen() as display:
            seconds = min(_start(program, sample, display) for _ in range(3))
        load, processors = os.getloadavg()[0], os.cpu_count() or 1
        busy = f"load {load:.1f} on {processors} processors"
        say(f"window up after {seconds:.2f} s (at most {MOST_SECONDS}; {busy}): {PICTURE}")
        if seconds > MOST_SECONDS and load <= 2 * processors:  # others' work says nothing of the program
            raise BuildError(f"the window took {seconds:.2f} s, more than {MOST_SECONDS} s")
    finally:
        run(["dpkg", "--purge", FACTS.command])
    left = [path for path in _installed() if path.exists() or path.is_symlink()]
    if left:
        raise BuildError(f"left after removal: {left[:5]}")


def _start(program: str, capture: str, display: str) -> float:
    with window([program, capture], display) as seconds:
        photograph(display, PICTURE)
    return seconds


def _installed() -> list[Path]:
    """Every file that the package brings."""
    listed = subprocess.run(
        ["dpkg-deb", "--contents", str(deb.PACKAGE)], capture_output=True, text=True, check=True
    )
    names = [line.split(" -> ")[0].split(" ./")[-1] for line in listed.stdout.splitlines() if line[0] != "d"]
    return [Path("/", name) for name in names]
