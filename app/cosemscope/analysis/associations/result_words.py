"""The standard's words for results: of first looks by service and code, of other APDUs out of their trees."""

from cosemscope.analysis.associations.association import Look
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find
from cosemscope.apdu.names import tags as t
from cosemscope.apdu.names.codes import (
    ACTION_RESULTS,
    ASSOCIATION_RESULTS,
    DATA_ACCESS_RESULTS,
    EXCEPTION_ERRORS,
    SERVICE_ERRORS,
)

#: The words for results, by the APDU that says them.
_RESULTS: dict[int, dict[int, str]] = {
    t.GET_RESPONSE: DATA_ACCESS_RESULTS,
    t.SET_RESPONSE: DATA_ACCESS_RESULTS,
    t.ACTION_RESPONSE: ACTION_RESULTS,
    t.EXCEPTION_RESPONSE: EXCEPTION_ERRORS,
    t.AARE: ASSOCIATION_RESULTS,
}


def result_word(service: int, code: int) -> str | None:
    """The word for a result that stands in a first look; "code 77" for a number that has none."""
    return _RESULTS.get(service, {}).get(code, f"code {code}") if code >= 0 else None


def result_further_in(known: Look) -> str | None:
    """The result of an APDU in which it stands at no fixed place."""
    find_result = _FURTHER_IN.get(known.plain[0]) if known.plain else None
    return find_result(known.plain) if find_result is not None else None


def _association_result(apdu: bytes) -> str | None:
    result = find(decode_apdu(apdu).root, "result")
    return _word(result, ASSOCIATION_RESULTS)


def _access_result(apdu: bytes) -> str | None:
    """The first result that is no success."""
    listed = find(decode_apdu(apdu).root, "access-response-specification")
    words = [_word(field, DATA_ACCESS_RESULTS) for field in (listed.children if listed is not None else ())]
    words = [word for word in words if word]
    return next((word for word in words if word != "success"), words[0] if words else None)


def _word(field: Field | None, words: dict[int, str]) -> str | None:
    value = field.value if field is not None and field.name != "count" else None
    value = value[-1] if isinstance(value, tuple) and value else value
    return words.get(value, f"code {value}") if isinstance(value, int) else None


def _service_error(apdu: bytes) -> str | None:
    if len(apdu) < 4:
        return None
    return SERVICE_ERRORS.get(apdu[2], ("", {}))[1].get(apdu[3], f"code {apdu[3]}")


_FURTHER_IN = {
    t.AARE: _association_result,
    t.ACCESS_RESPONSE: _access_result,
    t.CONFIRMED_SERVICE_ERROR: _service_error,
}
#: The services in which a result stands at no fixed place.
RESULTS_FURTHER_IN = tuple(_FURTHER_IN)
