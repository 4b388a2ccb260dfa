"""The skeleton of pages: whole, in two sets of colours, with texts that are nothing but texts."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from cosemscope.page_skeleton import page_foot, page_head, page_text


def page(title: str) -> str:
    return "\n".join([*page_head(title, "h1 { margin: 0; }"), *page_foot("1.2.3", "<p>Remark</p>")])


@given(st.text())
def test_titles_are_texts(title: str) -> None:
    """Whatever they are: they open no element, close none, and end no line."""
    text = page(title)
    assert text.count("<") == page("x").count("<")
    assert text.count("\n") == page("x").count("\n")
    assert page_text(title).isprintable()
    assert unescape(page_text('a < b & "c"')) == 'a < b & "c"'


def test_every_colour_has_one_for_the_dark() -> None:
    """And paper is light: the dark is of screens alone."""
    light, dark = re.findall(r":root \{([^}]*--[^}]*)\}", page("x"))
    names = [set(re.findall(r"(--\w+):", colours)) for colours in (light, dark)]
    assert names[0] == names[1]
    assert "@media screen and (prefers-color-scheme: dark)" in page("x")
    used = set(re.findall(r"var\((--\w+)\)", page("x")))
    assert used <= names[0]


def test_the_foot_tells_the_version() -> None:
    """Behind what else is to be said."""
    assert page("x").endswith(
        "<footer><p>Remark</p><p>Written by Cosemscope 1.2.3.</p></footer></body></html>"
    )
