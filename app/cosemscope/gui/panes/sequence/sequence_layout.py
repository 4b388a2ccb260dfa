"""Where the arrows of a sequence diagram stand: a line each, further apart after silence, without Qt.

Idle time is compressed: from one pixel a millisecond up to a bound; what is cut is written.
"""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.gui.panes.follow.followed_session import FollowedSession
from cosemscope.wording import printable, short_duration

Numbers = npt.NDArray[np.int64]

#: Pixels from one arrow to the next at least, and by how much idle time may add to that.
LEAST, MOST_IDLE = 26, 60
#: Pixels that an arrow falls at least and at most from its first octet to its last.
_LEAST_FALL, _MOST_FALL = 4, 18
#: Nanoseconds of silence from which on its length is written.
WRITTEN = 1_000_000_000
#: Nanoseconds a pixel of idle time stands for, before it is compressed.
_PIXEL = 1_000_000
#: What Mermaid takes as its own in a text, and what stands for it.
_MERMAID = re.compile(r"[#;<>%]")


class SequenceLayout(NamedTuple):
    """Arrows in order, [n] each: place in the session, WPDU row, `top` in pixels from the diagram's top,
    `fall` in pixels, `gap`: ns of silence before it. `height` is that of the diagram."""

    session: FollowedSession
    place: Numbers
    row: Numbers
    top: Numbers
    fall: Numbers
    gap: Numbers
    height: int

    def shown(self, top: int, bottom: int) -> range:
        """The arrows of which something stands between these heights."""
        first = int(np.searchsorted(self.top, top - LEAST - MOST_IDLE))
        return range(first, int(np.searchsorted(self.top, bottom, "right")))

    def arrow_at(self, height: int) -> int:
        """The arrow nearest to a height, -1 for none."""
        if not len(self.top):
            return -1
        after = int(np.searchsorted(self.top, height))
        near = [one for one in (after - 1, after) if 0 <= one < len(self.top)]
        return min(near, key=lambda one: abs(self.top.item(one) - height))

    def arrow_of(self, row: int) -> int:
        """The arrow of a WPDU row, or of the transfer that it is part of; -1 for none."""
        place = self.session.place(row)
        if place < 0:
            return -1
        for wanted in (place, self.session.standing(place)):
            at = int(np.searchsorted(self.place, wanted))
            if at < len(self.place) and self.place.item(at) == wanted:
                return at
        return -1

    def pause(self, arrow: int) -> str:
        """The silence before an arrow where its length is written, else ""."""
        gap = self.gap.item(arrow)
        return f"{short_duration(gap)} idle" if gap >= WRITTEN else ""


def lay_out(
    session: FollowedSession,
    sent: Numbers,
    displayed: npt.NDArray[np.bool_] | None,
    opened: frozenset[int] = frozenset(),
) -> SequenceLayout:
    """Lay out a session. `sent`, ns by WPDU of the session: from its first octet to its last.

    `displayed`, bool[rows]: which WPDU rows are, None all; `opened`: transfers that are not folded.
    """
    place = session.lines(opened)
    if displayed is not None:
        place = place[displayed[session.rows[place]]]
    times = session.times[place]
    gap = np.maximum(np.diff(times, prepend=times[:1]), 0)
    idle = np.minimum(gap // _PIXEL // 4, MOST_IDLE)
    top = LEAST + np.cumsum(LEAST + idle) if len(place) else np.zeros(0, np.int64)
    fall = np.clip(sent[place] // _PIXEL, _LEAST_FALL, _MOST_FALL)
    height = int(top[-1]) + 2 * LEAST if len(top) else 0
    return SequenceLayout(session, place, session.rows[place], top, fall, gap, height)


def mermaid(layout: SequenceLayout, words: list[str]) -> str:
    """The diagram for Mermaid; `words`: what each arrow says."""
    session = layout.session
    lines = [
        "sequenceDiagram",
        f"  participant C as {escaped(session.client)}",
        f"  participant M as {escaped(session.server)}",
    ]
    for arrow, text in enumerate(words):
        place = layout.place.item(arrow)
        if layout.pause(arrow):
            lines.append(f"  Note over C,M: {layout.pause(arrow)}")
        from_client = session.by_client.item(place)
        kind = "->>" if from_client else "-->>"
        ends = ("C", "M") if from_client else ("M", "C")
        lines.append(f"  {ends[0]}{kind}{ends[1]}: {escaped(text)}")
        if session.unanswered.item(place):
            lines.append("  Note over M: no answer")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """A text of one line in which nothing is Mermaid's own."""
    return _MERMAID.sub(lambda found: f"#{ord(found.group())};", printable(text))
