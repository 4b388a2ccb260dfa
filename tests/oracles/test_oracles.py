"""The decoder beside two others: where both agree on what an APDU says, ours must say it too.

One oracle alone proves nothing (each has known errors); what they disagree on is not counted. Facts are
compared by kind and in order: invoke-ids, references, values with their types, results, blocks, titles. At
the pinned versions there is nothing that both say and that is wrong.
"""

import json
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cosemscope.apdu.data.types import TYPES
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded, Field
from cosemscope.apdu.names.codes import DATA_ACCESS_RESULTS
from tests.helpers import apdu_encoder as encode
from tests.helpers.shared import shared

Ask = Callable[[str, Sequence[bytes]], list[dict[str, Any]]]
Decode = Callable[[bytes], Decoded]
Facts = dict[str, list[list[str]]]

#: Fields that are facts by their name alone: name -> kind.
_BY_NAME = {
    "invoke-id-and-priority": "invoke-id",
    "long-invoke-id-and-priority": "invoke-id",
    "class-id": "class-id",
    "instance-id": "instance",
    "attribute-id": "member",
    "method-id": "member",
    "block-number": "block-number",
    "last-block": "last-block",
    "raw-data": "raw-data",
    "variable-name": "variable-name",
    "proposed-dlms-version-number": "version",
    "negotiated-dlms-version-number": "version",
    "client-max-receive-pdu-size": "pdu-size",
    "server-max-receive-pdu-size": "pdu-size",
    "calling-AP-title": "title",
    "responding-AP-title": "title",
    "calling-authentication-value": "challenge",
    "responding-authentication-value": "challenge",
    "dedicated-key": "dedicated-key",
    "acse-service-user": "diagnostic",
    "acse-service-provider": "diagnostic",
}
#: The oracles' names of results.
_RESULTS = {
    "Success": 0,
    "HardwareFault": 1,
    "TemporaryFailure": 2,
    "ReadWriteDenied": 3,
    "UndefinedObject": 4,
    "InconsistentClass": 9,
    "UnavailableObject": 11,
    "UnmatchedType": 12,
    "AccessViolated": 13,
    "DataBlockUnavailable": 14,
    "LongGetOrReadAborted": 15,
    "NoLongGetOrReadInProgress": 16,
    "LongSetOrWriteAborted": 17,
    "NoLongSetOrWriteInProgress": 18,
    "DataBlockNumberInvalid": 19,
    "OtherReason": 250,
}
_KINDS = (*dict.fromkeys(_BY_NAME.values()), "data", "result")


def facts(apdu: bytes, decode: Decode) -> Facts:
    """What our tree of an APDU says, in the oracles' words."""
    found: Facts = {}
    pending = [decode(apdu).root]
    while pending:
        field = pending.pop()
        told = list(_fact(field))
        for kind, values in told:
            found.setdefault(kind, []).append(values)
        if ("data", ["compact-array", ""]) not in told:
            pending.extend(reversed(field.children))
    return found


def _fact(field: Field) -> Iterator[tuple[str, list[str]]]:
    tag = field.children[0] if field.children else None
    is_data = tag is not None and tag.name == "tag" and TYPES.get(tag.value) == tag.text
    kind = None if is_data else _BY_NAME.get(field.name)
    if kind is not None:
        value = field.value
        if kind == "member" and isinstance(value, int):
            value &= 0xFF
        yield kind, [value.hex() if isinstance(value, bytes) else str(int(value or 0))]
    if is_data and tag is not None:
        yield "data", _value(tag.text, field.value)
    elif not field.children and DATA_ACCESS_RESULTS.get(_number(field.value), "") == field.text != "":
        yield "result", [str(field.value)]


def _number(value: Any) -> int:
    return value if type(value) is int else -1


_WIDTHS = {
    "double-long": 4,
    "double-long-unsigned": 4,
    "integer": 1,
    "long": 2,
    "unsigned": 1,
    "long-unsigned": 2,
    "long64": 8,
    "long64-unsigned": 8,
    "enum": 1,
}


def _value(kind: str, value: Any) -> list[str]:
    if kind in ("array", "structure"):
        return [kind, str(len(value))]
    if kind == "compact-array":
        return [kind, ""]
    if kind in _WIDTHS:
        width = _WIDTHS[kind]
        return [kind, f"{value & (1 << 8 * width) - 1:0{2 * width}x}"]
    if kind in ("float32", "float64"):
        return [kind, struct.pack(">f" if kind == "float32" else ">d", value).hex()]
    if kind == "boolean":
        return [kind, "true" if value else "false"]
    return [kind, "" if value is None else value.hex() if isinstance(value, bytes) else str(value)]


