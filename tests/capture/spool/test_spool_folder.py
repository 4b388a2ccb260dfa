"""Spools that are left over: found by what the system says of their holders, offered, removed on request."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_folder import (
    hold_spool,
    left_spools,
    remove_spool,
    spool_folder,
    spool_path,
    spools,
)
from cosemscope.capture.spool.spool_writer import SpoolWriter


def write(path: Path, packets: int = 1) -> SpoolWriter:
    spool = SpoolWriter(path)
    spool.add_interface("lo")
    for number in range(packets):
        spool.write(number, b"x")
    return spool


def test_a_spool_is_in_use_while_its_writer_lives(tmp_path: Path) -> None:
    """Offering a spool that is being written would be wrong, and so would be removing it."""
    spool = write(tmp_path / "connect-20260101-120000-77.pcapng")
    (found,) = spools(tmp_path)
    assert found.in_use
    assert (found.command, found.process) == ("connect", 77)
    assert left_spools(tmp_path) == []
    with pytest.raises(BlockingIOError, match="in use"):
        remove_spool(found)
    spool.close()
    (left,) = left_spools(tmp_path)
    assert left.size == left.path.stat().st_size
    remove_spool(left)
    assert spools(tmp_path) == []


def test_a_reader_holds_what_it_shows(tmp_path: Path) -> None:
    """A capture that has ended is still the window's until the user has said what to do with it."""
    path = tmp_path / "capture-20260101-120000-77.pcapng"
    write(path).close()
    first, second = hold_spool(path), hold_spool(path)
    assert left_spools(tmp_path) == []
    first.close()
    first.close()
    assert left_spools(tmp_path) == []
    second.close()
    assert len(left_spools(tmp_path)) == 1


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """However it ends: the system lets go for it."""
    path = tmp_path / "capture-20260101-120000-5.pcapng"
    code = (
        "import os, sys; from cosemscope.capture.spool.spool_writer import SpoolWriter\n"
        "s = SpoolWriter(sys.argv[1]); "
        "s.add_interface('lo'); s.write(1, b'x'); print(flush=True); sys.stdin.read()"
    )
    app = Path(__file__).resolve().parents[3] / "app"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(app)},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert left_spools(tmp_path) == []
        process.kill()
    assert [spool.path for spool in left_spools(tmp_path)] == [path]


def test_the_files_of_a_ring_are_one_spool(tmp_path: Path) -> None:
    """One question for one capture, and all of it goes when it is removed."""
    names = [f"capture-20260101-120000-7_{number:05d}_20260101120000.pcapng" for number in (3, 4)]
    for name in names:
        write(tmp_path / name).close()
    (spool,) = left_spools(tmp_path)
    assert [path.name for path in spool.files] == names
    assert spool.path.name == names[0]
    assert (spool.command, spool.process) == ("capture", 7)
    remove_spool(spool)
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_packets_is_not_offered(tmp_path: Path) -> None:
    """Nobody is asked about empty spools and files of others."""
    write(tmp_path / "listen-20260101-120000-1.pcapng", packets=0).close()
    (tmp_path / "other.pcapng").write_bytes(b"no capture")
    (tmp_path / "notes.txt").write_bytes(b"not ours")
    assert left_spools(tmp_path) == []
    assert {spool.path.name: spool.empty for spool in spools(tmp_path)} == {
        "listen-20260101-120000-1.pcapng": True,
        "other.pcapng": True,
    }


def test_the_youngest_comes_first(tmp_path: Path) -> None:
    """By the time of the last octet, whatever the names say."""
    for number, age in (("1", 30), ("2", 10), ("3", 20)):
        path = tmp_path / f"capture-20260101-120000-{number}.pcapng"
        write(path).close()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert [spool.process for spool in left_spools(tmp_path)] == [2, 3, 1]


def test_new_spools_have_names_that_tell_who_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Command and process are read back from the name."""
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(tmp_path / "a" / "b"))
    path = spool_path("capture")
    assert path.parent == spool_folder() == tmp_path / "a" / "b"
    write(path).close()
    (spool,) = left_spools()
    assert (spool.command, spool.process) == ("capture", os.getpid())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="each system has its own variables")
@pytest.mark.parametrize(
    ("variable", "folder"),
    [("XDG_STATE_HOME", "cosemscope/spool"), ("HOME", ".local/state/cosemscope/spool")],
)
def test_the_folder_is_the_systems_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, folder: str
) -> None:
    """Where a user's application state belongs, so that it outlives a restart; made when it is missing."""
    for name in ("COSEMSCOPE_SPOOL", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    assert spool_folder() == tmp_path / folder
    assert (tmp_path / folder).is_dir()


posix = pytest.mark.skipif(os.name != "posix", reason="rights and links are POSIX's")


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_spools_are_for_their_owner_alone(
    umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder and files are closed to others whatever the umask; a wide folder is closed, too."""
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(tmp_path / "spools"))
    before = os.umask(umask)
    try:
        path = spool_path("listen")
        write(path).close()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        path.parent.chmod(0o777)
        spool_folder()
        assert path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    named = tmp_path / "named.pcapng"  # a file that the user names has the rights that the user's files have
    write(named).close()
    assert named.stat().st_mode & 0o777 == 0o666 & ~before


@posix
def test_no_planted_link_or_file_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link under a spool's name is refused in a sentence, and its target stays as it was."""
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(tmp_path / "spools"))
    target = tmp_path / "precious"
    target.write_text("precious")
    for planted in ("link", "file"):
        path = spool_path("listen")
        if planted == "link":
            path.symlink_to(target)
        else:
            path.write_text("planted")
        with pytest.raises(SpoolError, match="cannot be created"):
            SpoolWriter(path)
    assert target.read_text() == "precious"


@posix
def test_a_folder_of_another_user_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others own they can fill with links; root trusts the user who called for it, and itself."""
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(tmp_path))
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(OSError, match="belongs to another user"):
        spool_folder()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", str(owner))
    assert spool_folder() == tmp_path


def test_names_of_spools_cannot_be_foreseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one process and one second differ, and tell command and process all the same."""
    monkeypatch.setenv("COSEMSCOPE_SPOOL", str(tmp_path / "spools"))
    first, second = spool_path("capture"), spool_path("capture")
    assert first != second
    write(first).close()
    (found,) = spools()
    assert (found.command, found.process) == ("capture", os.getpid())
