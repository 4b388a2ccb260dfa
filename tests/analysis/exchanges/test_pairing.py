"""Which WPDUs make one exchange: by table for each kind of course, and against row-by-row pairing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.exchanges.exception_owners import ExceptionOwners, PairedRows
from cosemscope.analysis.exchanges.pairing import Pairer
from cosemscope.apdu.first_look import FIRST_LOOK_FIELDS, NOTHING_SEEN, ApduKind
from tests.analysis.exchanges.slow_pairing import Apdu, pair_slowly


def columns(apdus: list[Apdu]) -> PairedRows:
    """What pairing reads of these."""
    look = {name: np.full(len(apdus), NOTHING_SEEN[name], kind) for name, kind in FIRST_LOOK_FIELDS.items()}
    for row, apdu in enumerate(apdus):
        look["service"][row], look["choice"][row] = apdu.service, apdu.choice
        look["invoke_id"][row], look["block"][row] = apdu.invoke_id, apdu.block
        look["last_block"][row] = apdu.last
        look["kind"][row] = ApduKind.REQUEST if apdu.confirmed else ApduKind.UNCONFIRMED
    pair = np.array([apdu.pair for apdu in apdus], np.uint32)
    client = np.array([apdu.from_client for apdu in apdus], np.bool_)
    length = np.array([apdu.length for apdu in apdus], np.uint32)
    time = np.array([apdu.time for apdu in apdus], np.int64) * 10**9
    return PairedRows(look, pair, client, length, time, np.arange(len(apdus)))


def paired(apdus: list[Apdu], *sizes: int) -> list[int]:
    """Exchanges by columns, in batches of these sizes, the rest in one; from the beginning where need be."""
    pairer, owners, found = Pairer(), ExceptionOwners(), []
    for size in (*sizes, len(apdus)):
        so_far = columns(apdus[: len(found) + size])
        if owners.update(
            len(found), so_far.pair, so_far.look["service"], lambda rows, all=so_far: some(all, rows)
        ):
            pairer, found = Pairer(), []
        part = some(so_far, np.arange(len(found), len(so_far.rows)))
        lanes = lambda mask, part=part: owners.lanes(part.rows[mask], part.pair[mask])  # noqa: E731
        found += pairer.add(part.look, part.pair, part.from_client, part.length, lanes).exchange.tolist()
    return found


def some(rows: PairedRows, numbers: np.ndarray) -> PairedRows:
    look, *others = rows
    return PairedRows(
        {name: column[numbers] for name, column in look.items()}, *(column[numbers] for column in others)
    )


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
        ([get(1), get(2), Apdu(0, False, 0xD8), answer(2)], [0, 1, 0, 1]),  # of the one that gets no other
        ([get(1), get(2), get(3), answer(1), Apdu(0, False, 0xD8), answer(3)], [0, 1, 2, 0, 1, 2]),
        ([get(1), get(2), get(3), *[Apdu(0, False, 0xD8)] * 2, answer(3)], [0, 1, 2, 0, 1, 2]),
        ([get(1), get(2), get(3), Apdu(0, False, 0xD8), answer(3), Apdu(0, False, 0x0E)], [0, 1, 2, 0, 2, 1]),
        ([get(1), get(2), answer(2), Apdu(0, False, 0xD8)], [0, 1, 1, 0]),
        ([get(1), get(2), answer(2), get(3), Apdu(0, False, 0xD8)], [0, 1, 1, 2, 2]),  # 1 was passed over
        ([get(1), get(2)._replace(time=9), Apdu(0, False, 0xD8, time=10)], [0, 1, 1]),  # 1 was given up
        ([get(1), Apdu(0, False, 0xD8, time=10)], [0, 0]),  # late, and nobody else asked
        ([get(1), get(1), get(2), Apdu(0, False, 0xD8)], [0, 1, 2, 1]),  # asked again
        ([get(1), Apdu(0, True, 0x60), Apdu(0, False, 0x0E)], [0, 1, 1]),  # another association
        ([get(1), Apdu(0, True, 0xC1, 1, 2, confirmed=False), Apdu(0, False, 0xD8)], [0, 1, 0]),
        ([get(1), Apdu(0, False, 0xD8), answer(1)], [0, 1, 0]),  # an exception that nobody asked for
        ([get(1), block(1, False), more(1), Apdu(0, False, 0xD8), get(2), answer(2)], [0, 0, 0, 0, 1, 1]),
        ([get(1, 1), get(1, 0), Apdu(0, False, 0xD8)], [0, 1, 1]),  # of its own pair
        ([get(1), Apdu(0, False, 0x0F, -1, 5), Apdu(0, False, 0xD8)], [0, 1, 0]),  # nobody asked with a push
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
    st.integers(0, 9),
    st.booleans(),
)
#: Mostly requests of one asker and what answers them, so that exceptions have a choice.
PIPELINED = st.one_of(
    st.builds(get, st.integers(0, 4)),
    st.builds(answer, st.integers(0, 4)),
    st.builds(
        lambda pair, service, time: Apdu(pair, False, service, time=time),
        st.integers(0, 1),
        st.sampled_from((0xD8, 0x0E)),
        st.integers(0, 9),
    ),
    APDUS,
)


@settings(max_examples=300)
@given(st.lists(APDUS, max_size=60), st.lists(st.integers(0, 20), max_size=5))
def test_columns_pair_as_row_by_row(apdus: list[Apdu], sizes: list[int]) -> None:
    """Any traffic, however it comes in batches, gives the exchanges of the slow way."""
    assert paired(apdus, *sizes) == pair_slowly(apdus)


@settings(max_examples=300)
@given(st.lists(PIPELINED, max_size=40), st.lists(st.integers(0, 5), max_size=9))
def test_exceptions_among_pipelined_requests(apdus: list[Apdu], sizes: list[int]) -> None:
    """Which request an exception answers may turn out later, and is then the same as known at once."""
    assert paired(apdus, *sizes) == pair_slowly(apdus)
