"""libpcap (Linux, macOS) or Npcap (Windows) through ctypes: a thin layer, loaded when first asked for.

Cosemscope works without the library. The declarations follow pcap(3PCAP); a library that lacks one of the
newer functions goes without what it gives. Functions of the library are called by one thread at a time for
a handle.
"""

import ctypes
import ctypes.util
import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_uint, c_void_p
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from cosemscope.capture.capturing.windows_only import adapter_alias
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import MEBIOCTETS, OCTETS

_ERRBUF = 256
_UTF_8 = 1
_NANOSECONDS = 1
_NETMASK_UNKNOWN = 0xFFFFFFFF

# Status codes of pcap_activate (pcap/pcap.h); those above zero are warnings.
NO_SUCH_DEVICE, NO_RIGHTS, NOT_UP, NO_PROMISCUOUS_RIGHTS = -5, -8, -9, -11

# DLT numbers that differ from the LINKTYPE numbers of files.
_LINK_TYPES = {11: 100, 12: 108 if sys.platform.startswith("openbsd") else 101, 14: 101}
_DATALINKS = {link_type: number for number, link_type in reversed(_LINK_TYPES.items())}

#: Of the socket of linux/if_packet.h, since Linux 4.20; Python's socket module has no names for them.
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23

_LOOPBACK, _UP, _RUNNING, _WIRELESS = 1, 2, 4, 8
_STATUS_MASK, _CONNECTED, _DISCONNECTED = 0x30, 0x10, 0x20


