"""A conversation as a file: plain text, or a page of HTML with the client left and the meter right."""

from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from cosemscope.analysis.export.whole_file import WholeFile
from cosemscope.gui.panes.follow.followed_session import FollowedSession, is_trouble
from cosemscope.wording import clock

#: Lines between two words on how far it is.
_AT_ONCE = 64
_STYLE = """
:root { color-scheme: light dark }
body { font: 14px/1.4 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
p { margin: 3px 0; padding: 4px 10px; border-radius: 8px; width: fit-content; max-width: 80% }
p { overflow-wrap: anywhere }
.client { background: #8881; margin-right: auto }
.meter { background: #0a8a; background: color-mix(in srgb, #0f6b80 18%, transparent); margin-left: auto }
.error { outline: 2px solid #c0342b }
.unanswered { outline: 2px solid #b8740a }
small { opacity: .7; white-space: nowrap }
"""


def save_session(
    path: Path,
    conversation: FollowedSession,
    text: Callable[[int], str],
    tell: Callable[[int, int], None],
    *,
    sources: tuple[Path, ...] = (),
) -> int:
    """Write all WPDUs of a conversation into a file, as HTML where its name ends so; returns their number.

    `text` gives the words of a WPDU row. `tell` hears how far it is and may raise Cancelled: there is no file
    then. Raises ExportError where it cannot be written, CaptureError and OSError where the capture cannot be
    read.
    """
    form = _html if path.suffix.lower() in (".html", ".htm") else _plain
    with WholeFile(path, sources) as file:
        for line in form(conversation, text, tell):
            file.write(line.encode())
    return len(conversation.rows)


def _told(
    conversation: FollowedSession, text: Callable[[int], str], tell: Callable[[int, int], None]
) -> Iterator[tuple[int, str, str]]:
    """Place, delay and words of each WPDU."""
    rows = conversation.rows.tolist()
    for place, row in enumerate(rows):
        if place % _AT_ONCE == 0:
            tell(place, len(rows))
        yield place, conversation.delay(place, place - 1), text(row)


def _plain(
    conversation: FollowedSession, text: Callable[[int], str], tell: Callable[[int, int], None]
) -> Iterator[str]:
    yield f"client  {conversation.client}\nmeter   {conversation.server}\n\n"
    for place, delay, words in _told(conversation, text, tell):
        who = "client" if conversation.by_client.item(place) else "  meter"
        note = "  [not answered]" if conversation.unanswered.item(place) else ""
        number = conversation.rows.item(place) + 1
        time = clock(conversation.times.item(place))
        yield f"{number:>7}  {time}  {'+' + delay if delay else '':>9}  {who:<7}  {words}{note}\n"


def _html(
    conversation: FollowedSession, text: Callable[[int], str], tell: Callable[[int, int], None]
) -> Iterator[str]:
    title = escape(f"{conversation.client} ↔ {conversation.server}")
    yield f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{title}</title>\n"
    yield f"<style>{_STYLE}</style>\n"
    yield f"<h1>{title}</h1>\n"
    for place, delay, words in _told(conversation, text, tell):
        classes = ["client" if conversation.by_client.item(place) else "meter"]
        classes += ["error"] if is_trouble(conversation, place) else []
        classes += ["unanswered"] if conversation.unanswered.item(place) else []
        number = conversation.rows.item(place) + 1
        small = f"{number} · {clock(conversation.times.item(place))}{' · +' + delay if delay else ''}"
        yield f"<p class='{' '.join(classes)}'>{escape(words)}<br><small>{escape(small)}</small></p>\n"
    yield "</html>\n"
