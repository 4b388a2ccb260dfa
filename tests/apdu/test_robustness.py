"""Whatever the octets are: no exception, every octet in one leaf, bounded trees."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.cursor import MAX_DEPTH
from cosemscope.apdu.data import data_reader
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import first, walk
from cosemscope.apdu.framed import decode_octets, decode_wpdu
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.plain import plain_tree, text_lines
from cosemscope.apdu.services import ber
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from tests.fuzz.apdu_seeds import corpus
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import check_tree


def _check(octets: bytes, context: Context | None = None) -> None:
    for decode in (decode_apdu, decode_wpdu):
        decoded = decode(octets, context)
        check_tree(decoded, octets)
        assert len(summarise(decoded, context)) <= MAX_LENGTH
        json.dumps(plain_tree(decoded), allow_nan=False)
        assert list(text_lines(decoded))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_any_octets(octets: bytes) -> None:
    """Octets without any sense."""
    _check(octets)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=60))
def test_any_octets_behind_any_tag(tag: int, octets: bytes) -> None:
    """The same behind each first octet, with everything the context may give."""
    context = Context(
        request=Request((Reference(7, bytes(6), 2), Reference(3, bytes(6), 3)), True),
        opener=lambda part: Opening(Verdict.OPENED, part.content, notes=("as it is",)),
        verifier=lambda part: Opening(Verdict.NO_KEY),
        scaler_unit=lambda reference: (-128, 255),
        joined=octets[::-1],
    )
    _check(bytes([tag]) + octets)
    _check(bytes([tag]) + octets, context)


def test_every_cut_of_every_seed() -> None:
    """APDUs cut at every octet."""
    source = random.Random(1)
    for octets in corpus():
        for size in source.sample(range(len(octets)), min(len(octets), 25)):
            check_tree(decode_apdu(octets[:size]), octets[:size])


def test_nesting_is_bounded() -> None:
    """Structures in structures end at a depth that recursion bears, with a problem."""
    octets = bytes.fromhex("c401c100") + b"\x02\x01" * 20000 + b"\x00"
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert f"at most {MAX_DEPTH} levels" in decoded.problems[0].message
    assert sum(1 for _ in walk(decoded.root)) < 500


def test_counts_are_not_believed() -> None:
    """Four thousand million elements in twenty octets end where the octets end."""
    for head in ("c401c1000184ffffffff", "c403c184ffffffff", "0584ffffffff", "c003c184ffffffff"):
        octets = bytes.fromhex(head) + bytes(10)
        decoded = decode_apdu(octets)
        check_tree(decoded, octets)
        assert decoded.problems


def test_deep_types_of_a_compact_array() -> None:
    """A type description that nests without end."""
    octets = bytes.fromhex("c401c10013") + b"\x01\x00\x01" * 5000 + b"\x11\x01\x05"
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert decoded.problems


def test_elements_in_elements_of_ber() -> None:
    """BER that nests without end."""
    octets = encode.aarq(b"\xb5\x80" * 3000)
    check_tree(decode_apdu(octets), octets)


def test_envelopes_in_envelopes() -> None:
    """APDUs protected over and over, opened each time, end."""
    octets = encode.ciphered(0xDB, 0x20, 1, b"?", title=b"ABC12345")
    context = Context(opener=lambda part: Opening(Verdict.OPENED, octets))
    decoded = decode_apdu(octets, context)
    check_tree(decoded, octets)
    assert len(decoded.sources) < 20


def test_many_elements_cost_no_more_than_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each constructed element is measured by itself, not by all that follow: work grows with the octets."""
    measured = 0
    content = ber._content

    def counting(data: bytes, position: int) -> tuple[int, int]:
        nonlocal measured
        measured += 1
        return content(data, position)

    monkeypatch.setattr(ber, "_content", counting)
    elements = 2_000
    decode_apdu(b"\x60\x82" + (4 * elements).to_bytes(2, "big") + b"\xa6\x02\x04\x00" * elements)
    assert measured < 8 * elements


@pytest.mark.parametrize("head", ["6182{0}a282{1}0282{2}", "6282{1}8082{2}"])
def test_integers_of_any_size(head: str) -> None:
    """An integer of thousands of octets is shown in hex: no number is made of it that nobody can print."""
    size = 3000
    lengths = [f"{number:04x}" for number in (size + 8, size + 4, size)]
    _check(bytes.fromhex(head.format(*lengths)) + b"\x7f" * size)


def test_every_error_names_its_clause() -> None:
    """Whatever breaks, wherever it does: the problem says which clause was expected to hold."""
    octets = [bytes.fromhex(row) for row in ("", "54", "c0", "e0", "60", "c8050000000001")]
    octets += [
        bytes.fromhex(row) for row in ("7ea0190321107edae6e600", "7ea00c0321108977e6e60046ad7e", "0001")
    ]
    octets += [
        bytes.fromhex("7ea0072103ff650e7e"),
        bytes.fromhex("7ea0090202032193fe107e"),
        b"\x7e\xa0\x07\x03",
    ]
    octets += [bytes(random.Random(7).randbytes(40)) for _ in range(50)]
    for one in octets:
        for decode in (decode_octets, decode_apdu, decode_hdlc):
            for problem in decode(one).problems:
                assert problem.clause or problem.severity == "note", (one.hex(), problem)


def _in_block(inner: bytes) -> bytes:
    """A general-block-transfer of one block that carries these octets."""
    return encode.block_transfer(True, 1, inner)


def test_blocks_in_blocks_cost_no_more_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An oddity at the bottom of blocks in blocks is read once or twice at each level, not twice as often."""
    read = 0
    plain = data_reader.read_string

    def counting(*arguments: Any) -> Any:
        nonlocal read
        read += 1
        return plain(*arguments)

    monkeypatch.setattr(data_reader, "read_string", counting)
    octets = bytes.fromhex("c401c1000c01ff")
    for _ in range(7):
        octets = _in_block(octets)
    _check(octets)
    assert read < 30


def test_joined_blocks_belong_to_the_outer_block_alone() -> None:
    """A last block inside what blocks joined to is what it is: the joined octets are not put there again."""
    inner = encode.get_response_block(True, 5, b"\x09\x02ab")
    octets = encode.block_transfer(True, 3, inner[-4:])
    decoded = decode_apdu(octets, Context(joined=inner))
    check_tree(decoded, octets)
    assert [source.name for source in decoded.sources] == ["APDU", "joined blocks"]
    block = first(decoded.root, "raw-data")
    assert block is not None
    assert block.value == b"\x09\x02ab"


def test_what_was_tried_in_vain_counts_for_nothing() -> None:
    """Compact arrays in a push that is read over and over: their fields are counted once."""
    compact = bytes.fromhex("1302020011823a98") + bytes(15_000)
    octets = bytes.fromhex("0f0000000100") + b"\x01\x02" + compact + b"\x0c\x01\xff"
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert [problem.severity for problem in decoded.problems] == ["warning"]
