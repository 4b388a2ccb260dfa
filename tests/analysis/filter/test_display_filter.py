"""Filters on a sample that is known: what each of them leaves, and how errors point."""

import re
import time
from datetime import datetime

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.filter.display_filter import FilterError, compile_filter, is_settled
from cosemscope.analysis.filter.language.filter_literals import read_instant
from cosemscope.analysis.filter.language.filter_nodes import Literal, Spelling
from cosemscope.capture.cancelling import Cancelled
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@pytest.fixture(scope="module")
def associations():
    """What is known of the rows of a sample with GETs, SETs, profiles and ciphered associations."""
    with open_capture(str(resource("samples/first-look.pcapng"))) as reader:
        found = Associations(Analysis(reader).run())
        complete(found)
        yield found


def left(associations, text, rows=None):
    """The rows that a filter leaves."""
    return compile_filter(text).rows(associations.analysis, rows, associations=associations).tolist()


def told(associations, name):
    """What each row's field says for scripts."""
    return FIELDS[name].jsons(AskedRows(associations.analysis, slice(0, len(associations.analysis.wpdus))))


def where(associations, name, passes):
    """The rows whose field says something that passes."""
    return [row for row, value in enumerate(told(associations, name)) if passes(value)]


@pytest.mark.parametrize(
    ("text", "name", "passes"),
    [
        ("wport == 16", "wport", lambda both: 16 in both),
        ("wport != 16", "wport", lambda both: 16 not in both),
        ("all wport == 1", "wport", lambda both: both == [1, 1]),
        ("any wport != 1", "wport", lambda both: both != [1, 1]),
        ("WPORT.SRC > 0x0F", "wport.src", lambda value: value > 15),
        ("1 < wport.src <= 16", "wport.src", lambda value: 1 < value <= 16),
        ("wport.src in {2..16, 102}", "wport.src", lambda value: 2 <= value <= 16 or value == 102),
        (
            f"wport.src in {{{', '.join(map(str, range(12)))}, 99999999999999999999, -99999999999999999999}}",
            "wport.src",
            lambda value: value < 12,
        ),
        ("wpdu.truncated in {true, false}", "wpdu.truncated", lambda flag: True),
        ("wpdu.truncated in {false, false}", "wpdu.truncated", lambda flag: not flag),
        ("wport.src < 1e300", "wport.src", lambda value: True),
        ("response_time / 3 < 1e300", "response_time", lambda text: text is not None),
        ("response_time / 3 in {0..5, 1e300}", "response_time", lambda text: text is not None),
        ("obis == 1.0.*.8.0.255", "obis", lambda code: re.fullmatch(r"1\.0\.\d+\.8\.0\.255", code or "")),
        ("obis == 1-0:1.8.0*255", "obis", lambda code: code == "1.0.1.8.0.255"),
        ("obis == 1-0:1.8.0.255", "obis", lambda code: code == "1.0.1.8.0.255"),
        ("obis == 1.8.0", "obis", lambda code: re.fullmatch(r"\d+\.\d+\.1\.8\.0\.\d+", code or "")),
        ("obis == 1.8.0*254", "obis", lambda code: code == "1.0.1.8.0.254"),
        ("obis == 0100010800FF", "obis", lambda code: code == "1.0.1.8.0.255"),
        ("obis == 01:00:01:08:00:ff", "obis", lambda code: code == "1.0.1.8.0.255"),
        ('obis == "01 00 01 08 00 FF"', "obis", lambda code: code == "1.0.1.8.0.255"),
        ("apdu == GET-request", "apdu", lambda word: word == "get-request"),
        ("apdu contains response", "apdu", lambda word: "response" in word),
        ('apdu matches "^(GET|set)-"', "apdu", lambda word: word[:4] in ("get-", "set-")),
        ("class == profile-generic", "class", lambda number: number == 7),
        ('class == "Register"', "class", lambda number: number == 3),
        ("result != success", "result", lambda word: word not in (None, "success")),
        ("result", "result", lambda word: word is not None),
        ("!result", "result", lambda word: word is None),
        ("response_time > 80ms", "response_time", lambda text: text is not None and float(text) > 0.08),
        ("response_time > 0.08", "response_time", lambda text: text is not None and float(text) > 0.08),
        ("source == 192.0.2.10", "source", lambda text: text.startswith("192.0.2.10:")),
        ("source == 192.0.2.10:50112", "source", lambda text: text == "192.0.2.10:50112"),
        (
            "ip.addr == 198.51.100.16/28",
            "ip.addr",
            lambda both: any(one[:12] == "198.51.100.2" and int(one.split(".")[3]) < 32 for one in both),
        ),
        ("frame.time >= 2025-10-09T09:00:03Z", "frame.time", lambda text: float(text) >= 1760000403),
        ("frame.time >= 1760000403", "frame.time", lambda text: float(text) >= 1760000403),
        ("exchange.status == answered", "exchange.status", lambda word: word == "answered"),
        ("direction == to-initiator", "direction", lambda word: word == "to initiator"),
        ("wpdu.truncated", "wpdu.truncated", bool),
        ("count(wpdu.packets) > 1", "wpdu.packets", lambda numbers: len(numbers) > 1),
        ("kind == association", "kind", lambda word: word == "association"),
        ("tcp.stream eq 0", "stream", lambda number: number == 0),
    ],
)
def test_a_filter_leaves_what_its_field_says(associations, text, name, passes):
    """By what the field tells scripts."""
    assert left(associations, text) == where(associations, name, passes)


