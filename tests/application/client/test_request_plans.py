"""Plans: nothing is lost or turned round, and no request is longer than the server takes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import Reference
from cosemscope.application.client.association_parameters import (
    BLOCKS_WITH_ACTION,
    BLOCKS_WITH_SET,
    GENERAL_BLOCKS,
    LOGICAL_NAME_CONFORMANCE,
    MULTIPLE_REFERENCES,
    conformance_of,
)
from cosemscope.application.client.request_plans import Limits, PlanError, PlannedStep, plan
from cosemscope.application.client.service_operations import Act, Get, Set, act, set_value
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.data_values import octet_string
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.encoding.service_parts import SelectedAttribute
from tests.application.apdu_values import ATTRIBUTES, DATA, METHODS

_REFERENCE = Reference(3, bytes.fromhex("0100010800ff"), 2)
_LISTED = st.lists(st.tuples(ATTRIBUTES, DATA), min_size=1, max_size=30)


def _first(step: PlannedStep) -> bytes:
    return encode(next(step.begin(0xC1)))


def _elements(step: PlannedStep) -> list[Any]:
    part = step.part
    if isinstance(part, Get):
        return list(part.attributes)
    if isinstance(part, Set):
        return list(zip(part.attributes, part.values, strict=True))
    return list(zip(part.methods, part.parameters, strict=True))


@given(_LISTED, st.integers(60, 400))
def test_plans_of_get_and_set_fit_and_keep_their_order(listed: list[Any], longest: int) -> None:
    """Each request is within the limit: as a list, by itself, or in blocks."""
    attributes = tuple(SelectedAttribute(reference) for reference, _ in listed)
    values = tuple(value for _, value in listed)
    limits = Limits(LOGICAL_NAME_CONFORMANCE, longest)
    for operation in (Get(attributes), Set(attributes, values)):
        steps = plan(operation, limits)
        assert [one for step in steps for one in _elements(step)] == _elements(
            PlannedStep(operation, None, 0)
        )
        assert max(len(_first(step)) for step in steps) <= longest


@given(st.lists(st.tuples(METHODS, DATA), min_size=1, max_size=30), st.integers(60, 400))
def test_plans_of_actions_fit_and_keep_their_order(listed: list[Any], longest: int) -> None:
    """The same of methods."""
    operation = Act(tuple(method for method, _ in listed), tuple(data for _, data in listed))
    steps = plan(operation, Limits(LOGICAL_NAME_CONFORMANCE, longest))
    assert [one for step in steps for one in _elements(step)] == listed
    assert max(len(_first(step)) for step in steps) <= longest


def test_without_multiple_references_each_goes_by_itself() -> None:
    """And no list is longer than so many references."""
    attributes = tuple(SelectedAttribute(attribute) for attribute in [_REFERENCE] * 3)
    assert len(plan(Get(attributes), Limits(conformance_of(19), 1000))) == 3
    assert len(plan(Get(attributes), Limits(conformance_of(MULTIPLE_REFERENCES), 1000))) == 1
    few = Limits(conformance_of(MULTIPLE_REFERENCES), 1000, most_references=2)
    assert [len(_elements(step)) for step in plan(Get(attributes), few)] == [2, 1]


@pytest.mark.parametrize("bit", [BLOCKS_WITH_SET, BLOCKS_WITH_ACTION])
def test_long_values_need_blocks_of_their_service_or_general_ones(bit: int) -> None:
    """With general blocks the request stays whole; without any it is refused."""
    reference = _REFERENCE
    value = octet_string(bytes(500))
    is_set = bit == BLOCKS_WITH_SET
    operation = set_value(reference, value) if is_set else act(reference._replace(method=True), value)
    (step,) = plan(operation, Limits(conformance_of(bit), 100))
    assert step.block_size is not None
    assert len(_first(step)) <= 100
    (whole,) = plan(operation, Limits(conformance_of(GENERAL_BLOCKS), 100))
    assert whole.block_size is None
    with pytest.raises(PlanError, match="was negotiated"):
        plan(operation, Limits(0, 100))
    with pytest.raises(PlanError, match="too few for a block"):
        plan(operation, Limits(conformance_of(bit), 20))


def test_values_must_be_as_many_as_attributes() -> None:
    """Else nothing is planned."""
    with pytest.raises(EncodeError, match="0 values are given for 1 attributes"):
        plan(Set((SelectedAttribute(_REFERENCE),), ()), Limits(0, 100))
    with pytest.raises(EncodeError, match="0 values are given for 1 methods"):
        plan(Act((_REFERENCE,), ()), Limits(0, 100))
