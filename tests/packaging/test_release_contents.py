"""What goes into an installer: no test, no key, no path of the building machine."""

import pytest

from tests.helpers.scripts import CHECKOUT, script

contents = script("release.contents")
facts = script("release.facts")
inspection = script("release.inspection")


@pytest.mark.parametrize(
    ("name", "goes_in"),
    [
        ("cosemscope.cli.commands.self_test_command", True),
        ("pydoc", True),
        ("numpy.testing._private.utils", False),
        ("numpy._core.tests.test_umath", False),
        ("pyqtgraph.tests", False),
        ("conftest", False),
        ("PySide6.QtTestHelpers", True),
    ],
)
def test_modules_of_tests_stay_out(name, goes_in):
    """Whatever PyInstaller finds."""
    assert contents.wanted_module(name) is goes_in


@pytest.mark.parametrize(
    ("name", "source", "goes_in"),
    [
        ("PySide6/Qt/lib/libQt6Core.so.6", "/opt/x/libQt6Core.so.6", True),
        ("PySide6/Qt/lib/libQt6Quick.so.6", "/opt/x/libQt6Quick.so.6", False),
        ("PySide6\\Qt6Gui.dll", "C:\\x\\Qt6Gui.dll", True),
        ("PySide6\\Qt6Quick.dll", "C:\\x\\Qt6Quick.dll", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "", True),
        ("PySide6/Qt/plugins/platforms/libqvnc.so", "", False),
        ("PySide6/plugins/platforms/qwindows.dll", "", True),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", "", False),
        ("PySide6/opengl32sw.dll", "", False),
        ("keyring-25.7.0.dist-info/RECORD", "", False),
        ("keyring-25.7.0.dist-info/entry_points.txt", "", True),
        ("libpython3.11.so.1.0", "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", True),
        ("libX11.so.6", "/lib/x86_64-linux-gnu/libX11.so.6", False),
        ("libreadline.so.8", "/lib/x86_64-linux-gnu/libreadline.so.8", False),
        ("libpcap.so.0.8", "/usr/lib/x86_64-linux-gnu/libpcap.so.0.8", False),
        ("numpy/tests/data.npy", "", False),
    ],
)
def test_only_files_in_use_go_in(name, source, goes_in):
    """Of Qt, of the system, of anything."""
    assert contents.wanted_file(name, source) is goes_in


def test_every_module_and_every_data_file_is_named():
    """Commands and panes are imported by name: no analysis finds them. Pictures and examples stay out."""
    names = contents.hidden_imports(CHECKOUT)
    assert {"keyring", "cosemscope.cli.commands.self_test_command", "cosemscope.gui.frame.window"} <= set(
        names
    )
    pairs = contents.data_files(CHECKOUT)
    targets = {target for _, target in pairs}
    assert "cosemscope/_resources/samples" in targets
    assert not any("pictures" in target or "examples" in target for target in targets)
    assert {"LICENSE", "NOTICE", "CHANGELOG.md"} <= {source.rpartition("/")[2] for source, _ in pairs}


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_the_committed_list_is_whole_and_within_the_bar(system):
    """It has the program, the samples, the licences, and nothing that must not be there."""
    listed = inspection.read_list(inspection.LISTS / f"{system}.txt")
    assert 0 < sum(listed.values()) <= inspection.MOST_INSTALLED
    ending = ".exe" if system == "windows" else ""
    assert {
        f"cosemscope{ending}",
        "_internal/cosemscope/_resources/samples/first-look.pcapng",
        "_internal/licences/qt-and-pyside6/LGPL-3.0.txt",
        "_internal/licences/python/LICENSE.txt",
        "_internal/LICENSE",
        "_internal/NOTICE",
    } <= set(listed)
    assert [name for name in listed if not contents.wanted_file(name)] == []


def test_files_too_many_too_few_and_of_another_size_are_faults(tmp_path):
    """A list is held against a folder both ways; it survives being written."""
    listing = tmp_path / "list.txt"
    inspection.write_list(listing, {"a b": 100_000, "c": 5})
    listed = inspection.read_list(listing)
    assert inspection.compare({"a b": 110_000, "c": 5}, listed) == []
    faults = inspection.compare({"a b": 200_000, "d": 1}, listed)
    assert [fault.split(" ")[0] for fault in faults] == ["d", "c", "a"]
    assert "200,000" in faults[-1]


@pytest.mark.parametrize(
    ("name", "octets", "fault"),
    [
        ("fine.txt", b"nothing", None),
        ("certificate.p12", b"x", "looks like a key"),
        ("tests/test_x.py", b"", "is a test"),
        (
            "text",
            b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 64 + b"\n",
            "holds a private key",
        ),
        ("library.so", b"\0" + str(CHECKOUT).encode() + b"/x.c\0", "tells"),
        ("library.dll", str(CHECKOUT).encode("utf-16-le"), "tells"),
        ("wine.dll", str(CHECKOUT).replace("/", "\\").encode(), "tells"),
    ],
)
def test_what_must_not_be_inside_is_found(tmp_path, name, octets, fault):
    """Tests, keys and paths, as Unix and as Windows spell them."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    found = list(inspection.forbidden(tmp_path))
    assert (found == []) if fault is None else any(fault in each for each in found)


def test_the_version_has_one_place():
    """pyproject.toml takes it from the package; so do the installers, for Windows as four numbers."""
    import tomllib

    import cosemscope

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["version"]["path"] == "app/cosemscope/__init__.py"
    assert cosemscope.__version__ == facts.FACTS.version
    assert facts.Facts("1.2.3rc1").numbers == (1, 2, 3, 0)
