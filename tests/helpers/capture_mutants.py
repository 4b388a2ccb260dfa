"""Mutants of captures: a stretch with packets lost, sent again, moved, cut or changed; and both readings.

Most changes are of whole packets, since octets changed at random are seldom met by TCP reassembly.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.records import CaptureError
from tests.helpers.files import NANO, Record, pcap
from tests.helpers.shared import shared_path
from tests.helpers.wire import found_items, rows

#: Packets of a mutant, at most.
_LONGEST = 160
_SUFFIXES = (".pcap", ".cap", ".pcapng")
#: Octets of headers in which a change makes a packet another one: addresses, ports, numbers, flags.
_HEADERS = 66

Packets = list[Record]


def captures() -> list[Path]:
    """The bundled samples and all shared captures."""
    folders = (Path(__file__).resolve().parents[2] / "resources" / "samples", shared_path("captures"))
    folders += (shared_path("cases/streams"), shared_path("cases/hostile"))
    found = (path for folder in folders if folder.is_dir() for path in folder.rglob("*"))
    return sorted(path for path in found if path.suffix in _SUFFIXES)


def packets_of(path: Path) -> tuple[int, Packets]:
    """The packets of a capture and the link type of the first; none where it is no capture."""
    found: Packets = []
    link_type = 1
    try:
        with open_capture(path) as reader:
            while (batch := reader.read()) is not None:
                link_type = reader.interfaces[int(batch.interface[0])].link_type
                columns = (batch.time, batch.offset, batch.captured, batch.original)
                for time, offset, captured, original in zip(*(c.tolist() for c in columns), strict=True):
                    found.append(Record(max(time, 0), reader.octets(offset, captured), original))
    except CaptureError:
        pass
    return link_type, found


def _lose(random: Random, packets: Packets, at: int) -> None:
    del packets[at : at + random.choice((1, 1, 2, 5))]


def _again(random: Random, packets: Packets, at: int) -> None:
    packets.insert(min(at + random.choice((1, 2, 9)), len(packets)), packets[at])


def _swap(random: Random, packets: Packets, at: int) -> None:
    packets[at : at + 2] = packets[at : at + 2][::-1]


def _move(random: Random, packets: Packets, at: int) -> None:
    packet = packets.pop(at)
    packets.insert(random.randrange(len(packets) + 1), packet)


def _cut(random: Random, packets: Packets, at: int) -> None:
    packet = packets[at]
    packets[at] = packet._replace(octets=packet.octets[: random.randrange(len(packet.octets) + 1)])


def _change(random: Random, packets: Packets, at: int) -> None:
    octets = bytearray(packets[at].octets)
    if octets:
        place = random.randrange(min(_HEADERS, len(octets)) if random.random() < 0.6 else len(octets))
        octets[place] = random.choice((octets[place] ^ 1, octets[place] ^ 16, 0, 255, random.randrange(256)))
        packets[at] = packets[at]._replace(octets=bytes(octets))


def _at_once(random: Random, packets: Packets, at: int) -> None:
    time = packets[at].time
    for place in range(at, min(at + 20, len(packets))):
        packets[place] = packets[place]._replace(time=time)


def _reverse(random: Random, packets: Packets, at: int) -> None:
    stop = at + random.choice((3, 5, 12))
    packets[at:stop] = packets[at:stop][::-1]


_CHANGES = (_lose, _lose, _again, _again, _swap, _swap, _move, _cut, _change, _change, _at_once, _reverse)


def mutants(packets: Packets, random: Random) -> Iterator[Packets]:
    """Yield mutants without end, each of some hundred packets in a row, with one to eight changes."""
    while True:
        start = random.choice((0, random.randrange(len(packets))))
        some = packets[start : start + random.randrange(2, _LONGEST)]
        for _ in range(random.choice((1, 1, 2, 3, 8))):
            if some:
                random.choice(_CHANGES)(random, some, random.randrange(len(some)))
        yield some


def written(path: Path, link_type: int, packets: Sequence[Record]) -> Path:
    """The packets as a capture at this path, in the order in which they are."""
    path.write_bytes(pcap(packets, magic=NANO, link_type=link_type))
    return path


def reading(path: Path, *, one_by_one: bool, most: int = 65_536) -> list[object]:
    """All that the streams of a capture come to: rows with octets, items, streams."""
    with open_capture(path) as reader:
        analysis = Analysis(reader, one_by_one=one_by_one)
        while analysis.step(most):
            pass
        analysis.finish()
        # Flows are numbered as batches come: which of them a stream has is told by its ends.
        names = [name for name in analysis.streams.names if name != "flow"]
        streams = [(name, analysis.streams[name].tolist()) for name in names]
        ends = [analysis.endpoints(stream) for stream in range(len(analysis.streams))]
        return [*rows(analysis), *found_items(analysis), *streams, *ends]


def difference(path: Path) -> str:
    """The first thing that is told otherwise one by one, or few records at a time; empty where nothing is."""
    fast = reading(path, one_by_one=False)
    borders = 1 + len(fast) % 11  # other ones for each capture
    for one_by_one, most in ((True, 65_536), (False, 3), (False, borders)):
        other = reading(path, one_by_one=one_by_one, most=most)
        if other != fast:
            pairs = zip([*fast, None], [*other, None], strict=False)
            one, two = next((one, two) for one, two in pairs if one != two)
            return f"one_by_one={one_by_one}, {most} at once: {one}\n  {two}"
    return ""
