"""The state of one association: what it learns and forgets, bounded, and copies that go on apart."""

import pytest

from cosemscope.analysis.associations.association import Association, Counter, Pending
from cosemscope.analysis.associations.blocks import BlockWindow, Transfer
from cosemscope.apdu.context import Request
from cosemscope.apdu.security.key_sets import KeySet
from tests.helpers.association_ends import CLIENT, ENERGY, KEYS, METER

PENDING = Pending(Request((ENERGY,)))
TRANSFER = Transfer(1, 3, None, 300, 3)
WINDOW = BlockWindow(b"", 2, None, {}, 0, 70)
DEDICATED = KeySet("dedicated", dedicated=bytes(16))
TRANSFERRED = KeySet("transferred", encryption=bytes(16))


def busy() -> Association:
    """An association in the midst of everything."""
    one = Association(KEYS)
    one.learn_title(0, CLIENT)
    one.learn_title(1, METER)
    one.challenges, one.mechanism = (b"CtoS", b"StoC"), 5
    one.ask(1, PENDING)
    one.transfer((1, 0xC4, 1), TRANSFER)
    one.windows[0] = WINDOW
    one.count((CLIENT, "encryption"), Counter(7, 1))
    one.count((CLIENT, "dedicated"), Counter(9, 1))
    one.learn_key(TRANSFERRED)
    one.learn_key(DEDICATED)
    one.behind_gateway(b"meter").ask(2, PENDING)
    return one


def state(one: Association) -> tuple[object, ...]:
    """What is known, to compare."""
    known = (one.titles, one.challenges, one.mechanism, dict(one.requests), dict(one.transfers))
    behind = {device: state(other) for device, other in one.behind.items()}
    return (*known, dict(one.windows), dict(one.counters), one.learned, behind)


def test_a_copy_goes_on_apart() -> None:
    """Neither hears of what the other does, also behind a gateway."""
    one = busy()
    before = state(one)
    other = one.copy()
    assert state(other) == before
    other.begin(0)
    other.ask(5, PENDING)
    other.behind_gateway(b"meter").ask(3, PENDING)
    other.behind_gateway(b"another")
    assert state(one) == before != state(other)


def test_set_apart_it_teaches_its_meter_nothing() -> None:
    """Scalers told to a copy stay its own, those of a meter behind a gateway too."""
    one = busy()
    one.scalers.learn(1, {ENERGY: (-1, 30)})
    other = one.copy()
    other.set_apart()
    assert other.scalers.at(1, ENERGY) == (-1, 30)
    for its in (other, other.behind[b"meter"]):
        its.scalers.learn(2, {ENERGY: (-2, 30)})
        assert its.scalers.at(2, ENERGY) == (-2, 30)
    assert one.scalers.at(2, ENERGY) == (-1, 30)
    assert one.behind[b"meter"].scalers.at(2, ENERGY) is None


def test_a_new_association_forgets_the_old_one() -> None:
    """AARQ: titles, challenges, requests and blocks are over; keys that were transferred hold."""
    one = busy()
    one.begin(1)
    assert (one.titles, one.challenges, one.mechanism) == ((None, None), (None, None), 0)
    assert not one.requests
    assert not one.transfers
    assert not one.windows
    assert one.client_side == 1
    assert one.learned == (TRANSFERRED,)
    assert one.counters == {(CLIENT, "encryption"): Counter(7, 1)}


def test_a_release_ends_the_dedicated_key_only() -> None:
    """What the meter is called, and what waits for an answer, is known still."""
    one = busy()
    one.end()
    assert one.learned == (TRANSFERRED,)
    assert one.titles == (CLIENT, METER)
    assert one.requests


@pytest.mark.parametrize("title", [None, b"", b"short", b"much too long"])
def test_what_is_no_title_is_not_believed(title: bytes | None) -> None:
    """A system title has eight octets."""
    one = busy()
    one.learn_title(1, title)
    assert one.titles == (CLIENT, METER)


def test_keys_are_selected_anew_when_more_is_known() -> None:
    """The opener stays as it is until a title or a key is learned."""
    one = Association(KEYS)
    first = one.opener(0)
    assert one.opener(0) is first
    one.learn_title(0, CLIENT)
    second = one.opener(0)
    assert second is not first
    one.learn_key(DEDICATED)
    assert one.opener(0) is not second
    assert one.ring().sets[0] is DEDICATED


def test_challenges_by_side() -> None:
    """Client and server of HLS are those of the association, whoever opened the connection."""
    one = busy()
    assert one.hls() == (5, CLIENT, METER, b"CtoS", b"StoC")
    one.client_side = 1
    assert one.hls() == (5, METER, CLIENT, b"StoC", b"CtoS")


def test_octets_in_hand() -> None:
    """Those of all transfers that go on, behind gateways too."""
    one = busy()
    assert one.octets_in_hand == 370
    one.behind_gateway(b"meter").transfer((0, 0xC1, 1), TRANSFER)
    assert one.octets_in_hand == 670
    one.transfer((1, 0xC4, 1), None)
    assert one.octets_in_hand == 370


def test_memory_is_bounded() -> None:
    """Of everything the oldest is forgotten first."""
    one = Association(KEYS)
    for number in range(1000):
        one.ask(number, PENDING)
        one.transfer((0, 0xC1, number), TRANSFER)
        one.count((number.to_bytes(8, "big"), "encryption"), Counter(1, 1))
        one.learn_key(KeySet(str(number), encryption=bytes(16)))
        one.behind_gateway(number.to_bytes(2, "big"))
    assert [len(some) for some in (one.requests, one.transfers, one.counters, one.learned, one.behind)] == [
        64,
        16,
        32,
        8,
        64,
    ]
    assert 999 in one.requests
    assert one.learned[0].label == "999"


def test_a_device_behind_a_gateway_is_found_again() -> None:
    """Network and address tell it; its state is kept, and the row is the gateway's."""
    one = Association(KEYS)
    one.row = 17
    meter = one.behind_gateway(b"\x01meter")
    meter.ask(1, PENDING)
    assert meter.row == 17
    assert one.behind_gateway(b"\x02meter") is not meter
    assert one.behind_gateway(b"\x01meter") is meter
