"""Names of fields of trees in filters: paths of names, the first that of an APDU or `tree`."""

from functools import cache

from cosemscope.apdu.names.tags import APDU_TAGS

#: Names of what all trees have: the names of their fields, their texts, and the beginning of any path.
TREE_FIELD, TREE_TEXT, TREE = "field", "text", "tree"


def tree_name(name: str) -> str:
    """The name of a field of a tree as filters have it: small letters, hyphens for all that is no letter."""
    known = _NAMES.get(name)
    if known is None:
        known = "-".join("".join(one if one.isalnum() else " " for one in name.lower()).split())
        if len(_NAMES) < _MOST_NAMES:
            _NAMES[name] = known
    return known


_NAMES: dict[str, str] = {}
_MOST_NAMES = 4096


@cache
def path_heads() -> tuple[str, ...]:
    """The names with which paths into trees begin."""
    return (TREE, *dict.fromkeys(tree_name(name) for name in APDU_TAGS.values()))


def tree_path(name: str) -> tuple[str, ...] | None:
    """The path into trees that a name is: of an APDU's name or `tree` and names below it; None for none."""
    head, *below = name.lower().split(".")
    if head not in path_heads():
        return None
    if head == TREE:
        return tuple(below) or None
    return (head, *below)
