"""CoAP: an APDU a message, blocks joined by token, and what does not belong together."""

import pytest

from cosemscope.streams.reassembly.splitters import coap_splitter
from cosemscope.streams.reassembly.splitters.coap_splitter import CoapSplitter
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.foreign_traffic import CLOCK, GET, blocks, coap
from tests.helpers.made_streams import Listener, piece
from tests.helpers.wire import wpdu

PATH = (11, b"dlms")
LONG = CLOCK[:4] + b"\x09\x82\x01\x00" + bytes(range(256))
OTHER = CLOCK[:4] + b"\x09\x81\x80" + bytes(128)


def answers(apdu: bytes, first: int, token: bytes | None = b"\7", size: int = 64) -> list[bytes]:
    """An answer in Block2; without a token each block has one of its own."""
    return [
        coap(0x45, first + at, token or bytes((at,)), ((23, value),), part)
        for at, (value, part) in enumerate(blocks(apdu, 23, size))
    ]


def split(*messages: bytes, cut: int = 0) -> Listener:
    """Everything told of datagrams of one direction; of the last one `cut` octets are missing."""
    octets, splitter_at = b"".join(messages), 0
    listener = Listener(octets)
    splitter = CoapSplitter(listener, 0)
    for packet, message in enumerate(messages):
        stop = splitter_at + len(message)
        captured = len(message) - (cut if packet == len(messages) - 1 else 0)
        splitter.chunk(piece(splitter_at, stop, packet, captured=captured), packet)
        splitter.end_datagram(packet)
        splitter_at = stop
    splitter.close(len(messages))
    return listener


def contents(listener: Listener) -> list[tuple[bytes, int]]:
    return [(told[0], told[2]) for told in listener.told()]


def test_an_apdu_a_message() -> None:
    """In requests and answers; other methods, empty ones and those without payload carry none."""
    listener = split(
        coap(2, 1, b"\1", (PATH,), GET), coap(0, 1), coap(1, 2, b"\1", (PATH,), GET), coap(0x44, 3, b"\1"),
        coap(0x45, 4, b"\1", (), CLOCK),
    )  # fmt: skip
    assert contents(listener) == [(GET, 0), (CLOCK, 0)]
    assert [unit.framing for unit, _ in listener.units] == [Framing.COAP] * 2


def test_the_wrapper_may_stand_inside() -> None:
    """Then its wPorts are told, and the APDU is without it."""
    listener = split(coap(2, 1, b"\1", (PATH,), wpdu(GET, 16, 1)))
    assert contents(listener) == [(GET, 0)]
    assert listener.units[0][0].header == (0, 16, 1, len(GET))


@pytest.mark.parametrize("token", [b"\7", b"", None])
@pytest.mark.parametrize("size", [16, 64])
def test_blocks_are_joined(token: bytes | None, size: int) -> None:
    """By token where it stays the same, by number where each block has another; what is repeated is none."""
    messages = answers(LONG, 1, token, size)
    again = [message for message in messages for _ in range(2)]
    assert contents(split(*again)) == [(LONG, 0)]


def test_two_transfers_at_a_time() -> None:
    """Each by its token."""
    one, two = answers(LONG, 1, b"\1"), answers(OTHER, 50, b"\2")
    mixed = [message for pair in zip(one, [*two, *one], strict=False) for message in pair][: 2 * len(two)]
    rest = one[len(two) :]
    assert contents(split(*mixed, *rest)) == [(OTHER, 0), (LONG, 0)]


@pytest.mark.parametrize("lost", range(1, 4))
def test_a_lost_block_cuts_the_apdu(lost: int) -> None:
    """What came before it is told, cut, and what comes behind it is joined with nothing."""
    messages = answers(LONG, 1)
    del messages[lost]
    listener = split(*messages, coap(0x45, 99, b"\x09", (), CLOCK))
    assert contents(listener) == [(LONG[: 64 * lost], Mark.TRUNCATED), (CLOCK, 0)]


def test_a_new_beginning_ends_the_old_one() -> None:
    """Under the same token, and at the end of the capture."""
    listener = split(*answers(LONG, 1)[:2], *answers(OTHER, 9), *answers(LONG, 20)[:1])
    assert contents(listener) == [(LONG[:128], Mark.TRUNCATED), (OTHER, 0), (LONG[:64], Mark.TRUNCATED)]


def test_the_snap_length_cuts_an_apdu() -> None:
    """It is marked."""
    assert contents(split(coap(0x45, 4, b"\1", (), CLOCK), cut=0)) == [(CLOCK, 0)]
    assert contents(split(coap(0x45, 4, b"\1", (), CLOCK), cut=3)) == [(CLOCK[:-3], Mark.TRUNCATED)]


@pytest.mark.parametrize(("octets", "marks"), [(GET + b"\0", 0), (GET, 0), (GET[:-1], Mark.TRUNCATED)])
def test_a_wrapper_of_another_length(octets: bytes, marks: int) -> None:
    """An APDU with fewer octets than the wrapper says is cut, one with more is not."""
    header = wpdu(GET, 16, 1)[:8]
    assert contents(split(coap(2, 1, b"\1", (PATH,), header + octets))) == [(octets, marks)]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest transfer is given up, cut."""
    monkeypatch.setattr(coap_splitter, "MAX_TRANSFERS", 2)
    begun = [answers(LONG, 10 * number, bytes((number,)))[0] for number in range(4)]
    assert contents(split(*begun)) == [(LONG[:64], Mark.TRUNCATED)] * 4
