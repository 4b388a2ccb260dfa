"""The page of trees: every field and octet once, links that lead somewhere, no mark-up out of captures."""

import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.fields import Decoded, walk
from cosemscope.apdu.framed import decode_octets
from cosemscope.apdu.summary import summarise
from cosemscope.apdu.tree_page import PageMessage, tree_page

_WPDU = bytes.fromhex("0001000100100009c401c1000600001391")


class _Page(HTMLParser):
    """What stands in a page: tags with their attributes, and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _page(*decoded: Decoded, title: str = "A title") -> _Page:
    messages = [PageMessage(summarise(one), (("from", "the server"),), one) for one in decoded]
    return _Page("\n".join(tree_page(title, "1 label ignored.", "1.2", messages)))


def _check(page: _Page, *decoded: Decoded) -> None:
    """Tags are closed, ids are there once, links lead to them, rows are the fields, octets are all shown."""
    assert not page.open
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    links = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]
    assert len(set(ids)) == len(ids)
    assert {link[1:] for link in links} <= set(ids)
    assert all(link.startswith("#") for link in links)
    fields = sum(1 for one in decoded for _ in walk(one.root))
    assert sum(tag == "b" for tag, _ in page.tags) == fields
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in page.tags}


def test_fields_and_octets_stand_side_by_side() -> None:
    """The info line, the facts, a row a field, octets in rows of 16 whose pieces tell the field's name."""
    page = _page(decode_octets(_WPDU))
    _check(page, decode_octets(_WPDU))
    text = "\n".join(page.texts)
    for words in ("GET response, data = 5009", "from: the server", "1 label ignored.", "Cosemscope 1.2"):
        assert words in text
    assert "WPDU, 17 octets" in text
    tips = [attributes["title"] for tag, attributes in page.tags if tag == "span"]
    assert "apdu" not in tips
    assert "value: 5009" in tips
    shown = re.findall(r"\b[0-9a-f]{2}(?: [0-9a-f]{2})*\b", " ".join(page.texts))
    assert _WPDU[:2].hex(" ") in shown


def test_several_messages_have_a_list() -> None:
    """Each leads to its tree."""
    one = decode_octets(_WPDU)
    page = _page(one, one)
    _check(page, one, one)
    assert [attributes["id"] for tag, attributes in page.tags if tag == "section"] == ["m1", "m2"]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(["c4", "0a14", "7ea0", "db08", "2f545354350d0a", ""]))
def test_any_octets_make_a_sound_page(octets: bytes, begin: str) -> None:
    """Whatever the octets are, also where they spell mark-up."""
    decoded = decode_octets(bytes.fromhex(begin) + b"<b onclick='x'>&amp;" + octets)
    _check(_page(decoded, title="<script>alert(1)</script>\x1b[31m"), decoded)
