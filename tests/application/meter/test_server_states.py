"""The table of the server's association, held against what IEC 62056-5-3 says of it."""

import pytest

from cosemscope.application.meter.server_states import TABLE, ServerAction, ServerInput, ServerState, step

IDLE, PENDING, ASSOCIATED = ServerState.IDLE, ServerState.PENDING, ServerState.ASSOCIATED


@pytest.mark.parametrize("state", ServerState)
def test_an_aarq_begins_anew_from_everywhere(state: ServerState) -> None:
    assert step(state, ServerInput.ACCEPTED) == (ServerAction.OPEN, ASSOCIATED)
    assert step(state, ServerInput.ACCEPTED_HLS) == (ServerAction.CHALLENGE, PENDING)
    assert step(state, ServerInput.REFUSED) == (ServerAction.REJECT, IDLE)
    assert step(state, ServerInput.RELEASE) == (ServerAction.CLOSE, IDLE)
    assert step(state, ServerInput.ABORT) == (ServerAction.FORGET, IDLE)


def test_services_are_served_in_an_association_only() -> None:
    assert step(ASSOCIATED, ServerInput.SERVICE) == (ServerAction.SERVE, ASSOCIATED)
    assert step(IDLE, ServerInput.SERVICE) is None
    assert step(PENDING, ServerInput.SERVICE) is None


def test_proofs_count_while_they_are_waited_for() -> None:
    assert step(PENDING, ServerInput.PROOF_RIGHT) == (ServerAction.PROVE, ASSOCIATED)
    assert step(PENDING, ServerInput.PROOF_WRONG) == (ServerAction.DISMISS, IDLE)
    for state in (IDLE, ASSOCIATED):
        assert step(state, ServerInput.PROOF_RIGHT) is None


def test_every_action_stands_in_the_table() -> None:
    taken = {one.action for steps in TABLE.values() for one in steps.values()}
    assert taken == set(ServerAction)
