"""Pushes are understood: in clear, ciphered, in general blocks; what does not open is none."""

from datetime import datetime

from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer
from cosemscope.application.encoding.notifications import DataNotification, DataNotificationConfirm
from cosemscope.application.protection.sealing import CipheringForm, Sealer
from cosemscope.application.transfer.general_block_machine import GeneralBlockMachine
from cosemscope.live.commands.listen_job import PushOrigin
from cosemscope.live.pushes.push_reader import PushReader
from cosemscope.live.pushes.push_table import PushTable

_NOON = datetime(2026, 3, 1, 12)
_TITLE = b"MTR\0\0\0\0\1"
_KEYS = KeySet("meter", encryption=bytes(range(16)), authentication=bytes(range(16, 32)))
_FROM = PushOrigin("192.0.2.7", "192.0.2.7:1024", "udp", 16, 1)


def pushed(invoke: int = 5, value: int = 230) -> bytes:
    body = d.structure(d.octet_string(bytes.fromhex("0000190900ff")), d.long_unsigned(value))
    return encode(DataNotification(invoke, d.date_time_octets(_NOON), body))


def reader(*keys: KeySet, confirm: bool = False) -> PushReader:
    return PushReader(lambda title, origin: KeyedOpener(KeyRing(keys), title), confirm=confirm)


def test_a_push_in_clear() -> None:
    """Its values, its time, its number; the meter is its address."""
    push = reader().receive(pushed(), _FROM).push
    assert push is not None
    assert push.texts == ("0.0.25.9.0.255 Push setup", "230")
    assert (push.meter, push.invoke_id, push.protected) == ("192.0.2.7", 5, False)
    assert push.date_time.startswith("2026-03-01 Sun 12:00:00")


def test_a_ciphered_push() -> None:
    """With its key it is told, and its meter by title; with another it is said that it does not open."""
    sealed = Sealer(_KEYS, _TITLE, 0, CipheringForm.GENERAL_GLOBAL).seal(pushed(), 7)
    push = reader(_KEYS).receive(sealed, _FROM).push
    assert push is not None
    assert push.protected
    assert push.meter.startswith("MTR")
    wrong = KeySet("wrong", encryption=bytes(16), authentication=bytes(16))
    for keys in ((wrong,), ()):
        received = reader(*keys).receive(sealed, _FROM)
        assert received.push is None
        assert "does not open" in received.problem


def test_a_push_in_general_blocks_from_two_senders_at_once() -> None:
    """Blocks of different senders do not mix; they are acknowledged where that is wanted."""
    other = _FROM._replace(remote="192.0.2.8:1024", host="192.0.2.8")
    taker = reader(confirm=True)
    sending = {_FROM: GeneralBlockMachine(), other: GeneralBlockMachine()}
    values = {_FROM: 1, other: 2}
    waiting = [
        (origin, encode(block))
        for origin, machine in sending.items()
        for block in machine.send(pushed(value=values[origin]), 10)
    ]
    came = {}
    while waiting:
        origin, block = waiting.pop(0)
        received = taker.receive(block, origin)
        if received.push is not None:
            came[origin] = received.push.texts[-1]
        for reply in received.replies:
            answer = parse(reply)
            assert isinstance(answer, GeneralBlockTransfer)
            waiting += [(origin, encode(block)) for block in sending[origin].receive(answer).blocks]
    assert came == {_FROM: "1", other: "2"}


def test_a_push_that_wants_it_is_confirmed() -> None:
    """With the same invoke-id, and only where the listener was told to."""
    wanted = pushed(0x40000009)
    assert reader().receive(wanted, _FROM).replies == ()
    (reply,) = reader(confirm=True).receive(wanted, _FROM).replies
    assert parse(reply) == DataNotificationConfirm(0x40000009)


def test_what_is_no_push() -> None:
    """Requests are nothing, broken octets a sentence."""
    assert reader().receive(bytes.fromhex("c001c1000100002a0000ff0200"), _FROM) == (None, "", ())
    assert reader().receive(b"", _FROM) == (None, "", ())
    for broken in (b"\x0f", b"\x0f\0\0\0\1\0\x09\x05", b"\xdb\x08", b"\xe0\x00"):
        received = reader(_KEYS).receive(broken, _FROM)
        assert received.push is None
        assert received.problem


def test_a_table_by_meter() -> None:
    """Counts, gaps, what is missing by the invoke-ids, and who has fallen silent."""
    table, taker = PushTable(), reader()
    for now, invoke in ((0.0, 1), (10.0, 2), (20.0, 5)):
        push = taker.receive(pushed(invoke), _FROM).push
        assert push is not None
        meter, gap = table.take(push, now)
    assert (meter.pushes, meter.lost, gap, meter.usual_gap) == (3, 2, 10.0, 10.0)
    assert not meter.silent(40.0)
    assert meter.silent(46.0)
    assert len(table) == 1
