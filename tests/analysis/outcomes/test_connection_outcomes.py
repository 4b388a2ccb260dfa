"""Outcomes and first causes: planted faults, in one capture and at any pace, and what is none of DLMS."""

from pathlib import Path

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import OUTCOMES, Cause, ConnectionOutcome
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.streams.decode_as import parse_decode_as
from cosemscope.wording import short_duration
from tests.helpers.planted_faults import (
    CLIENT,
    SESSIONS,
    Plot,
    Told,
    heartbeats_alone,
    nothing_said,
    syn_refused,
)
from tests.helpers.wire import FIN, SYN, Tcp, Wire, analyse, wpdu

#: After the ones that time alone ends, so much passes before the others.
_QUIET = 70_000


def told(analysis: Analysis) -> list[Told]:
    """What is said of each stream."""
    facts = capture_facts(analysis)
    outcomes, sentences = facts.outcomes, CauseSentences(analysis, facts)
    return [
        Told(ConnectionOutcome(outcome).word, sentences.sentence(stream), packet + 1)
        for stream, (outcome, packet) in enumerate(
            zip(outcomes.outcome.tolist(), outcomes.packet.tolist(), strict=True)
        )
    ]


def planted() -> tuple[Wire, dict[str, Told]]:
    """A capture with all planted faults, and what is to be said of each."""
    wire, wanted = Wire(), {}
    for number, session in enumerate(SESSIONS, 1):
        found = session(Plot(wire, number))
        wanted[session.__name__] = found
        if number == 2:
            Plot(wire, 0).wait(_QUIET)
    since = {name: one.packet for name, one in wanted.items() if "{}" in one.sentence}
    for name, packet in since.items():
        passed = wire.packets[-1][0] - wire.packets[packet - 1][0]
        one = wanted[name]
        wanted[name] = one._replace(sentence=one.sentence.format(short_duration(passed) if passed else "0 s"))
    return wire, wanted


def test_thirty_planted_faults_have_thirty_right_outcomes_and_causes(tmp_path: Path) -> None:
    """Each session has its one outcome, and the sentence with the first cause and its packet."""
    wire, wanted = planted()
    assert len(wanted) >= 30
    found = told(analyse(wire, tmp_path))
    # The session that cuts another one between its ports is a stream more.
    number = list(wanted).index("ports_used_again")
    assert found.pop(number + 1).outcome == "complete"
    assert dict(zip(wanted, found, strict=True)) == wanted


def test_every_outcome_was_planted() -> None:
    """No outcome is without a session that shows it, and each cause has an outcome."""
    _, wanted = planted()
    assert {one.outcome for one in wanted.values()} == {
        outcome.word for outcome in ConnectionOutcome if outcome is not ConnectionOutcome.NOT_DLMS
    }
    assert set(OUTCOMES) == set(Cause)


def test_outcomes_are_the_same_packet_by_packet(tmp_path: Path) -> None:
    """Live and offline alike, however records come."""
    wire, _ = planted()
    assert told(analyse(wire, tmp_path, records=1)) == told(analyse(wire, tmp_path))
    assert told(analyse(wire, tmp_path, one_by_one=True)) == told(analyse(wire, tmp_path))


def test_sessions_that_happen_at_the_same_time(tmp_path: Path) -> None:
    """All faults interleaved, packet by packet, have the same outcomes and sentences."""
    parts: list[tuple[int, int, int, bytes]] = []
    wanted: dict[str, tuple[int, Told]] = {}
    for number, session in enumerate(SESSIONS, 1):
        wire = Wire()
        wire.time += number * 1000
        wanted[session.__name__] = number, session(Plot(wire, number))
        parts += [(time, number, place, octets) for place, (time, octets) in enumerate(wire.packets, 1)]
    merged = Wire()
    merged.packets = [(time, octets) for time, _, _, octets in sorted(parts)]
    places = {one[1:3]: place for place, one in enumerate(sorted(parts), 1)}
    found = {one.packet: one for one in told(analyse(merged, tmp_path))}
    for name, (number, one) in wanted.items():
        if "{}" in one.sentence or "datagrams" in name:  # the end of the capture is another one now
            continue
        packet = places[number, one.packet]
        assert found[packet] == one._replace(packet=packet), name


def test_outcomes_are_the_same_over_the_files_of_a_ring(tmp_path: Path) -> None:
    """Sessions that begin in one file and end in another have one outcome, with the same sentence."""
    wire, _ = planted()
    for number, start in enumerate(range(0, len(wire.packets), 45), 1):
        part = Wire()
        part.packets = wire.packets[start : start + 45]
        part.capture(tmp_path / f"x_{number:05d}_20260101000000.pcap")
    with CaptureSequence(tmp_path / "x_00001_20260101000000.pcap") as reader:
        found = told(Analysis(reader).run())
    assert found == told(analyse(wire, tmp_path))


