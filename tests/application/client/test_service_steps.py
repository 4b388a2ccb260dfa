"""Requests and their answers step by step: what is sent next, what comes of it, and what does not fit."""

from typing import Any

import pytest

from cosemscope.apdu.context import Reference
from cosemscope.application.client.service_operations import Act, Set, act, get, set_value
from cosemscope.application.client.service_steps import (
    ServiceStep,
    UnfittingAnswerError,
    act_step,
    get_step,
    set_step,
)
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.apdus import encode_data
from cosemscope.application.encoding.data_values import octet_string, unsigned
from cosemscope.application.encoding.service_parts import DataAccessError, Datablock, SelectedAttribute

_ONE = Reference(3, bytes.fromhex("0100010800ff"), 2)
_OTHER = Reference(3, bytes.fromhex("0100020800ff"), 2)
_METHOD = _ONE._replace(member=1, method=True)
_TWO_GET = get(_ONE, _OTHER)
_TWO_SET = Set((SelectedAttribute(_ONE), SelectedAttribute(_OTHER)), (unsigned(1), unsigned(2)))
_TWO_ACT = Act((_METHOD, _METHOD), (unsigned(1), unsigned(2)))
_LONG = octet_string(bytes(range(25)))
_MOST = 1000


def _played(step: ServiceStep, *responses: Any) -> tuple[list[Any], Any]:
    """What was sent, and the results."""
    sent = [next(step)]
    for response in responses[:-1]:
        sent.append(step.send(response))
    with pytest.raises(StopIteration) as done:
        step.send(responses[-1])
    return sent, done.value.value


def test_blocks_of_get_are_asked_for_one_by_one() -> None:
    """And joined; an error in a block is that of every attribute."""
    octets = encode_data(_LONG)
    first = g.GetResponseWithDatablock(1, False, 1, octets[:10])
    sent, results = _played(
        get_step(1, get(_ONE), _MOST), first, g.GetResponseWithDatablock(1, True, 2, octets[10:])
    )
    assert sent == [g.GetRequestNormal(1, _ONE), g.GetRequestNext(1, 1)]
    assert results[0].value == _LONG
    _, results = _played(
        get_step(1, _TWO_GET, _MOST), first, g.GetResponseWithDatablock(1, True, 2, DataAccessError(15))
    )
    assert ["long-get-aborted" in str(one.refusal) for one in results] == [True, True]


def test_blocks_of_set_wait_for_each_acknowledgement() -> None:
    """The result comes with the last; a server that ends it before has refused."""
    operation = set_value(_ONE, _LONG)
    sent, results = _played(
        set_step(1, operation, 10),
        g.SetResponseDatablock(1, 1),
        g.SetResponseDatablock(1, 2),
        g.SetResponseLastDatablock(1, 0, 3),
    )
    blocks = [one.block for one in sent]
    assert [(one.last, one.number) for one in blocks] == [(False, 1), (False, 2), (True, 3)]
    assert b"".join(one.octets for one in blocks) == encode_data(_LONG)
    assert results[0].refusal is None
    for early in (g.SetResponseNormal(1, 3), g.SetResponseLastDatablock(1, 3, 1)):
        _, results = _played(set_step(1, operation, 10), early)
        assert "read-write-denied" in str(results[0].refusal)
    _, results = _played(set_step(1, operation, 10), g.SetResponseNormal(1, 0))
    assert "other-reason" in str(results[0].refusal)


