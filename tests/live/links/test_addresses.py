"""Addresses that people type: what is right is understood, what is wrong is said before a socket sees it."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.live.links.addresses import (
    LinkAddress,
    Resolved,
    check_wport,
    listen_everywhere,
    parse_address,
    resolve,
)
from cosemscope.live.links.faults import Fault, LinkError, explain


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", ("192.0.2.7", 4059)),
        ("192.0.2.7:4060", ("192.0.2.7", 4060)),
        (" meter.example:1 ", ("meter.example", 1)),
        ("::1", ("::1", 4059)),
        ("[::1]", ("::1", 4059)),
        ("[fe80::1%eth0]:65535", ("fe80::1%eth0", 65535)),
        (":4061", ("127.0.0.1", 4061)),
        ("", ("127.0.0.1", 4059)),
    ],
)
def test_addresses_are_understood(text: str, address: tuple[str, int]) -> None:
    """Names, IPv4 and IPv6, with a port or without."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("host:port", "no port"),
        ("host:65536", "no port"),
        ("host:-1", "no port"),
        ("host:٣", "no port"),
        ("[::1", "no address"),
        ("[::1]4059", "no address"),
        ("12:34:56", "no IPv6 address"),
        ("two words:4059", "no spaces"),
    ],
)
def test_what_is_no_address_is_said(text: str, words: str) -> None:
    """The sentence names what is wrong with it."""
    with pytest.raises(LinkError, match=words) as caught:
        parse_address(text)
    assert caught.value.fault is Fault.ADDRESS


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_fault(text: str) -> None:
    """Nothing that a person can type raises anything else."""
    with contextlib.suppress(LinkError):
        address = parse_address(text)
        assert 0 <= address.port <= 65535
        assert address.host


@given(st.ip_addresses().map(str), st.integers(0, 65535))
def test_an_address_that_is_shown_can_be_typed(host: str, port: int) -> None:
    """What is printed can be copied back, IPv6 in brackets."""
    assert parse_address(str(LinkAddress(host, port))) == (host, port)


def test_wports_have_sixteen_bits() -> None:
    """Both ends of the range, and what is beyond."""
    assert check_wport(0xFFFF) == 0xFFFF
    for number in (-1, 0x10000):
        with pytest.raises(LinkError, match="no wPort"):
            check_wport(number)


def test_names_that_cannot_be_names() -> None:
    """Whatever the resolver raises is a fault of the address."""
    for host in ("no-such-host.invalid", "x" * 300, "a..b"):
        with pytest.raises(LinkError) as caught:
            asyncio.run(resolve(LinkAddress(host, 4059), socket.SOCK_STREAM))
        assert caught.value.fault is Fault.ADDRESS


@pytest.mark.parametrize(
    ("number", "fault", "words"),
    [
        (errno.ECONNREFUSED, Fault.REFUSED, "connection refused by 192.0.2.7:4059"),
        (errno.EHOSTUNREACH, Fault.UNREACHABLE, "no route to 192.0.2.7:4059"),
        (errno.ENETUNREACH, Fault.UNREACHABLE, "no route to 192.0.2.7:4059"),
        (errno.ECONNRESET, Fault.RESET, "connection reset by 192.0.2.7:4059"),
        (errno.ETIMEDOUT, Fault.TIMEOUT, "no answer from 192.0.2.7:4059"),
        (errno.EADDRINUSE, Fault.IN_USE, "in use"),
        (errno.EACCES, Fault.PERMISSION, "not allowed"),
        (errno.ENOBUFS, Fault.FAILED, "the link to 192.0.2.7:4059 failed"),
        (10061, Fault.REFUSED, "connection refused by 192.0.2.7:4059"),
    ],
)
def test_errors_of_the_system_are_said_in_words(number: int, fault: Fault, words: str) -> None:
    """Each errno has its fault and its sentence."""
    error = explain(OSError(number, "in the system's words"), LinkAddress("192.0.2.7", 4059))
    assert error.fault is fault
    assert words in error.message


class _Handle:
    """What `listen_everywhere` needs of a socket."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.closed = False

    def getsockname(self) -> tuple[str, int]:
        return "::", self.port

    def close(self) -> None:
        self.closed = True


def everywhere(
    port: int, fails: Callable[[int, int], Exception | None]
) -> tuple[list[_Handle], list[_Handle]]:
    """Listen at `::` and 0.0.0.0; the sockets given back, and all that were made. Ports count up from 1."""
    made: list[_Handle] = []
    addresses = [Resolved(socket.AF_INET6, ("::", port)), Resolved(socket.AF_INET, ("0.0.0.0", port))]

    def listen(where: Resolved) -> socket.socket:
        error = fails(where.family, len(made))
        if error is not None:
            raise error
        made.append(_Handle(where.address.port or len(made) + 1))
        return cast(socket.socket, made[-1])

    try:
        return cast(list[_Handle], listen_everywhere(addresses, listen)), made
    except (OSError, LinkError):
        return [], made


def test_one_port_for_all_addresses() -> None:
    """The first address's, where any would do."""
    opened, _ = everywhere(0, lambda family, made: None)
    assert [each.port for each in opened] == [1, 1]


def test_a_port_that_is_free_at_one_address_only_is_not_taken() -> None:
    """Where any port would do the next one is tried; a chosen one is an error, and nothing stays open."""
    busy = OSError(errno.EADDRINUSE, "in use")
    opened, made = everywhere(
        0, lambda family, made: busy if family == socket.AF_INET and made == 1 else None
    )
    assert [each.port for each in opened] == [2, 2]
    assert [each.closed for each in made] == [True, False, False]
    opened, made = everywhere(4059, lambda family, made: busy if family == socket.AF_INET else None)
    assert (opened, [each.closed for each in made]) == ([], [True])
    opened, made = everywhere(0, lambda family, made: busy if family == socket.AF_INET else None)
    assert opened == []
    assert all(each.closed for each in made)


def test_a_computer_without_ipv4_listens_at_ipv6() -> None:
    """Any other error is one; an interface that is none closes what was opened."""
    none = OSError(errno.EAFNOSUPPORT, "no IPv4")
    opened, _ = everywhere(0, lambda family, made: none if family == socket.AF_INET else None)
    assert len(opened) == 1
    unknown = LinkError(Fault.ADDRESS, "no interface")
    opened, made = everywhere(0, lambda family, made: unknown if family == socket.AF_INET else None)
    assert (opened, [each.closed for each in made]) == ([], [True])
