"""The tree of fields that the window shows, as text for people or as JSON for scripts."""

import json
from collections.abc import Sequence

from cosemscope.analysis.annotations import Comment, plain_lines
from cosemscope.analysis.associations.association import Look
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.plain import plain_tree, text_lines
from cosemscope.apdu.summary import summarise


def print_decoded(decoded: Decoded, look: Look, comments: Sequence[Comment] = (), *, as_json: bool) -> None:
    """Print a tree as text, its info line, comments and what is protected first, or as JSON."""
    if as_json:
        print(json.dumps(tree_object(decoded, look, comments), ensure_ascii=False, indent=2))
        return
    print(summarise(decoded, look.context))
    if look.openings:
        print(f"security: {look.verdict.value}{f', {apdu_name(look.inner)}' if look.inner >= 0 else ''}")
    for number, text in comments:
        print(f"comment on packet {number}: {plain_lines(text)}")
    print()
    for line in text_lines(decoded):
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
