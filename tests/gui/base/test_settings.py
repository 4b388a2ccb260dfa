"""Options keep their types through a file, and what does not fit counts as the default."""

import pytest

from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import OPTIONS, RECENT_FILES, Settings

OTHER = {str: "other, value", bytes: b"\x00\xff=,", int: 7, bool: True, tuple: ("one, two", "ü", "%41")}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_option_comes_back_from_the_file(qapp, tmp_path, option):
    """What is set is read again by another object, with the same type."""
    place = tmp_path / "settings.ini"
    first = Settings(place)
    assert first.get(option) == option.default
    value = OTHER[type(option.default)]
    first.set(option, value)
    first.flush()
    assert Settings(place).get(option) == value


def test_keys_are_unique():
    """No two options share a place in the file."""
    assert len({option.key for option in OPTIONS}) == len(OPTIONS)


@pytest.mark.parametrize("text", ['"nonsense', "[1, 2]", "{}", "null", "", "12"])
def test_what_does_not_fit_is_the_default(qapp, tmp_path, text):
    """A file that a person has edited never breaks the start."""
    place = tmp_path / "settings.ini"
    place.write_text(f"[files]\nrecent={text}\n[window]\nappearance={text}\nzoom={text}x\n")
    settings = Settings(place)
    assert settings.get(options.RECENT) == ()
    assert settings.get(options.APPEARANCE) == "system"
    assert settings.get(options.ZOOM) == 0


def test_changes_are_told_once(qapp, qtbot, settings):
    """Setting the same value again is no change."""
    with qtbot.waitSignal(settings.changed) as told:
        settings.set(options.TIME_FORMAT, "utc")
    assert told.args == [options.TIME_FORMAT.key]
    with qtbot.assertNotEmitted(settings.changed):
        settings.set(options.TIME_FORMAT, "utc")


def test_recent_files_are_few_unique_and_newest_first(qapp, settings):
    """The list does not grow for ever."""
    for number in [*range(RECENT_FILES + 3), 5]:
        settings.add_recent(f"/captures/{number}.pcap")
    recent = settings.get(options.RECENT)
    assert len(recent) == RECENT_FILES
    assert recent[0] == "/captures/5.pcap"
    assert len(set(recent)) == len(recent)
