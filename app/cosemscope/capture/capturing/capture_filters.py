"""Capture filters (BPF): the one that fits DLMS, and checks of what a user types, away from his thread.

`tcp port 4059` alone misses what lies inside VLAN tags, and all but the first fragment of an IP packet, which
has no ports. Later fragments are taken whatever they belong to; that they are ours is seen when they are
put together.
"""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cosemscope.capture.capturing import libpcap
from cosemscope.capture.filter_text import LATER_FRAGMENTS, behind_tags

DLMS_PORT = 4059


def dlms_filter(ports: Sequence[int] = (DLMS_PORT,), link_type: int = 1) -> str:
    """The filter for DLMS over these TCP and UDP ports, for interfaces of that link type.

    >>> dlms_filter((4059,), link_type=113)
    'port 4059 or (ip[6:2] & 0x1fff) != 0 or ip6[6] = 44'
    """
    plain = " or ".join([*(f"port {port}" for port in ports), LATER_FRAGMENTS])
    return behind_tags(plain, link_type)


class FilterVerdict(NamedTuple):
    """Verdict on a capture filter: `error` is empty when it is right.

    `checked` is false when there is no library to check it; the capture will then tell.
    """

    text: str
    error: str
    checked: bool = True

    @property
    def right(self) -> bool:
        """True when a capture can begin with it, as far as is known."""
        return not self.error


def check_filter(text: str, link_type: int = 1) -> FilterVerdict:
    """Compile `text` for a link type. May take long, since names are looked up: not for a GUI's thread."""
    if not text.strip():
        return FilterVerdict(text, "")
    try:
        error = libpcap.filter_error(text, link_type)
    except libpcap.LibpcapError:
        return FilterVerdict(text, "", checked=False)
    return FilterVerdict(text, error or "")


class FilterChecker:
    """Checks filters as they are typed, in a thread of its own: only the latest one is of interest.

    `on_verdict` is called in that thread, not for a text that was replaced before its turn came.
    """

    def __init__(self, on_verdict: Callable[[FilterVerdict], None]) -> None:
        self._on_verdict = on_verdict
        self._changed = threading.Condition()
        self._wanted: tuple[str, int] | None = None
        self._closed = False
        threading.Thread(target=self._work, name="capture filter", daemon=True).start()

    def check(self, text: str, link_type: int = 1) -> None:
        """Check this one next, in place of any that still waits."""
        with self._changed:
            self._wanted = text, link_type
            self._changed.notify()

    def close(self) -> None:
        """Give no more verdicts. A look-up that is under way is not waited for."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._wanted is None and not self._closed:
                    self._changed.wait()
                if self._closed or self._wanted is None:
                    return
                text, link_type = self._wanted
                self._wanted = None
            verdict = check_filter(text, link_type)
            with self._changed:
                if self._closed:
                    return
                if self._wanted is not None:
                    continue
            self._on_verdict(verdict)
