"""Installing: pip's troubles in words, nothing leads away from `.venv`, an interruption is repaired."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helpers.scripts import script

bootstrap = script("bootstrap")
installer = script("installer")
workspace = script("workspace")


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("WARNING: Retrying after NewConnectionError('Network is unreachable')", "cannot be reached"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "was pinned"),
        ("SSLError(SSLCertVerificationError)\nCould not find a version", "certificate"),
        ("ERROR: No matching distribution found for numpy==2.1.3", "no build"),
        ("ERROR: Could not find a version that satisfies numpy (from versions: none)", "registry answered"),
        ("ERROR: something else", "last lines say why"),
    ],
)
def test_pips_trouble_is_told_in_words_with_its_last_lines(output, meaning):
    """The meaning for people first, then pip's own words."""
    told = installer.explain_pip(output)
    assert meaning in told.splitlines()[0]
    assert told.endswith(output.splitlines()[-1])


def test_settings_that_lead_elsewhere_are_not_passed_to_pip(monkeypatch):
    """Packages must land in `.venv`; certificates and proxies of the user stay."""
    for name in ("PIP_TARGET", "PYTHONPATH", "PIP_PREFIX"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PIP_CERT", "certificate.pem")
    environment = installer.pip_environment()
    assert not {"PIP_TARGET", "PYTHONPATH", "PIP_PREFIX"} & set(environment)
    assert environment["PIP_CERT"] == "certificate.pem"
    assert environment["PIP_USER"] == "0"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch):
    """A checkout with a small package of its own, whose one dependency is a wheel in a folder: no network."""
    root = tmp_path / "check out"  # with a space, as on many desks
    wheels = tmp_path / "wheels"
    (root / "packaging").mkdir(parents=True)
    (root / "app" / "cosemscope").mkdir(parents=True)
    wheels.mkdir()
    (root / "app/cosemscope/__init__.py").touch()
    (root / "app/cosemscope/__main__.py").write_text("import sys, tiny\nprint(tiny.VALUE, sys.argv[1:])\n")
    hashed = _make_wheel(wheels)
    for name, pins in workspace.SETS.items():
        (root / "packaging" / pins).write_text(f"tiny==1.0 --hash=sha256:{hashed}\n" if name == "app" else "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return workspace.Place(str(root))


def _make_wheel(folder: Path) -> str:
    """A wheel of the package `tiny` 1.0 in `folder`; its SHA-256."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    files = {
        "tiny.py": "VALUE = 'from the wheel'\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return workspace.fingerprint(str(path))


def run(place, *words: str) -> str:
    command = os.path.join(place.scripts, "cosemscope.cmd" if sys.platform == "win32" else "cosemscope")
    return subprocess.run([command, *words], capture_output=True, text=True, check=True).stdout


def test_set_up_makes_a_command_that_works_and_the_next_one_does_nothing(checkout, capfd):
    """The first start finds the package compiled, the second costs no pip."""
    bootstrap.ensure(checkout, ["app"])
    assert list(Path(checkout.checkout, "app").rglob("*.pyc"))
    assert run(checkout, "a b", "c") == "from the wheel ['a b', 'c']\n"
    assert "tiny 1.0" in capfd.readouterr().err
    made = os.stat(checkout.python, follow_symlinks=False).st_mtime_ns
    bootstrap.ensure(checkout, ["app"])
    assert capfd.readouterr().err == ""
    assert os.stat(checkout.python, follow_symlinks=False).st_mtime_ns == made


def test_a_set_up_that_was_interrupted_is_made_anew(checkout):
    """What an interruption leaves: a virtual environment with something in it, and no mark."""
    os.makedirs(checkout.scripts)
    Path(checkout.scripts, "half").touch()
    bootstrap.ensure(checkout, ["app"])
    assert run(checkout) == "from the wheel []\n"
    assert not Path(checkout.scripts, "half").exists()


@pytest.mark.skipif(not importlib.util.find_spec("ensurepip"), reason="this Python has no ensurepip")
def test_without_a_pip_the_environment_gets_its_own(checkout, monkeypatch):
    """Python's ensurepip gives it one."""
    monkeypatch.setattr(installer, "has_pip", lambda python: False)
    bootstrap.ensure(checkout, ["app"])
    assert run(checkout) == "from the wheel []\n"


def test_without_any_pip_the_line_to_run_is_told_and_nothing_is_made(checkout, monkeypatch):
    """No half environment is left behind."""
    monkeypatch.setattr(installer, "has_pip", lambda python: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(workspace.SetupError, match=r"pip .* is missing.*\n +\S+ "):
        bootstrap.ensure(checkout, ["app"])
    assert not os.path.exists(checkout.venv)


def test_a_further_set_is_added_to_what_is_there(checkout):
    """Tests after the app: nothing is thrown away."""
    bootstrap.ensure(checkout, ["app"])
    Path(checkout.venv, "kept").touch()
    bootstrap.ensure(checkout, ["app", "tests"])
    assert Path(checkout.venv, "kept").exists()
    assert workspace.missing_sets(checkout, workspace.read_mark(checkout), ["app", "tests"]) == []


def test_a_package_that_is_not_the_pinned_one_is_refused_and_nothing_is_marked(checkout):
    """Hashes are checked, and a failure is never taken for ready."""
    Path(checkout.pins("app")).write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(workspace.SetupError, match="not the one that was pinned"):
        bootstrap.ensure(checkout, ["app"])
    assert workspace.read_mark(checkout) == {}


def test_a_package_that_cannot_be_had_is_told_in_words(checkout):
    """The likeliest failure of a first start is a sentence."""
    Path(checkout.pins("app")).write_text(f"absent==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(workspace.SetupError, match="none has this package"):
        bootstrap.ensure(checkout, ["app"])


#: What stands in a folder beside a capture, under names that a careless child would import.
_TRAP = "import pathlib\npathlib.Path(__file__).with_name('sprung').touch()\n"
_TRAPS = ("pip", "venv", "compileall", "sysconfig", "ensurepip", "argparse", "json", "tiny")


def test_nothing_in_the_current_folder_is_run_by_a_set_up(checkout, tmp_path, monkeypatch):
    """A set-up in the folder of an unpacked archive, perhaps as root, imports none of what lies there."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name in _TRAPS:
        (folder / f"{name}.py").write_text(_TRAP)
    monkeypatch.chdir(folder)
    bootstrap.ensure(checkout, ["app"])
    assert run(checkout) == "from the wheel []\n"
    assert not (folder / "sprung").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not handed on there")
def test_what_a_killed_set_up_left_running_still_holds_the_lock(checkout, monkeypatch):
    """What writes into .venv goes on when its set-up is killed: the next start waits until it has ended."""
    import fcntl

    writers, start = {}, subprocess.Popen

    def recorded(command, **options):
        writers.update({word: options.get("pass_fds", ()) for word in command if word in _WRITERS})
        return start(command, **options)

    monkeypatch.setattr(installer.subprocess, "Popen", recorded)
    with workspace.alone(checkout):
        installer.set_up(checkout, {}, ["app"])
        assert writers == dict.fromkeys(_WRITERS, checkout.held)

    with workspace.alone(checkout):  # a child that has the descriptor keeps the lock beyond its parent
        child = os.dup(checkout.held[0])
    with open(checkout.lock, "a+b") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(child)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


#: Words of the commands that write into the checkout.
_WRITERS = ("venv", "install", "compileall")
