"""A meter as a script sees it: connect, read objects by name or logical name, write, act.

    from cosemscope.live import MeterAccess, connect_meter

    async with connect_meter("192.0.2.7", client=16) as meter:
        print((await meter.read("1.0.1.8.0.255")).text)          # "1234.56 kWh"

Blocks, lists, splitting to the negotiated size and scaler_units happen by themselves.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.apdu.names.blue_book import dotted, unit
from cosemscope.application.client.association_parameters import PUBLIC_CLIENT_WPORT
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import AssociationOpened, NotificationReceived
from cosemscope.application.client.counter_procedure import counter_name
from cosemscope.application.client.refusals import Refusal, at_client
from cosemscope.application.client.service_operations import (
    Get,
    Operation,
    PartResult,
    act,
    attribute,
    get,
    set_value,
)
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.service_parts import SelectiveAccess
from cosemscope.application.object_model.object_lists import (
    OBJECT_LIST,
    SAP_LIST,
    ObjectEntry,
    ReadList,
    SapEntry,
    object_list,
    sap_list,
)
from cosemscope.application.object_model.profile_rows import ProfileRows, capture_objects, profile_rows
from cosemscope.application.object_model.profile_selections import (
    BUFFER,
    CAPTURE_OBJECTS,
    CAPTURE_PERIOD,
    ENTRIES_IN_USE,
    PROFILE_CLASS,
    by_entries,
    by_range,
    last_entries,
)
from cosemscope.application.object_model.unit_values import (
    ScalerUnitPair,
    UnitValue,
    in_units,
    scaler_attribute,
    scalers_of,
    with_units,
)
from cosemscope.application.protection.sealing import LAST_COUNTER
from cosemscope.live.client.client_refused import MeterError, UnknownObjectError
from cosemscope.live.client.counter_book import CounterBook, CounterSpan
from cosemscope.live.client.linked_association import LinkedAssociation, Told
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.object_words import object_words, one_object, usual_class
from cosemscope.live.client.value_words import reference_words
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.live.links.udp_link import UdpLink, connect_udp
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.wports import DLMS_PORT, MANAGEMENT_LOGICAL_DEVICE

#: How the public client associates.
PUBLIC = MeterAccess()
_VALUE = 2
_ASSOCIATION_CLASS = 15
#: Counters that one request may take: its blocks each take one.
_MARGIN = 256
_DATA_CLASS = 1
_COUNTER = "invocation counter"
_LEARN = "learn the right one from the meter (--learn-counter)"


class MeterProfile(NamedTuple):
    """Rows of a profile with the units of their columns.

    `titles` name the columns, `units` are those of scaled numbers ("" for none); `rows` have a `UnitValue`
    for each column, oldest first; `problems` are sentences.
    """

    reference: Reference
    titles: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[UnitValue, ...], ...]
    problems: tuple[str, ...] = ()


class Meter:
    """One meter with which this client is associated. Made by `connect_meter`.

    Where an object is asked for, it is a logical name ("1.0.1.8.0.255", with "CLASS:" before it and
    ":ATTRIBUTE" behind it where wanted), a part of its name ("active energy import"), or a `Reference`.
    A class that is not said is that of the object list, which is read when it is first needed and allowed.
    All methods raise MeterError with a sentence; those that read many objects tell refusals in the values.
    """

    def __init__(
        self,
        association: LinkedAssociation,
        opened: AssociationOpened,
        objects: Sequence[ObjectEntry] = (),
        reserve: Callable[[int], None] | None = None,
    ) -> None:
        self.association = association
        self.opened = opened
        """What was negotiated: conformance, PDU size, the meter's system title."""
        self.known_objects = tuple(objects)
        self.list_value: Data | None = None
        """The object list as it was read, where it was."""
        self.problems: tuple[str, ...] = ()
        """Sentences on entries of the object list that were left out."""
        self.scalers: dict[Reference, ScalerUnitPair] = {}
        self._reserve = reserve
        self._listed = bool(objects)

    @property
    def last_seconds(self) -> float:
        """How long the answer to the last request took, in seconds."""
        return self.association.last_seconds

    # Reading.

    async def read(
        self,
        what: str | Reference,
        attribute: int = _VALUE,
        *,
        class_id: int | None = None,
        selection: SelectiveAccess | None = None,
    ) -> UnitValue:
        """One attribute with its unit. Raises MeterError where the meter refuses it."""
        reference = await self.reference(what, attribute, class_id)
        if selection is not None:
            (part,) = await self.ask(get(reference, selection=selection))
            (value,) = in_units((reference,), (part,), self.scalers)
        else:
            (value,) = await self.read_references((reference,))
        if value.refusal is not None:
            raise MeterError(
                value.refusal._replace(words=f"{reference_words(reference)}: {value.refusal.words}")
            )
        return value

    async def read_many(
        self, whats: Iterable[str | Reference], attribute: int = _VALUE
    ) -> tuple[UnitValue, ...]:
        """Many attributes, in as few requests as they fit in; a refused one has its `refusal`."""
        return await self.read_references([await self.reference(what, attribute) for what in whats])

    async def read_references(self, references: Sequence[Reference]) -> tuple[UnitValue, ...]:
        """The same for references; scaler_units that are not known yet are read along."""
        results = await self.ask(with_units(references, self.scalers))
        self.scalers |= scalers_of(results)
        return in_units(references, results, self.scalers)

    async def read_data(self, reference: Reference) -> Data:
        """An attribute as it comes, without a unit."""
        (part,) = await self.ask(get(reference))
        if part.value is None:
            raise MeterError(_named(part))
        return part.value

    async def profile(
        self,
        what: str | Reference,
        *,
        last: int | None = None,
        first_entry: int | None = None,
        last_entry: int = 0,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> MeterProfile:
        """Rows of a Profile generic: the `last` n, by entries (the first is 1), by time, or all there are.

        A time without a zone is local time of the meter.
        """
        reference = await self.reference(what, BUFFER, PROFILE_CLASS)
        columns_at, period_at, in_use_at = (
            reference._replace(member=member) for member in (CAPTURE_OBJECTS, CAPTURE_PERIOD, ENTRIES_IN_USE)
        )
        columns_part, period_part, in_use_part = await self.ask(get(columns_at, period_at, in_use_at))
        if columns_part.value is None:
            raise MeterError(_named(columns_part))
        columns = capture_objects(columns_part.value)
        period = period_part.value.plain if period_part.value is not None else 0
        selection = None
        if last is not None:
            in_use = in_use_part.value.plain if in_use_part.value is not None else None
            if not isinstance(in_use, int):
                raise MeterError(_named(in_use_part))
            if in_use == 0:
                return self._table(reference, ProfileRows(columns, ()))
            selection = last_entries(last, in_use)
        elif first_entry is not None:
            selection = by_entries(first_entry, last_entry)
        elif since is not None or until is not None:
            selection = by_range(since or datetime(2000, 1, 1), until or datetime(2098, 12, 31))
        (part,) = await self.ask(get(reference, selection=selection))
        if part.value is None:
            raise MeterError(_named(part))
        rows = profile_rows(part.value, columns, period if isinstance(period, int) else 0)
        await self._learn_scalers([column.reference for column in columns if column.reference.class_id])
        return self._table(reference, rows)

    async def _learn_scalers(self, references: Sequence[Reference]) -> None:
        known = {*self.scalers, *references}
        missing = [
            one for one in with_units(references, self.scalers).attributes if one.reference not in known
        ]
        if missing:
            self.scalers |= scalers_of(await self.ask(Get(tuple(missing))))

    def _table(self, reference: Reference, found: ProfileRows) -> MeterProfile:
        columns = [column.reference for column in found.columns]
        rows = []
        for row in found.rows:
            values = [
                in_units((column,), (PartResult(column, value),), self.scalers)[0]
                for column, value in zip(columns, row, strict=True)
            ]
            rows.append(tuple(values))
        titles = tuple(reference_words(column) for column in columns)
        units = tuple(unit(pair[1]) if (pair := self._scaler_of(one)) is not None else "" for one in columns)
        return MeterProfile(reference, titles, units, tuple(rows), found.problems)

    def _scaler_of(self, reference: Reference) -> ScalerUnitPair | None:
        scaler = scaler_attribute(reference)
        return self.scalers.get(scaler) if scaler is not None else None

    # What there is.

    async def objects(self, *, again: bool = False) -> tuple[ObjectEntry, ...]:
        """The objects of this association with their access rights; read once, or `again`."""
        if not self._listed or again:
            value = self.list_value = await self.read_data(OBJECT_LIST)
            found = listed_objects(value)
            self.known_objects, self.problems = found.entries, found.problems
            self._listed = True
        return self.known_objects

    async def devices(self) -> tuple[SapEntry, ...]:
        """The logical devices behind this address: their SAPs, which are wPorts, and their names."""
        return sap_list(await self.read_data(SAP_LIST)).entries

    async def reference(
        self,
        what: str | Reference,
        member: int = _VALUE,
        class_id: int | None = None,
        *,
        method: bool = False,
    ) -> Reference:
        """The attribute or method that is meant. Raises UnknownObjectError."""
        if isinstance(what, Reference):
            return what
        words = object_words(what)
        member = words.member if words.member is not None else member
        class_id = words.class_id if words.class_id is not None else class_id
        if words.instance is None:
            entry = one_object(words.name, await self._objects_or_none(words.name))
            return Reference(class_id or entry.class_id, entry.instance, member, method)
        if class_id is None:
            class_id = await self._class_of(words.instance)
        return Reference(class_id, words.instance, member, method)

    async def _objects_or_none(self, name: str) -> tuple[ObjectEntry, ...]:
        try:
            return await self.objects()
        except MeterError as error:
            words = f"{name!r} cannot be looked up, since the object list cannot be read: {error}"
            raise UnknownObjectError(at_client(words, "name the object by CLASS:LOGICAL NAME")) from None

    async def _class_of(self, instance: bytes) -> int:
        known = next((entry for entry in self.known_objects if entry.instance == instance), None)
        usual = usual_class(instance)
        if known is None and usual is None and not self._listed:
            listed = await self._objects_or_none(dotted(instance))
            known = next((entry for entry in listed if entry.instance == instance), None)
        if known is not None:
            return known.class_id
        if usual is None:
            words = f"no object of this meter is {dotted(instance)}, and its class is not known"
            raise UnknownObjectError(at_client(words, f"say the class: CLASS:{dotted(instance)}"))
        return usual

    # Changing.

    async def write(
        self, what: str | Reference, value: Data, attribute: int = _VALUE, *, class_id: int | None = None
    ) -> None:
        """Set an attribute. Raises MeterError where the meter refuses."""
        reference = await self.reference(what, attribute, class_id)
        (part,) = await self.ask(set_value(reference, value))
        if part.refusal is not None:
            raise MeterError(_named(part))

    async def act(
        self,
        what: str | Reference,
        method: int,
        parameters: Data | None = None,
        *,
        class_id: int | None = None,
    ) -> Data | None:
        """Invoke a method; what it returns. Raises MeterError where the meter refuses."""
        reference = await self.reference(what, method, class_id, method=True)
        (part,) = await self.ask(act(reference, parameters))
        if part.refusal is not None:
            raise MeterError(_named(part))
        return part.value

    async def ask(self, operation: Operation) -> tuple[PartResult, ...]:
        """Any operation of `service_operations`: the results of its parts."""
        if self._reserve is not None:
            self._reserve(self.association.client.counter + _MARGIN)
        return (await self.association.ask(operation)).results

    def notifications(self) -> list[NotificationReceived]:
        """What the meter told unasked since this was last called, the oldest first; 256 at most."""
        told = list(self.association.notifications)
        self.association.notifications.clear()
        return told


def _named(part: PartResult) -> Refusal:
    """Why a part has no value, with the object that it is about."""
    refusal = part.refusal or at_client("the meter answers nothing")
    return refusal._replace(words=f"{reference_words(part.reference)}: {refusal.words}")


def listed_objects(value: Data) -> ReadList:
    """The entries of an object list; the association's own version in it says how rights are written."""
    versions = [one.version for one in object_list(value).entries if one.class_id == _ASSOCIATION_CLASS]
    return object_list(value, max(versions, default=1))


@asynccontextmanager
async def connect_meter(
    host: str,
    port: int = DLMS_PORT,
    *,
    client: int = PUBLIC_CLIENT_WPORT,
    server: int = MANAGEMENT_LOGICAL_DEVICE,
    access: MeterAccess = PUBLIC,
    udp: bool = False,
    origin: Origin = Origin(),
    options: LinkOptions = DEFAULT_OPTIONS,
    recorder: Recorder | None = None,
    told: Callable[[Told], None] | None = None,
    discarded: Callable[[WpduDiscarded], None] | None = None,
    book: CounterBook | None = None,
    learn_counter: bool | None = None,
    security_setup: int = 0,
    objects: Sequence[ObjectEntry] = (),
) -> AsyncIterator[Meter]:
    """A meter at `host`, associated with as `access` says; released and closed in order at the end.

    `client` and `server` are the wPorts of both ends. Where an invocation counter is used it comes from
    `book` (default: that of the user), or from the meter itself, read as the public client: with
    `learn_counter`, or unless that is False, where the book has none for this meter. `objects` are what is
    known of its object list. `told` is given pushes, odd answers and the progress of long requests.
    Raises LinkError where there is no connection, MeterError where there is no association.
    """

    def observe(*what: object) -> None:
        if discarded is not None and isinstance(what[-1], WpduDiscarded):
            discarded(what[-1])

    def open_link(local: int) -> AbstractAsyncContextManager[TcpLink | UdpLink]:
        connect: Any = connect_udp if udp else connect_tcp
        link: AbstractAsyncContextManager[TcpLink | UdpLink] = connect(
            host,
            port,
            local_wport=local,
            remote_wport=server,
            origin=origin,
            options=options,
            recorder=recorder,
            observer=observe,
        )
        return link

    counters: _Counters | None = None
    if access.counts:
        counters = _Counters(access, book, f"{LinkAddress(host, port)}/{server}")
        if learn_counter or (learn_counter is None and counters.unknown):
            await counters.learn(open_link, security_setup, needed=bool(learn_counter))
        counters.reserve()
    try:
        async with open_link(client) as link:
            parameters = access.parameters(counters.first if counters is not None else 0)
            association = LinkedAssociation(link, parameters, told)
            if counters is not None:
                counters.client = association.client
            orderly = False
            try:
                opened = await _open(association, access)
                if counters is not None:
                    counters.taken = True
                yield Meter(association, opened, objects, counters.enough if counters is not None else None)
                orderly = True
            except (MeterError, LinkError):
                orderly = True  # the meter is well: only what was asked failed
                raise
            finally:
                await association.close(orderly=orderly)
    finally:
        if counters is not None:
            counters.close()


async def _open(association: LinkedAssociation, access: MeterAccess) -> AssociationOpened:
    """Associate; many meters say of a counter that they have seen that they cannot decipher."""
    try:
        return await association.open()
    except MeterError as error:
        refusal = error.refusal
        if not access.counts or refusal.kind == "client" or _COUNTER in refusal.words:
            raise
        advice = f"{refusal.advice}; a counter that the meter has seen is refused, too: {_LEARN}"
        raise MeterError(refusal._replace(advice=advice.removeprefix("; "))) from None


class _Counters:
    """The invocation counters of one association: given by the user, or reserved in the book."""

    def __init__(self, access: MeterAccess, book: CounterBook | None, meter: str) -> None:
        self.client: ClientAssociation | None = None
        self._access, self._meter = access, meter
        self._book = book if book is not None else CounterBook()
        self._span: CounterSpan | None = None
        self._before = 0
        self.taken = False
        """Whether the meter has taken the counter that the association began with."""
        self._at_least = 0

    @property
    def unknown(self) -> bool:
        """Whether nobody has said where to begin."""
        return (
            self._access.counter is None and self._book.next_counter(self._access.title, self._meter) is None
        )

    @property
    def first(self) -> int:
        """The counter to begin with."""
        return self._span.first if self._span is not None else 0

    async def learn(
        self,
        open_link: Callable[[int], AbstractAsyncContextManager[TcpLink | UdpLink]],
        security_setup: int,
        *,
        needed: bool,
    ) -> None:
        """Read the meter's counter as the public client. MeterError: it is `needed`, and not told."""
        public = MeterAccess(timeout=self._access.timeout, gateway=self._access.gateway)
        reference = attribute(_DATA_CLASS, counter_name(security_setup), _VALUE)
        try:
            async with open_link(PUBLIC_CLIENT_WPORT) as link:
                association = LinkedAssociation(link, public.parameters())
                try:
                    await association.open()
                    (part,) = (await association.ask(get(reference))).results
                finally:
                    await association.close()
        except MeterError as error:
            if needed:
                words = f"the invocation counter was not learnt as the public client: {error.refusal.words}"
                advice = "give it (--counter N), or go on with the one that is kept"
                raise MeterError(at_client(words, advice)) from None
            return
        value = part.value.value if part.value is not None else None
        if type(value) is int and 0 <= value < LAST_COUNTER:
            self._at_least = value + 1
        elif needed:
            raise MeterError(_named(part))

    def reserve(self) -> None:
        """Reserve the counters to begin with."""
        title, given = self._access.title, self._access.counter
        if given is not None:
            self._before = self._book.next_counter(title, self._meter) or 0
            self._book.begin_at(title, self._meter, given)
        self._span = self._book.reserve(title, self._meter, self._at_least)

    def enough(self, counter: int) -> None:
        """See that the counters up to this one are reserved. Raises MeterError."""
        if self._span is not None and counter > self._span.end:
            self._book.extend(self._span)

    def close(self) -> None:
        """Give back what was not used; a given counter that the meter did not take changes nothing."""
        if self._span is None:
            return
        used_to = self.client.counter if self.client is not None else self._span.first
        with suppress(MeterError):  # what is not given back is lost, and does no harm
            self._book.give_back(self._span, used_to)
            if not self.taken and self._before > used_to:
                self._book.begin_at(self._access.title, self._meter, self._before)
