"""Client and server joined back to back: nothing is lost, doubled or reordered, and nothing sticks.

Hypothesis plays both service users, both sockets, the net between them, and the clock. The net keeps octets
in order and may hold them as long as it likes, as TCP does; a reset drops what is under way.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import Abort, Close, Open, Receive, Send
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import ConfirmationType, ConnectResult, ReasonOfFailure, Result
from cosemscope.transport.primitives import (
    TcpAbortIndication,
    TcpConnectConfirm,
    TcpConnectIndication,
    TcpDataConfirm,
    TcpDataIndication,
    TcpDataRequest,
    TcpDisconnectConfirm,
    TcpDisconnectIndication,
)
from cosemscope.transport.states import TABLE, Connection, Input
from cosemscope.transport.tcp import TcpTransport
from cosemscope.transport.timers import TcpTimeouts
from tests.transport.ends import CLIENT, SERVER, End

TIMEOUTS = TcpTimeouts(connect=50, wpdu=60, inactivity=200, send=80, disconnect=70)
BOTH = frozenset(ConfirmationType)
UNBOUND = 99
SIDES = st.sampled_from([0, 1])
LOSSES = [ReasonOfFailure.RESET, ReasonOfFailure.LINK_LOST]
REMOTE_WPORTS = {CLIENT: (1, 17), SERVER: (16, 32)}


class Side:
    """One end: the core, its made-up socket, and what its service users have seen."""

    def __init__(self, end: End) -> None:
        self.end = end
        self.core = TcpTransport(
            WPortBindings(end.side, {CLIENT: (16, 32), SERVER: (1, 17)}[end]),
            timeouts=TIMEOUTS,
            confirmations=BOTH,
        )
        self.asked = 0  # DISCONNECT.requests that wait for their confirm
        self.connecting = False
        self.new_connection()

    def new_connection(self) -> None:
        self.open = False  # the socket
        self.to_send: memoryview | None = None  # what the last SEND was given
        self.wanted = False  # RECEIVE was called
        self.fin_sent = self.fin_read = False
        self.wire = bytearray()  # octets on their way to the other end
        self.acknowledged = 0
        self.requests: list[TcpDataRequest] = []
        self.confirms: dict[ConfirmationType, list[Result]] = {kind: [] for kind in ConfirmationType}
        self.seen: list[tuple[int, int, bytes]] = []  # source, destination, data; delivered or discarded
        self.disturbed = False

    @property
    def over(self) -> bool:
        return self.core.connection is Connection.NO_CONNECTION


class BackToBack(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.client, self.server = Side(CLIENT), Side(SERVER)
        self.both = (self.client, self.server)
        self.serial = 0

    def peer(self, side: Side) -> Side:
        return self.server if side is self.client else self.client

    # --- what the cores want ---

    def run_events(self, side: Side) -> None:
        for event in side.core.events():
            self.handle(side, event)

    def handle(self, side: Side, event: object) -> None:
        match event:
            case Open():
                assert event.active
            case Send(octets):
                assert side.to_send is None, "a second SEND before the first was answered"
                side.to_send = octets
            case Receive(count):
                assert count > 0
                side.wanted = True
            case Close(release):
                side.fin_sent = True
                side.open = side.open and not release
            case Abort():
                self.break_off(side)
            case TcpDataIndication():
                side.seen.append((event.remote_wport, event.local_wport, event.data))
            case WpduDiscarded(wpdu):
                side.seen.append((wpdu.source_wport, wpdu.destination_wport, wpdu.data))
            case TcpDataConfirm():
                side.confirms[event.confirmation_type].append(event.result)
            case TcpConnectConfirm():
                assert side.connecting
                side.connecting = False
            case TcpDisconnectConfirm(result=result):
                side.asked -= 1
                assert result is ConnectResult.SUCCESS or side.disturbed
            case TcpAbortIndication():
                assert side.disturbed
            case RemoteProtocolError():
                assert side.disturbed, "the peer is one of us: it breaks no rule unless it was cut off"
            case TcpConnectIndication() | TcpDisconnectIndication():
                pass
            case _:
                raise AssertionError(f"nothing is made of {event}")

    def break_off(self, side: Side) -> None:
        """The socket at `side` is gone with a reset; what is under way to either end is lost."""
        for each in self.both:
            each.disturbed = True
            each.wire.clear()
        side.open = False
        side.to_send = None

    # --- rules: the service users ---

    def begin_connecting(self) -> None:
        for side in self.both:
            self.check_accounts(side)
            side.new_connection()
        self.client.core.submit(CLIENT.connect_request(), self.now)
        self.client.connecting = True
        self.run_events(self.client)

    @rule(outcome=st.sampled_from([*["opened"] * 6, "refused", "lost", "too late"]))
    @precondition(lambda self: self.client.over and self.server.over)
    def connect_again(self, outcome):
        self.connect(outcome)

    def connect(self, outcome: str) -> None:
        """Mostly it works; each way that it does not ends in a TCP-CONNECT.confirm."""
        self.begin_connecting()
        client = self.client
        if outcome == "opened":
            for side in self.both:
                side.open = True
                side.core.opened(side.end.quadruple, self.now)
                self.run_events(side)
        elif outcome == "refused":
            client.core.open_failed(ReasonOfFailure.REFUSED, self.now)
        elif outcome == "lost":
            client.core.connection_lost(ReasonOfFailure.RESET, self.now)
        else:
            self.now += 50
            client.core.handle_timeout(self.now)
        self.run_events(client)
        assert not client.connecting
        assert client.over == (outcome != "opened")

    @initialize(answered=st.sampled_from([True, True, False]))
    def begin_connected(self, answered):
        self.connect("opened")
        if answered:
            self.submit(self.server, Input.CONNECT_RESPONSE, SERVER.connect_response())

    @rule()
    @precondition(lambda self: self.server.core.connection is Connection.CONNECT_INDICATED)
    def respond_to_connect(self):
        self.submit(self.server, Input.CONNECT_RESPONSE, SERVER.connect_response())

    @rule(side=SIDES)
    @precondition(lambda self: any(s.core.connection is Connection.DISCONNECT_INDICATED for s in self.both))
    def respond_to_disconnect(self, side):
        end = self.both[side]
        self.submit(end, Input.DISCONNECT_RESPONSE, end.end.disconnect_response())

    @rule(side=SIDES, pick=st.integers(0, 4))
    def anything_at_any_time(self, side, pick):
        """A primitive that fits the state is taken, any other refused without a trace."""
        end = self.both[side]
        kind, primitive = (
            (Input.CONNECT_RESPONSE, end.end.connect_response()),
            (Input.DISCONNECT_RESPONSE, end.end.disconnect_response()),
            (Input.CONNECT_REQUEST, end.end.connect_request()),
            (Input.DATA_REQUEST, end.end.data_request(b"too early or too late")),
            (Input.DISCONNECT_REQUEST, end.end.disconnect_request()),
        )[pick]
        if kind not in TABLE[end.core.connection]:
            self.submit(end, kind, primitive)

    @rule(side=SIDES, size=st.sampled_from([0, 1, 5, 300, 3000]), pick=st.integers(0, 2))
    @precondition(lambda self: any(Input.DATA_REQUEST in TABLE[s.core.connection] for s in self.both))
    def send(self, side, size, pick):
        end = self.both[side]
        wports = REMOTE_WPORTS[end.end]
        remote = wports[pick] if pick < 2 else UNBOUND
        self.serial += 1
        data = self.serial.to_bytes(4, "big") * (size // 4) + bytes(size % 4)
        primitive = end.end.data_request(data, remote_wport=remote)
        if Input.DATA_REQUEST in TABLE[end.core.connection]:
            end.requests.append(primitive)
        self.submit(end, Input.DATA_REQUEST, primitive)

    @rule(side=SIDES, dice=st.integers(0, 3))
    @precondition(lambda self: any(Input.DISCONNECT_REQUEST in TABLE[s.core.connection] for s in self.both))
    def disconnect(self, side, dice):
        end = self.both[side]
        if dice == 0 and Input.DISCONNECT_REQUEST in TABLE[end.core.connection]:
            end.asked += 1
            self.submit(end, Input.DISCONNECT_REQUEST, end.end.disconnect_request())

    def submit(self, side: Side, kind: Input, primitive: object) -> bool:
        """Allowed exactly where the table has a row; refused, it leaves no trace."""
        allowed = kind in TABLE[side.core.connection]
        state = side.core.state
        if allowed:
            side.core.submit(primitive, self.now)
            self.run_events(side)
            return True
        with pytest.raises(LocalProtocolError) as refused:
            side.core.submit(primitive, self.now)
        assert refused.value.state == state == side.core.state
        assert side.core.next_event() is None
        return False

    # --- rules: sockets and net ---

    @rule(side=SIDES, share=st.sampled_from([0.0, 0.3, 1.0, 1.0]))
    @precondition(lambda self: any(side.to_send is not None for side in self.both))
    def accept(self, side, share):
        """SEND takes one octet, a part, or all."""
        end = self.both[side]
        if end.to_send is not None and end.open:
            octets, end.to_send = end.to_send, None
            count = max(1, round(len(octets) * share))
            end.wire += octets[:count]
            end.core.octets_sent(count, self.now)
            self.run_events(end)

    @rule(side=SIDES, count=st.sampled_from([1, 2, 7, 8, 50, 2000, 100_000, 100_000]))
    @precondition(lambda self: any(side.wire for side in self.both))
    def deliver(self, side, count):
        """Octets on the wire from `side` arrive at its peer, which acknowledges them."""
        end, other = self.both[side], self.peer(self.both[side])
        if (
            end.wire
            and other.open
            and (other.wanted or other.core.connection is Connection.CONNECT_INDICATED)
        ):
            octets = bytes(end.wire[:count])
            del end.wire[:count]
            other.wanted = False
            other.core.octets_received(octets, self.now)
            end.acknowledged += len(octets)
            end.core.octets_acknowledged(end.acknowledged, self.now)
            self.run_events(other)
            self.run_events(end)

    @rule(side=SIDES)
    @precondition(lambda self: any(side.fin_sent for side in self.both))
    def deliver_fin(self, side):
        """FIN comes behind the last octet; when a link was cut, no FIN comes."""
        end, other = self.both[side], self.peer(self.both[side])
        if end.fin_sent and not end.wire and other.open and not other.fin_read and not end.disturbed:
            other.fin_read = True
            other.core.end_of_stream(self.now)
            self.run_events(other)

    @rule(side=SIDES, dice=st.integers(0, 5))
    @precondition(lambda self: any(side.open and side.wire for side in self.both))
    def die_in_mid_message(self, side, dice):
        """The process at one end dies: what is under way arrives, then FIN, perhaps inside a WPDU."""
        end, other = self.both[side], self.peer(self.both[side])
        if dice == 0 and end.open and not end.fin_sent and not other.fin_read and other.open:
            rest = bytes(end.wire)
            self.break_off(end)
            end.core.connection_lost(ReasonOfFailure.LINK_LOST, self.now)
            self.run_events(end)
            if rest:
                other.core.octets_received(rest, self.now)
            other.fin_read = True
            other.core.end_of_stream(self.now)
            self.run_events(other)

    @rule(side=SIDES, dice=st.integers(0, 7), reason=st.sampled_from(LOSSES))
    @precondition(lambda self: any(side.open for side in self.both))
    def lose(self, side, dice, reason):
        """The connection breaks; either end may hear of it first, or while the other still does not know."""
        end = self.both[side]
        if dice == 0 and end.open:
            self.break_off(end)
            end.core.connection_lost(reason, self.now)
            self.run_events(end)
            assert end.over

    @rule(side=SIDES)
    @precondition(lambda self: any(side.over and side.disturbed for side in self.both))
    def late_tales(self, side):
        """A socket that is gone may still tell things: over is over."""
        end = self.both[side]
        if end.over:
            end.core.octets_received(b"\x00\x02", self.now)
            end.core.end_of_stream(self.now)
            end.core.octets_sent(3, self.now)
            end.core.closed(self.now)
            end.core.connection_lost(ReasonOfFailure.RESET, self.now)
            assert end.core.next_event() is None

    @rule(seconds=st.sampled_from([1, 10, 10, 10, 65]))
    def time_passes(self, seconds):
        self.now += seconds
        for side in self.both:
            due = side.core.next_timeout()
            if due is not None and due <= self.now:
                self.break_off(side)
            side.core.handle_timeout(self.now)
            self.run_events(side)
            after = side.core.next_timeout()
            assert after is None or after > self.now

    # --- what always holds ---

    @invariant()
    def nothing_is_lost_doubled_or_reordered(self):
        for side in self.both:
            sent = [(r.local_wport, r.remote_wport, r.data) for r in side.requests]
            seen = self.peer(side).seen
            assert seen == sent[: len(seen)]

    @invariant()
    def every_confirm_has_its_request(self):
        for side in self.both:
            for results in side.confirms.values():
                assert len(results) <= len(side.requests)
                first_nok = results.index(Result.NOK) if Result.NOK in results else len(results)
                assert Result.OK not in results[first_nok:]
            acknowledged = side.confirms[ConfirmationType.REMOTE].count(Result.OK)
            assert acknowledged <= side.confirms[ConfirmationType.LOCAL].count(Result.OK)

    @invariant()
    def a_connection_that_is_over_is_accounted_for(self):
        for side in self.both:
            if side.over:
                self.check_accounts(side)

    def check_accounts(self, side: Side) -> None:
        """Each request has each of its confirms, each DISCONNECT.request its confirm, no timer runs."""
        for results in side.confirms.values():
            assert len(results) == len(side.requests)
        assert side.asked == 0
        assert side.core.next_timeout() is None
        assert (side.core.queued_octets, side.core.sending, side.core.receiving) == (0, False, False)

    def teardown(self):
        """Let the net carry everything: what was confirmed LOCAL has arrived, unless something broke."""
        for _ in range(2000):
            if not any(side.to_send is not None or side.wire for side in self.both):
                break
            for index in (0, 1):
                self.accept(index, 1.0)
                self.deliver(index, 100_000)
            if any(side.wire and not self.peer(side).open for side in self.both):
                break
        for side in self.both:
            if not side.disturbed and self.peer(side).core.connection is Connection.CONNECTED:
                sent = [(r.local_wport, r.remote_wport, r.data) for r in side.requests]
                assert self.peer(side).seen == sent
        for side in self.both:
            side.core.connection_lost(ReasonOfFailure.RESET, self.now)
            self.break_off(side)
            self.run_events(side)
            assert side.over
            self.check_accounts(side)


BackToBack.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestBackToBack = BackToBack.TestCase
