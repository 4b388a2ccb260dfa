"""The window's keys: added once, kept in a store only on demand, and never lost by one that is locked."""

import os

import pytest

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.gui.base import settings as options
from cosemscope.gui.keys.key_keeper import KeyKeeper, merged
from tests.gui.keys.made_keys import AK, EK, FILE, MASTER


def test_a_file_that_cannot_be_written_is_a_sentence(keeper, qtbot, tmp_path):
    """No such folder."""
    keeper.set_keys(KeyTable.parse(FILE))
    with qtbot.waitSignal(keeper.troubled) as told:
        keeper.save_file(str(tmp_path / "nowhere" / "keys.toml"))
    assert "cannot be written" in told.args[0]
    assert EK not in told.args[0]


def test_kept_keys_are_there_at_the_next_start(store, look, settings, qtbot):
    """Also when the store is locked at first: then nothing in it is lost by what is added meanwhile."""
    first = KeyKeeper(settings)
    first.set_keys(KeyTable.parse(FILE))
    first.set_keep(True)
    first.wait()
    second = KeyKeeper(settings)
    qtbot.waitUntil(lambda: len(second.keys) == 2)
    store.locked = True
    third = KeyKeeper(settings)
    with qtbot.waitSignal(third.troubled) as told:
        pass
    assert "locked" in told.args[0]
    assert EK.lower() not in told.args[0].lower()
    store.locked = False
    third.add(KeyTable.parse(f'[[key]]\ndedicated = "{AK}"'))
    qtbot.waitUntil(lambda: len(third.keys) == 3)
    third.wait()
    fourth = KeyKeeper(settings)
    qtbot.waitUntil(lambda: len(fourth.keys) == 3)


def test_merging_leaves_the_table_alone_when_there_is_nothing_new():
    """So that nothing is opened anew for nothing."""
    table = KeyTable.parse(FILE)
    assert merged(table, KeyTable.parse(FILE)) is table
    assert len(merged(table, KeyTable.parse(f'[[key]]\ndedicated = "{AK}"'))) == 3


def test_changes_are_told_once_and_only_for_news(keeper, qtbot):
    """Whatever is shown is opened anew at each change: the same keys again are none."""
    table = KeyTable.parse(FILE)
    with qtbot.waitSignal(keeper.changed):
        assert keeper.add(table) == 2
    with qtbot.assertNotEmitted(keeper.changed):
        assert keeper.add(table) == 0
        keeper.set_keys(keeper.keys)


def test_a_file_with_a_mistake_does_not_keep_the_others_out(keeper, qtbot, tmp_path):
    """The mistake is named by file and line, without what stands there; the other file's keys are taken."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(FILE)
    bad.write_text(f'[[key]]\nencryption = "{EK}00"\n')
    troubles: list[str] = []
    keeper.troubled.connect(troubles.append)
    with qtbot.waitSignal(keeper.told) as told:
        keeper.load_files([str(bad), str(good)])
    (trouble,), (note,) = troubles, told.args
    assert "bad.toml, line 2" in trouble
    assert EK not in trouble
    assert note == "2 entries were added."
    assert len(keeper.keys) == 2


def test_a_file_that_is_saved_can_be_loaded(keeper, qtbot, tmp_path):
    """It holds the same table, elliptic keys and all."""
    keeper.set_keys(KeyTable.parse(FILE))
    path = tmp_path / "saved.toml"
    with qtbot.waitSignal(keeper.told) as told:
        keeper.save_file(str(path))
    assert told.args == ["saved.toml holds 2 entries now, in clear."]
    assert KeyTable.load(path).text() == keeper.keys.text()


def test_keeping_is_an_option_that_is_off(keeper, store, settings):
    """Nothing is written into the store of a person who has not asked for it."""
    keeper.set_keys(KeyTable.parse(FILE))
    assert keeper.wait()
    assert not settings.get(options.KEEP_KEYS)
    assert store.kept == {}


@pytest.mark.parametrize("given", [FILE, f'[[key]]\nmaster = "{MASTER}"\n'])
def test_merged_tables_hold_each_entry_once(given):
    """By whatever name it comes again."""
    table = merged(KeyTable.parse(FILE), KeyTable.parse(given))
    assert len(table) == 2


def test_a_key_file_is_replaced_whole_or_not_at_all(keeper, qtbot, tmp_path, monkeypatch):
    """A full disk in the middle leaves the older file as it was, and nothing beside it."""
    path = tmp_path / "keys.toml"
    path.write_text("# the older one")
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left")))
    keeper.set_keys(KeyTable.parse('[[key]]\nencryption = "000102030405060708090A0B0C0D0E0F"'))
    with qtbot.waitSignal(keeper.troubled) as told:
        keeper.save_file(str(path))
    assert told.args == [f"{path} cannot be written: No space left"]
    assert path.read_text() == "# the older one"
    assert [each.name for each in tmp_path.iterdir()] == ["keys.toml"]


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
def test_a_key_file_is_for_its_owner_alone_whatever_it_was(keeper, qtbot, tmp_path):
    """A file that others could read is replaced by one that they cannot."""
    path = tmp_path / "keys.toml"
    path.touch(0o666)
    keeper.set_keys(KeyTable.parse('[[key]]\nencryption = "000102030405060708090A0B0C0D0E0F"'))
    with qtbot.waitSignal(keeper.told):
        keeper.save_file(str(path))
    assert path.stat().st_mode & 0o777 == 0o600
