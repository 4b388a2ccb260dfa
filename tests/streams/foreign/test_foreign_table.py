"""Foreign framings: each is named for what it is, DLMS inside is found, and nothing else is taken for it."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.capture.packets.packet_row import TCP, UDP
from cosemscope.streams.foreign.foreign_table import FOREIGN, MAX_LOOKED_AT, foreign_framing, markdown
from cosemscope.streams.recognition import MATCHERS, Recogniser
from cosemscope.streams.tables.expert_items import Severity
from cosemscope.streams.tables.framing import Framing
from tests.apdu.hdlc_encoder import COMMAND, GET, frame, i_control
from tests.helpers.foreign_traffic import TALKS, Talk, put_on
from tests.helpers.wire import Tcp, Wire, analyse, contents, get_request, get_response, wpdu

#: Framings of DLMS itself, and words for streams of which nothing is known.
OWN = {
    *(Framing.UNDECIDED, Framing.UNKNOWN, Framing.SILENT, Framing.NOT_CAPTURED),
    *(Framing.WRAPPER, Framing.SWAPPED, Framing.HDLC, Framing.BARE, Framing.IEC_61334_4_32),
}


def test_the_table_has_every_foreign_framing_once() -> None:
    """A framing that is added is explained; what has no function is told by recognition, or carries DLMS."""
    framings = [row.framing for row in FOREIGN]
    assert sorted(framings) == sorted(set(Framing) - OWN)
    early = {framing for framing, _ in MATCHERS} | {Framing.COAP}
    assert {row.framing for row in FOREIGN if row.matches is None} <= early


def test_the_readme_has_the_table() -> None:
    """One table for program and documentation."""
    readme = Path(__file__).parents[3].joinpath("README.md").read_text(encoding="utf-8")
    assert "\n".join(markdown()) in readme, "put foreign_table.markdown() into README.md"


def _wire(talk: Talk, port: int = 4059) -> Wire:
    wire = Wire()
    put_on(wire, talk, 1, port)
    return wire


@pytest.mark.parametrize("port", [4059, 502])
@pytest.mark.parametrize("name", TALKS)
@pytest.mark.parametrize("seed", range(3))
def test_each_is_named_and_raises_no_alarm(name: str, seed: int, port: int, tmp_path: Path) -> None:
    """On the port of DLMS and on another one; what it carries are the rows, and nothing is wrong."""
    talk = TALKS[name](random.Random(seed))
    analysis = analyse(_wire(talk, port), tmp_path)
    assert analysis.streams["framing"].tolist() == [talk.framing]
    start = 8 if talk.framing is Framing.WRAPPER else 0
    assert [octets[start:] for octets in contents(analysis)] == talk.apdus
    assert find_items(Associations(analysis, NO_KEYS))
    items = analysis.expert_items
    alarms = [items.message(row) for row in range(len(items)) if items.kind(row).severity > Severity.CHAT]
    assert alarms == []


@pytest.mark.parametrize("name", TALKS)
def test_both_ways_and_all_batches_agree(name: str, tmp_path: Path) -> None:
    """The framing, and every row with its place."""
    wire = _wire(TALKS[name](random.Random(7)))
    first = analyse(wire, tmp_path)
    for one_by_one, records in ((True, 65_536), (False, 1), (True, 3)):
        other = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert contents(other) == contents(first)
        for column in ("framing", "wpdus", "skipped_octets"):
            assert other.streams[column].tolist() == first.streams[column].tolist()


LATE = {row.framing for row in FOREIGN if row.matches is not None}


@pytest.mark.parametrize("name", [name for name in TALKS if TALKS[name](random.Random(1)).framing in LATE])
def test_dlms_that_comes_later_is_found_all_the_same(name: str, tmp_path: Path) -> None:
    """A name is not final, where it was given because nothing was recognised."""
    talk = TALKS[name](random.Random(1))
    later = [get_request(number) for number in range(40)]
    said = [*talk.said, *((0, octets) for octets in later)]
    analysis = analyse(_wire(talk._replace(said=said)), tmp_path)
    assert set(later) <= set(contents(analysis))


WPDUS = st.lists(
    st.one_of(
        st.integers(0, 999).map(get_request),
        st.integers(0, 999).map(get_response),
        st.binary(min_size=1, max_size=60).map(wpdu),
        st.just(frame(i_control(0, 0), COMMAND + GET)),
    ),
    min_size=1,
    max_size=MAX_LOOKED_AT,
)


@given(WPDUS, WPDUS, st.sampled_from([TCP, UDP]))
def test_dlms_is_never_taken(one: list[bytes], other: list[bytes], protocol: int) -> None:
    """Whole WPDUs and HDLC frames have no foreign name, whatever they carry."""
    assert foreign_framing((one, other), protocol) is Framing.UNKNOWN
    assert foreign_framing((one, ()), protocol) is Framing.UNKNOWN


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_random_octets_have_no_name(seed: int, count: int) -> None:
    """Chance names nothing, and nothing is raised."""
    chance = random.Random(seed)
    segments = [chance.randbytes(chance.randint(6, 80)) for _ in range(count)]
    assert foreign_framing((segments, ()), TCP) is Framing.UNKNOWN
    assert foreign_framing((segments[:1], ()), UDP) is Framing.UNKNOWN


@given(st.sampled_from(sorted(TALKS)), st.integers(0, 99), st.data())
def test_damaged_octets_raise_nothing(name: str, seed: int, data: st.DataObject) -> None:
    """Cut anywhere, with any octet changed: judged, never raised."""
    talk = TALKS[name](random.Random(seed))
    said = [bytearray(octets) for _, octets in talk.said]
    place = data.draw(st.integers(0, len(said) - 1))
    at = data.draw(st.integers(0, len(said[place]) - 1))
    said[place][at] = data.draw(st.integers(0, 255))
    said[place] = said[place][: data.draw(st.integers(1, len(said[place])))]
    octets = [bytes(one) for one in said]
    recogniser = Recogniser()
    for one in octets:
        recogniser.add(0, one)
    foreign_framing((octets, ()), talk.protocol)
    foreign_framing(((), octets), talk.protocol)


def test_many_of_all_kinds_make_no_false_row(tmp_path: Path) -> None:
    """Every protocol beside DLMS: the rows are those that were sent, the streams have their names."""
    wire, wanted, framings = Wire(), [], []
    for number in range(400):
        talk = TALKS[sorted(TALKS)[number % len(TALKS)]](random.Random(1000 + number))
        put_on(wire, talk, number, 4059 if number % 3 else 5000 + number)
        wanted += talk.apdus
        framings.append(talk.framing)
    dlms = Tcp(wire).handshake()
    dlms.say(0, get_request(1))
    analysis = analyse(wire, tmp_path)
    assert analysis.streams["framing"].tolist() == [*framings, Framing.WRAPPER]
    whole = contents(analysis)
    starts = [8 if framing == Framing.WRAPPER else 0 for framing in analysis.wpdus["framing"].tolist()]
    assert [octets[start:] for octets, start in zip(whole, starts, strict=True)] == [
        *wanted,
        get_request(1)[8:],
    ]
