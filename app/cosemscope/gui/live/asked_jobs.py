"""Jobs of live commands as a person asks for them: checks of what is typed, titles, what is remembered.

What a window needs to know of each kind of job is one row of `KINDS`.
"""

import re
from typing import NamedTuple, TypeVar

from cosemscope.capture.capturing.capture_events import CAPTURE_EVENTS
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.capturing.windows_only import title_of
from cosemscope.capture.events import Event, Vocabulary
from cosemscope.capture.job_options import job_of_words, words_of
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.listen_job import ListenJob
from cosemscope.live.commands.live_events import LIVE_EVENTS
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import LinkError
from cosemscope.live.meter.meter_events import METER_EVENTS
from cosemscope.live.meter.meter_job import MeterJob
from cosemscope.live.relay.relay_events import RELAY_EVENTS
from cosemscope.live.relay.relay_job import RelayJob

LinkJob = ConnectJob | ListenJob
Job = LinkJob | CaptureJob | MeterJob | RelayJob
J = TypeVar("J", ConnectJob, ListenJob, CaptureJob, MeterJob, RelayJob)


class JobKind(NamedTuple):
    """One kind of job in a window: what its process tells, its pane, "" for none, what to do for traffic."""

    vocabulary: Vocabulary[Event]
    pane: str
    waiting: str


KINDS: dict[type[Job], JobKind] = {
    CaptureJob: JobKind(CAPTURE_EVENTS, "", "No WPDU yet: waiting for traffic. Ctrl+E stops the capture."),
    ConnectJob: JobKind(
        LIVE_EVENTS, "link", "No WPDU yet: choose or type an APDU under “Test link”, and send it."
    ),
    ListenJob: JobKind(LIVE_EVENTS, "link", "No WPDU yet: waiting for somebody who connects or sends."),
    MeterJob: JobKind(
        METER_EVENTS, "meter", "No WPDU yet: waiting for a client that associates with the meter."
    ),
    RelayJob: JobKind(RELAY_EVENTS, "relay", "No WPDU yet: waiting for a client that connects to the relay."),
}
#: Names of the panes of what is live.
LIVE_PANES = tuple(dict.fromkeys(kind.pane for kind in KINDS.values() if kind.pane))
#: Commands whose packets alone are nothing that anybody would miss.
LINK_COMMANDS = tuple(job.command for job, kind in KINDS.items() if kind.pane)


def title_of_job(job: Job) -> str:
    """Whom a job is about, for headings."""
    match job:
        case ConnectJob():
            return f"{parse_address(job.address)} over {'UDP' if job.udp else 'TCP'}"
        case ListenJob():
            transports = [name for name, there in (("TCP", job.tcp), ("UDP", job.udp)) if there]
            return f"{parse_address(job.address)}, {' and '.join(transports)}"
        case MeterJob():
            transports = [name for name, there in (("TCP", job.tcp), ("UDP", job.udp)) if there]
            return f"Meter at {job.addresses()[0]}, {' and '.join(transports)}"
        case RelayJob():
            routes = job.all_routes()
            more = f" and {len(routes) - 1} more" if len(routes) > 1 else ""
            return f"Relay {routes[0].listen} to {routes[0].target}{more}"
        case CaptureJob():
            return f"Capture on {', '.join(map(title_of, job.interfaces))}"


def command_line(job: Job) -> list[str]:
    """The words that have a process do a job, told and commanded as JSON."""
    return [job.command, "--control", *words_of(job)]


def remembered(words: tuple[str, ...], default: J) -> J:
    """The job that was remembered as the words of its options; `default` where they are no such job's."""
    try:
        return job_of_words(type(default), words) if words else default
    except ValueError:
        return default


def ports_of(text: str) -> tuple[int, ...] | None:
    """The ports that `text` lists, separated by commas or spaces; None when something else stands in it."""
    numbers = [int(word) if word.isdecimal() else 0 for word in text.replace(",", " ").split()]
    return tuple(dict.fromkeys(numbers)) if all(1 <= number <= 0xFFFF for number in numbers) else None


def command_in(text: str) -> str:
    """The command that a message says to run; empty when it says none."""
    found = re.search(r"[Rr]un: (\S.*?)(?:\s{2,}|[.;]?$)", text)
    return found[1] if found else ""


def address_trouble(text: str, *, host_needed: bool) -> str:
    """A sentence about the fault of an address as typed; empty when nothing is."""
    if host_needed and not text.strip():
        return "Type the address or the name of a meter or concentrator."
    try:
        address = parse_address(text)
    except LinkError as error:
        return error.message[:1].upper() + error.message[1:] + "."
    if host_needed and not address.port:
        return "Nobody listens on port 0."
    return ""