def test_an_empty_filter_is_everything(associations):
    """Also one of blanks, and of rows that were named."""
    count = len(associations.analysis.wpdus)
    assert left(associations, "") == left(associations, " \t") == list(range(count))
    assert left(associations, "", np.array([3, 1])) == [3, 1]


def test_object_identifiers_are_compared_as_they_are_shown(associations):
    """They have dots as logical names have."""
    named = left(associations, "aarq.application-context-name == 2.16.756.5.8.1.1")
    assert named == left(associations, 'aarq.application-context-name == "LN referencing, no ciphering (1)"')
    assert named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-29 01:59", "2026-03-29T00:59:00+00:00"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00+00:00"),
        ("2026-03-29 03:30", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25 02:30:00+01:00", "2026-10-25T01:30:00+00:00"),
        ("2026-10-25T02:30:00.000000001+01:00", "2026-10-25T01:30:00+00:00"),
    ],
)
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone cannot be set here")
def test_local_times_around_a_change_of_clocks(monkeypatch, text, said):
    """What is left out is later than what stands before it; of what comes twice the first is meant."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = read_instant(Literal(0, 1, Spelling.STRING, text))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found // 10**9 == datetime.fromisoformat(said).timestamp()
    assert found % 10**9 == ("000000001" in text)


def test_rows_that_are_named_keep_their_order(associations):
    """And no others come."""
    everything = left(associations, "wport == 1")
    some = np.array([9, 2, 5, 3])
    assert left(associations, "wport == 1", some) == [row for row in (9, 2, 5, 3) if row in everything]


@pytest.mark.parametrize(
    ("text", "said", "span"),
    [
        ("obis == foo", "is compared with an OBIS code, such as 1.0.1.8.0.255", "foo"),
        ("wportt == 3", "there is no field “wportt”, but wport", "wportt"),
        ("apdu > get-request", "has no order", "get-request"),
        ("class == profile-generik", "but Profile-generic", "profile-generik"),
        ("expert.severity >= bad", "there are chat, note, warning, error", "bad"),
        ("response_time > 5m2", "duration", "5m2"),
        ("wport contains 3", "finds nothing in it", "3"),
        ("wport == 16 &&", "ends where", " "),
        ("(wport == 16", "“)”", " "),
        ("all wport", "where a comparison should follow", " "),
        ("any any wport == 1", "where a comparison should stand", "wport"),
        ("wport in 5", "a set of values in braces", "5"),
        ("wport + wport > 3", "both sides have several values", "wport + wport > 3"[:13]),
        ("frame.time * 2 > 3", "a time and a number have no “*”", "frame.time * 2"),
        ("tree.class-id == wport", "fields of trees are compared with values", "tree.class-id == wport"),
        ("ip.addr == 10.0.0.0/33", "such as 10.1.0.7, 10.1.0.0/16", "10.0.0.0/33"),
        ('frame.time > "yesterday"', "2026-11-02T08:00:00Z", '"yesterday"'),
        ("wport = 16", "“=” is written “==”", "="),
        ("wport =< 16", "“=<” is written “<=”", "=<"),
        ("wport <> 16", "“<>” is written “!=”", "<>"),
        ("wport ≥ 16", "“≥” is written “>=”", "≥"),
        ("wport == 1 | wport == 2", "“|” is written “||”", "|"),
        ("wport ==== 1", "begins nothing", "="),
        ("info contains “clock”", "straight quotes", "“"),
        ("and not wport == 1", "where a field or a value should stand", "and"),
        ("wport == 1 or or wport == 2", "where a field or a value should stand", "or"),
        ("wport == 1 & apdu == aarq", "conditions are joined by “&&”", "apdu"),
        ("value > 230 V", "value > 230 && unit == V", "V"),
        ("value > 230V", "value > 230 && unit == V", "230V"),
        ("frame.time > 2026-11-02 08:00", "what has blanks stands in quotes", "08:00"),
        ('frame.time > "2026-11-02 08.30"', "is compared with a time", '"2026-11-02 08.30"'),
        ("info == read clock", "what has blanks stands in quotes", "clock"),
        ("tcp.port in {4059-4061}", "a range has two dots: 4059..4061", "4059-4061"),
        ("obis == 1.0.1.8.*", "is compared with an OBIS code", "1.0.1.8.*"),
        ("ip.addr == 10.1.0.*", "such as 10.1.0.7, 10.1.0.0/16", "10.1.0.*"),
        ("apdu == get", "but get-request, get-response", "get"),
        ("wport == 16 wport", "stands where", "wport"),
        ("foo(wport) > 1", "there is no function “foo”", "foo(wport)"),
        ("min(info) > 1", "takes numbers", "info"),
        ("info + 1 == 2", "no number and no time", "info"),
        ("frame.time + frame.time > 1", "have no “+”", "frame.time + frame.time"),
        ('info matches "(?=a)"', "no regular expression of RE2", '"(?=a)"'),
        ('info == "abc', "no quotation mark at its end", '"abc'),
        ("wport in {}", "the set is empty", "{}"),
        ("wpdu.length[2:1] == 1", "has no slices", "wpdu.length[2:1]"),
        ("16 == 16", "no field on either side", "16 == 16"),
        ("16", "no condition", "16"),
        ("(wport == 1) == 1", "a condition is no value", "(wport == 1)"),
        ("obis > 1.0.*.8.0.255", "no end of an order", "1.0.*.8.0.255"),
    ],
)
def test_an_error_says_where_and_what_would_fit(text, said, span):
    """A sentence, and the columns of what is wrong."""
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    error = caught.value
    assert said in error.message
    assert (text + " ")[error.start : error.stop] == span
    assert error.pointed(text).splitlines()[1:] == [f"  {text}", "  " + " " * error.start + "^" * len(span)]


@pytest.mark.parametrize(
    "text",
    [
        "wpdu.time_relative in {0.5s..1.25s}",
        "response_time in {10ms..2s, 1min..2min}",
        "wpdu.length in {0x10..0x20}",
        "ip.addr in {10.0.0.1..10.0.0.9}",
        "obis in {1.0.1.8.0.255..1.0.2.8.0.255}",
        "frame.time in {2026-11-02..2026-11-03}",
    ],
)
def test_ends_of_a_range_need_no_blanks_between_them(text):
    """A value of any spelling ends where two dots begin."""
    assert compile_filter(text) is not None
    assert compile_filter(text.replace("..", " .. ")) is not None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 9000 + "wport" + ")" * 3,
        "!" * 9000 + "wport",
        "-" * 500 + "wport == 1",
        "len(" * 300 + "info" + ")" * 300 + " > 1",
        "a" * 20_000,
    ],
)
def test_no_text_exhausts_the_stack(text):
    """Deep nesting is an error as any other."""
    with pytest.raises(FilterError):
        compile_filter(text)


def test_trees_are_asked_where_columns_leave_rows(associations):
    """Progress counts the rows that are decoded, and no others."""
    told = []
    wanted = compile_filter("aarq.mechanism-name && apdu == AARQ")
    assert wanted.costs_trees
    found = wanted.rows(
        associations.analysis, associations=associations, progress=lambda *one: told.append(one)
    )
    assert 0 < len(found) < told[-1][1] == len(left(associations, "apdu == aarq"))
    assert not compile_filter("apdu == aarq").costs_trees


def test_work_is_cancelled(associations):
    """By whoever is asked whether it is wanted."""

    def no():
        raise Cancelled

    with pytest.raises(Cancelled):
        compile_filter('text contains "CSP"').rows(associations.analysis, associations=associations, look=no)


@pytest.mark.parametrize("name", ["first-look", "push", "faults"])
def test_what_is_settled_stays(name):
    """However much more of a capture comes, rows have the values that they had."""
    with open_capture(str(resource(f"samples/{name}.pcapng"))) as reader:
        analysis = Analysis(reader)
        earlier = []
        while analysis.step(9):
            rows = np.arange(len(analysis.wpdus))
            settled = [field for field in FIELDS.values() if is_settled(field)]
            earlier.append({field.name: field.jsons(AskedRows(analysis, rows)) for field in settled})
        analysis.finish()
        assert len(earlier) > 3
        for field in settled:
            last = field.jsons(AskedRows(analysis, np.arange(len(analysis.wpdus))))
            assert all(told[field.name] == last[: len(told[field.name])] for told in earlier), field.name


def test_filters_of_what_grows_are_not_settled():
    """Counts of streams, roles, and whatever needs a pass."""
    assert compile_filter("wport == 16 && tcp.stream == 3").settled
    for text in ("stream.packets > 3", "role == client", "exchange.status == answered", "aarq", "value > 3"):
        assert not compile_filter(text).settled
