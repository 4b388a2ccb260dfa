"""The plan of a large capture: who sends which packet when, as NumPy columns, and the truth about it.

Exchanges are drawn at random, seven possible packets each (a request, the
same again, an ACK, the answer, its second part, the same again, an ACK); times
and sequence numbers follow from cumulative sums along each connection.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.helpers import traffic_apdus as apdus

SEED = 4059
START = 1_760_000_000_000_000  # microseconds since the epoch
CONNECTIONS_PER_PACKET = 0.004
MICROSECONDS_PER_PACKET = 1497

SPLIT = 0.08
OUT_OF_PLACE_SWAPPED = 0.002
OUT_OF_PLACE_REPEATED = 0.008
SHARED = 0.0266
UNANSWERED = 0.0039
SERVER_ACK, CLIENT_ACK = 0.72, 0.80

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
WPORTS = ((16, 1), (1, 1), (32, 1), (48, 17))
HEADER = 16 + 14 + 20 + 20  # record, Ethernet, IPv4 and TCP headers

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Truth:
    """What a generated capture holds, for whoever reads it."""

    packets: int
    seed: int
    octets: int
    connections: int
    wpdus: int
    apdu_tags: dict[str, int]
    retransmissions: int
    out_of_order: int
    missing_bytes: int
    skipped_bytes: int
    split_answers: int
    split_headers: int
    shared_segments: int
    unanswered: int


class Pool:
    """The WPDUs that packets carry: one blob, with offset, length and the places to vary of each."""

    def __init__(self) -> None:
        self._blob = bytearray()
        self._rows: list[tuple[int, int, int, int]] = []

    def add(self, wpdu: bytes, invoke_at: int = -1, value_at: int = -1) -> int:
        """Take a payload in; where its invoke-id and a 4-octet value stand in it, -1 for none."""
        self._rows.append((len(self._blob), len(wpdu), invoke_at, value_at))
        self._blob += wpdu
        return len(self._rows) - 1

    def freeze(self) -> None:
        self.blob = np.frombuffer(bytes(self._blob), np.uint8)
        self.offset, self.length, self.invoke_at, self.value_at = np.array(self._rows, np.int64).T


#: What is read, as class, logical name, attribute.
OBJECTS = (
    (3, "1.0.1.8.0.255", 2), (3, "1.0.2.8.0.255", 2), (3, "1.0.1.7.0.255", 2), (3, "1.0.32.7.0.255", 2),
    (3, "1.0.31.7.0.255", 2), (3, "1.0.14.7.0.255", 2), (8, "0.0.1.0.0.255", 2), (1, "0.0.96.1.0.255", 2),
    (3, "1.0.1.8.0.255", 3), (7, "1.0.99.1.0.255", 2), (7, "0.0.99.98.0.255", 2),
)  # fmt: skip


def _profile(rows: int) -> bytes:
    entries = (
        apdus.structure(
            apdus.octet_string(apdus.date_time(2025, 10, 9, row // 4 % 24, row % 4 * 15)),
            apdus.unsigned(0),
            apdus.double_long_unsigned(1_234_560 + 25 * row),
            apdus.double_long_unsigned(4_210 + row),
        )
        for row in range(rows)
    )
    return apdus.array(*entries)


def _answers() -> list[tuple[float, bytes, bool]]:
    """Share, data, and whether a 4-octet value follows the first type octet."""
    return [
        (0.30, apdus.double_long_unsigned(123_456), True),
        (0.08, apdus.long_unsigned(2301), False),
        (0.06, apdus.double_long(-4200), True),
        (0.05, apdus.long64_unsigned(123_456_789_012), False),
        (0.08, apdus.octet_string(apdus.date_time(2025, 10, 9, 10, 15, 30)), False),
        (0.05, apdus.visible_string("CSP0012345678901"), False),
        (0.06, apdus.scaler_unit(-3, 30), False),
        (0.02, apdus.float32(230.1), False),
        (0.06, _profile(8), False),
        (0.10, _profile(20), False),
        (0.09, _profile(32), False),
        (0.05, _profile(46), False),
    ]


class Templates:
    """Every payload of the capture, as rows of one pool, by kind and wPort pair."""

    def __init__(self) -> None:
        self.pool = Pool()
        pairs = len(WPORTS)
        answers = _answers()
        self.shares = np.array([share for share, _, _ in answers])
        self.aarq = np.empty(pairs, np.int64)
        self.aare, self.rlrq, self.rlre = (np.empty(pairs, np.int64) for _ in range(3))
        self.requests = np.empty((pairs, len(OBJECTS)), np.int64)
        self.answers = np.empty((pairs, len(answers), 2), np.int64)  # last axis: with a push behind it
        for pair, (client, server) in enumerate(WPORTS):
            add, wpdu = self.pool.add, apdus.wpdu
            self.aarq[pair] = add(wpdu(client, server, apdus.aarq()))
            self.aare[pair] = add(wpdu(server, client, apdus.aare()))
            self.rlrq[pair] = add(wpdu(client, server, apdus.RLRQ))
            self.rlre[pair] = add(wpdu(server, client, apdus.RLRE))
            for number, one in enumerate(OBJECTS):
                self.requests[pair, number] = add(wpdu(client, server, apdus.get_request(0xC1, *one)), 10)
            push = apdus.data_notification(
                0x4000_0001,
                apdus.date_time(2025, 10, 9, 10, 15),
                apdus.structure(apdus.octet_string(apdus.obis("0.0.25.9.0.255")), apdus.unsigned(1)),
            )
            for number, (_, data, valued) in enumerate(answers):
                whole = wpdu(server, client, apdus.get_response(0xC1, data))
                value_at = 13 if valued else -1
                self.answers[pair, number, 0] = add(whole, 10, value_at)
                self.answers[pair, number, 1] = add(whole + wpdu(server, client, push), 10, value_at)
        self.pool.freeze()


# One row of the plan is one packet. An exchange fills some of seven slots, a connection's start and end the
# others; the order of slots is the order in which things happen.
_OPENING = 5  # SYN, SYN ACK, ACK, AARQ, AARE
_CLOSING = 6  # RLRQ, RLRE, FIN, ACK, FIN, ACK
_REQUEST, _REQUEST_AGAIN, _SERVER_ACK, _ANSWER, _SECOND_PART, _ANSWER_AGAIN, _CLIENT_ACK = range(7)
_SLOTS = 7


class Exchanges:
    """GET requests and their answers, drawn at random; `slots` says which packets each makes."""

    def __init__(self, random: np.random.Generator, count: int, templates: Templates) -> None:
        answered = random.random(count) >= UNANSWERED
        kind = random.choice(len(templates.shares), count, p=templates.shares / templates.shares.sum())
        self.split = answered & (random.random(count) < SPLIT)
        self.shared = answered & (random.random(count) < SHARED)
        self.kind, self.object = kind, random.integers(0, len(OBJECTS), count)
        data_segments = 2 + SPLIT
        self.swapped = self.split & (random.random(count) < OUT_OF_PLACE_SWAPPED * data_segments / SPLIT)
        again = OUT_OF_PLACE_REPEATED * data_segments / 2
        self.slots = np.zeros((count, _SLOTS), bool)
        self.slots[:, _REQUEST] = True
        self.slots[:, _REQUEST_AGAIN] = random.random(count) < again
        self.slots[:, _SERVER_ACK] = ~answered | (random.random(count) < SERVER_ACK)
        self.slots[:, _ANSWER] = answered
        self.slots[:, _SECOND_PART] = self.split
        self.slots[:, _ANSWER_AGAIN] = answered & ~self.swapped & (random.random(count) < again)
        self.slots[:, _CLIENT_ACK] = answered & (random.random(count) < CLIENT_ACK)
        self.answered = answered

    def keep(self, rows: int) -> int:
        """Cut to as few exchanges as make at least `rows` packets, then drop ACKs until it is exact."""
        total = np.cumsum(self.slots.sum(axis=1))
        count = int(np.searchsorted(total, rows)) + 1
        for name, values in vars(self).items():
            setattr(self, name, values[:count])
        surplus = int(total[count - 1]) - rows
        spare = np.flatnonzero(self.slots[:, _SERVER_ACK] & self.answered)[:surplus]
        self.slots[spare, _SERVER_ACK] = False
        return count


@dataclass
class Plan:
    """All packets, a connection after the other, in the order in which their sender sent them."""

    connection: Array
    direction: Array  # 0 from the client
    time: Array  # microseconds
    flags: Array
    sequence: Array
    acknowledgement: Array
    ip_id: Array
    template: Array
    skip: Array  # octets of the template before this segment's part
    payload: Array  # octets
    invoke: Array
    value: Array
    pair: Array  # by connection


def _seven_slots(random: np.random.Generator, exchanges: Exchanges, pair: Array, t: Templates) -> Plan:
    """The plan's columns for every slot of every exchange, used or not; sequence numbers still to come."""
    count = len(exchanges.kind)
    shape = (count, _SLOTS)
    direction = np.broadcast_to(np.array([0, 0, 1, 1, 1, 1, 0], np.int8), shape)
    template = np.full(shape, -1, np.int64)
    template[:, :2] = t.requests[pair, exchanges.object][:, None]
    answer = t.answers[pair, exchanges.kind, exchanges.shared.astype(np.int64)]
    template[:, _ANSWER : _ANSWER_AGAIN + 1] = answer[:, None]
    whole = t.pool.length[answer]
    cut = np.where(random.random(count) < 0.15, random.integers(1, 8, count), 0)
    cut = np.where(cut, cut, 1 + (random.random(count) * (whole - 1)).astype(np.int64))
    skip = np.zeros(shape, np.int64)
    payload = np.zeros(shape, np.int64)
    payload[:, :2] = t.pool.length[template[:, 0]][:, None]
    payload[:, _ANSWER] = np.where(exchanges.split, cut, whole)
    skip[:, _SECOND_PART] = cut
    payload[:, _SECOND_PART] = whole - cut
    skip[:, _ANSWER_AGAIN] = np.where(exchanges.split, cut, 0)  # of a split answer, its end is lost
    payload[:, _ANSWER_AGAIN] = np.where(exchanges.split, whole - cut, whole)
    flags = np.where(payload > 0, PSH | ACK, ACK).astype(np.uint8)
    elapsed = np.empty(shape, np.int64)
    thinking = random.integers(4_000, 45_000, count)
    elapsed[:, _REQUEST] = thinking
    elapsed[:, _REQUEST_AGAIN] = random.integers(200_000, 450_000, count)
    elapsed[:, _SERVER_ACK] = random.integers(100, 900, count)
    elapsed[:, _ANSWER] = np.clip(random.lognormal(np.log(90_000), 0.7, count), 3_000, 4_000_000)
    apart = np.where(exchanges.swapped, 25_000, 1_500)  # late ones beyond what tools allow
    elapsed[:, _SECOND_PART] = random.integers(20, apart)
    elapsed[:, _ANSWER_AGAIN] = random.integers(200_000, 450_000, count)
    elapsed[:, _CLIENT_ACK] = random.integers(50, 600, count)
    late = np.zeros(count, bool)
    late[1:] = ~exchanges.answered[:-1]  # the client gives up on the request before
    elapsed[:, _REQUEST] += np.where(late, 5_000_000, 0)
    number = np.broadcast_to(np.arange(count)[:, None], shape)
    unset = np.zeros(shape, np.int64)
    return Plan(
        unset, direction, elapsed, flags, unset, unset, unset, template, skip, payload,
        0xC0 | number % 15 + 1, 100_000 + number * 7, pair,
    )  # fmt: skip


