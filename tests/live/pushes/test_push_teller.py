"""What a listener tells of pushes: each as it comes, troubles once a host, a table at the end."""

from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.protection.sealing import CipheringForm, Sealer
from cosemscope.capture.events import Event
from cosemscope.live.commands.listen_job import PushOrigin
from cosemscope.live.commands.live_events import MeterSeen, PushNotOpened, PushReceived
from cosemscope.live.pushes.push_reader import PushReader
from cosemscope.live.pushes.push_teller import PushTeller

_PUSH = bytes.fromhex("0f000000010006000000e6")
_FROM = PushOrigin("192.0.2.7", "192.0.2.7:1024", "tcp", 16, 1)
_KEYS = KeySet("meter", encryption=bytes(range(16)), authentication=bytes(range(16, 32)))


def test_pushes_troubles_and_the_table() -> None:
    """A ciphered push without keys is told once, however often it comes; ciphered requests are none."""
    told: list[Event] = []
    reader = PushReader(lambda title, origin: KeyedOpener(KeyRing(()), title))
    teller = PushTeller(reader, told.append)
    sealer = Sealer(_KEYS, b"MTR\0\0\0\0\1", 0, CipheringForm.GENERAL_GLOBAL)
    request = Sealer(_KEYS, b"MTR\0\0\0\0\1", 0).seal(bytes.fromhex("c001c1000100002a0000ff0200"), 1)
    for counter in (2, 3):
        assert teller.respond(sealer.seal(_PUSH, counter), _FROM) == ()
        assert teller.respond(request, _FROM) == ()
        assert teller.respond(_PUSH, _FROM._replace(host="192.0.2.8")) == ()
    teller.tell_table()
    assert [type(event) for event in told] == [PushNotOpened, PushReceived, PushReceived, MeterSeen]
    first, last, table = told[1:]
    assert isinstance(first, PushReceived)
    assert isinstance(last, PushReceived)
    assert isinstance(table, MeterSeen)
    assert (first.texts, first.gap_s) == (("230",), None)
    assert (last.pushes, last.lost) == (2, 0)
    assert last.gap_s is not None
    assert (table.meter, table.pushes, table.silent) == ("192.0.2.8", 2, False)
