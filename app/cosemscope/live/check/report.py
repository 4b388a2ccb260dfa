"""A report of a transport check as one HTML file: no script, nothing loaded from elsewhere, fit for printing.

First who was tested, when and how it ended; then one table of verdicts; then
each check with what was sent, what came back and when. A verdict is a word
and a sign, never colour alone.
"""

from collections.abc import Iterator
from html import escape
from itertools import groupby

from cosemscope.live.check.bench import CheckVerdict
from cosemscope.live.check.probe import ProbeStep, StepKind
from cosemscope.live.check.runner import CheckResult, Report, header_of, limits_of
from cosemscope.page_skeleton import page_foot, page_head
from cosemscope.transport.wpdu import HEADER_SIZE

_SHOWN_CRUMBS = 3
_SIGNS = {
    CheckVerdict.FAILED: "✗",
    CheckVerdict.INCONCLUSIVE: "?",
    CheckVerdict.PASSED: "✓",
    CheckVerdict.INAPPLICABLE: "–",
}
_ORDER = {verdict: place for place, verdict in enumerate(CheckVerdict)}
_HEADER_TITLES = ("version", "source wPort", "destination wPort", "length")
_OUTWARD = {StepKind.SENT, StepKind.FINISHED, StepKind.CLOSED, StepKind.RESET}
_INWARD = {StepKind.RECEIVED, StepKind.PEER_FINISHED, StepKind.FAULT}

_STYLE = """
body { max-width: 62rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } h3 { font-size: 1rem; margin: 0; }
p.lead { margin: 0 0 1.2rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0 0 1.2rem; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; }
.tiles { display: flex; gap: .8rem; margin: 1rem 0; }
.tile { flex: 1; border: 1px solid var(--line); border-top: 4px solid currentColor; padding: .5rem .9rem; }
.tile b { display: block; font-size: 1.7rem; line-height: 1.2; }
.passed { color: var(--good); } .failed { color: var(--error); } .inconclusive { color: var(--warning); }
.inapplicable { color: var(--soft); }
table { width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .32rem .6rem .32rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .85rem; }
td.verdict { white-space: nowrap; font-weight: 600; }
td.time, th.time { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
section.check { margin: 1.4rem 0; border: 1px solid var(--line); }
section.check > header { display: flex; gap: 1rem; align-items: baseline; background: var(--ground);
  padding: .5rem .9rem; border-bottom: 1px solid var(--line); }
section.check > header h3 { flex: 1; }
section.check > header span { font-weight: 600; white-space: nowrap; }
section.check .body { padding: .6rem .9rem .8rem; }
section.check dl { margin-bottom: .6rem; }
table.steps { table-layout: fixed; } table.steps td { font-size: .87rem; }
table.steps th:nth-child(1) { width: 4.2rem; }
table.steps th:nth-child(2) { width: 8.2rem; } table.steps td:nth-child(2) { white-space: nowrap; }
code { font: .82rem/1.45 ui-monospace, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
code .field { border-bottom: 1px solid currentColor; } small { color: var(--soft); }
code.out { color: var(--note); } code.in { color: var(--other); }
@media print { section.check > header { break-after: avoid; } dl, .tiles { break-inside: avoid; } }
"""


def html_report(report: Report) -> str:
    """The whole document, to be written as UTF-8."""
    options = report.options
    facts = (
        ("Server", _target(report)),
        ("Meter", options.meter),
        ("Firmware", options.firmware),
        ("Tester", options.tester),
        ("wPorts", _wports(report)),
        ("Begun", report.started.strftime("%Y-%m-%d %H:%M:%S %z")),
        ("Took", f"{report.seconds:.1f} s"),
        ("Limits", ", ".join(f"{name} {value:g} s" for name, value in limits_of(options).items())),
        ("Tested with", f"Cosemscope {report.version}"),
    )
    parts = (
        *page_head(f"Transport check of {report.target}", _STYLE),
        '<p class="lead">IEC 62056-4-7, DLMS/COSEM transport layer for IP networks: '
        "UDP and TCP with the wrapper.</p>",
        _facts(facts),
        _tiles(report),
        "<h2>Result</h2>",
        _summary(report),
        "<h2>Each check</h2>",
        *(_section(result) for result in _failed_first(report)),
        *page_foot(
            report.version,
            "<p>“Inconclusive” means that what was seen proves neither, or that the standard gives no rule; "
            "“inapplicable” that there was nothing to check. A check that fails is run again behind a plain "
            "exchange that works. Only harmless APDUs were sent (public client AARQ, RLRQ), and only to the "
            "address above and a group address that was named. "
            "Times are seconds since the check began, as seen by the tester.</p>",
        ),
    )
    return "\n".join(parts) + "\n"


