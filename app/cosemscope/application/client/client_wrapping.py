"""What stands around a client's APDUs, both ways: protection, general block transfer, a gateway's prefix.

Going out, an APDU is sealed, cut into blocks where the server takes no such length, and given the prefix;
coming in, the same is taken off in whatever order it stands.
"""

from typing import NamedTuple

from cosemscope.application.client.association_parameters import GENERAL_BLOCKS, AssociationParameters
from cosemscope.application.client.client_protection import ClientProtection
from cosemscope.application.client.request_plans import Limits
from cosemscope.application.encoding.apdus import ApduValue, encode, parse
from cosemscope.application.encoding.carrier_apdus import GatewayRequest, GatewayResponse
from cosemscope.application.encoding.initiate_apdus import InitiateResponse
from cosemscope.application.protection.unsealing import PROTECTED_TAGS, UnsealError
from cosemscope.application.transfer.general_block_machine import BLOCK_OVERHEAD, GeneralBlockMachine

_GENERAL_BLOCK_TRANSFER, _GATEWAY_RESPONSE = 0xE0, 0xE7
_LONGEST = 0xFFFF
#: Envelopes and block transfers that may stand around one another.
_MOST_LAYERS = 4


class Unwrapped(NamedTuple):
    """What came: the APDU in clear (None while blocks are missing), its security control, blocks to send."""

    apdu: bytes | None
    control: int | None
    replies: tuple[bytes, ...] = ()


class ClientWrapping:
    """Wraps and unwraps the APDUs of one association; `agreed` is what was negotiated, or proposed before."""

    def __init__(self, parameters: AssociationParameters, protection: ClientProtection) -> None:
        self._parameters = parameters
        self._protection = protection
        self._blocks = GeneralBlockMachine(parameters.window, parameters.most_octets)
        self.agreed = InitiateResponse(parameters.conformance, 0)

    def reset(self) -> None:
        """The association is over, or never came to be."""
        self._blocks.reset()
        self.agreed = InitiateResponse(self._parameters.conformance, 0)

    def give_up_blocks(self) -> None:
        """Blocks on the way belong to an answer that nobody waits for any more."""
        self._blocks.reset()

    @property
    def limits(self) -> Limits:
        """What requests may be, so that they fit when they are sealed and prefixed."""
        room = self._longest() - self._protection.overhead
        return Limits(self.agreed.conformance, room, self._parameters.most_octets)

    def _longest(self) -> int:
        """Octets of the longest APDU that the server takes, without a gateway's prefix."""
        path = self._parameters.gateway
        prefix = 0 if path is None else 3 + len(path.device_address)
        return (self.agreed.max_pdu_size or _LONGEST) - prefix

    def wrapped(self, apdu: ApduValue, *, associated: bool = True) -> list[bytes]:
        """The octets of an APDU as they go out, sealed; more than one where it goes in blocks.

        Raises EncodeError, SealError and TransferError.
        """
        octets = self._protection.seal(encode(apdu), associated=associated)
        longest = self._longest()
        if len(octets) <= longest or not self.limits.has(GENERAL_BLOCKS):
            return [self.prefixed(octets)]
        return [self.prefixed(encode(block)) for block in self._blocks.send(octets, longest - BLOCK_OVERHEAD)]

    def prefixed(self, octets: bytes) -> bytes:
        """An APDU with the gateway's prefix before it, where there is a gateway."""
        path = self._parameters.gateway
        return (
            octets if path is None else encode(GatewayRequest(path.network_id, path.device_address, octets))
        )

    def unwrapped(self, octets: bytes) -> Unwrapped:
        """The APDU out of all that stands around it.

        Raises UnsealError, ParseError and TransferError.
        """
        control: int | None = None
        replies: tuple[bytes, ...] = ()
        for _ in range(_MOST_LAYERS):
            tag = octets[0] if octets else -1
            if tag in PROTECTED_TAGS:
                unsealed = self._protection.unseal(octets)
                control, octets = unsealed.control, unsealed.apdu
            elif tag == _GATEWAY_RESPONSE and self._parameters.gateway is not None:
                octets = self._from_gateway(parse(octets))
            elif tag == _GENERAL_BLOCK_TRANSFER:
                taken = self._blocks.receive(parse(octets))
                replies += tuple(self.prefixed(encode(block)) for block in taken.blocks)
                if taken.apdu is None:
                    return Unwrapped(None, control, replies)
                octets = taken.apdu
            else:
                return Unwrapped(octets, control, replies)
        raise UnsealError(f"more than {_MOST_LAYERS} envelopes stand around one another")

    def _from_gateway(self, response: GatewayResponse) -> bytes:
        """The APDU behind a gateway's prefix; raises UnsealError where it is of another device."""
        path = (response.network_id, response.device_address)
        if path != self._parameters.gateway:
            where = f"network {path[0]}, device {path[1].hex() or 'without address'}"
            raise UnsealError(f"the gateway's response is of another device: {where}")
        return response.apdu
