"""Protected APDUs: glo- and ded- services, the general- envelopes, general-signing.

The outer structure is read here: header, ciphered text, authentication tag. Opening is left to the context's
`opener`: what it gives back becomes a byte source of its own, whose tree hangs below the ciphered text.
"""

from typing import Any

from cosemscope.apdu.context import CipheredPart, Envelope, KeyInfo, SignedPart
from cosemscope.apdu.cursor import AXDR, Cursor
from cosemscope.apdu.data.dates import read_optional_date_time
from cosemscope.apdu.fields import ByteSource, Field
from cosemscope.apdu.names import codes
from cosemscope.apdu.names.tags import APDU_TAGS, DED_SERVICES, GLO_SERVICES, apdu_name
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.services.parts import optional

CLAUSE = "IEC 62056-5-3, security header and protected xDLMS APDUs"
TAG_SIZE = 12

_KEY_CHOICES = {0: "identified-key", 1: "wrapped-key", 2: "agreed-key"}
_KEY_IDS = {0: "global-unicast-encryption-key", 1: "global-broadcast-encryption-key"}
_KEK_IDS = {0: "master-key"}
_SCHEMES = {
    1: "one-pass Diffie-Hellman C(1e, 1s)",
    2: "static unified model C(0e, 2s)",
}
_INNER = {**GLO_SERVICES, **DED_SERVICES}


def read_ciphered_service(c: Cursor) -> tuple[Any, str]:
    """A glo- or ded- service: its ciphered content after the tag."""
    tag = c.u8("tag", APDU_TAGS)
    return read_ciphered_content(c, tag, c.session.title, None)


def looks_ciphered(octets: bytes) -> bool:
    """Whether octets after a tag that nobody defined are the content of a ciphered service all the same."""
    if not octets:
        return False
    size, start = octets[0], 1
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(octets[1:start], "big")
    if start > 5 or size < 6 or size != len(octets) - start:
        return False
    control = octets[start]
    return control & 0x0F <= 2 and control & 0x30 != 0


def read_ciphered_content(
    c: Cursor, tag: int, title: bytes | None, envelope: Envelope | None
) -> tuple[Any, str]:
    """OCTET STRING of security control, invocation counter, ciphered text and authentication tag."""
    c.clause = CLAUSE
    c.open("ciphered-content")
    start = c.position
    size, left = c.count("length"), c.end - c.position
    stop = c.position + min(size, left)
    part_text = ""
    if size > left:
        sentence = f"length at offset {start} says {size} octets, {left} remain: the APDU is cut"
        c.problem(start, c.end, sentence, AXDR, item="truncated")

    def read(c: Cursor) -> None:
        nonlocal part_text
        if size > left:
            part_text = f"{_read_beginning(c)}: {size - left} octets are missing"
        else:
            part_text = _read_protected(c, tag, title, envelope)

    _, broken, _ = c.region(stop, read, "ciphered content")
    part_text = part_text or broken
    c.close(None, part_text)
    return None, part_text


def _read_protected(c: Cursor, tag: int, title: bytes | None, envelope: Envelope | None) -> str:
    control = c.u8("security-control", codes.SECURITY_TEXTS)
    text = codes.SECURITY_TEXTS[control]
    if control & 0x0F > 2:
        sentence = f"security suite {control & 0x0F}: only 0, 1 and 2 are defined"
        c.warn(c.position - 1, c.position, sentence, item="unknown-suite")
    if not control & 0x30:
        _read_unprotected(c, control)
        return text
    counter = c.uint("invocation-counter", 4)
    text += f", invocation counter {counter}"
    size = c.end - c.position
    tag_size = TAG_SIZE if control & 0x10 else 0
    if size < tag_size:
        c.problem(
            c.position,
            c.end,
            f"expected an authentication tag of {tag_size} octets at offset {c.position}, {size} remain",
            CLAUSE,
        )
        tag_size = 0
    begin, split = c.position, c.end - tag_size
    part = CipheredPart(tag, control, counter, c.data[begin:split], c.data[split : c.end], title, envelope)
    opener = c.session.context.opener
    opening = opener(part) if opener is not None else None
    if control & 0x20:
        _read_ciphered_text(c, part, split, opening)
    elif control & 0x80:
        c.leaf("compressed-text", split - begin, part.content, "compressed (V.44)")
    else:
        _read_plain_text(c, split)
    if tag_size:
        c.leaf("authentication-tag", tag_size)
    if opening is None:
        return text
    for sentence in opening.sentences:
        c.problem(begin, c.end, sentence, CLAUSE, opening.severity, opening.item)
    return f"{text}: {opening.verdict}"


def _read_beginning(c: Cursor) -> str:
    """What is there of ciphered content whose end is missing: nothing can be opened of it."""
    control = c.u8("security-control", codes.SECURITY_TEXTS)
    text = codes.SECURITY_TEXTS[control]
    counter, left = control & 0x30, c.end - c.position
    if counter and 0 < left < 4:
        c.leaf("invocation-counter", left, text=f"cut: {left} of 4 octets")
    elif counter and left:
        text += f", invocation counter {c.uint('invocation-counter', 4)}"
    if c.position < c.end:
        c.leaf("ciphered-text" if control & 0x20 else "text", c.end - c.position, text="cut")
    return text


def _read_unprotected(c: Cursor, control: int) -> None:
    """Content neither encrypted nor authenticated: some send the invocation counter with it, some not."""
    bare = c.position < c.end and c.data[c.position] in APDU_TAGS
    counted = c.position + 4 < c.end and c.data[c.position + 4] in APDU_TAGS
    if not bare or (counted and c.data[c.position] < 2):
        c.uint("invocation-counter", 4)
    if control & 0x80:
        c.leaf("compressed-text", c.end - c.position, text="compressed (V.44)")
    else:
        _read_plain_text(c, c.end)


