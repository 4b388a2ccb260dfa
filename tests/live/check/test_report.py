"""Reports of a run: a page that stands alone, and JSON with every step."""

import html.parser
import re

from cosemscope.live.check.report import html_report
from cosemscope.live.check.runner import run_checks
from cosemscope.live.links.addresses import LinkAddress
from tests.helpers.coroutines import run
from tests.helpers.quirks import Quirk, QuirkyMeter
from tests.live.check.checked import QUICK, with_needs


class _Page(html.parser.HTMLParser):
    """Checks that tags are balanced, and keeps what would be loaded from elsewhere."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href", "action"}]
        assert tag not in {"script", "iframe", "link", "img"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_report_is_one_page_that_loads_nothing() -> None:
    """It can be handed on: well formed, self-contained, every check in it, names escaped."""

    async def work() -> None:
        async with QuirkyMeter(Quirk.ONE_PER_READ) as meter:
            address = LinkAddress("127.0.0.1", meter.port)
            report = await run_checks("<b>meter & co</b>", address, QUICK)
        page = _Page()
        page.feed(html_report(report))
        page.close()
        assert page.open == []
        assert all(target.startswith("#") for target in page.loaded)
        words = " ".join(page.text)
        assert "<b>meter & co</b>" in words
        for result in report.results:
            assert result.check.title in words
            assert result.finding.reason in words
        assert words.count("in 39 segments of one octet each") == 1
        assert not re.search(r"url\(|@import", html_report(report))

    run(work())


def test_the_report_as_json_has_every_step() -> None:
    """What was sent, received and found can be read by a program."""

    async def work() -> None:
        async with QuirkyMeter() as meter:
            address = LinkAddress("127.0.0.1", meter.port)
            report = await run_checks("m", address, QUICK, checks=with_needs("split-header"))
        values = report.as_json()
        assert values["summary"] == {"pass": 3, "fail": 0, "not decidable": 0}
        checks = values["checks"]
        assert isinstance(checks, list)
        sent = [step["octets"] for step in checks[2]["steps"] if step["step"] == "sent"]
        assert sent[0] == "000100"
        assert bytes.fromhex(sent[0] + sent[1])[:8] == bytes.fromhex("000100100001001f")

    run(work())
