"""Results and blocks that stand at no fixed place: what trees tell is put into the columns by the walk."""

from pathlib import Path

import pytest

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.further_in import further_in
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.apdu.context import Context, Reference, Request
from tests.helpers import apdu_encoder as encode
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

ARRAY = ("array", [("null-data", None)])
CLOCK, ENERGY = ((8, bytes((0, 0, 1, 0, 0, 255)), 2), (3, bytes((1, 0, 1, 8, 0, 255)), 2))
DESCRIPTOR = encode.descriptor(*ENERGY)
LIST = Request((Reference(*ENERGY), Reference(*CLOCK)), with_list=True)


@pytest.mark.parametrize(
    ("apdu", "result"),
    [
        (encode.access_response([("null-data", None)] * 2, [(1, 0), (1, 0)]), 0),
        (encode.access_response([("null-data", None)] * 3, [(1, 0), (2, 3), (1, 4)]), 3),
        (encode.access_response([], []), None),
        (encode.aare(0, 0), 0),
        (encode.aare(1, 1), 1),
        (bytes.fromhex("da00"), None),
        (encode.get_response(4), None),
        (encode.get_response_list([ARRAY, 4, 3]), 4),
        (encode.get_response_list([ARRAY] * 2), 0),
        (encode.get_response_list([("octet-string", bytes(40)), 4])[:-2], None),
        (encode.get_response_list([]), None),
        (bytes.fromhex("c505c11d" + "00" * 29), 0),
        (bytes.fromhex("c505c11d" + "00" * 28), None),
        (bytes.fromhex("c703c102000100010103070100"), 1),
        (bytes.fromhex("c703c1020001000101030703 00"), 3),
        (bytes.fromhex("0c0200010103070103"), 3),
        (bytes.fromhex("0c0203000100"), None),
        (b"", None),
    ],
)
def test_results(apdu: bytes, result: int | None) -> None:
    """The first that is no success; what is cut has none."""
    assert further_in(Look(-1, Context(), plain=apdu)).get("result") == result


@pytest.mark.parametrize(
    ("apdu", "joined", "result"),
    [
        (encode.get_response_block(True, 2, b"x"), encode.get_response_list([ARRAY, 4])[3:], 4),
        (encode.get_response_block(True, 2, b"x"), encode.get_response_list([ARRAY, ARRAY])[3:], 0),
        (b"\xc7\x02\xc1" + encode.block(True, 2, b"x"), bytes.fromhex("010300"), 3),
        (b"\xc7\x02\xc1" + encode.block(True, 2, b"x"), bytes.fromhex("0103"), 0),
    ],
)
def test_results_of_lists_in_blocks(apdu: bytes, joined: bytes, result: int) -> None:
    """The last block has the result of what all blocks carry, though it says itself that it has data."""
    assert further_in(Look(-1, Context(LIST, joined=joined), plain=apdu))["result"] == result


@pytest.mark.parametrize(
    "apdu",
    [
        b"\xc1\x05\xc1\x02" + (DESCRIPTOR + b"\0") * 2 + encode.block(False, 1, b"\x02\x11"),
        b"\xc1\x02\xc1" + DESCRIPTOR + b"\x01\x01\x00" + encode.block(False, 1, b"\x02\x11"),
        b"\xc3\x05\xc1\x02" + DESCRIPTOR * 2 + encode.block(False, 1, b"\x02\x11"),
    ],
)
def test_first_blocks(apdu: bytes) -> None:
    """Their numbers stand behind lists, or behind access selections."""
    assert further_in(Look(-1, Context(), plain=apdu)) == {"block": 1, "last_block": 0}


def _said(analysis: Analysis, *names: str) -> list[list[object]]:
    asked = AskedRows(analysis, slice(None))
    return [FIELDS[name].jsons(asked) for name in names]


def test_columns_exchanges_and_order_have_what_trees_tell(tmp_path: Path) -> None:
    """Whoever asks without looking at rows, as for sorting and for exchanges, is told what cells say."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    results = encode.get_response_list([ARRAY, 4])
    body = results[3:]
    talk = [
        (0, encode.get_request_list([(ENERGY, None), (CLOCK, None)])),
        (1, results),
        (0, encode.get_request_list([(ENERGY, None), (CLOCK, None)])),
        (1, encode.get_response_block(False, 1, body[:3])),
        (0, b"\xc0\x02\xc1\x00\x00\x00\x01"),
        (1, encode.get_response_block(True, 2, body[3:])),
        (0, encode.access_request([(1, ENERGY, b"")], [("null-data", None)])),
        (1, encode.access_response([("null-data", None)], [(1, 3)])),
        (0, encode.get_request(ENERGY)),
        (1, b"\x0e\x01\x05\x03"),
    ]
    for side, apdu in talk:
        connection.say(side, wpdu(apdu, *((16, 1) if side == 0 else (1, 16))))
    analysis = analyse(wire, tmp_path)
    complete(Associations(analysis))
    result, of_exchange, status = _said(analysis, "result", "exchange.result", "exchange.status")
    assert [result[row] for row in (1, 5, 7, 9)] == [
        "object-undefined",
        "object-undefined",
        "read-write-denied",
        "hardware-fault",
    ]
    assert [of_exchange[row] for row in (0, 2, 6, 8)] == [result[row] for row in (1, 5, 7, 9)]
    assert {status[row] for row in (0, 2, 6, 8)} == {"error"}
    order = FIELDS["result"].order(AskedRows(analysis, slice(None)))
    texts = FIELDS["result"].texts(AskedRows(analysis, slice(None)))
    blanks = [row for row, text in enumerate(texts) if not text]
    assert min(order[blanks]) > max(order[row] for row in range(len(texts)) if row not in blanks)
