"""The options of every command that asks a meter: its address, the client's wPort, how it associates."""

from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass

from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.application.client.association_parameters import GatewayPath
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, SECONDS, SOME_SECONDS, ValueKind
from cosemscope.live.client.linked_association import Told
from cosemscope.live.client.list_book import keep_list, kept_list
from cosemscope.live.client.meter_access import CIPHERING_WORDS, DEFAULT_TITLE, MECHANISM_WORDS, MeterAccess
from cosemscope.live.client.meter_client import Meter, connect_meter, listed_objects
from cosemscope.live.commands.live_values import client_wport, server_wport
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.bindings import WpduDiscarded
from cosemscope.transport.wports import DLMS_PORT

_AUTO = "auto"
_CIPHERED_FROM = 5


def _title(text: str) -> bytes:
    try:
        octets = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        octets = text.encode("latin-1", "replace")
    if len(octets) != TITLE_SIZE:
        raise ArgumentTypeError(f"{text!r} is no system title: {TITLE_SIZE} octets in hex, or as characters")
    return octets


def _gateway(text: str) -> GatewayPath:
    network, _, device = text.partition(":")
    try:
        path = GatewayPath(int(network, 0), bytes.fromhex(device))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no gateway path: NETWORK:ADDRESS, the address in hex") from None
    if not 0 <= path.network_id <= 0xFF or len(path.device_address) > 0xFF:
        raise ArgumentTypeError(f"{text!r}: a network has a number up to 255, an address 255 octets at most")
    return path


def _counter(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 32:
        raise ArgumentTypeError(f"{text!r} is no invocation counter (0 to {(1 << 32) - 1})")
    return int(text)


def _suite(text: str) -> int:
    if text not in ("0", "1", "2"):
        raise ArgumentTypeError(f"{text!r} is no security suite: 0, 1 or 2")
    return int(text)


def _written_title(title: bytes | None) -> str:
    return title.hex() if title is not None else ""


TITLE = ValueKind("TITLE", _title, _written_title)
GATEWAY = ValueKind(
    "NETWORK:ADDRESS", _gateway, lambda path: f"{path.network_id}:{path.device_address.hex()}" if path else ""
)


@dataclass(frozen=True)
class AccessJob:
    """Where a meter is and how a client associates with it; keys and passwords come beside it."""

    address: str = option(
        MISSING, ValueKind("HOST[:PORT]"), help=f"port {DLMS_PORT} unless given; [::1]:{DLMS_PORT} for IPv6"
    )
    client: int = client_wport()
    server: int = server_wport()
    auth: str = option(
        "none", ValueKind(""), "--auth", help="how to authenticate (default {})", choices=MECHANISM_WORDS
    )
    ciphering: str = option(
        _AUTO,
        ValueKind(""),
        "--ciphering",
        help="form of ciphered APDUs (default {}: global with hls5 to hls7, else none)",
        choices=(_AUTO, *CIPHERING_WORDS),
    )
    suite: int = option(0, ValueKind("N", _suite), "--suite", help="security suite (default {})")
    title: bytes = option(DEFAULT_TITLE, TITLE, "--title", help="the client's system title (default {})")
    server_title: bytes | None = option(
        None, TITLE, "--server-title", help="the meter's, where it does not tell it"
    )
    counter: int | None = option(
        None,
        ValueKind("N", _counter),
        "--counter",
        help="begin with this invocation counter (default: above the last one used)",
    )
    learn_counter: bool = flag(
        False, "--learn-counter", help="read the invocation counter as the public client first"
    )
    security_setup: int = option(
        0, ValueKind("N", _counter), "--security-setup", help="whose counter that is (default {})"
    )
    user: int | None = option(None, COUNT, "--user", help="number of the user, where the meter has users")
    max_pdu: int = option(0xFFFF, COUNT, "--max-pdu", help="octets of the longest APDU taken (default {})")
    gateway: GatewayPath | None = option(None, GATEWAY, "--gateway", help="a device behind a gateway")
    udp: bool = flag(False, "--udp", help="UDP instead of TCP")
    timeout: float = option(10.0, SOME_SECONDS, "--timeout", help="wait for an answer ({} s)")
    connect_timeout: float = option(LinkOptions.connect_timeout, SECONDS, "--connect-timeout", help="({} s)")
    source: str = option(
        "", ValueKind("HOST[:PORT]"), "--from", help="begin at this address of this computer"
    )
    interface: str = option("", ValueKind("NAME"), "--interface", help="go by this network interface")

    @property
    def mechanism(self) -> int:
        """The number of the mechanism."""
        return MECHANISM_WORDS.index(self.auth)

    @property
    def ciphered(self) -> str:
        """The word for the form of ciphering that is used."""
        if self.ciphering != _AUTO:
            return self.ciphering
        return "global" if self.mechanism >= _CIPHERED_FROM else "none"

    @property
    def meter(self) -> str:
        """The meter's name in what is kept of it. Raises LinkError for an address that is none."""
        return f"{parse_address(self.address)}/{self.server}"

    def access(self, **secret: object) -> MeterAccess:
        """How to associate; `secret` are password and keys. Raises ValueError."""
        return MeterAccess(
            mechanism=self.mechanism,
            title=self.title,
            server_title=self.server_title,
            suite=self.suite,
            ciphering=CIPHERING_WORDS[self.ciphered],
            counter=self.counter,
            max_pdu_size=min(self.max_pdu, 0xFFFF),
            user=self.user,
            timeout=self.timeout,
            gateway=self.gateway,
            **secret,  # type: ignore[arg-type]  # password, keys, own, peer
        )


@asynccontextmanager
async def opened(
    job: AccessJob,
    access: MeterAccess,
    recorder: Recorder | None,
    told: Callable[[Told], None] | None = None,
    discarded: Callable[[WpduDiscarded], None] | None = None,
) -> AsyncIterator[Meter]:
    """The meter of a job, with what is kept of its object list; that is kept where it was read anew.

    Raises LinkError, MeterError.
    """
    host, port = parse_address(job.address)
    source = parse_address(job.source, "", 0) if job.source else LinkAddress("", 0)
    kept = kept_list(job.meter, job.client)
    async with connect_meter(
        host,
        port,
        client=job.client,
        server=job.server,
        access=access,
        udp=job.udp,
        origin=Origin(source.host, source.port, job.interface),
        options=LinkOptions(connect_timeout=job.connect_timeout, answer_timeout=job.timeout),
        recorder=recorder,
        told=told,
        discarded=discarded,
        learn_counter=job.learn_counter or None,
        security_setup=job.security_setup & 0xFF,
        objects=listed_objects(kept).entries if kept is not None else (),
    ) as meter:
        try:
            yield meter
        finally:
            if meter.list_value is not None:
                keep_list(job.meter, job.client, meter.list_value)
