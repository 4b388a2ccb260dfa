"""Blocks of transfers in the table of exchanges: which are counted, and whether one of them lacks."""

from pathlib import Path

import pytest

from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

RAW = b"\0" * 20


@pytest.mark.parametrize("records", [1, 65_536])
@pytest.mark.parametrize(
    ("numbers", "blocks", "status"),
    [
        ((1, 2, 3), 3, "answered"),
        ((1, 2, 2, 3), 3, "answered"),  # asked for again, and sent again
        ((1, 1, 3), 2, "unfinished"),  # one that came again is none of those that lack
        ((1, 3), 2, "unfinished"),
        ((0, 1, 2), 3, "answered"),  # some count from 0
    ],
)
def test_a_block_that_came_again_counts_once(
    numbers: tuple[int, ...], blocks: int, status: str, records: int, tmp_path: Path
) -> None:
    """However the capture is read: each block of a side once, so that one that lacks is missed."""
    tcp = Tcp(Wire()).handshake()
    tcp.say(0, wpdu(a.get_request(0xC1, 7, "1.0.99.1.0.255")))
    for number in numbers:
        last = number == max(numbers)
        tcp.say(1, wpdu(a.get_block(0xC1, last, number, RAW), 1, 16))
        if not last:
            tcp.say(0, wpdu(a.get_next(0xC1, number)))
    facts = capture_facts(analyse(tcp.wire, tmp_path, records=records))
    assert facts.table["blocks"].tolist() == [blocks]
    assert [ExchangeStatus(one).word for one in facts.statuses] == [status]


@pytest.mark.parametrize(("lost", "status"), [(False, "answered"), (True, "unfinished")])
def test_blocks_of_both_sides_are_counted_by_themselves(lost: bool, status: str, tmp_path: Path) -> None:
    """An ACTION may have parameter and answer in blocks: those of the one make up for none of the other."""
    tcp = Tcp(Wire()).handshake()
    for last, number in ((0, 1), (0, 2), (1, 3)):
        descriptor = a.attribute(18, "0.0.44.0.0.255", 1) if number == 1 else b""
        choice = 4 if number == 1 else 6
        block = bytes((last, 0, 0, 0, number)) + a.sized(RAW)
        tcp.say(0, wpdu(bytes((0xC3, choice, 0xC1)) + descriptor + block))
        if not last:
            tcp.say(1, wpdu(bytes((0xC7, 4, 0xC1, 0, 0, 0, number)), 1, 16))
    for last, number in ((0, 1), (1, 3)) if lost else ((0, 1), (1, 2)):
        tcp.say(1, wpdu(bytes((0xC7, 2, 0xC1, last, 0, 0, 0, number)) + a.sized(RAW), 1, 16))
        if not last:
            tcp.say(0, wpdu(bytes((0xC3, 2, 0xC1, 0, 0, 0, number))))
    facts = capture_facts(analyse(tcp.wire, tmp_path))
    assert facts.table["blocks"].tolist() == [5]
    assert [ExchangeStatus(one).word for one in facts.statuses] == [status]
