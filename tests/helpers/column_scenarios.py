"""Traffic that makes one expert item of each kind that columns tell: of services, associations, connections.

A scenario is a function over a talk: a connection that is open, on which `up` says the client's APDUs and
`down` the meter's.
"""

from collections.abc import Callable
from typing import Any

from tests.helpers import traffic_apdus as a
from tests.helpers.wire import ACK, CLIENT, FIN, RST, SERVER, START, SYN, Tcp, wpdu

ENERGY, OTHER = "1.0.1.8.0.255", "0.0.96.1.0.255"
GET, GET_OTHER = a.get_request(0xC1, 3, ENERGY), a.get_request(0xC2, 1, OTHER)
ANSWER = a.get_response(0xC1, a.double_long_unsigned(5))
ANSWER_OTHER = a.get_response(0xC2, a.unsigned(5))
SECOND = 1_000_000_000
Talk = Any
Scenario = Callable[[Talk], None]


def read(talk: Talk) -> None:
    """A GET and its answer."""
    talk.up(GET)
    talk.down(ANSWER)


def wait(talk: Talk, seconds: float) -> None:
    talk.wire.time += int(seconds * SECOND)


def other(talk: Talk, number: int = 1) -> Tcp:
    """Another connection of the client to the same meter."""
    return Tcp(talk.wire, (CLIENT[0], CLIENT[1] + number), SERVER)


def opened(talk: Talk, *, asked: bytes = b"", agreed: bytes = b"", **aarq: Any) -> None:
    """AARQ and AARE in clear."""
    talk.up(a.aarq(asked, **aarq))
    talk.down(a.aare(agreed or a.initiate_response(conformance=0x7E1F), context=aarq.get("context", 1)))


# --- services ---


def unanswered(talk: Talk) -> None:
    talk.up(GET)
    wait(talk, 6)
    talk.up(GET_OTHER)
    talk.down(ANSWER_OTHER)


def invoke_id_reused(talk: Talk) -> None:
    talk.up(GET)
    talk.up(a.get_request(0xC1, 1, OTHER))
    talk.down(ANSWER)


def late(talk: Talk) -> None:
    talk.up(GET)
    wait(talk, 6)
    talk.down(ANSWER)


def unknown_invoke_id(talk: Talk) -> None:
    read(talk)
    talk.down(ANSWER_OTHER)


