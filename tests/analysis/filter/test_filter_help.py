"""The help on filters: every example compiles and runs, and every field is told with a filter that fits."""

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.filter.filter_help import TOPICS, field_help, language_help, operators
from cosemscope.analysis.filter.language.filter_names import ALIASES
from cosemscope.analysis.filter.language.value_kinds import kind_of
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource

EXAMPLES = [example for topic in TOPICS for example, _ in topic.examples]


@pytest.fixture(scope="module")
def associations():
    """A sample, with its expert items."""
    with open_capture(str(resource("samples/first-look.pcapng"))) as reader:
        found = Associations(Analysis(reader).run())
        find_items(found, workers=0)
        yield found


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_runs(associations, text):
    """On a sample, to some of its rows."""
    analysis = associations.analysis
    rows = compile_filter(text).rows(analysis, associations=associations)
    assert set(rows.tolist()) <= set(range(len(analysis.wpdus)))


def test_examples_leave_something():
    """Most do on the samples: those that do not need traffic that is not there."""
    assert len(EXAMPLES) == len(set(EXAMPLES)) > 40
    assert all(f"  {example} " in "\n".join(language_help()) for example in EXAMPLES)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_is_told_and_exists(associations, name):
    """Its help has its meaning; by itself it is a filter; each operator is told where it fits alone."""
    field = FIELDS[name]
    told = "\n".join(field_help(field))
    assert field.meaning in told
    analysis = associations.analysis
    there = compile_filter(name).rows(analysis, associations=associations)
    without = compile_filter(f"!{name}").rows(analysis, associations=associations)
    assert sorted([*there.tolist(), *without.tolist()]) == list(range(len(analysis.wpdus)))
    assert ("contains" in operators(kind_of(field))) == ("contains" in told)


def test_spellings_are_of_fields_and_of_none_twice():
    """A spelling that is a field's own name would hide it."""
    assert set(ALIASES.values()) <= set(FIELDS)
    assert not set(ALIASES) & set(FIELDS)
