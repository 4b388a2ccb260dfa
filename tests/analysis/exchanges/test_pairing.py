"""Which WPDUs make one exchange: by table for each kind of course, and against row-by-row pairing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.exchanges.pairing import Pairer
from cosemscope.apdu.first_look import FIRST_LOOK_FIELDS, NOTHING_SEEN
from tests.analysis.exchanges.slow_pairing import Apdu, pair_slowly


def columns(apdus: list[Apdu]) -> tuple:
    """First-look columns and the others that pairing takes."""
    look = {name: np.full(len(apdus), NOTHING_SEEN[name], kind) for name, kind in FIRST_LOOK_FIELDS.items()}
    for row, apdu in enumerate(apdus):
        look["service"][row], look["choice"][row] = apdu.service, apdu.choice
        look["invoke_id"][row], look["block"][row] = apdu.invoke_id, apdu.block
        look["last_block"][row] = apdu.last
    pair = np.array([apdu.pair for apdu in apdus], np.uint32)
    client = np.array([apdu.from_client for apdu in apdus], np.bool_)
    return look, pair, client, np.array([apdu.length for apdu in apdus], np.uint32)


def paired(apdus: list[Apdu], *sizes: int) -> list[int]:
    """Exchanges by columns, in batches of these sizes, the rest in one."""
    pairer, found, at = Pairer(), [], 0
    for size in (*sizes, len(apdus)):
        part = apdus[at : at + size]
        found += pairer.add(*columns(part)).exchange.tolist()
        at += len(part)
    return found


def get(invoke_id: int = 1, pair: int = 0) -> Apdu:
    return Apdu(pair, True, 0xC0, 1, invoke_id)


def answer(invoke_id: int = 1, pair: int = 0) -> Apdu:
    return Apdu(pair, False, 0xC4, 1, invoke_id)


def block(number: int, last: bool, invoke_id: int = 1) -> Apdu:
    return Apdu(0, False, 0xC4, 2, invoke_id, number, int(last))


def more(number: int, invoke_id: int = 1) -> Apdu:
    return Apdu(0, True, 0xC0, 2, invoke_id, number)


def gbt(number: int, last: bool, client: bool = False, length: int = 100) -> Apdu:
    return Apdu(0, client, 0xE0, -1, -1, number, int(last), length)


@pytest.mark.parametrize(
    ("apdus", "exchanges"),
    [
        ([get(), answer()], [0, 0]),
        ([get(1), get(2), answer(2), answer(1)], [0, 1, 1, 0]),  # pipelined, answered in another order
        ([get(1), get(1), answer(1)], [0, 1, 1]),  # used again while open: the answer is of the newest
        ([answer(), get(), answer()], [0, 1, 1]),  # an answer to a request before the capture
        ([get(), answer(), answer()], [0, 0, 1]),  # answered twice
        ([get(1, 0), get(1, 1), answer(1, 1), answer(1, 0)], [0, 1, 1, 0]),  # two pairs
        ([get(), block(1, False), more(1), block(2, True)], [0, 0, 0, 0]),
        ([block(1, False), more(1), block(2, True), get()], [0, 0, 0, 1]),  # begun before the capture
        ([get(), block(1, False), get(), answer()], [0, 0, 1, 1]),  # given up within blocks
        ([get(), Apdu(0, False, 0xD8)], [0, 0]),  # an exception has no invoke-id
        ([get(1), get(2), Apdu(0, False, 0xD8), answer(1)], [0, 1, 1, 0]),
        (
            [Apdu(0, True, 0x60), Apdu(0, False, 0x61), Apdu(0, True, 0x62), Apdu(0, False, 0x63)],
            [0, 0, 1, 1],
        ),
        ([Apdu(0, True, 0x60), Apdu(0, False, 0x0E)], [0, 0]),
        ([Apdu(0, True, 0xC8), Apdu(0, False, 0xCC)], [0, 0]),  # glo-get, not opened: by order
        ([Apdu(0, True, 0xDB), Apdu(0, False, 0xDB)], [0, 0]),  # general-glo, not opened: by direction
        ([Apdu(0, False, 0xDB), Apdu(0, False, 0xDB)], [0, 1]),  # pushes in envelopes
        ([get(), Apdu(0, False, 0x0F, -1, 5), answer(), Apdu(0, True, 0x10, -1, 5)], [0, 1, 0, 1]),
        ([get(), Apdu(0, False, 0xC2), answer()], [0, 1, 0]),  # an event is nobody's answer
        ([get(), gbt(1, False), gbt(1, True, True, 7), gbt(2, True), get()], [0, 0, 0, 0, 1]),
        ([gbt(1, False), gbt(2, True), gbt(1, True)], [0, 0, 1]),  # pushes in blocks
        ([get(1), gbt(1, False), get(2), gbt(2, True), answer(2)], [0, 0, 1, 0, 1]),
        ([gbt(1, False, True), gbt(2, True, True), gbt(1, True)], [0, 0, 0]),
        ([Apdu(0, True, 0x55), Apdu(0, True, -1)], [-1, -1]),
        (
            [
                Apdu(0, True, 0xC1, 2, 3, 1, 0),
                Apdu(0, False, 0xC5, 2, 3, 1),
                Apdu(0, True, 0xC1, 3, 3, 2, 1),
                Apdu(0, False, 0xC5, 3, 3, 2),
            ],
            [0, 0, 0, 0],
        ),
        (
            [
                Apdu(0, True, 0xC3, 4, 3, 1, 0),
                Apdu(0, False, 0xC7, 4, 3, 1),
                Apdu(0, True, 0xC3, 6, 3, 2, 1),
                Apdu(0, False, 0xC7, 2, 3, 1, 0),
                Apdu(0, True, 0xC3, 2, 3, 1),
                Apdu(0, False, 0xC7, 2, 3, 2, 1),
            ],
            [0] * 6,
        ),
    ],
)
def test_courses(apdus: list[Apdu], exchanges: list[int]) -> None:
    """Each course, all at once and WPDU by WPDU, and by the slow way too."""
    assert paired(apdus) == exchanges
    assert paired(apdus, *[1] * len(apdus)) == exchanges
    assert pair_slowly(apdus) == exchanges


SERVICES = (0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7, 0xC2, 0x0F, 0x10, 0xD8, 0x0E, 0x60, 0x61, 0x62, 0x63, 0x64)
SERVICES += (0xD9, 0xDA, 0x05, 0x06, 0x0C, 0x0D, 0x16, 0xC8, 0xCC, 0xD0, 0xD4, 0xDB, 0xDD, 0xE0, 0x55, -1)
APDUS = st.builds(
    Apdu,
    st.integers(0, 2),
    st.booleans(),
    st.sampled_from(SERVICES),
    st.integers(-1, 7),
    st.integers(-1, 3),
    st.integers(-1, 4),
    st.integers(-1, 1),
    st.sampled_from([5, 7, 8, 100]),
)


@settings(max_examples=300)
@given(st.lists(APDUS, max_size=60), st.lists(st.integers(0, 20), max_size=5))
def test_columns_pair_as_row_by_row(apdus: list[Apdu], sizes: list[int]) -> None:
    """Any traffic, however it comes in batches, gives the exchanges of the slow way."""
    assert paired(apdus, *sizes) == pair_slowly(apdus)
