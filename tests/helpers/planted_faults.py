"""Sessions with a fault planted in each, and what must be said of it: outcome, sentence, and the packet.

A session is a function that lets a `Plot` happen on a wire; what it returns is a `Told`. All can happen in
one capture, one after another; those that the end of the capture is to cut come last.
"""

from collections.abc import Callable
from typing import NamedTuple

from tests.helpers import traffic_apdus as a
from tests.helpers.apdu_encoder import block_transfer
from tests.helpers.wire import ACK, FIN, MILLISECOND, PSH, RST, SYN, Tcp, Wire, wpdu

CLIENT, SERVER = 0, 1
GET = a.get_request(0xC1, 3, "1.0.1.8.0.255")
OTHER = a.get_request(0xC1, 1, "0.0.42.0.0.255")
PROFILE = a.get_request(0xC1, 7, "1.0.99.1.0.255")
ANSWER = a.get_response(0xC1, a.double_long_unsigned(5009))
EVENT = a.event_notification(b"", 1, "0.0.96.1.0.255", 2, a.double_long_unsigned(4))
ABRT = bytes.fromhex("6403800100")


class Told(NamedTuple):
    """What must be said of a session; `packet`: the number of the packet with the first cause."""

    outcome: str
    sentence: str
    packet: int


class Plot:
    """One session between a client and meter of its own."""

    def __init__(self, wire: Wire, number: int) -> None:
        self.wire = wire
        self.client, self.meter = ("10.0.0.1", 50_000 + number), (f"10.0.1.{number}", 4059)
        self.tcp = Tcp(wire, self.client, self.meter, isn=(1000 * number, 9000 * number))

    @property
    def packet(self) -> int:
        """The number of the packet that came last."""
        return len(self.wire.packets)

    def wait(self, milliseconds: int) -> None:
        """So much later comes what follows."""
        self.wire.time += milliseconds * MILLISECOND - self.wire.step

    def up(self, *apdus: bytes) -> None:
        """The client says these."""
        for apdu in apdus:
            self.tcp.say(CLIENT, wpdu(apdu, 16, 1))

    def down(self, *apdus: bytes) -> None:
        """The meter says these."""
        for apdu in apdus:
            self.tcp.say(SERVER, wpdu(apdu, 1, 16))

    def associate(self) -> None:
        """Handshake, AARQ and AARE."""
        self.tcp.handshake()
        self.up(a.aarq())
        self.down(a.aare())

    def read(self, request: bytes = GET) -> None:
        """A GET and its answer."""
        self.up(request)
        self.down(ANSWER)

    def release(self) -> None:
        """RLRQ, RLRE and the FINs of both."""
        self.up(a.RLRQ)
        self.down(a.RLRE)
        self.tcp.close()

    def end(self, side: int, flag: int = FIN) -> None:
        """A FIN or RST of a side."""
        self.tcp.packet(side, self.tcp.sent[side], flags=flag | ACK)

    def blocks(self, count: int) -> None:
        """The profile's first blocks, the next one being asked for behind each."""
        self.up(PROFILE)
        for number in range(1, count + 1):
            self.down(a.get_block(0xC1, False, number, b"\0" * 20))
            self.up(a.get_next(0xC1, number))


