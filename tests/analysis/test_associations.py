"""Associations of captures: opened, named and joined by what came before, in whatever order one looks."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis import associations as module
from cosemscope.analysis.association import Association, Look, Place
from cosemscope.analysis.association_steps import advance
from cosemscope.analysis.associations import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys import NO_KEYS, KeyEntry, KeyTable
from cosemscope.apdu.context import Reference
from cosemscope.apdu.fields import first
from cosemscope.apdu.key_sets import KeySet, point_octets
from cosemscope.apdu.tags import apdu_name
from cosemscope.apdu.verdicts import Verdict
from cosemscope.capture.reader import open_capture
from tests.helpers import traffic_apdus as a
from tests.helpers.protection import raw_signature
from tests.helpers.shared import shared
from tests.helpers.traffic import Traffic
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION, CipheredSession, Meter, Session
from tests.helpers.traffic_samples import SAMPLES

KEYS = KeyTable([KeyEntry(KeySet("test", encryption=ENCRYPTION, authentication=AUTHENTICATION))])
CLIENT, METER = b"CSH\x00\x00\x00\x00\x01", b"CSP\x10\x00\x00\x00\x01"
ENERGY = Reference(3, bytes((1, 0, 1, 8, 0, 255)), 2)


def analysed(path: Path) -> Analysis:
    """The analysis of a file, its reader left open for the test's life."""
    return Analysis(open_capture(path)).run()


def written(traffic: Traffic, tmp_path: Path) -> Analysis:
    path = tmp_path / "made.pcapng"
    traffic.write(path)
    return analysed(path)


def facts(look: Look) -> tuple[object, ...]:
    """What must be the same however one came to a look."""
    return (look.verdict, look.inner, look.opened, look.context.request, look.context.joined, look.notes)


def notes(look: Look) -> str:
    return " | ".join(note.message for note in look.notes)


# Captures.


def test_a_real_ciphered_capture_opens_whole() -> None:
    """Every ciphered tag is right, both HLS answers are; what went out under tag 00 is opened and named."""
    analysis = analysed(shared("captures/Output-Ciphered-HLS.pcap"))
    found = Associations(analysis, KEYS)
    looks = [look for _, look in found.walk()]
    tags = analysis.wpdus["apdu_tag"].tolist()
    assert Counter(look.verdict.value for look in looks) == {"opened": 265, "clear": 1}
    assert tags[[look.verdict for look in looks].index(Verdict.CLEAR)] == 0x62
    assert all(look.opened is not None and look.opened.form == "SC || AK" for look in looks if look.opened)
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
        assert (look.verdict, look.inner, look.opened) == facts(walked[row])[:3]
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
    walk = module.Walk(analysis, KEYS)
    parts = [facts(look) for start in range(0, len(walked), 37)
             for _, look in walk.rows(start, min(start + 37, len(walked)))]  # fmt: skip
    assert parts == walked


# One association, APDU by APDU.


class Ends:
    """Both ends of an association: what they say goes into it, and comes back as looks."""

    def __init__(self, keys: KeyTable = KEYS, own: int = 0x100, peer: int = 0x200) -> None:
        self.association = Association(keys, Place())
        self.own = a.Cipher(CLIENT, ENCRYPTION, AUTHENTICATION, own)
        self.peer = a.Cipher(METER, ENCRYPTION, AUTHENTICATION, peer)

    def up(self, apdu: bytes) -> Look:
        return advance(self.association, apdu, 0)

    def down(self, apdu: bytes) -> Look:
        return advance(self.association, apdu, 1)

    def associate(self, initiate: bytes = b"", mechanism: int = 5) -> tuple[Look, Look]:
        sealed = self.own.glo(0x21, initiate or a.initiate_request())
        request = a.aarq(sealed, context=3, mechanism=mechanism, title=CLIENT, authentication=b"CtoS" * 4)
        answer = a.aare(
            self.peer.glo(0x28, a.initiate_response()),
            context=3,
            mechanism=mechanism,
            title=METER,
            authentication=b"StoC" * 4,
        )
        return self.up(request), self.down(answer)


