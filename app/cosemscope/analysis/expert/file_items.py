"""What is wrong with the capture itself: damage of its file, and packets that the capture lost."""

from cosemscope.analysis.annotations import dropped_of
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.capture.packets.unopened import Unopened
from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Group, Severity, Source, Words, declare
from cosemscope.streams.tables.stream_kinds import NO_FRAGMENT
from cosemscope.wording import count

DAMAGED = declare("damaged-file", Severity.ERROR, Group.FILE, "part of the file cannot be read")
declare("link-not-opened", Severity.WARNING, Group.FILE, "no IP is looked for in this kind of link")
NOT_OPENED = declare(
    "encapsulation-not-opened", Severity.NOTE, Group.FILE, "no IP is looked for in an encapsulation"
)
declare("octets-removed", Severity.NOTE, Group.FILE, "the ring has removed the octets of a WPDU")
declare("files-removed", Severity.WARNING, Group.FILE, "files of the ring were removed unread")


@capture_check("dropped-packets", Severity.WARNING, Group.FILE, "the capture lost {amount} packets")
def dropped(analysis: Analysis, rows: Rows) -> Found:
    """The capturing program counted packets that it dropped."""
    lost = dropped_of(analysis.reader)
    return {"amount": lost} if lost else {}


@capture_check(
    "fragments-missing",
    Severity.WARNING,
    Group.FILE,
    "IP datagrams that are left out, since fragments of them are not in the capture: {amount}",
    "RFC 791, 3.2, and RFC 8200, 4.5",
)
def fragments(analysis: Analysis, rows: Rows) -> Found:
    """Datagrams that were never put together; those whose beginnings are in a stream are told there."""
    left_out = analysis.table.incomplete_datagrams - analysis.stream_items.count(NO_FRAGMENT)
    return {"amount": left_out} if left_out > 0 else {}


def add_file_problems(analysis: Analysis, items: ExpertItems) -> None:
    """Add an item for each problem that reading the file met, and each encapsulation that is not opened."""
    for offset, message, item in list(analysis.reader.problems):
        kind, words = KINDS.get(item, DAMAGED), items.number(Words(message))
        items.add(kind=kind.number, source=Source.FILE, start=offset, stop=offset, words=words)
    for number, (packets, first) in sorted(analysis.table.unopened.items()):
        message = f"no IP is looked for in {Unopened(number).label}: {count(packets, 'packet')}"
        items.add(kind=NOT_OPENED.number, packet=first, amount=packets, words=items.number(Words(message)))
