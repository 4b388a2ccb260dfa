"""Makes the checkout's virtual environment and installs what is pinned; tells pip's troubles in words.

Works with the pip that stands beside the running Python, as on a bare Debian,
where neither `venv` with pip nor `pip install` by itself is to be had.
Standard library only, and no syntax that Python 3.8 does not know.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import time

from workspace import SETS, Place, SetupError, fingerprint, foundation, is_sound, write_mark

#: Settings that would send packages elsewhere than into `.venv`.
_MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PYTHONPATH", "PYTHONHOME")


def set_up(place: Place, mark: dict[str, str], names: list[str]) -> None:
    """Install the sets `names` and mark them.

    The virtual environment is made anew unless `mark` tells of a sound one.
    Raises SetupError; the caller holds the lock.
    """
    began = time.monotonic()
    sound = is_sound(place, mark)
    place.say("Adding to Cosemscope's set-up (once) ..." if sound else "Setting up Cosemscope (once) ...")
    with contextlib.suppress(FileNotFoundError):
        os.remove(place.mark)
    if not sound:
        mark = {"foundation": foundation(place)}
        names = [name for name in SETS if name in names or name == "app"]
    pip = _pip(place, make_venv=not sound)
    for name in names:
        _install(place, pip, name)
        mark[name] = fingerprint(place.pins(name))
    _add_package(place)
    write_mark(place, mark)
    place.say(f"Set up in {time.monotonic() - began:.0f} s.")


def _pip(place: Place, *, make_venv: bool) -> list[str]:
    """The command that installs into the virtual environment, which it makes when `make_venv` is true.

    A pip beside the running Python serves (22.3 or newer), as Debian's has it; else the
    environment gets a pip of its own from the standard library's ensurepip.
    """
    # A virtual environment made from another one would end with it.
    base = place.base
    outer = next((python for python in dict.fromkeys((sys.executable, base)) if has_pip(python)), None)
    if outer is None and importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            "Python's installer pip (22.3 or newer) is missing. Install it, then start again:\n"
            f"    {_no_pip_remedy()}"
        )
    if make_venv:
        place.say("  making .venv")
        shutil.rmtree(place.venv, ignore_errors=True)
        options = ["--without-pip"] if outer else []
        made = _run([base, "-m", "venv", "--clear", *options, place.venv], place.held)
        if made.returncode:
            raise SetupError(f"Python could not make {place.venv}:\n{_tail(made.stdout)}")
    if outer:
        return [outer, "-m", "pip", "--python", place.python]
    return [place.python, "-m", "pip"]


def has_pip(python: str) -> bool:
    """Whether `python` has a pip that installs into other environments (`--python`, from 22.3)."""
    asked = _run([python, "-m", "pip", "--version"])
    words = asked.stdout.split()
    if asked.returncode or len(words) < 2:
        return False
    with contextlib.suppress(ValueError):
        return [int(number) for number in words[1].split(".")[:2]] >= [22, 3]
    return False


def _no_pip_remedy() -> str:
    if os.path.exists("/etc/debian_version"):
        return "sudo apt-get install python3-pip python3-venv"
    return f"{sys.executable} -m ensurepip --upgrade"


_MEANINGS = {
    "app": "what Cosemscope runs on",
    "tests": "what the tests need",
    "lint": "the checkers",
    "mutants": "what changes code to try the tests",
    "fuzz": "what guides fuzzing",
    "fleet": "what writes Parquet and asks it",
    "freeze": "what freezes the program",
    "release": "what makes a release",
}


def _install(place: Place, pip: list[str], name: str) -> None:
    """Install the set `name` exactly as pinned, telling each package as it comes."""
    place.say(f"  installing packages: {_MEANINGS[name]}")
    command = [*pip, "install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--no-warn-script-location", "--progress-bar=off"]
    process = subprocess.Popen(
        [*command, "-r", place.pins(name)],
        pass_fds=place.held,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=pip_environment(),
        encoding="utf-8",
        errors="replace",
    )
    output = []
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            output.append(line)
            if line.startswith(("Collecting ", "Processing ")):
                place.say(f"    {_package(line.split()[1])}")
    if process.returncode:
        raise SetupError(explain_pip("".join(output)))


def _package(what: str) -> str:
    """A package as people name it, "numpy 2.1.3", from pip's `numpy==2.1.3` or a wheel's path."""
    if what.endswith(".whl"):
        what = "==".join(os.path.basename(what).split("-")[:2])
    return " ".join(what.split("=="))


#: Words in pip's output -> what they mean and what to do. The first that fits is told.
_PIP_TROUBLES = (
    (
        ("No space left on device", "Errno 28"),
        "The disk is full: make room (about 600 MB), then start again.",
    ),
    (
        ("SSLError", "CERTIFICATE_VERIFY_FAILED"),
        "The package registry's certificate was not accepted: where a proxy stands between, give pip its "
        "certificate (PIP_CERT=FILE), then start again.",
    ),
    (
        ("401 Client Error", "403 Client Error", "407 Proxy"),
        "The package registry or a proxy refused: see to pip's settings (`pip config list`), "
        "then start again.",
    ),
    (
        (
            "NewConnectionError",
            "Temporary failure in name resolution",
            "NameResolutionError",
            "ConnectTimeout",
            "ReadTimeout",
            "ProxyError",
            "Connection refused",
            "Connection reset",
            "Connection aborted",
            "Network is unreachable",
        ),
        "The package registry cannot be reached: connect to the network (or set HTTPS_PROXY), "
        "then start again.",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        "A package that arrived is not the one that was pinned, so nothing of it was used: empty pip's cache "
        "(`pip cache purge`), then start again; if it stays, the registry serves something else.",
    ),
    (("Permission denied", "Errno 13"), "A file cannot be written by this user; see below which."),
    (
        ("(from versions: none)",),
        "No package registry answered, or none has this package: connect to the network, look which registry "
        "pip asks (`pip config list`), then start again.",
    ),
    (
        ("No matching distribution found", "Could not find a version"),
        "The package registry has no build of a package for this machine and this Python "
        f"({sys.version_info[0]}.{sys.version_info[1]}). Another Python may do, or a 64-bit system.",
    ),
)


def explain_pip(output: str) -> str:
    """What pip's `output` after a failure means, what to do, and its last lines."""
    unknown = "pip could not install a package; its last lines say why."
    meanings = (meaning for signs, meaning in _PIP_TROUBLES if any(sign in output for sign in signs))
    errors = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    return f"{next(meanings, unknown)}\n{_tail(chr(10).join(errors) or output, 3)}"


