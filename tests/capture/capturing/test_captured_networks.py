"""Two hosts in network namespaces of their own: VLAN tags, IPv6, fragments, loss and reordering, live.

The capture uses the filter that it has by itself: whether that lets all of it through is asked, too.
"""

import contextlib
import json
import os
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers import packets
from tests.helpers.capturing import Event, capturing, needs, needs_rights, run, wpdus
from tests.helpers.tshark import tshark

pytestmark = pytest.mark.timeout(60)

_VLAN = 77

#: Answers every WPDU, over TCP and UDP, on every address; says when it is ready.
_SERVER = """
import socketserver, struct, sys, threading

def answer(header):
    version, source, destination, _ = struct.unpack("!4H", header)
    return struct.pack("!4H", version, destination, source, 3) + b"\\xd8\\x01\\x02"

class Stream(socketserver.StreamRequestHandler):
    def handle(self):
        while len(header := self.rfile.read(8)) == 8:
            self.rfile.read(struct.unpack("!4H", header)[3])
            self.wfile.write(answer(header))

class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(answer(self.request[0][:8]), self.client_address)

class Tcp(socketserver.ThreadingTCPServer):
    address_family = 10
    daemon_threads = True

class Udp(socketserver.UDPServer):
    address_family = 10
    max_packet_size = 70000

servers = [Tcp(("::", 4059), Stream), Udp(("::", 4059), Datagram)]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""

#: Sends so many WPDUs of a size to an address over TCP or UDP, one after the other or all at once.
_CLIENT = """
import json, socket, struct, sys, time

for kind, address, size, count, pause in json.loads(sys.argv[1]):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    link = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    link.settimeout(20)
    link.connect((address, 4059))
    if kind == "tcp":
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wanted = 0
    for number in range(count):
        data = b"\\x0f" + struct.pack("!I", number) + bytes(size - 5)
        link.sendall(struct.pack("!4H", 1, 16, 1, len(data)) + data)
        wanted += 11
        if not pause:
            while wanted:
                wanted -= len(link.recv(wanted))
        else:
            time.sleep(pause)
    while wanted:
        wanted -= len(link.recv(wanted))
    link.close()
"""

#: Puts frames on the cable as they are.
_RAW = """
import json, socket, sys

link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
for frame in json.loads(sys.argv[1]):
    link.send(bytes.fromhex(frame))
"""

#: Makes a tunnel device on each of two hosts and carries packets between them: towards the second one some
#: are lost, some come twice, some come after the next one. The same ones in every run.
_RELAY = """
import ctypes, fcntl, os, random, select, struct, sys

def tunnel(host):
    with open("/run/netns/" + host) as space:
        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0x40000000):
            sys.exit(os.strerror(ctypes.get_errno()))
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
    return device

def give(device, packet):
    try:
        os.write(device, packet)
    except OSError:  # it is not up yet
        pass

near, far = tunnel(sys.argv[1]), tunnel(sys.argv[2])
print("ready", flush=True)
chance, late = random.Random(4059), None
while True:
    ready, _, _ = select.select([near, far, 0], [], [], 0.005)
    if 0 in ready:
        break
    if far in ready:
        give(near, os.read(far, 65536))
    if near in ready:
        packet = os.read(near, 65536)
        fate = chance.random()
        if 0.05 < fate < 0.2 and late is None:
            late = packet
            continue
        if fate >= 0.05:
            give(far, packet)
        if fate > 0.95:
            give(far, packet)
    if late is not None and (near in ready or not ready):
        give(far, late)
        late = None
"""


#: A VLAN device on each of two hosts for kernels that have none: what is sent to it goes out over the cable
#: with a tag, what comes in with that tag comes out of it.
_TAGGER = """
import ctypes, fcntl, os, select, socket, struct, sys