def _frame_slots(pair: Array, t: Templates) -> tuple[Plan, Plan]:
    """Every connection's start and its end, as plans of five and six packets each."""
    count = len(pair)

    def rows(directions: list[int], flags: list[int], elapsed: list[int], templates: list[Array]) -> Plan:
        shape = (count, len(directions))
        template = np.column_stack(templates)
        payload = np.where(template >= 0, t.pool.length[template], 0)
        unset = np.zeros(shape, np.int64)
        return Plan(
            unset, np.broadcast_to(np.array(directions, np.int8), shape),
            np.broadcast_to(np.array(elapsed, np.int64), shape),
            np.broadcast_to(np.array(flags, np.uint8), shape), unset, unset, unset,
            template, unset, payload, unset, unset, pair,
        )  # fmt: skip

    none = np.full(count, -1, np.int64)
    data = PSH | ACK
    opening = rows(
        [0, 1, 0, 0, 1], [SYN, SYN | ACK, ACK, data, data], [0, 21_000, 300, 1_200, 64_000],
        [none, none, none, t.aarq[pair], t.aare[pair]],
    )  # fmt: skip
    closing = rows(
        [0, 1, 0, 1, 1, 0], [data, data, FIN | ACK, ACK, FIN | ACK, ACK],
        [30_000, 55_000, 700, 21_000, 900, 400], [t.rlrq[pair], t.rlre[pair], none, none, none, none],
    )  # fmt: skip
    return opening, closing


