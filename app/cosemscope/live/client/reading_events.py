"""The events of commands that ask a meter, beside those of every link; their fields are the keys of JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import DATE_TIME, moment, plausible_date_time
from cosemscope.apdu.names.blue_book import class_name, dotted
from cosemscope.application.object_model.object_lists import AccessRight, ObjectEntry
from cosemscope.application.object_model.unit_values import UnitValue
from cosemscope.capture.events import Event, Trouble, Vocabulary
from cosemscope.live.client.value_words import plain_json, reference_words, value_text
from cosemscope.live.commands.live_events import ApduDiscarded, Connecting, LinkKept


def _cell(value: UnitValue, text: str) -> object:
    """A value of a row for programs: a number, a time in ISO 8601, or its text."""
    if value.number is not None:
        return float(value.number)
    plain = value.value.plain if value.value is not None else None
    if isinstance(plain, int | float | str):
        return plain
    is_time = isinstance(plain, bytes) and len(plain) == DATE_TIME.size and plausible_date_time(plain)
    time = moment(plain) if is_time else None  # type: ignore[arg-type]  # octets
    return text if time is None else time.isoformat()


@dataclass(frozen=True, kw_only=True)
class Associated(Event):
    """The association is there: the meter's system title (hex), services and PDU size agreed."""

    word = "associated"
    remote: str
    server_title: bytes | None = None
    conformance: int
    max_pdu_size: int


@dataclass(frozen=True, kw_only=True)
class ValueRead(Event):
    """An attribute was read: `value` as JSON has it, `number` scaled, in `unit`, `text` for people.

    Of one that the meter refused `error` says why and `result` is the code of the standard.
    """

    word = "value"
    class_id: int
    obis: str
    attribute: int
    name: str
    value: object = None
    type: str | None = None
    number: float | None = None
    unit: str | None = None
    text: str | None = None
    error: str | None = None
    result: int | None = None
    response_ms: float | None = None

    @classmethod
    def of(cls, value: UnitValue, seconds: float | None = None) -> "ValueRead":
        """The event about a value; `seconds` is how long the answer took."""
        refused = value.refusal
        return cls(
            class_id=value.reference.class_id,
            obis=dotted(value.reference.instance),
            attribute=value.reference.member,
            name=reference_words(value.reference),
            value=plain_json(value.value.plain) if value.value is not None else None,
            type=value.value.type_name if value.value is not None else None,
            number=float(value.number) if value.number is not None else None,
            unit=value.unit or None,
            text=None if refused else value_text(value),
            error=str(refused) if refused else None,
            result=refused.code if refused else None,
            response_ms=None if seconds is None else round(seconds * 1e3, 3),
        )


@dataclass(frozen=True, kw_only=True)
class ObjectListed(Event):
    """An object of the association: rights by the number of the attribute or method, as "read-and-write"."""

    word = "object"
    class_id: int
    class_name: str
    version: int
    obis: str
    name: str
    attributes: object
    methods: object

    @classmethod
    def of(cls, entry: ObjectEntry) -> "ObjectListed":
        """The event about an entry of an object list."""
        return cls(
            class_id=entry.class_id,
            class_name=class_name(entry.class_id),
            version=entry.version,
            obis=dotted(entry.instance),
            name=reference_words(entry.attribute(2)),
            attributes={str(number): _right(right) for number, right in entry.attributes.items()},
            methods={str(number): _right(right) for number, right in entry.methods.items()},
        )


def _right(right: AccessRight) -> str:
    words = [
        word
        for word, has in (("read", right.readable), ("write", right.writable), ("call", right.callable_))
        if has
    ]
    allowed = "-and-".join(words) or "none"
    return f"{allowed}, {' and '.join(right.protected)}" if right.protected else allowed


@dataclass(frozen=True, kw_only=True)
class DeviceListed(Event):
    """A logical device behind the address: its SAP, which is its wPort, and its name."""

    word = "device"
    wport: int
    name: str


@dataclass(frozen=True, kw_only=True)
class ProfileBegun(Event):
    """Rows of a profile follow: `titles` and `units` of its columns."""

    word = "profile"
    obis: str
    titles: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileRow(Event):
    """A row: `values` are scaled numbers, or texts where there is no number; `texts` are for people."""

    word = "row"
    values: tuple[object, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, row: Sequence[UnitValue]) -> "ProfileRow":
        """The event about a row."""
        texts = tuple(map(value_text, row))
        return cls(values=tuple(map(_cell, row, texts)), texts=texts)


@dataclass(frozen=True, kw_only=True)
class ProfileEnded(Event):
    """That was all of the profile; `problems` are sentences on rows that were left out."""

    word = "profile-end"
    rows: int
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReadingStatistics(Event):
    """How `asked` readings went: answered, lost, slower than the threshold; response times in ms."""

    word = "statistics"
    asked: int
    answered: int
    lost: int
    slow: int
    least_ms: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None
    most_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class MeterChanged(Event):
    """A "set" or an "act" (a method) was done: on what, and in `text` what was sent, or what came of it."""

    word = "changed"
    service: str
    class_id: int
    obis: str
    member: int
    name: str
    text: str

    @classmethod
    def of(cls, service: str, reference: Reference, text: str) -> "MeterChanged":
        """The event about a change."""
        return cls(
            service=service,
            class_id=reference.class_id,
            obis=dotted(reference.instance),
            member=reference.member,
            name=reference_words(reference),
            text=text,
        )


@dataclass(frozen=True, kw_only=True)
class ImageProgress(Event):
    """So many blocks of an image are in the meter, of how many."""

    word = "image"
    blocks: int
    of: int


@dataclass(frozen=True, kw_only=True)
class StepDone(Event):
    """A step of a sequence is done: its number from 1 on, and what it was in words."""

    word = "step"
    number: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Remarked(Event):
    """Something odd, or something that the meter told unasked, in a sentence."""

    word = "remark"
    message: str


READING_EVENTS: Vocabulary[Event] = Vocabulary(
    "event",
    Connecting,
    Associated,
    ValueRead,
    ObjectListed,
    DeviceListed,
    ProfileBegun,
    ProfileRow,
    ProfileEnded,
    ReadingStatistics,
    MeterChanged,
    ImageProgress,
    StepDone,
    Remarked,
    ApduDiscarded,
    LinkKept,
    Trouble,
)
