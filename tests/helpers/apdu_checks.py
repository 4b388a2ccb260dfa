"""What holds for every tree that the decoder makes, whatever it was given."""

from cosemscope.apdu.fields import Decoded, Field, leaves, walk


def check_tree(decoded: Decoded, octets: bytes) -> None:
    """Leaves tile every source; children tile their parents; problems lie inside; the tree is bounded."""
    assert decoded.sources[0].data == octets
    for number, source in enumerate(decoded.sources):
        position = 0
        for leaf in leaves(decoded.root, number):
            assert leaf.start == position, (leaf, position)
            assert leaf.stop >= leaf.start
            position = leaf.stop
        assert position == len(source.data), (number, position, len(source.data))
    count = 0
    for field in walk(decoded.root):
        count += 1
        position = field.start
        for child in field.children:
            if child.source == field.source:
                assert child.start == position
                position = child.stop
        assert position in (field.start, field.stop)
        assert isinstance(field.text, str)
        assert len(field.text) < 2000
    assert count <= 8 * sum(len(source.data) for source in decoded.sources) + 314
    for problem in decoded.problems:
        assert 0 <= problem.start <= problem.stop <= len(decoded.sources[problem.source].data)
        assert problem.message


def at(root: Field, path: str) -> Field:
    """The field at a path of names parted by /; `name#2` is the second child of that name."""
    field = root
    for step in filter(None, path.split("/")):
        name, _, number = step.partition("#")
        named = [child for child in field.children if child.name == name]
        index = int(number) - 1 if number else 0
        assert len(named) > index, f"{path}: {field.name} has {[child.name for child in field.children]}"
        field = named[index]
    return field


def tree(field: Field, depth: int = 0) -> str:
    """A field and all below it as text, a line each: octets, name, value of a leaf, text in brackets.

    Octets in hex; a field of another source than the first has its number before the octets, as `1:0-4`.
    """
    value, source = field.value, f"{field.source}:" if field.source else ""
    line = f"{'  ' * depth}{source}{field.start}-{field.stop} {field.name}"
    if not field.children and value is not None and not isinstance(value, tuple):
        line += f" {value.hex() if isinstance(value, bytes) else value}"
    line += f" ({field.text})" if field.text else ""
    return "\n".join([line.rstrip(), *(tree(child, depth + 1) for child in field.children)])
