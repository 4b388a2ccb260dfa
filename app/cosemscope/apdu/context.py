"""The decoder's context: the request, keys behind a call, joined blocks and scalers go along with the octets.

The decoder keeps no state between APDUs. Who knows the exchange (the analysis) says here what a response
answers; who holds keys (the security module) gives `opener` and `verifier`, which the decoder calls with
the parts of a protected APDU and whose answers it puts into the tree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from cosemscope.apdu.opening import Opening


class Reference(NamedTuple):
    """An attribute or a method of a COSEM object: class, logical name (6 octets), number of the member."""

    class_id: int
    instance: bytes
    member: int
    method: bool = False


@dataclass(frozen=True)
class Request:
    """The references that a request asks for, in order; its response is read with them."""

    references: tuple[Reference, ...] = ()
    with_list: bool = False

    @cached_property
    def members(self) -> frozenset[tuple[int, int, bool]]:
        """Class, number and method of its references: looked through once, for however many responses."""
        return frozenset((one.class_id, one.member, one.method) for one in self.references)


class RefusedItem(NamedTuple):
    """An item of a list, from 0, that is answered with an error: its code, and what it asked for if known."""

    item: int
    code: int
    reference: Reference | None


class KeyInfo(NamedTuple):
    """Key-Info of a general-ciphering APDU: `choice` 0 identified, 1 wrapped, 2 agreed key.

    `key_id` is the key-id or kek-id (choices 0 and 1), `parameters` the key-parameters (choice 2) and
    `ciphered` the key-ciphered-data (choices 1 and 2).
    """

    choice: int
    key_id: int = 0
    parameters: bytes = b""
    ciphered: bytes = b""


class Envelope(NamedTuple):
    """Header of general-ciphering and general-signing; `octets` are the five fields with their lengths."""

    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes
    other_information: bytes
    octets: bytes
    key_info: KeyInfo | None = None


class CipheredPart(NamedTuple):
    """The parts of a ciphered APDU that need no key to be read, for the holder of the key.

    `tag` is the APDU's first octet; `content` the ciphered (or, authenticated only, the plain) octets
    without the authentication tag, which is empty when the security control promises none.
    `system_title` is the originator's where the same APDU names it (general- header, AARQ, AARE).
    """

    tag: int
    security_control: int
    invocation_counter: int
    content: bytes
    authentication_tag: bytes
    system_title: bytes | None = None
    envelope: Envelope | None = None


class SignedPart(NamedTuple):
    """A general-signing APDU: header, content, signature; `signed` are the octets under the signature."""

    envelope: Envelope
    content: bytes
    signature: bytes
    signed: bytes


#: Opens a ciphered APDU. Must not raise; its answer says why there is no plaintext.
Opener = Callable[[CipheredPart], Opening]
#: Verifies the signature of a general-signing APDU. Must not raise; the plaintext of its answer is not used.
Verifier = Callable[[SignedPart], Opening]
#: Scaler (power of ten) and unit (code of the Blue Book) of an attribute; None where not known.
ScalerUnit = Callable[[Reference], tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Context:
    """The knowledge around an APDU, and the wishes for its tree.

    `joined`: the octets of all blocks up to and with this one, joined. `brief`: the tree is for an info line;
    of long arrays the first elements are enough, the others become one leaf.
    """

    request: Request | None = None
    opener: Opener | None = None
    verifier: Verifier | None = None
    scaler_unit: ScalerUnit | None = None
    joined: bytes | None = None
    brief: bool = False

    def for_brief_tree(self) -> "Context":
        """The same context, for a brief tree."""
        return Context(self.request, self.opener, self.verifier, self.scaler_unit, self.joined, brief=True)


#: Nothing is known.
NO_CONTEXT = Context()
