"""The layer over libpcap: what it lists, opens and compiles; and life without it."""

import ctypes
import ntpath
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from cosemscope.capture.capturing import libpcap
from cosemscope.capture.capturing.libpcap import LibpcapError, OpenOptions, PacketHandler
from tests.helpers.capturing import needs_rights


@pytest.fixture
def with_library() -> None:
    try:
        libpcap.library()
    except LibpcapError as error:
        pytest.skip(f"LIBRARY MISSING: {error}")


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a computer that has none."""
    libpcap.library.cache_clear()
    monkeypatch.setattr(libpcap, "_candidates", lambda: ["libpcap-that-is-not.so"])
    monkeypatch.setattr(libpcap.ctypes.util, "find_library", lambda _: None)
    yield
    libpcap.library.cache_clear()


@pytest.mark.usefixtures("with_library")
class TestWithLibrary:
    def test_its_version_is_a_name_and_a_number(self) -> None:
        """`capture` tells by what it captures."""
        name, version = libpcap.library().version.split()
        assert name in {"libpcap", "Npcap"}
        assert version[0].isdigit()

    def test_devices_have_names_and_addresses(self) -> None:
        """Addresses and flags are taken out of the library's linked lists."""
        loopback = [device for device in libpcap.devices() if device.loopback]
        assert loopback
        assert "127.0.0.1" in loopback[0].addresses
        assert loopback[0].up

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("port 4059", None),
            ("", None),
            ("tcp prt 4059", "syntax error"),
            ("port 99999", "illegal port number 99999 > 65535"),
            ("port \0", "zero character"),
            ("port 4059 ä", "illegal|syntax"),
        ],
    )
    def test_filters_are_checked_without_an_interface(self, text: str, words: str | None) -> None:
        """So a filter can be judged while it is typed, without any rights."""
        error = libpcap.filter_error(text)
        if words is None:
            assert error is None
        else:
            assert error is not None
            assert any(word in error for word in words.split("|"))

    def test_a_filter_can_be_wrong_for_a_link_type_only(self) -> None:
        """A filter is judged for the interface that it is meant for."""
        assert libpcap.filter_error("vlan and port 4059", 1) is None
        assert "no VLAN support" in str(libpcap.filter_error("vlan and port 4059", 113))

    def test_packets_come_with_times_and_octets(self) -> None:
        """Header, octets and stamp are read where the library puts them; counts are there."""
        needs_rights()
        handle = libpcap.open_live("lo", OpenOptions(immediate=True))
        taken: list[tuple[int, int, bytes]] = []
        header = struct.Struct(libpcap.HEADER_FORMAT)

        def take(_user: int | None, at: int | None, octets: int | None) -> None:
            assert at is not None
            assert octets is not None
            seconds, fraction, captured, original = header.unpack(ctypes.string_at(at, header.size))
            taken.append((seconds * 10**9 + fraction, original, ctypes.string_at(octets, captured)))

        handler = PacketHandler(take)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", 0))
            handle.set_filter(f"udp port {sink.getsockname()[1]}")
            assert handle.selectable() is not None
            before = time.time_ns()
            sink.sendto(b"hello meter", sink.getsockname())
            while not taken:
                handle.dispatch(10, handler)
            after = time.time_ns()
        stats = handle.stats()
        assert stats is not None
        assert (stats.received > 0, stats.dropped) == (True, 0)
        handle.close()
        handle.close()
        assert handle.stats() is None
        ((moment, original, octets),) = taken
        assert handle.nanoseconds
        assert before <= moment <= after
        assert octets.endswith(b"hello meter")
        assert original == len(octets)
        assert handle.link_type == 1

    def test_packets_on_loopback_are_counted_once(self) -> None:
        """On their way out they take no room in the buffer, so they cannot be dropped there either."""
        needs_rights()
        handle = libpcap.open_live("lo", OpenOptions(immediate=True))
        taken: list[int | None] = []
        handler = PacketHandler(lambda _user, header, _octets: taken.append(header))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", 0))
            handle.ignore_echo()
            handle.set_filter(f"udp port {sink.getsockname()[1]}")
            before = handle.stats()
            for _ in range(40):
                sink.sendto(b"hello meter", sink.getsockname())
            deadline = time.monotonic() + 10
            while len(taken) < 40 and time.monotonic() < deadline:
                handle.dispatch(100, handler)
        stats = handle.stats()
        handle.close()
        assert stats is not None
        assert before is not None
        assert (len(taken), stats.received - before.received) == (40, 40)

    def test_a_wrong_filter_leaves_the_handle_open(self) -> None:
        """A capture may go on with another filter after a wrong one."""
        needs_rights()
        handle = libpcap.open_live("lo", OpenOptions())
        with pytest.raises(LibpcapError, match="syntax error"):
            handle.set_filter("tcp prt")
        handle.set_filter("port 4059")
        handle.close()

    def test_a_missing_interface_has_its_code(self) -> None:
        """Callers tell "no such interface" from "no rights" by the code."""
        needs_rights()
        with pytest.raises(LibpcapError) as caught:
            libpcap.open_live("nosuch0", OpenOptions())
        assert caught.value.code == libpcap.NO_SUCH_DEVICE


def test_link_types_of_files_are_not_those_of_the_system() -> None:
    """Raw IP has the number 12 in the library and 101 in files."""
    assert [libpcap.link_type_of(number) for number in (0, 1, 12, 113, 276)] == [0, 1, 101, 113, 276]


