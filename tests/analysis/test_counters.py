"""Invocation counters over a whole capture: in order, with gaps, and used again on another connection."""

from pathlib import Path

from cosemscope.analysis.associations import Associations
from cosemscope.analysis.counters import counter_timelines
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys import NO_KEYS, KeyEntry, KeyTable
from cosemscope.apdu.key_sets import KeySet
from cosemscope.capture.reader import open_capture
from tests.helpers.traffic import SECOND, START, Traffic
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION, CipheredSession, Meter

KEYS = KeyTable([KeyEntry(KeySet("test", encryption=ENCRYPTION, authentication=AUTHENTICATION))])


def test_a_counter_used_again_on_another_connection_shows(tmp_path: Path) -> None:
    """The client begins with the same counter on the second connection: every one of them is a replay."""
    traffic = Traffic(seed=3)
    for number in range(2):
        ends = ("192.0.2.10", 50000 + number), ("198.51.100.1", 4059)
        link = traffic.tcp(*ends, START + 60 * number * SECOND).open()
        session = CipheredSession(link, Meter(1))
        session.associate()
        session.read_register(0)
        if number == 0:
            session.own._counter += 5
            session.read_register(1)
        link.close()
    path = tmp_path / "made.pcapng"
    traffic.write(path)
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        for keys in (KEYS, NO_KEYS):
            found = Associations(analysis, keys)
            client, meter = counter_timelines(found.walk(), analysis.wpdu_pairs["pair"])
            assert client.title == CipheredSession.CLIENT_TITLE
            assert meter.title == Meter(1).title
            first = int((analysis.wpdu_pairs["pair"] == 0).sum())
            if keys is KEYS:
                # The answer to the challenge used a counter too: only opened APDUs show it.
                assert client.counters.tolist()[:3] == [0x12001, 0x12002, 0x12003]
                assert len(client.gaps) == 1
            assert client.gaps.tolist()[-1] < first
            assert set(client.replays.tolist()) == {row for row in client.rows.tolist() if row >= first}
            assert (meter.step[:4] == 1).all() or keys is NO_KEYS
