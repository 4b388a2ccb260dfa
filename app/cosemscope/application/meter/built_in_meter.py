"""The built-in meter: a management logical device, a second one, their objects and their clients.

    meter = BuiltInMeter(MeterPlan(), now)
    answers = meter.receive(apdu, source_wport=16, destination_wport=1, now=now)
    pushes = meter.due(now)

It opens no socket and reads no clock: `now` is the time in seconds since 1970 (UTC).
"""

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.meter import association_terms as c
from cosemscope.application.meter.association_terms import ClientTerms
from cosemscope.application.meter.meter_faults import MeterFaults
from cosemscope.application.meter.meter_server import MeterServer
from cosemscope.application.meter.objects.association_objects import (
    CURRENT,
    AssociationFacts,
    association_object,
    sap_assignment,
)
from cosemscope.application.meter.objects.clock_object import MeterClock
from cosemscope.application.meter.objects.cosem_object import (
    MANAGER,
    OTHER_REASON,
    PUBLIC,
    READER,
    ClientView,
    CosemObject,
    RefusedAccess,
    Value,
    expect,
    logical_name,
)
from cosemscope.application.meter.objects.image_objects import ImageTransfer
from cosemscope.application.meter.objects.measuring_objects import Registers, data_object
from cosemscope.application.meter.objects.profile_objects import EventLog, LoadProfile
from cosemscope.application.meter.objects.push_objects import TCP, DuePush, PushSetup
from cosemscope.application.meter.objects.security_objects import MeterKeys, SecuritySetup
from cosemscope.application.meter.objects.simulated_load import SimulatedLoad
from cosemscope.application.meter.objects.switching_objects import Disconnector
from cosemscope.application.meter.server_association import ServedClient
from cosemscope.application.protection.sealing import CipheringForm, Sealer

#: wPorts of the logical devices, and of the clients: public, with a password, with HLS.
MANAGEMENT, SECOND = 1, 2
PUBLIC_CLIENT, READING_CLIENT, MANAGING_CLIENT = 16, 17, 18
#: Where counters begin: the seconds since then, so that a meter that is started again does not go back.
_COUNTERS_SINCE = 1_700_000_000
_MOST_MESSAGE = 1 << 16


@dataclass(frozen=True)
class MeterPlan:
    """What a meter is to be: its number, its clients' security, its sizes, and where it pushes.

    `keys` are the meter's keys, `clients` public keys of clients for HLS 7, `password` that of LLS. The
    managing client authenticates by `mechanism` (2 to 7); with `ciphered` its APDUs have to be authenticated
    and encrypted with the keys of `suite`. `push_interval` in seconds, 0 for pushes on demand only.
    """

    number: int = 1
    keys: KeySet = field(default_factory=lambda: KeySet("meter"))
    clients: tuple[KeySet, ...] = ()
    password: bytes = field(default=b"", repr=False)
    mechanism: int = 5
    suite: int = 0
    ciphered: bool = True
    max_pdu: int = 1024
    push_to: str = ""
    push_service: int = TCP
    push_interval: float = 0.0
    push_ciphered: bool = False

    @property
    def title(self) -> bytes:
        """The meter's system title."""
        return b"CSM" + self.number.to_bytes(5, "big")

    def device_name(self, wport: int) -> bytes:
        """The name of the logical device at a wPort."""
        return f"CSM{self.number:010d}{wport:03d}".encode()


