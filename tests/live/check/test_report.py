"""Reports of a run: a page that stands alone, and JSON with every step."""

import html.parser
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.evidence import evidence
from cosemscope.live.check.report import html_report
from cosemscope.live.check.runner import run_checks
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.recording import Recorder
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
        assert values["summary"] == {"failed": 0, "inconclusive": 0, "passed": 4, "inapplicable": 0}
        checks = values["checks"]
        assert isinstance(checks, list)
        sent = [step["octets"] for step in checks[3]["steps"] if step["step"] == "sent"]
        assert sent[0] == "000100"
        assert bytes.fromhex(sent[0] + sent[1])[:8] == bytes.fromhex("000100100001001f")

    run(work())


def test_the_report_says_what_was_tested_by_whom_and_within_which_limits(tmp_path: Path) -> None:
    """What failed stands first, octets are split into the header's fields, rules apart from our reading."""

    async def work() -> None:
        options = replace(QUICK, meter="M <1>", firmware="2.7", tester="A. Tester", second=17)
        async with QuirkyMeter(Quirk.UDP_TWICE) as meter:
            report = await run_checks("m", LinkAddress("127.0.0.1", meter.port), options)
        page = _Page()
        text = html_report(report)
        page.feed(text)
        words = " ".join(page.text)
        for expected in ("M <1>", "2.7", "A. Tester", "answer 0.4 s, quiet 0.1 s", "server 1 and 17"):
            assert expected in words
        assert "version 1, source wPort 16, destination wPort 1, length 31" in words
        assert text.index('id="udp-count"') < text.index('id="tcp-connect"')
        assert text.index('href="#udp-count"') < text.index('href="#tcp-connect"')
        assert words.count("Our reading") == sum(bool(each.check.reading) for each in report.results)
        values = report.as_json()
        assert (values["meter"], values["limits"]["slot"]) == ("M <1>", 1.0)  # type: ignore[index]
        steps = values["checks"][1]["steps"]  # type: ignore[index]
        header = next(step["header"] for step in steps if step["step"] == "sent")
        assert header == {"version": 1, "source_wport": 16, "destination_wport": 1, "length": 31}

    run(work())


def test_the_evidence_is_one_file(tmp_path: Path) -> None:
    """Report, capture and versions; the same run gives the same octets."""

    async def work() -> None:
        recorder = Recorder(tmp_path / "check.pcapng")
        async with QuirkyMeter() as meter:
            where = LinkAddress("127.0.0.1", meter.port)
            report = await run_checks("m", where, QUICK, recorder=recorder, checks=with_needs("one-segment"))
        recorder.close()
        made = evidence(report, tmp_path / "check.pcapng")
        assert made == evidence(report, tmp_path / "check.pcapng")
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            assert archive.testzip() is None
            assert archive.read("check.pcapng") == (tmp_path / "check.pcapng").read_bytes()
            assert archive.read("report.html").decode() == html_report(report)
            assert json.loads(archive.read("report.json")) == json.loads(json.dumps(report.as_json()))
            assert f"Cosemscope {report.version}" in archive.read("versions.txt").decode()

    run(work())


def test_every_check_says_its_rule_and_where_it_stands() -> None:
    """A verdict rests on something: a rule of the standard, or our reading of it told as such."""
    for check in CHECKS:
        assert check.rule
        assert check.clause
