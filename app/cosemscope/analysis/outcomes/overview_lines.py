"""The overview of a capture in ten lines that somebody can read who has no time for it.

Each is told in parts; a part may lead to what it tells of: by a display filter, to a WPDU or a stream.
"""

from typing import NamedTuple

from cosemscope.analysis.outcomes.capture_overview import CaptureOverview, MostOf
from cosemscope.wording import calendar, count, duration, short_duration, size, zone_text

_SECOND = 1_000_000_000
#: How exchanges ended, and the noun of those that have one; those that are told of when there are none too.
_ENDED = {
    "answered": "",
    "errors": "error",
    "unanswered": "",
    "notifications": "notification",
    "unfinished": "",
    "unasked": "",
    "unconfirmed": "",
}
_UNOPENED = "security.policy contains encrypted && !inner"
_ALWAYS = ("answered", "errors", "unanswered")
_STATUS = {"errors": "error", "notifications": "notification"}


class OverviewPart(NamedTuple):
    """Some words of a line.

    `filter` is the display filter of the WPDUs that they count, `wpdu` the number of the one that they are
    about, `stream` a stream without WPDUs; "" and -1 for none.
    """

    text: str
    filter: str = ""
    wpdu: int = -1
    stream: int = -1


class OverviewLine(NamedTuple):
    """One line: what it is about, and its parts."""

    head: str
    parts: tuple[OverviewPart, ...]

    @property
    def text(self) -> str:
        """The line behind its head."""
        return "".join(part.text for part in self.parts)


def overview_lines(found: CaptureOverview, name: str) -> dict[str, str]:
    """The ten lines of a capture of this name, each by what it is about."""
    return {line.head: line.text for line in overview_parts(found, name)}


def overview_parts(found: CaptureOverview, name: str) -> list[OverviewLine]:
    """The same lines in parts."""
    return [
        OverviewLine("Capture", (OverviewPart(f"{name}: {count(found.packets, 'packet')}{_span(found)}"),)),
        OverviewLine("Meters", _meters(found)),
        OverviewLine("Outcomes", _outcomes(found)),
        OverviewLine("Exchanges", _exchanges(found)),
        OverviewLine("Response times", _times(found)),
        OverviewLine("Slowest", _slowest(found)),
        OverviewLine("Most errors", _most_of(found)),
        OverviewLine("First trouble", _trouble(found)),
        OverviewLine("Expert items", _expert(found)),
        OverviewLine("Not DLMS", _not_dlms(found)),
    ]


def _plain(text: str) -> OverviewPart:
    return OverviewPart(text)


def _counted(text: str, number: int, wanted: str) -> OverviewPart:
    """A count with the display filter of what it counts, where there is any."""
    return OverviewPart(text, wanted if number else "")