def test_requests_name_their_responses() -> None:
    """By invoke-id, each once; a response whose request was not seen stays without a name."""
    ends = Ends()
    ends.up(a.get_request(0xC1, 3, "1.0.1.8.0.255"))
    ends.up(a.get_request(0xC2, 8, "0.0.1.0.0.255"))
    second = ends.down(a.get_response(0xC2, a.unsigned(1))).context.request
    assert second is not None
    assert second.references[0].class_id == 8
    one = ends.down(a.get_response(0xC1, a.unsigned(1))).context.request
    assert one is not None
    assert one.references == (ENERGY,)
    assert ends.down(a.get_response(0xC1, a.unsigned(1))).context.request is None
    assert ends.down(a.get_response(0xC9, a.unsigned(1))).context.request is None
    ends.up(a.get_list_request(0xC4, [(3, "1.0.1.8.0.255", 2), (8, "0.0.1.0.0.255", 2)]))
    listed = ends.down(a.get_list_response(0xC4, [a.unsigned(1), 3])).context.request
    assert listed is not None
    assert listed.with_list
    assert [reference.class_id for reference in listed.references] == [3, 8]
    ends.up(a.access_request(0x40000005, [(3, "1.0.1.8.0.255", 2)]))
    access = ends.down(a.access_response(0x40000005, [a.unsigned(1)])).context.request
    assert access is not None
    assert access.references == (ENERGY,)


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