def complete(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.up(a.RLRQ)
    plot.down(a.RLRE)
    packet = plot.packet
    plot.tcp.close()
    return Told("complete", "3 exchanges; released", packet)


def closed_by_the_client(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.end(CLIENT)
    return Told("complete", "2 exchanges; client closed with FIN", plot.packet)


def with_an_error(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    plot.down(a.get_error(0xC1, 4))
    plot.release()
    return Told("complete", "3 exchanges, 1 error; released", plot.packet - 2)


def asked_again_with_luck(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    plot.wait(6000)
    plot.read()
    plot.release()
    return Told("complete", "4 exchanges, 1 asked again; released", plot.packet - 2)


def association_refused(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq(mechanism=1, authentication=b"wrong"))
    plot.down(a.aare(result=1, diagnostic=13))
    packet = plot.packet
    plot.end(CLIENT)
    why = "the password or the authentication is wrong (authentication-failure)"
    return Told("refused", f"association refused by AARE rejected-permanent: {why}", packet)


def refused_by_an_exception(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq())
    plot.down(a.exception_response(1, 2))
    packet = plot.packet
    plot.end(CLIENT)
    return Told("refused", "association refused by exception-response service-not-supported", packet)


def refused_by_the_initiate(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq())
    plot.down(a.INITIATE_REFUSED)
    packet = plot.packet
    plot.end(CLIENT)
    return Told("refused", "association refused by confirmedServiceError other", packet)


def refused_and_then_accepted(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq())
    plot.down(a.aare(result=1, diagnostic=13))
    plot.up(a.aarq())
    plot.down(a.aare())
    plot.release()
    return Told("complete", "3 exchanges, 1 error; released", plot.packet - 2)


def hls_refused(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq(mechanism=5, authentication=b"CtoS" * 4))
    plot.down(a.aare(mechanism=5, authentication=b"StoC" * 4, diagnostic=14))
    plot.up(a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, a.octet_string(b"wrong")))
    plot.down(a.action_response(0xC1, 3))
    packet = plot.packet
    plot.end(CLIENT)
    return Told("refused", "HLS authentication refused by action-response read-write-denied", packet)


def aarq_unanswered(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq())
    packet = plot.packet
    plot.wait(30_000)
    plot.end(CLIENT)
    return Told("unanswered", "AARQ was not answered: client closed with FIN 30 s later", packet)


def get_unanswered_after_retransmissions(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    packet = plot.packet
    for _ in range(4):
        plot.wait(2000)
        plot.tcp.packet(CLIENT, plot.tcp.sent[CLIENT] - 21, wpdu(GET), flags=PSH | ACK)
    plot.wait(2000)
    plot.end(CLIENT, RST)
    sentence = "get-request 1.0.1.8.0.255:2 was not answered: client closed with RST 10 s later"
    sentence += ", after 4 retransmissions"
    return Told("unanswered", sentence, packet)


def unanswered_then_released(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    packet = plot.packet
    plot.wait(1500)
    plot.release()
    sentence = "get-request 1.0.1.8.0.255:2 was not answered: client released 1.5 s later"
    return Told("unanswered", sentence, packet)


def unanswered_among_others(plot: Plot) -> Told:
    plot.associate()
    plot.read(OTHER)
    plot.up(GET)
    packet = plot.packet
    plot.wait(1000)
    plot.read(OTHER)
    plot.wait(999)
    plot.end(CLIENT)
    sentence = "get-request 1.0.1.8.0.255:2 was not answered: client asked on 1 s later"
    return Told("unanswered", sentence, packet)


def meter_reset_in_block_14(plot: Plot) -> Told:
    plot.associate()
    plot.blocks(13)
    for _ in range(3):
        plot.wait(500)
        plot.tcp.packet(CLIENT, plot.tcp.sent[CLIENT] - 15, wpdu(a.get_next(0xC1, 13)), flags=PSH | ACK)
    plot.wait(600)
    plot.end(SERVER, RST)
    sentence = "meter closed with RST 2.1 s into block 14 of get-request 1.0.99.1.0.255:2"
    sentence += ", after 3 retransmissions"
    return Told("broken-off", sentence, plot.packet)


def meter_closed_within_a_transfer(plot: Plot) -> Told:
    plot.associate()
    plot.blocks(1)
    plot.wait(40)
    plot.end(SERVER)
    sentence = "meter closed with FIN 40 ms into block 2 of get-request 1.0.99.1.0.255:2"
    return Told("broken-off", sentence, plot.packet)


def meter_reset_within_an_answer(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    answer = wpdu(a.get_response(0xC1, a.octet_string(b"x" * 80)), 1, 16)
    plot.tcp.say(SERVER, answer[:40])
    plot.wait(20)
    plot.tcp.packet(SERVER, plot.tcp.sent[SERVER], flags=RST | ACK)
    return Told("broken-off", "meter closed with RST 20 ms into get-request 1.0.1.8.0.255:2", plot.packet)


def client_closed_within_a_transfer(plot: Plot) -> Told:
    plot.associate()
    plot.up(PROFILE)
    plot.down(a.get_block(0xC1, False, 1, b"\0" * 20))
    plot.wait(7)
    plot.end(CLIENT)
    sentence = "client closed with FIN 7 ms into get-request 1.0.99.1.0.255:2, after block 1"
    return Told("broken-off", sentence, plot.packet)


def transfer_given_up(plot: Plot) -> Told:
    plot.associate()
    plot.blocks(2)
    packet = plot.packet
    plot.read()
    plot.release()
    sentence = "block 3 of get-request 1.0.99.1.0.255:2 was given up: the client went on without the rest"
    return Told("broken-off", sentence, packet)


def aborted(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.down(ABRT)
    packet = plot.packet
    plot.end(SERVER)
    return Told("broken-off", "meter aborted the association", packet)


def aborted_amid_hls(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(a.aarq(mechanism=5, authentication=b"CtoS" * 4))
    plot.down(a.aare(mechanism=5, authentication=b"StoC" * 4, diagnostic=14))
    plot.up(a.action_request(0xC1, 15, "0.0.40.0.0.255", 1, a.octet_string(b"wrong")))
    plot.down(ABRT)
    packet = plot.packet
    plot.end(SERVER)
    return Told("broken-off", "meter aborted the association", packet)


def refused_beside_another_client(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.tcp.say(CLIENT, wpdu(a.aarq(), 1, 1))
    plot.tcp.say(SERVER, wpdu(a.aare(result=1, diagnostic=13), 1, 1))
    packet = plot.packet
    plot.up(a.aarq())
    plot.down(a.aare())
    plot.release()
    why = "the password or the authentication is wrong (authentication-failure)"
    return Told("refused", f"association refused by AARE rejected-permanent: {why}", packet)


def meter_closed_unreleased(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.wait(9000)
    plot.end(SERVER)
    sentence = "meter closed with FIN 9 s after the last WPDU, the association was not released"
    return Told("broken-off", sentence, plot.packet)


def release_unanswered(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.up(a.RLRQ)
    packet = plot.packet
    plot.end(CLIENT)
    plot.end(SERVER)
    return Told("complete", "3 exchanges, the release not answered; released", packet)


def client_closed_its_half(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    plot.end(CLIENT)
    packet = plot.packet
    plot.down(ANSWER)
    plot.end(SERVER)
    return Told("complete", "2 exchanges; client closed with FIN", packet)


def closed_half_of_which_the_fin_came_again(plot: Plot) -> Told:
    plot.associate()
    plot.tcp.packet(CLIENT, plot.tcp.sent[CLIENT], wpdu(GET), flags=PSH | ACK | FIN)
    packet = plot.packet
    plot.down(ANSWER)
    plot.tcp.packet(CLIENT, plot.tcp.sent[CLIENT] - 21, wpdu(GET), flags=PSH | ACK | FIN)
    plot.end(CLIENT)
    plot.end(SERVER, RST)
    return Told("complete", "2 exchanges; client closed with FIN", packet)


def meter_reset_behind_a_closed_half(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    plot.end(CLIENT)
    answer = wpdu(a.get_response(0xC1, a.octet_string(b"x" * 80)), 1, 16)
    plot.tcp.say(SERVER, answer[:40])
    plot.end(CLIENT)
    plot.end(SERVER, RST)
    return Told("broken-off", "meter closed with RST 2 ms into get-request 1.0.1.8.0.255:2", plot.packet)


def meter_closed_and_the_client_asked_on(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.wait(300)
    plot.end(SERVER)
    packet = plot.packet
    plot.wait(200)
    plot.up(OTHER)
    plot.end(CLIENT)
    plot.end(SERVER, RST)
    sentence = "meter closed with FIN 200 ms before the last WPDU, the association was not released"
    return Told("broken-off", sentence, packet)


def meter_closed_and_the_client_released(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.end(SERVER)
    packet = plot.packet
    plot.wait(60)
    plot.up(a.RLRQ)
    plot.end(CLIENT)
    sentence = "meter closed with FIN 60 ms before the last WPDU, the association was not released"
    return Told("broken-off", sentence, packet)


def meter_reset_and_a_request_crossed_it(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.wait(60)
    plot.end(SERVER, RST)
    packet = plot.packet
    plot.up(OTHER)
    sentence = "meter closed with RST 1 ms before the last WPDU, the association was not released"
    return Told("broken-off", sentence, packet)


def fin_that_overtook_an_answer(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    answer = wpdu(ANSWER, 1, 16)
    start = plot.tcp.sent[SERVER]
    plot.tcp.packet(SERVER, start + len(answer), flags=FIN | ACK)
    packet = plot.packet
    plot.tcp.packet(SERVER, start, answer, flags=PSH | ACK)
    plot.end(CLIENT)
    sentence = "meter closed with FIN 1 ms before the last WPDU, the association was not released"
    return Told("broken-off", sentence, packet)


def both_closed_at_once(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.end(CLIENT)
    packet = plot.packet
    plot.end(SERVER)
    return Told("complete", "2 exchanges; client closed with FIN", packet)


def fin_that_overtook_the_one_before_it(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    plot.tcp.packet(SERVER, plot.tcp.sent[SERVER], flags=FIN | ACK, ack=plot.tcp.sent[CLIENT] + 1)
    plot.end(CLIENT)
    return Told("complete", "2 exchanges; client closed with FIN", plot.packet)


def resets_of_which_one_ends_it(plot: Plot) -> Told:
    plot.associate()
    plot.tcp.packet(SERVER, plot.tcp.sent[SERVER] - 3, flags=RST | ACK)
    plot.read()
    plot.tcp.packet(SERVER, plot.tcp.sent[SERVER] + 900_000_000, flags=RST | ACK)
    plot.end(CLIENT)
    return Told("complete", "2 exchanges; client closed with FIN", plot.packet)


def ports_used_again(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    again = Plot(plot.wire, 0)
    again.tcp = Tcp(plot.wire, plot.client, plot.meter, isn=(700_000_000, 900_000_000))
    packet = plot.packet + 1
    again.associate()
    again.release()
    sentence = "another connection began between the same ports, the association was not released"
    return Told("broken-off", sentence, packet)


def get_without_association(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(GET)
    plot.down(a.exception_response(1, 1))
    packet = plot.packet
    plot.end(CLIENT)
    answer = "exception-response operation-not-possible"
    sentence = f"get-request 1.0.1.8.0.255:2 without an association, answered by {answer}"
    return Told("no-association", sentence, packet)


def unanswered_without_association(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.up(GET)
    packet = plot.packet
    plot.wait(3000)
    plot.end(CLIENT)
    sentence = "get-request 1.0.1.8.0.255:2 was not answered: client closed with FIN 3 s later"
    return Told("no-association", f"without an association, {sentence}", packet)


def nothing_said(plot: Plot) -> Told:
    plot.tcp.handshake()
    plot.wait(998)
    plot.end(CLIENT)
    return Told("no-association", "client closed with FIN 1 s after the SYN, nothing was said", plot.packet)


def heartbeats_alone(plot: Plot) -> Told:
    first = plot.packet + 1
    plot.tcp.handshake()
    for _ in range(3):
        plot.up(b"")
    plot.end(CLIENT)
    return Told("no-association", "3 WPDUs, of which none asks, answers or tells anything", first)


def push_in_blocks_cut(plot: Plot) -> Told:
    push = a.data_notification(7, b"", a.octet_string(bytes(90)))
    plot.tcp.handshake()
    for number in (1, 2):
        block = block_transfer(False, number, push[number * 40 - 40 : number * 40], window=3)
        plot.tcp.say(CLIENT, wpdu(block, 1, 64))
    plot.wait(50)
    plot.end(CLIENT, RST)
    sentence = "meter closed with RST 50 ms into general-block-transfer, after block 2"
    return Told("broken-off", sentence, plot.packet)


def pushes_of_a_meter(plot: Plot) -> Told:
    plot.tcp = Tcp(plot.wire, (plot.meter[0], 40_000), ("10.0.0.1", 4059))
    plot.tcp.handshake()
    for _ in range(2):
        plot.tcp.say(CLIENT, wpdu(EVENT, 1, 16))
    plot.end(CLIENT)
    return Told("push-only", "2 notifications to 10.0.0.1:4059", plot.packet)


def syn_unanswered(plot: Plot) -> Told:
    first = plot.packet + 1
    for wait in (1, 1000, 2000):
        plot.wait(wait)
        plot.tcp.packet(CLIENT, -1, flags=SYN)
    return Told("no-connection", "SYN sent 3 times in 3 s, never answered", first)


def syn_with_octets_unanswered(plot: Plot) -> Told:
    plot.tcp.packet(CLIENT, -1, wpdu(a.aarq()), flags=SYN)
    return Told("no-connection", "SYN sent once, never answered", plot.packet)


def syn_refused(plot: Plot) -> Told:
    plot.tcp.packet(CLIENT, -1, flags=SYN)
    plot.wait(30)
    plot.tcp.packet(SERVER, -1, flags=RST | ACK, ack=0)
    return Told("connection-refused", "connection refused: RST 30 ms after the SYN", plot.packet)


def one_direction(plot: Plot) -> Told:
    first = plot.packet + 1
    plot.up(GET, OTHER, GET)
    sentence = "the capture has one direction only: what the other side said is not known"
    return Told("one-sided", sentence, first)


def set_broken_off(plot: Plot) -> Told:
    plot.associate()
    plot.up(a.set_first_block(0xC1, 1, "0.0.42.0.0.255", 2, b"\0" * 10))
    plot.down(a.set_block_response(0xC1, 1))
    plot.up(a.set_block(0xC1, False, 2, b"\0" * 10))
    plot.wait(15)
    plot.end(SERVER, RST)
    sentence = "meter closed with RST 15 ms into block 2 of set-request 0.0.42.0.0.255:2"
    return Told("broken-off", sentence, plot.packet)


def lost_by_the_capture_alone(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    plot.tcp.say(SERVER, wpdu(a.get_response(0xC1, a.octet_string(b"x" * 80)), 1, 16), [40])
    plot.wire.packets.pop()
    plot.read(OTHER)
    plot.release()
    return Told("complete", "4 exchanges; released", plot.packet - 2)


def answer_lost_by_the_capture(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    plot.down(ANSWER)
    plot.wire.packets.pop()
    plot.read(OTHER)
    plot.release()
    return Told("complete", "4 exchanges, 1 answer not captured; released", plot.packet - 2)


def unanswered_and_later_a_loss(plot: Plot) -> Told:
    plot.associate()
    plot.up(GET)
    packet = plot.packet
    plot.wait(1000)
    plot.read(OTHER)
    plot.up(OTHER)
    plot.down(ANSWER)
    plot.wire.packets.pop()
    plot.read(OTHER)
    plot.wait(996)
    plot.end(CLIENT)
    sentence = "get-request 1.0.1.8.0.255:2 was not answered: client asked on 1 s later"
    return Told("unanswered", sentence, packet)


def unanswered_datagram(plot: Plot) -> Told:
    plot.wire.udp(plot.client, plot.meter, wpdu(GET))
    return Told("unanswered", "get-request 1.0.1.8.0.255:2 was not answered: silence for {}", plot.packet)


def answered_datagrams(plot: Plot) -> Told:
    plot.wire.udp(plot.client, plot.meter, wpdu(GET))
    plot.wire.udp(plot.meter, plot.client, wpdu(ANSWER, 1, 16))
    return Told("complete", "1 exchange; then silence", plot.packet)


def datagrams_up_to_the_end_of_the_capture(plot: Plot) -> Told:
    answered_datagrams(plot)
    return Told("complete", "1 exchange; nothing was waiting", plot.packet)


def cut_by_the_end_of_the_capture(plot: Plot) -> Told:
    plot.associate()
    plot.blocks(4)
    return Told(
        "unfinished", "the capture ended {} into block 5 of get-request 1.0.99.1.0.255:2", plot.packet
    )


def open_at_the_end_of_the_capture(plot: Plot) -> Told:
    plot.associate()
    plot.read()
    return Told("unfinished", "the capture ended {} after the last WPDU, nothing was waiting", plot.packet)


#: All sessions, in an order in which each has its fault also when all are in one capture.
SESSIONS: tuple[Callable[[Plot], Told], ...] = (
    *(answered_datagrams, unanswered_datagram, complete, closed_by_the_client, with_an_error),
    *(asked_again_with_luck, association_refused, refused_by_an_exception, refused_by_the_initiate),
    *(refused_and_then_accepted, hls_refused, aarq_unanswered, get_unanswered_after_retransmissions),
    *(unanswered_then_released, unanswered_among_others, meter_reset_in_block_14),
    *(meter_closed_within_a_transfer, meter_reset_within_an_answer, client_closed_within_a_transfer),
    *(aborted_amid_hls, refused_beside_another_client, push_in_blocks_cut),
    *(transfer_given_up, aborted, meter_closed_unreleased, ports_used_again, get_without_association),
    *(client_closed_its_half, closed_half_of_which_the_fin_came_again, meter_reset_behind_a_closed_half),
    *(meter_closed_and_the_client_asked_on, meter_closed_and_the_client_released),
    *(meter_reset_and_a_request_crossed_it, fin_that_overtook_an_answer, both_closed_at_once),
    *(fin_that_overtook_the_one_before_it, resets_of_which_one_ends_it, release_unanswered),
    *(unanswered_without_association, nothing_said, pushes_of_a_meter, syn_unanswered),
    *(
        syn_with_octets_unanswered,
        syn_refused,
        one_direction,
        set_broken_off,
        lost_by_the_capture_alone,
        answer_lost_by_the_capture,
        unanswered_and_later_a_loss,
    ),
    *(datagrams_up_to_the_end_of_the_capture, cut_by_the_end_of_the_capture, open_at_the_end_of_the_capture),
)
