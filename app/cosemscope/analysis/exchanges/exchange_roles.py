"""The role of an APDU in an exchange: it begins one, goes on, answers in part or for good, or stands alone.

One table gives the role of each service and choice; a flag of the block and the sender decide the rest.
A lane is a wPort pair, a family of services and an invoke-id: in it APDUs follow one another.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.exchanges.general_transfers import BlockPart
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Array


class Role(IntEnum):
    """What an APDU does to the exchanges of its lane."""

    NONE = 0  # takes part in no exchange
    BEGIN = 1  # a request: an exchange begins
    GO_ON = 2  # a request that goes on with blocks
    PART = 3  # a response that is not the last
    FINAL = 4  # the last response
    ALONE = 5  # a request or notification that nobody answers: an exchange of one
    ACKNOWLEDGE = 6  # a general-block-transfer without data: goes with what it acknowledges
    MEMBER = 7  # a later block of a general-block-transfer: goes with the first


class Family(IntEnum):
    """Services whose APDUs answer one another."""

    NONE = 0
    GET = 1
    SET = 2
    ACTION = 3
    ACCESS = 4
    READ = 5
    WRITE = 6
    ASSOCIATION = 7
    RELEASE = 8
    NOTIFICATION = 9
    ABORT = 10
    ENVELOPE = 11  # general- envelopes that have not been opened, and blocks that have not been joined


#: Families whose requests and answers are told by their order where they show no invoke-id.
ORDERED = (Family.GET, Family.SET, Family.ACTION, Family.ACCESS, Family.READ, Family.WRITE, Family.ENVELOPE)


#: Nanoseconds without an answer that count as none, unless the user sets another threshold.
SILENCE = 5_000_000_000
#: Choices that are told apart; what has none, or another, is at 0.
_CHOICES = 9
#: Services -> family, and role by choice where not all have one.
_SERVICES: dict[int, tuple[Family, Role, Mapping[int, Role]]] = {
    t.GET_REQUEST: (Family.GET, Role.BEGIN, {2: Role.GO_ON}),
    t.SET_REQUEST: (Family.SET, Role.BEGIN, {3: Role.GO_ON}),
    t.ACTION_REQUEST: (Family.ACTION, Role.BEGIN, {2: Role.GO_ON, 6: Role.GO_ON}),
    t.ACCESS_REQUEST: (Family.ACCESS, Role.BEGIN, {}),
    t.READ_REQUEST: (Family.READ, Role.BEGIN, {}),
    t.WRITE_REQUEST: (Family.WRITE, Role.BEGIN, {}),
    t.UNCONFIRMED_WRITE_REQUEST: (Family.WRITE, Role.ALONE, {}),
    t.GET_RESPONSE: (Family.GET, Role.FINAL, {2: Role.PART}),
    t.SET_RESPONSE: (Family.SET, Role.FINAL, {2: Role.PART}),
    t.ACTION_RESPONSE: (Family.ACTION, Role.FINAL, {2: Role.PART, 4: Role.PART}),
    t.ACCESS_RESPONSE: (Family.ACCESS, Role.FINAL, {}),
    t.READ_RESPONSE: (Family.READ, Role.FINAL, {}),
    t.WRITE_RESPONSE: (Family.WRITE, Role.FINAL, {}),
    t.AARQ: (Family.ASSOCIATION, Role.BEGIN, {}),
    t.AARE: (Family.ASSOCIATION, Role.FINAL, {}),
    t.INITIATE_REQUEST: (Family.ASSOCIATION, Role.BEGIN, {}),
    t.INITIATE_RESPONSE: (Family.ASSOCIATION, Role.FINAL, {}),
    t.RLRQ: (Family.RELEASE, Role.BEGIN, {}),
    t.RLRE: (Family.RELEASE, Role.FINAL, {}),
    t.ABRT: (Family.ABORT, Role.ALONE, {}),
    t.EVENT_NOTIFICATION: (Family.NOTIFICATION, Role.ALONE, {}),
    t.INFORMATION_REPORT: (Family.NOTIFICATION, Role.ALONE, {}),
    t.DATA_NOTIFICATION: (Family.NOTIFICATION, Role.BEGIN, {}),
    t.DATA_NOTIFICATION_CONFIRM: (Family.NOTIFICATION, Role.FINAL, {}),
}
#: Responses that say with a flag whether they are the last.
_FLAGGED = ((t.GET_RESPONSE, 2), (t.ACTION_RESPONSE, 2))
#: APDUs that carry a block of a transfer: service and choice.
_BLOCKS = (
    *((t.GET_RESPONSE, 2), (t.ACTION_RESPONSE, 2)),
    *((t.SET_REQUEST, 2), (t.SET_REQUEST, 3), (t.SET_REQUEST, 5)),
    *((t.ACTION_REQUEST, 4), (t.ACTION_REQUEST, 5), (t.ACTION_REQUEST, 6)),
)
#: Responses without an invoke-id: see `exception_owners`.
WITHOUT_ID = (t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR)
_ENVELOPES = (t.GENERAL_GLO, t.GENERAL_DED, t.GENERAL_CIPHERING, t.GENERAL_SIGNING)


def _tables() -> tuple[Array, Array, Array, Array]:
    """Role and family (u1), whether a flag tells the last, whether it is a block (bool): [service, choice].

    Ciphered services have the roles of those inside; their choices are not seen, and at 0.
    """
    shape = (257, _CHOICES)
    role, family = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    flagged, block = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    twins = {twin: inner for services in (t.GLO_SERVICES, t.DED_SERVICES) for twin, inner in services.items()}
    for service, (kin, usual, others) in _SERVICES.items():
        role[service], family[service] = usual, kin
        for choice, other in others.items():
            role[service, choice] = other
    for service in WITHOUT_ID:
        role[service] = Role.FINAL
    for twin, inner in twins.items():
        role[twin], family[twin] = role[inner, 0], family[inner, 0]
    for place in _FLAGGED:
        flagged[place] = True
    for place in _BLOCKS:
        block[place] = True
    return role, family, flagged, block


_ROLES, _FAMILIES, _FLAGGED_PLACES, _BLOCK_PLACES = _tables()


class Roles:
    """Roles of a batch of WPDU rows: `role`, `family` u1[n]; `exception`, `block`, `answers` bool[n].

    `answers`: responses, whole or in part, and all blocks of general-block-transfers that carry one;
    `ordered`: requests and answers without an invoke-id, which their order pairs; `sided`: what they are
    depends on who sent them.
    """

    def __init__(self, look: Mapping[str, Array], from_client: NDArray[np.bool_]) -> None:
        """`look`: first-look columns with those of `GeneralTransfers`; `from_client`: by DLMS role."""
        service, choice = look["service"], np.where((look["choice"] >= _CHOICES), 0, look["choice"])
        place = service.astype(np.int64), np.maximum(choice, 0)
        self.role = _ROLES[place]
        self.family = _FAMILIES[place]
        self.block = _BLOCK_PLACES[place]
        last = _FLAGGED_PLACES[place] & (look["last_block"] != 0)
        self.role[last] = Role.FINAL
        self.exception = np.isin(service, WITHOUT_ID)
        envelope = np.isin(service, _ENVELOPES)
        self.sided = envelope | (look["part"] != BlockPart.NONE)
        self._envelopes(envelope, from_client)
        self._blocks(look, from_client)
        self.answers = np.isin(self.role, (Role.PART, Role.FINAL))
        self._members(look)
        self.ordered = (look["invoke_id"] < 0) & np.isin(self.family, ORDERED) & ~self.exception
        self.ordered &= np.isin(self.role, (Role.BEGIN, Role.GO_ON, Role.PART, Role.FINAL))

    def _envelopes(self, envelope: NDArray[np.bool_], from_client: NDArray[np.bool_]) -> None:
        """An envelope of the client's asks, one of the server's answers."""
        self.family[envelope] = Family.ENVELOPE
        self.role[envelope] = np.where(from_client[envelope], Role.BEGIN, Role.FINAL)

    def _blocks(self, look: Mapping[str, Array], from_client: NDArray[np.bool_]) -> None:
        """Transfers that have not been joined are envelopes; of answers the last block tells the end."""
        general = np.flatnonzero((look["part"] != BlockPart.NONE) & (self.role == Role.NONE))
        if len(general):
            answer = np.where(look["ended"][general], Role.FINAL, Role.PART)
            self.role[general] = np.where(from_client[general], Role.BEGIN, answer)
            self.family[general] = Family.ENVELOPE

    def _members(self, look: Mapping[str, Array]) -> None:
        """Only the first block of a transfer does anything; the others go with it."""
        part = look["part"]
        self.role[(part == BlockPart.MEMBER) | (part == BlockPart.AGAIN)] = Role.MEMBER
        self.role[part == BlockPart.BARE] = Role.ACKNOWLEDGE
        self.answers[part == BlockPart.BARE] = False
        self.exception &= part <= BlockPart.FIRST
