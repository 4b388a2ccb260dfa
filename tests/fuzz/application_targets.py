"""APDUs as values, and what a client association receives: one error at most, and the same octets again."""

import struct
from collections.abc import Sequence

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_states import ClientState
from cosemscope.application.client.service_operations import act, get, set_value
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.data_values import unsigned
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.protection.sealing import CipheringForm
from tests.application.apdu_samples import SAMPLES
from tests.fuzz.apdu_seeds import AUTHENTICATION, KEY, TITLE, corpus
from tests.fuzz.target import Target

_KEYS = KeySet("meter", encryption=KEY, authentication=AUTHENTICATION)
_REFERENCE = Reference(1, bytes(6), 2)
_HEAD = struct.Struct(">H")


def take_value(octets: bytes) -> None:
    """An APDU is refused by one error, or read into a value whose octets give the same octets again."""
    try:
        value = parse(octets)
    except ParseError:
        return
    # Not the values are compared: what is not a number equals nothing.
    again = encode(value)
    assert encode(parse(again)) == again


def take_received(octets: bytes) -> None:
    """A client receives APDUs, each behind its length; the first octet says how far it was before."""
    choice, octets = (octets[:1] or b"\0")[0], octets[1:]
    ciphered = bool(choice & 1)
    client = ClientAssociation(
        AssociationParameters(
            keys=_KEYS,
            title=TITLE,
            server_title=TITLE,
            form=CipheringForm.GENERAL_GLOBAL if ciphered else None,
            pre_established=bool(choice & 2),
            parallel=3,
        )
    )
    client.associate(0)
    if client.state is ClientState.ASSOCIATED:
        for operation in (
            get(_REFERENCE),
            set_value(_REFERENCE, unsigned(1)),
            act(_REFERENCE._replace(method=True)),
        ):
            client.request(operation, 0)
    at = 0
    while at + _HEAD.size < len(octets):
        start = at + _HEAD.size
        at = start + _HEAD.unpack_from(octets, at)[0] % 2048
        client.receive(octets[start:at], 1)
    while (deadline := client.deadline) is not None:
        client.time_out(deadline)


def _received(first: int, apdus: Sequence[bytes]) -> bytes:
    return bytes((first,)) + b"".join(_HEAD.pack(len(apdu)) + apdu for apdu in apdus)


def _samples() -> list[bytes]:
    return [encode(value) for value in SAMPLES]


def _conversations() -> list[bytes]:
    samples = [apdu for apdu in _samples() if len(apdu) < 2048]
    return [_received(first, samples[start::6]) for first in range(4) for start in range(6)]


VALUES = Target("apdu-values", take_value, lambda: [*_samples(), *corpus()], 3_000, 40)
RECEIVED = Target("client", take_received, _conversations, 8_000, 120)
