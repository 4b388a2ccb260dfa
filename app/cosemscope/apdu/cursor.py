"""A place in a byte source, and the tree that grows as it moves: every read makes the field of what it read.

`open` and `close` make a field with children, everything else makes leaves, so the leaves tile whatever was
passed over. A read that cannot be done raises `Break`, which `enclosed` turns into a problem and one
`undecoded` field: nothing escapes from this package. All sizes are checked against `end` before use.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cosemscope.apdu.context import Context, Reference
from cosemscope.apdu.fields import ByteSource, Field, Problem
from cosemscope.apdu.names.texts import hex_text

#: Structures and arrays may nest this deep (real APDUs: about 6), APDUs in APDUs that deep.
MAX_DEPTH = 64
MAX_LAYERS = 8

AXDR = "IEC 61334-6 (A-XDR), length"

_new = tuple.__new__
_NO_TEXTS: dict[int, str] = {}


class Break(Exception):  # noqa: N818 -- not an error of the program: the octets end or make no sense here
    """The end of decoding at `start`: the message names the octets expected and the octets found."""

    def __init__(self, start: int, stop: int, message: str, clause: str = "") -> None:
        super().__init__(message)
        self.start = start
        self.stop = stop
        self.message = message
        self.clause = clause


class Session:
    """The state that all byte sources of one decoding share: problems, sources, context and limits."""

    __slots__ = (
        "context",
        "expansion",
        "joined",
        "layers",
        "problems",
        "read_apdu",
        "references",
        "sources",
        "title",
        "untagged",
    )

    def __init__(self, context: Context, sources: list[ByteSource], read_apdu: "Step") -> None:
        self.context = context
        #: what reads an APDU inside an APDU
        self.read_apdu = read_apdu
        self.sources = sources
        self.problems: list[Problem] = []
        self.layers = 0
        #: fields that compact arrays may still expand to: their types can be longer than their contents
        self.expansion = 250 + 4 * sum(len(source.data) for source in sources)
        #: what the data to come belong to: descriptors of this APDU, or of the request it answers
        self.references: tuple[Reference, ...] = context.request.references if context.request else ()
        #: the blocks of this APDU joined, until they are put below their last one
        self.joined = context.joined
        #: system title of the sender, where this APDU says it
        self.title: bytes | None = None
        #: whether structures may hold attribute descriptors without tags, as some pushes do
        self.untagged = False


class Cursor:
    """Reads one byte source from `position` to `end`, making fields; see the module."""

    __slots__ = ("children", "clause", "data", "end", "position", "session", "source", "stack")

    def __init__(self, data: bytes, session: Session, source: int = 0) -> None:
        self.data = data
        self.position = 0
        self.end = len(data)
        self.session = session
        self.source = source
        #: fields of the innermost open field, and (name, start, fields) of those around it
        self.children: list[Field] = []
        self.stack: list[tuple[str, int, list[Field]]] = []
        #: what the problems cite
        self.clause = ""

    # Fields with children.

    def open(self, name: str) -> None:
        """Begin a field with children at the current octet."""
        self.stack.append((name, self.position, self.children))
        self.children = []

    def close(self, value: Any = None, text: str = "") -> None:
        """End the field begun last, at the current octet."""
        name, start, outer = self.stack.pop()
        field = _new(Field, (name, value, start, self.position, tuple(self.children), text, self.source))
        outer.append(field)
        self.children = outer

    def enclosed(self, name: str, stop: int, read: "Reader", *, what: str = "") -> bool:
        """A field from here to `stop`, whatever its octets are; `read` reads the children, as in `region`."""
        self.open(name)
        value, text, well = self.region(stop, read, what or name)
        self.close(value, text)
        return well

    def region(self, stop: int, read: "Reader", what: str) -> tuple[Any, str, bool]:
        """The rest of the open field up to `stop`, whatever its octets are; `read` reads the children.

        A break inside, or octets left over (`what` says of what), become a problem and an `undecoded`
        field, and reading goes on after `stop`. `read` may return (value, text) for the field; these come
        back, and whether all was well.
        """
        level, outer_end, outer_clause = len(self.stack), self.end, self.clause
        self.end = stop
        result: tuple[Any, str] | None = None
        well = True
        try:
            result = read(self)
        except Break as reason:
            well = False
            while len(self.stack) > level:
                self.close(None, _cut_text(self.children))
            self.problem(reason.start, reason.stop, reason.message, reason.clause or self.clause)
        left = stop - self.position
        if left > 0:
            if well:
                well = False
                message = f"expected the end of the {what}, found {left} octet{'s'[: left > 1]} more"
                self.problem(self.position, stop, message, self.clause, item="surplus-octets")
            self.end = stop
            self.leaf("undecoded", left)
        self.end, self.clause = outer_end, outer_clause
        value, text = result or (None, "" if well else "incomplete")
        return value, text, well

    def attempt(self, read: "Reader", stop: int, *, tolerant: bool = False) -> bool:
        """Whether `read` reads exactly to `stop` without a problem; if not, everything is as before.

        `tolerant`: only errors count, not what is odd but readable.
        """
        session, start, outer_end, clause = self.session, self.position, self.end, self.clause
        stack, children, count = list(self.stack), self.children, len(self.children)
        problem_count, source_count = len(session.problems), len(session.sources)
        shared = session.references, session.expansion, session.joined, session.title
        self.end = stop
        try:
            read(self)
            problems = session.problems[problem_count:]
            well = self.position == stop and not (
                any(problem.severity == "error" for problem in problems) if tolerant else problems
            )
        except Break:
            well = False
        self.end = outer_end
        if not well:
            self.position, self.clause = start, clause
            self.stack, self.children = stack, children
            del children[count:]
            del session.problems[problem_count:]
            del session.sources[source_count:]
            session.references, session.expansion, session.joined, session.title = shared
        return well

    def nested_apdu(self) -> Field:
        """The field of an APDU inside this one, from the current octet to the end."""
        session = self.session
        session.layers += 1
        session.read_apdu(self)
        session.layers -= 1
        return self.children[-1]

    # Leaves.

    def leaf(self, name: str, size: int, value: Any = None, text: str = "") -> bytes:
        """The next `size` octets as one leaf; its value is `value`, or the octets where that is None."""
        start = self.position
        stop = start + size
        if stop > self.end:
            raise self.missing(name, size)
        octets = self.data[start:stop]
        self.position = stop
        if value is None:
            value = octets
        self.children.append(_new(Field, (name, value, start, stop, (), text, self.source)))
        return octets

    def u8(self, name: str, texts: Mapping[int, str] = _NO_TEXTS) -> int:
        """One octet, unsigned, with its text out of `texts`."""
        start = self.position
        if start >= self.end:
            raise self.missing(name, 1)
        value = self.data[start]
        self.position = start + 1
        self.children.append(
            _new(Field, (name, value, start, start + 1, (), texts.get(value, ""), self.source))
        )
        return value

    def code(self, name: str, texts: Mapping[int, str], what: str = "") -> int:
        """One octet with a text in `texts`; any other octet is a warning, which calls it `what` or `name`."""
        value = self.u8(name, texts)
        if value not in texts:
            at = self.position - 1
            sentence = f"{what or name} at offset {at}: {value} is not defined"
            self.warn(at, self.position, sentence, item="undefined-code")
        return value

    def uint(self, name: str, size: int, text: str = "") -> int:
        """An unsigned integer of `size` octets, most significant first."""
        start = self.position
        stop = start + size
        if stop > self.end:
            raise self.missing(name, size)
        value = int.from_bytes(self.data[start:stop], "big")
        self.position = stop
        self.children.append(_new(Field, (name, value, start, stop, (), text, self.source)))
        return value

    def octets(self, name: str, text: str | Callable[[bytes], str] = "") -> bytes:
        """An octet string, length first: a field `name` of `length` and `value`, whose text `text` gives."""
        self.open(name)
        value = self.leaf("value", self.length())
        words = text(value) if callable(text) else text
        if words:
            self.children[-1] = self.children[-1]._replace(text=words)
        self.close(value, words or hex_text(value) or "empty")
        return value

    def length(self, name: str = "length", clause: str = AXDR) -> int:
        """The length of the octets that follow, in short or long form, checked against the octets at hand.

        Raises Break when more is promised than remains.
        """
        start = self.position
        value = self.count(name, clause)
        if value > self.end - self.position:
            raise Break(
                start,
                self.end,
                f"{name} at offset {start} says {value} octets, {self.end - self.position} remain",
                clause,
            )
        return value

    def count(self, name: str = "count", clause: str = AXDR) -> int:
        """A number in the coding of lengths, not checked against anything."""
        start = self.position
        if start >= self.end:
            raise self.missing(name, 1)
        value = self.data[start]
        if value < 0x80:
            stop = start + 1
        else:
            size = value - 0x80
            if not 1 <= size <= 4:
                raise Break(
                    start,
                    start + 1,
                    f"expected a {name} (00 to 7F, or 81 to 84 and that many octets) at offset {start}, "
                    f"found 0x{value:02X}",
                    clause,
                )
            stop = start + 1 + size
            if stop > self.end:
                raise self.missing(name, 1 + size)
            value = int.from_bytes(self.data[start + 1 : stop], "big")
        self.position = stop
        self.children.append(_new(Field, (name, value, start, stop, (), "", self.source)))
        return value

    def possible(self, count: int) -> int:
        """The number of `count` elements that the octets at hand can hold, one octet each at least."""
        return min(count, self.end - self.position)

    # Problems.

    def too_many(self, count: int, read: int) -> Break:
        """The Break for octets that end exactly after `read` of `count` elements of the open field."""
        field = next(child for child in self.children if child.name == "count")
        return Break(
            field.start,
            field.stop,
            f"count at offset {field.start} says {count} elements, the octets end after {read}",
        )

    def missing(self, name: str, size: int) -> Break:
        """The Break for a source, or a part of a source, that ends before `size` octets of `name`."""
        left = self.end - self.position
        found = "the octets end" if left <= 0 else f"only {left} remain{'s'[: left == 1]}"
        return Break(
            self.position,
            self.end,
            f"expected {size} octet{'s'[: size != 1]} of {name} at offset {self.position}, {found}",
        )

    def unexpected(self, name: str, value: int, expected: str, offset: int | None = None) -> Break:
        """The Break for the octet just read, or the octet at `offset`, with a `value` other than expected."""
        start = self.position - 1 if offset is None else offset
        return Break(
            start,
            start + 1,
            f"expected {expected} as {name} at offset {start}, found {value} (0x{value:02X})",
        )

    def problem(
        self, start: int, stop: int, message: str, clause: str = "", severity: str = "error", item: str = ""
    ) -> None:
        """Note a problem in this byte source; without `clause`, that of the part being read is cited."""
        cited = clause or self.clause
        self.session.problems.append(Problem(start, stop, message, cited, severity, self.source, item))

    def warn(self, start: int, stop: int, message: str, clause: str = "", item: str = "") -> None:
        """Note something odd that can be read nevertheless."""
        self.problem(start, stop, message, clause, "warning", item)


def _cut_text(fields: list[Field]) -> str:
    """The text of a field that broke off: of an array or structure, how many elements it should have."""
    if len(fields) > 1 and fields[0].name == "tag" and fields[1].name == "count":
        return f"{fields[0].text} of {fields[1].value}, incomplete"
    return "incomplete"


#: Reads one part of an APDU.
Step = Callable[[Cursor], Any]
#: Reads the children of a field; may return the field's value and text.
Reader = Callable[[Cursor], tuple[Any, str] | None]