def wrong_block_number(talk: Talk) -> None:
    """Once of each side: a GET that asks on behind another block, and a SET of which another was taken."""
    talk.up(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
    talk.down(a.get_block(0xC1, False, 1, b"\0" * 20))
    talk.up(a.get_next(0xC1, 5))
    talk.down(a.get_block(0xC1, True, 2, b"\0" * 20))
    talk.up(a.set_first_block(0xC1, 1, OTHER, 2, a.octet_string(b"x" * 40)[:20]))
    talk.down(a.set_block_response(0xC1, 7))
    talk.up(a.set_block(0xC1, True, 2, a.octet_string(b"x" * 40)[20:]))
    talk.down(a.set_last_block_response(0xC1, 2))


def error_result(talk: Talk) -> None:
    talk.up(GET)
    talk.down(a.get_error(0xC1, 4))


def exception(talk: Talk) -> None:
    opened(talk)
    talk.up(GET)
    talk.down(a.exception_response(1, 2))


def asked_again(talk: Talk) -> None:
    talk.up(GET)
    wait(talk, 6)
    talk.up(a.get_request(0xC2, 3, ENERGY))
    talk.down(ANSWER_OTHER)


def from_client(talk: Talk) -> None:
    for _ in range(3):
        read(talk)
    talk.down(GET)
    talk.up(ANSWER)


def no_value(talk: Talk) -> None:
    talk.up(GET)
    talk.down(a.get_response(0xC1, a.NULL))


def too_large(talk: Talk) -> None:
    opened(talk, asked=a.initiate_request(pdu_size=100))
    talk.up(GET)
    talk.down(a.get_response(0xC1, a.octet_string(bytes(120))))


def outside_conformance(talk: Talk) -> None:
    opened(talk, agreed=a.initiate_response(conformance=0x7E1F & ~0x8))
    read(talk)
    talk.up(a.set_request(0xC1, 1, OTHER, 2, a.unsigned(1)))
    talk.down(a.set_response(0xC1))


# --- wPorts ---


def between(near: int, far: int) -> Scenario:
    def say(talk: Talk) -> None:
        talk.tcp.say(0, wpdu(GET, near, far))
        talk.tcp.say(1, wpdu(ANSWER, far, near))

    return say


# --- connections ---


def syn_unanswered(talk: Talk) -> None:
    read(talk)
    silent = other(talk)
    silent.packet(0, -1, flags=SYN)
    silent.packet(0, -1, flags=SYN)


def refused_connection(talk: Talk) -> None:
    read(talk)
    tcp = other(talk)
    tcp.packet(0, -1, flags=SYN)
    tcp.packet(1, -1, flags=RST | ACK, ack=0)


def nothing_said(talk: Talk) -> None:
    read(talk)
    other(talk).handshake().close()


def cut_by(flag: int) -> Scenario:
    def say(talk: Talk) -> None:
        talk.up(GET)
        talk.tcp.say(1, wpdu(ANSWER, 1, 16)[:11])
        talk.tcp.packet(1, 11, flags=flag | ACK)

    return say


def half_open(talk: Talk) -> None:
    read(talk)
    talk.tcp.packet(0, talk.tcp.sent[0], flags=FIN | ACK)
    wait(talk, 100)
    tcp = other(talk).handshake()
    tcp.say(0, wpdu(GET, 16, 1))
    tcp.say(1, wpdu(ANSWER, 1, 16))


def replaced(talk: Talk) -> None:
    read(talk)
    tcp = other(talk).handshake()
    tcp.say(0, wpdu(GET, 16, 1))
    tcp.say(1, wpdu(ANSWER, 1, 16))
    talk.tcp.packet(1, talk.tcp.sent[1], flags=RST)


def ports_reused(talk: Talk) -> None:
    read(talk)
    talk.tcp.close()
    wait(talk, 2)
    tcp = Tcp(talk.wire, isn=(700_000_000, 800_000_000)).handshake()
    tcp.say(0, wpdu(GET, 16, 1))
    tcp.say(1, wpdu(ANSWER, 1, 16))


def zero_window(talk: Talk) -> None:
    read(talk)
    for _ in range(3):
        talk.tcp.packet(1, talk.tcp.sent[1], window=0)


def paused(talk: Talk) -> None:
    octets = wpdu(GET, 16, 1)
    talk.tcp.say(0, octets[:5])
    wait(talk, 2)
    talk.tcp.packet(0, 5, octets[5:])
    talk.down(ANSWER)


# --- associations and security ---


def not_released(talk: Talk) -> None:
    opened(talk)
    read(talk)
    talk.tcp.close()


def association_refused(talk: Talk) -> None:
    talk.up(a.aarq())
    talk.down(a.aare(result=1, diagnostic=13))


def hls_refused(talk: Talk) -> None:
    opened(talk, mechanism=5, authentication=b"CtoS" * 4)
    talk.up(a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, a.octet_string(b"x" * 17)))
    talk.down(a.action_response(0xC1, 3))


def outside(talk: Talk) -> None:
    talk.up(GET)
    talk.down(a.exception_response(1, 2))


def second_aarq(talk: Talk) -> None:
    opened(talk)
    read(talk)
    opened(talk)


def ciphered(talk: Talk, title: bytes, *, peer: bytes = b"") -> None:
    """A context with ciphering, its initiates in clear, so that the columns tell everything."""
    talk.up(a.aarq(context=3, mechanism=5, title=title, authentication=b"CtoS" * 4))
    talk.down(a.aare(context=3, mechanism=5, title=peer or b"MTR00001", authentication=b"StoC" * 4))


