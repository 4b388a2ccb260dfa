"""An oracle's time, measured in its own process: `timing.py NAME ROUNDS` reads a job from standard input.

The job is {"sets": {name: [APDU, ...]}, "plain": {name: [plaintext, ...]}, "title", "encryption",
"authentication"}, octets in hex; a set that has plaintexts is ciphered. The answer is {name: {way:
microseconds an APDU}}. Ways: "values" (the APDU as the oracle's own objects), "tree" (all that stands in it,
as XML), "open" (deciphered, the tag checked). A way that cannot read the whole of a set is left out. Only the
calls are timed: warm, the best of the rounds, logging off.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Keys(NamedTuple):
    """With what the ciphered APDUs are opened: the sender's title, and two keys."""

    title: bytes
    encryption: bytes
    authentication: bytes


#: A way to read APDUs: its name, and the call that is timed.
Way = tuple[str, Callable[[bytes], object]]


def pydlms(keys: Keys) -> Iterator[Way]:
    """The ways of pydlms-client; its tree is an element tree, not yet written as text."""
    from pydlms.apdu.acse import decode_acse
    from pydlms.apdu.xdlms import decode_apdu
    from pydlms.apduxml import XmlWriter
    from pydlms.security.ciphering import unwrap
    from pydlms.security.context import SecurityContext

    acse = frozenset((0x60, 0x61, 0x62, 0x63))
    context = SecurityContext(
        keys.encryption, keys.authentication, server_system_title=keys.title, replay_protection=False
    )
    yield "values", lambda apdu: decode_acse(apdu) if apdu[0] in acse else decode_apdu(apdu)
    yield "tree", XmlWriter(secrets=True).apdu
    yield "open", lambda apdu: unwrap(context, apdu).plaintext


def gurux(keys: Keys) -> Iterator[Way]:
    """The ways of gurux-dlms; its values are those of responses only, its tree is text."""
    from gurux_dlms import GXByteBuffer, GXDLMSChippering, GXDLMSTranslator, GXReplyData
    from gurux_dlms.AesGcmParameter import AesGcmParameter
    from gurux_dlms.enums.TranslatorOutputType import TranslatorOutputType
    from gurux_dlms.GXCiphering import GXCiphering
    from gurux_dlms.GXDLMS import GXDLMS
    from gurux_dlms.GXDLMSSettings import GXDLMSSettings

    # It prints while it deciphers, which is not to count.
    sys.modules[GXDLMSChippering.__module__].print = lambda *words: None
    settings = GXDLMSSettings(False, None)
    settings.cipher = GXCiphering(keys.title)
    translator = GXDLMSTranslator(TranslatorOutputType.SIMPLE_XML)
    translator.comments = False

    def value(apdu: bytes) -> object:
        reply = GXReplyData()
        reply.data = GXByteBuffer(apdu)
        GXDLMS.getPdu(settings, reply)
        if reply.value is None:
            raise ValueError("nothing was read")
        return reply.value

    def opened(apdu: bytes) -> bytes:
        secrets = bytearray(keys.encryption), bytearray(keys.authentication)
        given = AesGcmParameter(0, bytearray(keys.title), *secrets)
        return bytes(GXCiphering.decrypt(settings, given, GXByteBuffer(apdu)))

    yield "values", value
    yield "tree", lambda apdu: translator.pduToXml(GXByteBuffer(apdu))
    yield "open", opened


ORACLES: dict[str, Callable[[Keys], Iterator[Way]]] = {"pydlms": pydlms, "gurux": gurux}


def reads(call: Callable[[bytes], object], apdus: list[bytes], plain: list[bytes]) -> bool:
    """Whether the call reads all of them; of ciphered ones, whether it finds their plaintexts."""
    try:
        found = [call(apdu) for apdu in apdus]
    except Exception:
        return False
    return not plain or found == plain


def microseconds(call: Callable[[bytes], object], apdus: list[bytes], rounds: int) -> float:
    """The shortest time of so many rounds, an APDU's share of it."""
    shortest = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for apdu in apdus:
            call(apdu)
        shortest = min(shortest, time.perf_counter() - began)
    return shortest / len(apdus) * 1e6


def main() -> None:
    """Measure each way on each set that it can read."""
    oracle, rounds = sys.argv[1], int(sys.argv[2])
    logging.disable(logging.CRITICAL)
    job: dict[str, Any] = json.load(sys.stdin)
    keys = Keys(*(bytes.fromhex(job[name]) for name in Keys._fields))
    found: dict[str, dict[str, float]] = {name: {} for name in job["sets"]}
    for way, call in ORACLES[oracle](keys):
        for name, texts in job["sets"].items():
            apdus, plain = (
                list(map(bytes.fromhex, texts)),
                list(map(bytes.fromhex, job["plain"].get(name, []))),
            )
            if (way == "open") == bool(plain) and reads(call, apdus, plain):
                found[name][way] = microseconds(call, apdus, rounds)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
