"""Methods that concern security: answers to the challenges of HLS, keys that are transferred or agreed.

The association objects have reply_to_HLS_authentication, Security setup has key_transfer and key_agreement.
With short names the association object's method is read or written at its base name, which the
InitiateResponse tells, and 58. Sources: IEC 62056-6-2, classes 12, 15 and 64; IEC 62056-5-3, HLS.
"""

from collections.abc import Callable
from typing import Any

from cosemscope.analysis.associations.association import Association, Pending
from cosemscope.analysis.associations.association_notes import (
    HLS_RIGHT,
    HLS_UNPROVEN,
    HLS_WRONG,
    KEY_LEARNED,
    KEY_WRAPPED,
)
from cosemscope.apdu.context import Reference
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.security import hls
from cosemscope.apdu.security.key_agreement import ephemeral, unwrapped
from cosemscope.apdu.security.key_rings import KEY_SIZES
from cosemscope.apdu.security.key_sets import KeySet, point_octets
from cosemscope.streams.tables.expert_items import ItemKind

_REPLY_TO_HLS = (15, 1)
_SECURITY_SETUP, _KEY_TRANSFER, _KEY_AGREEMENT = 64, 2, 3
#: Which key a key-id of Security setup means: the field of KeySet.
_KEY_IDS = {0: "encryption", 1: "broadcast", 2: "authentication", 3: "master"}
_HLS_KINDS = {hls.HlsVerdict.RIGHT: HLS_RIGHT, hls.HlsVerdict.WRONG: HLS_WRONG}
#: Where the parameter stands in an ACTION request, and in a response that returns one.
_PARAMETER, _RETURNED = 12, 4

#: The name of reply_to_HLS_authentication where the association object has its usual base name.
_SHORT_BASE = 0xFA00
_SHORT_REPLY = (_SHORT_BASE + 0x58).to_bytes(2, "big")
#: How a reading with a parameter (then any selector, and octets) and a writing (of one value) of it begin.
_SHORT_READ, _SHORT_WRITTEN = b"\x05\x01\x04" + _SHORT_REPLY, b"\x06\x01\x02" + _SHORT_REPLY + b"\x01"
_SHORT_RETURNED = b"\x0c\x01\x00"
_OCTET_STRING = 9


