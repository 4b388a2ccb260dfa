"""HTML pages of messages with their trees, pasted or captured, and what is known of each above its tree."""

from collections.abc import Iterator, Sequence

from cosemscope import __version__
from cosemscope.analysis.annotations import Comment
from cosemscope.analysis.associations.association import Look
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.summary import summarise
from cosemscope.apdu.tree_page import PageMessage, tree_page


def page_message(
    decoded: Decoded, look: Look, facts: Sequence[tuple[str, str]] = (), comments: Sequence[Comment] = ()
) -> PageMessage:
    """A message for a page: its info line, facts, comments, what is known of its protection."""
    known = [*facts, *((f"comment on packet {number}", text) for number, text in comments)]
    if look.openings:
        known.append(("security", look.verdict.value))
    return PageMessage(summarise(decoded, look.context), known, decoded)


def page_lines(title: str, remark: str, messages: Sequence[PageMessage]) -> Iterator[str]:
    """The lines of the page, with their ends, to be written as UTF-8."""
    return (f"{line}\n" for line in tree_page(title, remark, __version__, messages))
