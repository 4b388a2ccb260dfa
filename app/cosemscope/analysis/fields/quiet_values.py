"""Values of quiet rows: numbers are read without a tree, and what comes again is read once."""

from functools import lru_cache

from cosemscope.analysis.associations.association import QuietLook
from cosemscope.analysis.associations.told_values import ToldValue, scaled_value, told_value
from cosemscope.analysis.objects.object_values import kept_number
from cosemscope.apdu.context import Context

#: A response to a GET for one attribute; the octet behind it is its invoke-id; 0 says that data follow.
_GET_RESPONSE, _DATA = b"\xc4\x01", 0
#: Values that are remembered, and octets of the longest.
_REMEMBERED, _LONGEST = 1 << 12, 1 << 12


def quiet_value(look: QuietLook, apdu: bytes) -> ToldValue:
    """What a row with a quiet look says of its object: the same as `told_value` of its tree."""
    reference = look.reference
    if reference is not None and apdu[:2] == _GET_RESPONSE and len(apdu) > 4 and apdu[3] == _DATA:
        kept = kept_number(reference, apdu[4:])
        if kept is not None and kept.number is not None:
            number, scaler_unit = kept.number, look.scaler_unit
            return ToldValue(number) if scaler_unit is None else scaled_value(number, scaler_unit)
    # Invoke-ids are in no value.
    if 3 < len(apdu) <= _LONGEST:
        return _told(look, apdu[:2] + b"\0" + apdu[3:])
    return _read(look, apdu)


def _read(look: QuietLook, apdu: bytes) -> ToldValue:
    """Out of a brief tree: what it says in words of a long array needs no more."""
    return told_value(Context(look.request, scaler_unit=lambda reference: look.scaler_unit, brief=True), apdu)


_told = lru_cache(_REMEMBERED)(_read)
