"""Halves: the table of what is kept of each direction of each stream, whoever reads it.

A half has the number 2 x stream + side of the flow, 2 x stream + (1 - side) is its other side. Octets of a
half count from 0, the octet behind its SYN, or the first one seen.
"""

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import ACK, FIN, SYN
from cosemscope.streams.endings import FAR
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.stream_table import first_rows

#: HALF columns: `base`, the sequence number of octet 0, once `known`; `trusted`: by a SYN; `highest`, the
#: octet behind the highest seen; `ack` and `window`, the last of the other side (-1 none), `asked`: its last
#: acknowledgement that came with octets, while `base` is not known; `fin`: the packet with its FIN (-1 none);
#: `slow`: a Reassembler has it.
HALF_FIELDS = {
    "base": "u4",
    "known": "?",
    "trusted": "?",
    "highest": "i8",
    "ack": "i8",
    "window": "i4",
    "asked": "i8",
    "fin": "i8",
    "slow": "?",
}


class Halves(Columns):
    """The table of halves (HALF_FIELDS); what a batch's headers say of them goes in here."""

    def __init__(self) -> None:
        super().__init__(HALF_FIELDS)

    def grow(self, streams: int) -> None:
        """Make rows for the halves of so many streams."""
        missing = 2 * streams - len(self)
        if missing > 0:
            self.extend(missing, ack=-1, window=-1, asked=-1, fin=-1)

    def set_bases(self, batch: PacketBatch, tcp: Array, half: Array) -> None:
        """Find octet 0 of halves that begin in this batch: it stands behind the SYN, or is the first seen.

        `tcp`: int64[k], positions of packets; `half`: int64[k]. Without a SYN, what overtook others would be
        taken for the first octet: the acknowledgement in the last octets of the other side tells better.
        """
        known = self["known"]
        opening = ~known[half]
        if not opening.any():
            return
        rows, half = tcp[opening], half[opening]
        carries = ((batch.flags[rows] & SYN) > 0) | (batch.payload_length[rows] > 0)
        rows, half = rows[carries], half[carries]
        # From here on: one row for each half that begins, that of its first packet with a SYN or octets.
        first = first_rows(half, len(self))
        half = np.flatnonzero(first >= 0)
        rows = rows[first[half]]
        syn = (batch.flags[rows] & SYN) > 0
        base = batch.first_octets(rows)
        plain = np.flatnonzero(~syn)
        if len(plain):
            told = self._told_by_other_side(batch, rows[plain], half[plain])
            near = (told >= 0) & ((base[plain] - told.astype(np.uint32)) < FAR)
            base[plain[near]] = told[near]
        self["base"][half], self["trusted"][half] = base, syn
        known[half] = True

    def _told_by_other_side(self, batch: PacketBatch, rows: Array, half: Array) -> Array:
        """The acknowledgement in the last octets of the other side before these packets, int64[k]; -1 none.

        `rows`: the first packets with octets of the halves `half`, so the packet with octets before each in
        its stream is of the other side.
        """
        carrying = batch.order[batch.payload_length[batch.order] > 0]
        place = np.zeros(len(batch.stream), np.int64)
        place[carrying] = np.arange(len(carrying))
        before = carrying[place[rows] - 1]
        here = (place[rows] > 0) & (batch.stream[before] == batch.stream[rows])
        return np.where(here, _acknowledged(batch, before), self["asked"][half])

    def note_acks(self, batch: PacketBatch, tcp: Array, half: Array) -> None:
        """Keep what the last packets of this batch say to the halves; `tcp`, `half`: as in `set_bases`."""
        acks = (batch.flags[tcp] & ACK) > 0
        rows, other = (tcp, half ^ 1) if acks.all() else (tcp[acks], half[acks] ^ 1)
        self["ack"][other] = batch.ack[rows]  # of several values for a half NumPy keeps the last
        self["window"][other] = batch.window[rows]
        ends = np.flatnonzero((batch.flags[tcp] & FIN) > 0)
        self["fin"][half[ends]] = tcp[ends] + batch.base
        asks = (batch.payload_length[tcp] > 0) & ~self["known"][half ^ 1]
        self["asked"][half[asks] ^ 1] = _acknowledged(batch, tcp[asks])

    def lost_ends(self, packets: Columns) -> tuple[Array, Array, Array, Array]:
        """Holes between the last octets seen and the FIN behind them: (half, packet, start, length).

        All int64[k]: number of the half, packet row of the FIN, first octet that is missing, how many are.
        """
        half = np.flatnonzero((self["fin"] >= 0) & (self["highest"] > 0))
        packet, seen = self["fin"][half], self["highest"][half]
        number = packets["seq"][packet] + packets["payload_length"][packet]
        missing = (number - self["base"][half] - seen.astype(np.uint32)).astype(np.int32).astype(np.int64)
        rows = np.flatnonzero((missing > 0) & (missing < FAR))
        return half[rows], packet[rows], seen[rows], missing[rows]


def _acknowledged(batch: PacketBatch, rows: Array) -> Array:
    """The acknowledgement numbers of packets, int64, -1 where they have none."""
    return np.where((batch.flags[rows] & ACK) > 0, batch.ack[rows].astype(np.int64), -1)
