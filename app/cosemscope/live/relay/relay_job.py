"""The relay as a job: its routes, its breakpoint, its commands and its end."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cosemscope.capture.events import not_obeyed
from cosemscope.capture.job_options import flag, option
from cosemscope.capture.option_values import COUNT, FILE, SECONDS, SOME_SECONDS, ValueKind
from cosemscope.live.commands.live_events import CloseLink, Commands, Report
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.live.relay.breakpoints import Breakpoints, MakeMatches
from cosemscope.live.relay.held_edits import MOST_SECONDS, HeldEdit, parse_edit
from cosemscope.live.relay.relay_events import HeldCommand, SetBreakpoint
from cosemscope.live.relay.routes import Route, checked_routes, read_table
from cosemscope.live.relay.tcp_relay import TcpRelay
from cosemscope.live.relay.udp_relay import UdpRelay, known

#: Idle seconds after which a client is asked whether it is still there: one that is not keeps its place.
_CLIENT_KEEP_ALIVE = 60.0

EDIT = ValueKind("WHAT", parse_edit, lambda edit: edit.words if edit else "")


@dataclass(frozen=True)
class RelayJob:
    """A relay: from `listen` to `target`, by more `routes`, by a `table` of them; and its breakpoint."""

    command: ClassVar = "relay"

    listen: str = option(
        "", ValueKind("LISTEN"), help="HOST:PORT, or a port of this computer; 0.0.0.0:PORT is every network"
    )
    target: str = option("", ValueKind("TARGET"), help="HOST[:PORT], port 4059 unless given")
    routes: tuple[str, ...] = option(
        (), ValueKind("LISTEN=TARGET"), "--route", help="one more; may be repeated"
    )
    table: Path | None = option(None, FILE, "--table", help="more, of TOML: [[relay]] with listen, target")
    udp: bool = flag(True, "--tcp-only", help="no UDP", exclusive=True)
    tcp: bool = flag(True, "--udp-only", help="no TCP", exclusive=True)
    limit: int = option(1000, COUNT, "--limit", help="connections at most ({}); others are refused")
    connect_timeout: float = option(
        LinkOptions.connect_timeout, SECONDS, "--connect-timeout", help="to the target ({} s)"
    )
    keep_alive: float | None = option(
        None, SECONDS, "--keep-alive", help="TCP keep-alive to the target after S idle seconds"
    )
    hold: str = option("", ValueKind("FILTER"), "--hold", help="hold WPDUs that this display filter leaves")
    on_match: HeldEdit | None = option(
        None,
        EDIT,
        "--on-match",
        help="what to do with them at once: delay=500ms, drop, double, split=8 (octets), replace=HEX (the "
        "APDU), source=WPORT, destination=WPORT, invoke-id=N, at=8:HEX (octets at a place)",
    )
    hold_seconds: float = option(
        MOST_SECONDS, SOME_SECONDS, "--hold-seconds", help="what is held goes on after so many ({})"
    )

    def all_routes(self) -> tuple[Route, ...]:
        """The routes that it asks for. Raises LinkError (Fault.ADDRESS)."""
        found = []
        if self.listen and not self.target:
            raise LinkError(Fault.ADDRESS, f"{self.listen} leads nowhere: name a TARGET behind it")
        if self.listen:
            found.append(Route.of(self.listen, self.target, tcp=self.tcp, udp=self.udp))
        found += [Route.typed(text, tcp=self.tcp, udp=self.udp) for text in self.routes]
        if self.table is not None:
            found += read_table(self.table, tcp=self.tcp, udp=self.udp)
        return checked_routes(found)


async def run_relay(
    job: RelayJob,
    report: Report,
    make_matches: MakeMatches,
    recorder: Recorder | None = None,
    commands: Commands | None = None,
) -> None:
    """Relay until told to close or cancelled. Raises LinkError, and ValueError for a filter that is none.

    `make_matches` makes of a display filter what breakpoints ask.
    """
    routes = job.all_routes()
    breakpoints = Breakpoints(report, make_matches, job.hold_seconds)
    relay = _Relay(job, report, breakpoints, recorder)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(breakpoints.close)
        if job.hold:
            breakpoints.set(job.hold, job.on_match)
        for target in {route.target for route in routes}:
            await known(target)
        for route in routes:
            await relay.open(route, stack)
        if commands is None:
            await asyncio.Event().wait()
        else:
            await relay.obey(commands)


class _Relay:
    """All routes of one relay."""

    def __init__(
        self, job: RelayJob, report: Report, breakpoints: Breakpoints, recorder: Recorder | None
    ) -> None:
        self._job = job
        self._report = report
        self._breakpoints = breakpoints
        self._recorder = recorder
        self._tcp: list[TcpRelay] = []
        self._udp: list[UdpRelay] = []

    async def open(self, route: Route, stack: contextlib.AsyncExitStack) -> None:
        """Begin one route; UDP is at the port that TCP has got. Raises LinkError."""
        shared = (route, self._report, self._breakpoints, self._recorder)
        at: LinkAddress | None = None
        if route.tcp:
            near = LinkOptions(keep_alive=_CLIENT_KEEP_ALIVE)
            far = LinkOptions(connect_timeout=self._job.connect_timeout, keep_alive=self._job.keep_alive)
            tcp = TcpRelay(*shared, limit=self._job.limit, is_open=self._open_tcp, options=(near, far))
            stack.push_async_callback(tcp.close)
            at = await tcp.open()
            self._tcp.append(tcp)
        if route.udp:
            udp = UdpRelay(*shared, limit=self._job.limit, is_open=self._open_udp)
            stack.push_async_callback(udp.close)
            await udp.open(at)
            self._udp.append(udp)

    async def obey(self, commands: Commands) -> None:
        """Do what commands say, until they say close or end."""
        while not isinstance(command := await commands.get(), CloseLink | None):
            match command:
                case SetBreakpoint() | HeldCommand():
                    self._breakpoints.obey(command)
                    self._follow_breakpoint()
                case _:
                    self._report(not_obeyed(f"a relay does not know {command.word!r}"))

    def _follow_breakpoint(self) -> None:
        """What clients send and get is recorded while there is one; nothing is kept while there is none."""
        for tcp in self._tcp:
            if self._breakpoints.active:
                tcp.record_clients()
            else:
                tcp.let_go()
        for udp in self._udp:
            if self._breakpoints.active:
                udp.record_clients()

    def _open_tcp(self) -> int:
        return sum(map(len, self._tcp))

    def _open_udp(self) -> int:
        return sum(map(len, self._udp))
