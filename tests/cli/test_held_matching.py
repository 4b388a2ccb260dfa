"""Which WPDUs on their way a display filter leaves: one by one or many at a time, by their addresses too."""

import pytest

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.cli.held_matching import _GROUPS_OF_A_CAPTURE, _OF_A_CAPTURE, make_matches
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.relay.breakpoints import Passing
from cosemscope.transport.wpdu import Wpdu

CLIENT, TARGET = LinkAddress("192.0.2.1", 50000), LinkAddress("192.0.2.7", 4059)
GET = Wpdu(16, 1, bytes.fromhex("c001c1000100002a0000ff0200")).encode()
RESPONSE = Wpdu(1, 16, bytes.fromhex("c401c1000906414243444546")).encode()


def to_target(octets: bytes, *, client: LinkAddress = CLIENT, udp: bool = False) -> Passing:
    return Passing(octets, True, client, TARGET, udp)


def to_client(octets: bytes) -> Passing:
    return Passing(octets, False, CLIENT, TARGET)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apdu == get-request", [True, False, True]),
        ("apdu == get-response", [False, True, False]),
        ("wport.dst == 16", [False, True, False]),
        ("obis == 0.0.42.0.0.255", [True, False, True]),
        ("ip.addr == 192.0.2.1", [True, True, False]),
        ("ip.src == 192.0.2.7", [False, True, False]),
        ("udp.port == 4059", [False, False, True]),
        ("wpdu.length > 12", [True, False, True]),
        ("apdu.tag == 0xc4", [False, True, False]),
        ("!apdu", [False, False, False]),
    ],
)
def test_each_is_asked_by_itself(text: str, expected: list[bool]) -> None:
    """Two ways of one connection and a datagram, all at once and each alone."""
    matches = make_matches(text)
    passing = [
        to_target(GET),
        to_client(RESPONSE),
        to_target(GET, client=LinkAddress("192.0.2.2", 50000), udp=True),
    ]
    assert list(matches(passing)) == expected
    assert [matches([one])[0] for one in passing] == expected


def test_the_longest_and_the_shortest() -> None:
    """A WPDU that no segment holds, one without an APDU, and a datagram that is none."""
    longest = to_target(Wpdu(16, 1, GET[8:] + bytes(65535 - 13)).encode())
    passing = [longest, to_target(Wpdu(16, 1, b"").encode()), to_target(b"\x7e\xa0", udp=True)]
    assert list(make_matches("wport.src == 16")(passing)) == [True, True, False]


def test_ends_of_two_ip_versions() -> None:
    """The target's address counts, and nothing fails."""
    one = Passing(GET, True, LinkAddress("127.0.0.1", 50000), LinkAddress("::1", 4059))
    assert list(make_matches("apdu == get-request && ipv6.dst == ::1")([one])) == [True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("apdu = 3", "is written"),
        ("", "would hold everything"),
        ("response_time > 1s", "response_time is told by a whole capture"),
        ("exchange.status == error", "exchange.status is told"),
        ("frame.number == 3", "frame.number is told"),
        ("wpdu.number == 3", "wpdu.number is told"),
    ],
)
def test_what_no_breakpoint_can_ask_is_said(text: str, words: str) -> None:
    """With the field in question."""
    with pytest.raises(ValueError, match=words):
        make_matches(text)


def test_the_fields_that_are_refused_are_fields() -> None:
    """A name that has changed would be asked where it means nothing."""
    assert set(FIELDS) >= _OF_A_CAPTURE
    assert all(any(name.startswith(group) for name in FIELDS) for group in _GROUPS_OF_A_CAPTURE)
