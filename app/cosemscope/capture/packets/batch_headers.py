"""The fast way through the headers of a batch: every field of all packets at once, by NumPy gathers.

It knows what nearly all packets are: Ethernet with or without VLAN tags, loopback, raw and Linux cooked
links, a few MPLS labels, IPv4 and IPv6, TCP and UDP, and the usual tunnels. A packet that needs more
(fragments, extension headers, PPP, rare tags and tunnels, odd frames) is only marked, for `packet_headers`.
Both must give the same rows; what is opened here is never so deep that `packet_headers` would give up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.packets import link_types
from cosemscope.capture.packets.link_headers import NETWORKS
from cosemscope.capture.packets.link_types import LinkType
from cosemscope.capture.packets.packet_row import (
    AH,
    ETHER_IP,
    G_PDU,
    GRE,
    GTP_U_PORT,
    IP_IN_IP,
    IPV6_IN_IP,
    IPV6_MOVING,
    ROW,
    TCP,
    UDP,
    VLAN_ID,
    VXLAN_PORT,
)
from cosemscope.capture.packets.tcp_options import timestamps
from cosemscope.capture.packets.tunnel_headers import UDP_TUNNELS
from cosemscope.capture.packets.unopened import UNOPENED_PORTS, UNOPENED_PROTOCOLS, UNOPENED_TYPES
from cosemscope.capture.records import RecordBatch, gather

Indexes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Buffer = npt.NDArray[np.uint8]
Columns = dict[str, npt.NDArray[Any]]
# Headers as they stand on the wire, read whole: a field of all packets costs little once they are at hand.
_IPV4 = np.dtype(
    [
        ("version", "u1"),
        ("service", "u1"),
        ("total", ">u2"),
        ("identification", ">u2"),
        ("fragment", ">u2"),
        ("lifetime", "u1"),
        ("protocol", "u1"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
    ]
)
_IPV6 = np.dtype(
    [
        ("version", "u1"),
        ("flow", "V3"),
        ("length", ">u2"),
        ("next", "u1"),
        ("hops", "u1"),
        ("source_high", ">u8"),
        ("source_low", ">u8"),
        ("destination_high", ">u8"),
        ("destination_low", ">u8"),
    ]
)
# TCP's; the ports are UDP's too.
_TRANSPORT = np.dtype(
    [
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("control", ">u2"),
        ("window", ">u2"),
    ]
)
_MAX_TAGS = 2
# The identifiers of packets without tags.
_NO_TAGS: npt.NDArray[np.int64] = np.array(0)
# Labels that are opened here, on a captured link; in tunnels they are left to the slow way.
_MAX_LABELS = 3
# Flags of a GRE header (RFC 2784, RFC 2890): checksum, key, sequence number; each brings 4 octets. Routing.
_GRE_OPTIONS = (0x8000, 0x2000, 0x1000)
_GRE_ROUTING = 0x4000
# Tunnels in each other that are opened here; the slow way opens more.
_MAX_TUNNELS = 3
# Stands for a network layer that is left to the slow way.
_SLOW = -1
# Below the first EtherType stand lengths, and 0 for what is cut off.
_SLOW_NETWORKS = np.zeros(1 << 16, np.bool_)
_SLOW_NETWORKS[[*range(link_types.FIRST_ETHERTYPE), *NETWORKS]] = True
_SLOW_PROTOCOLS = np.zeros(256, np.bool_)
_SLOW_PROTOCOLS[[AH, ETHER_IP]] = True
# What is not opened, by EtherType and IP protocol; and the UDP ports of tunnels, some of them opened here.
_UNOPENED_TYPES = np.zeros(1 << 16, np.uint8)
_UNOPENED_TYPES[list(UNOPENED_TYPES)] = list(UNOPENED_TYPES.values())
_UNOPENED_PROTOCOLS = np.zeros(256, np.uint8)
_UNOPENED_PROTOCOLS[list(UNOPENED_PROTOCOLS)] = list(UNOPENED_PROTOCOLS.values())
_TUNNEL_PORT, _SLOW_PORT = 1, 2
_PORTS = np.zeros(1 << 16, np.uint8)
_PORTS[[*UDP_TUNNELS, *UNOPENED_PORTS]] = _SLOW_PORT
_PORTS[[GTP_U_PORT, VXLAN_PORT]] = _TUNNEL_PORT
_TUNNELS = np.zeros(256, np.bool_)
_TUNNELS[[IP_IN_IP, IPV6_IN_IP, GRE]] = True
# Headers that may stand between IPv6 and the transport: hop-by-hop, routing, fragment, authentication,
# destination, and those of mobile nodes.
_EXTENSIONS = np.zeros(256, np.bool_)
_EXTENSIONS[[0, 43, 44, AH, 60, ETHER_IP, *IPV6_MOVING]] = True


class Dissection(NamedTuple):
    """Columns of packet rows by name (those of `ROW`), and the rows that are left to the slow way."""

    columns: Columns
    slow: npt.NDArray[np.intp]


@dataclass
class _Span:
    """Indexes of packets in the buffer, int64[n] each.

    `at` is the next header, `end` the end of the captured octets, `wire` the end on the wire; `vlan` the
    identifier in the last tag, or one 0 for all.
    """

    at: Indexes
    end: Indexes
    wire: Indexes
    vlan: Indexes

    def take(self, rows: npt.NDArray[np.intp]) -> "_Span":
        vlan = self.vlan[rows] if self.vlan.ndim else self.vlan
        return _Span(self.at[rows], self.end[rows], self.wire[rows], vlan)

    def tag(self, rows: Any, vlan: Indexes) -> None:
        """Keep the identifiers in the tags of some packets."""
        if not self.vlan.ndim:
            self.vlan = np.zeros(len(self.at), np.int64)
        self.vlan[rows] = np.where(vlan >= 0, vlan, self.vlan[rows])


@dataclass
class _Part:
    """Packets of one IP version: `good` ones are read, `slow` ones are left to the slow way.

    `columns` holds an array for each column, or one value for all rows. `tunnels` are the rows that may hold
    packets of their own, which begin and end as `inside` says.
    """

    columns: Columns
    good: Mask
    slow: Mask
    tunnels: npt.NDArray[np.intp]
    inside: _Span


def dissect(batch: RecordBatch) -> Dissection:
    """Read the headers of all packets of a batch."""
    at = batch.offset - batch.base
    captured = batch.captured.astype(np.int64)
    span = _Span(at, at + captured, at + np.maximum(captured, batch.original), _NO_TAGS)
    kind = np.zeros(len(batch), np.int64)
    links = np.array([interface.link_type for interface in batch.interfaces])[batch.interface]
    for link_type in np.unique(links) if len(links) else ():
        _read_link(batch.buffer, int(link_type), span, kind, _rows(links == link_type), _MAX_LABELS)
    columns, slow = _read_networks(batch.buffer, kind, span, _MAX_TUNNELS)
    columns["payload"] = np.where(columns["protocol"] > 0, columns["payload"] + batch.base, 0)
    return Dissection(columns, np.flatnonzero(slow))


def _read_networks(buffer: Buffer, kind: Indexes, span: _Span, tunnels: int) -> tuple[Columns, Mask]:
    """Read what the network layers `kind` say is at `span.at`: all columns, zeros where there is nothing.

    The second value marks the rows that are left to the slow way; up to `tunnels` are opened one in another.
    """
    slow = kind == _SLOW
    columns: Columns = {}
    for version in (link_types.IPV4, link_types.IPV6):
        chosen = kind == version
        if chosen.all():
            part = _read_ip(buffer, span, version)
            _open_tunnels(buffer, part, tunnels)
            return _cleaned(part.columns, part.good), part.slow
        if not columns:
            columns = {name: np.zeros(len(kind), ROW[name]) for name in ROW.names or ()}
        rows = np.flatnonzero(chosen)
        if len(rows):
            part = _read_ip(buffer, span.take(rows), version)
            _open_tunnels(buffer, part, tunnels)
            slow[rows] = part.slow
            good = np.flatnonzero(part.good)
            for name, values in part.columns.items():
                columns[name][rows[good]] = values[good] if values.ndim else values
            columns["unopened"][rows] = part.columns["unopened"]
    others = np.flatnonzero((kind > 0) & (kind != link_types.IPV4) & (kind != link_types.IPV6))
    columns["unopened"][others] = _UNOPENED_TYPES[kind[others]]
    return columns, slow


def _open_tunnels(buffer: Buffer, part: _Part, tunnels: int) -> None:
    """Put what tunnels hold in the place of the tunnels' own rows, where that can be read."""
    rows = part.tunnels
    if not len(rows):
        return
    if not tunnels:
        part.slow[rows] = True
        part.good[rows] = False
        return
    columns = part.columns = {
        name: np.broadcast_to(values, part.good.shape).astype(ROW[name])
        for name, values in part.columns.items()
    }
    ports = (columns["source_port"][rows], columns["destination_port"][rows])
    span = part.inside
    kind = _read_tunnels(buffer, columns["protocol"][rows], ports, span)
    frames = np.flatnonzero(kind == link_types.TRANSPARENT_ETHERNET)
    if len(frames):
        _read_link(buffer, LinkType.ETHERNET, span, kind, frames, 0)
    inner, slow = _read_networks(buffer, kind, span, tunnels - 1)
    opened = np.flatnonzero(inner["protocol"])
    for name, values in inner.items():
        columns[name][rows[opened]] = values[opened]
    columns["unopened"][rows] = inner["unopened"]
    part.good[rows[opened]] = True
    part.good[rows[slow]] = False
    part.slow[rows[slow]] = True


