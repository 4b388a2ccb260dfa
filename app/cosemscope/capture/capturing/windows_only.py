"""Calls that Windows alone needs: names of adapters for people, and console programs that can be ended.

Nothing here is called on other systems but `title_of`, which leaves their names as they are.
"""

import ctypes
import re
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}$")
_LOOPBACK = r"\Device\NPF_Loopback"
#: NDIS_IF_MAX_STRING_SIZE and the end of the string.
_ALIAS_LENGTH = 257

# Of Python's signal and subprocess, which have them on Windows only.
_CTRL_BREAK_EVENT = getattr(signal, "CTRL_BREAK_EVENT", 1)
_CREATE_NEW_PROCESS_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200)
_CREATE_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0x8000000)


def _library(name: str) -> Any:
    return getattr(ctypes, "WinDLL")(name)  # noqa: B009 (there on Windows only)


def title_of(device: str) -> str:
    r"""A device's name for people: "Ethernet" for `\Device\NPF_{...}`; on other systems the name itself."""
    return (adapter_alias(device) if sys.platform == "win32" else "") or device


def adapter_alias(device: str) -> str:
    """Name of the adapter behind a device of Npcap's, as Windows shows it.

    Empty where it has no name for it.
    """
    guid = _GUID.search(device)
    if guid is None:
        return "Loopback" if device == _LOOPBACK else ""
    from uuid import UUID

    helper = _library("iphlpapi")
    luid = ctypes.c_uint64()
    alias = ctypes.create_unicode_buffer(_ALIAS_LENGTH)
    given = ctypes.create_string_buffer(UUID(guid[0]).bytes_le, 16)
    if helper.ConvertInterfaceGuidToLuid(given, ctypes.byref(luid)):
        return ""
    if helper.ConvertInterfaceLuidToAlias(ctypes.byref(luid), alias, ctypes.c_size_t(_ALIAS_LENGTH)):
        return ""
    return str(alias.value)


def _has_console() -> bool:
    return bool(_library("kernel32").GetConsoleCP())


def console_flags() -> int:
    """Flags that start a console program without a window, so that `ask_to_end` can reach it."""
    return _CREATE_NEW_PROCESS_GROUP | (0 if _has_console() else _CREATE_NO_WINDOW)


def ask_to_end(process: "subprocess.Popen[bytes]") -> None:
    """Let a console program end in order, as Ctrl+Break does; by force where it cannot be reached.

    Only who shares its console reaches it: a process that has none joins that of the program for a moment.
    """
    kernel = _library("kernel32")
    joined = not _has_console() and bool(kernel.AttachConsole(process.pid))
    try:
        process.send_signal(_CTRL_BREAK_EVENT)
    except OSError:
        with suppress(OSError):
            process.terminate()
    finally:
        if joined:
            kernel.FreeConsole()