def same_title(talk: Talk) -> None:
    ciphered(talk, b"MTR00001")


def title_changed(talk: Talk) -> None:
    ciphered(talk, b"CLI00001")
    talk.up(a.RLRQ)
    talk.down(a.RLRE)
    ciphered(talk, b"CLI00001", peer=b"MTR00002")


def clear(talk: Talk) -> None:
    ciphered(talk, b"CLI00001")
    talk.up(GET)


def weaker(talk: Talk) -> None:
    ciphered(talk, b"CLI00001")
    for control in (0x30, 0x30, 0x20):
        talk.up(talk.own.glo(0xC8, GET, control))


def counter_reset(talk: Talk) -> None:
    ciphered(talk, b"CLI00001")
    counting = {"encryption": bytes(16), "authentication": bytes(16)}
    talk.up(a.Cipher(b"CLI00001", **counting, counter=900).glo(0xC8, GET))
    talk.tcp = other(talk).handshake()
    ciphered(talk, b"CLI00001")
    talk.up(a.Cipher(b"CLI00001", **counting, counter=3).glo(0xC8, GET))


def dedicated_key(talk: Talk) -> None:
    initiate = b"\x01\x01\x10" + b"\x55" * 16 + a.initiate_request()[2:]
    opened(talk, asked=initiate)
    talk.up(a.RLRQ)
    talk.down(a.RLRE)
    opened(talk, asked=initiate)


def small_mss(talk: Talk) -> None:
    read(talk)
    tcp = other(talk)
    tcp.packet(0, -1, flags=SYN)
    time, packet = talk.wire.packets.pop()
    octets = bytearray(packet + bytes.fromhex("0101020400640000"))  # no-operations, MSS 100, end
    octets[2:4] = len(octets).to_bytes(2, "big")
    octets[32] = 0x70
    talk.wire.packets.append((time, bytes(octets)))
    tcp.packet(1, -1, flags=SYN | ACK, ack=0)
    tcp.packet(0, 0, ack=0)
    tcp.say(0, wpdu(GET, 16, 1))
    tcp.say(1, wpdu(ANSWER, 1, 16))


def heartbeat(talk: Talk) -> None:
    for _ in range(4):
        read(talk)
        talk.tcp.say(0, b"\xff\x01")
    read(talk)


def rest_of_wpdu(talk: Talk) -> None:
    read(talk)
    talk.tcp.say(0, wpdu(GET, 16, 1), [12])
    del talk.wire.packets[-2]
    read(talk)


# --- contents ---


def wrong_type(talk: Talk) -> None:
    talk.up(a.get_request(0xC1, 3, ENERGY, 3))
    talk.down(a.get_response(0xC1, a.unsigned(30)))


def no_device_id(talk: Talk) -> None:
    rights = a.structure(a.array(), a.array())
    listed = a.structure(a.long_unsigned(3), a.unsigned(0), a.octet_string(a.obis(ENERGY)), rights)
    talk.up(a.get_request(0xC1, 15, "0.0.40.0.0.255"))
    talk.down(a.get_response(0xC1, a.array(listed)))


def push_unlike(talk: Talk) -> None:
    name = a.octet_string(a.obis("0.0.25.9.0.255"))
    one = a.structure(a.long_unsigned(3), a.octet_string(a.obis(ENERGY)), a.integer(2), a.long_unsigned(0))
    talk.up(a.get_request(0xC1, 40, "0.0.25.9.0.255"))
    talk.down(a.get_response(0xC1, a.array(one, one)))
    talk.down(a.data_notification(7, b"", a.structure(name, *[a.unsigned(5)] * 5)))


