"""Readings put together by attribute: the same ones as the view has, in an order of the tree's, and apart."""

import numpy as np
import pytest

from cosemscope.analysis.objects.grouped_readings import GroupedReadings, grouped_readings
from cosemscope.analysis.objects.object_table import READING_FIELDS, ObjectView
from cosemscope.resources import resource
from tests.helpers.stream_truth import analyse


@pytest.fixture(scope="module", params=["first-look", "faults", "push"])
def analysis(request):
    return analyse(resource(f"samples/{request.param}.pcapng"))


def readings(grouped: GroupedReadings) -> list[tuple[object, ...]]:
    """Of each attribute with readings: what it is, and these with their values; meters in any order."""
    told = []
    for at, place in enumerate(grouped.places.tolist()):
        run = slice(*grouped.borders[at : at + 2].tolist())
        if run.start == run.stop:
            continue
        values = [grouped.view.values[value] if value >= 0 else None for value in grouped.value[run].tolist()]
        columns = (grouped.wpdu, grouped.how, grouped.result)
        told.append((grouped.view.attributes[place], *(one[run].tolist() for one in columns), values))
    return sorted(told, key=lambda one: (one[0].device.meter, one[0][1:]))


def test_they_are_those_of_the_view(analysis):
    """Each attribute once, its readings as `readings_of` has them; in the order of the tree."""
    view = ObjectView(analysis)
    assert view.complete()
    grouped = grouped_readings(view)
    assert sorted(grouped.places.tolist()) == list(range(len(view.attributes)))
    for at, place in enumerate(grouped.places.tolist()):
        own, run = view.readings_of(place), slice(*grouped.borders[at : at + 2].tolist())
        for name in set(READING_FIELDS) & set(grouped._fields):
            assert np.array_equal(getattr(grouped, name)[run], view.readings[name][own])
    meters = list(view.devices)
    keys = [
        (meters.index(one.device.meter), one.device.wport, one.class_id, one.instance, one.member)
        for one in (view.attributes[place] for place in grouped.places.tolist())
    ]
    assert keys == sorted(keys)


def test_a_view_that_is_completed_in_pieces_has_the_same(analysis):
    """Whatever the pieces: pushes before their lists, too. What was put together before does not change."""
    at_once, in_pieces = ObjectView(analysis), ObjectView(analysis)
    at_once.complete()
    wanted = readings(grouped_readings(at_once))
    before = None
    for stop in (1, 30, 31, 77, None):
        assert in_pieces.complete(stop)
        if before is not None:
            assert readings(before[0]) == before[1]
        grouped = grouped_readings(in_pieces)
        before = grouped, readings(grouped)
    assert before is not None
    assert before[0].taken == len(analysis.wpdus)
    assert before[1] == wanted


def test_a_view_that_was_stopped_goes_on_where_it_was(analysis):
    """What `told` raises comes out, and the next call misses nothing and takes nothing twice."""

    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StoppedError

    view, whole = ObjectView(analysis), ObjectView(analysis)
    whole.complete()
    with pytest.raises(StoppedError):
        view.complete(40, told=stop)
    assert view.taken == 40
    assert view.complete()
    assert readings(grouped_readings(view)) == readings(grouped_readings(whole))


def test_an_empty_view_has_no_readings(analysis):
    grouped = grouped_readings(ObjectView(analysis))
    assert len(grouped.places) == len(grouped.wpdu) == 0
    assert grouped.borders.tolist() == [0]
