"""What Windows alone has, tried with libraries that only pretend to be Windows'."""

# ruff: noqa: N802 (Windows names its functions so)

import ctypes
import signal
import subprocess
from typing import Any, cast
from uuid import UUID

import pytest

from cosemscope.capture.capturing import windows_only
from cosemscope.capture.capturing.libpcap import NO_RIGHTS, NO_SUCH_DEVICE, LibpcapError
from cosemscope.capture.capturing.libpcap_source import open_fault

GUID = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
DEVICE = rf"\Device\NPF_{GUID}"


class Helper:
    """iphlpapi with one adapter."""

    def ConvertInterfaceGuidToLuid(self, guid: Any, luid: Any) -> int:
        if guid.raw != UUID(GUID).bytes_le:
            return 87
        luid._obj.value = 7
        return 0

    def ConvertInterfaceLuidToAlias(self, luid: Any, alias: Any, length: Any) -> int:
        assert luid._obj.value == 7
        assert length.value == ctypes.sizeof(alias) // ctypes.sizeof(ctypes.c_wchar)
        alias.value = "Ethernet 2"
        return 0


class Kernel:
    """kernel32, with a console or without."""

    def __init__(self, has_console: bool) -> None:
        self.has_console = has_console
        self.done: list[str] = []

    def GetConsoleCP(self) -> int:
        return 850 if self.has_console else 0

    def AttachConsole(self, number: int) -> int:
        self.done.append(f"attach {number}")
        return 1

    def FreeConsole(self) -> int:
        self.done.append("free")
        return 1


class Program:
    """A console program."""

    pid = 4711

    def __init__(self, kernel: Kernel, *, out_of_reach: bool = False) -> None:
        self.kernel = kernel
        self.out_of_reach = out_of_reach

    def send_signal(self, number: int) -> None:
        assert number == getattr(signal, "CTRL_BREAK_EVENT", 1)
        if self.out_of_reach:
            raise OSError(6, "The handle is invalid")
        self.kernel.done.append("break")

    def terminate(self) -> None:
        self.kernel.done.append("terminate")


@pytest.fixture
def adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(windows_only, "_library", {"iphlpapi": Helper()}.__getitem__)


@pytest.mark.usefixtures("adapters")
def test_adapters_have_names_for_people() -> None:
    """By their GUID; loopback has none, and what is not known keeps its device's name."""
    assert windows_only.title_of(DEVICE) == "Ethernet 2"
    assert windows_only.title_of(r"\Device\NPF_Loopback") == "Loopback"
    other = DEVICE.replace("4D36", "4D37")
    assert windows_only.title_of(other) == other
    assert windows_only.title_of("rpcap://elsewhere") == "rpcap://elsewhere"


def test_other_systems_keep_their_names() -> None:
    """Only Windows has names that nobody can read."""
    assert windows_only.title_of("eth0") == "eth0"


@pytest.mark.usefixtures("adapters")
def test_sentences_use_the_names_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing and what may not be opened, on a computer with one adapter."""
    from cosemscope.capture.capturing import libpcap

    device = libpcap.Device(DEVICE, "Intel", (), True, True, False, False, True, "Ethernet 2")
    monkeypatch.setattr(libpcap, "devices", lambda: [device])
    assert open_fault("eth9", LibpcapError("", NO_SUCH_DEVICE)).message == (
        "There is no interface eth9. There are: Ethernet 2."
    )
    barred = open_fault(DEVICE, LibpcapError("", NO_RIGHTS))
    assert (barred.kind, barred.message.split(". ")[0]) == ("rights", "You may not capture on Ethernet 2")


def test_without_a_list_a_refusal_is_one_of_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that lists nothing to those who may not capture does not make them believe in no interface."""
    from cosemscope.capture.capturing import libpcap

    monkeypatch.setattr(libpcap, "devices", list)
    assert open_fault("en0", LibpcapError("", NO_RIGHTS)).kind == "rights"


@pytest.mark.parametrize("has_console", [True, False])
@pytest.mark.parametrize("out_of_reach", [True, False])
def test_a_console_program_is_asked_to_end(
    monkeypatch: pytest.MonkeyPatch, has_console: bool, out_of_reach: bool
) -> None:
    """By Ctrl+Break in the console that it shares with us, or in its own; by force where that fails."""
    kernel = Kernel(has_console)
    monkeypatch.setattr(windows_only, "_library", {"kernel32": kernel}.__getitem__)
    windows_only.ask_to_end(cast("subprocess.Popen[bytes]", Program(kernel, out_of_reach=out_of_reach)))
    act = "terminate" if out_of_reach else "break"
    assert kernel.done == ([act] if has_console else ["attach 4711", act, "free"])


def test_no_console_window_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a console of ours, that of the child is out of sight; the child has a group of its own."""
    flags = []
    for has_console in (True, False):
        monkeypatch.setattr(windows_only, "_library", {"kernel32": Kernel(has_console)}.__getitem__)
        flags.append(windows_only.console_flags())
    assert flags == [0x200, 0x8000200]
