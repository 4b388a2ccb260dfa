"""Rows and expert items of the segments that the fast path settled, as columns for the tables."""

import numpy as np

from cosemscope.capture.columns import Array
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.segments_in_order import Layout, Segments
from cosemscope.streams.reassembly.wpdu_chains import Links
from cosemscope.streams.recognition import take_heads
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.expert_items import ItemKind
from cosemscope.streams.tables.stream_kinds import CUT, OUT_OF_ORDER
from cosemscope.streams.tables.wpdu_table import Mark, wrapper_rows


class SegmentRows:
    """Makes rows and items of one batch's segments; each method takes positions, int64[k], of segments."""

    def __init__(self, batch: PacketBatch, segments: Segments, streams: StreamTable, output: Output) -> None:
        self._batch = batch
        self._segments = segments
        self._streams = streams
        self._output = output

    def add_whole(self, layout: Layout, position: Array, known: int = 0) -> None:
        """Add segments that are one WPDU each; the one `known` positions on made each known."""
        if not len(position):
            return
        columns = {}
        if layout.cut.any():
            columns["size"] = self._segments.captured[position].astype(np.uint32)
            columns["marks"] = np.where(layout.cut[position], Mark.TRUNCATED, 0).astype(np.uint16)
        trigger = self._packet(position + known)
        self._add(position, take_heads(layout.head, position), trigger, **columns)

    def add_early(self, position: Array, head: Array) -> None:
        """Add WPDUs before the first octet seen, which it had overtaken; `head`: HEAD[k]."""
        if not len(position):
            return
        marks = np.full(len(position), Mark.OUT_OF_ORDER, np.uint16)
        self._add(position, head, self._packet(position), marks=marks)
        self.find_late(position)

    def add_chains(self, layout: Layout, links: Links, overtook: Array) -> None:
        """Add the WPDUs of chains: octets of one segment are pointed at, those of several are extents.

        `overtook`: bool[s], segments put behind those that they had overtaken.
        """
        if not len(links.owner):
            return
        segments = self._segments
        # A WPDU consists of `count` pieces, one a segment in order from `links.position` to `links.end`. The
        # pieces of all WPDUs stand behind each other in the arrays [p] below, those of WPDU i from offset[i]
        # on: the first piece loses what stands before the WPDU in its segment, the last what stands behind.
        begin = layout.place[links.position]
        count = layout.place[links.end] - begin + 1
        offset = np.cumsum(count) - count
        inner = layout.ordered[np.arange(int(count.sum())) - np.repeat(offset - begin, count)]
        packet, time = self._packet(inner), self._batch.time[segments.packet[inner]]
        address, length = segments.address[inner], segments.stop[inner] - segments.start[inner]
        address[offset] += links.offset
        length[offset] -= links.offset
        length[offset + count - 1] -= segments.stop[links.end] - links.stop
        # Only WPDUs of several pieces have extents; these are numbered in the order of their WPDUs.
        spread = count > 1
        pieces = np.flatnonzero(np.repeat(spread, count))
        first = self._output.extents(address[pieces], length[pieces], packet[pieces], len(pieces))
        extents = np.where(spread, count, 0)
        extent = first + np.cumsum(extents) - extents
        # Within a WPDU packets ascend, unless a segment was overtaken.
        turned = np.append(False, packet[1:] < packet[:-1])
        turned[offset] = False
        shared = (links.offset > 0) | (links.stop != segments.stop[links.end])
        marks = np.where(shared, Mark.SHARED, 0)
        marks |= np.where(np.logical_or.reduceat(turned, offset), Mark.OUT_OF_ORDER, 0)
        self._add(
            links.position,
            links.head,
            self._packet(links.end - overtook[links.end]),
            first_packet=np.minimum.reduceat(packet, offset),
            last_packet=np.maximum.reduceat(packet, offset),
            segments=count,
            time=np.maximum.reduceat(time, offset),
            first_time=np.minimum.reduceat(time, offset),
            address=np.where(spread, -1 - extent, address[offset]),
            marks=marks.astype(np.uint16),
        )

    def find_late(self, position: Array) -> None:
        """Find segments that others had overtaken, and that were put in order."""
        segments = self._segments
        length = segments.stop[position] - segments.start[position]
        self._find(OUT_OF_ORDER, position, segments.start[position], length)

    def find_cut(self, position: Array) -> None:
        """Find segments whose last octets the snap length cut off."""
        segments = self._segments
        offset = segments.start[position] + segments.captured[position]
        self._find(CUT, position, offset, segments.stop[position] - offset)

    def _packet(self, position: Array) -> Array:
        """Rows of the packet table, int64[k]."""
        return np.asarray(self._segments.packet[position] + self._batch.base)

    def _add(self, position: Array, head: Array, known: Array, /, **columns: Array) -> None:
        """Add WPDUs with the headers `head`, HEAD[k], that begin at `position`.

        `known`: int64[k], packet rows that made them known; `columns`: those that differ from WPDUs of one
        segment each.
        """
        packet = self._segments.packet[position]
        half = self._segments.half[position]
        stream = half >> 1
        row = wrapper_rows(
            head,
            packet + self._batch.base,
            self._batch.time[packet],
            stream,
            (half & 1).astype(np.uint8) ^ self._streams["client_side"][stream],
            self._segments.address[position],
        )
        self._output.add_rows(row | columns, known)

    def _find(self, kind: ItemKind, position: Array, start: Array, amount: Array) -> None:
        if len(position):
            half = self._segments.half[position]
            side = (half & 1).astype(np.uint8)
            self._output.find_many(kind, half >> 1, side, self._packet(position), start, amount)
