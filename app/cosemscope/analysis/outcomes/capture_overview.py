"""The overview of a capture: its meters, what their connections came to, what was slow and what failed."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.result_words import result_word
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.apdu.security.suites import ENCRYPTED
from cosemscope.capture.packets.packet_row import TCP, UDP
from cosemscope.streams.tables.expert_items import NUMBERED, Severity, severities

Numbers = npt.NDArray[np.int64]
_GOOD = (ConnectionOutcome.COMPLETE, ConnectionOutcome.PUSH_ONLY)
#: What has no trouble to tell of: it was good, or only the capture's end or place cut it.
_NO_TROUBLE = (*_GOOD, ConnectionOutcome.UNFINISHED, ConnectionOutcome.ONE_SIDED, ConnectionOutcome.NOT_DLMS)


class Slowest(NamedTuple):
    """The exchange with the longest response time; `wpdu` is the number of its request."""

    meter: str
    exchange: int
    wpdu: int
    about: str
    response_time: int


class MostOf(NamedTuple):
    """The meter with most errors, or most unanswered requests: how many, and the commonest result."""

    meter: str
    number: int
    result: str | None


class FirstTrouble(NamedTuple):
    """What went wrong first: a connection's outcome, or an exchange with an error or without an answer.

    `exchange` is the number of the latter; None where the connection's own first cause is told.
    """

    stream: int
    meter: str
    outcome: str
    cause: str
    packet: int | None
    exchange: int | None


class ExpertCount(NamedTuple):
    """How many items of expert information there are, by severity, and the kind with most of the gravest."""

    errors: int
    warnings: int
    notes: int
    item: str | None
    number: int


class NotDlms(NamedTuple):
    """What the capture holds besides: `octets` are those of payload, `other_packets` have no TCP or UDP."""

    tcp_connections: int
    udp_flows: int
    octets: int
    other_packets: int


@dataclass
class CaptureOverview:
    """Counts of a capture; times in ns, -1 where there are none.

    A meter is complete when each of its connections was complete or held pushes alone. `unopened` exchanges
    are ciphered, and nobody has opened them: whether the meter answered with an error is not known. `expert`
    counts what is known: trees are in it where they have been read. `first_others` are the first TCP
    connection and the first UDP flow that are no DLMS, -1 for none.
    """

    packets: int
    first_time: int
    last_time: int
    meters: int
    complete_meters: int
    clients: int
    tcp_connections: int
    udp_flows: int
    exchanges: int
    answered: int
    errors: int
    unanswered: int
    notifications: int
    unfinished: int
    unasked: int
    unconfirmed: int
    unopened: int
    expert: ExpertCount
    not_dlms: NotDlms
    octets: int
    outcomes: dict[str, int] = field(default_factory=dict)
    median: int = -1
    p95: int = -1
    longest: int = -1
    slowest: Slowest | None = None
    most_errors: MostOf | None = None
    most_unanswered: MostOf | None = None
    first_trouble: FirstTrouble | None = None
    first_others: tuple[int, int] = (-1, -1)


def capture_overview(analysis: Analysis, facts: CaptureFacts) -> CaptureOverview:
    """The overview of a capture as of now. Raises CaptureError and OSError when octets cannot be read."""
    return _Overview(analysis, facts).overview()


class _Overview:
    """What several parts of an overview want."""

    def __init__(self, analysis: Analysis, facts: CaptureFacts) -> None:
        self._analysis, self._facts = analysis, facts
        self._outcome = facts.outcomes.outcome
        self._dlms = np.flatnonzero(self._outcome != ConnectionOutcome.NOT_DLMS)
        client = np.maximum(facts.outcomes.client_side, 0)
        self._meter_side = (analysis.streams["client_side"][: len(client)] ^ (1 - client)).astype(np.int64)
        #: the number of each stream's meter, by its address
        self._meter = self._addresses(self._meter_side)

    def overview(self) -> CaptureOverview:
        """All of it."""
        analysis, statuses = self._analysis, self._facts.statuses
        time, protocol = analysis.packets["time"], analysis.streams["protocol"]
        meters = np.unique(self._meter[self._dlms])
        bad = np.unique(self._meter[self._dlms[~np.isin(self._outcome[self._dlms], _GOOD)]])
        words, counts = np.unique(self._outcome[self._dlms], return_counts=True)
        ended = np.bincount(statuses, minlength=max(ExchangeStatus) + 1)
        found = CaptureOverview(
            packets=len(analysis.packets),
            first_time=int(time.min()) if len(time) else -1,
            last_time=int(time.max()) if len(time) else -1,
            meters=len(meters),
            complete_meters=len(meters) - len(bad),
            clients=len(np.unique(self._addresses(1 - self._meter_side)[self._dlms])),
            tcp_connections=int((protocol[self._dlms] == TCP).sum()),
            udp_flows=int((protocol[self._dlms] == UDP).sum()),
            exchanges=len(statuses),
            answered=int(ended[ExchangeStatus.ANSWERED]),
            errors=int(ended[ExchangeStatus.ERROR]),
            unanswered=int(ended[ExchangeStatus.UNANSWERED]),
            notifications=int(ended[ExchangeStatus.NOTIFICATION]),
            unfinished=int(ended[ExchangeStatus.UNFINISHED]),
            unasked=int(ended[ExchangeStatus.UNASKED]),
            unconfirmed=int(ended[ExchangeStatus.UNCONFIRMED]),
            unopened=self._unopened(),
            expert=self._expert(),
            not_dlms=self._not_dlms(),
            octets=int(analysis.streams["octets"].sum()),
            most_errors=self._most(ExchangeStatus.ERROR),
            most_unanswered=self._most(ExchangeStatus.UNANSWERED),
            first_trouble=self._first_trouble(),
        )
        order = np.argsort(-counts, kind="stable")
        found.outcomes = {
            ConnectionOutcome(int(words[place])).word: int(counts[place]) for place in order.tolist()
        }
        self._add_times(found)
        other = self._outcome == ConnectionOutcome.NOT_DLMS
        first = [np.flatnonzero(other & (protocol[: len(other)] == one)) for one in (TCP, UDP)]
        tcp, udp = (int(streams[0]) if len(streams) else -1 for streams in first)
        found.first_others = tcp, udp
        return found

    def _addresses(self, side: Numbers) -> Numbers:
        """A number for the IP address of each stream's endpoint on this side of its flow, int64[streams]."""
        flows = self._analysis.flows
        flow = self._analysis.streams["flow"][: len(side)]
        code = np.zeros(len(flow), np.int64)
        for part in ("high", "low"):
            value = np.where(side == 0, flows[f"a_{part}"][flow], flows[f"b_{part}"][flow])
            own = np.unique(value, return_inverse=True)[1].reshape(-1)
            code = np.unique(code * (len(flow) + 1) + own, return_inverse=True)[1].reshape(-1)
        return code

    def _name(self, stream: int) -> str:
        """The address of a stream's meter."""
        ends = self._analysis.table.endpoints(int(self._analysis.streams["flow"][stream]))
        return ends[int(self._meter_side[stream])].address

    def _not_dlms(self) -> NotDlms:
        streams = self._analysis.streams
        rest = np.flatnonzero(self._outcome == ConnectionOutcome.NOT_DLMS)
        protocol = streams["protocol"][rest]
        others = int((self._analysis.packet_streams["stream"] < 0).sum())
        tcp, udp = int((protocol == TCP).sum()), int((protocol == UDP).sum())
        return NotDlms(tcp, udp, int(streams["octets"][rest].sum()), others)

    def _add_times(self, found: CaptureOverview) -> None:
        exchanges = self._facts.table
        times = exchanges.response_times()
        known = np.sort(times[times >= 0])
        if not len(known):
            return
        found.median, found.p95 = int(np.median(known)), int(known[-(-len(known) * 95 // 100) - 1])
        found.longest = int(known[-1])
        slowest = int(np.argmax(times))
        sentences = CauseSentences(self._analysis, self._facts)
        found.slowest = Slowest(
            self._name(int(exchanges["stream"][slowest])),
            slowest + 1,
            int(exchanges.first_rows()[slowest]) + 1,
            sentences.about(slowest),
            int(times[slowest]),
        )

    def _most(self, status: ExchangeStatus) -> MostOf | None:
        """The meter with most exchanges of this status, of several the first; and their commonest result."""
        exchanges = self._facts.table
        rows = np.flatnonzero(self._facts.statuses == status)
        if not len(rows):
            return None
        meter = self._meter[exchanges["stream"][rows]]
        most = int(np.bincount(meter).argmax())
        mine = rows[meter == most]
        answers = exchanges["answer"][mine].astype(np.int64) << 16 | (exchanges["result"][mine] + 1)
        results, counts = np.unique(answers, return_counts=True)
        common = int(results[counts.argmax()])
        word = result_word(common >> 16, (common & 0xFFFF) - 1)
        return MostOf(self._name(int(exchanges["stream"][mine[0]])), len(mine), word)

    def _unopened(self) -> int:
        """How many exchanges have a ciphered WPDU that was not opened."""
        look = self._analysis.first_look
        known = len(self._facts.of)
        control = look["security"][:known]
        shut = (control >= 0) & (control & ENCRYPTED != 0) & (look["inner"][:known] < 0)
        return len(self._facts.exchanges_of(np.flatnonzero(shut)))

    def _expert(self) -> ExpertCount:
        kinds = np.bincount(self._analysis.expert_items["kind"], minlength=len(NUMBERED))
        severity = severities()
        errors, warnings, notes = (
            int(kinds[severity == one].sum()) for one in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        )
        gravest = np.where(severity == (Severity.ERROR if errors else Severity.WARNING), kinds, 0)
        number = int(gravest.max())
        # Kinds are numbered as modules are imported: of equals the alphabet decides.
        most = min(kind.word for kind in NUMBERED if gravest[kind.number] == number)
        return ExpertCount(errors, warnings, notes, most if number else None, number)

    def _first_trouble(self) -> FirstTrouble | None:
        outcomes, exchanges = self._facts.outcomes, self._facts.table
        sentences = CauseSentences(self._analysis, self._facts)
        streams = self._dlms[~np.isin(self._outcome[self._dlms], _NO_TROUBLE)]
        rows = np.flatnonzero(
            np.isin(self._facts.statuses, (ExchangeStatus.ERROR, ExchangeStatus.UNANSWERED))
        )
        last = np.maximum(exchanges["last_request"][rows], exchanges["last_response"][rows])
        packets = self._analysis.wpdus["last_packet"][last]
        if len(streams) and not (len(rows) and packets.min() < outcomes.packet[streams].min()):
            stream = int(streams[np.argmin(outcomes.packet[streams])])
            at, cause, exchange = int(outcomes.packet[stream]), sentences.sentence(stream), None
        elif len(rows):
            first = int(np.argmin(packets))
            row = int(rows[first])
            stream, at, exchange = int(exchanges["stream"][row]), int(packets[first]), row + 1
            cause = sentences.of_exchange(row)
        else:
            return None
        word = ConnectionOutcome(int(self._outcome[stream])).word
        return FirstTrouble(stream, self._name(stream), word, cause, at + 1 if at >= 0 else None, exchange)
