"""Streams: every TCP connection and UDP flow as one row, and which stream each packet belongs to.

A flow (two endpoints and a protocol) carries one connection after another
when ports are reused: a SYN with another initial sequence number, or one after
a FIN or a RST, begins a new stream on the same flow; a SYN that was sent again or
captured twice does not. Where the SYN is not in the capture, `Endings` tell. Streams are
numbered by their first packets. All of it is done for a whole batch of
packets; only SYNs on a flow that is already known are looked at one by one.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN, TCP
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.endings import Endings
from cosemscope.streams.roles import initiator_side
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wports import DLMS_PORT

#: STREAM columns. `protocol` 6 or 17; `flow`: row of the flow table; `instance`: 0, 1, ... on that flow;
#: `client_side`: which endpoint of the flow is the stream's client (0: A), see `roles`; `framing`: Framing;
#: `first_packet`: packet row; `start_seen`: it begins with a SYN; `ended`: FIN or RST was seen;
#: `packets`, `wpdus` (whole ones), `octets` (payload on the wire); `first_time`, `last_time`: ns since the
#: epoch; `retransmissions`, `out_of_order`, `conflicts`, `captured_twice`: segments; `missing_octets`: not
#: captured; `skipped_octets`: no WPDU; `frames`: HDLC frames with a right check sequence; `rtt`: ns of the
#: handshake, -1 unknown.
STREAM_FIELDS: dict[str, str] = {
    "protocol": "u1",
    "flow": "i4",
    "instance": "u4",
    "client_side": "u1",
    "framing": "u1",
    "first_packet": "u4",
    "start_seen": "?",
    "ended": "?",
    "packets": "u4",
    "wpdus": "u4",
    "octets": "i8",
    "first_time": "i8",
    "last_time": "i8",
    "retransmissions": "u4",
    "out_of_order": "u4",
    "conflicts": "u4",
    "captured_twice": "u4",
    "missing_octets": "i8",
    "skipped_octets": "i8",
    "frames": "u4",
    "rtt": "i8",
}
# What is needed to tell one connection from the next, and to measure the handshake: sequence numbers of
# the SYN of side 0 and 1 (-1: not seen), the time of the SYN that was answered, the packet of the SYN-ACK
# (-1: not seen), and whether data came.
_NO_TIME = np.iinfo(np.int64).min
_OPENING_FIELDS = {"isn0": "i8", "isn1": "i8", "syn_time": "i8", "syn_ack": "i8", "data": "?"}

#: How long after a packet (ns) a second tap may capture it again.
COPY_WITHIN = 2_000_000_000

Rows = npt.NDArray[np.intp]


def add_counts(column: npt.NDArray[Any], index: npt.NDArray[Any], weights: Any = None) -> None:
    """Add 1, or the weights, at each index of a column, also where an index comes several times."""
    if not len(index):
        return
    if len(index) * 4 < len(column):
        np.add.at(column, index, 1 if weights is None else weights.astype(column.dtype))
    else:
        column += np.bincount(index, weights, len(column)).astype(column.dtype)


def first_rows(index: npt.NDArray[Any], size: int) -> npt.NDArray[np.int64]:
    """For each number below `size` the first position at which it stands in `index`, or -1."""
    first = np.full(size, -1, np.int64)
    first[index[::-1]] = np.arange(len(index) - 1, -1, -1)
    return first


def _carrying(view: dict[str, Any], rows: slice) -> npt.NDArray[np.bool_]:
    """Mask, bool[k], of packets with data, but for those of a SYN: the other side may not have taken them."""
    mask: npt.NDArray[np.bool_] = (view["payload_length"][rows] > 0) & ((view["flags"][rows] & SYN) == 0)
    return mask


class StreamOpening:
    """Facts of the connection that a flow carries, while a batch's SYNs are gone through."""

    def __init__(self, isn: list[int], start: int, first: int, *, used: bool = False) -> None:
        self.isn = isn
        self.start = start
        self.first = first  # row of its first packet; -1: the first of the flow in this batch
        self.used = used  # data came, a FIN or a RST
        self.ended = False


