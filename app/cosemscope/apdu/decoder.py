"""From octets to the tree: which reader an APDU's first octet calls for, and what may stand before an APDU.

`decode_apdu` never raises: what cannot be read becomes a problem and an `undecoded` field.
"""

from typing import Any

from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import MAX_LAYERS, Cursor, Reader, Session
from cosemscope.apdu.fields import ByteSource, Decoded, Field
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.text_marks import TELEGRAM, is_telegram, is_text
from cosemscope.apdu.services import acse, ciphering, initiate, logical_names, prime_messages, short_names
from cosemscope.apdu.services.parts import raw_data
from cosemscope.apdu.telegram_text import CLAUSE as TEXT_CLAUSE
from cosemscope.apdu.telegram_text import read_text

CLAUSE = "IEC 62056-5-3, abstract syntax of COSEM APDUs"
_ACSE = "IEC 62056-5-3, abstract syntax of ACSE APDUs"
# The greatest type of a PRIME message, which may stand in the place of an APDU.
_PRIME_MOST = 6
_LAST, _STREAMING, _WINDOW = 0x80, 0x40, 0x3F


def decode_apdu(octets: bytes, context: Context | None = None, *, source_name: str = "APDU") -> Decoded:
    """The tree of one APDU; the leaves of source 0 tile `octets`, whatever they hold."""
    sources = [ByteSource(source_name, octets)]
    session = Session(context or NO_CONTEXT, sources, read_apdu)
    cursor = Cursor(octets, session)
    cursor.clause = CLAUSE
    read_apdu(cursor)
    return Decoded(cursor.children[0], tuple(session.problems), tuple(sources))


def read_apdu(c: Cursor) -> None:
    """One APDU from the current octet to the end of the cursor: one field, named as the APDU is."""
    start = c.position
    if start >= c.end:
        c.problem(start, start, f"expected an APDU at offset {start}, found no octets")
        c.children.append(Field("no APDU", None, start, start, (), "", c.source))
        return
    entry = _READERS.get(c.data[start])
    if c.data[start] <= _PRIME_MOST and (name := prime_messages.prime_name(c.data[start : c.end])):
        entry = name, prime_messages.CLAUSE, prime_messages.read_prime_message
    if c.session.layers >= MAX_LAYERS:
        c.problem(start, c.end, f"expected at most {MAX_LAYERS} APDUs inside one another")
        c.leaf("undecoded", c.end - start)
        return
    if entry is None and _holds_text(c):
        outer, c.clause = c.clause, TEXT_CLAUSE
        c.enclosed(TELEGRAM, c.end, read_text)
        c.clause = outer
        return
    if entry is None:
        c.enclosed(t.apdu_name(c.data[start]), c.end, _read_unknown, what="APDU")
        return
    name, clause, read = entry
    if c.data[start : start + 3] in _LLC and c.end > start + 3 and c.data[start + 3] in _READERS:
        name, read = "LLC", _read_llc
    outer, c.clause = c.clause, clause
    c.enclosed(name, c.end, read, what="APDU")
    c.clause = outer


def _holds_text(c: Cursor) -> bool:
    """Whether a telegram stands in the place of an APDU, or, where it was deciphered, any text."""
    octets = c.data[c.position : c.end]
    return is_telegram(octets) or (c.source > 0 and is_text(octets))


