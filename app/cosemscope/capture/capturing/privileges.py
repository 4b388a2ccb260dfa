"""Rights of the capture process: those that opening needs are kept until then, and none after it.

Root becomes another user, so that all files are that user's: the one who asked for root (SUDO_UID,
PKEXEC_UID), else the owner of the folder that the files go to. Whoever owns a folder decides anyway about
what lies in it; as root, a link planted there would lead anywhere. Where there is no such user, root goes on
without its capabilities. On Linux this happens before anything is opened, with the two capabilities that
capturing takes; other systems let only root open their devices, so there it happens after that.

The rights of Linux belong to threads: those that opening starts give up their own, all others begin later.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

try:
    import pwd
except ImportError:  # Windows, where a driver decides who may capture
    pwd = None  # type: ignore[assignment]

_LINUX = sys.platform.startswith("linux")
#: Variables with the number of the user who asked for root, by sudo and by polkit.
_ASKED_BY = ("SUDO_UID", "PKEXEC_UID")
_NET_ADMIN, _NET_RAW = 12, 13
_CAPTURING = 1 << _NET_ADMIN | 1 << _NET_RAW
_KEEP_CAPABILITIES, _NO_NEW_PRIVILEGES, _AMBIENT, _RAISE = 8, 38, 47, 2
_VERSION_3 = 0x20080522
_LOW = (1 << 32) - 1


class User(NamedTuple):
    """A user of the system other than root; `home` is None where the system does not know it."""

    uid: int
    gid: int
    name: str
    home: str | None


class Rights:
    """Gives up the rights of root in two steps: this object's making, then `give_up`.

    `told` is a sentence about it for people; empty where the process is not root's.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        """Begin, before anything is opened, for files in `folder`."""
        self.told = ""
        self._user: User | None = None
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            return
        self._user = asking_user(environment, folder)
        self.told = "No user but root is known (SUDO_UID, PKEXEC_UID, the folder's owner): " + _stays()
        if _LINUX:
            self._become()
            _set_capabilities(_CAPTURING)

    def give_up(self, *, alone: bool = True) -> None:
        """Give up what is left, when all is open; no program that is started has more from then on.

        Not `alone` is a process whose child must be asked to end: outside Linux it stays the child's user.
        """
        if self._user is not None and not _LINUX:
            if alone:
                self._become()
            else:
                self.told = f"dumpcap is root's, and only root may ask it to end: {_stays()}"
        give_up_capabilities()

    def _become(self) -> None:
        user = self._user
        if user is None:
            return
        try:
            if _LINUX:
                _prctl(_KEEP_CAPABILITIES, 1)
            _change_to(user)
        except OSError as error:
            self.told = f"The capture cannot become {user.name} ({error.strerror or error}): {_stays()}"
            return
        if user.home is not None:
            os.environ["HOME"] = user.home
        self.told = f"Root's rights are given up: packets are taken and files are made as {user.name}."


def _stays() -> str:
    return "it goes on as root" + (", with none of root's capabilities." if _LINUX else ".")


def asking_user(environment: Mapping[str, str], folder: Path) -> User | None:
    """The user whom root should become to write into `folder`; None where only root is known."""
    for variable in _ASKED_BY:
        given = environment.get(variable, "")
        if given.isdecimal() and int(given):
            group = environment.get("SUDO_GID", "") if variable == "SUDO_UID" else ""
            return _user(int(given), int(group) if group.isdecimal() else int(given))
    for place in (folder.absolute(), *folder.absolute().parents):
        with suppress(OSError):
            status = place.stat()
            return _user(status.st_uid, status.st_gid) if status.st_uid else None
    return None


def _user(uid: int, gid: int) -> User:
    """A user by number; `gid` is for one that has no entry."""
    with suppress(KeyError):
        entry = pwd.getpwuid(uid)
        return User(uid, entry.pw_gid, entry.pw_name, entry.pw_dir)
    return User(uid, gid, f"user {uid}", None)


def _change_to(user: User) -> None:
    """Become the user, in all threads and for good. Raises OSError, and root has then stayed root."""
    if user.home is None:
        os.setgroups([user.gid])
    else:
        os.initgroups(user.name, user.gid)
    os.setgid(user.gid)
    os.setuid(user.uid)


def give_up_capabilities() -> None:
    """Give up all capabilities of this thread and of those it starts, and any that a program could bring."""
    if _LINUX:
        _prctl(_NO_NEW_PRIVILEGES, 1)
        _set_capabilities(0)


def _set_capabilities(wanted: int) -> None:
    """Keep those of `wanted` that this thread has, for programs that it starts, too; give up all others."""
    library = ctypes.CDLL(None)
    header = struct.pack("=Ii", _VERSION_3, 0)
    sets = ctypes.create_string_buffer(24)
    if library.capget(header, sets):
        return  # a system without them
    low = struct.unpack("=6I", sets.raw)
    kept = (low[1] | low[4] << 32) & wanted
    words = (kept & _LOW, kept >> 32)
    library.capset(header, struct.pack("=6I", *(words[:1] * 3), *(words[1:] * 3)))
    for number in (_NET_ADMIN, _NET_RAW):
        if kept >> number & 1:
            _prctl(_AMBIENT, _RAISE, number)


def _prctl(*words: int) -> None:
    """The system call of that name; what an old kernel does not know is left out."""
    ctypes.CDLL(None).prctl(words[0], *(ctypes.c_ulong(word) for word in (*words[1:], 0, 0, 0)[:4]))