class StreamTable(Columns):
    """The streams. `assign` numbers the packets of a batch and keeps the streams' counts and times."""

    def __init__(self, packets: Columns, flows: Columns, decode_as: DecodeAs) -> None:
        super().__init__(STREAM_FIELDS)
        self._packets = packets
        self._flows = flows
        self._decode_as = decode_as
        self._openings = Columns(_OPENING_FIELDS)
        self._current = Columns({"stream": "i4", "instances": "u4"})
        self._endings = Endings()
        self._latest = _NO_TIME  # the greatest time of any packet
        #: (stream that ended by port reuse, packet row that began the next) of the last batch.
        self.replaced: list[tuple[int, int]] = []

    def assign(self, rows: slice) -> npt.NDArray[np.int32]:
        """The stream of each of these packets (-1: none), new streams being added."""
        view = {name: self._packets[name][rows] for name in ("flow", "direction", "flags", "protocol", "seq")}
        view |= {name: self._packets[name][rows] for name in ("time", "ack", "payload_length")}
        flow = view["flow"]
        known = len(self._current)
        first = self._first_of_new(flow, known)
        syns = (view["protocol"] == TCP) & ((view["flags"] & SYN) > 0)
        reused = self._reused(view, first, known, syns, rows.start) if syns.any() else []
        reused = sorted({*reused, *self._endings.follow(view, len(self._flows), self._packets, rows.start)})
        self.replaced = []
        stream = self._create(view, first, reused, rows.start)
        self._note_openings(view, stream, syns, rows.start)
        self._count(view, stream)
        return stream

    def set_client(self, stream: int, tag: int, sender: int) -> None:
        """Settle the client of a stream without a SYN; `tag` of the first APDU, from flow side `sender`."""
        if self["start_seen"][stream]:
            return
        first_sender = int(self._packets["direction"][self["first_packet"][stream]])
        self["client_side"][stream] = initiator_side(tag, sender, self.ports(stream), first_sender)

    def name_not_captured(self, owner: npt.NDArray[np.int32]) -> None:
        """Name streams of whose payload not one octet was captured; `owner`: the stream of each packet."""
        lacking = np.flatnonzero((self["framing"] == Framing.UNKNOWN) & (self["missing_octets"] > 0))
        if len(lacking):
            seen = np.zeros(len(self) + 1, np.bool_)  # the last one: packets of no stream
            seen[owner[self._packets["payload_captured"] > 0]] = True
            self["framing"][lacking[~seen[lacking]]] = Framing.NOT_CAPTURED

    def ports(self, stream: int) -> tuple[int, int]:
        """The ports of the flow's endpoints A and B."""
        flow = int(self["flow"][stream])
        return int(self._flows["a_port"][flow]), int(self._flows["b_port"][flow])

    @property
    def flows(self) -> Columns:
        """The flow table."""
        return self._flows

    def declared(self, stream: int) -> bool:
        """True if the user has set the framing of a stream."""
        return bool(self._decode_as) and (
            self._decode_as.framing(stream, int(self["protocol"][stream]), self.ports(stream)) is not None
        )

    @property
    def undecided(self) -> npt.NDArray[np.bool_]:
        """For each stream whether it is not recognised yet."""
        mask: npt.NDArray[np.bool_] = self["framing"] == Framing.UNDECIDED
        return mask

    def initial(self, side: int) -> npt.NDArray[Any]:
        """The initial sequence number of flow side 0 or 1 of each stream, -1 unknown."""
        return self._openings["isn1" if side else "isn0"]

    def answer_times(self) -> npt.NDArray[np.int64]:
        """Nanoseconds from the SYN that was answered to the first SYN-ACK, int64[streams]; -1 unknown."""
        syn_time, answer = self._openings["syn_time"], self._openings["syn_ack"]
        seen = np.flatnonzero((answer >= 0) & (syn_time != _NO_TIME))
        found = np.full(len(answer), -1, np.int64)
        found[seen] = np.maximum(self._packets["time"][answer[seen]] - syn_time[seen], 0)
        return found

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """For each stream whether a SYN-ACK was seen."""
        seen: npt.NDArray[np.bool_] = self._openings["syn_ack"] >= 0
        return seen

    def _first_of_new(self, flow: npt.NDArray[Any], known: int) -> Rows:
        """Indexes of the first packets of flows that are new in this batch, in the order of the flows."""
        count = int(flow.max(initial=-1)) + 1 - known  # the flow table may be ahead of this batch
        if count <= 0:
            return np.zeros(0, np.intp)
        new = np.flatnonzero(flow >= known)
        return new[first_rows(flow[new] - known, count)]

    def _reused(
        self, view: dict[str, Any], first: Rows, known: int, syns: npt.NDArray[np.bool_], base: int
    ) -> list[int]:
        """Indexes of the SYNs that begin another connection on a flow that already carries one."""
        opening = np.flatnonzero(syns & ((view["flags"] & ACK) == 0))
        expected = np.zeros(len(view["flow"]), np.bool_)
        expected[first] = True
        again = opening[~expected[opening]]
        if not len(again):
            return []
        doubtful = np.zeros(len(self._flows), np.bool_)
        doubtful[view["flow"][again]] = True
        opens: dict[int, StreamOpening] = {}
        found = []
        for index in np.flatnonzero(syns & doubtful[view["flow"]] & (view["flow"] >= 0)).tolist():
            flow = int(view["flow"][index])
            if flow not in opens:
                opens[flow] = self._opening(flow, known)
            if self._begins_anew(view, opens[flow], index, base, first=bool(expected[index])):
                isn = [-1, -1]
                isn[view["direction"][index]] = int(view["seq"][index])
                opens[flow] = StreamOpening(isn, index, base + index)
                found.append(index)
        return found

    def _opening(self, flow: int, known: int) -> StreamOpening:
        if flow >= known:
            return StreamOpening([-1, -1], 0, -1)
        stream = int(self._current["stream"][flow])
        opening = self._openings
        isn = [int(opening["isn0"][stream]), int(opening["isn1"][stream])]
        ended = bool(self["ended"][stream])
        used = ended or bool(opening["data"][stream])
        known_one = StreamOpening(isn, 0, int(self["first_packet"][stream]), used=used)
        known_one.ended = ended
        return known_one

    def _begins_anew(
        self, view: dict[str, Any], opening: StreamOpening, index: int, base: int, *, first: bool
    ) -> bool:
        """True if a SYN begins another connection; else it is noted in `opening`."""
        side, seq = int(view["direction"][index]), int(view["seq"][index])
        if view["flags"][index] & ACK:
            if opening.isn[side] < 0:
                opening.isn[side] = seq
            if opening.isn[1 - side] < 0:
                opening.isn[1 - side] = (int(view["ack"][index]) - 1) & 0xFFFFFFFF
            return False
        repeated = opening.isn[side] == seq
        simultaneous = opening.isn[side] < 0 and opening.isn[1 - side] >= 0
        if not first and (repeated or simultaneous):
            self._use(view, opening, index)
        same = repeated and (not opening.ended or self._captured_twice(view, opening.first, index, base))
        if first or same or (simultaneous and not opening.used):
            opening.isn[side] = seq
            return False
        return True

    def _use(self, view: dict[str, Any], opening: StreamOpening, index: int) -> None:
        """Note whether the connection has carried data, a FIN or a RST before the packet `index`."""
        before = slice(opening.start, index)
        flags = view["flags"][before]
        mine = view["flow"][before] == view["flow"][index]
        opening.start = index
        opening.ended |= bool((mine & ((flags & (FIN | RST)) > 0)).any())
        opening.used |= opening.ended or bool((mine & _carrying(view, before)).any())

    def _captured_twice(self, view: dict[str, Any], first: int, index: int, base: int) -> bool:
        """True if a SYN is a copy of the one that opened its connection, which has the packet row `first`."""
        if first < 0:
            first = base + int(np.argmax(view["flow"] == view["flow"][index]))
        one, other = (
            [int(self._packets[name][row]) for name in ("flags", "direction", "ip_id", "tsval", "time")]
            for row in (first, base + index)
        )
        told = any(mine == its > 0 for mine, its in zip(one[2:4], other[2:4], strict=True))
        return one[:2] == other[:2] and told and 0 <= other[4] - one[4] < COPY_WITHIN

    def _create(
        self, view: dict[str, Any], first: Rows, reused: list[int], base: int
    ) -> npt.NDArray[np.int32]:
        """Add the new streams in the order of their first packets; the stream of each packet."""
        flow = view["flow"]
        if len(first):
            self._current.extend(len(first), stream=-1)
        start = np.concatenate([first, np.array(reused, np.intp)])
        order = np.argsort(start, kind="stable")
        start = start[order]
        old = np.append(self._current["stream"], np.int32(-1))  # the last: packets of no flow (-1)
        stream: npt.NDArray[np.int32] = old[flow]
        if not len(start):
            return stream
        number = np.arange(len(self), len(self) + len(start))
        new_flow = flow[start]
        if reused:
            self._assign_reused(flow, start, number, stream, base)
        else:
            # Every new stream is the only one of its flow in this batch.
            table = old
            table[new_flow] = number
            stream = table[flow]
        self._append(view, start, new_flow, base)
        self._current["stream"][new_flow] = number  # the last of a flow wins
        return stream

    def _assign_reused(
        self, flow: npt.NDArray[Any], start: Rows, number: Rows, stream: npt.NDArray[np.int32], base: int
    ) -> None:
        """Fill in `stream` where a flow may carry several connections; note what was replaced."""
        width = np.int64(len(flow) + 1)
        keys = flow[start].astype(np.int64) * width + start
        order = np.argsort(keys)
        keys = keys[order]
        mine = flow.astype(np.int64) * width + np.arange(len(flow))
        place = np.searchsorted(keys, mine, "right") - 1
        hit = (place >= 0) & (flow >= 0)
        hit[hit] = keys[place[hit]] // width == flow[hit]
        stream[hit] = number[order][place[hit]]
        previous: dict[int, int] = {}
        for index, new in zip(start.tolist(), number.tolist(), strict=True):
            owner = int(flow[index])
            before = previous.get(owner, int(self._current["stream"][owner]))
            if before >= 0:
                self.replaced.append((before, base + index))
            previous[owner] = new

    def _append(self, view: dict[str, Any], start: Rows, flow: npt.NDArray[Any], base: int) -> None:
        protocol = view["protocol"][start]
        flags = view["flags"][start]
        direction = view["direction"][start]
        tcp = protocol == TCP
        syn = tcp & ((flags & SYN) > 0)
        ports_a, ports_b = self._flows["a_port"][flow], self._flows["b_port"][flow]
        higher = np.where(ports_a == ports_b, direction, (ports_b > ports_a).astype(np.uint8))
        registered = (ports_a == DLMS_PORT) != (ports_b == DLMS_PORT)
        higher[registered] = (ports_a == DLMS_PORT)[registered]
        client = np.where(syn, np.where((flags & ACK) > 0, 1 - direction, direction), higher)
        first = len(self)
        instance = np.zeros(len(start), np.uint32)
        for place, owner in enumerate(flow.tolist() if len(self.replaced) else ()):
            instance[place] = self._current["instances"][owner]
            self._current["instances"][owner] += 1
        if not len(self.replaced):
            self._current["instances"][flow] = 1
        self.extend(
            len(start),
            protocol=protocol,
            flow=flow,
            instance=instance,
            client_side=client,
            first_packet=start + base,
            start_seen=syn,
            first_time=view["time"][start],
            last_time=view["time"][start],
            rtt=-1,
        )
        self._openings.extend(len(start), isn0=-1, isn1=-1, syn_time=_NO_TIME, syn_ack=-1)
        if self._decode_as:
            for stream in range(first, len(self)):
                framing = self._decode_as.framing(stream, int(self["protocol"][stream]), self.ports(stream))
                self["framing"][stream] = Framing.UNDECIDED if framing is None else framing

    def _note_openings(
        self, view: dict[str, Any], stream: npt.NDArray[np.int32], syns: npt.NDArray[np.bool_], base: int
    ) -> None:
        """Keep initial sequence numbers, the state of connections, and the round-trip time of handshakes."""
        opening = self._openings
        flags, direction = view["flags"], view["direction"]
        tcp = (view["protocol"] == TCP) & (stream >= 0)
        opening["data"][stream[tcp & _carrying(view, slice(None))]] = True
        self["ended"][stream[tcp & ((flags & (FIN | RST)) > 0)]] = True
        rows = np.flatnonzero(syns & (stream >= 0))
        if len(rows):
            self._note_syns(view, stream, rows, base)
        # The first plain ACK of the initiator after the SYN-ACK ends the handshake.
        waiting = (self["rtt"] < 0) & (opening["syn_ack"] >= 0) & (opening["syn_time"] != _NO_TIME)
        if not waiting.any():
            return
        rows = np.flatnonzero(tcp & ((flags & (SYN | ACK | RST)) == ACK))
        rows = rows[waiting[stream[rows]]]
        mine = stream[rows]
        rows = rows[(direction[rows] == self["client_side"][mine]) & (rows + base > opening["syn_ack"][mine])]
        first = rows[::-1]
        self["rtt"][stream[first]] = np.maximum(view["time"][first] - opening["syn_time"][stream[first]], 0)

    def _note_syns(self, view: dict[str, Any], stream: npt.NDArray[np.int32], rows: Rows, base: int) -> None:
        opening = self._openings
        answer = (view["flags"][rows] & ACK) > 0
        for side in (0, 1):
            initial = self.initial(side)
            mine = rows[view["direction"][rows] == side][::-1]  # the first wins, here and below
            mine = mine[initial[stream[mine]] < 0]
            initial[stream[mine]] = view["seq"][mine]
            other = rows[answer & (view["direction"][rows] != side)][::-1]
            other = other[initial[stream[other]] < 0]
            initial[stream[other]] = (view["ack"][other].astype(np.int64) - 1) & 0xFFFFFFFF
        plain, answers = rows[~answer], rows[answer][::-1]
        answers = answers[opening["syn_ack"][stream[answers]] < 0]
        opening["syn_ack"][stream[answers]] = answers + base
        # The SYN that was answered is the last before the first answer.
        answered = opening["syn_ack"][stream[plain]]
        plain = plain[(answered < 0) | (plain + base < answered)]
        opening["syn_time"][stream[plain]] = view["time"][plain]

    def _count(self, view: dict[str, Any], stream: npt.NDArray[np.int32]) -> None:
        rows = slice(None) if len(stream) and stream.min() >= 0 else np.flatnonzero(stream >= 0)
        mine = stream[rows]
        add_counts(self["packets"], mine)
        add_counts(self["octets"], mine, view["payload_length"][rows])
        time = view["time"][rows]
        if not len(time):
            return
        if time[0] >= self._latest and (time[1:] >= time[:-1]).all():
            self["last_time"][mine] = time
        else:  # the clock was set back, or files were put together
            np.minimum.at(self["first_time"], mine, time)
            np.maximum.at(self["last_time"], mine, time)
        self._latest = max(self._latest, int(time.max()))
