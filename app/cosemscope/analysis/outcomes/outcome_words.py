"""The words for outcomes of connections, and for their first causes."""

from enum import IntEnum


class ConnectionOutcome(IntEnum):
    """What a TCP connection or UDP flow came to."""

    COMPLETE = 0  # what was asked was answered, and it ended in order
    REFUSED = 1  # the association, or the authentication in it
    UNANSWERED = 2  # something was asked, got no answer, and was not asked again with more luck
    BROKEN_OFF = 3
    NO_ASSOCIATION = 4
    PUSH_ONLY = 5
    UNFINISHED = 6  # the capture ended first
    NO_CONNECTION = 7  # nobody answered the SYN
    CONNECTION_REFUSED = 8
    ONE_SIDED = 9  # the capture has only one direction of it
    NOT_DLMS = 255

    @property
    def word(self) -> str:
        """The name for scripts: "broken-off"."""
        return self.name.lower().replace("_", "-")


class Cause(IntEnum):
    """The first cause of an outcome."""

    ASSOCIATION_REFUSED = 0
    HLS_REFUSED = 1
    NOT_ANSWERED = 2
    CLOSED_WITHIN = 3  # by a FIN or RST while an exchange was open
    GIVEN_UP = 4  # the asker went on before the last answer
    ABORTED = 5
    CLOSED_UNRELEASED = 6  # by the meter, while nothing was open
    REPLACED = 7  # by another connection between the same ports
    OUTSIDE_ANSWERED = 8  # a request outside an association, answered by an exception
    OUTSIDE_UNANSWERED = 9
    NOTHING_SAID = 10  # connected, and no WPDU came
    NOTHING_ASKED = 11  # WPDUs came, none of which asks or tells anything
    CAPTURE_ENDED_WITHIN = 12
    CAPTURE_ENDED = 13
    SYN_UNANSWERED = 14
    SYN_REFUSED = 15
    ONE_DIRECTION = 16
    PUSHED = 17
    DONE = 18
    TOLD = 19  # messages that are no APDUs, which tell something unasked or order it
    ASSOCIATION_CUT = 20  # by a FIN or RST of the meter's, in the place of an answer to the AARQ
    SYN_OPEN = 21  # the capture ended too soon behind the SYN
    NOTHING_SAID_YET = 22  # the capture ended too soon behind the handshake
    NONE = 255


#: What a connection came to, by its first cause.
OUTCOMES: dict[Cause, ConnectionOutcome] = {
    Cause.ASSOCIATION_REFUSED: ConnectionOutcome.REFUSED,
    Cause.ASSOCIATION_CUT: ConnectionOutcome.REFUSED,
    Cause.HLS_REFUSED: ConnectionOutcome.REFUSED,
    Cause.NOT_ANSWERED: ConnectionOutcome.UNANSWERED,
    Cause.CLOSED_WITHIN: ConnectionOutcome.BROKEN_OFF,
    Cause.GIVEN_UP: ConnectionOutcome.BROKEN_OFF,
    Cause.ABORTED: ConnectionOutcome.BROKEN_OFF,
    Cause.CLOSED_UNRELEASED: ConnectionOutcome.BROKEN_OFF,
    Cause.REPLACED: ConnectionOutcome.BROKEN_OFF,
    Cause.OUTSIDE_ANSWERED: ConnectionOutcome.NO_ASSOCIATION,
    Cause.OUTSIDE_UNANSWERED: ConnectionOutcome.NO_ASSOCIATION,
    Cause.NOTHING_SAID: ConnectionOutcome.NO_ASSOCIATION,
    Cause.NOTHING_ASKED: ConnectionOutcome.NO_ASSOCIATION,
    Cause.CAPTURE_ENDED_WITHIN: ConnectionOutcome.UNFINISHED,
    Cause.CAPTURE_ENDED: ConnectionOutcome.UNFINISHED,
    Cause.SYN_UNANSWERED: ConnectionOutcome.NO_CONNECTION,
    Cause.SYN_OPEN: ConnectionOutcome.UNFINISHED,
    Cause.NOTHING_SAID_YET: ConnectionOutcome.UNFINISHED,
    Cause.SYN_REFUSED: ConnectionOutcome.CONNECTION_REFUSED,
    Cause.ONE_DIRECTION: ConnectionOutcome.ONE_SIDED,
    Cause.PUSHED: ConnectionOutcome.PUSH_ONLY,
    Cause.DONE: ConnectionOutcome.COMPLETE,
    Cause.TOLD: ConnectionOutcome.PUSH_ONLY,
    Cause.NONE: ConnectionOutcome.NOT_DLMS,
}
