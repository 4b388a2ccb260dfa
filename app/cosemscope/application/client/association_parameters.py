"""What a client associates with: mechanism, keys, titles, counters, proposals; secrets never show."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.protection.hls_answers import HLS_MECHANISMS
from cosemscope.application.protection.sealing import CipheringForm

_NO_KEYS = KeySet("no keys")


def conformance_of(*bits: int) -> int:
    """A conformance block with these bits set; bit 0 is the most significant of the 24."""
    return sum(0x800000 >> bit for bit in set(bits))


GENERAL_PROTECTION, GENERAL_BLOCKS = 1, 2
BLOCKS_WITH_GET, BLOCKS_WITH_SET, BLOCKS_WITH_ACTION, MULTIPLE_REFERENCES = 11, 12, 13, 14
#: Everything that this client can do with logical names.
LOGICAL_NAME_CONFORMANCE = conformance_of(
    GENERAL_PROTECTION,
    GENERAL_BLOCKS,
    8,
    9,
    10,
    BLOCKS_WITH_GET,
    BLOCKS_WITH_SET,
    BLOCKS_WITH_ACTION,
    MULTIPLE_REFERENCES,
    16,
    19,
    20,
    21,
    22,
    23,
)


class MessageKey(StrEnum):
    """How the key of a general-ciphering APDU is come by."""

    IDENTIFIED = "identified: the encryption key that both have"
    WRAPPED = "wrapped: a session key, wrapped with the master key"
    AGREED = "agreed: static Diffie-Hellman, C(0e, 2s)"


class GatewayPath(NamedTuple):
    """A device behind a gateway: the number of its network and its address there."""

    network_id: int
    device_address: bytes = b""


@dataclass(frozen=True, slots=True)
class AssociationParameters:
    """All that an association needs, as values; what is made by chance is given (challenge, dedicated key).

    `mechanism` 0 none, 1 LLS (`password`), 2 to 7 HLS (`challenge`, 8 to 64 octets). `keys` are those that
    both ends have; `own` has the client's private keys and `peer` the server's public ones, where HLS-ECDSA,
    signatures or agreed keys are used. `form` None: nothing is ciphered. `dedicated_key` goes in the
    InitiateRequest and ciphers from then on. With a `message_key` requests go in general-ciphering instead,
    whose key is come by so; `session_key` is the one that is wrapped. `counter` is the next invocation
    counter to use, `server_counter` the last one that the server is known to have used. Times in seconds.
    Behind a `gateway` every APDU has its prefix.
    """

    mechanism: int = 0
    password: bytes = field(default=b"", repr=False)
    challenge: bytes = b""
    keys: KeySet = _NO_KEYS
    own: KeySet = _NO_KEYS
    peer: KeySet = _NO_KEYS
    title: bytes | None = None
    server_title: bytes | None = None
    suite: int = 0
    form: CipheringForm | None = None
    authenticated: bool = True
    encrypted: bool = True
    dedicated_key: bytes | None = field(default=None, repr=False)
    message_key: MessageKey | None = None
    session_key: bytes | None = field(default=None, repr=False)
    counter: int = 0
    server_counter: int = -1
    conformance: int = LOGICAL_NAME_CONFORMANCE
    max_pdu_size: int = 0xFFFF
    user: int | None = None
    certificate: bytes | None = None
    pre_established: bool = False
    high_priority: bool = False
    response_timeout: float = 10.0
    window: int = 1
    parallel: int = 1
    most_octets: int = 1 << 26
    gateway: GatewayPath | None = None

    @property
    def hls(self) -> bool:
        """Whether the association takes four passes."""
        return self.mechanism in HLS_MECHANISMS

    @property
    def context(self) -> int:
        """The application context: logical names, with or without ciphering."""
        return 3 if self.form is not None else 1


#: The client that every meter lets in: no authentication, no ciphering, wPort 16.
PUBLIC_CLIENT = AssociationParameters()
PUBLIC_CLIENT_WPORT = 16