def _read_tunnels(
    buffer: Buffer, protocol: npt.NDArray[np.uint8], ports: tuple[npt.NDArray[Any], ...], span: _Span
) -> Indexes:
    """Read the headers of tunnels: the network layers of what they hold; `span.at` moves there."""
    kind = np.zeros(len(protocol), np.int64)
    kind[protocol == IP_IN_IP] = link_types.IPV4
    kind[protocol == IPV6_IN_IP] = link_types.IPV6
    gtp = (protocol == UDP) & ((ports[0] == GTP_U_PORT) | (ports[1] == GTP_U_PORT))
    for chosen, read in ((protocol == GRE, _gre), (gtp, _gtp), ((protocol == UDP) & ~gtp, _vxlan)):
        rows = np.flatnonzero(chosen)
        if len(rows):
            kind[rows], span.at[rows] = read(buffer, span.take(rows))
    return kind


def _gre(buffer: Buffer, span: _Span) -> tuple[Indexes, Indexes]:
    """The network layer behind GRE headers, and where it begins."""
    flags = gather(buffer, ">u2", span.at)
    kind = gather(buffer, ">u2", span.at + 2).astype(np.int64)
    at = span.at + 4
    for bit in _GRE_OPTIONS:
        at += np.where(flags & bit, 4, 0)
    kind[~np.isin(kind, (link_types.IPV4, link_types.IPV6, link_types.TRANSPARENT_ETHERNET))] = _SLOW
    kind[flags & 7 > 0] = _SLOW
    kind[(at > span.end) | (flags & _GRE_ROUTING > 0)] = 0
    return kind, np.minimum(at, span.end)