def _numbers(plan: Plan, again: Array, random: np.random.Generator, connections: int) -> None:
    """Fill in sequence and acknowledgement numbers and IP ids, from lengths in the order of sending."""
    starts = np.searchsorted(plan.connection, np.arange(connections))
    takes = plan.payload + ((plan.flags & (SYN | FIN)) != 0)
    takes[again] = 0
    initial = random.integers(0, 1 << 32, (2, connections), dtype=np.int64)
    initial[:, ::100] = (1 << 32) - 1_000  # these wrap within the connection
    before = np.empty((2, len(takes)), np.int64)
    for side in (0, 1):
        sent = np.where(plan.direction == side, takes, 0)
        total = np.cumsum(sent)
        base = (total - sent)[starts]
        before[side] = total - sent - base[plan.connection] + initial[side][plan.connection]
    own = np.where(plan.direction == 0, before[0], before[1])
    own[again] -= plan.payload[again]
    plan.sequence = own & 0xFFFFFFFF
    acknowledged = np.where(plan.direction == 0, before[1], before[0]) & 0xFFFFFFFF
    plan.acknowledgement = np.where(plan.flags & ACK, acknowledged, 0)
    packets = np.arange(len(takes)) - starts[plan.connection]
    plan.ip_id = (packets + plan.connection * 977 + plan.direction.astype(np.int64) * 31_337) & 0xFFFF


