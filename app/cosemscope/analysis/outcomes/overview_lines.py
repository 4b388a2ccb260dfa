"""The overview of a capture in ten lines that somebody can read who has no time for it."""

from cosemscope.analysis.outcomes.capture_overview import CaptureOverview, MostOf
from cosemscope.wording import calendar, count, duration, short_duration, size

_SECOND = 1_000_000_000


def overview_lines(found: CaptureOverview, name: str) -> dict[str, str]:
    """The ten lines of a capture of this name, each by what it is about."""
    connections = found.tcp_connections + found.udp_flows
    outcomes = ", ".join(
        f"{number:,} {word} ({_share(number, connections)})" for word, number in found.outcomes.items()
    )
    return {
        "Capture": f"{name}: {count(found.packets, 'packet')}{_span(found)}",
        "Meters": f"{found.meters:,}, of which {found.complete_meters:,} had every connection complete; "
        f"{count(found.clients, 'client')}",
        "Connections": f"{connections:,}: {count(found.tcp_connections, 'TCP connection')}, "
        f"{count(found.udp_flows, 'UDP flow')}",
        "Outcomes": outcomes or "none",
        "Exchanges": f"{found.exchanges:,}: {found.answered:,} answered, {count(found.errors, 'error')}, "
        f"{found.unanswered:,} unanswered, {count(found.notifications, 'notification')}{_others(found)}",
        "Response times": _times(found),
        "Slowest": _slowest(found),
        "Most errors": f"{_most(found.most_errors, 'error')}; "
        f"most unanswered: {_most(found.most_unanswered, 'request')}",
        "First trouble": _trouble(found),
        "Not DLMS": _not_dlms(found),
    }


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
    return f" in {duration(found.last_time - found.first_time)}, {begin} to {end}"


def _times(found: CaptureOverview) -> str:
    if found.median < 0:
        return "none"
    median, most, longest = map(short_duration, (found.median, found.p95, found.longest))
    return f"median {median}, 95 % within {most}, longest {longest}"


def _slowest(found: CaptureOverview) -> str:
    if found.slowest is None:
        return "none"
    slowest = found.slowest
    took = short_duration(slowest.response_time)
    return f"{slowest.meter}, {slowest.about} took {took} (WPDU {slowest.wpdu:,})"


def _most(most: MostOf | None, noun: str) -> str:
    if most is None:
        return "none"
    return f"{most.meter} with {count(most.number, noun)}" + (f", {most.result}" if most.result else "")


def _trouble(found: CaptureOverview) -> str:
    if found.first_trouble is None:
        return "none"
    trouble = found.first_trouble
    at = f" (packet {trouble.packet:,})" if trouble.packet else ""
    return f"{trouble.meter}, stream {trouble.stream}: {trouble.cause}{at}"


def _not_dlms(found: CaptureOverview) -> str:
    rest = found.not_dlms
    if not (rest.tcp_connections or rest.udp_flows or rest.other_packets):
        return "nothing"
    share = f" ({_share(rest.octets, found.octets)} of the payload)" if rest.octets else ""
    return (
        f"{count(rest.tcp_connections, 'TCP connection')}, {count(rest.udp_flows, 'UDP flow')} with "
        f"{size(rest.octets)}{share}, {count(rest.other_packets, 'packet')} without TCP or UDP"
    )


def _others(found: CaptureOverview) -> str:
    """What is left of the exchanges: those that ended in none of the usual ways."""
    told = found.answered + found.errors + found.unanswered + found.notifications
    rest = found.exchanges - told
    return f", {rest:,} unfinished, unasked or unconfirmed" if rest else ""
