"""What is wrong with the capture itself: damage of its file, and packets that the capture lost."""

from cosemscope.analysis.annotations import dropped_of
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import Found, Rows, capture_check
from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Group, Severity, Source, Words, declare

DAMAGED = declare("damaged-file", Severity.ERROR, Group.FILE, "part of the file cannot be read")
declare("link-not-opened", Severity.WARNING, Group.FILE, "no IP is looked for in this kind of link")
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
    "IP datagrams of which not all fragments are in the capture: {amount}",
    "RFC 791, 3.2, and RFC 8200, 4.5",
)
def fragments(analysis: Analysis, rows: Rows) -> Found:
    """Datagrams that were never put together; their octets are in no stream."""
    incomplete = analysis.table.incomplete_datagrams
    return {"amount": incomplete} if incomplete else {}


def add_file_problems(analysis: Analysis, items: ExpertItems) -> None:
    """Add an item for each problem that reading the file met."""
    for offset, message, item in list(analysis.reader.problems):
        kind, words = KINDS.get(item, DAMAGED), items.number(Words(message))
        items.add(kind=kind.number, source=Source.FILE, start=offset, stop=offset, words=words)