#: What begins so is of other protocols of meters.
_FOREIGN = (
    (b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", "SML (Smart Message Language)"),
    (b"\x76\x05", "SML (Smart Message Language), behind its escape sequence"),
    (b"/", "texts of IEC 62056-21 and P1"),
)


def _read_unknown(c: Cursor) -> tuple[Any, str]:
    """An APDU with a tag nobody defined; one that is ciphered all the same is taken apart."""
    start = c.position
    tag = c.u8("tag")
    sentence = f"expected the tag of an APDU at offset {start}, found 0x{tag:02X}"
    foreign = next((name for mark, name in _FOREIGN if c.data[start : c.end].startswith(mark)), "")
    sentence += f": octets begin so in {foreign}" if foreign else ""
    c.problem(start, start + 1, sentence, CLAUSE, item="unknown-tag")
    if ciphering.looks_ciphered(c.data[c.position : c.end]):
        c.warn(c.position, c.end, "after the unknown tag stands the content of a ciphered service")
        return ciphering.read_ciphered_content(c, tag, c.session.title, None)
    if c.position < c.end:
        c.leaf("undecoded", c.end - c.position)
    return None, "not an APDU that is known"


_LLC = {b"\xe6\xe6\x00": "command", b"\xe6\xe7\x00": "response"}


def _read_llc(c: Cursor) -> tuple[Any, str]:
    """The three octets of HDLC's link control that some leave before the APDU."""
    start = c.position
    c.leaf("destination-LSAP", 1)
    c.leaf("source-LSAP", 1, text=_LLC.get(c.data[start : start + 3], ""))
    c.leaf("quality", 1)
    c.warn(start, start + 3, "LLC octets of HDLC stand before the APDU", "IEC 62056-46, LLC sublayer")
    return _read_next(c)


def _read_gateway(c: Cursor) -> tuple[Any, str]:
    """The gateway prefix: a network and a device behind the gateway; then the APDU."""
    c.u8("tag", t.APDU_TAGS)
    network = c.u8("network-id")
    device = c.octets("physical-device-address")
    _, text = _read_next(c)
    return None, f"network {network}, device {device.hex() or 'without address'}, {text}"


def _read_next(c: Cursor) -> tuple[Any, str]:
    inner = c.nested_apdu()
    return None, f"{inner.name}: {inner.text}" if inner.text else inner.name


def _control_text(control: int) -> str:
    words = ["last block"] if control & _LAST else []
    words += ["streaming"] if control & _STREAMING else []
    return ", ".join([*words, f"window {control & _WINDOW}"])


_CONTROL_TEXTS = {control: _control_text(control) for control in range(256)}


def _read_whole(c: Cursor) -> None:
    c.nested_apdu()


def _read_block_transfer(c: Cursor) -> tuple[Any, str]:
    """General-Block-Transfer: one block of an APDU; decoded where it is whole, or the caller joined it."""
    c.u8("tag", t.APDU_TAGS)
    control = c.u8("block-control", _CONTROL_TEXTS)
    number = c.uint("block-number", 2)
    acknowledged = c.uint("block-number-ack", 2)
    last = bool(control & _LAST)
    raw_data(c, "block-data", last and number == 1, last, (_read_whole,))
    data = c.children[-1]
    words = (
        f"block {number}{' (last)' if last else ''}, acknowledges {acknowledged}, {len(data.value)} octets"
    )
    if number == 1 and not last and data.value:
        words += f", begins {t.apdu_name(data.value[0])}"
    return number, words


def _clause(name: str) -> str:
    return f"IEC 62056-5-3, abstract syntax of {name}"


def _table() -> dict[int, tuple[str, str, Reader]]:
    """First octet -> (name, clause, reader)."""
    readers: dict[int, Reader] = {
        t.INITIATE_REQUEST: initiate.read_initiate_request,
        0x05: short_names.read_read_request,
        0x06: short_names.read_write_request,
        t.INITIATE_RESPONSE: initiate.read_initiate_response,
        0x0C: short_names.read_read_response,
        0x0D: short_names.read_write_response,
        t.CONFIRMED_SERVICE_ERROR: initiate.read_confirmed_service_error,
        t.DATA_NOTIFICATION: logical_names.read_data_notification,
        t.DATA_NOTIFICATION_CONFIRM: logical_names.read_data_notification_confirm,
        0x16: short_names.read_write_request,
        0x18: short_names.read_information_report,
        t.GET_REQUEST: logical_names.GET_REQUEST.read,
        t.SET_REQUEST: logical_names.SET_REQUEST.read,
        t.EVENT_NOTIFICATION: logical_names.read_event_notification,
        t.ACTION_REQUEST: logical_names.ACTION_REQUEST.read,
        t.GET_RESPONSE: logical_names.GET_RESPONSE.read,
        t.SET_RESPONSE: logical_names.SET_RESPONSE.read,
        t.ACTION_RESPONSE: logical_names.ACTION_RESPONSE.read,
        t.EXCEPTION_RESPONSE: logical_names.read_exception_response,
        t.ACCESS_REQUEST: logical_names.read_access_request,
        t.ACCESS_RESPONSE: logical_names.read_access_response,
        t.GENERAL_GLO: ciphering.read_general_ciphered,
        t.GENERAL_DED: ciphering.read_general_ciphered,
        t.GENERAL_CIPHERING: ciphering.read_general_ciphering,
        t.GENERAL_SIGNING: ciphering.read_general_signing,
        t.GENERAL_BLOCK_TRANSFER: _read_block_transfer,
        t.GATEWAY_REQUEST: _read_gateway,
        t.GATEWAY_RESPONSE: _read_gateway,
    }
    readers |= dict.fromkeys((*t.GLO_SERVICES, *t.DED_SERVICES), ciphering.read_ciphered_service)
    table = {tag: (t.APDU_TAGS[tag], _clause(t.APDU_TAGS[tag]), read) for tag, read in readers.items()}
    acse_apdus = (t.AARQ, t.AARE, t.RLRQ, t.RLRE, t.ABRT)
    return table | {tag: (t.APDU_TAGS[tag], _ACSE, acse.read_acse) for tag in acse_apdus}


_READERS = _table()
