"""The work that filters cost grows with their text and with the rows, and with no product of either."""

import cProfile
import gc
import weakref

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.filter.display_filter import FilterError, compile_filter
from cosemscope.analysis.filter.filter_completion import completions
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource

#: Text of n parts, by what they are.
TEXTS = {
    "or": lambda n: " || ".join(["wport == 1"] * n),
    "not": lambda n: "!wport && " * n + "wport",
    "numbers": lambda n: f"wport in {{{', '.join(map(str, range(n)))}}}",
    "texts": lambda n: f"info in {{{', '.join(f'{chr(34)}{one}{chr(34)}' for one in range(n))}}}",
    "codes": lambda n: f"obis in {{{', '.join(f'1.0.{one % 256}.8.*.255' for one in range(n))}}}",
    "sum": lambda n: "wport + " + " + ".join(["1"] * 50) + " == 1 || " * 1 + " || ".join(["wport"] * n),
    "brackets": lambda n: "(" * n + "wport" + ")" * n,
    "string": lambda n: f'info == "{"a" * n}"',
    "open string": lambda n: 'info == "' + "a" * n,
    "name": lambda n: "a" * n,
    "signs": lambda n: "=" * n,
    "blanks": lambda n: "wport" + " " * n + "== 1",
    "pattern": lambda n: f'info matches "{"(a*)*" * n}b"',
    "slice": lambda n: f"wpdu.octets[{','.join(['0'] * n)}] == 00",
}


def _calls(function, *given):
    profile = cProfile.Profile()
    profile.runcall(function, *given)
    return sum(entry.callcount for entry in profile.getstats())


def _compile(text):
    try:
        compile_filter(text)
    except FilterError as error:
        error.pointed(text)


@pytest.mark.parametrize("kind", TEXTS)
def test_compiling_takes_work_in_proportion_to_the_text(kind):
    """Also where the text is no filter; and so does completion at its end."""
    _compile("wport == 1")
    completions(None, "wport == 1", 10)
    sizes = [len(TEXTS[kind](n)) for n in (100, 200, 400)]
    for work in (_compile, lambda text: completions(None, text, len(text))):
        calls = [_calls(work, TEXTS[kind](n)) for n in (100, 200, 400)]
        for less, more, shorter, longer in zip(calls, calls[1:], sizes, sizes[1:], strict=False):
            assert more <= 500 + 1.2 * less * longer / shorter, (calls, sizes)


@pytest.mark.parametrize("kind", ["numbers", "texts", "codes"])
def test_sets_are_looked_up(kind):
    """A row costs the same, however many values there are."""
    with open_capture(str(resource("samples/first-look.pcapng"))) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis)

        def left(n):
            compile_filter(TEXTS[kind](n)).rows(analysis, associations=associations)

        left(20)
        few, many = (_calls(compile_filter(TEXTS[kind](n)).rows, analysis) for n in (20, 400))
        assert many < few * 1.5 + 500


@pytest.mark.parametrize("text", ["wport == 1", 'info matches "e"', "response_time > 1s", "expert"])
def test_what_is_kept_of_a_capture_goes_with_it(text):
    """Filters over capture after capture take the memory of one: none is kept by what is kept of it."""
    with open_capture(str(resource("samples/first-look.pcapng"))) as reader:
        analysis = Analysis(reader).run()
        associations = Associations(analysis)
        wanted = compile_filter(text)
        completions(analysis, "wport == ", 9)
        wanted.prepare(associations)
        for _ in range(2):
            wanted.rows(analysis, associations=associations)
    watched = weakref.ref(analysis)
    del analysis, associations, wanted
    gc.collect()
    assert watched() is None
