"""How an operation becomes requests: lists as long as fit the negotiated size, blocks for what does not."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cosemscope.application.client.association_parameters import (
    BLOCKS_WITH_ACTION,
    BLOCKS_WITH_SET,
    GENERAL_BLOCKS,
    MULTIPLE_REFERENCES,
)
from cosemscope.application.client.service_operations import Act, Get, Operation, Set
from cosemscope.application.client.service_steps import ServiceStep, act_step, get_step, set_step
from cosemscope.application.encoding.apdus import encode, encode_data
from cosemscope.application.encoding.get_set_action import (
    ActionRequestWithFirstPblock,
    SetRequestWithFirstDatablock,
)
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.encoding.service_parts import Datablock, SelectedAttribute

#: Octets of a list request before its elements: tag, choice, invoke-id, two counts.
_LIST_HEAD = 3 + 5 + 5
#: Octets of a descriptor and the absence of a selection or of parameters.
_DESCRIPTOR = 10
_BLOCK_LENGTH = 5


class Limits(NamedTuple):
    """What an association lets a request be: the negotiated conformance, the longest APDU in clear."""

    conformance: int
    octets: int
    most_octets: int = 1 << 26
    most_references: int = 64

    def has(self, bit: int) -> bool:
        """Whether bit `bit` of the conformance block is set; bit 0 is the most significant."""
        return bool(self.conformance & 0x800000 >> bit)


class PlanError(ValueError):
    """An operation that this association has no request for; the sentence says what is missing."""


class PlannedStep(NamedTuple):
    """One request of an operation, which `begin` makes with an invoke octet."""

    part: Operation
    block_size: int | None
    most_octets: int

    def begin(self, invoke: int) -> ServiceStep:
        """The generator that carries the request out."""
        if isinstance(self.part, Get):
            return get_step(invoke, self.part, self.most_octets)
        if isinstance(self.part, Set):
            return set_step(invoke, self.part, self.block_size)
        return act_step(invoke, self.part, self.block_size, self.most_octets)


def plan(operation: Operation, limits: Limits) -> list[PlannedStep]:
    """The requests of an operation, in order; raises PlanError, and EncodeError for values without any."""
    steps: list[PlannedStep] = []
    for start, stop in _runs(operation, limits):
        part = _part(operation, start, stop)
        size = None
        if stop - start == 1 and not isinstance(part, Get):
            size = _block_size(part, limits)
        steps.append(PlannedStep(part, size, limits.most_octets))
    if not steps:
        raise PlanError("the operation names no attribute and no method")
    return steps


def _runs(operation: Operation, limits: Limits) -> Iterator[tuple[int, int]]:
    """Which elements go together: from, to."""
    sizes = _sizes(operation)
    most = limits.most_references if limits.has(MULTIPLE_REFERENCES) else 1
    start, taken = 0, _LIST_HEAD
    for index, size in enumerate(sizes):
        if index > start and (index - start >= most or taken + size > limits.octets):
            yield start, index
            start, taken = index, _LIST_HEAD
        taken += size
    if sizes:
        yield start, len(sizes)


def _sizes(operation: Operation) -> list[int]:
    """Octets of each element in a list request."""
    if isinstance(operation, Get):
        return [_attribute_size(one) for one in operation.attributes]
    if isinstance(operation, Set):
        _check_values(len(operation.attributes), len(operation.values), "attributes")
        pairs = zip(operation.attributes, operation.values, strict=True)
        return [_attribute_size(one) + len(encode_data(value)) for one, value in pairs]
    _check_values(len(operation.methods), len(operation.parameters), "methods")
    return [_DESCRIPTOR + len(encode_data(value)) for value in operation.parameters]


def _attribute_size(one: SelectedAttribute) -> int:
    return _DESCRIPTOR + (1 + len(encode_data(one.selection.parameters)) if one.selection is not None else 0)


def _check_values(references: int, values: int, what: str) -> None:
    if references != values:
        raise EncodeError(f"{values} values are given for {references} {what}")


def _part(operation: Operation, start: int, stop: int) -> Operation:
    if isinstance(operation, Get):
        return Get(operation.attributes[start:stop])
    if isinstance(operation, Set):
        return Set(operation.attributes[start:stop], operation.values[start:stop])
    return Act(operation.methods[start:stop], operation.parameters[start:stop])


def _block_size(part: Any, limits: Limits) -> int | None:
    """The octets of each block of the one value of `part`; None where it fits as it is."""
    (size,) = _sizes(part)
    if 3 + size <= limits.octets:
        return None
    empty = Datablock(False, 1, b"")
    if isinstance(part, Set):
        bit, what = BLOCKS_WITH_SET, "block transfer with SET"
        first: Any = SetRequestWithFirstDatablock(0, *part.attributes[0], empty)
    else:
        bit, what = BLOCKS_WITH_ACTION, "block transfer with ACTION"
        first = ActionRequestWithFirstPblock(0, part.methods[0], empty)
    if not limits.has(bit):
        if limits.has(GENERAL_BLOCKS):
            return None  # the whole APDU goes in blocks
        raise PlanError(
            f"the request takes {3 + size} octets, the server takes {limits.octets}, and neither {what} "
            "nor general block transfer was negotiated"
        )
    room = limits.octets - len(encode(first)) - _BLOCK_LENGTH
    if room <= 0:
        raise PlanError(f"the server takes {limits.octets} octets: too few for a block of a request")
    return room
