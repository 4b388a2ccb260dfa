"""A capture as root: no right is left while it runs, and its files are those of a user where one is known."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cosemscope.capture.capturing.privileges import Rights, asking_user
from cosemscope.capture.spool.spool_writer import (
    SpoolInterface,
    interface_block,
    packet_block,
    section_block,
)
from tests.helpers.capturing import Capture, capturing, needs, needs_rights, run

USER = 61_234
WPDU = bytes.fromhex("0001001000010003d80102")
SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")

needs_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="NO ROOT: run as root on Linux"
)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that any user reaches, of a user of its own."""
    for name in ("SUDO_UID", "SUDO_GID", "PKEXEC_UID"):
        monkeypatch.delenv(name, raising=False)
    made = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    os.chown(made, USER, USER)
    return made


def statuses(process: int) -> list[dict[str, str]]:
    """What the system says of each thread of a process."""
    found = []
    for thread in Path("/proc", str(process), "task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        found.append({name: value.strip() for name, _, value in (line.partition(":") for line in lines)})
    return found


def children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def has_nothing(process: int, user: int) -> bool:
    """True when all threads are that user's, without rights and without a way to get some."""
    return all(
        status["Uid"].split() == status["Gid"].split() == [str(user)] * 4
        and status["NoNewPrivs"] == "1"
        and all(int(status[each], 16) == 0 for each in SETS)
        for status in statuses(process)
    )


def send(capture: Capture, count: int) -> None:
    """Packets on the loopback interface, taken by the capture."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        for _ in range(count):
            sink.sendto(WPDU, ("127.0.0.1", 4059))
    capture.packets(count)


@needs_root
@pytest.mark.parametrize("way", ["libpcap", "dumpcap"])
@pytest.mark.parametrize("by_sudo", [True, False])
def test_root_becomes_the_user_who_asked_or_owns_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, way: str, by_sudo: bool
) -> None:
    """Threads and programs alike; a ring's files are made and removed as that user, and it ends in order."""
    needs_rights()
    if way == "dumpcap":
        needs("dumpcap")
    if by_sudo:
        monkeypatch.setenv("SUDO_UID", str(USER))
        monkeypatch.setenv("SUDO_GID", str(USER))
    words = ("--by", way, "-i", "lo", "-w", folder / "x.pcapng", "--ring-size", 700, "--ring-files", 2)
    with capturing(*words) as capture:
        assert f"user {USER}" in capture.begun["rights"]
        send(capture, 10)
        assert has_nothing(capture.process.pid, USER)
        for child in children(capture.process.pid):
            assert all(status["Uid"].split() == [str(USER)] * 4 for status in statuses(child))
        assert capture.stop()["event"] == "kept"
    assert any(event.get("removed") for event in capture.events)
    assert {path.stat().st_uid for path in folder.iterdir()} == {USER}
    assert len(list(folder.iterdir())) == 2


@needs_root
def test_where_only_root_is_known_it_stays_without_capabilities(folder: Path) -> None:
    """In root's own folder; one sentence says so."""
    needs_rights()
    os.chown(folder, 0, 0)
    with capturing("-i", "lo", "-w", folder / "x.pcapng") as capture:
        send(capture, 1)
        assert has_nothing(capture.process.pid, 0)
        assert "goes on as root, with none of root's capabilities" in capture.begun["rights"]
        assert capture.stop()["event"] == "kept"


@needs_root
def test_a_pipe_needs_no_right(folder: Path) -> None:
    """The same for what another program captures."""
    pipe = folder / "pipe"
    os.mkfifo(pipe, 0o600)
    os.chown(pipe, USER, USER)
    with capturing(pipe, "-w", folder / "x.pcapng") as capture:
        with pipe.open("wb") as end:
            end.write(section_block("", "") + interface_block(SpoolInterface("x")))
            end.write(packet_block(1, WPDU, original=len(WPDU)))
            end.flush()
            capture.packets(1)
            assert has_nothing(capture.process.pid, USER)
        assert capture.rest()["event"] == "kept"


@needs_root
def test_what_that_user_may_not_write_is_told_with_the_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights of root would have made the file: the sentence says whose rights it lacks."""
    needs_rights()
    os.chown(folder, 0, 0)
    monkeypatch.setenv("SUDO_UID", str(USER))
    done = run("capture", "-i", "lo", "-w", folder / "x.pcapng")
    assert done.returncode == 1
    assert "permission denied" in done.stderr
    assert f"as user {USER}" in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="users have numbers elsewhere")
def test_who_asked_comes_before_who_owns(tmp_path: Path) -> None:
    """By sudo, by polkit, by the folder; numbers that are root's or none name nobody."""
    owner = tmp_path.stat().st_uid

    def uid(**variables: str) -> int | None:
        user = asking_user(variables, tmp_path / "not" / "there")
        return None if user is None else user.uid

    assert uid(SUDO_UID="61234", PKEXEC_UID="61235") == 61_234
    assert uid(PKEXEC_UID="61235") == 61_235
    for none in ("0", "", "-1", "x"):
        assert uid(SUDO_UID=none) == (owner or None)
    named = asking_user({"SUDO_UID": "61234", "SUDO_GID": "7"}, tmp_path)
    assert named is not None
    assert (named.gid, named.name, named.home) == (7, "user 61234", None)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="for those who are not root")
def test_others_have_nothing_to_give_up(tmp_path: Path) -> None:
    """Nothing is told, and nothing changes."""
    assert Rights({"SUDO_UID": "61234"}, tmp_path).told == ""
