"""Places that the first look reads: none beyond the end of an APDU, and each of those before it."""

import numpy as np
import pytest

from cosemscope.apdu.first_look import (
    FIRST_LOOK_FIELDS,
    NOTHING_SEEN,
    WIDTH,
    ApduKind,
    look,
    look_at,
    nothing_seen,
)
from tests.fuzz.apdu_seeds import generated, protected
from tests.helpers import apdu_encoder as encode

CLOCK = (8, bytes.fromhex("0000010000ff"), 2)
OBIS = 0x0000010000FF


def rows(apdus: list[bytes], behind: int) -> list[tuple[int, ...]]:
    """The columns of a first look, an APDU a row, where this octet stands behind each APDU."""
    heads = np.frombuffer(
        b"".join(apdu[:WIDTH] + bytes([behind]) * (WIDTH - len(apdu)) for apdu in apdus), np.uint8
    )
    found = nothing_seen(len(apdus))
    look_at(heads.reshape(-1, WIDTH), np.array(list(map(len, apdus))), found)
    return list(zip(*(found[name].tolist() for name in FIRST_LOOK_FIELDS), strict=True))


SEEDS = [*generated(), *protected()]


@pytest.mark.parametrize("apdu", SEEDS, ids=range(len(SEEDS)))
def test_what_stands_behind_an_apdu_is_no_part_of_it(apdu: bytes) -> None:
    """Cut anywhere, it says the same whatever octets come next in the buffer."""
    cuts = [apdu[:size] for size in range(1, min(len(apdu), WIDTH + 2) + 1)]
    first = rows(cuts, 0)
    for behind in (0x01, 0x02, 0x0C, 0x30, 0x7F, 0x81, 0xFF):
        assert rows(cuts, behind) == first


#: APDU in hex, what of it is seen, and how many octets of it each of these columns takes.
PLACES = [
    ("c001c1 0008 0000010000ff 02 00", {"choice": (1, 2), "invoke_id": (1, 3)}),
    ("c001c1 0008 0000010000ff 02 00", {"class_id": (8, 12), "obis": (OBIS, 12), "member": (2, 12)}),
    ("c002c2 00000102 00", {"block": (258, 7), "invoke_id": (2, 3)}),
    ("c003c1 01 0008 0000010000ff 02 00", {"class_id": (8, 13), "obis": (OBIS, 13), "member": (2, 13)}),
    ("c102c1 0008 0000010000ff 02 00 01 00000007 00", {"last_block": (1, 14), "block": (7, 18)}),
    ("c103c1 01 00000102 00", {"last_block": (1, 4), "block": (258, 8)}),
    ("c301c1 0008 0000010000ff fe 00", {"class_id": (8, 12), "member": (254, 12)}),
    ("c304c1 0008 0000010000ff 02 01 00000007 00", {"last_block": (1, 13), "block": (7, 17)}),
    ("c306c1 00 00000102 00", {"last_block": (0, 4), "block": (258, 8)}),
    ("c401c1 01 03", {"result": (3, 5), "invoke_id": (1, 3)}),
    ("c401c1 00 09", {"result": (0, 4)}),
    ("c402c1 01 00000102 01 0b", {"last_block": (1, 4), "block": (258, 8), "result": (11, 10)}),
    ("c403c1 02 00 0f07 01 04", {"result": (4, 9)}),
    ("c501c1 03", {"result": (3, 4)}),
    ("c502c1 00000102", {"block": (258, 7)}),
    ("c503c1 04 00000102", {"result": (4, 4), "block": (258, 8)}),
    ("c504c1 02 00 05 00000102", {"result": (5, 6)}),
    ("c505c1 02 00 05 00000102", {"result": (5, 6)}),
    ("c701c1 0c 00", {"result": (12, 4)}),
    ("c702c1 01 00000102 00", {"last_block": (1, 4), "block": (258, 8)}),
    ("c703c1 02 00 00 0c 00", {"result": (12, 7)}),
    ("c704c1 00000102", {"block": (258, 7)}),
    ("0c 02 00 1107 01 04", {"result": (4, 7)}),
    ("0d 02 00 01 04", {"result": (4, 5)}),
    ("c200 0008 0000010000ff 02 00", {"class_id": (8, 11), "obis": (OBIS, 11), "member": (2, 11)}),
    (
        "c2010c 07e8060106 0a1e0f00 0000 00 0008 0000010000ff 02 00",
        {"class_id": (8, 24), "obis": (OBIS, 24), "member": (2, 24)},
    ),
    ("d9 40010203 00 01 01 0008 0000010000ff 02", {"invoke_id": (0x10203, 5), "choice": (1, 8)}),
    ("d9 40010203 00 01 01 0008 0000010000ff 02", {"class_id": (8, 17), "member": (2, 17)}),
    ("da 40010203 00", {"invoke_id": (0x10203, 5)}),
    ("0f 40010203 00", {"invoke_id": (0x10203, 5)}),
    ("d8 01 02", {"result": (2, 3)}),
    ("0e 01 02 03", {"result": (0x203, 4)}),
    ("e0 81 0102 0003 00", {"last_block": (1, 2), "block": (258, 4)}),
    ("e0 41 0102 0003 00", {"last_block": (0, 2), "block": (258, 4)}),
    ("c8 20 30 01020304 00", {"security": (0x30, 3), "invocation_counter": (0x1020304, 7)}),
    ("c8 82 0120 30 01020304 00", {"security": (0x30, 5), "invocation_counter": (0x1020304, 9)}),
    (
        "db 08 0102030405060708 20 30 01020304",
        {"security": (0x30, 12), "invocation_counter": (0x1020304, 16)},
    ),
    (
        f"db 14 {'41' * 20} 83000009 30 01020304",
        {"security": (0x30, 27), "invocation_counter": (0x1020304, 31)},
    ),
    ("db 00 20 10 01020304 00", {"security": (0x10, 4), "invocation_counter": (0x1020304, 8)}),
]


