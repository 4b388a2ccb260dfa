"""Associations of captures: opened, named and joined by what came before, in whatever order one looks."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from cosemscope.analysis.associations import looks as module
from cosemscope.analysis.associations.association import Association, Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyEntry, KeyTable
from cosemscope.apdu.fields import first
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.opening import Verdict
from cosemscope.capture.files.reader import open_capture
from tests.helpers.association_ends import KEYS, facts, notes
from tests.helpers.shared import shared
from tests.helpers.traffic import Traffic
from tests.helpers.traffic_meters import CipheredSession, Meter, Session
from tests.helpers.traffic_samples import SAMPLES


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
    verdicts = Counter(look.verdict for _, look in found.walk())
    assert set(verdicts) == {Verdict.CLEAR, Verdict.OPENED}
    assert verdicts[Verdict.OPENED] >= 12
    assert not any("wrong" in notes(look) for _, look in found.walk())


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


def test_looking_in_any_order_gives_what_walking_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row, rows backwards, rows at random, with few checkpoints and looks kept: always the same."""
    analysis = written(busy_traffic(), tmp_path)
    walked = dict(Associations(analysis, KEYS).walk())
    assert len(walked) == len(analysis.wpdus) > 300
    monkeypatch.setattr(module, "STRIDE", 8)
    monkeypatch.setattr(module, "_MAX_LOOKS", 5)
    monkeypatch.setattr(module, "_MAX_PAIRS", 2)
    found = Associations(analysis, KEYS)
    rows = list(range(len(analysis.wpdus)))
    for row in [*rows[::-7], *rows, *rows[::-1]]:
        assert facts(found.look(row)) == facts(walked[row]), row


def test_a_look_far_into_a_long_association_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a window of rows is walked, and yet titles and dedicated keys from the beginning are known."""
    analysis = written(busy_traffic(), tmp_path)
    walked = dict(Associations(analysis, KEYS).walk())
    monkeypatch.setattr(module, "WINDOW", 6)
    monkeypatch.setattr(module, "STRIDE", 4)
    taken: list[int] = []
    original = module.take_row

    def count(analysis: Analysis, association: Association, row: int) -> Look:
        taken.append(row)
        return original(analysis, association, row)

    monkeypatch.setattr(module, "take_row", count)
    for row in range(len(analysis.wpdus)):
        taken.clear()
        look = Associations(analysis, KEYS).look(row)
        assert (look.verdict, look.inner, look.openings) == facts(walked[row])[:3]
        assert len(taken) <= 6 + 1 + 6


def test_associations_grow_with_their_capture(tmp_path: Path) -> None:
    """While a capture grows, looks at what is there already are right, and stay so."""
    path = tmp_path / "made.pcapng"
    busy_traffic().write(path)
    whole = dict(Associations(analysed(path), KEYS).walk())
    analysis = Analysis(open_capture(path))
    found = Associations(analysis, KEYS)
    while analysis.step(50):
        count = len(analysis.wpdus)
        for row in range(max(0, count - 3), count):
            assert facts(found.look(row)) == facts(whole[row])
    analysis.finish()
    assert all(facts(found.look(row)) == facts(look) for row, look in whole.items())


def test_other_keys_open_what_was_closed(tmp_path: Path) -> None:
    """Keys that are given later count at once, and taking them away closes everything."""
    analysis = written(busy_traffic(), tmp_path)
    found = Associations(analysis)
    row = analysis.wpdus["apdu_tag"].tolist().index(0xCC)
    assert found.look(row).verdict is Verdict.NO_KEY
    found.keys = KEYS
    assert found.look(row).verdict is Verdict.OPENED
    assert "[glo-get-response]" in found.info(row)
    found.keys = NO_KEYS
    assert found.look(row).verdict is Verdict.NO_KEY


def test_one_walk_may_be_gone_on_with(tmp_path: Path) -> None:
    """Batch after batch, as a listing reads: the state goes on from one to the next."""
    analysis = written(busy_traffic(), tmp_path)
    walked = [facts(look) for _, look in Associations(analysis, KEYS).walk()]
    walk = module.RowsInOrder(analysis, KEYS)
    parts = [facts(look) for start in range(0, len(walked), 37)
             for _, look in walk.rows(start, min(start + 37, len(walked)))]  # fmt: skip
    assert parts == walked


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
