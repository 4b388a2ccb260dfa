"""Completion: what may stand at a place, that it compiles there, and counts that are those of the filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.filter.filter_completion import completions
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@pytest.fixture(scope="module")
def associations():
    """A sample."""
    with open_capture(str(resource("samples/first-look.pcapng"))) as reader:
        found = Associations(Analysis(reader).run())
        complete(found)
        yield found


def told(analysis, text):
    """What is told at the end of a text."""
    return [one.text for one in completions(analysis, text, len(text))]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("wport.s", ["wport.src", "wport.src.name", "wport.server"]),
        ("wport == 16 && respo", ["response_time"]),
        ("!trunc", ["truncated", "wpdu.truncated"]),
        ("apdu == ", ["get-request", "get-response"]),
        ("apdu eq GET", ["get-request", "get-response"]),
        ("apdu in {get-request, set-", ["set-request", "set-response"]),
        ("class == reg", ["Register"]),
        ("class == 3", ["3"]),
        ("obis == 1.0.", ["1.0.1.8.0.255"]),
        ("ip.addr == 19", ["192.0.2.10", "198.51.100.21"]),
        ("wport ", ["==", "!="]),
        ("wport == 16 ", ["&&", "||"]),
        ("wport == 16 |", ["||"]),
        ("wpdu.truncated == ", ["false", "true"]),
        ("aar", ["aarq.", "aare."]),
        ("mi", ["min("]),
        ('stream.cause == "16', ['"16 exchanges; released"']),
    ],
)
def test_the_likeliest_come_first(associations, text, first):
    """Names that begin so, operators that fit, the most frequent values."""
    assert told(associations.analysis, text)[: len(first)] == first


def test_names_and_words_need_no_capture():
    """Their counts are not known."""
    found = completions(None, "expert.severity >= w", 20)
    assert [(one.text, one.count) for one in found] == [("warning", None)]
    assert "obis" in told(None, "")
    assert told(None, "obis == ") == []


def test_the_word_under_the_cursor_is_what_is_replaced(associations):
    """Up to its end, whatever stands behind it."""
    text = "wport == 16 && apdu == get-requ && frame.len > 3"
    (found,) = completions(associations.analysis, text, text.index("get-req") + 7)
    assert text[: found.start] + found.text + text[found.stop :] == text.replace("requ ", "request ")


@pytest.mark.parametrize(
    "name", sorted(name for name, field in FIELDS.items() if field.cost is not Cost.TREE)
)
def test_values_compile_and_leave_what_was_counted(associations, name):
    """A value that is told is a filter that leaves so many WPDUs; where rows have several values no more."""
    analysis = associations.analysis
    for one in completions(analysis, f"{name} == ", len(name) + 4)[:8]:
        rows = compile_filter(f"{name} == {one.text}").rows(analysis, associations=associations)
        assert one.count is not None
        assert len(rows) == one.count or (FIELDS[name].several and len(rows) < one.count)


@given(st.text(st.sampled_from("wport=!&|(){}[] \"'<>.,0:ain-"), max_size=40), st.integers(-3, 50))
def test_no_text_is_too_odd(text, cursor):
    """There are completions, or none."""
    for one in completions(None, text, cursor):
        assert 0 <= one.start <= one.stop <= len(text)
