"""Rows and items of a batch come into the tables in order, whoever found them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.recognition import HEAD
from cosemscope.streams.tables.expert_items import Source
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import (
    CONFLICT,
    CUT,
    CUT_FRAME,
    HOLE,
    KEEP_ALIVE,
    NO_FRAME,
    OUT_OF_ORDER,
    RETRANSMISSION,
    SEVERAL,
    SKIPPED,
    TRAILING,
)
from cosemscope.streams.tables.wpdu_table import wrapper_rows
from cosemscope.transport.wpdu import WpduHeader
from tests.helpers.made_streams import ADDRESS, Made, Sent, piece


def tables(*client_sides: int, protocols: tuple[int, ...] = ()) -> Made:
    """Empty tables for a few streams."""
    kinds = protocols or (6,) * len(client_sides)
    sent = [Sent(stream=row, protocol=kind) for row, kind in enumerate(kinds)]
    return Made(sent, client_sides=client_sides)


def unit(number: int, *packets: int, tag: int = 0xC0, marks: int = 0) -> Unit:
    """A unit whose source wPort is a number, each ten octets of it in one of these packets."""
    pieces = tuple(piece(10 * at, 10 * at + 10, packet) for at, packet in enumerate(packets))
    header = WpduHeader(1, number, 16, 10 * len(packets) - 8)
    return Unit(header, tag, 10 * len(packets), marks, pieces, Framing.SWAPPED)


def fast_rows(numbers: list[int], packets: list[int], stream: int = 0) -> tuple[dict, np.ndarray]:
    """Rows of the fast path: WPDUs of one segment each, the source wPort a number."""
    head = np.zeros(len(numbers), HEAD)
    head["source_wport"] = numbers
    packet = np.array(packets, np.int64)
    rows = wrapper_rows(head, packet, packet * 1000, np.full(len(numbers), stream), 0 * packet, packet)
    return rows, packet


def test_a_unit_is_a_row() -> None:
    """All columns; of several pieces the first and last packets and times, and an extent each."""
    made = tables(0, 1)
    made.output.add_unit(1, 0, unit(7, 5, 3, 4, tag=-1, marks=9), 6)
    made.output.add_unit(0, 1, unit(8, 2), 6)
    assert made.output.flush(slice(0, 9)) == slice(0, 2)
    assert made.told("source_wport", "first_packet", "last_packet", "segments", "time", "first_time") == [
        (8, 2, 2, 1, 2000, 2000),
        (7, 3, 5, 3, 5000, 3000),
    ]
    assert made.told("stream", "direction", "framing", "version", "destination_wport") == [
        (0, 1, Framing.SWAPPED, 1, 16),
        (1, 1, Framing.SWAPPED, 1, 16),
    ]
    assert made.told("length", "size", "apdu_tag", "marks", "address") == [
        (2, 10, 0xC0, 0, ADDRESS),
        (22, 30, -1, 9, -1),
    ]
    extents = made.wpdus.extents
    assert extents["address"].tolist() == [ADDRESS, ADDRESS + 10, ADDRESS + 20]
    assert (extents["length"].tolist(), extents["packet"].tolist()) == ([10] * 3, [5, 3, 4])


@pytest.mark.parametrize(("side", "client", "direction"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 0)])
def test_directions_are_seen_from_the_client(side: int, client: int, direction: int) -> None:
    """0 is from it, whichever side of the flow it is."""
    made = tables(client)
    made.output.add_unit(0, side, unit(1, 0), 0)
    made.output.find(HOLE, 0, side, 0, 0, 1)
    made.output.flush(slice(0, 1))
    assert made.wpdus["direction"].tolist() == made.items["direction"].tolist() == [direction]


def test_extents_go_on_where_the_last_ones_ended() -> None:
    """Also over batches."""
    made = tables(0)
    made.output.add_unit(0, 0, unit(1, 1, 2), 2)
    made.output.flush(slice(0, 3))
    assert made.output.extents([7], [8], [9], 1) == 2
    made.output.add_unit(0, 0, unit(2, 3, 4, 5), 5)
    made.output.add_unit(0, 0, unit(3, 6, 7), 7)
    made.output.flush(slice(3, 8))
    assert made.wpdus["address"].tolist() == [-1, -4, -7]


@given(
    st.lists(st.tuples(st.integers(100, 120), st.booleans()), max_size=25), st.integers(0, 1), st.booleans()
)
def test_rows_stand_by_the_packets_that_made_them_known(
    parts: list[tuple[int, bool]], late: int, apart: bool
) -> None:
    """Those of the slow path before those of the fast one, which began after; each in its own order."""
    made = tables(0)
    base = 100 + 10 * late  # packets of earlier batches may make a row known, too
    fast = [(trigger, number) for number, (trigger, slow) in enumerate(parts) if not slow]
    for number, (trigger, slow) in enumerate(parts):
        if slow:
            made.output.add_unit(0, 0, unit(number, 50), trigger)
    for some in [fast[:3], fast[3:]] if apart else [fast]:
        made.output.add_rows(*fast_rows([number for _, number in some], [trigger for trigger, _ in some]))
    made.output.flush(slice(base, 121))
    order = sorted(range(len(parts)), key=lambda number: (parts[number][0], not parts[number][1], number))
    assert made.wpdus["source_wport"].tolist() == order


def test_rows_of_a_large_batch_are_sorted_too() -> None:
    """Also where numbers of packets do not fit into 16 bits."""
    made = tables(0)
    made.output.add_rows(*fast_rows([1, 2, 3], [70_000, 65_536, 5]))
    made.output.flush(slice(0, 80_000))
    assert made.wpdus["source_wport"].tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("units", "order"),
    [
        # What one packet makes known stands by the last packets of the WPDUs ...
        ([(0, 0, 4), (1, 0, 2)], [1, 0]),
        ([(0, 0, 2), (1, 0, 4)], [0, 1]),
        # ... but those of one direction as they stand there.
        ([(0, 0, 4), (0, 0, 2), (1, 0, 3)], [2, 0, 1]),
        ([(0, 0, 1), (0, 0, 4), (0, 1, 3)], [0, 2, 1]),
        ([(0, 0, 4), (1, 0, 4)], [0, 1]),
    ],
)
def test_what_one_packet_makes_known(units: list[tuple[int, int, int]], order: list[int]) -> None:
    """(stream, side, last packet) of each."""
    made = tables(0, 0)
    for number, (stream, side, last) in enumerate(units):
        made.output.add_unit(stream, side, unit(number, last), 9)
    made.output.flush(slice(0, 10))
    assert made.wpdus["source_wport"].tolist() == order


def test_nothing_found_is_no_row() -> None:
    """An empty slice behind the last row; what was flushed does not come again."""
    made = tables(0)
    made.output.add_rows(*fast_rows([], []))
    assert made.output.flush(slice(0, 5)) == slice(0, 0)
    made.output.add_unit(0, 0, unit(1, 2), 2)
    assert made.output.flush(slice(0, 5)) == slice(0, 1)
    assert made.output.flush(slice(5, 9)) == slice(1, 1)


def found(made: Made) -> list[tuple[str, int, int, int, int, int, int]]:
    names = ("stream", "direction", "packet", "start", "stop", "amount")
    columns = zip(*(made.items[name].tolist() for name in names), strict=True)
    return [(made.items.kind(row).word, *values) for row, values in enumerate(columns)]


def test_items_stand_by_packet_seen_from_the_client() -> None:
    """Found one by one or many at a time; the span goes as far as it was said to, or by its amount."""
    made = tables(0, 1)
    made.output.find(CONFLICT, 1, 0, 7, 10, 3, 50)
    made.output.find(CUT, 0, 1, 3, 5, 4)
    one, two = np.array([0, 1]), np.array([8, 2])
    made.output.find_many(
        RETRANSMISSION, one, one.astype(np.uint8), two, np.array([1, 2]), np.array([30, 40])
    )
    made.output.flush(slice(0, 9))
    assert found(made) == [
        ("retransmission", 1, 0, 2, 2, 42, 40),
        ("snap-length", 0, 1, 3, 5, 9, 4),
        ("conflict", 1, 1, 7, 10, 50, 3),
        ("retransmission", 0, 0, 8, 1, 31, 30),
    ]


def test_a_client_that_turns_out_later_turns_the_items_so_far() -> None:
    """Only those of its stream; those to come are seen from the new client anyway."""
    made = tables(0, 0)
    for stream in (0, 1):
        made.output.find(HOLE, stream, 0, 1, 0, 1)
    made.output.flush(slice(0, 2))
    made.streams["client_side"][0] = 1
    made.output.turn_round(0)
    made.output.find(HOLE, 0, 0, 3, 0, 1)
    made.output.flush(slice(2, 4))
    assert made.items["direction"].tolist() == [1, 0, 1]


def test_spans_move_with_the_first_octet() -> None:
    """Those found before the move, in this batch and in earlier ones; of one side of one stream."""
    made = tables(0, 0)
    for stream, side in ((0, 0), (0, 1), (1, 0)):
        made.output.find(HOLE, stream, side, 1, 10, 3)
    made.output.flush(slice(0, 2))
    made.output.find(HOLE, 0, 1, 2, 20, 3)
    made.output.move_spans(0, 1, 5)
    made.output.find(HOLE, 0, 1, 3, 30, 3)
    made.output.move_spans(0, 1, 2)
    made.output.find(HOLE, 0, 1, 4, 40, 3)
    made.output.flush(slice(2, 5))
    made.output.find(HOLE, 0, 1, 5, 50, 3)
    made.output.flush(slice(5, 6))
    assert made.items["start"].tolist() == [10, 17, 10, 27, 32, 40, 50]
    assert (made.items["stop"] - made.items["start"]).tolist() == [3] * 7


def test_octets_of_streams_and_of_datagrams() -> None:
    """The span counts in the stream, or in the datagram that is the packet."""
    made = tables(0, 0, protocols=(6, 17))
    made.output.find(HOLE, 0, 0, 1, 0, 1)
    made.output.find(CUT, 1, 0, 2, 0, 1)
    made.output.flush(slice(0, 3))
    assert made.items["source"].tolist() == [Source.STREAM, Source.DATAGRAM]


@pytest.mark.parametrize(
    ("kind", "column", "counted"),
    [
        (RETRANSMISSION, "retransmissions", 2),
        (OUT_OF_ORDER, "out_of_order", 2),
        (CONFLICT, "conflicts", 2),
        (HOLE, "missing_octets", 70),
        (CUT, "missing_octets", 70),
        (SKIPPED, "skipped_octets", 70),
        (TRAILING, "skipped_octets", 70),
        (NO_FRAME, "skipped_octets", 70),
        (KEEP_ALIVE, None, 0),
        (SEVERAL, None, 0),
        (CUT_FRAME, None, 0),
    ],
)
def test_items_are_counted_in_their_stream(kind, column: str | None, counted: int) -> None:
    """How many, or how many octets."""
    made = tables(0, 0)
    for packet, amount in enumerate((30, 40)):
        made.output.find(kind, 1, 0, packet, 0, amount)
    made.output.flush(slice(0, 2))
    for name in ("retransmissions", "out_of_order", "conflicts", "missing_octets", "skipped_octets"):
        assert made.streams[name].tolist() == [0, counted if name == column else 0]


def test_output_takes_tables_that_hold_rows_already() -> None:
    """New rows stand behind them."""
    made = tables(0)
    made.output.add_unit(0, 0, unit(1, 0), 0)
    made.output.flush(slice(0, 1))
    other = Output(made.streams, made.wpdus, made.items)
    other.add_unit(0, 0, unit(2, 1), 1)
    assert other.flush(slice(1, 2)) == slice(1, 2)
    assert made.wpdus["source_wport"].tolist() == [1, 2]
