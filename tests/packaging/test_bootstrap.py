"""Starting: which Pythons are refused, which arguments are paths, when libraries matter."""

import os
import sys
from pathlib import Path

import pytest

from tests.helpers.scripts import CHECKOUT, script

bootstrap = script("bootstrap")
libraries = script("qt_libraries")
workspace = script("workspace")


@pytest.mark.parametrize("version", [(3, 8, 18), (3, 10, 13), (3, 15, 0), (4, 0, 0)])
def test_a_python_that_will_not_do_is_told_which_ones_do(version):
    """Too old or too new: the range and what this one is."""
    refusal = bootstrap.refuse_python(version)
    assert "needs Python 3.11 to 3.14" in refusal
    assert f"this is {version[0]}.{version[1]}" in refusal


def test_every_python_in_the_range_that_pyproject_states_will_do():
    """Set-up and pyproject.toml state the same range."""
    import tomllib

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    oldest, newest = bootstrap.OLDEST, bootstrap.NEWEST
    stated = f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    assert project["requires-python"] == stated
    for minor in range(oldest[1], newest[1] + 1):
        assert bootstrap.refuse_python((3, minor, 0)) is None


@pytest.mark.parametrize("name", ["bootstrap", "installer", "qt_libraries", "workspace"])
def test_an_old_python_can_read_the_launcher(name):
    """Else it would answer with a syntax error instead of saying which Python is needed."""
    import ast

    ast.parse((CHECKOUT / "packaging" / f"{name}.py").read_text(), feature_version=(3, 8))


def test_paths_among_pytests_arguments_stay_right_from_any_folder(tmp_path, monkeypatch):
    """The suite changes to the checkout: what named a file must still name it."""
    (tmp_path / "test_x.py").touch()
    monkeypatch.chdir(tmp_path)
    assert bootstrap.absolute("test_x.py::test_y") == f"{tmp_path / 'test_x.py'}::test_y"
    assert bootstrap.absolute("-k") == "-k"
    assert bootstrap.absolute("not there") == "not there"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lacks libraries")
@pytest.mark.parametrize(
    ("environment", "needs"),
    [
        ({}, set()),
        ({"QT_QPA_PLATFORM": "offscreen"}, set(libraries.OFFSCREEN)),
        ({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, set(libraries.OFFSCREEN)),
        ({"WAYLAND_DISPLAY": "wayland-0"}, {*libraries.OFFSCREEN, *libraries.WAYLAND}),
        ({"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "wayland-0"}, {*libraries.OFFSCREEN, *libraries.XCB}),
        ({"QT_QPA_PLATFORM": "wayland;xcb"}, {*libraries.OFFSCREEN, *libraries.WAYLAND}),
        ({"DISPLAY": ":0"}, set(libraries.OFFSCREEN) | set(libraries.XCB)),
    ],
)
def test_the_libraries_are_those_of_the_display(monkeypatch, environment, needs):
    """X11, Wayland and off screen need different ones."""
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert set(libraries.needed()) == needs


def test_a_library_that_is_missing_is_found_missing():
    """By loading it, not by looking for a file."""
    assert libraries.missing({"libnothere.so.9": "libnothere9"}) == {"libnothere.so.9": "libnothere9"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lacks libraries")
def test_without_root_the_line_to_run_is_told(monkeypatch):
    """With sudo, and with exactly the packages that are missing."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(workspace.SetupError) as told:
        libraries.install({"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1"})
    assert str(told.value).endswith("sudo apt-get install --no-install-recommends libegl1 libgl1")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lacks libraries")
def test_libraries_that_were_found_once_are_not_looked_for_again(tmp_path, monkeypatch):
    """Looking costs each start time; another display asks anew."""
    (tmp_path / ".venv").mkdir()
    place = workspace.Place(str(tmp_path))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(libraries, "missing", lambda needed: {})
    assert bootstrap.lacks_libraries(place)
    bootstrap.ensure_libraries(place)
    assert not bootstrap.lacks_libraries(place)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setenv("DISPLAY", ":0")
    assert bootstrap.lacks_libraries(place)


def test_unknown_sets_are_wrong_usage(capsys):
    """Exit status 2, with the sets that there are."""
    assert bootstrap.main(["everything"]) == 2
    assert "app tests lint" in capsys.readouterr().err


def test_the_checkout_is_where_this_suite_stands():
    """Nothing is set up in another checkout."""
    assert Path(bootstrap.CHECKOUT) == CHECKOUT
