"""Associations of captures: opened, named and joined by what came before, in whatever order one looks."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from cosemscope.analysis.associations import checkpoints
from cosemscope.analysis.associations import looks as module
from cosemscope.analysis.associations.association import Association, Look
from cosemscope.analysis.associations.further_in import further_in
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.fields import first
from cosemscope.apdu.first_look import ApduKind
from cosemscope.apdu.first_look import look as look_at_apdus
from cosemscope.apdu.names.tags import GET_RESPONSE, apdu_name
from cosemscope.apdu.opening import Verdict
from cosemscope.capture.files.reader import open_capture
from tests.helpers import apdu_encoder as encode
from tests.helpers.association_ends import KEYS, facts, notes
from tests.helpers.shared import shared
from tests.helpers.traffic import Traffic
from tests.helpers.traffic_meters import CipheredSession, Meter, Session
from tests.helpers.traffic_random import random_traffic
from tests.helpers.traffic_samples import SAMPLES
from tests.helpers.wire import Tcp, Wire, analyse, wpdu


def analysed(path: Path) -> Analysis:
    """The analysis of a file, its reader left open for the test's life."""
    return Analysis(open_capture(path)).run()


def written(traffic: Traffic, tmp_path: Path) -> Analysis:
    path = tmp_path / "made.pcapng"
    traffic.write(path)
    return analysed(path)


# Captures.


def test_a_real_ciphered_capture_opens_whole() -> None:
    """Every ciphered tag is right, both HLS answers are; what went out under tag 00 is opened and named."""
    analysis = analysed(shared("captures/Output-Ciphered-HLS.pcap"))
    found = Associations(analysis, KEYS)
    looks = [look for _, look in found.walk()]
    tags = analysis.wpdus["apdu_tag"].tolist()
    assert Counter(look.verdict.value for look in looks) == {"opened": 265, "clear": 1}
    assert tags[[look.verdict for look in looks].index(Verdict.CLEAR)] == 0x62
    assert all(look.opening is not None and look.opening.form == "SC || AK" for look in looks if look.opening)
    assert "f(StoC) of HLS-GMAC is right" in notes(looks[2])
    assert "f(CtoS) of HLS-GMAC is right" in notes(looks[3])
    odd = [row for row, tag in enumerate(tags) if tag == 0]
    assert [apdu_name(looks[row].inner) for row in odd] == ["access-request", "access-response"]
    for row in odd:
        decoded = found.decode(row)
        assert len(decoded.sources) == 2
        assert first(decoded.root, apdu_name(looks[row].inner)) is not None
        assert any("0x00" in problem.message for problem in decoded.problems)
    # Every response has its request: its values have names.
    responses = [row for row, look in enumerate(looks) if look.inner == 0xC4]
    assert len(responses) == 129
    assert all(looks[row].context.request is not None for row in responses)


def test_the_same_capture_with_wrong_keys() -> None:
    """Wrong keys open nothing and say so, an authentication key alone is no key, no key is no key."""
    analysis = analysed(shared("captures/Output-Ciphered-HLS.pcap"))
    keys = KEYS.entries[0].keys
    for sets, verdict in (
        (dataclasses.replace(keys, encryption=bytes(16)), Verdict.TAG_WRONG),
        (dataclasses.replace(keys, authentication=bytes(16)), Verdict.TAG_WRONG),
        (dataclasses.replace(keys, authentication=None), Verdict.UNAUTHENTICATED),
        (dataclasses.replace(keys, encryption=None), Verdict.NO_KEY),
    ):
        found = Associations(analysis, KeyTable([KeyEntry(sets)]))
        counts = Counter(look.verdict for _, look in found.walk())
        assert counts == {verdict: 265, Verdict.CLEAR: 1}


@pytest.mark.parametrize("name", ["first-look", "push"])
def test_the_samples_open_with_their_key_files(name: str) -> None:
    """Every sealed WPDU of the samples opens, by the keys of its own system title."""
    analysis = analysed(SAMPLES / f"{name}.pcapng")
    found = Associations(analysis, KeyTable.load(SAMPLES / f"{name}-keys.toml"))
    looks = [look for _, look in found.walk()]
    verdicts = Counter(look.verdict for look in looks)
    assert set(verdicts) == {Verdict.CLEAR, Verdict.OPENED}
    assert verdicts[Verdict.OPENED] >= 12
    assert not any("wrong" in notes(look) for look in looks)


