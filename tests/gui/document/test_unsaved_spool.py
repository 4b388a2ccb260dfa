"""Captures without a name: kept or removed as is wanted, and saved whole or not at all."""

import os
from pathlib import Path

import pytest

from cosemscope.gui.document.unsaved_spool import Extent, UnsavedSpool, copy_files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "link.pcapng"
    path.write_bytes(b"octets of a spool")
    return path


def test_a_spool_that_is_wanted_stays(path):
    """A crash of what shows it loses nothing: only a person's word removes it."""
    spool = UnsavedSpool(path)
    spool.let_go()
    assert path.exists()
    spool = UnsavedSpool(path, wanted=False)
    spool.let_go()
    assert not path.exists()


def test_a_spool_that_was_saved_goes(path, tmp_path):
    """There is a copy with a name; the title is the copy's from then on."""
    spool = UnsavedSpool(path, "192.0.2.1:4059")
    assert spool.title == "192.0.2.1:4059"
    spool.saved_as = tmp_path / "named.pcapng"
    assert spool.title == "named.pcapng"
    assert not spool.is_worth_a_question(9, 9)
    spool.let_go()
    assert not path.exists()


@pytest.mark.parametrize(
    ("is_link", "packets", "wpdus", "asks"),
    [(True, 9, 0, False), (True, 9, 1, True), (False, 1, 0, True), (False, 0, 0, False)],
)
def test_only_what_would_be_lost_is_asked_about(path, is_link, packets, wpdus, asks):
    """The handshake of a link is nothing; a packet of a capture is something."""
    spool = UnsavedSpool(path, is_link=is_link)
    assert spool.is_worth_a_question(packets, wpdus) == asks
    spool.let_go()


def test_files_are_copied_one_behind_the_other(tmp_path):
    """Of one that grows the first octets; what a ring has removed meanwhile is left out."""
    first, gone, last = (tmp_path / name for name in ("first", "gone", "last"))
    first.write_bytes(b"abc")
    last.write_bytes(b"defgh")
    target = tmp_path / "whole.pcapng"
    done = copy_files([Extent(gone), Extent(first), Extent(last, 3)], target)
    assert done == (target, "")
    assert target.read_bytes() == b"abcdef"
    assert sorted(os.listdir(tmp_path)) == ["first", "last", "whole.pcapng"]


def test_a_copy_that_fails_leaves_nothing_and_says_why(tmp_path, path):
    """Neither a part of the copy nor a silence."""
    nowhere = tmp_path / "no such folder" / "copy.pcapng"
    assert "could not be written: No such file" in copy_files([Extent(path)], nowhere).trouble
    target = tmp_path / "copy.pcapng"
    trouble = copy_files([Extent(tmp_path / "gone")], target).trouble
    assert "nothing to save" in trouble
    assert not target.exists()