def test_blocks_of_actions_both_ways() -> None:
    """What is returned stands alone in the blocks, or as a whole answer with its code."""
    operation = act(_METHOD, _LONG)
    sent, results = _played(
        act_step(1, operation, 20, _MOST),
        g.ActionResponseNextPblock(1, 1),
        g.ActionResponseNormal(1, g.ActionAnswer(0)),
    )
    assert [type(one) for one in sent] == [g.ActionRequestWithFirstPblock, g.ActionRequestWithPblock]
    assert results[0].refusal is None
    _, results = _played(
        act_step(1, operation, 20, _MOST), g.ActionResponseNormal(1, g.ActionAnswer(3, DataAccessError(3)))
    )
    assert results[0].refusal.kind == "action-result"
    data = encode_data(_LONG)
    for octets, code in ((data, 0), (b"\x00\x01\x00" + data, 0), (b"\x03\x01\x00" + data, 3)):
        half = len(octets) // 2
        sent, results = _played(
            act_step(1, act(_METHOD), None, _MOST),
            g.ActionResponseWithPblock(1, Datablock(False, 1, octets[:half])),
            g.ActionResponseWithPblock(1, Datablock(True, 2, octets[half:])),
        )
        assert sent[1] == g.ActionRequestNextPblock(1, 1)
        assert results[0].value == _LONG
        assert (results[0].refusal is not None) == bool(code)
    listed = b"\x02\x00\x00\x00\x01\x00" + data
    _, results = _played(
        act_step(1, _TWO_ACT, None, _MOST), g.ActionResponseWithPblock(1, Datablock(True, 1, listed))
    )
    assert [one.value for one in results] == [None, _LONG]


def test_a_method_that_returns_an_error_in_the_place_of_data() -> None:
    """Is refused, though its own result is success."""
    answer = g.ActionAnswer(0, DataAccessError(3))
    _, results = _played(act_step(1, act(_METHOD), None, _MOST), g.ActionResponseNormal(1, answer))
    assert "read-write-denied" in str(results[0].refusal)


_GET_BLOCK = g.GetResponseWithDatablock(1, False, 1, b"")
_PBLOCK = g.ActionResponseWithPblock(1, Datablock(False, 1, b""))


@pytest.mark.parametrize(
    ("step", "responses", "words"),
    [
        (
            get_step(1, _TWO_GET, _MOST),
            [g.GetResponseNormal(1, unsigned(1))],
            "expected values of 2 attributes",
        ),
        (
            get_step(1, get(_ONE), _MOST),
            [_GET_BLOCK, g.GetResponseNormal(1, unsigned(1))],
            "expected block 2",
        ),
        (get_step(1, get(_ONE), _MOST), [_GET_BLOCK, _GET_BLOCK], "block 1 came where block 2 was due"),
        (set_step(1, set_value(_ONE, unsigned(1)), None), [g.SetResponseDatablock(1, 1)], "result of a SET"),
        (set_step(1, _TWO_SET, None), [g.SetResponseNormal(1, 0)], "SET of 2 attributes"),
        (set_step(1, _TWO_SET, None), [g.SetResponseWithList(1, (0,))], "1 results came for 2 attributes"),
        (
            set_step(1, set_value(_ONE, _LONG), 20),
            [g.SetResponseWithList(1, ())],
            "acknowledgement of block 1",
        ),
        (
            set_step(1, set_value(_ONE, _LONG), 20),
            [g.SetResponseDatablock(1, 7)],
            "block 7 came where block 1",
        ),
        (
            set_step(1, set_value(_ONE, _LONG), 20),
            [g.SetResponseDatablock(1, 1), g.SetResponseDatablock(1, 2)],
            "after the last block",
        ),
        (act_step(1, _TWO_ACT, None, _MOST), [g.ActionResponseNextPblock(1, 1)], "what came of 2 methods"),
        (act_step(1, act(_METHOD, _LONG), 20, _MOST), [g.ActionResponseWithList(1, ())], "of block 1"),
        (
            act_step(1, act(_METHOD), None, _MOST),
            [_PBLOCK, g.ActionResponseNextPblock(1, 1)],
            "block 2 of an ACTION",
        ),
        (
            act_step(1, act(_METHOD), None, _MOST),
            [g.ActionResponseWithPblock(1, Datablock(True, 1, b"\xee"))],
            "the joined blocks hold no answer",
        ),
        (
            act_step(1, act(_METHOD), None, 5),
            [g.ActionResponseWithPblock(1, Datablock(True, 1, bytes(6)))],
            "more than the 5 octets",
        ),
    ],
)
def test_answers_that_do_not_fit(step: ServiceStep, responses: list[Any], words: str) -> None:
    """Each says what was expected."""
    next(step)
    for response in responses[:-1]:
        step.send(response)
    with pytest.raises(UnfittingAnswerError, match=words):
        step.send(responses[-1])
