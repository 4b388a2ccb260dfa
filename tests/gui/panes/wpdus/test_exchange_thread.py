"""The thread of the current exchange: which rows have an arrow, which the line, and that it is drawn."""

from pathlib import Path

from PySide6.QtCore import Qt

from cosemscope.gui.frame.window import SAMPLE
from cosemscope.gui.panes.wpdus.exchange_thread import NO_THREAD, ThreadSign, thread_of
from cosemscope.resources import resource
from tests.helpers.shared import shared

_ASKS, _ANSWERS, _ABOVE, _BELOW = (
    ThreadSign.ASKS,
    ThreadSign.ANSWERS,
    ThreadSign.ABOVE,
    ThreadSign.BELOW,
)


def test_request_and_answer_are_joined_over_what_stands_between(open_in, qtbot):
    """From either end; a row alone has none; the table draws other pixels where the thread is."""
    window = open_in(resource(SAMPLE))
    table, traffic = window.workspace.table, window.workspace.traffic
    of = traffic.analysis.exchanges.of["exchange"]
    exchanges = traffic.analysis.exchanges
    apart = [
        number
        for number in range(len(exchanges))
        if exchanges["response"].item(number) > exchanges["request"].item(number) + 1 >= 1
    ]
    number = apart[0]
    request, response = exchanges["request"].item(number), exchanges["response"].item(number)
    thread = thread_of(traffic, request)
    assert thread == thread_of(traffic, response)
    assert thread.sign(request) == _BELOW | _ASKS
    assert thread.sign(request + 1) == _ABOVE | _BELOW
    assert thread.sign(response) == _ABOVE | _ANSWERS
    assert thread.sign(request - 1) == thread.sign(response + 1) == ThreadSign.NOTHING
    lonely = next(row for row in range(traffic.total) if (of == of.item(row)).sum() == 1)
    assert thread_of(traffic, lonely).sign(lonely) == ThreadSign.NOTHING
    table.select_row(lonely)
    before = table.viewport().grab().toImage()
    table.select_row(request)
    table.clearSelection()
    qtbot.wait(50)
    assert table.viewport().grab().toImage() != before
    assert table._thread == thread


def test_blocks_have_arrows_of_their_own(open_in):
    """A transfer in blocks: each get-next asks, each block answers."""
    window = open_in(Path(shared("captures/Output.pcap")))
    traffic = window.workspace.traffic
    exchanges = traffic.analysis.exchanges
    number = int(exchanges["blocks"][: len(exchanges)].argmax())
    assert exchanges["blocks"].item(number) >= 2
    thread = thread_of(traffic, exchanges["request"].item(number))
    assert len(thread.asking) == len(thread.answering) == exchanges["blocks"].item(number)


def test_unanswered_requests_are_amber(open_in, qtbot):
    """The request that nobody answers has a background of its own, as soon as that is known."""
    window = open_in(resource("samples/faults.pcapng"))
    wpdus, traffic = window.workspace.table.wpdus, window.workspace.traffic
    qtbot.waitUntil(lambda: any(map(traffic.is_unanswered, range(traffic.total))), timeout=5000)
    (row,) = (row for row in range(traffic.total) if traffic.is_unanswered(row))
    colour = wpdus.index(row, 0).data(Qt.ItemDataRole.BackgroundRole).color()
    others = {
        wpdus.index(other, 0).data(Qt.ItemDataRole.BackgroundRole).color().name()
        for other in range(traffic.total)
        if other != row
    }
    assert colour.name() not in others


def test_an_exchange_that_another_thread_is_just_putting_together_has_no_thread(open_in):
    """Its row may be told before the WPDUs that it is made of."""
    traffic = open_in(resource(SAMPLE)).workspace.traffic
    exchanges = traffic.analysis.exchanges
    row = exchanges["request"].item(0)
    for name in ("request", "response", "last_request", "last_response"):
        exchanges[name][0] = -1
    assert thread_of(traffic, row) == NO_THREAD