def make_plan(packets: int, seed: int) -> tuple[Plan, Templates, Truth]:
    """The whole capture as columns, a connection after the other, and what it holds."""
    random = np.random.default_rng(seed)
    templates = Templates()
    connections = max(1, round(packets * CONNECTIONS_PER_PACKET))
    wanted = packets - connections * (_OPENING + _CLOSING)
    exchanges = Exchanges(random, wanted // 3 + 16, templates)
    count = exchanges.keep(wanted)
    owner = np.sort(random.integers(0, connections, count))
    pair = random.integers(0, len(WPORTS), connections)
    middle = _seven_slots(random, exchanges, pair[owner], templates)
    opening, closing = _frame_slots(pair, templates)
    used = exchanges.slots
    connection = np.concatenate(
        (
            np.repeat(np.arange(connections), _OPENING),
            np.repeat(owner, used.sum(axis=1)),
            np.repeat(np.arange(connections), _CLOSING),
        )
    )
    order = np.argsort(connection, kind="stable")

    def joined(name: str) -> Array:
        parts = (getattr(opening, name).ravel(), getattr(middle, name)[used], getattr(closing, name).ravel())
        return np.concatenate(parts)[order]

    slot = np.concatenate(
        (
            np.full(opening.flags.size, -1),
            np.broadcast_to(np.arange(_SLOTS), used.shape)[used],
            np.full(closing.flags.size, -1),
        )
    )[order]
    names = ("direction", "time", "flags", "template", "skip", "payload", "invoke", "value")
    columns = {name: joined(name) for name in names}
    unset = np.zeros(packets, np.int64)
    plan = Plan(connection[order], sequence=unset, acknowledgement=unset, ip_id=unset, pair=pair, **columns)
    again = (slot == _REQUEST_AGAIN) | (slot == _ANSWER_AGAIN)
    _numbers(plan, again, random, connections)
    swapped = np.zeros(packets, bool)
    swapped[np.flatnonzero(slot == _ANSWER)] = exchanges.swapped[exchanges.answered]
    _times(plan, swapped, random, connections, packets)
    cut_headers = int(((plan.skip > 0) & (plan.skip < 8) & ~again).sum())
    return plan, templates, _truth(exchanges, plan, connections, cut_headers, seed)


def _times(plan: Plan, swapped: Array, random: np.random.Generator, connections: int, packets: int) -> None:
    """Turn elapsed times into times, connections spread over the capture's span; swap what is swapped."""
    starts = np.searchsorted(plan.connection, np.arange(connections))
    total = np.cumsum(plan.time)
    stops = np.append(starts[1:], packets) - 1
    lasts = total[stops] - total[starts]
    room = np.maximum(MICROSECONDS_PER_PACKET * packets - lasts, 1)
    begins = START + (np.sort(random.random(connections)) * room).astype(np.int64)
    plan.time = total - total[starts][plan.connection] + begins[plan.connection]
    first = np.flatnonzero(swapped)
    plan.time[first], plan.time[first + 1] = plan.time[first + 1], plan.time[first].copy()


def _truth(exchanges: Exchanges, plan: Plan, connections: int, cut_headers: int, seed: int) -> Truth:
    requests, answers = len(exchanges.kind), int(exchanges.answered.sum())
    pushes = int(exchanges.shared.sum())
    tags = {
        "AARQ": connections, "AARE": connections, "get-request": requests, "get-response": answers,
        "data-notification": pushes, "RLRQ": connections, "RLRE": connections,
    }  # fmt: skip
    return Truth(
        packets=len(plan.time),
        seed=seed,
        octets=24 + HEADER * len(plan.time) + int(plan.payload.sum()) + 4 * 2 * connections,
        connections=connections,
        wpdus=sum(tags.values()),
        apdu_tags=tags,
        retransmissions=int(exchanges.slots[:, [_REQUEST_AGAIN, _ANSWER_AGAIN]].sum()),
        out_of_order=int(exchanges.swapped.sum()),
        missing_bytes=0,
        skipped_bytes=0,
        split_answers=int(exchanges.split.sum()),
        split_headers=cut_headers,
        shared_segments=pushes,
        unanswered=requests - answers,
    )