def _meters(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    good = (
        "" if not found.meters else f", {found.complete_meters:,} without a connection that failed or was cut"
    )
    return (
        _plain(f"{found.meters:,}{good}; {count(found.clients, 'client')}; "),
        _counted(count(found.tcp_connections, "TCP connection"), found.tcp_connections, "protocol == tcp"),
        _plain(", "),
        _counted(count(found.udp_flows, "UDP flow"), found.udp_flows, "protocol == udp"),
    )


def _outcomes(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    connections = found.tcp_connections + found.udp_flows
    parts: list[OverviewPart] = []
    for word, number in found.outcomes.items():
        parts += [_plain(", ")] if parts else []
        text = f"{number:,} {word} ({_share(number, connections)})"
        parts.append(OverviewPart(text, f"stream.outcome == {word}"))
    return tuple(parts) or (_plain("none"),)


def _exchanges(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    parts = [_plain(f"{found.exchanges:,}: ")]
    for name, text in _ENDED.items():
        number = getattr(found, name)
        if number or name in _ALWAYS:
            told = count(number, text) if text else f"{number:,} {name}"
            parts += [_plain(", ")] if len(parts) > 1 else []
            parts.append(_counted(told, number, f"exchange.status == {_STATUS.get(name, name)}"))
    if found.unopened:
        parts += [
            _plain("; "),
            OverviewPart(f"{found.unopened:,} ciphered and not opened", _UNOPENED),
            _plain(", what they hold is not known"),
        ]
    return tuple(parts)


def _share(number: int, total: int) -> str:
    """A share in per cent, never 0 of something or 100 of less than all."""
    share = 100 * number / total
    if number < total and share > 99:
        return "over 99 %"
    return "under 1 %" if share < 1 else f"{share:.0f} %"


def _span(found: CaptureOverview) -> str:
    if found.first_time < 0:
        return ""
    begin, end = (calendar(time // _SECOND) for time in (found.first_time, found.last_time))
    zone = zone_text(found.last_time // _SECOND)
    return f" in {duration(found.last_time - found.first_time)}, {begin} to {end} ({zone})"


def _times(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    if found.median < 0:
        return (_plain("none"),)
    median, most, longest = map(short_duration, (found.median, found.p95, found.longest))
    within = f"response_time >= {_milliseconds(found.p95)}"
    return (
        _plain(f"median {median}, 95 % within "),
        OverviewPart(most, within),
        _plain(", longest "),
        OverviewPart(longest, f"response_time >= {_milliseconds(found.longest)}"),
    )


def _milliseconds(time: int) -> str:
    """A time in ns as display filters take it, whole."""
    whole, rest = divmod(time, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") + "ms"


def _slowest(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    slowest = found.slowest
    if slowest is None:
        return (_plain("none"),)
    took = short_duration(slowest.response_time)
    return (
        _plain(f"{slowest.meter}, {slowest.about} took {took} ("),
        OverviewPart(f"its WPDU is number {slowest.wpdu:,}", wpdu=slowest.wpdu),
        _plain(")"),
    )


def _most_of(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    return (
        _most(found.most_errors, "error", "error"),
        _plain("; most unanswered: "),
        _most(found.most_unanswered, "request", "unanswered"),
    )


def _most(most: MostOf | None, noun: str, status: str) -> OverviewPart:
    if most is None:
        return _plain("none")
    text = f"{most.meter} with {count(most.number, noun)}" + (f", {most.result}" if most.result else "")
    return OverviewPart(text, f"meter == {most.meter} && exchange.status == {status}")


def _trouble(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    trouble = found.first_trouble
    if trouble is None:
        return (_plain("none"),)
    at = f" (packet {trouble.packet:,})" if trouble.packet else ""
    exchange = trouble.exchange
    wanted = f"stream == {trouble.stream}" if exchange is None else f"exchange == {exchange}"
    where = f"stream {trouble.stream}" if exchange is None else f"exchange {exchange:,}"
    return (_plain(f"{trouble.meter}, "), OverviewPart(where, wanted), _plain(f": {trouble.cause}{at}"))


def _expert(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    items = found.expert
    if not (items.errors or items.warnings):
        return (_plain(f"0 errors, 0 warnings, {count(items.notes, 'note')}"),)
    return (
        _counted(count(items.errors, "error"), items.errors, "expert.severity == error"),
        _plain(", "),
        _counted(count(items.warnings, "warning"), items.warnings, "expert.severity == warning"),
        _plain(f", {count(items.notes, 'note')}; most: "),
        OverviewPart(f"{items.number:,} {items.item}", f"expert.item == {items.item}"),
    )


def _not_dlms(found: CaptureOverview) -> tuple[OverviewPart, ...]:
    rest = found.not_dlms
    if not (rest.tcp_connections or rest.udp_flows or rest.other_packets):
        return (_plain("nothing"),)
    share = f" ({_share(rest.octets, found.octets)} of the payload)" if rest.octets else ""
    return (
        OverviewPart(count(rest.tcp_connections, "TCP connection"), stream=found.first_others[0]),
        _plain(", "),
        OverviewPart(count(rest.udp_flows, "UDP flow"), stream=found.first_others[1]),
        _plain(f" with {size(rest.octets)}{share}, {count(rest.other_packets, 'packet')} without TCP or UDP"),
    )
