"""The first look gives, for a batch, what the trees say one by one."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.first_look import (
    FIRST_LOOK_FIELDS,
    WIDTH,
    ApduKind,
    FirstLook,
    look,
    look_at,
    nothing_seen,
)
from cosemscope.apdu.names.tags import APDU_TAGS
from tests.apdu.strategies import CODES, REFERENCES, VALUES
from tests.fuzz.apdu_seeds import corpus
from tests.helpers import apdu_encoder as encode
from tests.helpers.shared import shared


def looked_at(apdus: list[bytes], behind: bytes = b"") -> FirstLook:
    """The first look at APDUs; in the octets gathered for it, `behind` stands behind each."""
    heads = np.frombuffer(b"".join((apdu + behind).ljust(WIDTH, b"\0")[:WIDTH] for apdu in apdus), np.uint8)
    found = nothing_seen(len(apdus))
    look_at(heads.reshape(-1, WIDTH), np.array([len(apdu) for apdu in apdus]), found)
    return found


def _value(field: Field | None, none: int = -1) -> int:
    return none if field is None or not isinstance(field.value, int) else int(field.value)


def _of_tree(octets: bytes) -> dict[str, int]:
    """What the columns should be, by the tree of an APDU that decodes without errors."""
    decoded = decode_apdu(octets)
    root = decoded.root
    expected: dict[str, int] = {}
    while root.name.startswith("gateway-"):
        root = root.children[-1]
    expected["service"] = decoded.sources[0].data[root.start]
    expected["choice"] = _value(find(root, "choice"))
    invoke = find(root, "invoke-id-and-priority")
    long_invoke = find(root, "long-invoke-id-and-priority")
    expected["invoke_id"] = (
        invoke.value & 15 if invoke else long_invoke.value & 0xFFFFFF if long_invoke else -1
    )
    reference = None
    for path in (
        ("attribute-descriptor",),
        ("method-descriptor",),
        ("attribute-descriptor-list", "[1]", "attribute-descriptor"),
        ("method-descriptor-list", "[1]"),
        ("access-request-specification", "[1]", "attribute-descriptor"),
        ("access-request-specification", "[1]", "method-descriptor"),
    ):
        field = find(root, *path)
        if field is not None and root.name != "access-response":
            reference = field.value
    specification = find(root, "access-request-specification", "[1]", "choice")
    if specification is not None and root.name == "access-request":
        expected["choice"] = specification.value
    expected["class_id"] = reference.class_id if reference else -1
    expected["obis"] = int.from_bytes(reference.instance, "big") if reference else 0
    expected["member"] = reference.member if reference else -1
    expected |= _outcome_of_tree(root)
    content = find(root, "ciphered-content")
    if root.name != "general-ciphering":
        expected["security"] = _value(content and find(content, "security-control"))
        expected["invocation_counter"] = _value(content and find(content, "invocation-counter"))
    expected["kind"] = _kind_of_tree(root)
    return expected


def _kind_of_tree(root: Field) -> ApduKind:
    """The part that an APDU plays, by its name and service class."""
    name = root.name.removeprefix("glo-").removeprefix("ded-")
    short, long = find(root, "invoke-id-and-priority"), find(root, "long-invoke-id-and-priority")
    unconfirmed = (short and not short.value & 0x40) or (long and not long.value & 0x40000000)
    if name in ("AARQ", "AARE", "RLRQ", "RLRE", "ABRT") or name.startswith("initiate"):
        return ApduKind.ASSOCIATION
    if name in ("event-notification-request", "data-notification", "informationReportRequest"):
        return ApduKind.NOTIFICATION
    if name.startswith("unconfirmed"):
        return ApduKind.UNCONFIRMED
    if name.endswith(("-request", "Request")) and not name.startswith("gateway"):
        return ApduKind.UNCONFIRMED if unconfirmed and name != "get-request" else ApduKind.REQUEST
    if name.endswith(("-response", "Response", "Error", "-confirm")):
        return ApduKind.RESPONSE
    return ApduKind.OTHER


def _results_of_tree(root: Field) -> list[int]:
    """The results of the items of a list, data being a success; -1 for what is neither."""
    results = []
    for name in ("result", "data-access-results", "response-list", "result-list"):
        for item in getattr(find(root, name), "children", ()):
            if item.name.startswith("["):
                parts = (find(item, part) for part in ("action-result", "data-access-result"))
                code = next(filter(None, parts), find(item, "data-access-error"))
                choice = find(item, "choice")
                none = 0 if choice is not None and choice.value == 0 else -1
                results.append(_value(item if not item.children else code, none))
    return results


def _outcome_of_tree(root: Field) -> dict[str, int]:
    """Result, block and last-block by the tree."""
    result = -1
    results = _results_of_tree(root)
    if results:
        result = next((code for code in results if code), 0)
    elif root.name == "get-response":
        choice = find(root, "result", "choice")
        if choice is not None:
            result = 0 if choice.value == 0 else _value(find(root, "result", "data-access-result"))
    elif root.name == "set-response":
        result = _value(find(root, "result"))
    elif root.name == "action-response":
        result = _value(find(root, "response", "action-result"))
    elif root.name == "exception-response":
        result = _value(find(root, "service-error"))
    elif root.name == "AARE":
        result = _value(find(root, "result"))
    elif root.name == "confirmedServiceError":
        choice, code = _value(find(root, "service-error")), _value(find(root, "value"))
        result = choice << 8 | code if 0 <= choice < 0x80 and code >= 0 else -1
    block = last = None
    if root.name == "general-block-transfer":
        block, control = find(root, "block-number"), find(root, "block-control")
        last = control._replace(value=control.value >> 7) if control is not None else None
    elif not root.name.endswith(("Request", "Response", "signing")):
        for part in ("result", "datablock", "pblock"):
            block = block or find(root, part, "block-number")
            last = last or find(root, part, "last-block")
        if root.name == "set-request" and find(root, "attribute-descriptor-list"):
            block = last = None
        selection = find(root, "access-selection")
        if find(root, "method-descriptor-list") or (
            selection and selection.children and selection.children[0].value
        ):
            block = last = None
        if root.name in ("get-request", "action-request", "action-response"):
            block = block or find(root, "block-number")
        if root.name == "set-response" and find(root, "data-access-results") is None:
            block = block or find(root, "block-number")
    return {"result": result, "block": _value(block), "last_block": _value(last)}


def _check(apdus: list[bytes]) -> None:
    found = looked_at(apdus, b"\xff\xc4\x01")
    for index, apdu in enumerate(apdus):
        for column, value in _of_tree(apdu).items():
            if column == "result" and found[column][index] < 0 and _results_of_tree(decode_apdu(apdu).root):
                continue  # behind what takes a tree
            assert int(found[column][index]) == value, (column, apdu.hex())


def test_vectors() -> None:
    """All shared vectors that are sound, as one batch."""
    lines = shared("vectors/apdu.jsonl").read_text().splitlines()
    vectors: list[dict[str, Any]] = [json.loads(line) for line in lines]
    apdus = [bytes.fromhex(vector["hex"]) for vector in vectors if vector["layer"] == "apdu"]
    _check([apdu for apdu in apdus if not decode_apdu(apdu).problems])


def test_generated() -> None:
    """The APDUs that the fuzzing starts from, as far as they are sound; every service is among them."""
    shared("vectors/apdu.jsonl")  # which has most of them
    apdus = [apdu for apdu in corpus() if not decode_apdu(apdu).problems and apdu[0] != 0]
    apdus += [bytes.fromhex("10 40000007 00"), bytes.fromhex("64 03 800100")]
    assert APDU_TAGS.keys() <= {apdu[0] for apdu in apdus}
    _check(apdus)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(REFERENCES, VALUES, CODES, st.integers(0, 255)), min_size=1, max_size=4))
def test_services(items: list[tuple[tuple[int, bytes, int], encode.Typed, int, int]]) -> None:
    """GET, SET, ACTION, events and their answers, in any mix."""
    apdus = []
    for reference, value, code, invoke in items:
        method = (*reference[:2], abs(reference[2]) & 0x7F)
        apdus += [
            encode.get_request(reference, invoke=invoke),
            encode.get_request_list([(reference, None)], invoke),
            encode.set_request(reference, value, invoke=invoke),
            encode.action_request(method, value, invoke),
            encode.get_response(value, invoke),
            encode.get_response(code, invoke),
            encode.get_response_list([code, value], invoke),
            encode.get_response_list([value, code], invoke),
            encode.get_response_block(code > 100, code, code, invoke),
            encode.action_response(code, value, invoke),
            encode.event_notification(reference, value),
            encode.event_notification(reference, value, bytes.fromhex("07e50603040e091700ffc400")),
            encode.access_request([(3, method, b"")], [value], invoke=invoke),
            encode.gateway(False, 1, b"123", encode.get_request(reference, invoke=invoke)),
            encode.ciphered(0xC8, 0x30, code, bytes(40 + code), bytes(12)),
            encode.ciphered(0xDB, 0x20, code, bytes(40), title=b"ABC12345"),
        ]
    _check(apdus)


@pytest.mark.parametrize("size", range(8))
def test_short_ones_are_not_read_beyond_their_end(size: int) -> None:
    """What an APDU has no octets for is none, though octets of the next stand there."""
    whole = bytes.fromhex("c001c100030100010800ff0200")
    found = looked_at([whole[:size], whole], whole[size:])
    assert found["class_id"].tolist() == [-1, 3]
    assert found["obis"].tolist() == [0, 0x0100010800FF]
    assert found["service"][0] == (-1 if size == 0 else 0xC0)
    assert found["invoke_id"][0] == (1 if size > 2 else -1)


def test_apdus_as_octets() -> None:
    """No APDUs give no rows; those of any length are looked at as they lie in a batch."""
    assert {name: len(column) for name, column in look([]).items()} == dict.fromkeys(FIRST_LOOK_FIELDS, 0)
    apdus = [b"", bytes.fromhex("c001c100030100010800ff0200"), bytes.fromhex("c401c10009") + bytes(100)]
    wanted = looked_at(apdus)
    assert {name: column.tolist() for name, column in look(apdus).items()} == {
        name: column.tolist() for name, column in wanted.items()
    }


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("c001c100030100010800ff0200", ApduKind.REQUEST),
        ("c0018100030100010800ff0200", ApduKind.REQUEST),
        ("c101c100030100010800ff02001100", ApduKind.REQUEST),
        ("c1018100030100010800ff02001100", ApduKind.UNCONFIRMED),
        ("c301810046000060030aff010f00", ApduKind.UNCONFIRMED),
        ("d9400000010001", ApduKind.REQUEST),
        ("d9000000010001", ApduKind.UNCONFIRMED),
        ("d900", ApduKind.REQUEST),
        ("c5018100", ApduKind.RESPONSE),
        ("0f4000000100", ApduKind.NOTIFICATION),
        ("e60001aac1018100030100010800ff02001100", ApduKind.UNCONFIRMED),
        ("db", ApduKind.OTHER),
        ("54", ApduKind.OTHER),
        ("", ApduKind.OTHER),
    ],
)
def test_kinds(octets: str, kind: ApduKind) -> None:
    """Who wants an answer: by the service, and by the service class where it may be unconfirmed."""
    assert looked_at([bytes.fromhex(octets)])["kind"][0] == kind


@pytest.mark.parametrize(
    ("octets", "result"),
    [
        ("c503c10000000002", 0),
        ("c505c1020003", 3),
        ("c505c1020301", 3),
        ("c505c1020000", 0),
        ("c504c1020003 00000002", 3),
        ("c505c1020b", 11),
        ("c505c10200", -1),
        ("c505c100", -1),
        ("c505c11c" + "00" * 28, 0),
        ("c505c11d" + "00" * 29, -1),
        ("c505c11d" + "00" * 27 + "0300", 3),
        ("c505c18101 03", -1),
        ("c703c10200000300", 3),
        ("c703c102000100 0600000001 0300", 3),
        ("c703c102000101040000", 0),
        ("c703c102000100 0101 0600000001 0300", -1),
        ("c403c10200 0600001388 0104", 4),
        ("c403c10200 0600001388 0000", 0),
        ("c403c10200 090131 00 0101 00", 0),
        ("c403c10200 090131 0104", 4),
        ("c403c10200 020112 0001 0104", -1),
        ("c403c10201040600000901", 4),
        ("c403c10103", -1),
        ("c403c1020100 0104", 4),
        ("0c01001109", 0),
        ("0c010103", 3),
        ("0c02001109010b", 11),
        ("0c0102010001 00", -1),
        ("0d0100", 0),
        ("0d010103", 3),
        ("0d02000103", 3),
        ("0d02000101", 1),
        ("0d0101", -1),
        ("0d0200", -1),
        ("0d", -1),
        ("e6000131c505c1020003", 3),
    ],
)
def test_results_of_lists(octets: str, result: int) -> None:
    """The first that is no success, wherever it stands; none where that takes a tree, or the list is cut."""
    assert looked_at([bytes.fromhex(octets)], b"\0\0")["result"][0] == result


def test_lists_are_looked_at_together() -> None:
    """Each list of a batch has its own result, however many items the others have."""
    apdus = [bytes.fromhex(one) for one in ("c505c103000003", "c505c10100", "c505c1020b00", "c501c104")]
    assert looked_at(apdus)["result"].tolist() == [3, 0, 11, 4]


@pytest.mark.parametrize(
    ("octets", "block", "last"),
    [
        ("c102c100030100010800ff0200 00 00000001 03060000", 1, 0),
        ("c102c100030100010800ff0200 01 00000001 020505", 1, 1),
        ("c102c100030100010800ff0201 010600000001 00 00000001", -1, -1),
        ("c102c100030100010800ff0200 01 000000", -1, 1),
        ("c102c100030100010800ff0200", -1, -1),
        ("c102c100030100010800ff02", -1, -1),
        ("c304c1004600006003 0aff 01 00 00000001 0109", 1, 0),
        ("c304c1004600006003 0aff 01 01 00000002 0109", 2, 1),
    ],
)
def test_first_blocks(octets: str, block: int, last: int) -> None:
    """They stand behind the descriptor; behind a selection they are for the tree."""
    found = looked_at([bytes.fromhex(octets)], b"\1\1\1\1\1")
    assert (found["block"][0], found["last_block"][0]) == (block, last)
    assert looked_at([bytes.fromhex(octets)] * 2)["block"].tolist() == [block] * 2
