"""The mark and the lock: a whole set-up costs nothing, a half one is seen, two at once do not collide."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.scripts import CHECKOUT, script

workspace = script("workspace")


@pytest.fixture
def place(tmp_path: Path):
    """A checkout with pins and a virtual environment whose mark says that `app` is set up."""
    (tmp_path / "packaging").mkdir()
    for pins in workspace.SETS.values():
        (tmp_path / "packaging" / pins).write_text("numpy==2.1.3\n")
    place = workspace.Place(str(tmp_path))
    os.makedirs(place.scripts)
    Path(place.python).touch()
    pins = place.pins("app")
    workspace.write_mark(
        place, {"foundation": workspace.foundation(place), "app": workspace.fingerprint(pins)}
    )
    return place


def missing(place, *names: str) -> list[str]:
    return workspace.missing_sets(place, workspace.read_mark(place), list(names))


def test_a_whole_set_up_misses_nothing(place):
    """What later starts are quick by."""
    assert missing(place, "app") == []


def test_only_what_was_not_set_up_is_missing(place):
    """The rest is not installed again."""
    assert missing(place, "app", "tests") == ["tests"]


def test_changed_pins_are_seen(place):
    """After a pull with new pins the next start installs them."""
    Path(place.pins("app")).write_text("numpy==2.1.2\n")
    assert missing(place, "app") == ["app"]


def test_line_ends_of_a_windows_checkout_change_nothing(place):
    """Git's conversion of line ends is no change of pins."""
    Path(place.pins("app")).write_bytes(b"numpy==2.1.3\r\n")
    assert missing(place, "app") == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"app": 1}', '{"foundation": "other"}'])
def test_a_mark_that_is_not_whole_counts_for_nothing(place, content):
    """A start that was interrupted is done again."""
    Path(place.mark).write_text(content)
    assert missing(place, "app") == ["app"]


def test_a_virtual_environment_whose_python_is_gone_is_broken(place):
    """As after an upgrade of the system's Python: made anew, not built on."""
    os.remove(place.python)
    os.symlink("gone", place.python)
    assert missing(place, "app") == ["app"]


def test_a_checkout_that_was_moved_is_set_up_anew(place, tmp_path_factory):
    """A virtual environment holds the paths of its old place."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "checkout"
    os.rename(place.checkout, elsewhere)
    assert missing(workspace.Place(str(elsewhere)), "app") == ["app"]


def test_a_mark_is_there_whole_or_not_at_all(place):
    """It is written beside and renamed; nothing of that stays."""
    workspace.write_mark(place, {"foundation": "x"})
    assert json.loads(Path(place.mark).read_text()) == {"foundation": "x"}
    assert sorted(os.listdir(place.venv)) == sorted([os.path.basename(place.scripts), "ready.json"])


def test_a_second_start_waits_for_the_first(place):
    """Whoever holds the lock keeps it until its standard input ends; the other says that it waits."""
    code = (
        "import sys, workspace\n"
        f"with workspace.alone(workspace.Place({place.checkout!r})):\n"
        "    print(sys.argv[1], flush=True); sys.stdin.read(); print('done', flush=True)"
    )
    command = [sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "packaging")}
    with (
        subprocess.Popen([*command, "first"], env=environment, **pipes) as first,
        subprocess.Popen([*command, "second"], env=environment, **pipes) as second,
    ):
        holders = {first: "first", second: "second"}
        # Whichever got the lock has printed its name; the other one says that it waits.
        waiting = next(process for process in holders if _waits(process, holders))
        holder = first if waiting is second else second
        assert holder.stdout.readline().strip() == holders[holder]
        assert holder.communicate(timeout=30)[0] == "done\n"
        assert waiting.communicate(timeout=30)[0] == f"{holders[waiting]}\ndone\n"


def _waits(process: subprocess.Popen, holders: dict[subprocess.Popen, str]) -> bool:
    """Whether `process`, of two that want the lock, is the one that says that it waits."""
    import selectors

    with selectors.DefaultSelector() as selector:
        for each in holders:
            selector.register(each.stderr, selectors.EVENT_READ, each)
        ready = selector.select(timeout=30)
    return any(key.data is process for key, _ in ready)