@pytest.mark.usefixtures("without_library")
def test_without_the_library_everything_says_so() -> None:
    """Importing is harmless; what needs it raises its own error, and is not tried once more for each call."""
    for call in (libpcap.library, libpcap.devices, lambda: libpcap.filter_error("port 1")):
        with pytest.raises(LibpcapError, match=r"there is no libpcap-that-is-not\.so on this computer"):
            call()


def test_a_library_that_is_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that is missing is a sentence, not an AttributeError in the middle of a capture."""
    with pytest.raises(LibpcapError, match="too old: it has no pcap_"):
        libpcap.Library(ctypes.CDLL(None))


class FakeLibrary:
    """Notes what is said to it; its handles are number 1, and nothing is refused."""

    def __init__(self) -> None:
        self.said: dict[str, tuple[object, ...]] = {}

    def __getattr__(self, name: str) -> object:
        def call(*arguments: object) -> int:
            self.said[name] = arguments
            return {"pcap_activate": 0, "pcap_set_tstamp_precision": 0}.get(name, 1)

        return call


@pytest.mark.parametrize(
    ("platform", "immediate", "mode", "timeout"),
    [
        ("linux", False, 0, 50),
        ("linux", True, 0, 1),
        ("win32", False, 0, 50),
        ("win32", True, 1, 50),
        ("darwin", True, 1, 50),
    ],
)
def test_how_packets_are_handed_over(
    monkeypatch: pytest.MonkeyPatch, platform: str, immediate: bool, mode: int, timeout: int
) -> None:
    """Linux's immediate mode is not used; elsewhere a handle that waits in the library does not spin."""
    fake = FakeLibrary()
    monkeypatch.setattr(libpcap, "library", lambda: fake)
    monkeypatch.setattr("sys.platform", platform)
    handle = libpcap.open_live(r"\Device\NPF_{0}", OpenOptions(immediate=immediate))
    assert fake.said["pcap_create"][0] == rb"\Device\NPF_{0}"
    assert fake.said["pcap_set_immediate_mode"] == (1, mode)
    assert fake.said["pcap_set_timeout"] == (1, timeout)
    assert fake.said["pcap_set_buffer_size"] == (1, 64 << 20)
    assert (handle.selectable() is None) == (platform == "win32")


def test_npcap_is_looked_for_in_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is not searched by Windows, and Packet.dll lies in it; what WinPcap left comes second."""
    tried: list[str] = []
    folders: list[str] = []

    def load(name: str) -> str:
        tried.append(name)
        if name.startswith("C:"):
            raise OSError("no such file")
        return "loaded"

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("SYSTEMROOT", r"C:\Windows")
    monkeypatch.setattr(libpcap.os.path, "join", ntpath.join)
    monkeypatch.setattr(libpcap.os.path, "dirname", ntpath.dirname)
    monkeypatch.setattr(libpcap.os.path, "isabs", ntpath.isabs)
    monkeypatch.setattr(libpcap.os.path, "isdir", lambda _: True)
    monkeypatch.setattr(libpcap.os, "add_dll_directory", folders.append, raising=False)
    monkeypatch.setattr(libpcap.ctypes, "CDLL", load)
    assert libpcap.load_library() == "loaded"
    assert tried == [r"C:\Windows\System32\Npcap\wpcap.dll", "wpcap.dll"]
    assert folders == [r"C:\Windows\System32\Npcap"]


def test_headers_of_all_systems() -> None:
    """struct timeval has two longs: of 32 bits on Windows; macOS fills up a fraction of 32 bits."""
    assert struct.calcsize(libpcap.HEADER_FORMATS["win32"]) == 16
    assert struct.calcsize(libpcap.HEADER_FORMATS["darwin"]) == 24
    octets = struct.pack("<qiiII", 1_760_000_000, 999_999, 0, 60, 1514)
    assert struct.unpack(libpcap.HEADER_FORMATS["darwin"], octets) == (1_760_000_000, 999_999, 60, 1514)


@pytest.mark.parametrize(
    ("platform", "head"),
    [("linux", struct.pack("=H", socket.AF_INET)), ("darwin", bytes((16, socket.AF_INET)))],
)
def test_addresses_of_all_systems(monkeypatch: pytest.MonkeyPatch, platform: str, head: bytes) -> None:
    """BSD's begin with their length."""
    monkeypatch.setattr("sys.platform", platform)
    address = ctypes.create_string_buffer(head + bytes((0x0F, 0xDB, 192, 0, 2, 7)), 16)
    assert libpcap.address_text(ctypes.addressof(address)) == "192.0.2.7"


def test_a_device_of_windows_has_its_alias_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What people call an adapter may be typed; anything else stays what it is, as on other systems."""
    ethernet = libpcap.Device(r"\Device\NPF_{1}", "Intel", (), True, True, False, False, True, "Ethernet")
    monkeypatch.setattr(libpcap, "devices", lambda: [ethernet])
    assert libpcap.device_name("ethernet") == "ethernet"
    monkeypatch.setattr("sys.platform", "win32")
    assert libpcap.device_name("ethernet") == ethernet.name
    assert libpcap.device_name(ethernet.name) == ethernet.name
    assert libpcap.device_name("Wi-Fi") == "Wi-Fi"
