"""Whose fault it was: the local user of the transport layer, or the peer.

`LocalProtocolError` is raised at whoever asked for what the state does not allow; nothing has changed then.
`RemoteProtocolError` is never raised by the transport layer: it comes among the events, as the peer may send
what it likes. It is an exception all the same, so that a script may raise it.
"""

from cosemscope.transport.wpdu import BadVersion, Trailing, Truncated


class ProtocolError(Exception):
    """A rule of the transport layer was broken."""


class LocalProtocolError(ProtocolError):
    """A call or primitive that is not allowed now; `state` names the state that forbids it."""

    def __init__(self, message: str, state: str = "") -> None:
        super().__init__(message)
        self.state = state


class RemoteProtocolError(ProtocolError):
    """The peer broke the framing; `problem` says how and where, in offsets of its stream or datagram."""

    def __init__(self, problem: BadVersion | Truncated | Trailing) -> None:
        super().__init__(_sentence(problem))
        self.problem = problem

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteProtocolError) and other.problem == self.problem

    def __hash__(self) -> int:
        return hash(self.problem)


def _sentence(problem: BadVersion | Truncated | Trailing) -> str:
    if isinstance(problem, BadVersion):
        return (
            f"octet {problem.start}: a WPDU header with version 1 is due, but here stands "
            f"{problem.octets.hex(' ')} (version 0x{problem.version:04X})"
        )
    if isinstance(problem, Trailing):
        return f"octet {problem.start}: {len(problem.octets)} octets stand after the WPDU of a datagram"
    if problem.header is None:
        return (
            f"octet {problem.start}: the octets end inside a WPDU header "
            f"({len(problem.octets)} of 8 octets are there)"
        )
    return (
        f"octet {problem.start}: a WPDU of {problem.header.length} octets of data ends "
        f"{problem.missing} octets too early"
    )