class BuiltInMeter:
    """A meter of a plan; `random` gives octets that nobody can foretell."""

    def __init__(self, plan: MeterPlan, now: float, random: Callable[[int], bytes] = os.urandom) -> None:
        self.plan = plan
        self.clock = MeterClock()
        self.log = EventLog(self.clock)
        self.clock.changed = lambda now: self.log.note(now, EventLog.CLOCK_SET)
        counter = max(int(now) - _COUNTERS_SINCE, 1)
        self.keys = MeterKeys(plan.keys, plan.title, plan.suite, counter, plan.clients)
        self._random = random
        self.faults = MeterFaults()
        self._terms = _terms(plan)
        self._messages = d.octet_string(b"")
        self._firmware = b"Cosemscope meter 1"
        self.pushes = self._push_setups()
        self._devices = {MANAGEMENT: self._management(), SECOND: self._second()}
        self._server = MeterServer(tuple(self._devices), self._client_at)
        self.log.note(now, EventLog.POWER_UP)

    @property
    def wports(self) -> tuple[int, ...]:
        """The wPorts of its logical devices."""
        return self._server.wports

    @property
    def client_wports(self) -> tuple[int, ...]:
        """The wPorts of the clients that it knows."""
        return tuple(self._terms)

    def receive(
        self, apdu: bytes, source_wport: int, destination_wport: int, now: float, link: Hashable = None
    ) -> list[bytes]:
        """The answers to an APDU; see `MeterServer.receive`."""
        return self._server.receive(apdu, source_wport, destination_wport, now, link)

    def link_closed(self, link: Hashable) -> None:
        """A connection is over."""
        self._server.link_closed(link)

    @property
    def pause(self) -> float:
        """Seconds that it takes for an answer: none."""
        return 0.0

    def push(self, now: float) -> None:
        """Have every push setup that names somebody push at once."""
        for setup in self.pushes:
            if setup.destination:
                setup.push(now)

    def due(self, now: float) -> list[DuePush]:
        """The pushes that are to be sent by now."""
        return [self._sealed(push) for setup in self.pushes for push in setup.due(now)]

    def _sealed(self, push: DuePush) -> DuePush:
        if not self.plan.push_ciphered:
            return push
        sealer = Sealer(self.keys.keys, self.keys.title, self.keys.suite, CipheringForm.GENERAL_GLOBAL)
        return push._replace(apdu=sealer.seal(push.apdu, self.keys.next_counter()))

    # Clients.

    def _client_at(self, source_wport: int, destination_wport: int) -> ServedClient:
        """What a client is granted; one that is not known is refused by its AARQ."""
        terms = self._terms.get(source_wport)
        level = terms.level if terms is not None else PUBLIC
        context = terms.contexts[0] if terms is not None else c.CLEAR_CONTEXT
        mechanism = terms.mechanism if terms is not None else c.LOWEST
        wports = source_wport, destination_wport
        facts = AssociationFacts(wports, mechanism, context, self.plan.max_pdu)
        device = self._devices[destination_wport]
        objects = dict(device)
        own = association_object(CURRENT, facts, lambda: objects, level, self._changing(terms))
        objects[own.instance] = own
        return ServedClient(
            terms,
            ClientView(objects, level),
            facts,
            self.keys,
            self.plan.max_pdu,
            self.faults,
            self._random,
            lambda now: self.log.note(now, EventLog.ASSOCIATION_REFUSED),
        )

    def _changing(self, terms: ClientTerms | None) -> Callable[[bytes], None] | None:
        """What changes the secret of a client: a password, or the secret of HLS."""
        if terms is None or terms.mechanism in (c.LOWEST, 5, 7):
            return None

        def change(secret: bytes) -> None:
            if terms.mechanism == c.LLS:
                terms.secret = secret
            else:
                self.keys.keys = replace(self.keys.keys, hls_secret=secret)

        return change

    # Objects.

    def _management(self) -> dict[bytes, CosemObject]:
        plan = self.plan
        security = SecuritySetup(
            self.keys, 3 if plan.ciphered else 0, lambda now: self.log.note(now, EventLog.KEY_CHANGED)
        )
        names = [(wport, plan.device_name(wport)) for wport in (MANAGEMENT, SECOND)]
        load = SimulatedLoad(plan.number)
        objects = [
            data_object("0.0.42.0.0.255", d.octet_string(plan.device_name(MANAGEMENT)), level=PUBLIC),
            sap_assignment(names),
            self.clock.object(),
            security.object(),
            security.counter_object(),
            data_object("0.0.96.1.0.255", d.octet_string(f"{plan.number:010d}".encode()), level=PUBLIC),
            CosemObject(1, 0, "1.0.0.2.0.255", {2: lambda now: d.octet_string(self._firmware)}),
            CosemObject(1, 0, "0.0.96.11.0.255", {2: lambda now: d.unsigned(self.log.last)}),
            data_object("0.0.96.10.1.255", d.unsigned(0)),
            CosemObject(
                1, 0, "0.0.96.13.0.255", {2: lambda now: self._messages}, writes={2: self._set_message}
            ),
            *Registers(self.clock, load).all(),
            LoadProfile(self.clock, load).object(),
            self.log.object(),
            Disconnector(self._switched).object(),
            ImageTransfer(self._activated).object(),
            *(setup.object() for setup in self.pushes),
        ]
        return self._with_associations(objects, MANAGEMENT)

    def _second(self) -> dict[bytes, CosemObject]:
        load = SimulatedLoad(self.plan.number + 31)
        objects = [
            data_object("0.0.42.0.0.255", d.octet_string(self.plan.device_name(SECOND)), level=PUBLIC),
            self.clock.object(),
            Registers(self.clock, load).volume(),
        ]
        return self._with_associations(objects, SECOND)

    def _with_associations(self, objects: list[CosemObject], wport: int) -> dict[bytes, CosemObject]:
        """The objects and an association for each client; the current one is a client's own."""
        found = {one.instance: one for one in objects}
        for number, terms in enumerate(self._terms.values(), 1):
            wports = terms.wport, wport
            facts = AssociationFacts(wports, terms.mechanism, terms.contexts[0], self.plan.max_pdu)
            facts.conformance = terms.conformance
            name = f"0.0.40.0.{number}.255"
            one = association_object(
                name, facts, lambda: found, terms.level, self._changing(terms), seen_by=MANAGER
            )
            found[one.instance] = one
        return found

    def _push_setups(self) -> tuple[PushSetup, ...]:
        """One that pushes by itself, one for alarms: both when told to."""
        plan = self.plan
        readings = [
            Reference(40, logical_name("0.0.25.9.0.255"), 1),
            Reference(1, logical_name("0.0.42.0.0.255"), 2),
            Reference(8, logical_name("0.0.1.0.0.255"), 2),
            Reference(3, logical_name("1.0.1.8.0.255"), 2),
            Reference(3, logical_name("1.0.2.8.0.255"), 2),
        ]
        alarm = [
            Reference(40, logical_name("0.4.25.9.0.255"), 1),
            Reference(8, logical_name("0.0.1.0.0.255"), 2),
            Reference(1, logical_name("0.0.96.11.0.255"), 2),
        ]
        where = plan.push_to, plan.push_service
        return (
            PushSetup("0.0.25.9.0.255", readings, self._pushed, *where, interval=plan.push_interval),
            PushSetup("0.4.25.9.0.255", alarm, self._pushed, *where),
        )

    def _pushed(self, reference: Reference, now: float) -> Value:
        return ClientView(self._devices[MANAGEMENT], MANAGER).read(reference, None, now)

    # What changes the meter.

    def _set_message(self, now: float, value: Data) -> None:
        if len(expect(value, 9, 10, 12).value) > _MOST_MESSAGE:
            raise RefusedAccess(OTHER_REASON)
        self._messages = value

    def _switched(self, now: float, connected: bool) -> None:
        self.log.note(now, EventLog.RECONNECTED if connected else EventLog.DISCONNECTED)

    def _activated(self, now: float, identifier: bytes) -> None:
        self._firmware = identifier
        self.log.note(now, EventLog.IMAGE_ACTIVATED)


def _terms(plan: MeterPlan) -> dict[int, ClientTerms]:
    """The clients: one that needs nothing, one with a password, one with HLS."""
    policy = 0x30 if plan.ciphered else 0
    context = c.CIPHERED_CONTEXT if plan.ciphered else c.CLEAR_CONTEXT
    managing = ClientTerms(
        MANAGING_CLIENT, MANAGER, (context,), plan.mechanism, suite=plan.suite, policy=policy
    )
    clients = (
        ClientTerms(PUBLIC_CLIENT),
        ClientTerms(READING_CLIENT, READER, mechanism=c.LLS, secret=plan.password),
        managing,
    )
    return {terms.wport: terms for terms in clients}
