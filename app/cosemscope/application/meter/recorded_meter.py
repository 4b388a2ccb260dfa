"""A meter that answers as one in a capture did: what each request was answered, in order; challenges are new.

    meter = RecordedMeter(recording, at_speed=False)

The recording is a value: who was associated how, and the answers to each attribute, SET and method. An
attribute that was asked with another selection than now is answered with what there is of it; one that was
never asked is undefined. Blocks are cut anew to the size that is agreed now; challenges and counters are new.
"""

import os
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.encoding.apdus import encode_data, parse_data
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.service_parts import SelectiveAccess
from cosemscope.application.meter.association_terms import SUPPORTED, ClientTerms
from cosemscope.application.meter.meter_faults import MeterFaults
from cosemscope.application.meter.meter_server import MeterServer
from cosemscope.application.meter.objects.association_objects import AssociationFacts
from cosemscope.application.meter.objects.cosem_object import (
    MANAGER,
    SUCCESS,
    UNDEFINED,
    EncodedData,
    RefusedAccess,
    Value,
)
from cosemscope.application.meter.objects.push_objects import DuePush
from cosemscope.application.meter.objects.security_objects import MeterKeys
from cosemscope.application.meter.server_association import ServedClient

#: What a request asked for: an attribute or a method, and its selection (b"" for none).
Asked = tuple[Reference, bytes]


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One answer: a code that refuses or 0, the octets of the value or of what a method returned, seconds."""

    code: int = SUCCESS
    octets: bytes = b""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RecordedClient:
    """What one client of one logical device was granted and answered; `secret` is the password of LLS."""

    wports: tuple[int, int]
    context: int = 1
    mechanism: int = 0
    secret: bytes = field(default=b"", repr=False)
    suite: int = 0
    policy: int = 0
    conformance: int = SUPPORTED
    answers: Mapping[Asked, tuple[RecordedAnswer, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeterRecording:
    """One meter of a capture: its system title, its keys, its clients by wPorts (client, logical device)."""

    title: bytes
    keys: KeySet
    clients: Mapping[tuple[int, int], RecordedClient]
    known_clients: tuple[KeySet, ...] = ()
    max_pdu: int = 0xFFFF

    @property
    def devices(self) -> tuple[int, ...]:
        """The wPorts of its logical devices."""
        return tuple(sorted({device for _, device in self.clients}))


class RecordedMeter:
    """Answers out of a recording, at its speed or at once."""

    def __init__(
        self,
        recording: MeterRecording,
        now: float,
        *,
        at_speed: bool = False,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.faults = MeterFaults()
        self.pause = 0.0
        self._recording, self._at_speed, self._random = recording, at_speed, random
        suite = max((client.suite for client in recording.clients.values()), default=0)
        counter = max(int(now), 1)
        self._keys = MeterKeys(recording.keys, recording.title, suite, counter, recording.known_clients)
        self._server = MeterServer(recording.devices, self._client_at)

    def receive(
        self, apdu: bytes, source_wport: int, destination_wport: int, now: float, link: Hashable = None
    ) -> list[bytes]:
        """The answers to an APDU; `pause` says after how many seconds they were given."""
        self.pause = 0.0
        return self._server.receive(apdu, source_wport, destination_wport, now, link)

    def link_closed(self, link: Hashable) -> None:
        """A connection is over."""
        self._server.link_closed(link)

    def due(self, now: float) -> list[DuePush]:
        """Nothing: what was pushed is not pushed again."""
        return []

    def push(self, now: float) -> None:
        """It has no push setups of its own."""

    def _client_at(self, source_wport: int, destination_wport: int) -> ServedClient:
        client = self._recording.clients.get((source_wport, destination_wport))
        terms = None
        if client is not None:
            terms = ClientTerms(
                source_wport,
                MANAGER,
                (client.context,),
                client.mechanism,
                client.secret,
                client.suite,
                client.policy,
                client.conformance & SUPPORTED,
            )
        wports = source_wport, destination_wport
        mechanism, context = (client.mechanism, client.context) if client is not None else (0, 1)
        size = self._recording.max_pdu
        return ServedClient(
            terms,
            RecordedObjects(client.answers if client is not None else {}, self._waited),
            AssociationFacts(wports, mechanism, context, size),
            self._keys,
            size,
            self.faults,
            self._random,
            lambda now: None,
        )

    def _waited(self, seconds: float) -> None:
        if self._at_speed:
            self.pause += seconds


class RecordedObjects:
    """The answers that one association was given: each request gets them in order, and the last one again."""

    def __init__(
        self, answers: Mapping[Asked, tuple[RecordedAnswer, ...]], waited: Callable[[float], None]
    ) -> None:
        self._answers, self._waited = answers, waited
        self._turns: dict[Asked, int] = {}
        self._first: dict[Reference, Asked] = {}
        for asked in answers:
            self._first.setdefault(asked[0], asked)

    def _next(self, reference: Reference, selection: SelectiveAccess | None) -> RecordedAnswer:
        octets = b"" if selection is None else selection_octets(selection)
        asked = (reference, octets)
        if asked not in self._answers:
            asked = self._first.get(reference, asked)
        given = self._answers.get(asked)
        if not given:
            raise RefusedAccess(UNDEFINED)
        turn = self._turns.get(asked, 0)
        self._turns[asked] = turn + 1
        answer = given[min(turn, len(given) - 1)]
        self._waited(answer.seconds)
        if answer.code != SUCCESS:
            raise RefusedAccess(answer.code)
        return answer

    def read(self, reference: Reference, selection: SelectiveAccess | None, now: float) -> Value:
        """An attribute. Raises RefusedAccess."""
        return EncodedData(self._next(reference, selection).octets)

    def write(self, reference: Reference, selection: SelectiveAccess | None, value: Data, now: float) -> None:
        """SET, which changes nothing. Raises RefusedAccess."""
        self._next(written(reference), None)

    def act(self, reference: Reference, parameters: Data | None, now: float) -> Data | None:
        """A method, which does nothing. Raises RefusedAccess."""
        octets = self._next(reference, None).octets
        return parse_data(octets) if octets else None


def written(reference: Reference) -> Reference:
    """What stands for SET of an attribute among answers: its number, below 0."""
    return reference._replace(member=-1 - (reference.member & 0xFF))


def selection_octets(selection: SelectiveAccess) -> bytes:
    """What tells one selection from another."""
    return bytes((selection.selector,)) + encode_data(selection.parameters)