def test_blocks_of_a_real_capture_are_joined() -> None:
    """An object list in two blocks, three times: each comes as one value under its last block."""
    analysis = analysed(shared("captures/XmlDemo.pcap"))
    found = Associations(analysis)
    joined = [row for row, look in found.walk() if look.context.joined is not None]
    assert len(joined) == 3
    for row in joined:
        decoded = found.decode(row)
        assert "joined blocks" in [source.name for source in decoded.sources]
        assert not [problem for problem in decoded.problems if problem.severity == "error"]


# The same, however one comes to a row.


def busy_traffic() -> Traffic:
    """Two associations at once on one connection, ciphered ones, blocks, several connections."""
    traffic = Traffic(seed=7)
    for number in range(3):
        link = traffic.tcp(("192.0.2.10", 50000 + number), (f"198.51.100.{number + 1}", 4059)).open()
        meter = Meter(number)
        public, sealed = Session(link, meter), CipheredSession(link, meter, client=1)
        public.associate()
        sealed.associate()
        for index in range(9):
            public.read_register(index)
            sealed.read_register(index)
        sealed.get_blocks(rows=40, block=90)
        public.get_list((0, 1, 2))
        public.set_blocks(bytes(range(200)), 60)
        public.access((0, 4))
        sealed.release()
        link.close()
    return traffic


@pytest.mark.parametrize(("stride", "most"), [(64, 16_384), (8, 16_384), (2, 10)])
def test_looking_in_any_order_gives_what_walking_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stride: int, most: int
) -> None:
    """Backwards, forwards and across, with few checkpoints and looks kept: always the same."""
    analysis = written(busy_traffic(), tmp_path)
    walked = dict(Associations(analysis, KEYS).walk())
    assert len(walked) == len(analysis.wpdus) > 300
    monkeypatch.setattr(checkpoints, "STRIDE", stride)
    monkeypatch.setattr(checkpoints, "_MOST", most)
    monkeypatch.setattr(module, "_MAX_LOOKS", 5)
    found = Associations(analysis, KEYS)
    while found.go_on(11):
        pass
    rows = list(range(len(analysis.wpdus)))
    for row in [*rows[::-7], *rows, *rows[::-1]]:
        assert facts(found.look(row)) == facts(walked[row]), row


@pytest.mark.parametrize("seed", range(6))
def test_rows_that_are_passed_over_change_nothing(tmp_path: Path, seed: int) -> None:
    """Plain requests and responses are walked by their columns alone, as if they had been read."""
    path = tmp_path / "random.pcapng"
    random_traffic(seed, holes=bool(seed & 1)).write(path)
    analysis = analysed(path)
    walked = Associations(analysis, KEYS)
    looks = dict(walked.walk())
    passed = Associations(analysis, KEYS)
    while passed.go_on(50):
        pass
    for row, look in looks.items():
        assert facts(passed.look(row)) == facts(look), row
        assert passed.info(row) == walked.info(row)


def test_meters_behind_a_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has scalers of its own, which change; rows that are looked at again teach it nothing twice."""
    monkeypatch.setattr(checkpoints, "STRIDE", 4)
    wire, energy = Wire(), bytes((1, 0, 1, 8, 0, 255))
    connection = Tcp(wire).handshake()
    for number in range(24):
        device, scaler = bytes([number % 2]), -(number // 8)
        unit = ("structure", [("integer", scaler), ("enum", 30)])
        for member, answer in ((3, unit), (2, ("double-long-unsigned", 5009))):
            request = encode.get_request((3, energy, member))
            connection.say(0, wpdu(encode.gateway(False, 1, device, request), 16, 1))
            response = encode.gateway(True, 1, device, encode.get_response(answer))
            connection.say(1, wpdu(response, 1, 16))
    analysis = analyse(wire, tmp_path)
    walked = Associations(analysis)
    lines = [walked.info(row, look) for row, look in walked.walk()]
    told = [sum(value in line for line in lines) for value in ("5.009 kWh", "500.9 Wh", "50.09 Wh")]
    assert told == [8, 8, 8]
    passed = Associations(analysis)
    while passed.go_on(7):
        pass
    for row in [*range(len(lines))[::-1], *range(len(lines))]:
        assert passed.info(row) == lines[row], row
        assert Associations(analysis).info(row) == lines[row], row


def test_a_look_far_into_a_long_association_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the walk has come there: a window of rows, and titles and keys from the beginning are known."""
    analysis = written(busy_traffic(), tmp_path)
    walked = dict(Associations(analysis, KEYS).walk())
    monkeypatch.setattr(module, "WINDOW", 6)
    taken: list[int] = []
    original = module.advance

    def count(association: Association, apdu: bytes, side: int) -> Look:
        taken.append(association.row)
        return original(association, apdu, side)

    monkeypatch.setattr(module, "advance", count)
    for row in range(len(analysis.wpdus)):
        taken.clear()
        look = Associations(analysis, KEYS).look(row)
        assert (look.verdict, look.inner, look.openings) == facts(walked[row])[:3]
        assert len(taken) <= 6 + 6


