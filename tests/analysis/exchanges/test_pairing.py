"""Which WPDUs make one exchange: by table for each kind of course, and against row-by-row pairing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.exchanges.exception_owners import ExceptionOwners
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.exchanges.general_transfers import GeneralTransfers, general_rows
from cosemscope.analysis.exchanges.pairing import PairedRows
from cosemscope.apdu.first_look import FIRST_LOOK_FIELDS, NOTHING_SEEN, ApduKind
from cosemscope.capture.columns import Columns
from tests.analysis.exchanges.slow_pairing import Apdu, pair_slowly


def columns(apdus: list[Apdu]) -> tuple[PairedRows, Columns, np.ndarray]:
    """What pairing reads of these before transfers are found, first looks as a table, and octets."""
    seen = Columns({**FIRST_LOOK_FIELDS, "inner": "i2"})
    seen.extend(len(apdus), **NOTHING_SEEN, inner=-1)
    for row, apdu in enumerate(apdus):
        seen["service"][row], seen["choice"][row] = apdu.service, apdu.choice
        seen["invoke_id"][row], seen["block"][row] = apdu.invoke_id, apdu.block
        seen["last_block"][row] = apdu.last
        seen["kind"][row] = ApduKind.REQUEST if apdu.confirmed else ApduKind.UNCONFIRMED
        if apdu.general >= 0:
            seen["general_block"][row] = apdu.general or -1
            seen["general_last"][row], seen["general_ack"][row] = apdu.general_last, apdu.general_ack
            if not apdu.joined:
                seen["service"][row], seen["choice"][row], seen["invoke_id"][row] = 0xE0, -1, -1
                seen["kind"][row] = ApduKind.OTHER
    pair = np.array([apdu.pair for apdu in apdus], np.uint32)
    client = np.array([apdu.from_client for apdu in apdus], np.bool_)
    length = np.array([apdu.length for apdu in apdus], np.uint32)
    time = np.array([apdu.time for apdu in apdus], np.int64) * 10**9
    look = {name: seen[name] for name in seen.names}
    return PairedRows(look, pair, client, time, np.arange(len(apdus))), seen, length


def paired(apdus: list[Apdu], *sizes: int) -> list[int]:
    """Exchanges by columns, in batches of these sizes, the rest in one; from the beginning where need be."""
    owners, transfers = ExceptionOwners(), GeneralTransfers()
    exchanges, done = Exchanges(owners, transfers), 0
    for size in (*sizes, len(apdus)):
        so_far, seen, length = columns(apdus[: done + size])
        general = general_rows(seen, slice(done, len(so_far.rows)))
        part = some(so_far, general)
        changed = transfers.update(general, part.look, part.pair, part.from_client, length[general], done)

        def read(rows: np.ndarray, so_far=so_far, seen=seen) -> PairedRows:
            found = some(so_far, rows)
            return found._replace(look=transfers.see(rows, found.look, seen))

        if owners.update(0 if changed else done, so_far.pair, so_far.look["service"], read) or changed:
            exchanges, done = Exchanges(owners, transfers), 0
        rows = np.arange(done, len(so_far.rows))
        wpdus = {name: np.zeros(len(rows), np.int64) for name in WPDUS}
        exchanges.add({**wpdus, "length": length[rows], "last_packet": rows}, read(rows))
        done = len(so_far.rows)
    return exchanges.of["exchange"].tolist()


WPDUS = ("stream", "direction", "first_time", "time", "marks")


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


def gbt(number: int, last: bool, client: bool = False, length: int = 100, ack: int = 0) -> Apdu:
    return Apdu(0, client, 0xE0, length=length, general=number, general_last=int(last), general_ack=ack)


def bare(ack: int, client: bool = True) -> Apdu:
    return gbt(0, False, client, 7, ack)


def carrying(apdu: Apdu, number: int, last: bool = True) -> Apdu:
    """The block that makes a transfer whole in which this APDU comes."""
    return apdu._replace(general=number, general_last=int(last), joined=True, length=100)


def glo(request: bool = True, service: int = 0xC8, time: int = 0) -> Apdu:
    return Apdu(0, request, service if request else service + 4, time=time)


def read(time: int = 0) -> Apdu:
    return Apdu(0, True, 0x05, time=time)


def told(time: int = 0) -> Apdu:
    return Apdu(0, False, 0x0C, time=time)


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
        # An AARQ is refused by what ends associations; what is no answer to it is none.
        ([Apdu(0, True, 0x60), Apdu(0, False, 0x63), Apdu(0, False, 0x63)], [0, 0, 1]),
        ([Apdu(0, True, 0x60), Apdu(0, False, 0x64), Apdu(0, False, 0x64)], [0, 0, 1]),
        ([Apdu(0, True, 0x60), Apdu(0, True, 0x64), Apdu(0, False, 0x64)], [0, 1, 0]),
        ([Apdu(0, True, 0x60), Apdu(0, False, 0x61), Apdu(0, False, 0x64)], [0, 0, 1]),
        ([Apdu(0, True, 0x60), Apdu(0, True, 0x60), Apdu(0, False, 0x63)], [0, 1, 1]),
        ([Apdu(0, True, 0x60), Apdu(0, False, 0xD8), Apdu(0, False, 0x63)], [0, 0, 1]),
        ([Apdu(0, True, 0x60), Apdu(0, False, 0xC2), Apdu(0, False, 0x63)], [0, 1, 0]),
        ([Apdu(0, True, 0xC8), Apdu(0, False, 0xCC)], [0, 0]),  # glo-get, not opened: by order
        ([Apdu(0, True, 0xDB), Apdu(0, False, 0xDB)], [0, 0]),  # general-glo, not opened: by direction
        ([Apdu(0, False, 0xDB), Apdu(0, False, 0xDB)], [0, 1]),  # pushes in envelopes
        ([get(), Apdu(0, False, 0x0F, -1, 5), answer(), Apdu(0, True, 0x10, -1, 5)], [0, 1, 0, 1]),
        ([get(), Apdu(0, False, 0xC2), answer()], [0, 1, 0]),  # an event is nobody's answer
        ([get(), gbt(1, False), bare(1), gbt(2, True), get()], [0, 0, 0, 0, 1]),
        ([gbt(1, False), gbt(2, True), gbt(1, True)], [0, 0, 1]),  # pushes in blocks
        ([get(1), gbt(1, False), get(2), gbt(2, True), answer(2)], [0, 0, 1, 0, 1]),
        ([gbt(1, False, True), gbt(2, True, True), gbt(1, True)], [0, 0, 0]),
        # A request in blocks that the server acknowledges, and its answer in blocks and plain.
        ([gbt(1, False, True), bare(1, False), carrying(get(), 2), answer()], [0, 0, 0, 0]),
        (
            [
                *(gbt(1, False, True), bare(1, False), carrying(get(), 2)),
                *(gbt(1, False), bare(1), carrying(answer(), 2), get()),
            ],
            [0, 0, 0, 0, 0, 0, 1],
        ),
        # Streaming: a window of blocks, one of which is lost, asked for and comes late.
        (
            [get(), gbt(1, False), gbt(3, False), bare(1), carrying(answer(), 2, False), gbt(4, True)],
            [0, 0, 0, 0, 0, 0],
        ),
        ([get(), gbt(1, False), gbt(3, True), bare(1), carrying(answer(), 2, False)], [0] * 5),
        ([get(), gbt(1, False), gbt(1, False), carrying(answer(), 2)], [0] * 4),  # repeated
        ([get(), gbt(1, False), carrying(answer(), 2), gbt(2, True), get()], [0, 0, 0, 0, 1]),
        ([get(1), gbt(1, False), bare(1), get(2), gbt(1, False), carrying(answer(2), 2)], [0, 0, 0, 1, 1, 1]),
        # Both at once: the answer to one request and the next request, and two answers that cross.
        (
            [
                get(1),
                gbt(1, False),
                gbt(1, False, True),
                carrying(answer(1), 2),
                carrying(get(2), 2),
                answer(2),
            ],
            [0, 0, 1, 0, 1, 1],
        ),
        (
            [get(1), get(2), gbt(1, False), carrying(answer(1), 2), gbt(1, False), carrying(answer(2), 2)],
            [0, 1, 0, 0, 1, 1],
        ),
        # What the meter sends unasked, amid an exchange, and confirmed.
        ([get(), gbt(1, False), carrying(Apdu(0, False, 0x0F, -1, 5), 2), answer()], [0, 1, 1, 0]),
        ([gbt(1, False), carrying(Apdu(0, False, 0x0F, -1, 5), 2), Apdu(0, True, 0x10, -1, 5)], [0, 0, 0]),
        ([get(), gbt(1, False), carrying(Apdu(0, False, 0xC2), 2), answer()], [0, 1, 1, 0]),
        ([get(), carrying(Apdu(0, False, 0xD8), 1)], [0, 0]),
        # Ciphered ones that are not opened.
        ([gbt(1, False, True), carrying(glo(), 2), gbt(1, False), carrying(glo(False), 2)], [0, 0, 0, 0]),
        # Services of short names, and ciphered ones that are not opened: first in, first out.
        ([read(), read(), told(), told()], [0, 1, 0, 1]),
        ([read(), Apdu(0, True, 0x06), read(), Apdu(0, False, 0x0D), told(), told()], [0, 1, 2, 1, 0, 2]),
        ([read(), Apdu(0, True, 0x16), Apdu(0, False, 0x18), told()], [0, 1, 2, 0]),
        ([read(), read(), Apdu(0, False, 0x0E), told()], [0, 1, 0, 1]),
        ([read(0), read(6), told(6)], [0, 1, 1]),  # the first was passed over
        ([read(0), read(6), told(6), told(6)], [0, 1, 1, 0]),  # it was late
        ([read(0), read(0), read(0), told(6), read(7), told(7)], [0, 1, 2, 0, 3, 1]),  # a slow meter
        ([read(0), Apdu(0, True, 0x60), Apdu(0, False, 0x61), read(), told()], [0, 1, 1, 2, 2]),
        ([told(), read(), told()], [0, 1, 1]),
        ([glo(), glo(), glo(False), glo(False)], [0, 1, 0, 1]),
        ([glo(), glo(True, 0xC9), glo(True), glo(False), glo(False), glo(False, 0xC9)], [0, 1, 2, 0, 2, 1]),
        ([glo(True, 0xD0), glo(True, 0xD0), glo(False, 0xD0), glo(False, 0xD0)], [0, 1, 0, 1]),
        ([Apdu(0, True, 0xDB), Apdu(0, True, 0xDB), *[Apdu(0, False, 0xDB)] * 3], [0, 1, 0, 1, 2]),
        ([Apdu(0, True, 0xDD), Apdu(0, True, 0xDD), *[Apdu(0, False, 0xDD)] * 2], [0, 1, 0, 1]),
        # Only one of both sides is opened.
        ([glo(), glo(), answer(1), answer(2)], [0, 1, 0, 1]),
        ([get(1), get(2), glo(False), glo(False)], [0, 1, 0, 1]),
        ([Apdu(0, True, 0xDB), answer(1)], [0, 0]),
        ([get(1), get(2), Apdu(0, False, 0xDB), Apdu(0, False, 0xDB)], [0, 1, 0, 1]),
        ([glo(), glo(), Apdu(0, False, 0xD8), glo(False)], [0, 1, 0, 1]),
        (
            [
                get(2)._replace(confirmed=False),
                get(1)._replace(confirmed=False),
                read(),
                Apdu(0, False, 0xD8),
            ],
            [0, 1, 2, 2],
        ),
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
    assert all(paired(apdus, size) == exchanges for size in range(2, len(apdus)))
    assert pair_slowly(apdus) == exchanges


SERVICES = (0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7, 0xC2, 0x0F, 0x10, 0xD8, 0x0E, 0x60, 0x61, 0x62, 0x63, 0x64)
SERVICES += (0xD9, 0xDA, 0x05, 0x06, 0x0C, 0x0D, 0x16, 0xC8, 0xCC, 0xD0, 0xD4, 0xDB, 0xDD, 0x55, -1)
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
    st.just(-1),
    st.just(0),
    st.just(0),
    st.just(False),
)
#: Blocks of general-block-transfers, of which some carry what is seen.
GENERAL = st.builds(
    lambda apdu, number, last, ack, joined: apdu._replace(
        general=number, general_last=last, general_ack=ack, joined=joined and number > 0
    ),
    APDUS,
    st.integers(0, 3),
    st.integers(0, 1),
    st.integers(0, 2),
    st.booleans(),
)
#: Requests and answers whose invoke-ids are not seen, in time.
UNSEEN = st.builds(
    lambda service, pair, time: Apdu(pair, service not in (0x0C, 0x0D, 0xCC, 0xCD, 0xCF), service, time=time),
    st.sampled_from((0x05, 0x06, 0x0C, 0x0D, 0xC8, 0xC9, 0xCC, 0xCD, 0xDB, 0xDD, 0xD8)),
    st.integers(0, 1),
    st.integers(0, 12),
)
MIXED = st.lists(st.one_of(APDUS, GENERAL, UNSEEN, st.builds(get, st.integers(0, 2))), max_size=40)
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


def test_an_exception_answers_a_transfer_that_is_whole_only_later() -> None:
    """What its blocks carry is seen batches behind the exception."""
    first = Apdu(1, False, 0xC0, 0, 0, 0, 0, 5, 0, False)
    transfer = first._replace(general=2)
    whole = first._replace(confirmed=True, general=1, general_last=1, joined=True)
    apdus = [transfer, first._replace(service=0xD8), whole]
    assert paired(apdus, 2) == paired(apdus) == pair_slowly(apdus)


@settings(max_examples=500)
@given(MIXED, st.lists(st.integers(0, 8), max_size=6))
def test_transfers_and_order_pair_as_row_by_row(apdus: list[Apdu], sizes: list[int]) -> None:
    """General-block-transfers from both sides, joined or not, amid what has no invoke-id."""
    assert paired(apdus, *sizes) == pair_slowly(apdus)


@settings(max_examples=300)
@given(st.lists(PIPELINED, max_size=40), st.lists(st.integers(0, 5), max_size=9))
def test_exceptions_among_pipelined_requests(apdus: list[Apdu], sizes: list[int]) -> None:
    """Which request an exception answers may turn out later, and is then the same as known at once."""
    assert paired(apdus, *sizes) == pair_slowly(apdus)
