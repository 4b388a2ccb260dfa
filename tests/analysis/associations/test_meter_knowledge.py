"""Scalers learned in one connection hold for later ones to the same meter, and for no other meter."""

from pathlib import Path

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from tests.helpers import apdu_encoder as encode
from tests.helpers import traffic_apdus as a
from tests.helpers.listed import all_listed
from tests.helpers.wire import Tcp, Wire, wpdu

ENERGY = (3, bytes((1, 0, 1, 8, 0, 255)), 2)
SCALER = (3, ENERGY[1], 3)
HOST, METER = ("10.0.0.1", 50000), ("10.0.0.2", 4059)
ONE, OTHER = b"CSP\x10\x00\x00\x00\x01", b"CSP\x10\x00\x00\x00\x02"
SCALED, PLAIN = "500.9 Wh", "5009"


class Readings:
    """A capture of connections, each of which associates (with a title) or not, and reads."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.number = 0

    def connect(
        self,
        *references: tuple[int, bytes, int],
        client: tuple[str, int] = HOST,
        server: tuple[str, int] = METER,
        wport: int = 1,
        title: bytes | None = None,
        pushes: bool = False,
    ) -> None:
        """`pushes`: the meter is who connects."""
        self.number += 1
        ends = (client[0], client[1] + self.number), server
        near, far = (server, ends[0]) if pushes else ends
        start = (1000 + 100_000 * self.number, 9000 + 100_000 * self.number)
        connection = Tcp(self.wire, near, far, isn=start).handshake()

        def say(from_client: bool, apdu: bytes) -> None:
            wports = (16, wport) if from_client else (wport, 16)
            connection.say(int(from_client == pushes), wpdu(apdu, *wports))

        if title is not None:
            say(True, a.aarq(context=3, title=b"CSH\x00\x00\x00\x00\x01"))
            say(False, a.aare(context=3, title=title))
        for reference in references:
            unit = ("structure", [("integer", -1), ("enum", 30)])
            answer = unit if reference[2] == 3 else ("double-long-unsigned", 5009)
            say(True, encode.get_request(reference))
            say(False, encode.get_response(answer))

    def values(self, tmp_path: Path) -> list[str]:
        """The values as `list` has them; `show` and the window must have the same."""
        path = self.wire.capture(tmp_path / "made.pcap")
        with open_capture(path) as reader:
            analysis = Analysis(reader).run()
            listed = [one.info for one in all_listed(analysis)]
            walked = Associations(analysis)
            assert complete(walked)
            assert [walked.info(row) for row in reversed(range(len(listed)))] == listed[::-1]
            for row, line in enumerate(listed):
                shown = Associations(analysis)
                complete(shown, row + 1)
                assert shown.info(row) == line
        return [
            line.rpartition("value = ")[2] for line in listed if "value = " in line and "scaler" not in line
        ]


def test_the_same_place_is_the_same_meter(tmp_path: Path) -> None:
    """Whoever the client is; another address, port or wPort is another meter."""
    made = Readings()
    made.connect(ENERGY)
    made.connect(SCALER)
    made.connect(ENERGY)
    made.connect(ENERGY, client=("10.0.0.3", 50000))
    made.connect(ENERGY, server=("10.0.0.4", 4059))
    made.connect(ENERGY, server=("10.0.0.2", 4060))
    made.connect(ENERGY, wport=2)
    assert made.values(tmp_path) == [PLAIN, SCALED, SCALED, PLAIN, PLAIN, PLAIN]


def test_a_title_is_the_meter_wherever_it_is(tmp_path: Path) -> None:
    """The same title at another address is the same meter, another title at the same address is another."""
    made = Readings()
    made.connect(SCALER, title=ONE)
    made.connect(ENERGY, title=ONE, server=("10.0.0.9", 4059))
    made.connect(ENERGY, title=OTHER)
    made.connect(ENERGY, title=ONE, wport=2)
    made.connect(ENERGY, title=ONE)
    assert made.values(tmp_path) == [SCALED, PLAIN, PLAIN, SCALED]


def test_a_place_where_meters_come_and_go_tells_nothing(tmp_path: Path) -> None:
    """Addresses that are lent out: after two titles at one, who says no title there may be anyone."""
    made = Readings()
    made.connect(SCALER)
    made.connect(ENERGY, title=ONE)
    made.connect(ENERGY)
    made.connect(title=OTHER)
    made.connect(ENERGY)
    assert made.values(tmp_path) == [PLAIN, SCALED, PLAIN]


def test_who_connects_to_the_client_needs_a_title(tmp_path: Path) -> None:
    """Meters that call their head-end may stand behind one address."""
    made = Readings()
    made.connect(SCALER, pushes=True)
    made.connect(ENERGY, pushes=True)
    made.connect(SCALER, pushes=True, title=ONE)
    made.connect(ENERGY, pushes=True, title=ONE)
    assert made.values(tmp_path) == [PLAIN, SCALED]


def test_what_another_connection_told_is_known_once_the_walk_has_come_there(tmp_path: Path) -> None:
    """A look before knows its own connection only, and teaches the meter nothing out of its turn."""
    made = Readings()
    made.connect(SCALER)
    made.connect(ENERGY)
    made.connect(SCALER, ENERGY)
    path = made.wire.capture(tmp_path / "made.pcap")
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        found = Associations(analysis)
        last = len(analysis.wpdus) - 1
        assert found.info(last).endswith(SCALED)
        assert found.info(3).endswith(PLAIN)
        assert complete(found, 4)
        assert found.info(3).endswith(SCALED)
        assert found.info(last).endswith(SCALED)


def test_rows_that_come_meanwhile_wait_for_their_pairs(tmp_path: Path) -> None:
    """The window looks while another thread reads: a WPDU has its row a moment before it has its pair."""
    made = Readings()
    made.connect(ENERGY, title=ONE)
    path = made.wire.capture(tmp_path / "made.pcap")
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        aare = analysis.wpdus["apdu_tag"].tolist().index(0x61)
        found = Associations(analysis)
        for _ in range(2000):
            analysis.wpdus.append(**{name: analysis.wpdus[name][aare] for name in analysis.wpdus.names})
        assert "AARE" in found.info(aare)
