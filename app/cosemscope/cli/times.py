"""Times of captures as the commands print them: for people, and for scripts."""

from datetime import datetime

SECOND = 1_000_000_000


class Clock:
    """Local date and time with milliseconds; the text of a second is made once."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self, time: int) -> str:
        """`time` in ns since the epoch; one that no calendar has is given in seconds."""
        second, rest = divmod(time, SECOND)
        if second != self._second:
            try:
                self._text = datetime.fromtimestamp(second).strftime("%Y-%m-%d %H:%M:%S")
            except (ValueError, OSError, OverflowError):
                self._text = f"{second:>19}"
            self._second = second
        return f"{self._text}.{rest // 1_000_000:03d}"


def epoch_seconds(time: int) -> str:
    """Nanoseconds since the epoch as seconds: a decimal number with nine places."""
    sign = "-" if time < 0 else ""
    second, rest = divmod(abs(time), SECOND)
    return f"{sign}{second}.{rest:09d}"