def _failed_first(report: Report) -> list[CheckResult]:
    """The results, those that want attention first, else in the order in which they were run."""
    return sorted(report.results, key=lambda result: _ORDER[result.finding.verdict])


def _wports(report: Report) -> str:
    options = report.options
    second = f" and {options.second}" if options.second else ""
    return f"client {options.client}, server {options.server}{second}"


def _target(report: Report) -> str:
    address = str(report.address)
    return address if report.target == address else f"{report.target} ({address})"


def _facts(pairs: tuple[tuple[str, str], ...]) -> str:
    told = ((name, value) for name, value in pairs if value)
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in told)
    return f'<dl class="facts">{rows}</dl>'


def _tiles(report: Report) -> str:
    tiles = "".join(
        f'<div class="tile {verdict.value}"><b>{report.count(verdict)}</b>'
        f"{_SIGNS[verdict]} {verdict.value}</div>"
        for verdict in CheckVerdict
    )
    return f'<div class="tiles">{tiles}</div>'


def _verdict(result: CheckResult) -> str:
    verdict = result.finding.verdict
    return f'<span class="{verdict.value}">{_SIGNS[verdict]} {verdict.value}</span>'


def _summary(report: Report) -> str:
    rows = "".join(
        f'<tr><td class="verdict">{_verdict(result)}</td>'
        f'<td><a href="#{result.check.key}">{escape(result.check.title)}</a></td>'
        f"<td>{escape(result.check.clause)}</td><td>{escape(result.finding.reason)}</td>"
        f'<td class="time">{result.seconds:.3f}</td></tr>'
        for result in _failed_first(report)
    )
    head = '<tr><th>Verdict</th><th>Check</th><th>Clause</th><th>Reason</th><th class="time">s</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _section(result: CheckResult) -> str:
    check = result.check
    facts = (
        ("Clause", check.clause),
        ("Rule", check.rule),
        ("Our reading", check.reading),
        ("Sent", check.sends),
        ("Expected", check.expects),
        ("Found", result.finding.reason),
    )
    return (
        f'<section class="check" id="{check.key}">'
        f"<header><h3>{escape(check.title)}</h3>{_verdict(result)}</header>"
        f'<div class="body">{_facts(facts)}{_steps(result.steps)}</div></section>'
    )


def _steps(steps: tuple[ProbeStep, ...]) -> str:
    if not steps:
        return ""
    rows = "".join(
        f'<tr><td class="time">{step.time:.3f}</td><td>{_arrow(step.kind)} {step.kind.value}</td>'
        f"<td>{_octets(step)}{escape(step.text)}</td></tr>"
        for step in _folded(steps)
    )
    head = '<tr><th class="time">s</th><th>Step</th><th>Octets, or what happened</th></tr>'
    return f'<table class="steps"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _folded(steps: tuple[ProbeStep, ...]) -> Iterator[ProbeStep]:
    """The steps, many segments of one octet each in one row."""
    for (kind, single), run in groupby(steps, lambda step: (step.kind, len(step.octets) == 1)):
        group = list(run)
        if kind is StepKind.SENT and single and len(group) > _SHOWN_CRUMBS:
            octets = b"".join(step.octets for step in group)
            words = f"in {len(group)} segments of one octet each, the last at {group[-1].time:.3f} s"
            yield ProbeStep(group[0].time, kind, octets, words)
        else:
            yield from group


def _arrow(kind: StepKind) -> str:
    if kind in _OUTWARD:
        return "→"
    return "←" if kind in _INWARD else "·"


def _octets(step: ProbeStep) -> str:
    if not step.octets:
        return ""
    side = "out" if step.kind is StepKind.SENT else "in"
    header = header_of(step)
    if header is None:
        return f'<code class="{side}">{step.octets.hex(" ")}</code> '
    parts = (step.octets[start : start + 2].hex(" ") for start in range(0, HEADER_SIZE, 2))
    fields = " ".join(f'<span class="field">{part}</span>' for part in parts)
    words = ", ".join(f"{title} {value}" for title, value in zip(_HEADER_TITLES, header, strict=True))
    rest = step.octets[HEADER_SIZE:].hex(" ")
    return f'<code class="{side}">{fields} {rest}</code><br><small>{words}</small> '