@pytest.mark.parametrize("sealed", [False, True])
def test_a_missing_block_is_named_and_nothing_is_joined(sealed: bool) -> None:
    """Blocks 1 and 3 are not glued together, ciphered or not."""
    ends = Ends()
    ends.associate()

    def down(apdu: bytes) -> Look:
        return ends.down(ends.peer.glo(0xCC, apdu) if sealed else apdu)

    ends.up(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
    assert down(a.get_block(0xC1, False, 1, b"ab")).notes == ()
    ends.up(a.get_next(0xC1, 1))
    look = down(a.get_block(0xC1, True, 3, b"ef"))
    assert "block 3 follows block 1: block 2 is missing" in notes(look)
    assert look.context.joined is None


def test_block_transfers_of_two_associations_do_not_mix() -> None:
    """The same invoke-id on two wPort pairs: each gets its own blocks."""
    one, two = Ends(), Ends()
    for number, (first_part, second_part) in enumerate(((b"\x09\x02a", b"A"), (b"\x09\x02b", b"B"))):
        for ends, part in ((one, first_part), (two, second_part)):
            look = ends.down(a.get_block(0xC1, number == 1, number + 1, part))
    assert look.context.joined == b"AB"


def general_block(number: int, last: bool, octets: bytes) -> bytes:
    control = (0x80 if last else 0) | 0x40
    return bytes((0xE0, control)) + number.to_bytes(2, "big") + b"\0\0" + a.sized(octets)


def test_general_block_transfer_of_a_ciphered_push() -> None:
    """Blocks out of order, the joined APDU opened, its name and verdict at the last block."""
    ends = Ends()
    push = a.data_notification(1, b"", a.octet_string(bytes(200)))
    sealed = ends.peer.general_glo(push)
    parts = [sealed[at : at + 80] for at in range(0, len(sealed), 80)]
    assert len(parts) == 3
    looks = [ends.down(general_block(number, number == 3, parts[number - 1])) for number in (1, 3)]
    assert [look.inner for look in looks] == [-1, -1]
    assert "block 2 is missing so far" in notes(looks[1])
    last = ends.down(general_block(2, False, parts[1]))
    assert (last.verdict, last.inner, last.context.joined) == (Verdict.OPENED, 0x0F, sealed)
    # In order: the decoder shows the whole under the last block.
    looks = [ends.down(general_block(number, number == 3, parts[number - 1])) for number in (1, 2, 3)]
    assert looks[2].context.joined == sealed


def test_a_dedicated_key_is_picked_out_of_the_initiate_request() -> None:
    """It opens ded- APDUs of both sides, until the association is released."""
    ends = Ends()
    key = bytes(range(0x40, 0x50))
    initiate = a.initiate_request()
    initiate = initiate[:1] + b"\x01" + a.sized(key) + initiate[2:]
    request, answer = ends.associate(initiate)
    assert (request.verdict, request.inner, answer.inner) == (Verdict.OPENED, 0x01, 0x08)
    own = a.Cipher(CLIENT, key, AUTHENTICATION, 1)
    peer = a.Cipher(METER, key, AUTHENTICATION, 1)
    look = ends.up(own.glo(0xD0, a.get_request(0xC1, 3, "1.0.1.8.0.255")))
    assert (look.verdict, look.inner) == (Verdict.OPENED, 0xC0)
    assert look.opened is not None
    assert look.opened.key == "dedicated key of this association"
    assert ends.down(peer.glo(0xD4, a.get_response(0xC1, a.unsigned(1)))).verdict is Verdict.OPENED
    ends.up(a.RLRQ)
    ends.down(a.RLRE)
    late = own.glo(0xD0, a.get_request(0xC1, 3, "1.0.1.8.0.255"))
    assert ends.up(late).verdict is Verdict.NO_KEY


def test_a_dedicated_key_in_clear_is_remarked() -> None:
    """It opens all the same, and the user is warned."""
    ends = Ends()
    initiate = a.initiate_request()
    look = ends.up(a.aarq(initiate[:1] + b"\x01" + a.sized(bytes(16)) + initiate[2:], title=CLIENT))
    assert "in clear" in notes(look)
    sealed = a.Cipher(CLIENT, bytes(16), AUTHENTICATION, 1).glo(0xD0, a.get_request(1, 3, "1.0.1.8.0.255"))
    assert ends.up(sealed).verdict is Verdict.OPENED


READ = a.get_request(0xC1, 3, "1.0.1.8.0.255")
RESULT = a.get_response(0xC1, a.unsigned(1))


def _initiate(key: bytes) -> bytes:
    initiate = a.initiate_request()
    return initiate[:1] + b"\x01" + a.sized(key) + initiate[2:]


def test_a_dedicated_key_that_is_renewed() -> None:
    """Each association has its own: what was sealed with the one before does not open any more."""
    ends = Ends()
    old, new = bytes(range(0x40, 0x50)), bytes(range(0x50, 0x60))
    ends.associate(_initiate(old))
    assert ends.up(a.Cipher(CLIENT, old, AUTHENTICATION, 1).glo(0xD0, READ)).verdict is Verdict.OPENED
    ends.associate(_initiate(new))
    assert ends.up(a.Cipher(CLIENT, new, AUTHENTICATION, 1).glo(0xD0, READ)).verdict is Verdict.OPENED
    stale = ends.up(a.Cipher(CLIENT, old, AUTHENTICATION, 2).glo(0xD0, READ))
    assert (stale.verdict, stale.inner) == (Verdict.TAG_WRONG, -1)
    assert ends.down(a.Cipher(METER, new, AUTHENTICATION, 1).glo(0xD4, RESULT)).verdict is Verdict.OPENED


def test_a_forged_initiate_teaches_no_dedicated_key() -> None:
    """Its text is plain to see, but its tag is wrong."""
    ends = Ends()
    key = bytes(range(0x40, 0x50))
    sealed = bytearray(ends.own.glo(0x21, _initiate(key), a.Cipher.AUTHENTICATED))
    genuine = bytes(sealed)
    sealed[-1] ^= 1
    ends.up(a.aarq(bytes(sealed), context=3, title=CLIENT))
    dedicated = a.Cipher(CLIENT, key, AUTHENTICATION, 1)
    assert ends.up(dedicated.glo(0xD0, READ)).verdict is Verdict.NO_KEY
    ends.up(a.aarq(genuine, context=3, title=CLIENT))
    assert ends.up(dedicated.glo(0xD0, READ)).verdict is Verdict.OPENED


def test_a_key_that_is_switched() -> None:
    """From one APDU to the next, with nothing said: both keys open theirs, one that is not given is told."""
    new = bytes(range(0x70, 0x80))
    both = [
        KeySet(name, encryption=key, authentication=AUTHENTICATION)
        for name, key in (("old", ENCRYPTION), ("new", new))
    ]
    for sets, verdicts in (
        (both, {Verdict.OPENED}),
        (both[:1], {Verdict.TAG_WRONG}),
        (both[1:], {Verdict.OPENED}),
    ):
        ends = Ends(KeyTable([KeyEntry(keys) for keys in sets]))
        ends.associate()
        before = ends.up(ends.own.glo(0xC8, READ))
        assert before.verdict is (Verdict.TAG_WRONG if sets == both[1:] else Verdict.OPENED)
        ends.own, ends.peer = (a.Cipher(title, new, AUTHENTICATION, 0x300) for title in (CLIENT, METER))
        looks = [ends.down(ends.peer.glo(0xCC, RESULT)), ends.up(ends.own.glo(0xC8, READ))]
        assert {look.verdict for look in looks} == verdicts
        if verdicts == {Verdict.OPENED}:
            assert all(look.opened is not None and look.opened.key.endswith("new") for look in looks)


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
    ciphered = [look for look in found.values() if look.opened is not None]
    assert len(ciphered) > 20
    assert {look.verdict for look in ciphered} == {Verdict.OPENED}
    assert not [note for look in found.values() for note in look.notes if note.severity == "warning"]
    responses = [look for look in found.values() if look.inner == 0xC4]
    assert len(responses) >= 9
    assert all(look.context.request is not None for look in responses)


def test_what_is_authenticated_only_counts_where_it_is_not_forged() -> None:
    """Without a key it cannot be checked, but it can be read; with one, what was changed is not believed."""
    sealed = Ends().own.glo(0xC8, READ, a.Cipher.AUTHENTICATED)
    unkeyed = Ends(NO_KEYS)
    look = unkeyed.up(sealed)
    assert (look.verdict, look.inner) == (Verdict.NO_KEY, 0xC0)
    answer = unkeyed.down(unkeyed.peer.glo(0xCC, RESULT, a.Cipher.AUTHENTICATED))
    assert answer.context.request is not None
    assert answer.context.request.references == (ENERGY,)
    keyed = Ends()
    keyed.associate()
    forged = bytearray(keyed.own.glo(0xC8, READ, a.Cipher.AUTHENTICATED))
    forged[-13] ^= 1
    look = keyed.up(bytes(forged))
    assert (look.verdict, look.inner, look.context.request) == (Verdict.TAG_WRONG, -1, None)
    assert keyed.down(keyed.peer.glo(0xCC, RESULT)).context.request is None


def test_a_meter_that_sets_its_counter_back() -> None:
    """It is told once; what follows in order is in order."""
    ends = Ends()
    ends.associate()
    assert notes(ends.down(ends.peer.glo(0xCC, RESULT))) == ""
    ends.peer = a.Cipher(METER, ENCRYPTION, AUTHENTICATION, 5)
    look = ends.down(ends.peer.glo(0xCC, RESULT))
    assert look.verdict is Verdict.OPENED
    assert "not above" in notes(look)
    assert notes(ends.down(ends.peer.glo(0xCC, RESULT))) == ""


def test_two_associations_one_after_the_other_share_nothing() -> None:
    """Another client on the same wPorts: its title counts, not that of the one before."""
    ends = Ends()
    ends.associate()
    other = b"OTH\x00\x00\x00\x00\x09"
    ends.up(a.aarq(context=3, mechanism=5, title=other, authentication=b"x" * 8))
    look = ends.up(
        a.Cipher(other, ENCRYPTION, AUTHENTICATION, 1).glo(0xC8, a.get_request(1, 3, "1.0.1.8.0.255"))
    )
    assert look.opened is not None
    assert look.opened.title == other


def test_both_sides_with_the_same_title() -> None:
    """Some stacks use one title for both: everything opens, and the counters are still told apart."""
    ends = Ends()
    ends.peer = a.Cipher(CLIENT, ENCRYPTION, AUTHENTICATION, 0x200)
    ends.up(a.aarq(context=3, title=CLIENT))
    ends.down(a.aare(context=3, title=CLIENT))
    request = ends.own.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255"))
    assert ends.up(request).verdict is Verdict.OPENED
    assert ends.down(ends.peer.glo(0xCC, a.get_response(0xC1, a.unsigned(1)))).verdict is Verdict.OPENED


def test_titles_are_learned_from_general_headers() -> None:
    """A side that never said its title in an AARE says it in a general-glo APDU."""
    ends = Ends(
        KeyTable([KeyEntry(KeySet("meter", METER, encryption=ENCRYPTION, authentication=AUTHENTICATION))])
    )
    ends.down(ends.peer.general_glo(a.data_notification(1, b"", a.unsigned(1))))
    look = ends.down(ends.peer.glo(0xCC, a.get_response(0xC1, a.unsigned(1))))
    assert (look.verdict, look.opened and look.opened.notes) == (Verdict.OPENED, ())


def test_pushes_of_several_meters_over_one_pair() -> None:
    """A concentrator passes on what meters sealed: each is opened with its own meter's key."""
    titles = [b"CSP" + bytes((0, 0, 0, 0, number)) for number in range(4)]
    entries = [
        KeyEntry(KeySet(str(number), title, encryption=bytes((number,)) * 16, authentication=AUTHENTICATION))
        for number, title in enumerate(titles)
    ]
    ends = Ends(KeyTable(entries))
    ends.up(a.aarq(title=CLIENT))
    for counter in (1, 2):
        for number, title in enumerate(titles):
            cipher = a.Cipher(title, bytes((number,)) * 16, AUTHENTICATION, counter)
            look = ends.down(cipher.general_glo(a.data_notification(1, b"", a.unsigned(1))))
            assert look.verdict is Verdict.OPENED
            assert look.opened is not None
            assert look.opened.key == f"global unicast key of {number}"
            assert look.context.opener is not None
            assert not look.notes


def test_invocation_counters() -> None:
    """A replay and a repetition are warned of; a gap is remarked where counters went up by one before."""
    ends = Ends()
    ends.associate()
    sent = [ends.own.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255")) for _ in range(6)]
    assert [notes(ends.up(apdu)) for apdu in sent[:2]] == ["", ""]
    assert "not above" in notes(ends.up(sent[1]))
    replayed = ends.up(sent[0])
    assert [note.severity for note in replayed.notes] == ["warning"]
    assert notes(ends.up(sent[1])) == ""
    assert notes(ends.up(sent[2])) == ""
    assert "2 are not in this association" in notes(ends.up(sent[5]))
    # A forged APDU, whose tag is wrong, does not move the counter.
    forged = bytearray(ends.own.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255")))
    genuine = bytes(forged)
    forged[3] = 0xFF
    assert ends.up(bytes(forged)).verdict is Verdict.TAG_WRONG
    assert notes(ends.up(genuine)) == ""


def _short_names(base: int) -> Ends:
    """An association with short names, its object said to be at `base`, up to pass 2 of HLS."""
    ends = Ends()
    answer = a.initiate_response()[:-2] + base.to_bytes(2, "big")
    ends.up(a.aarq(context=2, mechanism=5, title=CLIENT, authentication=b"CtoS" * 4))
    ends.down(a.aare(answer, context=2, mechanism=5, title=METER, authentication=b"StoC" * 4))
    return ends


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize(
    ("asked", "answered"),
    [(b"\x05\x01\x04\xfa\x58\x01", b"\x0c\x01\x00"), (b"\x06\x01\x02\xfa\x58\x01", b"")],
)
def test_hls_answers_with_short_names_are_checked(right: bool, asked: bytes, answered: bytes) -> None:
    """Method 8 of the association object, read with its parameter, or written; plain or ciphered."""
    for sealed in (False, True):
        ends = _short_names(0xFA00)
        found = asked + a.octet_string(ends.own.gmac(b"StoC" * 4 if right else b"XtoC" * 4))
        look = ends.up(ends.own.glo(0x25 if asked[0] == 5 else 0x26, found) if sealed else found)
        assert ("f(StoC) of HLS-GMAC is right" if right else "f(StoC) of HLS-GMAC is wrong") in notes(look)
        if answered:
            found = answered + a.octet_string(ends.peer.gmac(b"CtoS" * 4 if right else b"XtoS" * 4))
            look = ends.down(ends.peer.glo(0x2C, found) if sealed else found)
            assert ("f(CtoS) of HLS-GMAC is right" if right else "f(CtoS) of HLS-GMAC is wrong") in notes(
                look
            )
            assert "HLS" not in notes(ends.down(found))


def test_short_names_of_other_objects_are_no_hls() -> None:
    """Another base, another name, something else read before the answer comes: nothing is checked."""
    reply = b"\x05\x01\x04\xfa\x58\x01" + a.octet_string(bytes(17))
    assert "HLS" not in notes(_short_names(0x0007).up(reply))
    ends = _short_names(0xFA00)
    assert "HLS" not in notes(ends.up(b"\x05\x01\x04\xfa\x50\x01" + a.octet_string(bytes(17))))
    assert "HLS" in notes(ends.up(reply))
    ends.up(b"\x05\x01\x02\xfa\x08")
    assert "HLS" not in notes(ends.down(b"\x0c\x01\x00" + a.octet_string(bytes(17))))
    for stop in range(len(reply)):
        assert "HLS" not in notes(_short_names(0xFA00).up(reply[:stop]))


@pytest.mark.parametrize("right", [True, False])
def test_hls_answers_are_checked(right: bool) -> None:
    """Pass 3 and 4 of HLS-GMAC in a ciphered association: right ones, and ones to another challenge."""
    ends = Ends()
    ends.associate()
    proof = ends.own.gmac(b"StoC" * 4 if right else b"other")
    sealed = ends.own.glo(0xCB, a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, a.octet_string(proof)))
    look = ends.up(sealed)
    assert ("f(StoC) of HLS-GMAC is right" if right else "f(StoC) of HLS-GMAC is wrong") in notes(look)
    assert "not in this association" not in notes(look)
    counter_proof = ends.peer.gmac(b"CtoS" * 4 if right else b"other")
    sealed = ends.peer.glo(0xCF, a.action_response(0xC1, 0, a.octet_string(counter_proof)))
    look = ends.down(sealed)
    assert ("f(CtoS) of HLS-GMAC is right" if right else "f(CtoS) of HLS-GMAC is wrong") in notes(look)
    assert [note.severity for note in look.notes] == ["note" if right else "warning"]


def test_keys_that_are_transferred_hold_from_then_on() -> None:
    """Security setup's key_transfer: the master key opens the new keys, and they open what follows."""
    master, new, new_authentication = b"\x77" * 16, b"\x88" * 16, b"\x99" * 16
    keys = KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION, master=master)
    for known in (keys, dataclasses.replace(keys, master=None)):
        ends = Ends(KeyTable([KeyEntry(known)]))
        ends.associate()
        data = a.array(
            *(a.structure(a.enum(number), a.octet_string(aes_key_wrap(master, key)))
              for number, key in ((0, new), (2, new_authentication)))
        )  # fmt: skip
        ends.up(ends.own.glo(0xCB, a.action_request(0xC1, 64, "0.0.43.0.0.255", 2, data)))
        look = ends.down(ends.peer.glo(0xCF, a.action_response(0xC1, 0)))
        renewed = a.Cipher(CLIENT, new, new_authentication, 0x900)
        after = ends.up(renewed.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255")))
        if known.master is None:
            assert "no master key opens it" in notes(look)
            assert after.verdict is Verdict.TAG_WRONG
        else:
            assert "a new encryption key is known" in notes(look)
            assert after.verdict is Verdict.OPENED
        text = repr((look, after, ends.association.learned)).lower()
        assert new.hex() not in text
        assert repr(new).lower() not in text


@pytest.mark.parametrize("given_by", ["client", "server"])
def test_keys_that_are_agreed_hold_from_then_on(given_by: str) -> None:
    """Security setup's key_agreement: one ephemeral private key is enough."""
    curve = ec.SECP256R1()
    client, server, signer = (ec.derive_private_key(number, curve) for number in (101, 202, 303))
    own = client if given_by == "client" else server
    keys = KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION, ephemeral_private=own)
    ends = Ends(KeyTable([KeyEntry(keys)]))
    ends.associate()

    def data(key: ec.EllipticCurvePrivateKey) -> bytes:
        point = point_octets(key.public_key())
        return a.array(a.structure(a.enum(0), a.octet_string(point + raw_signature(signer, point))))

    ends.up(ends.own.glo(0xCB, a.action_request(0xC1, 64, "0.0.43.0.0.255", 3, data(client))))
    look = ends.down(ends.peer.glo(0xCF, a.action_response(0xC1, 0, data(server))))
    assert "a new encryption key is known" in notes(look)
    from tests.apdu.test_agreement import kdf

    new = kdf(curve, client.exchange(ec.ECDH(), server.public_key()), CLIENT, METER)
    after = ends.up(
        a.Cipher(CLIENT, new, AUTHENTICATION, 0x900).glo(0xC8, a.get_request(1, 3, "1.0.1.8.0.255"))
    )
    assert after.verdict is Verdict.OPENED


def test_devices_behind_a_gateway_are_associations_of_their_own() -> None:
    """The same invoke-id to two devices behind one gateway: each response has its own request's name."""
    ends = Ends()
    for device, register in ((b"\x01", "1.0.1.8.0.255"), (b"\x02", "1.0.2.8.0.255")):
        ends.up(b"\xe6\x00" + a.sized(device) + a.get_request(0xC1, 3, register))
    found = []
    for device in (b"\x01", b"\x02"):
        request = ends.down(
            b"\xe7\x00" + a.sized(device) + a.get_response(0xC1, a.unsigned(1))
        ).context.request
        assert request is not None
        found.append(request.references[0].instance[2])
    assert found == [1, 2]


def test_cut_ciphered_apdus_are_not_opened() -> None:
    """A ciphered APDU that is cut gets a verdict and a sentence."""
    ends = Ends()
    ends.associate()
    look = ends.up(ends.own.glo(0xC8, a.get_request(0xC1, 3, "1.0.1.8.0.255"))[:-5])
    assert look.verdict is Verdict.TAG_WRONG
    assert "cut or broken" in notes(look)


_TAGS = (0x60, 0x61, 0x62, 0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7, 0xD9, 0xDA, 0xE0, 0xE6, 0xDB, 0xC8, 0x21)
_NUMBERS = st.integers(0, 9)
_OCTETS = st.binary(max_size=30)


def sealed_glo(plain: bytes, control: int) -> bytes:
    return a.Cipher(CLIENT, ENCRYPTION, AUTHENTICATION).general_glo(plain, control)


_APDUS = st.one_of(
    _OCTETS,
    st.builds(lambda tag, rest: bytes((tag,)) + rest, st.sampled_from(_TAGS), _OCTETS),
    st.builds(general_block, _NUMBERS, st.booleans(), _OCTETS),
    st.builds(a.get_block, st.just(0xC1), st.booleans(), _NUMBERS, _OCTETS),
    st.builds(sealed_glo, _OCTETS, st.sampled_from([0x10, 0x20, 0x30])),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(_APDUS, st.integers(0, 1)), max_size=25), st.integers(0, 24))
def test_any_apdus_are_taken_and_copies_go_their_own_way(sent: list[tuple[bytes, int]], at: int) -> None:
    """Nothing raises; going on from a copy gives the same, and leaves the original as it was."""
    association = Association(KEYS, Place())
    copy, looks = association.copy(), []
    for number, (apdu, side) in enumerate(sent):
        if number == at:
            copy = association.copy()
        looks.append(facts(advance(association, apdu, side)))
    for number, (apdu, side) in list(enumerate(sent))[at:]:
        assert facts(advance(copy, apdu, side)) == looks[number]
