"""A client association survives whatever it receives, in every state, and still knows what it waits for."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_states import ClientState
from cosemscope.application.client.service_operations import act, get, set_value
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.data_values import Data, octet_string
from cosemscope.application.protection.sealing import CipheringForm, Sealer
from tests.application.apdu_values import APDUS
from tests.application.played_meter import TITLE, PlayedMeter
from tests.application.played_session import PlayedSession

_KEYS = KeySet("meter", encryption=bytes(16), authentication=bytes(16), hls_secret=b"secret")
_REFERENCE = Reference(1, bytes(6), 2)
_HLS = {"mechanism": 3, "keys": _KEYS}
_ANY = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(list(APDUS)).flatmap(lambda kind: APDUS[kind]).map(encode),
)


def _pending() -> ClientAssociation:
    client = ClientAssociation(AssociationParameters())
    client.associate(0)
    return client


def _proving() -> ClientAssociation:
    session = PlayedSession(AssociationParameters(challenge=b"challenge", **_HLS), PlayedMeter(**_HLS))
    (sent,) = session.client.associate(0)
    session.hear(session.meter.answer(sent.octets)[0])  # type: ignore[union-attr]
    assert session.client.state is ClientState.HLS_PENDING
    return session.client


def _associated(**how: Any) -> ClientAssociation:
    session = PlayedSession(
        AssociationParameters(parallel=4, **how), PlayedMeter(keys=_KEYS, form=how.get("form"))
    )
    session.associate()
    assert session.client.state is ClientState.ASSOCIATED
    for operation in (get(_REFERENCE), set_value(_REFERENCE, Data(0)), act(_REFERENCE._replace(method=True))):
        session.client.request(operation, 0)
    session.client.request(set_value(_REFERENCE, octet_string(bytes(10))), 0)
    return session.client


def _ciphered() -> ClientAssociation:
    return _associated(form=CipheringForm.GENERAL_GLOBAL, keys=_KEYS, title=b"CLI\0\0\0\0\1")


def _releasing() -> ClientAssociation:
    client = _associated()
    client.release(0)
    return client


_STATES = [
    lambda: ClientAssociation(AssociationParameters()),
    _pending,
    _proving,
    _associated,
    _ciphered,
    _releasing,
]


@pytest.mark.parametrize("begin", _STATES)
def test_nothing_that_is_received_raises(begin: Callable[[], ClientAssociation]) -> None:
    """Random octets and APDUs of every class, bare and sealed with the right key, one after the other."""
    sealer = Sealer(_KEYS, TITLE, form=CipheringForm.GENERAL_GLOBAL)

    @given(st.lists(st.tuples(_ANY, st.booleans()), max_size=8))
    def check(received: list[tuple[bytes, bool]]) -> None:
        client = begin()
        for number, (octets, sealed) in enumerate(received):
            client.receive(sealer.seal(octets, 1000 + number) if sealed else octets, number)
        while (deadline := client.deadline) is not None:
            client.time_out(deadline)
        assert client.state in (ClientState.INACTIVE, ClientState.ASSOCIATED)

    check()
