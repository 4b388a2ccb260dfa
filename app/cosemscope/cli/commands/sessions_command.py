"""`sessions`: the session tree of a capture, as text for people or JSON lines, a stream each, for scripts."""

import argparse
import json
from typing import Any

import numpy as np

from cosemscope.analysis.annotations import named
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.value_types import Instant, seconds_text
from cosemscope.analysis.filter.session_capture_filter import session_capture_filter
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.analysis.sessions.session_tree import StreamSession, WPortPair, protocol_name
from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.filtering import add_filter_argument, filtered_rows, load_filter
from cosemscope.cli.terminal import show_progress
from cosemscope.streams.tables.framing import Framing
from cosemscope.wording import count, printable

DESCRIPTION = (
    "Print the session tree of a capture: peers, streams, wPort pairs, and what each stream came to. With "
    "--json a stream has also: outcome, cause, cause_packet, exchanges, errors, unanswered, initiator (who "
    "opened the connection, null where its begin was not captured), dlms_client; outcome is complete, "
    "refused, unanswered, broken-off, no-association, push-only, unfinished, no-connection, "
    "connection-refused, one-sided, or null where the stream is not DLMS; capture_filter (BPF that captures "
    "only this stream); and, where there are any, facts: "
    "what foreign framings say in clear, such as names of servers and certificates."
)

#: A link type whose frames have no VLAN tags: the filter is for whoever reads it first of all.
_ANY_LINK = 113


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sessions`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    add_keys_argument(parser)
    add_filter_argument(parser, "only streams with a WPDU that it leaves")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope sessions`; returns the exit status."""
    return with_analysis(arguments, _sessions)


def _sessions(analysis: Analysis, arguments: argparse.Namespace) -> int:
    wanted, keys = load_filter(arguments), load_keys(arguments)
    associations = Associations(analysis.run(), keys)
    left = filtered_rows(wanted, associations)
    stories = _Stories(analysis, associations)
    names = {address: printable(name) for address, name in analysis.reader.names.items()}
    streams = frozenset(np.unique(analysis.wpdus["stream"][left]).tolist())
    for peers in analysis.sessions():
        chosen = [one for one in peers.streams if wanted.is_empty or one.stream in streams]
        if chosen and not arguments.json:
            print(f"{named(peers.client, names)} - {named(peers.server, names)}")
        for session in chosen:
            if arguments.json:
                only = session_capture_filter(analysis, session.stream, link_type=_ANY_LINK)
                told = {**_session_object(session), **stories.keys(session), "capture_filter": only}
                print(json.dumps(told))
            else:
                _print_session(session)
                stories.show(session)
    return 0


class _Stories:
    """What connections came to: the keys for scripts, and a line for people."""

    def __init__(self, analysis: Analysis, associations: Associations) -> None:
        complete(associations, told=show_progress)
        self._streams = analysis.streams
        facts = capture_facts(analysis)
        self._outcomes = facts.outcomes
        self._sentences = CauseSentences(analysis, facts)
        self._foreign = analysis.foreign_facts()

    def keys(self, session: StreamSession) -> dict[str, Any]:
        """Outcome, cause and counts; null where it does not apply."""
        outcomes, stream = self._outcomes, session.stream
        packet, side = int(outcomes.packet[stream]), int(outcomes.client_side[stream])
        dlms = int(outcomes.outcome[stream]) != ConnectionOutcome.NOT_DLMS
        return {
            "outcome": ConnectionOutcome(int(outcomes.outcome[stream])).word if dlms else None,
            "cause": self._sentences.sentence(stream) or None,
            "cause_packet": packet + 1 if packet >= 0 else None,
            "exchanges": int(outcomes.exchanges[stream]),
            "errors": int(outcomes.errors[stream]),
            "unanswered": int(outcomes.unanswered[stream]),
            "initiator": str(session.client) if self._streams["start_seen"][stream] else None,
            "dlms_client": str((session.client, session.server)[side]) if side >= 0 else None,
            **({"facts": self._foreign[stream]} if stream in self._foreign else {}),
        }

    def show(self, session: StreamSession) -> None:
        """The outcome, and its cause with the packet."""
        told = self.keys(session)
        if told["outcome"] is not None:
            at = f" (packet {told['cause_packet']:,})" if told["cause_packet"] else ""
            print(f"    {told['outcome']}: {told['cause']}{at}")
        for fact in told.get("facts", ()):
            print(f"    {printable(fact)}")


def _session_object(session: StreamSession) -> dict[str, Any]:
    return {
        "protocol": protocol_name(session.protocol),
        "stream": session.stream,
        "client": str(session.client),
        "server": str(session.server),
        "wports": [_pair_object(pair) for pair in session.wports],
        "packets": session.packets,
        "wpdus": session.wpdus,
        "bytes": session.octets,
        "first_time": seconds_text(session.first_time),
        "last_time": seconds_text(session.last_time),
        "framing": session.framing.word,
    }


def _pair_object(pair: WPortPair) -> dict[str, Any]:
    return {
        "client_wport": pair.client_wport,
        "server_wport": pair.server_wport,
        "client_name": pair.client_name,
        "server_name": pair.server_name,
        "wpdus": pair.wpdus,
        "bytes": pair.octets,
        "first_time": seconds_text(pair.first_time),
        "last_time": seconds_text(pair.last_time),
    }


def _print_session(session: StreamSession) -> None:
    times = f"{_clock(session.first_time)} to {_clock(session.last_time)}"
    # What HDLC carries is no WPDU.
    unit = "WPDU" if session.framing in (Framing.WRAPPER, Framing.SWAPPED) else "APDU"
    print(
        f"  {protocol_name(session.protocol)} {session.stream}  {session.client} > {session.server}  "
        f"{session.framing.label}: {count(session.packets, 'packet')}, {count(session.wpdus, unit)}, "
        f"{count(session.octets, 'octet')}, {times}"
    )
    for pair in session.wports:
        client = f"{pair.client_wport} ({pair.client_name})"
        server = f"{pair.server_wport} ({pair.server_name})"
        print(
            f"    wPorts {client} - {server}: "
            f"{count(pair.wpdus, unit)}, {count(pair.octets, 'octet')}, "
            f"{_clock(pair.first_time)} to {_clock(pair.last_time)}"
        )


def _clock(time: int) -> str:
    """Local date and time with milliseconds."""
    return Instant().text(time)[:23]
