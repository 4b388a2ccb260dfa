"""Display filters as people type them: rows of a small capture, or an error that points at what is wrong."""

from functools import cache

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.filter.display_filter import DisplayFilter, FilterError, compile_filter
from cosemscope.analysis.filter.filter_completion import completions
from cosemscope.analysis.filter.filter_help import TOPICS
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from tests.fuzz.target import Target


@cache
def _capture() -> Associations:
    """A sample with pushes: it stays open."""
    reader = open_capture(str(resource("samples/push.pcapng")))
    return Associations(Analysis(reader).run())


def take_filter(octets: bytes) -> None:
    """A filter leaves rows, and its negation the others; or it is wrong in columns that it has."""
    text = octets.decode("utf-8", "replace")
    associations = _capture()
    analysis = associations.analysis
    for one in completions(analysis, text, len(text) // 2):
        assert 0 <= one.start <= one.stop <= len(text)
    wanted = _compiled(text)
    if isinstance(wanted, FilterError):
        assert 0 <= wanted.start < wanted.stop
        assert wanted.start <= len(text)
        assert wanted.message
        assert wanted.pointed(text).count("\n") == 2
        assert wanted.pointed(text).replace("\n", "").isprintable()
        return
    rows = wanted.rows(analysis, associations=associations).tolist()
    assert rows == sorted(set(rows))
    if wanted.is_empty:
        return
    others = compile_filter(f"!({text})").rows(analysis, associations=associations).tolist()
    assert sorted([*rows, *others]) == list(range(len(analysis.wpdus)))


def _compiled(text: str) -> DisplayFilter | FilterError:
    try:
        return compile_filter(text)
    except FilterError as error:
        return error


def _filters() -> list[bytes]:
    """The examples of the help, and what is wrong with filters."""
    wrong = ("wport ==", "(wport", "obis == 1.2", "a == b", 'info matches "("', "wport in {", "x[1:2]")
    return [text.encode() for text in (*(one for topic in TOPICS for one, _ in topic.examples), *wrong)]


FILTER = Target("filter", take_filter, _filters, 150_000, 1_000, longest=512)
