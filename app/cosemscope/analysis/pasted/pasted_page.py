"""The HTML page of a pasted text: its messages, who sent each and when, and what was left out of the text."""

from collections.abc import Iterator, Sequence

from cosemscope.analysis.pasted.pasted_trees import PastedTree
from cosemscope.analysis.tree_pages import page_lines, page_message
from cosemscope.apdu.pasted.pieces import Pasted


def pasted_page(trees: Sequence[PastedTree], pasted: Pasted) -> Iterator[str]:
    """The lines of the page, with their ends, to be written as UTF-8."""
    messages = [page_message(tree.decoded, tree.look, _facts(tree)) for tree in trees]
    title = messages[0].line if len(messages) == 1 else f"{len(messages)} messages"
    return page_lines(title, pasted.remark, messages)


def _facts(tree: PastedTree) -> list[tuple[str, str]]:
    """Who sent a message, and when, as far as the text tells."""
    facts = [("time", tree.time)] if tree.time else []
    return [*facts, ("from", f"the {tree.sender.value}")]