def _gtp(buffer: Buffer, span: _Span) -> tuple[Indexes, Indexes]:
    """The network layer behind GTP-U headers, and where it begins."""
    flags = gather(buffer, "u1", span.at)
    at = span.at + np.where(flags & 7, 12, 8)
    good = (flags >> 4 == 3) & (gather(buffer, "u1", span.at + 1) == G_PDU) & (at < span.end)
    extended = good & (flags & 4 > 0) & (gather(buffer, "u1", span.at + 11) > 0)
    at = np.minimum(at, span.end)
    kind = np.where(good, _raw(gather(buffer, "u1", at)), 0)
    return np.where(extended, _SLOW, kind), at


def _vxlan(buffer: Buffer, span: _Span) -> tuple[Indexes, Indexes]:
    """The network layer behind VXLAN headers, that of Ethernet frames or 0, and its index."""
    at = span.at + 8
    good = (at <= span.end) & (gather(buffer, "u1", span.at) & 8 > 0)
    return np.where(good, link_types.TRANSPARENT_ETHERNET, 0), np.minimum(at, span.end)


def _rows(mask: Mask) -> Any:
    """Rows at which `mask` is true, in the form that indexes fastest."""
    return slice(None) if mask.all() else np.flatnonzero(mask)


def _cleaned(columns: Columns, good: Mask) -> Columns:
    """The columns as arrays of their types, but for `unopened` with zeros where a row is not good."""
    bad = np.flatnonzero(~good)
    clean = {name: np.broadcast_to(values, good.shape).astype(ROW[name]) for name, values in columns.items()}
    for name, values in clean.items() if len(bad) else ():
        if name != "unopened":
            values[bad] = 0
    return clean


