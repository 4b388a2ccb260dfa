"""The entry: a command, a window or, without a display, the session tree as text."""

import subprocess
import sys

import pytest

from cosemscope import __main__ as entry
from cosemscope import __version__, cli, gui
from cosemscope.window_words import WindowWords

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(entry, "has_display", lambda: False)


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "some capture.pcapng"
    path.touch()
    return str(path)


@pytest.fixture
def commands(monkeypatch):
    """The command lines that reach `cli.main`, which answers 0."""
    seen = []
    monkeypatch.setattr(cli, "main", lambda words: seen.append(list(words)) or 0)
    return seen


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        *(("linux", {name: "x"}, True) for name in DISPLAYS),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_display_is_what_the_environment_names(platform, environment, expected):
    """On each system by its own signs."""
    assert entry.has_display(environment, platform) is expected


def test_without_a_display_the_tree_of_the_capture_comes_as_text(no_display, capture, commands, capsys):
    """A server without a screen still shows something; standard output stays the tree's."""
    assert entry.main([capture]) == 0
    assert commands == [["sessions", capture]]
    said = capsys.readouterr()
    assert "no display" in said.err
    assert said.out == ""


def test_without_a_display_or_a_capture_the_sample_is_shown(
    no_display, commands, monkeypatch, tmp_path, capsys
):
    """A first try over ssh ends in something to see."""
    monkeypatch.setattr("cosemscope.resources.resource", lambda name: tmp_path / name)
    assert entry.main([]) == 0
    assert commands == [["sessions", str(tmp_path / entry.SAMPLE)]]
    assert "bundled sample" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--fullscreen"], ["{0}", "{0}"], ["{0}", "--filter"]])
@pytest.mark.parametrize("display", [True, False])
def test_anything_more_is_wrong_usage(capture, commands, words, display, monkeypatch, capsys):
    """Exit status 2, a sentence, and nothing is run or opened; with a display or without."""
    monkeypatch.setattr(entry, "has_display", lambda: display)
    monkeypatch.setattr(gui, "main", lambda wanted: pytest.fail("a window was opened"))
    assert entry.main([word.format(capture) for word in words]) == 2
    assert "usage: cosemscope" in capsys.readouterr().err
    assert commands == []


def test_with_a_display_the_window_gets_the_words(capture, monkeypatch):
    """Capture, keys and filter, in any order; the exit status goes through."""
    seen = []
    monkeypatch.setattr(entry, "has_display", lambda: True)
    monkeypatch.setattr(gui, "main", lambda wanted: seen.append(wanted) or 42)
    assert entry.main([capture]) == 42
    assert entry.main([capture, "--keys", "k.toml", "--filter", "obis"]) == 42
    assert entry.main(["--filter=obis", "--keys=k.toml", capture]) == 42
    assert seen == [WindowWords(capture), *[WindowWords(capture, "k.toml", "obis")] * 2]


def test_without_a_display_keys_and_filter_go_to_the_tree(no_display, capture, commands):
    """The same words mean the same."""
    assert entry.main([capture, "--keys", "k.toml", "--filter", "obis"]) == 0
    assert commands == [["sessions", capture, "--keys", "k.toml", "--filter", "obis"]]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("lst", "neither a file nor a command lst"),
        ("gone.pcap", "There is no file gone.pcap."),
        ("gone/lst", "There is no file gone/lst."),
        (".", "is a folder"),
    ],
)
def test_a_capture_that_is_not_there_is_told_in_a_sentence(word, sentence, capsys, tmp_path, monkeypatch):
    """With a display or without."""
    monkeypatch.chdir(tmp_path)
    assert entry.main([word]) == 1
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""


def test_the_command_line_never_loads_qt():
    """A server without Qt's libraries runs the commands all the same."""
    code = (
        "import sys\n"
        "sys.modules['PySide6'] = None\n"  # an import of it now raises ImportError
        "from cosemscope.__main__ import main\n"
        "main(['--version'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"Cosemscope {__version__}"), done.stderr


def test_what_the_entry_imports_for_a_command_is_light():
    """A shell script calls it often: neither NumPy nor Qt is loaded before a command asks for it."""
    code = (
        "import sys, cosemscope.__main__, cosemscope.cli\n"
        "cosemscope.cli.build_parser()\n"
        "print(sorted({'numpy', 'PySide6', 'asyncio', 'pyqtgraph'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