SOL_PACKET, AUXILIARY, OUTGOING, HAS_TAG = 263, 8, 4, 0x10
number = int(sys.argv[1])
ways = {}
for host in sys.argv[2:]:
    with open("/run/netns/" + host) as space:
        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0x40000000):
            sys.exit(os.strerror(ctypes.get_errno()))
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"vlan0", 0x1002))
    cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    cable.bind(("eth0", 3))
    cable.setsockopt(SOL_PACKET, AUXILIARY, 1)
    ways[device] = ways[cable] = device, cable
print("ready", flush=True)
while True:
    ready, _, _ = select.select([*ways, 0], [], [])
    if 0 in ready:
        break
    for one in ready:
        device, cable = ways[one]
        if one is device:
            frame = os.read(device, 65536)
            cable.send(frame[:12] + struct.pack("!HH", 0x8100, number) + frame[12:])
            continue
        frame, extra, _, sender = cable.recvmsg(65536, 64)
        status, _, _, _, _, tag, _ = struct.unpack("IIIHHHH", extra[0][2])
        if sender[2] != OUTGOING and status & HAS_TAG and tag & 0xFFF == number:
            try:
                os.write(device, frame)
            except OSError:  # it is not up yet
                pass
"""


class Network:
    """Hosts `near` and `far` with a cable between them; `prefix` runs a command on one of them."""

    def __init__(self) -> None:
        self.names = {host: f"csc-{host}-{os.getpid()}" for host in ("near", "far")}
        self._ip = needs("ip")

    def prefix(self, host: str) -> tuple[str, ...]:
        return self._ip, "netns", "exec", self.names[host]

    def run(self, *words: str, host: str | None = None) -> None:
        subprocess.run([*(self.prefix(host) if host else ()), *words], check=True, capture_output=True)

    def build(self) -> None:
        """Make it; raises CalledProcessError where that is not allowed."""
        ip = self._ip
        for name in self.names.values():
            self.run(ip, "netns", "add", name)
        near, far = self.names.values()
        self.run(
            ip, "link", "add", "eth0", "netns", near, "type", "veth", "peer", "name", "eth0", "netns", far
        )
        for number, host in enumerate(self.names, 1):
            self._host(host, number)

    def _host(self, host: str, number: int) -> None:
        ip = self._ip
        self.run(ip, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0", host=host)
        self.run(ip, "link", "set", "eth0", "up", host=host)
        self.run(ip, "-6", "addr", "add", f"fd77::{number}/64", "dev", "eth0", "nodad", host=host)

    def remove(self) -> None:
        for name in self.names.values():
            subprocess.run([self._ip, "netns", "del", name], capture_output=True)

    def send(self, *jobs: tuple[str, str, int, int, float]) -> None:
        """From the near host: kind, address, octets of an APDU, number of them, pause between them."""
        self.run(sys.executable, "-c", _CLIENT, json.dumps(jobs), host="near")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    needs_rights()
    made = Network()
    try:
        made.build()
    except subprocess.CalledProcessError as error:
        made.remove()
        pytest.skip(f"NO RIGHTS for network namespaces: {error.stderr.decode().strip()}")
    server = subprocess.Popen(
        [*made.prefix("far"), sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    yield made
    server.communicate()
    made.remove()


def counted(listed: list[Event]) -> dict[tuple[str, str, int], int]:
    """How many WPDUs went to the DLMS port, by protocol, address and length."""
    return Counter(
        (wpdu["protocol"].lower(), wpdu["destination"].removesuffix(":4059").strip("[]"), wpdu["length"])
        for wpdu in listed
        if wpdu["destination"].endswith(":4059")
    )


def test_addresses_and_fragments(tmp_path: Path, network: Network) -> None:
    """IPv4 and IPv6, TCP, UDP in fragments: all WPDUs, both directions, nothing else."""
    jobs = [
        ("tcp", "10.77.0.2", 20, 3, 0),
        ("tcp", "fd77::2", 2000, 3, 0),
        ("udp", "10.77.0.2", 4000, 2, 0),
        ("udp", "fd77::2", 4000, 2, 0),
    ]
    path = tmp_path / "x.pcapng"
    with capturing("-i", "eth0", "-w", path, prefix=network.prefix("far")) as capture:
        network.send(*jobs)
        assert capture.stop()["dropped"] == 0
    listed = wpdus(path)
    assert counted(listed) == {(kind, address, size): count for kind, address, size, count, _ in jobs}
    assert len(listed) == 2 * 10
    assert tshark(path, "-Y", "!(ip || ipv6)") == []


def tagged_frames(tags: tuple[int, ...], network: int) -> list[bytes]:
    """A segment, a datagram in two fragments by IPv4 and by IPv6, and a datagram of something else."""
    data = b"\x0f" + bytes(39)
    wpdu = struct.pack("!4H", 1, 16, 1, len(data)) + data
    own: dict[str, str] = {"source": f"10.99.{network}.1", "destination": f"10.99.{network}.2"}
    six: dict[str, str] = {"source": f"fd99:{network}::1", "destination": f"fd99:{network}::2"}
    datagram = packets.udp(wpdu)
    number = network
    return [
        packets.ethernet(packets.ipv4(packets.tcp(wpdu), 6, **own), tags=tags),
        packets.ethernet(
            packets.ipv4(datagram[:32], 17, fragment=packets.MORE_FRAGMENTS, number=number, **own), tags=tags
        ),
        packets.ethernet(packets.ipv4(datagram[32:], 17, fragment=4, number=number, **own), tags=tags),
        packets.ethernet(
            packets.ipv6(packets.ipv6_fragment(datagram[:32], 17, 0, True), 44, **six), 0x86DD, tags
        ),
        packets.ethernet(
            packets.ipv6(packets.ipv6_fragment(datagram[32:], 17, 32, False), 44, **six), 0x86DD, tags
        ),
        packets.ethernet(packets.ipv4(packets.udp(wpdu, 9, 9), 17, **own), tags=tags),
    ]


@pytest.mark.parametrize("way", ["libpcap", "dumpcap"])
def test_tags(tmp_path: Path, network: Network, way: str) -> None:
    """Without, with one and with two VLAN tags: the same packets pass the filter, fragments among them."""
    if way == "dumpcap":
        needs("dumpcap")
    kinds = ((), (0x8100,), (0x88A8, 0x8100))
    frames = [frame for number, tags in enumerate(kinds, 1) for frame in tagged_frames(tags, number)]
    path = tmp_path / "x.pcapng"
    with capturing("-i", "eth0", "--by", way, "-w", path, prefix=network.prefix("far")) as capture:
        network.run(sys.executable, "-c", _RAW, json.dumps([frame.hex() for frame in frames]), host="near")
        capture.packets(15)
        assert capture.stop()["packets"] == 15
    expected = {
        (protocol, address.format(number), 40): 1
        for number in range(1, 4)
        for protocol, address in (("tcp", "10.99.{}.2"), ("udp", "10.99.{}.2"), ("udp", "fd99:{}::2"))
    }
    assert counted(wpdus(path)) == expected
    assert len(tshark(path, "-Y", "vlan.id == 5")) == 10


@pytest.mark.parametrize("device", ["kernel", "tagger"])
def test_a_vlan(tmp_path: Path, network: Network, device: str) -> None:
    """An exchange inside a VLAN, captured on the cable: all WPDUs both ways, each frame with its tag."""
    path = tmp_path / "x.pcapng"
    with (
        (kernel_vlan if device == "kernel" else tagger)(network),
        capturing("-i", "eth0", "-w", path, prefix=network.prefix("far")) as capture,
    ):
        network.send(("tcp", "10.79.0.2", 1000, 5, 0), ("udp", "10.79.0.2", 4000, 2, 0))
        assert capture.stop()["dropped"] == 0
    listed = wpdus(path)
    assert counted(listed) == {("tcp", "10.79.0.2", 1000): 5, ("udp", "10.79.0.2", 4000): 2}
    assert len(listed) == 2 * 7
    assert tshark(path, "-Y", "ip && !vlan") == []
    assert tshark(path, "-Y", f"vlan.id == {_VLAN}")


@pytest.mark.parametrize("line", ["netem", "relay"])
def test_loss_and_reordering(tmp_path: Path, network: Network, line: str) -> None:
    """On a bad line, captured at the far end: every WPDU once, in order, and the line's faults counted."""
    path = tmp_path / "x.pcapng"
    prefix = network.prefix("far")
    with (
        (netem if line == "netem" else relay)(network) as end,
        capturing("-i", end.interface, "--immediate", "-w", path, prefix=prefix) as capture,
    ):
        network.send(("tcp", end.far, 50, 200, 0.0005))
        capture.stop()
    sent = [wpdu for wpdu in wpdus(path) if wpdu["destination"] == f"{end.far}:4059"]
    assert len(sent) == 200
    counts = json.loads(run("stats", path, "--json").stdout)
    assert counts["retransmissions"] + counts["out_of_order"] > 0
    assert tshark(path)