def _read_link(buffer: Buffer, link_type: int, span: _Span, kind: Indexes, rows: Any, labels: int) -> None:
    """Read link headers of one type: `kind` gets the network layer, `span.at` moves behind the header.

    Up to two VLAN tags and `labels` MPLS labels are part of the header.
    """
    at, end = span.at[rows], span.end[rows]
    if link_type == LinkType.ETHERNET:
        network, header = gather(buffer, ">u2", at + 12).astype(np.int64), 14
    elif link_type == LinkType.LINUX_SLL:
        network, header = gather(buffer, ">u2", at + 14).astype(np.int64), 16
    elif link_type == LinkType.LINUX_SLL2:
        network, header = gather(buffer, ">u2", at).astype(np.int64), 20
    elif link_type in link_types.LOOPBACK_TYPES:
        network, header = _loopback(gather(buffer, "<u4", at)), 4
    elif link_type in link_types.RAW_TYPES:
        network, header = _raw(gather(buffer, "u1", at)), 0
    else:
        kind[rows] = _SLOW
        return
    at = at + header
    network[at > end] = 0
    others = np.flatnonzero((network != link_types.IPV4) & (network != link_types.IPV6))
    vlan = np.full(len(at), -1)
    for _ in range(_MAX_TAGS):
        tagged = others[_is_tag(network[others])]
        if not len(tagged):
            break
        vlan[tagged] = gather(buffer, ">u2", at[tagged]) & VLAN_ID
        inner = gather(buffer, ">u2", at[tagged] + 2)
        at[tagged] += 4
        network[tagged] = np.where(at[tagged] <= end[tagged], inner, 0)
    if len(others) and vlan.max() >= 0:
        span.tag(rows, vlan)
    _pass_labels(buffer, network, _Span(at, end, end, _NO_TAGS), others, labels)
    network[others[_SLOW_NETWORKS[network[others]]]] = _SLOW
    span.at[rows] = at
    kind[rows] = network


def _pass_labels(
    buffer: Buffer, network: Indexes, span: _Span, rows: npt.NDArray[np.intp], labels: int
) -> None:
    """Move `span.at` of those of `rows` that have MPLS labels behind up to `labels` of them.

    Behind the last one `network` gets what the packet is by its version.
    """
    for _ in range(labels):
        rows = rows[_is_any(network[rows], link_types.MPLS_LABELS)]
        if not len(rows):
            return
        last = gather(buffer, "u1", span.at[rows] + 2) & 1
        span.at[rows] += 4
        at, end = span.at[rows], span.end[rows]
        inner = np.where(last, np.where(at < end, _raw(gather(buffer, "u1", at)), 0), network[rows])
        network[rows] = np.where(at <= end, inner, 0)


def _is_any(network: Indexes, kinds: Iterable[int]) -> Mask:
    mask = np.zeros(len(network), np.bool_)
    for kind in kinds:
        mask |= network == kind
    return mask


def _is_tag(network: Indexes) -> Mask:
    return _is_any(network, link_types.VLAN_TAGS)


def _loopback(family: npt.NDArray[np.uint32]) -> Indexes:
    """The network layer of NULL and LOOP, whose family is in the byte order of the machine that captured."""
    turned = family.byteswap()
    network = np.zeros(len(family), np.int64)
    for number, layer in link_types.FAMILIES.items():
        network[(family == number) | (turned == number)] = layer
    return network


def _raw(octet: npt.NDArray[np.uint8]) -> Indexes:
    """The network layer of a packet that begins with it, by its version."""
    version = octet >> 4
    return np.where(version == 4, link_types.IPV4, np.where(version == 6, link_types.IPV6, 0))


