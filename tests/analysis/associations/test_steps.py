"""One association, APDU by APDU: requests named, blocks joined, keys and titles learned, counters kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.associations.association import Association, Look, Place
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.opening import Verdict
from cosemscope.apdu.security.key_sets import KeySet
from tests.helpers import traffic_apdus as a
from tests.helpers.association_ends import CLIENT, ENERGY, KEYS, METER, Ends, facts, notes
from tests.helpers.traffic_meters import AUTHENTICATION, ENCRYPTION


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
    assert look.opening is not None
    assert look.opening.key == "dedicated key of this association"
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
            assert all(look.opening is not None and look.opening.key.endswith("new") for look in looks)


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
    assert look.opening is not None
    assert look.opening.title == other


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
    assert (look.verdict, look.opening and look.opening.notes) == (Verdict.OPENED, ())


def test_what_is_ciphered_twice_is_told_outermost_first() -> None:
    """Each layer has an outcome of its own; the verdict is that on the innermost."""
    ends = Ends()
    ends.associate()
    inner = ends.own.glo(0xC8, READ)
    look = ends.up(ends.own.general_glo(inner))
    assert [one.plaintext for one in look.openings] == [inner, READ]
    assert (look.verdict, look.inner, look.plain) == (Verdict.OPENED, READ[0], READ)
    foreign = a.Cipher(CLIENT, bytes(16), AUTHENTICATION, 90).glo(0xC8, READ)
    look = ends.up(ends.own.general_glo(foreign))
    assert [one.verdict for one in look.openings] == [Verdict.OPENED, Verdict.TAG_WRONG]
    assert look.verdict is Verdict.TAG_WRONG
    assert look.opening is not None
    assert look.opening.plaintext == foreign


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
            assert look.opening is not None
            assert look.opening.key == f"global unicast key of {number}"
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
    assert look.verdict is Verdict.CUT
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
