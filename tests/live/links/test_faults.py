"""Errors of the operating system in words: of this system's numbers, of Windows', and of nobody's."""

import errno
import os
import pickle
import socket

import pytest

from cosemscope.live.links.faults import Fault, LinkError, LinkTimeoutError, explain

PEER = "192.0.2.7:4059"


@pytest.mark.parametrize(
    ("number", "windows", "fault", "words"),
    [
        (errno.ECONNREFUSED, 10061, Fault.REFUSED, f"connection refused by {PEER}: nothing listens on that"),
        (errno.ECONNREFUSED, 1225, Fault.REFUSED, f"connection refused by {PEER}"),
        (errno.ENETUNREACH, 10051, Fault.UNREACHABLE, f"no route to {PEER}: the network is unreachable"),
        (errno.ENETUNREACH, 1231, Fault.UNREACHABLE, f"no route to {PEER}: the network is unreachable"),
        (errno.EHOSTUNREACH, 10065, Fault.UNREACHABLE, f"no route to {PEER}: the host is unreachable"),
        (errno.EHOSTUNREACH, 1232, Fault.UNREACHABLE, f"no route to {PEER}: the host is unreachable"),
        (errno.ENETDOWN, 10050, Fault.UNREACHABLE, f"no route to {PEER}: the network is down"),
        (errno.ETIMEDOUT, 10060, Fault.TIMEOUT, f"no answer from {PEER}: the connection timed out"),
        (errno.ECONNRESET, 10054, Fault.RESET, f"connection reset by {PEER}"),
        (errno.ECONNABORTED, 10053, Fault.RESET, f"connection to {PEER} aborted"),
        (errno.ECONNABORTED, 1236, Fault.RESET, f"connection to {PEER} aborted"),
        (errno.EADDRINUSE, 10048, Fault.IN_USE, f"{PEER} is in use by another program"),
        (errno.EADDRNOTAVAIL, 10049, Fault.ADDRESS, f"{PEER} is not an address of this computer"),
        (errno.EAFNOSUPPORT, 10047, Fault.ADDRESS, "this computer does not support the kind of address"),
        (errno.EACCES, 10013, Fault.PERMISSION, f"not allowed to use {PEER}: ports below 1024"),
        (errno.EMSGSIZE, 10040, Fault.TOO_LARGE, f"the WPDU does not fit in a datagram to {PEER}"),
    ],
)
def test_an_error_has_the_same_words_everywhere(number: int, windows: int, fault: Fault, words: str) -> None:
    """By this system's number, and by that of Windows, which counts before it."""
    theirs = OSError(22, "something else")
    theirs.winerror = windows  # type: ignore[attr-defined]
    for error in (OSError(number, os.strerror(number)), theirs):
        found = explain(error, PEER)
        assert found.fault is fault
        assert found.message.startswith(words)


@pytest.mark.parametrize(
    ("error", "fault", "words"),
    [
        (OSError(errno.EPIPE, "x"), Fault.RESET, f"connection reset by {PEER}"),
        (OSError(errno.EPERM, "x"), Fault.PERMISSION, f"not allowed to use {PEER}: a firewall"),
        (OSError(errno.EMFILE, "x"), Fault.FAILED, "too many open files: raise the limit"),
        (OSError(errno.EDOM, "out of reason"), Fault.FAILED, f"the link to {PEER} failed: out of reason"),
        (OSError("no number"), Fault.FAILED, f"the link to {PEER} failed: no number"),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            Fault.ADDRESS,
            f"the host of {PEER} is not known: Name or service not known",
        ),
    ],
)
def test_other_errors(error: OSError, fault: Fault, words: str) -> None:
    """What has no words of its own is told in the system's."""
    found = explain(error, PEER)
    assert (found.fault, str(found).startswith(words)) == (fault, True)


def test_words_of_faults_are_an_interface() -> None:
    """Scripts look at them: none goes, none changes."""
    assert [fault.value for fault in Fault] == [
        *("address", "refused", "unreachable", "timeout", "closed", "reset", "not-wrapper", "truncated"),
        *("too-large", "in-use", "full", "permission", "failed"),
    ]


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        (Fault.TIMEOUT, (TimeoutError, LinkTimeoutError)),
        (Fault.REFUSED, (ConnectionError, ConnectionRefusedError)),
        (Fault.RESET, (ConnectionError, ConnectionResetError)),
        (Fault.CLOSED, (ConnectionError,)),
        (Fault.UNREACHABLE, (ConnectionError,)),
    ],
)
def test_faults_are_the_exceptions_that_python_has_for_them(fault: Fault, kinds: tuple[type]) -> None:
    """`except TimeoutError` catches a time-out; the sentence and the fault stay, also through a pickle."""
    error = LinkError(fault, "a sentence")
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert isinstance(each, LinkError)
        assert all(isinstance(each, kind) for kind in kinds)
        assert (str(each), each.message, each.fault) == ("a sentence", "a sentence", fault)


@pytest.mark.parametrize("fault", [Fault.ADDRESS, Fault.TOO_LARGE, Fault.NOT_WRAPPER, Fault.IN_USE])
def test_other_faults_are_none_of_them(fault: Fault) -> None:
    """They say nothing of time or of a connection."""
    assert not isinstance(LinkError(fault, "a sentence"), OSError)