def test_a_growing_capture_changes_its_mind(tmp_path: Path) -> None:
    """A session is unfinished as long as it goes on, whatever it will come to."""
    wire = Wire()
    plot = Plot(wire, 1)
    plot.associate()
    plot.read()
    plot.release()
    seen = []
    with open_capture(wire.capture(tmp_path / "wire.pcap")) as reader:
        analysis = Analysis(reader)
        while analysis.step(1):
            seen.append(told(analysis)[0].outcome)
    assert set(seen[:2] + seen[4:-4]) == {"unfinished"}
    assert seen[-1] == "complete"


@pytest.mark.parametrize("seconds", [1, 4, 6, 60])
def test_a_syn_at_the_end_of_a_capture_may_yet_be_answered(tmp_path: Path, seconds: int) -> None:
    """A single SYN is unanswered when there was silence for as long as a request would be."""
    wire = Wire()
    plot, other = Plot(wire, 1), Plot(wire, 2)
    plot.tcp.packet(CLIENT, -1, flags=SYN)
    other.wait(1000 * seconds)
    other.associate()
    first = told(analyse(wire, tmp_path))[0]
    assert first.outcome == ("unfinished" if seconds < 5 else "no-connection")
    assert first.sentence.startswith("the capture ended " if seconds < 5 else "SYN sent once, never answered")


def test_what_is_no_dlms_has_no_outcome(tmp_path: Path) -> None:
    """Other protocols, and connections that never came about to other ports."""
    wire = Wire()
    web = Tcp(wire, ("10.0.0.1", 50000), ("10.0.0.9", 80)).handshake()
    web.say(0, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    web.close()
    Tcp(wire, ("10.0.0.1", 50001), ("10.0.0.9", 443)).packet(0, -1, flags=SYN)
    assert [one.outcome for one in told(analyse(wire, tmp_path))] == ["not-dlms", "not-dlms"]


def test_an_end_that_speaks_dlms_elsewhere_in_the_capture_is_missed_when_it_does_not_answer(
    tmp_path: Path,
) -> None:
    """On any port, before or after."""
    wire = Wire()
    meter = ("10.0.0.2", 7777)
    for number, session in enumerate((syn_refused, nothing_said)):
        plot = Plot(wire, number)
        plot.tcp = Tcp(wire, plot.client, meter, isn=(5_000 * number, 7))
        session(plot)
    plot = Plot(wire, 9)
    plot.tcp = Tcp(wire, plot.client, meter)
    plot.associate()
    plot.end(0, FIN)
    Tcp(wire, ("10.0.0.1", 50_900), ("10.0.0.3", 7777)).packet(0, -1, flags=SYN)
    words = [one.outcome for one in told(analyse(wire, tmp_path))]
    assert words == ["connection-refused", "no-association", "complete", "not-dlms"]


def test_wpdus_that_say_nothing(tmp_path: Path) -> None:
    """Where a user says that heartbeats are WPDUs, their stream has an outcome too."""
    wire = Wire()
    heartbeats_alone(Plot(wire, 1))
    (found,) = told(analyse(wire, tmp_path, decode_as=parse_decode_as(["4059=wrapper"])))
    assert found == heartbeats_alone(Plot(Wire(), 1))


def test_a_push_flow_is_no_unanswered_one(tmp_path: Path) -> None:
    """Confirmed pushes are notifications too, whether or not somebody confirms."""
    wire = Wire()
    wire.udp(("10.0.0.2", 4059), ("10.0.0.1", 4059), wpdu(bytes.fromhex("0f00000001000203"), 1, 16))
    assert told(analyse(wire, tmp_path)) == [Told("push-only", "1 notification to 10.0.0.1:4059", 1)]


def test_messages_of_data_concentrators_are_no_trouble(tmp_path: Path) -> None:
    """They tell and order something, which needs no association; requests among them count as ever."""
    wire = Wire()
    connection = Tcp(wire, ("10.0.0.1", 50_000), ("10.0.0.2", 4059)).handshake()
    connection.say(1, wpdu(b"\2\0\7", 1, 16))
    connection.say(0, wpdu(b"\5\0\7"))
    (found,) = told(analyse(wire, tmp_path))
    sentence = "2 messages without an APDU, such as PRIME data concentrators exchange"
    assert found[:2] == ("push-only", sentence)
    connection.say(0, wpdu(bytes.fromhex("c001c100080000010000ff0200")))
    (found,) = told(analyse(wire, tmp_path))
    assert found.outcome != "push-only"