def outside_range(talk: Talk) -> None:
    clock = a.structure(
        a.long_unsigned(8), a.octet_string(a.obis("0.0.1.0.0.255")), a.integer(2), a.long_unsigned(0)
    )
    bounds = [a.octet_string(a.date_time(2026, 3, day, 0, 0)) for day in (1, 2)]
    asked = b"\x01" + a.structure(clock, *bounds, a.array())
    talk.up(a.get_request(0xC1, 7, "1.0.99.1.0.255", 2, asked))
    told = [a.structure(a.octet_string(a.date_time(2026, 3, 1, hour, 0)), a.unsigned(1)) for hour in range(9)]
    told += [a.structure(a.octet_string(a.date_time(2026, 2, 1, 0, 0)), a.unsigned(1))]
    talk.down(a.get_response(0xC1, a.array(*told)))


# --- clocks ---


def clock(year: int, status: int = 0) -> Scenario:
    """The capture's time is that of the wire; a clock of 2023 at its start is right."""

    def say(talk: Talk) -> None:
        talk.wire.time = START
        talk.up(a.get_request(0xC1, 8, "0.0.1.0.0.255"))
        octets = a.date_time(year, 11, 14, 23, 13, 20)  # START is 2023-11-14 22:13:20 UTC
        talk.down(a.get_response(0xC1, a.octet_string(octets[:-1] + bytes((status,)))))

    return say


SCENARIOS: dict[str, Scenario] = {
    "unanswered": unanswered,
    "invoke-id-reused": invoke_id_reused,
    "late-answer": late,
    "unknown-invoke-id": unknown_invoke_id,
    "wrong-block-number": wrong_block_number,
    "error-result": error_result,
    "exception-response": exception,
    "asked-again": asked_again,
    "response-from-client": from_client,
    "no-value": no_value,
    "pdu-too-large": too_large,
    "outside-conformance": outside_conformance,
    "reserved-wport": between(16, 5),
    "unlisted-wport": between(16, 200),
    "no-station": between(0, 0),
    "syn-unanswered": syn_unanswered,
    "connection-refused": refused_connection,
    "nothing-said": nothing_said,
    "reset-in-wpdu": cut_by(RST),
    "fin-in-wpdu": cut_by(FIN),
    "half-open": half_open,
    "connection-replaced": replaced,
    "ports-reused": ports_reused,
    "zero-window": zero_window,
    "pause-in-wpdu": paused,
    "not-released": not_released,
    "association-refused": association_refused,
    "hls-refused": hls_refused,
    "unknown-context": lambda talk: opened(talk, context=9),
    "unknown-mechanism": lambda talk: opened(talk, mechanism=9, authentication=b"x" * 8),
    "proprietary-hls": lambda talk: opened(talk, mechanism=2, authentication=b"x" * 8),
    "password-in-clear": lambda talk: opened(talk, mechanism=1, authentication=b"12345678"),
    "outside-association": outside,
    "second-aarq": second_aarq,
    "negotiated-less": lambda talk: opened(talk, agreed=a.initiate_response()),
    "tiny-pdu-size": lambda talk: opened(talk, agreed=a.initiate_response(32, 0x7E1F)),
    "same-title": same_title,
    "title-changed": title_changed,
    "clear-in-ciphered": clear,
    "weaker-protection": weaker,
    "counter-reset": counter_reset,
    "dedicated-key-reused": dedicated_key,
    "small-mss": small_mss,
    "heartbeat": heartbeat,
    "rest-of-wpdu": rest_of_wpdu,
    "wrong-type": wrong_type,
    "no-device-id": no_device_id,
    "push-unlike-setup": push_unlike,
    "outside-range": outside_range,
    "clock-off": clock(2022),
    "clock-status": clock(2023, 0x03),
}
#: Items of the same group that cannot but come along.
ALSO = {
    "asked-again": ("unanswered",),
    "invoke-id-reused": ("unanswered",),
    "dedicated-key-reused": ("key-in-clear",),
    "rest-of-wpdu": ("resynchronised",),
}