def _add_package(place: Place) -> None:
    """Put the package itself and the `cosemscope` command into the virtual environment."""
    found = _run([place.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if found.returncode:
        raise SetupError(f"The new {place.python} does not start:\n{_tail(found.stdout)}")
    with open(os.path.join(found.stdout.strip(), "cosemscope.pth"), "w", encoding="utf-8") as file:
        file.write(os.path.join(place.checkout, "app") + "\n")
    # The first start need not do it then; where it cannot be, Python does without.
    _run([place.python, "-m", "compileall", "-qq", os.path.join(place.checkout, "app")], place.held)
    if sys.platform == "win32":
        with open(os.path.join(place.scripts, "cosemscope.cmd"), "w", encoding="ascii") as file:
            file.write('@"%~dp0python.exe" -P -m cosemscope %*\n')
        return
    script = os.path.join(place.scripts, "cosemscope")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {shlex.quote(place.python)} -P -m cosemscope "$@"\n')
    os.chmod(script, 0o755)


def pip_environment() -> dict[str, str]:
    """The environment for pip: the user's, less what would lead it away from `.venv`.

    No Python started in it, by pip neither, imports from the current folder: what lies there is not ours.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    # A setting `user = true` in a file would still be read; the environment goes before it.
    ours = {"PIP_USER": "0", "PIP_NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONSAFEPATH": "1"}
    return {**kept, **ours}


def _run(command: list[str], held: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end; both its outputs are in `.stdout`.

    It inherits the descriptors `held`: those of the lock, where it writes into the checkout.
    """
    return subprocess.run(
        command,
        pass_fds=held,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=pip_environment(),
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _tail(output: str, lines: int = 6) -> str:
    return "\n".join("    " + line.rstrip() for line in output.strip().splitlines()[-lines:])
