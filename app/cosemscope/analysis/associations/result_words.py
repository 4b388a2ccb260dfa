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
    t.READ_RESPONSE: DATA_ACCESS_RESULTS,
    t.WRITE_RESPONSE: DATA_ACCESS_RESULTS,
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


def _list_result(apdu: bytes) -> str | None:
    """The first result of a list that is no success; none where the list is cut before one."""
    root = decode_apdu(apdu).root
    for name in ("result", "data-access-results", "response-list", "result-list"):
        listed = find(root, name)
        if listed is not None and listed.children and listed.children[0].name == "count":
            count, *items = listed.children
            codes = [_code(item) for item in items]
            failed = [code for code in codes if code]
            whole = len(codes) == count.value and None not in codes
            return result_word(apdu[0], failed[0] if failed else 0 if codes and whole else -1)
    return None


def _code(item: Field) -> int | None:
    """The result that an item of a list is or has; data are a success."""
    for name in ("data-access-result", "action-result", "data-access-error"):
        field = find(item, name)
        if field is not None:
            return _number(field)
    if item.children:
        return 0 if item.children[0].value == 0 else None
    return _number(item)


def _number(field: Field) -> int | None:
    return field.value if isinstance(field.value, int) else None


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
    **dict.fromkeys((t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE), _list_result),
    **dict.fromkeys((t.READ_RESPONSE, t.WRITE_RESPONSE), _list_result),
    t.CONFIRMED_SERVICE_ERROR: _service_error,
}
#: The services in which a result stands at no fixed place.
RESULTS_FURTHER_IN = tuple(_FURTHER_IN)