class Line(NamedTuple):
    """Where a bad line ends: the interface and the address of the far host."""

    interface: str
    far: str


def _address_vlan(network: Network) -> None:
    for host, number in (("near", 1), ("far", 2)):
        network.run(needs("ip"), "addr", "add", f"10.79.0.{number}/24", "dev", "vlan0", host=host)
        network.run(needs("ip"), "link", "set", "vlan0", "up", host=host)


@contextlib.contextmanager
def kernel_vlan(network: Network) -> Iterator[None]:
    """The kernel's own VLAN devices."""
    ip = needs("ip")
    words = (ip, "link", "add", "link", "eth0", "name", "vlan0", "type", "vlan", "id", str(_VLAN))
    try:
        for host in ("near", "far"):
            network.run(*words, host=host)
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode().strip()
        pytest.skip(f"NO VLAN DEVICES in this kernel, a tagger of ours stands in: {reason}")
    try:
        _address_vlan(network)
        yield
    finally:
        for host in ("near", "far"):
            network.run(ip, "link", "del", "vlan0", host=host)


@contextlib.contextmanager
def helping(script: str, *words: str) -> Iterator[None]:
    """A script that makes tunnel devices and serves them until its input ends."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("NO TUNNEL DEVICES in this kernel")
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.communicate()


@contextlib.contextmanager
def tagger(network: Network) -> Iterator[None]:
    """VLAN devices of our own."""
    near, far = network.prefix("near")[-1], network.prefix("far")[-1]
    with helping(_TAGGER, str(_VLAN), near, far):
        _address_vlan(network)
        yield


@contextlib.contextmanager
def netem(network: Network) -> Iterator[Line]:
    """The kernel's own emulation of a bad line."""
    tc = needs("tc")
    faults = ("delay", "4ms", "2ms", "loss", "5%", "reorder", "25%", "duplicate", "5%")
    try:
        network.run(tc, "qdisc", "add", "dev", "eth0", "root", "netem", *faults, host="near")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"NO NETEM in this kernel, a relay of ours stands in: {error.stderr.decode().strip()}")
    try:
        yield Line("eth0", "10.77.0.2")
    finally:
        network.run(tc, "qdisc", "del", "dev", "eth0", "root", host="near")


@contextlib.contextmanager
def relay(network: Network) -> Iterator[Line]:
    """Two tunnel devices, and a process between them that drops, repeats and swaps packets."""
    near, far = network.prefix("near")[-1], network.prefix("far")[-1]
    with helping(_RELAY, near, far):
        for host, number in (("near", 1), ("far", 2)):
            network.run(needs("ip"), "addr", "add", f"10.78.0.{number}/24", "dev", "tun0", host=host)
            network.run(needs("ip"), "link", "set", "tun0", "up", host=host)
        yield Line("tun0", "10.78.0.2")
