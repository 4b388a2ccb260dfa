"""The state table is whole: each state is there, leads to states that are there, and can be left."""

from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_states import (
    CLIENT_TABLE,
    ClientAction,
    ClientInput,
    ClientState,
)

_WISHES = {
    ClientInput.OPEN_REQUEST: {ClientState.INACTIVE},
    ClientInput.OPEN_PRE_ESTABLISHED: {ClientState.INACTIVE},
    ClientInput.SERVICE_REQUEST: {ClientState.ASSOCIATED},
    ClientInput.RELEASE_REQUEST: {ClientState.ASSOCIATED},
}


def test_every_state_has_rows() -> None:
    """And every input and action is used somewhere."""
    assert set(CLIENT_TABLE) == set(ClientState)
    inputs = {kind for rows in CLIENT_TABLE.values() for kind in rows}
    actions = {action for rows in CLIENT_TABLE.values() for row in rows.values() for action in row.actions}
    assert (inputs, actions) == (set(ClientInput), set(ClientAction))
    assert set(ClientAssociation._do) == set(ClientAction)


def test_wishes_are_allowed_where_the_standard_allows_them() -> None:
    """COSEM-OPEN while inactive, services and COSEM-RELEASE while associated."""
    for wish, states in _WISHES.items():
        assert {state for state, rows in CLIENT_TABLE.items() if wish in rows} == states


def test_every_state_ends_with_the_connection_and_takes_notifications() -> None:
    """Whatever was going on."""
    for rows in CLIENT_TABLE.values():
        assert rows[ClientInput.LINK_LOST].next is ClientState.INACTIVE
        assert ClientInput.NOTIFICATION in rows


def test_whatever_is_awaited_may_not_come() -> None:
    """Pending states give up; ASSOCIATED gives up a request only."""
    for state in (ClientState.ASSOCIATION_PENDING, ClientState.HLS_PENDING, ClientState.RELEASE_PENDING):
        assert CLIENT_TABLE[state][ClientInput.TIMEOUT].next is ClientState.INACTIVE
    assert CLIENT_TABLE[ClientState.ASSOCIATED][ClientInput.TIMEOUT].next is ClientState.ASSOCIATED
