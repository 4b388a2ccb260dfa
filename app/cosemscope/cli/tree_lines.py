"""The tree of fields that the window shows, as text for people or as JSON for scripts."""

import json
from collections.abc import Sequence

from cosemscope.analysis.annotations import Comment
from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.export.formats.tree_text import tree_lines
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.plain import plain_tree
from cosemscope.apdu.summary import summarise


def print_decoded(decoded: Decoded, look: Look, comments: Sequence[Comment] = (), *, as_json: bool) -> None:
    """Print a tree as text, its info line, comments and what is protected first, or as JSON."""
    if as_json:
        print(json.dumps(tree_object(decoded, look, comments), ensure_ascii=False, indent=2))
        return
    for line in tree_lines(decoded, look, comments):
        print(line)


def tree_object(decoded: Decoded, look: Look, comments: Sequence[Comment] = ()) -> dict[str, object]:
    """A tree for scripts: info line, verdict, inner APDU, comments, and the fields with their spans."""
    known: dict[str, object] = {
        "info": summarise(decoded, look.context),
        "security": look.verdict.value,
        "inner": apdu_name(look.inner) if look.inner >= 0 else None,
        "comments": [{"packet": number, "comment": text} for number, text in comments],
    }
    return known | plain_tree(decoded)