def _read_plain_text(c: Cursor, stop: int) -> None:
    outer_end, c.end = c.end, stop
    c.nested_apdu()
    c.end = outer_end


def _read_ciphered_text(c: Cursor, part: CipheredPart, stop: int, opening: Opening | None) -> None:
    start = c.position
    fields: tuple[Field, ...] = ()
    words = f"{stop - start} octets, " + (opening.verdict if opening is not None else "ciphered")
    if opening is not None and opening.plaintext is not None:
        fields = _opened(c, part, opening)
    c.position = stop
    c.children.append(Field("ciphered-text", part.content, start, stop, fields, words, c.source))


def _opened(c: Cursor, part: CipheredPart, opening: Opening) -> tuple[Field, ...]:
    """The tree of a decrypted body, in a byte source of its own."""
    session, plain = c.session, opening.plaintext or b""
    session.sources.append(ByteSource("plain" if opening.verdict is Verdict.PLAIN else "decrypted", plain))
    session.expansion += 4 * len(plain)
    inner = Cursor(plain, session, len(session.sources) - 1)
    inner.clause = CLAUSE
    if opening.compressed:
        inner.leaf("compressed-text", len(plain), text="compressed (V.44), not undone")
        return tuple(inner.children)
    expected = _INNER.get(part.tag)
    if expected is not None and plain and plain[0] != expected:
        inner.warn(
            0,
            1,
            f"expected {apdu_name(expected)} inside {apdu_name(part.tag)}, found {apdu_name(plain[0])}",
            CLAUSE,
            "other-apdu-inside",
        )
    inner.nested_apdu()
    return tuple(inner.children)


# The general- envelopes.


def _title(c: Cursor, name: str) -> bytes:
    title = c.octets(name, title_text)
    if len(title) not in (0, 8):
        field = c.children[-1]
        c.warn(field.start, field.stop, f"{name}: expected 8 octets, found {len(title)}")
    return title


def _who(title: bytes) -> str:
    """A party of an envelope by its system title."""
    return title_text(title) if title else "no system title"


def read_general_ciphered(c: Cursor) -> tuple[Any, str]:
    """General-Glo-Ciphering and General-Ded-Ciphering: a system title, then the ciphered content."""
    tag = c.u8("tag", APDU_TAGS)
    title = _title(c, "system-title")
    _, text = read_ciphered_content(c, tag, title, None)
    return None, f"{_who(title)}, {text}"


def _read_envelope(c: Cursor) -> Envelope:
    start = c.position
    transaction = c.octets("transaction-id")
    originator = _title(c, "originator-system-title")
    recipient = _title(c, "recipient-system-title")
    moment = read_optional_date_time(c, "date-time")
    other = c.octets("other-information")
    return Envelope(transaction, originator, recipient, moment, other, c.data[start : c.position])


def _read_key_info(c: Cursor) -> tuple[KeyInfo, str]:
    choice = c.u8("choice", _KEY_CHOICES)
    if choice == 0:
        key = c.u8("key-id", _KEY_IDS)
        return KeyInfo(choice, key), _KEY_IDS.get(key, f"key {key}")
    if choice == 1:
        key = c.u8("kek-id", _KEK_IDS)
        return KeyInfo(
            choice, key, ciphered=c.octets("key-ciphered-data")
        ), "wrapped with the " + _KEK_IDS.get(key, f"key {key}")
    if choice != 2:
        raise c.unexpected("choice of key-info", choice, "0 to 2")
    parameters = c.octets("key-parameters", lambda value: _SCHEMES.get(int.from_bytes(value, "big"), ""))
    ciphered = c.octets("key-ciphered-data")
    scheme = _SCHEMES.get(int.from_bytes(parameters, "big"), parameters.hex())
    return KeyInfo(choice, 0, parameters, ciphered), f"agreed: {scheme}"


def read_general_ciphering(c: Cursor) -> tuple[Any, str]:
    """General-Ciphering: who to whom, how the key is come by, and the ciphered content."""
    tag = c.u8("tag", APDU_TAGS)
    envelope = _read_envelope(c)
    key_info = optional(c, "key-info", _read_key_info)
    envelope = envelope._replace(key_info=key_info)
    _, text = read_ciphered_content(c, tag, envelope.originator, envelope)
    return None, f"{_who(envelope.originator)} to {_who(envelope.recipient)}, {text}"


def read_general_signing(c: Cursor) -> tuple[Any, str]:
    """General-Signing: who to whom, an APDU, and its signature."""
    c.u8("tag", APDU_TAGS)
    start = c.position
    envelope = _read_envelope(c)
    c.open("content")
    size = c.length()
    begin, stop, outer_end = c.position, c.position + size, c.end
    c.end = stop
    c.session.title = envelope.originator
    c.nested_apdu()
    c.end = outer_end
    c.close(c.data[begin:stop], f"{size} octets")
    signed = c.data[start:stop]
    signature = c.octets("signature")
    text = f"{_who(envelope.originator)} to {_who(envelope.recipient)}"
    verifier = c.session.context.verifier
    if verifier is None:
        return None, text
    opening = verifier(SignedPart(envelope, c.data[begin:stop], signature, signed))
    field = c.children[-1]
    c.children[-1] = field._replace(text=f"{opening.verdict}: {field.text}")
    for sentence in opening.sentences:
        c.problem(field.start, field.stop, sentence, CLAUSE, opening.severity, opening.item)
    return None, f"{text}: {opening.verdict}"
