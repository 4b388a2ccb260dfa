"""The analysis of one capture, a batch of records at a time: what the window and the command line use.

    analysis = Analysis(open_capture(path))
    while analysis.step():
        ...                 # tables have grown: rows are only ever added
    analysis.finish()       # what was waited for will not come

The same object serves a file, and one that grows: `step` then returns False
whenever there is nothing new yet. One thread steps; others may look at
rows below a length that they took before (see `capture.columns`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.exchanges.exchange_roles import SILENCE
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.exchanges.general_transfers import general_rows
from cosemscope.analysis.exchanges.pairing import PairedRows
from cosemscope.analysis.notes import Notes
from cosemscope.analysis.sessions.counts import statistics
from cosemscope.analysis.sessions.session_tree import Peers, session_tree
from cosemscope.analysis.sessions.wport_pairs import PairCounts, near_is_client, same_pairs, sent_by_client
from cosemscope.apdu.acse_facts import AcseFacts
from cosemscope.apdu.context import RefusedItem
from cosemscope.capture.cancelling import Cancelled, Look, no_look
from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.flows import Endpoint
from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.capture.records import RecordBatch
from cosemscope.capture.source import RecordSource
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.foreign.prime_rows import settle_prime_rows
from cosemscope.streams.foreign.stream_facts import stream_facts
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.read_ahead import ReadAhead
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.tcp_streams import TcpStreams
from cosemscope.streams.reassembly.udp_flows import LateDatagram, UdpFlows
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.expert_items import ExpertItems
from cosemscope.streams.tables.first_look_columns import FirstLookColumns
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.streams.tables.wpdu_table import WpduTable

# Rows are reserved for what the file is expected to hold, this much more than the first batch lets expect.
_RESERVE = 1.05
_RESERVE_MOST = 1 << 27
#: The WPDU columns of which exchanges are made.
_EXCHANGED = ("first_time", "time", "last_packet", "stream", "direction", "length", "marks")
#: WPDUs that are paired at once.
_PAIRED = 1 << 16


class Analysis:
    """Packets, streams, WPDUs and expert items of a capture.

    `table` is the PacketTable; `packets`, `flows`, `streams` (STREAM_FIELDS), `wpdus` (WPDU_FIELDS),
    `stream_items`, `expert_items` (EXPERT_FIELDS) and `pairs` (PAIR_FIELDS) are tables of columns: the items
    that streams found, and those that the last pass over the rows came to, which has them too (see `expert`).
    `packet_streams["stream"]` is the stream of each packet (-1 none). Row for row as in `wpdus`,
    `wpdu_pairs["pair"]` is the row in `pairs`, and `first_look` (FIRST_LOOK_FIELDS) what the first octets of
    the APDU say; and, for rows that `pair` has taken, `exchanges.of["exchange"]` the row in `exchanges`
    (EXCHANGE_FIELDS; -1 none). `patience`: ns without an answer that count as none. By row, as a walk over
    associations finds it, `acse` has what ciphered AARQs and AAREs say, `hls` how right answers to challenges
    are (HlsAnswer), and `refused` which items of lists are answered with errors. `derived`: what others work
    out of the exchanges, thrown away when these are made anew; `notes` what a person notes. With `one_by_one`
    every segment goes through the reassembler, which gives the same rows. `look` is asked while a batch is
    taken in, and by all that takes long: where it raises Cancelled the rest of the batch is left out,
    `cancelled` is set, and nothing more is taken in.
    """

    def __init__(
        self,
        reader: RecordSource,
        decode_as: DecodeAs | None = None,
        *,
        one_by_one: bool = False,
        look: Look = no_look,
    ) -> None:
        self.reader = reader
        self.table = PacketTable(reader.side)
        self.decode_as = decode_as or DecodeAs()
        self.packets = self.table.packets
        self.streams = StreamTable(self.packets, self.flows, self.decode_as)
        self.wpdus = WpduTable()
        self.first_look = FirstLookColumns()
        self.stream_items = self.expert_items = ExpertItems()
        self.packet_streams = Columns({"stream": "i4"}, 1 << 16)
        self.wpdu_pairs = Columns({"pair": "u4"})
        self.exchanges = Exchanges()
        self.patience = SILENCE
        self.acse: dict[int, AcseFacts] = {}
        self.hls: dict[int, int] = {}
        self.refused: dict[int, tuple[RefusedItem, ...]] = {}
        self.derived: dict[str, object] = {}
        self.notes = Notes(lambda: reader.comments)
        self._pairing = Lock()
        self.look = look
        self.finished = self.cancelled = False
        self._source = PayloadSource(reader.octets, look)
        reader.look = self.table.look = look
        self._counts = PairCounts(self.streams, self.wpdus)
        self._output = Output(self.streams, self.wpdus, self.stream_items)
        self._tcp = TcpStreams(
            self.packets, self.packet_streams, self.streams, self._source, self._output, one_by_one=one_by_one
        )
        self._udp = UdpFlows(self.streams, self._source, self._output, self.packets, self.packet_streams)
        self._reserved = False
        self._ahead = ReadAhead(reader, self.table)

    @property
    def flows(self) -> Columns:
        """The flow table: endpoints of both sides, see `packet_table`."""
        return self.table.flows

    @property
    def pairs(self) -> Columns:
        """The wPort pairs of all streams, see `wport_pairs.PAIR_FIELDS`."""
        return self._counts.pairs

    @property
    def progress(self) -> tuple[int, int]:
        """Octets of the file that are done, and its size."""
        return self.reader.position, self.reader.size

    def step(self, max_records: int = 65_536) -> bool:
        """Take in one batch of records; False when there is nothing new now, or ever. Raises CaptureError.

        While a batch is analysed, the next one is read in a thread of its own, which has ended when this
        returns: most of either work is NumPy's and leaves Python to the other.
        """
        if self.cancelled:
            return False
        most = min(max_records, 65_536)
        with self._until_cancelled():
            batch, rows = self._ahead.next(most)
            if batch is None:
                return False
            if self._reserved:
                with self._ahead.reading(most, len(batch)):
                    self._analyse(batch, rows)
            else:
                self._analyse(batch, rows)
                self._reserve()
        return not self.cancelled

    @contextmanager
    def _until_cancelled(self) -> Iterator[None]:
        """Work that may be cancelled: of what it was about what was found so far is kept."""
        try:
            yield
        except Cancelled:
            self.cancelled = True
            end = len(self.packet_streams)
            with suppress(Cancelled):  # rows whose octets are read again: they have no first look
                self._flush(slice(end, end))

    def run(self) -> "Analysis":
        """Take in everything there is, and finish; returns itself. Raises CaptureError."""
        while self.step():
            pass
        self.finish()
        return self

    def add(self, batch: RecordBatch) -> None:
        """Take in these records (at most 65,536)."""
        self._analyse(batch, self.table.add(batch))

    def _analyse(self, batch: RecordBatch, rows: slice) -> None:
        self._source.use(batch)
        stream = self.streams.assign(rows)
        self.packet_streams.extend(rows.stop - rows.start, stream=stream)
        packets = PacketBatch.of(self.packets, rows, stream)
        self._tcp.add(packets)
        self._udp.add(packets, self._late_datagrams(rows.stop))
        self._flush(rows)

    def finish(self) -> None:
        """The capture is complete: holes are given up, streams that were waited for are decided.

        Nothing of it is done where reading was cancelled, and what is done is cut short where this is.
        """
        if self.finished or self.cancelled:
            return
        with self._until_cancelled():
            end = len(self.packets)
            self.table.finish()
            self._tcp.finish(end)
            self._udp.take_late(self._late_datagrams(end + 1))
            self._udp.finish(end)
            self.streams["framing"][self.streams.undecided] = Framing.SILENT
            self._flush(slice(end, end))
            self.streams.name_not_captured(self.packet_streams["stream"])
        self.finished = not self.cancelled

    def _late_datagrams(self, stop: int) -> Iterator[LateDatagram]:
        """What became known before packet `stop` of datagrams that lack fragments."""
        for trigger, packet, address, length, captured in self.table.take_late(stop):
            stream = int(self.packet_streams["stream"][packet])
            side, time = (int(self.packets[name][packet]) for name in ("direction", "time"))
            yield LateDatagram(trigger, stream, side, Segment(0, length, address, captured, packet, time, 0))

    def pair(self) -> Exchanges:
        """Pair the WPDUs that came since to exchanges; returns all exchanges. Any thread may ask.

        They are paired in the order in which their last octets were captured. Rows behind a hole come late:
        where others of their pair have been paired before them, all rows are paired again; likewise where an
        answer shows that an exception was another request's.
        """
        with self._pairing:
            stop, same = len(self.first_look), same_pairs(self.pairs)
            start = len(self.exchanges.of)
            pairs, places = same[self.wpdu_pairs["pair"][:stop]], self.wpdus["last_packet"][:stop]
            near = near_is_client(self.pairs)
            anew = self.exchanges.are_late(pairs[start:], places[start:]) or self.exchanges.are_joined(same)
            if self.exchanges.are_turned(near) or anew:
                self._forget(Exchanges())
                start = 0
            owners, transfers = self.exchanges.owners, self.exchanges.transfers
            changed = self._find_transfers(start, pairs)
            # What a transfer turned out to carry may be a request that an exception before answers.
            changed |= owners.update(
                0 if changed else start,
                pairs,
                self.first_look["service"][:stop],
                partial(self._to_pair, pairs),
            )
            if changed:
                self._forget(Exchanges(owners, transfers))
                start = 0
            self.exchanges.same, self.exchanges.near = same, near
            order = np.arange(start, stop)
            turned = bool((places[start + 1 :] < places[start : stop - 1]).any())
            if turned:
                order = order[np.argsort(places[start:], kind="stable")]
            for at in range(0, len(order), _PAIRED):
                numbers = order[at : at + _PAIRED]
                rows = numbers if turned else slice(start + at, start + at + len(numbers))
                wpdus = {name: self.wpdus[name][rows] for name in _EXCHANGED}
                self.exchanges.add(wpdus, self._paired_rows(pairs, rows, numbers))
        return self.exchanges

    def _find_transfers(self, start: int, pairs: npt.NDArray[np.uint32]) -> bool:
        """Take in the general-block-transfers from row `start` on; whether those before are others now."""
        rows = general_rows(self.first_look, slice(start, len(pairs)))
        rows = rows[np.argsort(self.wpdus["last_packet"][rows], kind="stable")]
        look = {name: self.first_look[name][rows] for name in self.first_look.names}
        client, length = self.sent_by_client(rows), self.wpdus["length"][rows]
        return self.exchanges.transfers.update(rows, look, pairs[rows], client, length, start)

    def _to_pair(self, pairs: npt.NDArray[np.uint32], rows: npt.NDArray[np.int64]) -> PairedRows:
        """What pairing reads of some rows, in the order of capture; `pairs`: of all rows."""
        rows = rows[np.argsort(self.wpdus["last_packet"][rows], kind="stable")]
        return self._paired_rows(pairs, rows, rows)

    def _paired_rows(
        self,
        pairs: npt.NDArray[np.uint32],
        rows: slice | npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
    ) -> PairedRows:
        """What pairing reads of these rows, with these numbers; `pairs`: of all rows."""
        look = {name: self.first_look[name][rows] for name in self.first_look.names}
        seen = self.exchanges.transfers.see(numbers, look, self.first_look)
        return PairedRows(seen, pairs[rows], self.sent_by_client(rows), self.wpdus["time"][rows], numbers)

    def sent_by_client(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether the DLMS client sent each of these WPDU rows, bool[n], whoever opened the connection."""
        direction, tag = self.wpdus["direction"][rows], self.wpdus["apdu_tag"][rows]
        return sent_by_client(self.pairs, self.wpdu_pairs["pair"][rows], direction, tag)

    def client_is_near(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether the stream's client is the DLMS client on the wPort pair of each of these rows, bool[n]."""
        used, places = np.unique(self.wpdu_pairs["pair"][rows], return_inverse=True)
        near = near_is_client(self.pairs, same_pairs(self.pairs)[used])
        found: npt.NDArray[np.bool_] = near[places.reshape(-1)]
        return found

    def pair_anew(self) -> None:
        """Pair all WPDUs again: keys or joined blocks have changed their first looks."""
        with self._pairing:
            self._forget(Exchanges())
        self.pair()

    def _forget(self, exchanges: Exchanges) -> None:
        """Begin with other exchanges; nobody keeps the memory of those before."""
        self.exchanges = exchanges
        self.derived.clear()

    def octets(self, row: int) -> bytes:
        """A whole WPDU, header included; what was not captured of it is left out."""
        return self.wpdus.octets(row, self.reader.octets)

    def octets_of(self, rows: npt.NDArray[np.int64]) -> Iterator[bytes]:
        """The same of several rows, which costs less than of one after the other."""
        return self.wpdus.octets_of(rows, self.reader.octets)

    def apdus_of(self, rows: npt.NDArray[np.int64]) -> Iterator[bytes]:
        """The APDUs of several rows, empty where there is none."""
        return self.wpdus.apdus_of(rows, self.reader.octets)

    def packets_of(self, row: int) -> npt.NDArray[np.uint32]:
        """The packet rows that carried a WPDU, in the order of its octets."""
        return self.wpdus.packets_of(row)

    def endpoints(self, stream: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a stream (TCP initiator and responder, see `roles`)."""
        ends = self.table.endpoints(int(self.streams["flow"][stream]))
        side = int(self.streams["client_side"][stream])
        return ends[side], ends[1 - side]

    def sessions(self) -> tuple[Peers, ...]:
        """The session tree as it is now. Raises Cancelled where that is not wanted any more."""
        return session_tree(self.table, self.streams, self._counts, self.look)

    def dlms_client_is_near(self, pair: int) -> bool:
        """True if the stream's client is the DLMS client on this wPort pair (a pushing meter is not)."""
        return self._counts.dlms_client_is_near(pair)

    def foreign_facts(self) -> dict[int, list[str]]:
        """Facts that streams of foreign framings tell in clear, by stream: names of servers, of equipment.

        Raises CaptureError and OSError when the capture's octets cannot be read any more.
        """
        owner = self.packet_streams["stream"]
        return stream_facts(self.streams, self.packets, owner, self.reader.octets)

    def statistics(self) -> dict[str, Any]:
        """Counts of everything, see `statistics.statistics`."""
        incomplete = self.table.incomplete_datagrams
        return statistics(self.packets, self.streams, self.wpdus, self.expert_items, incomplete)

    def _flush(self, rows: slice) -> None:
        added = self._output.flush(rows)
        replaced = [row for row in self._output.replacements.apply() if row < added.start]
        if replaced:
            octets = [apdu_octets(self.octets(row), int(self.wpdus["framing"][row])) for row in replaced]
            self.first_look.restore(replaced, octets)
        count = added.stop - added.start
        if count:
            prime = settle_prime_rows(self.wpdus, added, self._source)
            self.wpdu_pairs.extend(count, pair=self._counts.add(added))
            self.first_look.add(self.wpdus, added, self._source)
            self.first_look.set_notifications(prime)

    def _reserve(self) -> None:
        """After the first batch, make room for as many rows as the rest of the file is likely to hold."""
        done, total = self.progress
        if self._reserved or done <= 0:
            return
        self._reserved = True
        factor = total / done * _RESERVE
        for table in (self.packets, self.packet_streams, self.wpdus, self.wpdu_pairs, self.first_look):
            table.reserve(min(int(len(table) * factor) + 1024, _RESERVE_MOST))
