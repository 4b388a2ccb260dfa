"""The layer over libpcap: what it lists, opens and compiles; and life without it."""

import ctypes
import socket
import time
from collections.abc import Iterator

import pytest

from cosemscope.capture import libpcap
from cosemscope.capture.libpcap import LibpcapError, OpenOptions, PacketHandler
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
        name, version = libpcap.library().version.split()
        assert name in {"libpcap", "Npcap"}
        assert version[0].isdigit()

    def test_devices_have_names_and_addresses(self) -> None:
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
        error = libpcap.filter_error(text)
        if words is None:
            assert error is None
        else:
            assert error is not None
            assert any(word in error for word in words.split("|"))

    def test_a_filter_can_be_wrong_for_a_link_type_only(self) -> None:
        assert libpcap.filter_error("vlan and port 4059", 1) is None
        assert "no VLAN support" in str(libpcap.filter_error("vlan and port 4059", 113))

    def test_packets_come_with_times_and_octets(self) -> None:
        """Header, octets and stamp are read where the library puts them; counts are there."""
        needs_rights()
        import struct

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
        needs_rights()
        handle = libpcap.open_live("lo", OpenOptions())
        with pytest.raises(LibpcapError, match="syntax error"):
            handle.set_filter("tcp prt")
        handle.set_filter("port 4059")
        handle.close()

    def test_a_missing_interface_has_its_code(self) -> None:
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
    with pytest.raises(LibpcapError, match="too old: it has no pcap_"):
        libpcap.Library(ctypes.CDLL(None))
