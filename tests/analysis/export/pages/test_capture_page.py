"""The report: well-formed, offline, without scripts; what a capture says is text in it, and nothing else."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.export.exports import Order
from cosemscope.analysis.export.pages import capture_page
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.capture.files.reader import open_capture
from tests.helpers.annotated import write_annotated
from tests.helpers.exported import sample, subject_of, written
from tests.helpers.wire import Tcp, Wire, wpdu

#: Elements that have no end.
_VOID = {"meta", "path"}


class Page(HTMLParser):
    """Elements that are open, those that were met, and the texts in each section and heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.met: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.sections: dict[str, list[str]] = {}
        self._section: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.met.append((tag, dict(attributes)))
        if tag == "section":
            self._section = self.sections.setdefault(dict(attributes)["id"] or "", [])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.met.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "section":
            self._section = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        self._section.append(data)


def page_of(subject: Subject, name: str = "capture.pcap", remark: str = "") -> tuple[str, Page]:
    text = written(subject, Order("html", name=name, remark=remark)).decode()
    page = Page(text)
    assert page.open == []
    return text, page


@pytest.mark.parametrize("name", ["first-look", "faults", "push"])
@pytest.mark.parametrize("step", [1, 4, 0])
def test_pages_are_whole_and_stand_alone(name: str, step: int) -> None:
    """Of all, of some and of no rows: every part is there, nothing is loaded, and no script runs."""
    path, keys = sample(name)
    with subject_of(path, keys=keys) as subject:
        rows = np.arange(0, len(subject.analysis.wpdus) if step else 0, step or 1)
        chosen = Subject(subject.analysis, subject.associations, None if step == 1 else rows)
        text, page = page_of(chosen)
    assert list(page.sections) == ["overview", "timing", "connections", "sequence", "exchanges", "expert"]
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.met}
    assert all(
        (value or "").startswith("#") for _, own in page.met for key, value in own.items() if key == "href"
    )
    assert not any(key.startswith("on") or key == "src" for _, own in page.met for key in own)
    assert not re.search(r"url\(|@import|https?:", text)
    ladders = "".join(page.sections["sequence"])
    assert ("There are no WPDUs" in ladders) == (step == 0)


def test_the_sequence_has_each_wpdu_in_its_stream() -> None:
    """Streams one behind another, the WPDUs of each in their order, arrows from the sender."""
    path, keys = sample()
    with subject_of(path, keys=keys) as subject:
        _, page = page_of(subject)
        stream = subject.analysis.wpdus["stream"].tolist()
    told = [int(text) for text in page.sections["sequence"] if text.isdigit()]
    assert sorted(told) == list(range(1, len(stream) + 1))
    streams = [stream[number - 1] for number in told]
    assert [one for place, one in enumerate(streams) if place == 0 or streams[place - 1] != one] == sorted(
        set(streams)
    )
    ways = [own["class"] for tag, own in page.met if (own.get("class") or "").startswith("arrow")]
    assert len(ways) == len(stream)
    assert {"arrow to", "arrow back"} == set(ways)


def test_what_a_capture_says_is_text(tmp_path: Path) -> None:
    """Names, values and comments with marks of HTML, and the name of the file."""
    evil = '<script>alert("1")</script>&amp;'
    wire = Wire()
    stream = Tcp(wire).handshake()
    stream.say(0, wpdu(bytes.fromhex("c001c1000100002a0000ff0200")))
    octets = evil.encode()
    stream.say(1, wpdu(bytes.fromhex("c401c100") + bytes([0x09, len(octets)]) + octets, 1, 16))
    with subject_of(wire.capture(tmp_path / "wire.pcap")) as subject:
        text, page = page_of(subject, name=evil, remark=evil)
    assert "<script" not in text
    assert any(evil in told for told in page.sections["exchanges"])
    assert evil + ": report" in page.texts


def test_parts_are_bounded_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rows stand there, and how many there are."""
    for name in ("_CONNECTIONS", "_WPDUS", "_EXCHANGES", "_ITEMS"):
        monkeypatch.setattr(capture_page, name, 2)
    path, keys = sample()
    with subject_of(path, keys=keys) as subject:
        _, page = page_of(subject)
        total = len(subject.analysis.wpdus)
    assert f"The first 2 of {total} WPDUs" in "".join(page.sections["sequence"])
    for part in ("connections", "exchanges", "expert"):
        assert "The first 2 of" in "".join(page.sections[part])


def test_a_capture_without_wpdus_has_a_page(tmp_path: Path) -> None:
    """With its overview."""
    path = write_annotated(tmp_path / "in.pcapng")
    path.write_bytes(path.read_bytes()[:-200])
    with open_capture(path):
        pass
    with subject_of(path) as subject:
        _, page = page_of(subject)
    assert page.sections["overview"]