class SecurityMethods:
    """Calls of these methods, and their answers, tell of an association and teach it.

    `note` takes the kind of a remark and a sentence for people; `used` an invocation counter.
    """

    def __init__(
        self,
        association: Association,
        side: int,
        note: Callable[[ItemKind, str], None],
        used: Callable[[bytes, str, int], None],
    ) -> None:
        self._association = association
        self._side = side
        self._note = note
        self._used = used

    def called(self, apdu: bytes, reference: Reference) -> Any:
        """A method is called by an ACTION request: what is to be known of it when its response comes."""
        method = (reference.class_id, reference.member)
        if method == _REPLY_TO_HLS and apdu[_PARAMETER : _PARAMETER + 1] == b"\x01":
            self._check_hls(_octet_string(apdu, _PARAMETER + 1))
        elif method[0] == _SECURITY_SETUP and method[1] in (_KEY_TRANSFER, _KEY_AGREEMENT):
            return _key_data(find(decode_apdu(apdu).root, "method-invocation-parameters"))
        return None

    def answered(self, apdu: bytes, pending: Pending) -> None:
        """The response to a call; only success counts."""
        reference = pending.request.references[0] if pending.request.references else None
        if reference is None or apdu[3] != 0:
            return
        method = (reference.class_id, reference.member)
        if method == _REPLY_TO_HLS and apdu[_RETURNED : _RETURNED + 2] == b"\x01\x00":
            self._check_hls(_octet_string(apdu, _RETURNED + 2))
        elif method == (_SECURITY_SETUP, _KEY_TRANSFER):
            self._keys_transferred(pending.parameters or {})
        elif method == (_SECURITY_SETUP, _KEY_AGREEMENT):
            returned = find(decode_apdu(apdu).root, "response", "return-parameters")
            self._keys_agreed(pending.parameters or {}, _key_data(returned))

    def called_by_name(self, apdu: bytes) -> bool:
        """A short name is read or written: whether this called reply_to_HLS_authentication."""
        if self._association.base_name != _SHORT_BASE:
            return False
        start = len(_SHORT_READ) + 1 if apdu.startswith(_SHORT_READ) else len(_SHORT_WRITTEN)
        found = _octet_string(apdu, start) if apdu.startswith((_SHORT_READ, _SHORT_WRITTEN)) else None
        self._check_hls(found)
        return found is not None

    def answered_by_name(self, apdu: bytes) -> None:
        """The response to such a reading."""
        if apdu.startswith(_SHORT_RETURNED):
            self._check_hls(_octet_string(apdu, len(_SHORT_RETURNED)))

    def _check_hls(self, found: bytes | None) -> None:
        """Pass 3 or 4 of HLS: the answer to a challenge, held against what it must be."""
        association = self._association
        challenges = association.hls()
        if found is None or challenges.mechanism < 2:
            return
        check = hls.check(challenges, self._side == association.client_side, found, association.ring().sets)
        self._note(_HLS_KINDS.get(check.verdict, HLS_UNPROVEN), check.sentence)
        title = association.titles[self._side]
        if challenges.mechanism == 5 and title and len(found) > 5:
            # The GMAC took a counter too, before that of the APDU which carries it.
            self._used(title, "encryption", int.from_bytes(found[1:5], "big"))

    def _keys_transferred(self, wrapped: dict[int, bytes]) -> None:
        """Keys sent wrapped with the master key hold from now on."""
        masters = [keys for keys in self._association.ring().sets if keys.master is not None]
        for number, octets in wrapped.items():
            name = _KEY_IDS.get(number, "")
            for keys in masters:
                key = unwrapped(octets, keys.master or b"")
                if key is not None and name and len(key) in KEY_SIZES:
                    self._learn_key(name, key, f"unwrapped with the master key of {keys.label}")
                    break
            else:
                sentence = f"the new {name or f'key {number}'} key is wrapped: no master key opens it"
                self._note(KEY_WRAPPED, sentence)

    def _keys_agreed(self, client: dict[int, bytes], server: dict[int, bytes]) -> None:
        """Keys agreed with ephemeral keys of both sides, where the private key of one of them is given."""
        challenges = self._association.hls()
        titles = (challenges.client_title or b"", challenges.server_title or b"")
        for number in client.keys() & server.keys():
            points = [octets[: len(octets) // 2] for octets in (client[number], server[number])]
            for keys in self._association.ring().sets:
                own = keys.ephemeral_private
                if own is None or point_octets(own.public_key()) not in points:
                    continue
                peer = points[1 - points.index(point_octets(own.public_key()))]
                key = ephemeral(own, peer, *titles)
                if key is not None and number in _KEY_IDS:
                    self._learn_key(_KEY_IDS[number], key, f"with the ephemeral key of {keys.label}")

    def _learn_key(self, name: str, key: bytes, how: str) -> None:
        earlier = next((keys for keys in self._association.learned if keys.dedicated is None), None)
        label = "the keys that this association agreed"
        kept = {} if earlier is None else {field: getattr(earlier, field) for field in _KEY_IDS.values()}
        self._association.learn_key(KeySet(label, **{**kept, name: key}))
        self._note(KEY_LEARNED, f"a new {name} key is known from here on, {how}")


def sized(apdu: bytes, start: int) -> bytes | None:
    """The octets behind a length at `start`; None when they are not all there."""
    if start >= len(apdu):
        return None
    size, start = apdu[start], start + 1
    if size >= 0x80:
        stop = start + size - 0x80
        size, start = int.from_bytes(apdu[start:stop], "big"), stop
    octets = apdu[start : start + size]
    return octets if len(octets) == size else None


def _octet_string(apdu: bytes, start: int) -> bytes | None:
    """The octet-string that stands at `start`; None when it is none."""
    return sized(apdu, start + 1) if apdu[start : start + 1] == bytes((_OCTET_STRING,)) else None


def _key_data(field: Field | None) -> dict[int, bytes]:
    """The array of (key-id, octets) that key_transfer and key_agreement take and give."""
    value: Any = field.value if field is not None else None
    found: dict[int, bytes] = {}
    for one in value if isinstance(value, tuple) else ():
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], int) and isinstance(one[1], bytes):
            found[one[0]] = one[1]
    return found