def _in_numbers(found: Facts) -> Facts:
    """Results of the oracles by their numbers."""
    results = [[str(_RESULTS.get(value, value)) for value in one] for one in found.get("result", [])]
    return {**found, "result": results}


def _judge(apdus: Sequence[bytes], ask: Ask, decode: Decode = decode_apdu) -> tuple[list[str], Counter[str]]:
    """The disagreements of ours with both oracles, and how many facts of each kind both agreed on."""
    answers = [ask(oracle, apdus) for oracle in ("pydlms", "gurux")]
    wrong, agreed = [], Counter[str]()
    for apdu, one, other in zip(apdus, *answers, strict=True):
        if "error" in one or "error" in other:
            continue
        ours, first, second = facts(apdu, decode), _in_numbers(one["facts"]), _in_numbers(other["facts"])
        for kind in _KINDS:
            said = first.get(kind, [])
            if not said or said != second.get(kind, []):
                continue
            agreed[kind] += len(said)
            if ours.get(kind, []) != said:
                wrong.append(f"{apdu.hex()}: {kind} {ours.get(kind)}, both oracles say {said}")
    return wrong, agreed


def test_vectors(ask: Ask) -> None:
    """Every vector in clear, and the plaintexts of those that are ciphered."""
    vectors = map(json.loads, shared("vectors/apdu.jsonl").read_text(encoding="utf-8").splitlines())
    apdus = [bytes.fromhex(one.get("plain") or one["hex"]) for one in vectors if one["layer"] == "apdu"]
    wrong, agreed = _judge(apdus, ask)
    assert not wrong, "\n".join(wrong)
    assert agreed["data"] > 300, agreed
    assert agreed["instance"] > 15, agreed
    assert agreed["result"] > 5, agreed


def test_generated_apdus(ask: Ask) -> None:
    """APDUs of the test-side encoder with random references, values and results."""
    source = random.Random(62056)
    apdus = [_random_apdu(source) for _ in range(600)]
    wrong, agreed = _judge(apdus, ask)
    assert not wrong, "\n".join(wrong[:20])
    assert agreed["data"] > 500, agreed
    assert agreed["invoke-id"] > 300, agreed
    assert agreed["instance"] > 100, agreed


def test_generated_apdus_of_rarer_kinds(ask: Ask) -> None:
    """Short names, ACCESS, blocks, selections, events, errors and associations, with random contents."""
    source = random.Random(1361)
    apdus = [_random_short_name(source) for _ in range(200)] + [_rarer_apdu(source) for _ in range(500)]
    wrong, agreed = _judge(apdus, ask)
    assert not wrong, "\n".join(wrong[:20])
    for kind, least in {"data": 300, "variable-name": 100, "block-number": 100, "result": 100}.items():
        assert agreed[kind] > least, agreed


def test_a_wrong_decoder_would_be_found(ask: Ask) -> None:
    """The comparison is not blind: with one fact changed it fails."""
    apdu = encode.get_response(("double-long-unsigned", 5009))
    wrong, _ = _judge([apdu], ask, lambda octets: decode_apdu(octets[:-1] + b"\x92"))
    assert len(wrong) == 1
    assert "data" in wrong[0]


# Random APDUs, of what both oracles can read.

_SCALARS = ("null-data", "boolean", "octet-string", "visible-string", "bit-string", "float32", "float64")
_TYPES = (*_SCALARS, *_WIDTHS, "array", "structure")


def _random_value(source: random.Random, depth: int = 0) -> encode.Typed:
    kind = source.choice(_TYPES[: -2 if depth > 2 else None])
    if kind in ("array", "structure"):
        return kind, [_random_value(source, depth + 1) for _ in range(source.randrange(1, 5))]
    if kind in _WIDTHS:
        width = 8 * _WIDTHS[kind]
        signed = kind in ("double-long", "integer", "long", "long64")
        return kind, source.randrange(1 << width) - (1 << width - 1 if signed else 0)
    values: dict[str, Any] = {
        "null-data": None,
        "boolean": source.random() < 0.5,
        "octet-string": source.randbytes(source.randrange(1, 40)),
        "visible-string": "".join(source.choices("ABCdef0123456789_-", k=source.randrange(1, 20))),
        "bit-string": "".join(source.choices("01", k=source.choice((8, 16, 24)))),
        "float32": float(source.randrange(1, 10**6)) / 4,
        "float64": float(source.randrange(1, 10**9)) / 8,
    }
    return kind, values[kind]