def _read_ip(buffer: Buffer, span: _Span, network: int) -> _Part:
    """Read the IP headers at `span.at`, and the transport's behind them."""
    at, end = span.at, span.end
    if network == link_types.IPV4:
        head = gather(buffer, _IPV4, at)
        first = head["version"]
        header = ((first & 0x0F) << 2).astype(np.int64)
        total = head["total"].astype(np.int64)
        good = (first >> 4 == 4) & (header >= 20) & ((total >= header) | (total == 0))
        fragment = (head["fragment"] & 0x3FFF) != 0
        protocol = head["protocol"].copy()
        columns: Columns = {
            "family": np.array(4),
            "source_high": np.array(0),
            "source_low": head["source"].astype(np.uint32),
            "destination_high": np.array(0),
            "destination_low": head["destination"].astype(np.uint32),
            "ip_id": head["identification"],
        }
        slow = fragment | _SLOW_PROTOCOLS[protocol]
    else:
        header = np.full(len(at), 40)
        head = gather(buffer, _IPV6, at)
        total = head["length"].astype(np.int64)
        total = np.where(total > 0, total + 40, 0)
        good = head["version"] >> 4 == 6
        protocol = head["next"].copy()
        columns = {
            "family": np.array(6),
            "source_high": head["source_high"].astype(np.uint64),
            "source_low": head["source_low"].astype(np.uint64),
            "destination_high": head["destination_high"].astype(np.uint64),
            "destination_low": head["destination_low"].astype(np.uint64),
            "ip_id": np.array(0),
        }
        slow = _EXTENSIONS[protocol]
    body = at + header
    good &= body <= end
    slow &= good
    good &= ~slow
    wire = np.where(total > 0, at + total, span.wire)
    columns["protocol"] = protocol
    span = _Span(body, np.minimum(end, wire), wire, span.vlan)
    return _read_transport(buffer, span, columns, good, slow)


def _read_transport(buffer: Buffer, span: _Span, columns: Columns, good: Mask, slow: Mask) -> _Part:
    """Read TCP and UDP headers at `span.at`; completes the columns that the IP headers gave."""
    protocol = columns["protocol"]
    # Where IP is not to be believed, what stands behind it is not looked at.
    at = span.at if good.all() else np.where(good, span.at, 0)
    head = gather(buffer, _TRANSPORT, at)
    columns["source_port"] = head["source_port"].astype(np.uint16)
    columns["destination_port"] = head["destination_port"].astype(np.uint16)
    columns["unopened"], columns["vlan"] = np.array(0), span.vlan
    tcp = protocol == TCP
    tunnels: npt.NDArray[np.intp] = np.zeros(0, np.intp)
    if tcp.all():
        payload, fits = _read_tcp(buffer, head, at, span, columns)
        wire = span.wire
    else:
        payload, wire = at.copy(), span.wire.copy()
        fits = np.zeros(len(at), np.bool_)
        for name in ("seq", "ack", "flags", "window", "tsval"):
            columns[name] = np.zeros(len(at), ROW[name])
        rows = np.flatnonzero(tcp & good)
        inner: Columns = {}
        payload[rows], fits[rows] = _read_tcp(
            buffer, gather(buffer, _TRANSPORT, at[rows]), at[rows], span.take(rows), inner
        )
        for name, values in inner.items():
            columns[name][rows] = values
        rows = np.flatnonzero((protocol == UDP) & good)
        payload[rows] += 8
        fits[rows] = payload[rows] <= span.end[rows]
        length = gather(buffer, ">u2", at[rows] + 4)
        stop = at[rows] + length
        wire[rows] = np.where((length >= 8) & (stop <= wire[rows]), stop, wire[rows])
        rows = rows[fits[rows]]
        port = _PORTS[columns["source_port"][rows]] | _PORTS[columns["destination_port"][rows]]
        tunnel = _TUNNELS[protocol] & good
        tunnel[rows] = port == _TUNNEL_PORT
        tunnels = np.flatnonzero(tunnel)
        slow[rows[port >= _SLOW_PORT]] = True
        columns["unopened"] = np.where(good & ~slow, _UNOPENED_PROTOCOLS[protocol], 0)
        good = good & ~slow
    end = np.minimum(span.end, wire)
    columns["payload"] = payload
    columns["payload_length"] = np.maximum(wire - payload, 0)
    columns["payload_captured"] = np.maximum(end - payload, 0)
    return _Part(columns, good & fits, slow, tunnels, _Span(payload, end, wire, span.vlan).take(tunnels))


def _read_tcp(
    buffer: Buffer, head: npt.NDArray[Any], at: Indexes, span: _Span, columns: Columns
) -> tuple[Indexes, Mask]:
    """Read TCP headers: where their payloads begin, and whether the headers are whole and true."""
    columns["seq"], columns["ack"], columns["window"] = head["seq"], head["ack"], head["window"]
    control = head["control"].astype(np.uint16)
    columns["flags"] = control & 0x0FFF
    header = ((control >> 12) << 2).astype(np.int64)
    payload = at + header
    columns["tsval"] = timestamps(buffer, at + 20, np.minimum(payload, span.end))
    return payload, (header >= 20) & (at + 20 <= span.end) & (payload <= span.wire)