class LibpcapError(Exception):
    """Error of the library, in its words; `code` is its status (0 where there is none)."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class Device(NamedTuple):
    """A network interface as the library lists it; `connected` is None where that means nothing.

    `alias` is what people call it where its name is none for them.
    """

    name: str
    description: str
    addresses: tuple[str, ...]
    up: bool
    running: bool
    loopback: bool
    wireless: bool
    connected: bool | None
    alias: str = ""


class Stats(NamedTuple):
    """Packets since the handle was activated; what they count differs by system, see pcap_stats(3PCAP)."""

    received: int
    dropped: int
    dropped_by_interface: int


@dataclass(frozen=True)
class OpenOptions:
    """Options with which an interface is opened.

    See the pcap_set_ functions. `hold` in ms, `buffer` in octets.
    """

    promiscuous: bool = flag(True, "-p", "--no-promiscuous", help="only packets to or from us")
    snap_length: int = option(262_144, OCTETS, "-s", "--snap-length", help="of a packet ({})")
    # 200,000 packets of 242 octets, which Linux keeps in 336 each, fit in.
    buffer: int = option(64 << 20, MEBIOCTETS, "-B", "--buffer", help="kernel's buffer ({})")
    immediate: bool = flag(
        False,
        "--immediate",
        help="hand over each packet at once, not every 50 ms (dumpcap: every 250 ms in any case)",
    )
    hold: int = 50


class _Program(Structure):
    _fields_ = [("length", c_uint), ("instructions", c_void_p)]


class _Stat(Structure):
    _fields_ = [("received", c_uint), ("dropped", c_uint), ("if_dropped", c_uint), ("windows", c_uint * 4)]


class _Address(Structure):
    pass


_Address._fields_ = [
    ("next", POINTER(_Address)),
    ("address", c_void_p),
    ("netmask", c_void_p),
    ("broadcast", c_void_p),
    ("destination", c_void_p),
]


class _Interface(Structure):
    pass


_Interface._fields_ = [
    ("next", POINTER(_Interface)),
    ("name", c_char_p),
    ("description", c_char_p),
    ("addresses", POINTER(_Address)),
    ("flags", c_uint),
]

#: `void handler(u_char *user, const struct pcap_pkthdr *header, const u_char *octets)`; the pointers come as
#: numbers, None for 0.
PacketHandler = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)

#: Layout of struct pcap_pkthdr for `struct`: seconds, fraction, captured, original. Windows has a long of 32
#: bits, macOS a fraction of 32 bits.
HEADER_FORMATS = {"win32": "=iiII", "darwin": "=qi4xII"}
HEADER_FORMAT = HEADER_FORMATS.get(sys.platform, "@llII")

_STRING, _HANDLE = c_char_p, c_void_p
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "pcap_lib_version": (_STRING, ()),
    "pcap_create": (_HANDLE, (_STRING, _STRING)),
    "pcap_set_snaplen": (c_int, (_HANDLE, c_int)),
    "pcap_set_promisc": (c_int, (_HANDLE, c_int)),
    "pcap_set_timeout": (c_int, (_HANDLE, c_int)),
    "pcap_set_buffer_size": (c_int, (_HANDLE, c_int)),
    "pcap_activate": (c_int, (_HANDLE,)),
    "pcap_open_dead": (_HANDLE, (c_int, c_int)),
    "pcap_close": (None, (_HANDLE,)),
    "pcap_compile": (c_int, (_HANDLE, POINTER(_Program), _STRING, c_int, c_uint)),
    "pcap_setfilter": (c_int, (_HANDLE, POINTER(_Program))),
    "pcap_freecode": (None, (POINTER(_Program),)),
    "pcap_dispatch": (c_int, (_HANDLE, c_int, PacketHandler, c_void_p)),
    "pcap_stats": (c_int, (_HANDLE, POINTER(_Stat))),
    "pcap_geterr": (_STRING, (_HANDLE,)),
    "pcap_datalink": (c_int, (_HANDLE,)),
    "pcap_setnonblock": (c_int, (_HANDLE, c_int, _STRING)),
    "pcap_findalldevs": (c_int, (POINTER(POINTER(_Interface)), _STRING)),
    "pcap_freealldevs": (None, (POINTER(_Interface),)),
    "pcap_statustostr": (_STRING, (c_int,)),
}
_NEWER: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "pcap_init": (c_int, (c_uint, _STRING)),
    "pcap_set_immediate_mode": (c_int, (_HANDLE, c_int)),
    "pcap_set_tstamp_precision": (c_int, (_HANDLE, c_int)),
    "pcap_get_tstamp_precision": (c_int, (_HANDLE,)),
    "pcap_get_selectable_fd": (c_int, (_HANDLE,)),
}


def _candidates() -> list[str]:
    if sys.platform == "win32":
        system = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32")
        return [os.path.join(system, "Npcap", "wpcap.dll"), "wpcap.dll"]
    if sys.platform == "darwin":
        return ["/usr/lib/libpcap.A.dylib", "libpcap.dylib"]
    return ["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"]


def load_library() -> ctypes.CDLL:
    """The library of this system, as ctypes has it. Raises LibpcapError where there is none."""
    tried = _candidates()
    for name in tried:
        if sys.platform == "win32" and os.path.isabs(name) and os.path.isdir(os.path.dirname(name)):
            os.add_dll_directory(os.path.dirname(name))  # Packet.dll lies beside it
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    found = ctypes.util.find_library("pcap")
    if found:
        try:
            return ctypes.CDLL(found)
        except OSError as error:
            raise LibpcapError(f"{found} cannot be loaded: {error}") from error
    raise LibpcapError(f"there is no {' or '.join(tried)} on this computer")


class Library:
    """The loaded library: its functions as attributes of their names; newer ones that it lacks are None."""

    def __init__(self, loaded: ctypes.CDLL) -> None:
        """Declare the functions; raises LibpcapError when one of the necessary ones is missing."""
        for name, (result, arguments) in {**_SIGNATURES, **_NEWER}.items():
            function = getattr(loaded, name, None)
            if function is None and name in _SIGNATURES:
                raise LibpcapError(f"the library on this computer is too old: it has no {name}")
            if function is not None:
                function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        # Reached for what is not set only; tells the type checker that attributes may have any name.
        raise AttributeError(name)

    @property
    def version(self) -> str:
        """Name and version that the library gives itself, such as "libpcap 1.10.3"."""
        words = _text(self.pcap_lib_version()).replace(" version", "").split(" (")[0].split(",")[0]
        return words.strip()


@cache
def library() -> Library:
    """The library, loaded when first asked for. Raises LibpcapError when there is none that can be used."""
    loaded = Library(load_library())
    if loaded.pcap_init is not None:
        loaded.pcap_init(_UTF_8, ctypes.create_string_buffer(_ERRBUF))
    return loaded


def _text(octets: bytes | None) -> str:
    return (octets or b"").decode("utf-8", "replace")


def devices() -> list[Device]:
    """The interfaces that this process may at least know of. Raises LibpcapError."""
    pcap = library()
    first = POINTER(_Interface)()
    errors = ctypes.create_string_buffer(_ERRBUF)
    if pcap.pcap_findalldevs(byref(first), errors) < 0:
        raise LibpcapError(_text(errors.value))
    try:
        found = []
        each = first
        while each:
            found.append(_device(each.contents))
            each = each.contents.next
        return found
    finally:
        if first:
            pcap.pcap_freealldevs(first)


def _device(interface: _Interface) -> Device:
    addresses = []
    each = interface.addresses
    while each:
        address = address_text(each.contents.address)
        if address:
            addresses.append(address)
        each = each.contents.next
    flags = interface.flags
    return Device(
        name=_text(interface.name),
        description=_text(interface.description),
        addresses=tuple(addresses),
        up=bool(flags & _UP),
        running=bool(flags & _RUNNING),
        loopback=bool(flags & _LOOPBACK),
        wireless=bool(flags & _WIRELESS),
        connected={_CONNECTED: True, _DISCONNECTED: False}.get(flags & _STATUS_MASK),
        alias=adapter_alias(_text(interface.name)) if sys.platform == "win32" else "",
    )


def device_name(text: str) -> str:
    """The name of the device that `text` is the name or the alias of; `text` itself where there is none."""
    if sys.platform != "win32":
        return text
    with suppress(LibpcapError):
        for device in devices():
            if text.casefold() in (device.name.casefold(), device.alias.casefold()):
                return device.name
    return text


def address_text(pointer: int | None) -> str | None:
    """The IP address in a struct sockaddr; None for other families."""
    if not pointer:
        return None
    head = ctypes.string_at(pointer, 2)
    # BSD systems have the structure's length in the first octet, others a family of two octets.
    family = head[1] if sys.platform == "darwin" else int.from_bytes(head, sys.byteorder)
    if family == socket.AF_INET:
        return str(ipaddress.IPv4Address(ctypes.string_at(pointer + 4, 4)))
    if family == socket.AF_INET6:
        return str(ipaddress.IPv6Address(ctypes.string_at(pointer + 8, 16)))
    return None


class Handle:
    """An interface that is being captured from; made by `open_live`, and closed by `close`."""

    def __init__(self, name: str, pointer: int, *, nanoseconds: bool, promiscuous: bool) -> None:
        self.name = name
        self.nanoseconds = nanoseconds
        self.promiscuous = promiscuous
        self._pcap = library()
        self._pointer: int | None = pointer
        self.link_type = link_type_of(self._pcap.pcap_datalink(pointer))

    def set_filter(self, text: str) -> None:
        """Let only packets come that match. Raises LibpcapError with the library's words."""
        program = _compiled(self._pointer, text)
        try:
            if self._pcap.pcap_setfilter(self._pointer, byref(program)) < 0:
                raise LibpcapError(self.error)
        finally:
            self._pcap.pcap_freecode(byref(program))

    def selectable(self) -> int | None:
        """Descriptor that `select` can wait for, the handle then never blocks; None where there is none."""
        get = self._pcap.pcap_get_selectable_fd
        descriptor = -1 if get is None or sys.platform == "win32" else get(self._pointer)
        if descriptor < 0:
            return None
        errors = ctypes.create_string_buffer(_ERRBUF)
        self._pcap.pcap_setnonblock(self._pointer, 1, errors)
        return int(descriptor)

    def ignore_echo(self) -> None:
        """Let the kernel leave out packets on their way out: on a loopback interface all come in again.

        libpcap leaves them out itself, but only when they have taken half of the buffer, and counts those
        that had no room there as dropped. Where the system cannot do it, nothing changes.
        """
        descriptor = self.selectable() if sys.platform == "linux" else None
        if descriptor is not None:
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as link:
                link.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)

    def dispatch(self, most: int, handler: Any) -> int:
        """Give up to `most` packets to `handler` (a PacketHandler); their number. Raises LibpcapError."""
        count = int(self._pcap.pcap_dispatch(self._pointer, most, handler, None))
        if count < 0:
            raise LibpcapError(self.error, count)
        return count

    def stats(self) -> Stats | None:
        """The system's counts; None when it has none."""
        counts = _Stat()
        if self._pointer is None or self._pcap.pcap_stats(self._pointer, byref(counts)) < 0:
            return None
        return Stats(counts.received, counts.dropped, counts.if_dropped)

    @property
    def error(self) -> str:
        """The library's words about what went wrong last."""
        return _text(self._pcap.pcap_geterr(self._pointer))

    def close(self) -> None:
        """Give the interface back; doing so twice is no error."""
        if self._pointer is not None:
            self._pcap.pcap_close(self._pointer)
            self._pointer = None


