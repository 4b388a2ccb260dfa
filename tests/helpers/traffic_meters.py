"""Electricity meters for made traffic: their values, and the sessions that head ends hold with them."""

from collections.abc import Sequence

from tests.helpers import traffic_apdus as a
from tests.helpers.traffic import Said, TcpConversation

#: Published test keys: no meter has them.
ENCRYPTION = bytes(range(16))
AUTHENTICATION = bytes(range(0xD0, 0xE0))

CLOCK = (8, "0.0.1.0.0.255")
PROFILE = (7, "1.0.99.1.0.255")
DISCONNECTOR = (70, "0.0.96.3.10.255")
WH, VARH, W, V, A, HZ = 30, 32, 27, 35, 33, 44

#: Registers: logical name, scaler, unit, a plausible value and its type.
REGISTERS = (
    ("1.0.1.8.0.255", 0, WH, 4_812_345, a.double_long_unsigned),
    ("1.0.2.8.0.255", 0, WH, 131_072, a.double_long_unsigned),
    ("1.0.3.8.0.255", 0, VARH, 912_003, a.double_long_unsigned),
    ("1.0.1.7.0.255", 0, W, 1_482, a.double_long),
    ("1.0.32.7.0.255", -1, V, 2_314, a.long_unsigned),
    ("1.0.52.7.0.255", -1, V, 2_297, a.long_unsigned),
    ("1.0.72.7.0.255", -1, V, 2_308, a.long_unsigned),
    ("1.0.31.7.0.255", -2, A, 412, a.long_unsigned),
    ("1.0.14.7.0.255", -2, HZ, 4_998, a.long_unsigned),
)


class Meter:
    """One meter: its name, system title and readings, which grow a little with its number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.device_name = f"CSP{10_200_300_000 + number * 17:013d}"
        self.title = b"CSP" + (0x10_0000_0000 + number * 4099).to_bytes(5, "big")
        self.invoke = 0

    def next_invoke(self) -> int:
        """Invoke-id 1 to 15, confirmed, high priority."""
        self.invoke = self.invoke % 15 + 1
        return 0xC0 | self.invoke

    def reading(self, index: int) -> bytes:
        """The value of register `index` as data."""
        _, _, unit, value, encode = REGISTERS[index]
        grown = value + self.number * (7919 if unit in (WH, VARH) else 3)
        return encode(grown)

    def profile(self, rows: int) -> bytes:
        """Quarter-hour load profile: time, status, energy imported and exported."""
        entries = []
        for row in range(rows):
            minutes = 15 * row
            time = a.date_time(2025, 10, 8 + minutes // 1440, minutes // 60 % 24, minutes % 60)
            energy = 4_800_000 + self.number * 7919 + 131 * row + row * row % 37
            # The meter repeats a time only where it cannot be inferred from the period.
            stamp = a.octet_string(time) if row % 8 == 0 else a.NULL
            entries.append(
                a.structure(
                    stamp,
                    a.unsigned(0),
                    a.double_long_unsigned(energy),
                    a.double_long_unsigned(131_000 + row),
                )
            )
        return a.array(*entries)

    def clock(self) -> bytes:
        """The clock's time as data."""
        return a.octet_string(a.date_time(2025, 10, 9, 11, 0, 7 + self.number % 50))