def _random_apdu(source: random.Random) -> bytes:
    invoke = 0xC0 | source.randrange(16)
    reference = (
        source.choice((1, 3, 4, 5, 7, 8)),
        bytes([source.randrange(2), 0, source.randrange(100), source.randrange(100), 0, 255]),
        source.randrange(1, 20),
    )
    value = _random_value(source)
    code = source.choice((1, 2, 3, 4, 9, 11, 12, 13, 250))
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: encode.get_request(reference, invoke=invoke),
        lambda: encode.get_request_list([(reference, None)] * source.randrange(1, 4), invoke),
        lambda: encode.get_response(value, invoke),
        lambda: encode.get_response(value, invoke),
        lambda: encode.get_response(code, invoke),
        lambda: encode.get_response_list([value, _random_value(source)], invoke),
        lambda: encode.get_response_block(False, source.randrange(1, 99), source.randbytes(30), invoke),
        lambda: encode.set_request(reference, value, invoke=invoke),
        lambda: encode.action_request(reference, value, invoke),
        lambda: encode.action_response(0, value, invoke),
        lambda: encode.data_notification(value, b"", source.randrange(1 << 24)),
    )
    return source.choice(makers)()


def _random_short_name(source: random.Random) -> bytes:
    """A service with short names of up to three variables."""
    many = range(source.randrange(1, 4))
    names = [b"\x02" + source.randbytes(2) for _ in many]
    values = [encode.data(_random_value(source)) for _ in many]
    fails = [source.random() < 0.3 for _ in many]
    code = bytes([source.choice((1, 3, 4, 250))])
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: b"\x05" + encode.sequence(names),
        lambda: b"\x05" + encode.sequence([b"\x04" + names[0][1:] + b"\x03" + values[0]]),
        lambda: source.choice((b"\x06", b"\x16")) + encode.sequence(names) + encode.sequence(values),
        lambda: b"\x0c" + encode.sequence([b"\1" + code if fail else b"\0" + values[0] for fail in fails]),
        lambda: b"\x0d" + encode.sequence([b"\1" + code if fail else b"\0" for fail in fails]),
    )
    return source.choice(makers)()


def _rarer_apdu(source: random.Random) -> bytes:
    """An APDU with logical names of the kinds that are seldom seen."""
    invoke = bytes([0xC0 | source.randrange(16)])
    reference = (source.choice((1, 3, 7, 8, 15, 70)), bytes([0, 0, *source.randbytes(3), 255]), 2)
    descriptor = encode.descriptor(*reference)
    value, other = _random_value(source), _random_value(source)
    code = source.choice((1, 2, 3, 4, 9, 11, 12, 13, 250))
    number = source.randrange(1, 99)
    part = encode.block(source.random() < 0.5, number, source.randbytes(20))
    null: encode.Typed = ("null-data", None)
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: bytes([0xD8, source.randrange(1, 3), source.randrange(1, 6)]),
        lambda: bytes([0x0E, source.choice((1, 5, 6)), source.randrange(8), source.randrange(4)]),
        lambda: encode.event_notification(reference, value),
        lambda: encode.access_request([(1, reference, b""), (2, reference, b"")], [null, value]),
        lambda: encode.access_response([value, null], [(1, 0), (2, code)]),
        lambda: encode.action_response(code, None, invoke[0]),
        lambda: b"\xc5\x01" + invoke + bytes([code]),
        lambda: b"\xc5\x02" + invoke + number.to_bytes(4, "big"),
        lambda: b"\xc5\x03" + invoke + bytes([code]) + number.to_bytes(4, "big"),
        lambda: b"\xc5\x05" + invoke + encode.sequence([bytes([code]), b"\0"]),
        lambda: b"\xc0\x02" + invoke + number.to_bytes(4, "big"),
        lambda: b"\xc3\x02" + invoke + number.to_bytes(4, "big"),
        lambda: b"\xc1\x02" + invoke + descriptor + b"\0" + part,
        lambda: b"\xc1\x03" + invoke + part,
        lambda: (
            b"\xc1\x04"
            + invoke
            + encode.sequence([descriptor + b"\0"] * 2)
            + encode.sequence([encode.data(value), encode.data(other)])
        ),
        lambda: b"\xc3\x06" + invoke + part,
        lambda: b"\xc7\x02" + invoke + part,
        lambda: encode.get_request(reference, encode.selection(3, value), invoke[0]),
        lambda: encode.aarq(context=source.randrange(1, 5), user_information=encode.initiate_request()),
        lambda: encode.block_transfer(False, number, source.randbytes(20)),
    )
    return source.choice(makers)()
