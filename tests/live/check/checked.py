"""What the tests of transport checks have in common: quick limits, checks by name, a meter of ours."""

from cosemscope.live.check.bench import Check, CheckOptions, CheckVerdict
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.runner import Report
from cosemscope.live.links.tcp_link import TcpLink
from tests.helpers.meter import Meter

QUICK = CheckOptions(answer=0.4, quiet=0.1, idle=0.25, connect=2, slot=1.0, pause=0.003)


def with_needs(key: str) -> list[Check]:
    """The check named `key` and those that it needs, in the catalogue's order."""
    wanted = next(check for check in CHECKS if check.key == key)
    return [check for check in CHECKS if check is wanted or check.key in wanted.needs]


def verdicts(report: Report) -> dict[str, CheckVerdict]:
    return {result.check.key: result.finding.verdict for result in report.results}


def everything(report: Report) -> str:
    """Verdicts and reasons, for the message of a failed assertion."""
    return "\n".join(f"{each.check.key}: {each.finding}" for each in report.results)


async def serve_meter(link: TcpLink) -> None:
    meter = Meter()
    while True:
        indication = await link.indication()
        if indication.data and not indication.broadcast:
            await link.reply(indication, meter.answer(indication.data))
