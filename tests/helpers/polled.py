"""Made traffic for tests of panes: a real analysis of meters that are polled, a few rows or a million.

Client 10.0.0.1 asks and 10.0.1.n answers, each on a connection of its own, in turns, a WPDU a millisecond.
The octets of all packets are filled in by NumPy, so that a million take a second.
"""

import struct
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import CaptureReader
from cosemscope.capture.octets import OctetFile
from cosemscope.gui.document.traffic import Traffic
from tests.helpers.files import NANO
from tests.helpers.packets import ethernet, ipv4, tcp
from tests.helpers.traffic_apdus import wpdu

START = 1_700_000_000_000_000_000

REQUEST = bytes.fromhex("c001c100080000010000ff0200")
ANSWER = bytes.fromhex("c401c10006000004d2")

#: Where fields lie in a record: the record's header, Ethernet, IPv4, TCP, then the WPDU.
_ETHERNET, _IP, _TCP, _WPDU = 16, 30, 50, 70


def _big(numbers: np.ndarray, width: int) -> np.ndarray:
    """Numbers as octets, uint8[n, width], the highest first."""
    return numbers.astype(">u8")[:, None].view(np.uint8)[:, 8 - width :]


def _little(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype("<u4")[:, None].view(np.uint8)


def polled_octets(
    wpdus: int, streams: int = 2, *, times: Sequence[int] | None = None, wports: Sequence[int] | None = None
) -> bytes:
    """A pcap file of `wpdus` rows on `streams` connections.

    `times` are nanoseconds since START (a millisecond apart otherwise), `wports` the clients' (16, 17, 18 in
    turns otherwise).
    """
    row = np.arange(wpdus)
    stream = row // 2 % streams
    is_answer = row % 2 == 1
    time = START + (row * 1_000_000 if times is None else np.array(times, np.int64))
    client = (16 + np.arange(streams) % 3 if wports is None else np.array(wports))[stream]
    turn = row // (2 * streams)
    sizes = [8 + len(apdu) for apdu in (REQUEST, ANSWER)]
    seconds, rest = np.divmod(time, 1_000_000_000)
    parts = []
    for answer, apdu in enumerate((REQUEST, ANSWER)):
        ports, pair = ((4059, 50_000), (1, 16)) if answer else ((50_000, 4059), (16, 1))
        frame = ethernet(ipv4(tcp(wpdu(*pair, apdu), *ports)))
        one = struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
        where = is_answer == bool(answer)
        records = np.tile(np.frombuffer(one, np.uint8), (np.count_nonzero(where), 1))
        near, far = (4, 0) if answer else (0, 4)
        records[:, 0:4], records[:, 4:8] = _little(seconds[where]), _little(rest[where])
        meter = 0x0A000101 + stream[where]
        records[:, _IP + 12 + near :][:, :4] = (10, 0, 0, 1)
        records[:, _IP + 12 + far :][:, :4] = _big(meter, 4)
        records[:, _TCP + near // 2 :][:, :2] = _big(50_000 - stream[where], 2)
        records[:, _TCP + 4 : _TCP + 8] = _big(1 + turn[where] * sizes[answer], 4)
        records[:, _TCP + 8 : _TCP + 12] = _big(1 + (turn[where] + answer) * sizes[1 - answer], 4)
        records[:, _WPDU + 2 + near // 2 :][:, :2] = _big(client[where], 2)
        parts.append(records)
    requests, answers = parts
    pairs = np.concatenate((requests[: len(answers)], answers), axis=1)
    head = struct.pack("<IHHiIII", NANO, 2, 4, 0, 0, 262_144, 1)
    return head + pairs.tobytes() + requests[len(answers) :].tobytes()


def analysis_of(octets: bytes) -> Analysis:
    """The real analysis of a capture file's octets, read to its end."""
    file = OctetFile.temporary()
    file.append(octets)
    reader = CaptureReader(Path("made.pcap"), file, follow=False)
    reader.begin()
    analysis = Analysis(reader).run()
    weakref.finalize(analysis, reader.close)
    return analysis


def traffic_of(analysis: Analysis) -> Traffic:
    """The window's view of an analysis, all of its rows taken."""
    traffic = Traffic(analysis)
    traffic.take_rows(len(analysis.wpdus))
    return traffic


def polled_traffic(
    wpdus: int, streams: int = 2, *, times: Sequence[int] | None = None, wports: Sequence[int] | None = None
) -> Traffic:
    """The window's view of `polled_octets`, all of it read."""
    return traffic_of(analysis_of(polled_octets(wpdus, streams, times=times, wports=wports)))
