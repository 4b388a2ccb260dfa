"""Questions to trees: rows that are taken for equal are, processes answer as we do, and answers are kept."""

import numpy as np
import pytest

from cosemscope.analysis.associations.association import QuietLook
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.told_values import told_value
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.quiet_values import quiet_value
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.filter.language.tree_names import tree_name
from cosemscope.analysis.filter.masks.tree_questions import RowTask, answer_tasks
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.apdu.fields import walk
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.capture.cancelling import Cancelled
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource
from cosemscope.streams.tables.framing import Framing


@pytest.fixture
def associations():
    """A sample, opened with its keys; nothing is kept of it yet."""
    with open_capture(str(resource("samples/first-look.pcapng"))) as reader:
        keys = KeyTable.load(str(resource("samples/first-look-keys.toml")))
        found = Associations(Analysis(reader).run(), keys)
        complete(found)
        yield found


def _quiet(associations):
    """The quiet rows of the wrapper with their looks and octets."""
    analysis = associations.analysis
    beside = Associations(analysis, associations.keys, beside=associations)
    looks = beside.walk_lightly(len(analysis.wpdus))
    wrapped = analysis.wpdus["framing"] == Framing.WRAPPER
    return [
        (row, look, analysis.octets(row))
        for row, look in enumerate(looks)
        if isinstance(look, QuietLook) and wrapped[row]
    ]


def test_only_header_and_invoke_id_tell_equal_rows_apart(associations):
    """Of quiet rows with other wPorts and another invoke-id all fields but these are the same."""
    rows = _quiet(associations)
    assert len(rows) > 20
    for row, look, octets in rows:
        other = octets[:2] + bytes((1, 2, 3, 4)) + octets[6:10] + bytes((octets[10] ^ 0x8F,)) + octets[11:]
        framing = int(associations.analysis.wpdus["framing"][row])
        trees = [
            RowTask(one, framing, look.request, look.scaler_unit).decode().root for one in (octets, other)
        ]
        for one, two in zip(walk(trees[0]), walk(trees[1]), strict=True):
            if (one.value, one.text, one.name) != (two.value, two.text, two.name):
                assert tree_name(one.name) in (
                    "wpdu",
                    "source-wport",
                    "destination-wport",
                    "invoke-id-and-priority",
                )


def test_no_quiet_row_has_another_apdu_inside(associations):
    """The names of APDUs in its tree are that of its first octet alone, so it need not be looked into."""
    names = {tree_name(name) for name in APDU_TAGS.values()}
    for row, _, _ in _quiet(associations):
        tag = int(associations.analysis.wpdus["apdu_tag"][row])
        found = {tree_name(field.name) for field in walk(associations.decode(row).root)} & names
        assert found == {tree_name(APDU_TAGS[tag])}


def test_quiet_values_are_those_of_trees(associations):
    """Whether a number was read by itself, or remembered."""
    for row, look, octets in _quiet(associations):
        whole = associations.look(row)
        for _ in range(2):
            assert quiet_value(look, octets[8:]) == told_value(whole.context, whole.plain), row


@pytest.mark.parametrize(
    "text", ["tree.data", "get-request || aarq", 'text contains "kWh"', "field == clock-status"]
)
def test_answers_are_kept_until_keys_change(associations, text, monkeypatch):
    """The second time no tree is decoded."""
    analysis, wanted = associations.analysis, compile_filter(text)
    first = wanted.rows(analysis, associations=associations)
    assert len(first)
    with monkeypatch.context() as patched:
        patched.setattr(Associations, "decode", None)
        patched.setattr(RowTask, "decode", None)
        assert wanted.rows(analysis, associations=associations).tolist() == first.tolist()
    associations.keys = KeyTable.load(str(resource("samples/push-keys.toml")))
    complete(associations)
    assert len(wanted.rows(analysis, associations=associations)) <= len(first)


def test_what_was_answered_before_somebody_cancelled_is_kept(associations):
    """A filter goes on where it was cancelled; the rows are those of one that was not."""
    analysis, wanted = associations.analysis, compile_filter('text contains "kWh"')
    left = iter((False,))

    def look():
        if next(left, True):
            raise Cancelled

    some = np.arange(20)
    wanted.rows(analysis, some, associations=associations)
    with pytest.raises(Cancelled):
        wanted.rows(analysis, associations=associations, look=look)
    again = wanted.rows(analysis, associations=associations)
    fresh = compile_filter('text contains "kWh" || false').rows(analysis, associations=associations)
    assert again.tolist() == fresh.tolist() != []


def test_other_processes_answer_as_we_do(associations):
    """A condition and its tasks can be given to them."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    tasks = [
        RowTask(octets, int(associations.analysis.wpdus["framing"][row]), look.request, look.scaler_unit)
        for row, look, octets in _quiet(associations)
    ]
    condition = compile_filter(
        'tree.data > 5 || text matches "k(w)h" && !(field == "nothing")'
    ).predicate.inner
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = pool.submit(answer_tasks, condition, tasks).result()
    here = answer_tasks(condition, tasks)
    assert there == here
    assert 0 < sum(here) < len(tasks)