class Session:
    """Requests and answers between one client and one server wPort of a conversation."""

    def __init__(self, link: TcpConversation, meter: Meter, client: int = 16, server: int = 1) -> None:
        self.link, self.meter = link, meter
        self.client, self.server = client, server

    def up(self, apdu: bytes) -> Said:
        """An APDU from client to server."""
        return Said(self.client, self.server, apdu)

    def down(self, apdu: bytes) -> Said:
        """An APDU from server to client."""
        return Said(self.server, self.client, apdu)

    def exchange(self, request: bytes, answer: bytes, **how: object) -> None:
        """A request and its answer; `how` as for the conversation's `say`, for the answer."""
        self.link.ask(self.up(request))
        self.link.answer(self.down(answer), **how)

    def associate(self, password: bytes = b"") -> None:
        """Open the association: without security, or with a password (mechanism 1)."""
        mechanism = 1 if password else 0
        self.exchange(a.aarq(mechanism=mechanism, authentication=password), a.aare())

    def release(self) -> None:
        """Release the association."""
        self.exchange(a.RLRQ, a.RLRE)

    def get(self, class_id: int, name: str, number: int, data: bytes | int, **how: object) -> None:
        """One GET; `data` may be the number of an error."""
        invoke = self.meter.next_invoke()
        answer = a.get_error(invoke, data) if isinstance(data, int) else a.get_response(invoke, data)
        self.exchange(a.get_request(invoke, class_id, name, number), answer, **how)

    def read_register(self, index: int, **how: object) -> None:
        """A register's scaler and unit, then its value."""
        name, scaler, unit, _, _ = REGISTERS[index]
        self.get(3, name, 3, a.scaler_unit(scaler, unit))
        self.get(3, name, 2, self.meter.reading(index), **how)

    def get_blocks(self, rows: int, block: int) -> None:
        """The load profile of a range of time, in blocks of `block` octets."""
        invoke = self.meter.next_invoke()
        restricting = a.structure(
            a.long_unsigned(8), a.octet_string(a.obis("0.0.1.0.0.255")), a.integer(2), a.long_unsigned(0)
        )
        first, last = a.date_time(2025, 10, 8, 0, 0), a.date_time(2025, 10, 9, 0, 0)
        chosen = b"\x01" + a.structure(restricting, a.octet_string(first), a.octet_string(last), a.array())
        raw = self.meter.profile(rows)
        parts = [raw[at : at + block] for at in range(0, len(raw), block)]
        request = a.get_request(invoke, *PROFILE, 2, chosen)
        for number, part in enumerate(parts, 1):
            self.exchange(request, a.get_block(invoke, number == len(parts), number, part))
            request = a.get_next(invoke, number)

    def get_list(self, indices: Sequence[int]) -> None:
        """Several registers in one GET."""
        invoke = self.meter.next_invoke()
        attributes = [(3, REGISTERS[index][0], 2) for index in indices]
        results: list[bytes | int] = [self.meter.reading(index) for index in indices]
        self.exchange(a.get_list_request(invoke, attributes), a.get_list_response(invoke, results))

    def set_clock(self) -> None:
        """SET of the clock's time."""
        invoke = self.meter.next_invoke()
        self.exchange(a.set_request(invoke, *CLOCK, 2, self.meter.clock()), a.set_response(invoke))

    def set_blocks(self, raw: bytes, block: int) -> None:
        """SET of an activity calendar's passive day profile, in blocks."""
        invoke = self.meter.next_invoke()
        parts = [raw[at : at + block] for at in range(0, len(raw), block)]
        self.exchange(
            a.set_first_block(invoke, 20, "0.0.13.0.0.255", 9, parts[0]), a.set_block_response(invoke, 1)
        )
        for number, part in enumerate(parts[1:], 2):
            last = number == len(parts)
            answer = a.set_last_block_response if last else a.set_block_response
            self.exchange(a.set_block(invoke, last, number, part), answer(invoke, number))

    def reconnect(self) -> None:
        """ACTION remote_reconnect of the disconnect control."""
        invoke = self.meter.next_invoke()
        self.exchange(a.action_request(invoke, *DISCONNECTOR, 2, a.integer(0)), a.action_response(invoke))

    def access(self, indices: Sequence[int]) -> None:
        """Several registers in one ACCESS."""
        invoke = 0x4000_0000 | self.meter.next_invoke() & 0x0F
        attributes = [(3, REGISTERS[index][0], 2) for index in indices]
        values = [self.meter.reading(index) for index in indices]
        self.exchange(a.access_request(invoke, attributes), a.access_response(invoke, values))


#: The service-specific global ciphering tag of each service.
_GLO = {0xC0: 0xC8, 0xC1: 0xC9, 0xC3: 0xCB, 0xC4: 0xCC, 0xC5: 0xCD, 0xC7: 0xCF}


