"""The tree of objects as arrays, against a tree that is made of dictionaries, whatever of it is wanted."""

from collections import defaultdict

import numpy as np
import pytest

from cosemscope.analysis.objects.grouped_readings import GroupedReadings, grouped_readings
from cosemscope.analysis.objects.object_table import ObjectView
from cosemscope.gui.panes.objects.object_nodes import AskedObjects, Level, ObjectNodes
from cosemscope.resources import resource
from tests.helpers.stream_truth import analyse


@pytest.fixture(scope="module")
def grouped() -> GroupedReadings:
    view = ObjectView(analyse(resource("samples/first-look.pcapng")))
    view.complete()
    return grouped_readings(view)


def tree(nodes: ObjectNodes) -> dict[tuple, list[tuple]]:
    """The keys of the children of each node, by its key; those of meters by ()."""
    told = defaultdict(list)
    for node in range(len(nodes)):
        parent = nodes.parent.item(node)
        told[nodes.key(parent) if parent >= 0 else ()].append(nodes.key(node))
        assert nodes.row(node) == len(told[nodes.key(parent) if parent >= 0 else ()]) - 1
    return dict(told)


def expected(grouped: GroupedReadings, rows: np.ndarray) -> dict[tuple, list[tuple]]:
    """The same of the attributes with a reading of these WPDU rows."""
    told = defaultdict(dict)
    for at, place in enumerate(grouped.places.tolist()):
        run = slice(*grouped.borders[at : at + 2].tolist())
        if not np.isin(grouped.wpdu[run], rows).any():
            continue
        one = grouped.view.attributes[place]
        whole = (one.device.meter, one.device.wport, one.class_id, one.instance, one.member)
        for above, size in ((0, 1), (1, 3), (3, 4), (4, 5)):
            told[whole[:above]].setdefault(whole[:size])
    return {key: list(children) for key, children in told.items()}


def test_all_is_a_tree_of_four_levels(grouped):
    nodes = ObjectNodes(grouped, AskedObjects())
    assert tree(nodes) == expected(grouped, np.arange(grouped.taken))
    for node in range(len(nodes)):
        assert nodes.find(nodes.key(node)) == node
        assert len(nodes.key(node)) == (1, 3, 4, 5)[nodes.level(node)]
        children = range(nodes.child.item(node), nodes.child.item(node) + nodes.children.item(node))
        if nodes.level(node) is not Level.ATTRIBUTE:
            assert nodes.readings(node) == slice(
                nodes.readings(children[0]).start, nodes.readings(children[-1]).stop
            )
            sums = [sum(counts) for counts in zip(*map(nodes.counts, children), strict=True)]
            assert sums == list(nodes.counts(node))
            assert nodes.last_row(node) == max(map(nodes.last_row, children))
    assert nodes.find(("192.0.2.99",)) == -1
    assert nodes.find((grouped.meters[0], 1, 3, bytes(6))) == -1


@pytest.mark.parametrize("seed", range(6))
def test_displayed_wpdus_leave_what_they_tell(grouped, seed):
    displayed = np.random.default_rng(seed).random(grouped.taken) < 0.2
    nodes = ObjectNodes(grouped, AskedObjects(displayed=displayed))
    rows = np.flatnonzero(displayed)
    assert tree(nodes) == expected(grouped, rows)
    assert np.isin(nodes.wpdu, rows).all()
    assert len(nodes.wpdu) == np.isin(grouped.wpdu, rows).sum()


def test_nothing_is_left_of_what_nobody_tells(grouped):
    nodes = ObjectNodes(grouped, AskedObjects(displayed=np.zeros(grouped.taken, np.bool_)))
    assert len(nodes) == nodes.attributes == 0
    assert nodes.offsets == [0, 0, 0, 0, 0]
    assert nodes.sums == (0, 0, 0, 0)


def test_words_must_all_fit_meter_or_name(grouped):
    def left(*words: str, named=str) -> int:
        return ObjectNodes(grouped, AskedObjects(words, named=named)).attributes

    whole = len(grouped.places)
    assert left() == whole
    assert 0 < left("REGISTER", "1.0.1.8.0.255") <= left("register") < whole
    assert left("register", "clock", "1.0.1.8.0") == 0
    assert left(grouped.meters[0]) == (grouped.meter == 0).sum()
    assert left("cellar", named=lambda name: f"cellar {name}") == whole


def test_only_what_differs_from_before_is_since(grouped):
    """For any row: attributes with a value or refusal behind it that they did not have last before it."""
    for since in range(1, grouped.taken, 7):
        changed = set()
        for at, place in enumerate(grouped.places.tolist()):
            run = slice(*grouped.borders[at : at + 2].tolist())
            told = list(zip(grouped.wpdu[run], grouped.value[run], grouped.result[run], strict=True))
            for column, tells in ((1, lambda one: one[1] >= 0), (2, lambda one: one[2] > 0)):
                before = [one[column] for one in told if one[0] < since and tells(one)]
                after = [one[column] for one in told if one[0] >= since and tells(one)]
                if any(value != (before[-1] if before else -1) for value in after):
                    changed.add(place)
        nodes = ObjectNodes(grouped, AskedObjects(since=since))
        assert set(nodes.shown_places.tolist()) == changed
        assert not len(nodes.wpdu) or nodes.wpdu.min() >= since


def test_an_attribute_falls_silent_after_three_of_its_intervals(grouped):
    nodes = ObjectNodes(grouped, AskedObjects())
    times = grouped.view.analysis.wpdus["time"]
    often = next(
        node
        for node in range(nodes.offsets[3], nodes.offsets[4])
        if nodes.readings(node).stop - nodes.readings(node).start >= 3
    )
    run = nodes.readings(often)
    first, last = (int(times[nodes.wpdu[at]]) for at in (run.start, run.stop - 1))
    interval = (last - first) // (run.stop - run.start - 1)
    assert not nodes.is_silent(often, last + 2 * interval, times)
    assert nodes.is_silent(often, last + 4 * interval, times)
    assert not nodes.is_silent(nodes.parent.item(often), last + 4 * interval, times)
