"""APDUs and HDLC frames: no exception, every octet in one leaf, a bounded tree, whatever is known besides."""

import struct
from collections.abc import Callable, Sequence
from functools import cache

from cosemscope.analysis.associations.association import Association
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.context import CipheredPart, Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.framed import decode_octets, decode_wpdu
from cosemscope.apdu.hdlc.hdlc_frames import HdlcDecoder, HdlcEvent
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.plain import plain_tree
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from tests.apdu.hdlc_encoder import COMMAND, GET, RESPONSE, frame, i_control
from tests.fuzz.apdu_seeds import AUTHENTICATION, KEY, corpus, protected
from tests.fuzz.target import Target
from tests.helpers.apdu_checks import check_tree

_KEYS = KeyTable([KeyEntry(KeySet("the key", encryption=KEY, authentication=AUTHENTICATION, master=KEY))])
_PLAIN = bytes.fromhex("c401c100090c07ea04040604042b00fe9801")


def _opened(part: CipheredPart) -> Opening:
    return Opening(Verdict.OPENED, _PLAIN[part.invocation_counter % len(_PLAIN) :], notes=("tried",))


def _contexts() -> list[Context | None]:
    references = tuple(Reference(kind, bytes.fromhex("0100010800ff"), 2) for kind in (3, 7, 8, 20))
    return [
        None,
        Context(opener=_opened),
        Context(request=Request(references, with_list=True), scaler_unit=lambda reference: (-1, 30)),
        Context(request=Request(references[1:2]), joined=_PLAIN),
        Context(brief=True),
    ]


_CONTEXTS = _contexts()
_HEAD = struct.Struct(">H")
_DECODERS: tuple[Callable[[bytes, Context | None], Decoded], ...] = (decode_apdu, decode_wpdu, decode_octets)


def _check(decoded: Decoded, octets: bytes, context: Context | None) -> None:
    check_tree(decoded, octets)
    plain_tree(decoded)
    assert len(summarise(decoded, context)) <= MAX_LENGTH


def take_apdu(octets: bytes) -> None:
    """An APDU or WPDU, by itself and in a context; the first octet chooses both."""
    choice, octets = octets[:1] or b"\0", octets[1:]
    context = _CONTEXTS[choice[0] // len(_DECODERS) % len(_CONTEXTS)]
    _check(_DECODERS[choice[0] % len(_DECODERS)](octets, context), octets, context)


def take_association(octets: bytes) -> None:
    """APDUs of both sides in one association that has keys, each behind its side and its length."""
    association = Association(_KEYS)
    at = 0
    while at + _HEAD.size < len(octets):
        (head,) = _HEAD.unpack_from(octets, at)
        start = at + _HEAD.size
        at = start + (head & 0x7FF)
        apdu = octets[start:at]
        look = advance(association, apdu, head >> 15)
        _check(decode_apdu(apdu, look.context), apdu, look.context)


def in_association(apdus: Sequence[tuple[int, bytes]]) -> bytes:
    """The input of `take_association` that has these APDUs, each with its side."""
    return b"".join(_HEAD.pack(side << 15 | len(apdu)) + apdu for side, apdu in apdus)


def take_hdlc(octets: bytes) -> None:
    """HDLC frames; in two pieces, cut where the first octet says, they are what they are in one."""
    cut, octets = (octets[:1] or b"\0")[0], octets[1:]
    decoded = decode_hdlc(octets)
    _check(decoded, octets, None)
    cut = cut * len(octets) // 255
    assert _events(octets) == _events(octets[:cut], octets[cut:])


def _events(*pieces: bytes) -> list[HdlcEvent]:
    decoder = HdlcDecoder()
    for piece in pieces:
        decoder.feed(piece)
    return decoder.close()


@cache
def _apdus() -> list[bytes]:
    return corpus() + protected()


def _hdlc_seeds() -> list[bytes]:
    plain, long = _PLAIN, bytes.fromhex("c4024100000000010081") + bytes([120]) + bytes(range(120))
    segmented = frame(0x30, RESPONSE + long[:60], segmented=True) + frame(0x32, long[60:])
    whole = frame(i_control(0), COMMAND + GET)
    found = [
        whole * 3,
        frame(0x93) + frame(0x73, bytes.fromhex("8180140502008006020080070400000001080400000001")),
        frame(0x30, RESPONSE + plain) + b"\x7e" + frame(0x1F),
        segmented,
        whole[:-3] + b"\0\0\x7e" + whole,
        whole[1:-1],
    ]
    return [b"\x80" + octets for octets in found]


APDU = Target(
    "apdu", take_apdu, lambda: [bytes([n % 15]) + apdu for n, apdu in enumerate(_apdus())], 6_000, 120
)
ASSOCIATION = Target(
    "association",
    take_association,
    lambda: [in_association([(n & 1, apdu) for n, apdu in enumerate(protected())])],
    8_000,
    200,
)
HDLC = Target("hdlc", take_hdlc, _hdlc_seeds, 6_000, 250)
