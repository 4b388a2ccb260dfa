"""The standard's words for results, by the service that says them and the code in a first look."""

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
    **dict.fromkeys((t.GET_RESPONSE, t.SET_RESPONSE, t.ACCESS_RESPONSE), DATA_ACCESS_RESULTS),
    **dict.fromkeys((t.READ_RESPONSE, t.WRITE_RESPONSE), DATA_ACCESS_RESULTS),
    t.ACTION_RESPONSE: ACTION_RESULTS,
    t.EXCEPTION_RESPONSE: EXCEPTION_ERRORS,
    t.AARE: ASSOCIATION_RESULTS,
    # A service error is a choice and a code in it.
    t.CONFIRMED_SERVICE_ERROR: {
        choice << 8 | code: word
        for choice, (_, words) in SERVICE_ERRORS.items()
        for code, word in words.items()
    },
}

#: Every word for a result.
RESULT_WORDS = tuple(dict.fromkeys(word for words in _RESULTS.values() for word in words.values()))


def result_word(service: int, code: int) -> str | None:
    """The word for a result that stands in a first look; "code 77" for a number that has none."""
    if code < 0:
        return None
    own = code & 0xFF if service == t.CONFIRMED_SERVICE_ERROR else code
    return _RESULTS.get(service, {}).get(code, f"code {own}")