class CipheredSession(Session):
    """A session with ciphering: HLS-GMAC association, then glo- or general-glo APDUs, suite 0."""

    CLIENT_TITLE = b"CSH\x00\x00\x00\x00\x01"

    def __init__(
        self,
        link: TcpConversation,
        meter: Meter,
        client: int = 1,
        server: int = 1,
        *,
        general: bool = False,
        control: int = a.Cipher.BOTH,
    ) -> None:
        super().__init__(link, meter, client, server)
        self.general, self.control = general, control
        self.own = a.Cipher(self.CLIENT_TITLE, ENCRYPTION, AUTHENTICATION, 0x00012000 + meter.number)
        self.peer = a.Cipher(meter.title, ENCRYPTION, AUTHENTICATION, 0x00004A10 + meter.number)

    def _sealed(self, cipher: a.Cipher, apdu: bytes) -> bytes:
        if self.general:
            return cipher.general_glo(apdu, self.control)
        return cipher.glo(_GLO[apdu[0]], apdu, self.control)

    def exchange(self, request: bytes, answer: bytes, **how: object) -> None:
        """As for a session in clear; what is not ACSE goes sealed."""
        if request[0] in (0x60, 0x62):
            super().exchange(request, answer, **how)
        else:
            super().exchange(self._sealed(self.own, request), self._sealed(self.peer, answer), **how)

    def associate(self, password: bytes = b"") -> None:
        """The four passes of HLS with GMAC (mechanism 5); `password` is not used."""
        to_server, to_client = b"To the meter 001", b"To the head end!"
        own, peer = self.own, self.peer
        request = a.aarq(
            own.glo(0x21, a.initiate_request()), context=3, mechanism=5, title=own.title,
            authentication=to_server,
        )  # fmt: skip
        answer = a.aare(
            peer.glo(0x28, a.initiate_response()), context=3, mechanism=5, title=peer.title,
            authentication=to_client, diagnostic=14,
        )  # fmt: skip
        self.exchange(request, answer)
        invoke = self.meter.next_invoke()
        proof = a.octet_string(own.gmac(to_client))
        counter_proof = a.octet_string(peer.gmac(to_server))
        self.exchange(
            a.action_request(invoke, 15, "0.0.40.0.0.255", 1, proof),
            a.action_response(invoke, 0, counter_proof),
        )


class HdlcSession:
    """The same meter behind HDLC over TCP: no wrapper, frames of IEC 62056-46."""

    def __init__(self, link: TcpConversation, meter: Meter, client: int = 16, server: int = 1) -> None:
        self.link, self.meter = link, meter
        self.client, self.server = client, server
        self._sent = self._received = 0
        self.frames = 0

    def _exchange(self, request: bytes, answer: bytes) -> None:
        link = self.link
        link.now += link.traffic.spread(*link.think_time)
        link.raw(True, request)
        link.now += link.traffic.spread(*link.answer_time)
        link.raw(False, answer)
        self.frames += 2

    def connect(self) -> None:
        """SNRM and UA with their parameters."""
        wanted = bytes.fromhex("8180140502008006020080070400000001080400000001")
        self._exchange(
            a.hdlc_frame(self.server, self.client, 0x93, wanted),
            a.hdlc_frame(self.client, self.server, 0x73, wanted),
        )

    def exchange(self, request: bytes, answer: bytes) -> None:
        """An APDU each way in information frames, the poll bit set, with its LLC header."""
        control = 0x10 | self._received << 5 | self._sent << 1
        asked = a.hdlc_frame(self.server, self.client, control, b"\xe6\xe6\x00" + request)
        self._sent = (self._sent + 1) % 8
        control = 0x10 | self._sent << 5 | self._received << 1
        answered = a.hdlc_frame(self.client, self.server, control, b"\xe6\xe7\x00" + answer)
        self._received = (self._received + 1) % 8
        self._exchange(asked, answered)

    def disconnect(self) -> None:
        """DISC and UA."""
        self._exchange(
            a.hdlc_frame(self.server, self.client, 0x53), a.hdlc_frame(self.client, self.server, 0x73)
        )