def test_associations_grow_with_their_capture(tmp_path: Path) -> None:
    """While a capture grows, looks at what is there already are right, and stay so; so do walks."""
    path = tmp_path / "made.pcapng"
    busy_traffic().write(path)
    whole = dict(Associations(analysed(path), KEYS).walk())
    analysis = Analysis(open_capture(path))
    found, passed = Associations(analysis, KEYS), Associations(analysis, KEYS)
    while analysis.step(50):
        count = len(analysis.wpdus)
        for row in range(max(0, count - 3), count):
            assert facts(found.look(row)) == facts(whole[row])
            assert facts(passed.look(row)) == facts(whole[row])
        passed.go_on(count)
    analysis.finish()
    passed.go_on(len(whole))
    assert passed.passed == len(whole)
    assert all(facts(passed.look(row)) == facts(look) for row, look in whole.items())


def test_other_keys_open_what_was_closed(tmp_path: Path) -> None:
    """Keys that are given later count at once, and taking them away closes everything."""
    analysis = written(busy_traffic(), tmp_path)
    found = Associations(analysis)
    row = analysis.wpdus["apdu_tag"].tolist().index(0xCC)
    for walks in (False, True):
        assert found.look(row).verdict is Verdict.NO_KEY
        found.keys = KEYS
        assert found.look(row).verdict is Verdict.OPENED
        assert "[glo-get-response]" in found.info(row)
        if walks:
            found.go_on(len(analysis.wpdus))
            assert found.look(row).verdict is Verdict.OPENED
        found.keys = NO_KEYS
        assert found.passed == 0
        assert found.look(row).verdict is Verdict.NO_KEY


def test_one_walk_may_be_gone_on_with(tmp_path: Path) -> None:
    """Batch after batch, as a listing reads: the state goes on from one to the next."""
    analysis = written(busy_traffic(), tmp_path)
    walked = [facts(look) for _, look in Associations(analysis, KEYS).walk()]
    found = Associations(analysis, KEYS)
    parts = [
        facts(look)
        for start in range(0, len(walked), 37)
        for _, look in found.walk(min(start + 37, len(walked)))
    ]
    assert parts == walked


# Columns.


def columns(analysis: Analysis) -> dict[str, list[int]]:
    """The first-look columns as they are now."""
    return {name: analysis.first_look[name].tolist() for name in analysis.first_look.names}


def test_the_walk_fills_the_columns_of_what_was_opened(tmp_path: Path) -> None:
    """Service, object, result and kind of the APDU inside; tag, security and counter of its envelope."""
    analysis = written(busy_traffic(), tmp_path)
    before = columns(analysis)
    found = Associations(analysis, KEYS)
    looks = dict(found.walk())
    after = columns(analysis)
    opened = [row for row, look in looks.items() if look.inner >= 0]
    assert len(opened) > 60
    for row, look in looks.items():
        wanted = {name: values[row] for name, values in before.items()}
        if row in opened:
            inside = look_at_apdus([look.plain])
            seen = {name: int(values[0]) for name, values in inside.items()}
            kept = ("security", "invocation_counter")
            wanted = {**seen, **{name: wanted[name] for name in kept}, "inner": look.inner}
        further = further_in(look)
        wanted |= {name: value for name, value in further.items() if wanted[name] < 0}
        assert {name: values[row] for name, values in after.items()} == wanted
    requests = [row for row in opened if looks[row].inner == 0xC0 and after["choice"][row] == 1]
    assert {after["kind"][row] for row in requests} == {ApduKind.REQUEST}
    assert all(after["class_id"][row] > 0 and after["security"][row] == 0x30 for row in requests)


