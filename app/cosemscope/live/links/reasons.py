"""Between faults of sockets and the reasons that the transport layer's primitives carry."""

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.errors import RemoteProtocolError
from cosemscope.transport.parameters import ReasonOfFailure
from cosemscope.transport.wpdu import BadVersion, Truncated

_REASONS = {
    Fault.REFUSED: ReasonOfFailure.REFUSED,
    Fault.UNREACHABLE: ReasonOfFailure.UNREACHABLE,
    Fault.TIMEOUT: ReasonOfFailure.TIMED_OUT,
    Fault.RESET: ReasonOfFailure.RESET,
    Fault.CLOSED: ReasonOfFailure.LINK_LOST,
    Fault.FAILED: ReasonOfFailure.LINK_LOST,
}
#: What the first octets of something that is no WPDU tell about what it is.
_LOOKS_LIKE = (
    (b"\x7e", "it looks like HDLC"),
    (b"\x01\x00", "it looks like a WPDU with its octets swapped"),
    (b"/", "it looks like IEC 62056-21 text"),
    (b"\x16\x03", "it looks like TLS"),
    (b"HTTP", "it looks like HTTP"),
    (b"\x60", "it looks like an APDU without a wrapper"),
    (b"\x61", "it looks like an APDU without a wrapper"),
    (b"\xc4", "it looks like an APDU without a wrapper"),
)


def reason_of(fault: LinkError) -> ReasonOfFailure:
    """The Reason_of_Failure for a fault of the socket."""
    return _REASONS.get(fault.fault, ReasonOfFailure.LOCAL_ERROR)


def words_of(
    reason: ReasonOfFailure | None,
    peer: LinkAddress,
    options: LinkOptions,
    problem: RemoteProtocolError | None,
) -> LinkError:
    """The fault and sentence for a connection that the transport layer gave up for `reason`."""
    if problem is not None and isinstance(problem.problem, BadVersion):
        return _not_wrapper(problem.problem, peer)
    if problem is not None and isinstance(problem.problem, Truncated):
        missing = problem.problem.missing
        return LinkError(
            Fault.TRUNCATED,
            f"{peer} closed the connection inside a WPDU: at least {missing} octets are missing",
        )
    if reason is ReasonOfFailure.WPDU_TIMED_OUT:
        words = f"the rest of a WPDU from {peer} did not come in {options.wpdu_timeout:g} s"
        return LinkError(Fault.TRUNCATED, words)
    if reason is ReasonOfFailure.INACTIVE:
        words = f"nothing came from {peer} for {options.inactivity_timeout:g} s: connection given up"
        return LinkError(Fault.TIMEOUT, words)
    if reason is ReasonOfFailure.NOT_READING:
        return LinkError(Fault.TIMEOUT, f"{peer} reads nothing: gave up after {options.send_timeout:g} s")
    if reason is ReasonOfFailure.RESET:
        return LinkError(Fault.RESET, f"connection reset by {peer}")
    return LinkError(Fault.RESET, f"the connection to {peer} was lost")


def looks_like(octets: bytes) -> str:
    """What octets that stand in the place of a header look like, as the end of a sentence; often empty."""
    looks = next((words for start, words in _LOOKS_LIKE if octets.startswith(start)), None)
    return f"; {looks}" if looks else ""


def _not_wrapper(problem: BadVersion, peer: LinkAddress) -> LinkError:
    hint = looks_like(problem.octets)
    return LinkError(
        Fault.NOT_WRAPPER,
        f"not a wrapper: {peer} sent {problem.octets.hex(' ')}, where a WPDU header must stand{hint}",
    )
