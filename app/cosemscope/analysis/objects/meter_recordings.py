"""What the meters of a capture answered, as recordings that `cosemscope meter --from` answers from.

Every row is looked at once, in order. A request is kept until its answer has come whole; opened, joined and
out of general blocks it is told by the associations. Requests with short names are passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aare, Aarq
from cosemscope.application.encoding.apdus import encode_data, parse
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.initiate_apdus import InitiateResponse
from cosemscope.application.encoding.notifications import (
    AccessAction,
    AccessGet,
    AccessGetWithSelection,
    AccessRequest,
    AccessResponse,
)
from cosemscope.application.encoding.octet_codecs import Codec
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError
from cosemscope.application.encoding.service_parts import DATA_RESULTS, DataAccessError, SelectiveAccess
from cosemscope.application.meter.recorded_meter import (
    Asked,
    MeterRecording,
    RecordedAnswer,
    RecordedClient,
    selection_octets,
    written,
)

#: Answers of a capture that are kept, and their octets, at most.
_MOST_ANSWERS, _MOST_OCTETS = 1_000_000, 1 << 28
_CIPHERED_CONTEXT = 3
_PROTECTION, _SUITE = 0x30, 0x0F


@dataclass(frozen=True, slots=True)
class FoundRecording:
    """A meter of a capture by its address; `unopened`: WPDUs in associations that no key opened."""

    address: str
    recording: MeterRecording
    answers: int
    unopened: int


@dataclass(slots=True)
class _Heard:
    """What was heard on one pair of wPorts of one connection."""

    address: str
    wports: tuple[int, int]
    aarq: Aarq | None = None
    client: RecordedClient | None = None
    title: bytes = b""
    max_pdu: int = 0xFFFF
    control: int = 0
    unopened: int = 0
    pending: dict[int, tuple[list[Asked], int]] = field(default_factory=dict)
    answers: dict[Asked, list[RecordedAnswer]] = field(default_factory=dict)


class MeterRecordings:
    """The meters of a capture, each with what its clients were answered. Raises what `walk` raises."""

    def __init__(self, associations: Associations, keys: KeyTable) -> None:
        self._keys = keys
        self._analysis = associations.analysis
        self._heard: dict[int, _Heard] = {}
        self._room = [_MOST_ANSWERS, _MOST_OCTETS]
        for row, look in associations.walk():
            self._take(row, look)

    def meters(self) -> list[FoundRecording]:
        """The meters, by address."""
        by_address: dict[str, list[_Heard]] = {}
        for heard in self._heard.values():
            by_address.setdefault(heard.address, []).append(heard)
        return [self._meter(address, by_address[address]) for address in sorted(by_address)]

    def _meter(self, address: str, heard: list[_Heard]) -> FoundRecording:
        clients: dict[tuple[int, int], RecordedClient] = {}
        title, max_pdu = b"", 0xFFFF
        for one in heard:
            title, max_pdu = one.title or title, min(one.max_pdu, max_pdu)
            before = clients.get(one.wports)
            client = one.client or before or RecordedClient(one.wports)
            answers = dict(before.answers) if before is not None else {}
            for asked, given in one.answers.items():
                answers[asked] = (*answers.get(asked, ()), *given)
            ciphered = client.context == _CIPHERED_CONTEXT
            clients[one.wports] = replace(
                client,
                answers=answers,
                suite=one.control & _SUITE,
                policy=one.control & _PROTECTION if ciphered else 0,
            )
        own = self._keys_of(title)
        recording = MeterRecording(title or bytes(8), own, clients, tuple(self._public_keys()), max_pdu)
        count = sum(len(given) for one in clients.values() for given in one.answers.values())
        return FoundRecording(address, recording, count, sum(one.unopened for one in heard))

    def _keys_of(self, title: bytes) -> KeySet:
        """The keys of a meter: entries with its title go before those for anybody, and for its clients."""
        entries = [entry.keys for entry in self._keys.entries]
        ordered = sorted(entries, key=lambda keys: (keys.title != title, keys.title is not None))
        found: dict[str, Any] = {}
        for keys in ordered:
            for name in keys.holds():
                if name != "dedicated":
                    found.setdefault(name, getattr(keys, name))
        return KeySet("the recorded meter", **found)

    def _public_keys(self) -> Iterator[KeySet]:
        for entry in self._keys.entries:
            if entry.keys.signing_point is not None:
                title = entry.keys.title
                yield KeySet(entry.keys.label, title, signing_public=entry.keys.signing_point)

    # One row.

    def _take(self, row: int, look: Look) -> None:
        heard = self._heard_at(row)
        if look.verdict.wants_key and heard.client is not None:
            heard.unopened += 1
        if not look.plain:
            return
        try:
            value = parse(look.plain)
        except ParseError:
            return
        take = _TAKEN.get(type(value))
        if take is not None:
            control = int(self._analysis.first_look["security"][row])
            if look.openings and not heard.control and control > 0:
                heard.control = control
            take(self, heard, value, row, look)

    def _heard_at(self, row: int) -> _Heard:
        pair = int(self._analysis.wpdu_pairs["pair"][row])
        found = self._heard.get(pair)
        if found is None:
            wpdus = self._analysis.wpdus
            by_client = bool(self._analysis.sent_by_client(slice(row, row + 1))[0])
            wports = int(wpdus["source_wport"][row]), int(wpdus["destination_wport"][row])
            near = bool(wpdus["direction"][row] == 0) == by_client
            ends = self._analysis.endpoints(int(wpdus["stream"][row]))
            server = ends[1] if near else ends[0]
            found = _Heard(str(server), wports if by_client else (wports[1], wports[0]))
            self._heard[pair] = found
        return found

    def aarq(self, heard: _Heard, value: Aarq, row: int, look: Look) -> None:
        """Who wants to associate."""
        heard.aarq = value

    def aare(self, heard: _Heard, value: Aare, row: int, look: Look) -> None:
        """What was agreed on."""
        if value.result or heard.aarq is None:
            return
        octets = look.openings[0].plaintext if look.openings else value.user_information
        try:
            agreed = parse(octets or b"")
        except ParseError:
            agreed = None
        heard.title = value.responding_ap_title or heard.title
        mechanism = heard.aarq.mechanism or 0
        secret = heard.aarq.calling_authentication_value or b"" if mechanism == 1 else b""
        client = RecordedClient(heard.wports, value.context, mechanism, secret)
        if isinstance(agreed, InitiateResponse):
            heard.max_pdu = agreed.max_pdu_size or 0xFFFF
            client = replace(client, conformance=agreed.conformance)
        heard.client = client

    def ask(self, heard: _Heard, value: Any, row: int, look: Look) -> None:
        """A request waits for its answer."""
        time = int(self._analysis.wpdus["time"][row])
        invoke = value.long_invoke & 0xFFFFFF if isinstance(value, AccessRequest) else value.invoke & 0x0F
        heard.pending[invoke] = list(_asked(value)), time

    def answer(self, heard: _Heard, value: Any, row: int, look: Look) -> None:
        """The answer to a request, whole."""
        access = isinstance(value, AccessResponse)
        invoke = value.long_invoke & 0xFFFFFF if access else value.invoke & 0x0F
        waiting = heard.pending.get(invoke)
        if waiting is None:
            return
        asked, begun = waiting
        found = _answers(value, look.context.joined, len(asked))
        if found is None:
            return
        del heard.pending[invoke]
        # Of an answer in blocks the last block is at hand: its own time is not the meter's alone.
        seconds = max(int(self._analysis.wpdus["first_time"][row]) - begun, 0) / 1e9
        for one, answer in zip(asked, found, strict=False):
            self._room[0] -= 1
            self._room[1] -= len(answer.octets)
            if min(self._room) >= 0:
                heard.answers.setdefault(one, []).append(replace(answer, seconds=seconds / len(asked)))


def _selected(reference: Reference, selection: SelectiveAccess | None) -> Asked:
    return reference, b"" if selection is None else selection_octets(selection)


def _asked(value: Any) -> Iterator[Asked]:
    """What a request asks for, item by item."""
    match value:
        case g.GetRequestNormal(_, reference, selection):
            yield _selected(reference, selection)
        case g.GetRequestWithList(_, attributes):
            yield from (_selected(*one) for one in attributes)
        case g.SetRequestNormal() | g.SetRequestWithFirstDatablock():
            yield written(value.reference), b""
        case g.SetRequestWithList() | g.SetRequestWithListAndFirstDatablock():
            yield from ((written(one.reference), b"") for one in value.attributes)
        case g.ActionRequestNormal() | g.ActionRequestWithFirstPblock():
            yield value.reference, b""
        case g.ActionRequestWithList() | g.ActionRequestWithListAndFirstPblock():
            yield from ((method, b"") for method in value.methods)
        case AccessRequest(_, _, specifications):
            for one in specifications:
                read = isinstance(one, AccessGet | AccessGetWithSelection | AccessAction)
                selection = getattr(one, "selection", None)
                yield _selected(one.reference if read else written(one.reference), selection)


def _answers(value: Any, joined: bytes | None, items: int) -> list[RecordedAnswer] | None:
    """The answers of a response, item by item; None where it is not whole."""
    match value:
        case g.GetResponseNormal(_, result):
            return [_result(result)]
        case g.GetResponseWithList(_, results):
            return list(map(_result, results))
        case g.GetResponseWithDatablock(_, last, _, result):
            if isinstance(result, DataAccessError):
                return [_result(result)] * items
            if not last or joined is None:
                return None
            if items == 1:
                return [RecordedAnswer(octets=joined)]
            return [_result(one) for one in _read(DATA_RESULTS, joined) or ()]
        case g.SetResponseNormal(_, code) | g.SetResponseLastDatablock(_, code):
            return [RecordedAnswer(code)]
        case g.SetResponseWithList(_, codes) | g.SetResponseLastDatablockWithList(_, codes):
            return list(map(RecordedAnswer, codes))
        case g.ActionResponseNormal(_, answer):
            return [_returned(answer)]
        case g.ActionResponseWithList(_, answers):
            return list(map(_returned, answers))
        case g.ActionResponseWithPblock(_, block):
            if not block.last or joined is None:
                return None
            if items == 1:
                answer = _read(g.ACTION_ANSWER, joined)
                return None if answer is None else [_returned(answer)]
            return list(map(_returned, _read(g.ACTION_ANSWERS, joined) or ()))
        case AccessResponse(_, _, _, values, outcomes):
            pairs = zip(values, outcomes, strict=False)
            return [
                RecordedAnswer(one.code, encode_data(data) if not one.code else b"") for data, one in pairs
            ]
    return None


def _result(result: Data | DataAccessError) -> RecordedAnswer:
    if isinstance(result, DataAccessError):
        return RecordedAnswer(result.code)
    return RecordedAnswer(octets=encode_data(result))


def _returned(answer: g.ActionAnswer) -> RecordedAnswer:
    returned = answer.returned
    return RecordedAnswer(answer.code, encode_data(returned) if isinstance(returned, Data) else b"")


def _read(codec: Codec[Any], octets: bytes) -> Any:
    try:
        return codec.read(OctetReader(octets))
    except ParseError:
        return None


_REQUESTS = (
    g.GetRequestNormal,
    g.GetRequestWithList,
    g.SetRequestNormal,
    g.SetRequestWithFirstDatablock,
    g.SetRequestWithList,
    g.SetRequestWithListAndFirstDatablock,
    g.ActionRequestNormal,
    g.ActionRequestWithFirstPblock,
    g.ActionRequestWithList,
    g.ActionRequestWithListAndFirstPblock,
    AccessRequest,
)
_RESPONSES = (
    g.GetResponseNormal,
    g.GetResponseWithDatablock,
    g.GetResponseWithList,
    g.SetResponseNormal,
    g.SetResponseLastDatablock,
    g.SetResponseWithList,
    g.SetResponseLastDatablockWithList,
    g.ActionResponseNormal,
    g.ActionResponseWithPblock,
    g.ActionResponseWithList,
    AccessResponse,
)
_TAKEN: dict[type, Any] = {
    Aarq: MeterRecordings.aarq,
    Aare: MeterRecordings.aare,
    **dict.fromkeys(_REQUESTS, MeterRecordings.ask),
    **dict.fromkeys(_RESPONSES, MeterRecordings.answer),
}
