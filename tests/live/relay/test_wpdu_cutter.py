"""However a stream comes in pieces, the same octets go on in their order; whole WPDUs are cut while asked."""

from hypothesis import given
from hypothesis import strategies as st

from cosemscope.live.relay.wpdu_cutter import CutPiece, WpduCutter
from cosemscope.transport.wpdu import Wpdu
from tests.live.relay.relays import GET, SET

WPDUS = st.lists(st.binary(max_size=40).map(lambda apdu: Wpdu(16, 1, apdu).encode()), max_size=8)


def chunks(octets: bytes, sizes: list[int]) -> list[bytes]:
    """The octets in pieces of these sizes, and then the rest."""
    found, at = [], 0
    for size in sizes:
        found.append(octets[at : at + size])
        at += size
    return [piece for piece in (*found, octets[at:]) if piece]


def joined(pieces: list[CutPiece]) -> bytes:
    return b"".join(piece.octets for piece in pieces)


@given(WPDUS, st.binary(max_size=20), st.lists(st.integers(1, 60), max_size=12), st.lists(st.booleans()))
def test_nothing_is_lost_or_moved(
    wpdus: list[bytes], rest: bytes, sizes: list[int], asked: list[bool]
) -> None:
    """Whenever breakpoints come and go, and whatever stands behind the WPDUs."""
    octets = b"".join(wpdus) + rest
    cutter = WpduCutter()
    out: list[CutPiece] = []
    for number, piece in enumerate(chunks(octets, sizes)):
        cutting = asked[number % len(asked)] if asked else True
        out += cutter.take(piece, cutting=cutting)
        if not cutting:
            assert cutter.kept == 0
    assert joined(out) + cutter.give_up() == octets
    for each in out:
        assert not each.whole or int.from_bytes(each.octets[6:8], "big") == len(each.octets) - 8


@given(WPDUS, st.lists(st.integers(1, 60), max_size=12))
def test_while_cutting_each_wpdu_is_a_piece(wpdus: list[bytes], sizes: list[int]) -> None:
    """Exactly them, in their order, and nothing is kept behind the last."""
    cutter = WpduCutter()
    out = [one for piece in chunks(b"".join(wpdus), sizes) for one in cutter.take(piece, cutting=True)]
    assert out == [CutPiece(wpdu, True) for wpdu in wpdus]
    assert cutter.kept == 0


@given(st.integers(1, len(GET) - 1))
def test_a_breakpoint_set_within_a_wpdu_begins_with_the_next(place: int) -> None:
    """What has begun to go by goes by; header or data, whole or in octets."""
    cutter = WpduCutter()
    cutter.take(GET[:place], cutting=False)
    out = [one for octet in GET[place:] + SET for one in cutter.take(bytes((octet,)), cutting=True)]
    assert joined(out) == GET[place:] + SET
    assert [piece for piece in out if piece.whole] == [CutPiece(SET, True)]


def test_what_is_no_wrapper_is_never_cut() -> None:
    """From the first octets that are none on, whether they pass or are cut, and also in a header begun."""
    for first in (True, False):
        cutter = WpduCutter()
        hdlc = bytes.fromhex("7ea00a0002002303931b7e")
        assert cutter.take(hdlc, cutting=first) == [CutPiece(hdlc, False)]
        assert cutter.foreign
        assert cutter.take(GET, cutting=True) == [CutPiece(GET, False)]
    cutter = WpduCutter()
    assert joined(cutter.take(b"\x00", cutting=False)) == b"\x00"
    assert joined(cutter.take(b"\x07" + GET, cutting=True)) == b"\x07" + GET
    assert cutter.foreign


def test_a_wpdu_that_comes_octet_by_octet_costs_no_copies() -> None:
    """The longest one is kept as it comes and given out once."""
    wpdu = Wpdu(16, 1, bytes(65535)).encode()
    cutter = WpduCutter()
    out = [one for octet in wpdu for one in cutter.take(bytes((octet,)), cutting=True)]
    assert out == [CutPiece(wpdu, True)]