def test_the_columns_follow_the_keys(tmp_path: Path) -> None:
    """Walked with and without looks they are the same; without keys they are what was captured."""
    analysis = written(busy_traffic(), tmp_path)
    Associations(analysis).go_on(len(analysis.wpdus))
    closed = columns(analysis)
    found = Associations(analysis, KEYS)
    found.go_on(len(analysis.wpdus))
    opened = columns(analysis)
    assert opened != closed
    found.keys = NO_KEYS
    assert columns(analysis) == opened
    found.go_on(len(analysis.wpdus))
    assert columns(analysis) == closed
    assert dict(Associations(analysis, KEYS).walk())
    assert columns(analysis) == opened


def test_scalers_learned_from_responses_name_values(tmp_path: Path) -> None:
    """A register's value is shown with the scaler and unit that were read before it, ciphered or not."""
    traffic = Traffic(seed=5)
    link = traffic.tcp(("192.0.2.10", 50000), ("198.51.100.1", 4059)).open()
    for session in (Session(link, Meter(0)), CipheredSession(link, Meter(0), client=1)):
        session.associate()
        session.read_register(4)
    link.close()
    found = Associations(written(traffic, tmp_path), KEYS)
    lines = [found.info(row) for row, _ in found.walk()]
    values = [line for line in lines if "response 1.0.32.7.0.255" in line and "value = 231.4" in line]
    assert len(values) == 2
    assert "glo-get-response" in values[1]


def test_two_clients_at_once_with_one_meter(tmp_path: Path) -> None:
    """Each association has its own client title, challenges and requests; the meter's counter serves both."""
    traffic = Traffic(seed=3)
    link = traffic.tcp(("192.0.2.10", 50000), ("198.51.100.1", 4059)).open()
    meter = Meter(0)
    one, other = CipheredSession(link, meter, client=1), CipheredSession(link, meter, client=2)
    one.associate()
    other.associate()
    for number in range(4):
        one.read_register(number)
        other.read_register(number + 1)
    one.release()
    other.read_register(0)
    link.close()
    found = dict(Associations(written(traffic, tmp_path), KEYS).walk())
    ciphered = [look for look in found.values() if look.opening is not None]
    assert len(ciphered) > 20
    assert {look.verdict for look in ciphered} == {Verdict.OPENED}
    assert not [note for look in found.values() for note in look.notes if note.severity == "warning"]
    responses = [look for look in found.values() if look.inner == 0xC4]
    assert len(responses) >= 9
    assert all(look.context.request is not None for look in responses)


@pytest.mark.parametrize(
    ("name", "keys"), [("first-look", "first-look-keys"), ("push", "push-keys"), ("faults", "")]
)
def test_quiet_looks_say_what_whole_ones_say(name: str, keys: str) -> None:
    """The request and the scaler; nothing stands in their rows, and nothing is to be remarked."""
    table = KeyTable.load(SAMPLES / f"{keys}.toml") if keys else NO_KEYS
    with open_capture(SAMPLES / f"{name}.pcapng") as reader:
        analysis = Analysis(reader).run()
        whole = dict(Associations(analysis, table).walk())
        lightly = Associations(analysis, table).walk_lightly(len(analysis.wpdus))
    quiet = 0
    for row, look in enumerate(lightly):
        if isinstance(look, Look):
            assert (look.inner, look.plain, look.notes) == (
                whole[row].inner,
                whole[row].plain,
                whole[row].notes,
            )
            continue
        quiet += 1
        request, known = whole[row].context.request, whole[row].context.scaler_unit
        assert look.request == request
        assert (whole[row].inner, whole[row].openings, whole[row].notes) == (-1, (), ())
        if whole[row].plain[0] == GET_RESPONSE and request is not None and known is not None:
            assert look.scaler_unit == known(request.references[0])
    assert quiet or name == "push"


def test_a_walk_gives_way_to_whoever_looks_and_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a look it waits a moment; behind looks that never end it waits so long at most, each time."""
    now, waits, asking = [100.0], [], [False]
    found = Associations(analysed(SAMPLES / "first-look.pcapng"))

    def sleep(seconds: float) -> None:
        assert seconds > 0
        waits.append(seconds)
        now[0] += seconds
        if asking[0]:
            found.look(0)

    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "sleep", sleep)
    assert found.go_on(10)
    assert not waits
    found.look(5)
    assert found.go_on(10)
    assert sum(waits) == pytest.approx(module._ASKING)
    asking[0] = True
    found.look(5)
    waits.clear()
    while found.go_on(50):
        assert sum(waits) <= module._LONGEST_WAIT + 0.001
        waits.clear()
    assert found.passed == len(found.analysis.wpdus)