def link_type_of(datalink: int) -> int:
    """The LINKTYPE number for files of a DLT number of this system."""
    return _LINK_TYPES.get(datalink, datalink)


def hold_of(options: OpenOptions) -> int:
    """Milliseconds for which packets may be held back; 0 is the library's immediate mode.

    That of Linux has room for few packets, each as long as the longest, and loses bursts: there the other
    mode with the shortest time to wait is as good.
    """
    if not options.immediate:
        return max(options.hold, 1)
    return 1 if sys.platform.startswith("linux") else 0


def open_live(name: str, options: OpenOptions) -> Handle:
    """Begin to capture from an interface. Raises LibpcapError, with a status code where there is one.

    Where promiscuous mode may not be set, it goes without.
    """
    try:
        return _open(name, options)
    except LibpcapError as error:
        if error.code != NO_PROMISCUOUS_RIGHTS or not options.promiscuous:
            raise
        return _open(name, replace(options, promiscuous=False))


def _open(name: str, options: OpenOptions) -> Handle:
    pcap = library()
    errors = ctypes.create_string_buffer(_ERRBUF)
    pointer = pcap.pcap_create(name.encode(), errors)
    if not pointer:
        raise LibpcapError(_text(errors.value))
    hold = hold_of(options)
    # All of it has to be said before activation. A time of 0 would hold packets back for ever.
    settings: tuple[tuple[Callable[..., int] | None, int], ...] = (
        (pcap.pcap_set_snaplen, options.snap_length),
        (pcap.pcap_set_promisc, int(options.promiscuous)),
        (pcap.pcap_set_timeout, hold or max(options.hold, 1)),
        (pcap.pcap_set_immediate_mode, int(not hold)),
        (pcap.pcap_set_buffer_size, options.buffer),
    )
    for setting, value in settings:
        if setting is not None:
            setting(pointer, value)
    precise = pcap.pcap_set_tstamp_precision
    nanoseconds = precise is not None and precise(pointer, _NANOSECONDS) == 0
    status = pcap.pcap_activate(pointer)
    if status < 0:
        words = _text(pcap.pcap_geterr(pointer)) or _text(pcap.pcap_statustostr(status))
        pcap.pcap_close(pointer)
        raise LibpcapError(words, status)
    if nanoseconds and pcap.pcap_get_tstamp_precision is not None:
        nanoseconds = pcap.pcap_get_tstamp_precision(pointer) == _NANOSECONDS
    return Handle(name, pointer, nanoseconds=nanoseconds, promiscuous=options.promiscuous)


def filter_error(text: str, link_type: int = 1, snap_length: int = 262_144) -> str | None:
    """The library's words about a wrong filter for interfaces of that link type; None if nothing.

    Names in a filter are looked up on the network, which may take long. Raises LibpcapError where there is
    no library.
    """
    pcap = library()
    pointer = pcap.pcap_open_dead(_DATALINKS.get(link_type, link_type), snap_length)
    if not pointer:
        raise LibpcapError("there is no memory for a filter")
    try:
        program = _compiled(pointer, text)
    except LibpcapError as error:
        return str(error)
    else:
        pcap.pcap_freecode(byref(program))
        return None
    finally:
        pcap.pcap_close(pointer)


def _compiled(pointer: int | None, text: str) -> _Program:
    pcap = library()
    program = _Program()
    if "\0" in text:
        raise LibpcapError("a filter has no zero character")
    if pcap.pcap_compile(pointer, byref(program), text.encode(), 1, _NETMASK_UNKNOWN) < 0:
        raise LibpcapError(_text(pcap.pcap_geterr(pointer)))
    return program
