"""What is right is not alarmed: sessions that break no rule have no items but chat."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.run import find_items
from cosemscope.streams.tables.expert_items import KINDS, Severity
from tests.helpers import traffic_apdus as a
from tests.helpers.planted_faults import Plot
from tests.helpers.wire import Wire, analyse, wpdu

SET = a.set_request(0x81, 1, "0.0.96.1.0.255", 2, a.unsigned(4))
COUNT = a.double_long_unsigned(5)


def _unconfirmed_sets(plot: Plot) -> None:
    plot.associate()
    plot.up(SET, SET)
    plot.read()
    plot.up(SET)
    plot.release()


def _pushes_under_one_number(plot: Plot) -> None:
    for _ in range(3):
        push = a.data_notification(1, b"", a.structure(a.octet_string(a.obis("1.0.1.8.0.255")), COUNT))
        plot.wire.udp(plot.meter, plot.client, wpdu(push, 1, 64))


def _blocks_asked_for_again(plot: Plot) -> None:
    data = a.octet_string(b"x" * 58)
    plot.associate()
    plot.up(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
    plot.down(a.get_block(0xC1, False, 1, data[:20]))
    plot.up(a.get_next(0xC1, 1), a.get_next(0xC1, 1))
    plot.down(a.get_block(0xC1, False, 2, data[20:40]))
    plot.up(a.get_next(0xC1, 2))
    plot.down(a.get_block(0xC1, True, 3, data[40:]))
    plot.up(a.set_first_block(0xC1, 1, "0.0.96.1.0.255", 2, data[:20]))
    plot.down(a.set_block_response(0xC1, 1))
    plot.up(a.set_block(0xC1, False, 2, data[20:40]))
    plot.down(a.set_block_response(0xC1, 2))
    plot.up(a.set_block(0xC1, True, 3, data[40:]))
    plot.down(a.set_last_block_response(0xC1, 3))
    plot.release()


def _heartbeats_in_a_row(plot: Plot) -> None:
    """Many before the first WPDU, some between others, from both sides, and many behind the last one."""
    plot.tcp.handshake()
    for times in (4, 1, 2):
        for _ in range(times):
            plot.tcp.say(0, b"\1\2\3\4")
            plot.tcp.say(1, b"\6")
        plot.up(a.aarq())
        plot.down(a.aare())
        plot.up(a.RLRQ)
        plot.down(a.RLRE)
    for _ in range(9):
        plot.tcp.say(0, b"\1\2\3\4")


RIGHT: dict[str, Callable[[Plot], None]] = {
    "SETs that want no answer, under one invoke-id": _unconfirmed_sets,
    "blocks, of which one was asked for again": _blocks_asked_for_again,
    "heartbeats in a row": _heartbeats_in_a_row,
    "pushes under one number": _pushes_under_one_number,
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_alarmed(name: str, tmp_path: Path) -> None:
    """No note, no warning, no error."""
    plot = Plot(Wire(), 1)
    RIGHT[name](plot)
    associations = Associations(analyse(plot.wire, tmp_path))
    find_items(associations, workers=1)
    by_number = {kind.number: kind for kind in KINDS.values()}
    items = associations.analysis.expert_items
    assert items["packet"].max(initial=0) < len(plot.wire.packets)
    kinds = [by_number[number] for number in items["kind"].tolist()]
    assert [kind.word for kind in kinds if kind.severity > Severity.CHAT] == []