@pytest.mark.parametrize(("apdu", "expected"), PLACES)
def test_each_column_is_told_as_soon_as_its_octets_are_there(
    apdu: str, expected: dict[str, tuple[int, int]]
) -> None:
    """And not before; nothing further in changes it."""
    octets = bytes.fromhex(apdu)
    cuts = [octets[:size] for size in range(len(octets) + 1)]
    found = look(cuts)
    for column, (value, needed) in expected.items():
        told = found[column].tolist()
        assert told == [NOTHING_SEEN[column]] * needed + [value] * (len(cuts) - needed), column


def test_a_protected_apdu_without_a_counter_has_none() -> None:
    """Security control without authentication and encryption."""
    found = look([bytes.fromhex("c8 20 00 01020304 00"), encode.ciphered(0xCC, 0x10, 5, b"x", bytes(12))])
    assert found["invocation_counter"].tolist() == [-1, 5]
    assert found["security"].tolist() == [0, 0x10]


#: Octets of a value by the tag of its type; for those with a length, of a value of three octets.
SIZES = {0: 0, 3: 1, 5: 4, 6: 4, 13: 1, 15: 1, 16: 2, 17: 1, 18: 2, 20: 8, 21: 8, 22: 1, 23: 4, 24: 8}
SIZES |= {25: 12, 26: 5, 27: 4, 9: 3, 10: 3, 12: 3}


@pytest.mark.parametrize("head", ["c403c1", "0c"])
@pytest.mark.parametrize("tag", range(256))
def test_a_result_behind_data_is_found_where_the_data_are_of_a_simple_type(tag: int, head: str) -> None:
    """Each type takes its octets, and no other one is passed over."""
    size = SIZES.get(tag, 3)
    length = b"\x03" if tag in (9, 10, 12) else b""
    apdu = bytes.fromhex(head) + b"\x02\x00" + bytes([tag]) + length + b"\x07" * size + b"\x01\x0b"
    assert look([apdu])["result"].tolist() == [11 if tag in SIZES else -1]
    long = bytes.fromhex(head) + b"\x02\x00" + bytes([tag, 0x80]) + b"\x01\x0b" * 8
    if tag in (9, 10, 12):
        assert look([long])["result"].tolist() == [-1]


@pytest.mark.parametrize("head", ["c403c1", "c505c1", "c703c1", "0c", "0d"])
@pytest.mark.parametrize(
    ("count", "told"), [(0, False), (1, True), (0x7F, True), (0x80, False), (0x82, False)]
)
def test_a_list_has_a_count_of_one_octet(head: str, count: int, told: bool) -> None:
    """Of none there is no result, and a longer count is for the tree."""
    octets = b"\x01\x01" if head in ("c403c1", "0c", "0d") else b"\x01\x00"
    found = look([bytes.fromhex(head) + bytes([count]) + octets * 8])
    assert found["result"].tolist() == [1 if told else -1]


def test_each_kind_has_a_number_and_a_word_of_its_own() -> None:
    """Columns hold the numbers, scripts the words."""
    words = ["other", "request", "response", "unconfirmed", "notification", "association"]
    assert [(int(kind), kind.word) for kind in ApduKind] == list(enumerate(words))
