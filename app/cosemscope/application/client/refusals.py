"""Refusals as values: who refused what, in the words of the standard, and what a person may try next."""

from typing import NamedTuple

from cosemscope.apdu.names import codes
from cosemscope.application.encoding.acse_apdus import Aare, Diagnostic
from cosemscope.application.encoding.initiate_apdus import ConfirmedServiceError
from cosemscope.application.encoding.notifications import ExceptionResponse


class Refusal(NamedTuple):
    """A refusal: `words` say what happened, `advice` what to try ("" where nothing is known to help).

    `kind` is the place of `code`: "user diagnostic", "provider diagnostic", "exception", "service error",
    "data-access-result", "action-result"; or "client" for what was found at this end, with a code of 0.
    """

    kind: str
    code: int
    words: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.words}: {self.advice}" if self.advice else self.words


_CLIENT_WPORT = "the client wPort says which association is meant (16 public, 1 management)"
_USER_ADVICE = {
    1: f"try another mechanism, password or client wPort; {_CLIENT_WPORT}",
    2: "associate with the other context: with ciphering, or without",
    3: "give the system title that the meter has been told of, or one of the right manufacturer",
    5: "give the certificate that the meter has been told of",
    6: "give the number of a user that the meter knows, or none",
    11: f"try another mechanism; {_CLIENT_WPORT}",
    12: f"name a mechanism (LLS or HLS); {_CLIENT_WPORT}",
    13: "check password or keys, their order, and the system titles; meters may lock after some tries",
    14: "authenticate with HLS: a mechanism from 2 to 7",
}
_PROVIDER_ADVICE = {
    1: "check wPorts and application context; another client may hold the association",
    2: "leave the protocol version out",
}
_EXCEPTION_ADVICE = {
    1: "associate again: the meter may have closed the association",
    2: "ask with a service of the negotiated conformance",
    3: "associate again, or ask later",
    4: "ask for less at once, or negotiate block transfer",
    5: "check encryption and authentication key, their order, the suite, and the system titles",
    6: "go on with a counter above the one that the meter expects: read it as the public client",
}
_ACCESS_ADVICE = {
    2: "ask again later",
    3: "associate as a client that may do this (the object list of the association tells who may)",
    4: "check logical name and class against the object list",
    9: "check the class of the object against the object list",
    11: "ask again later",
    12: "give the value the type that the attribute has",
    13: "associate as a client that may do this",
    14: "ask for the whole again",
    15: "ask for the whole again",
    19: "ask for the whole again",
}
_INITIATE_ADVICE = {
    1: "propose DLMS version 6",
    2: "propose other services in the conformance block",
    3: "propose a longer max PDU size",
    4: "check mechanism, password and keys",
}


def of_diagnostic(diagnostic: Diagnostic, result: int) -> Refusal:
    """What an AARE says that does not accept."""
    user = diagnostic.source == 1
    words = (codes.USER_DIAGNOSTICS if user else codes.PROVIDER_DIAGNOSTICS).get(diagnostic.code)
    how = codes.ASSOCIATION_RESULTS.get(result, f"result {result}")
    advice = (_USER_ADVICE if user else _PROVIDER_ADVICE).get(diagnostic.code, "")
    kind = "user diagnostic" if user else "provider diagnostic"
    said = words or f"diagnostic {diagnostic.code}"
    return Refusal(kind, diagnostic.code, f"the server refuses the association ({how}): {said}", advice)


def of_aare(aare: Aare, error: ConfirmedServiceError | None) -> Refusal:
    """The same; an error of the initiate service in it says more than its diagnostic does."""
    refusal = of_diagnostic(aare.diagnostic, aare.result)
    if error is None:
        return refusal
    told = of_service_error(error)
    return refusal._replace(words=f"{refusal.words}; {told.words}", advice=told.advice or refusal.advice)


def of_exception(response: ExceptionResponse) -> Refusal:
    """What an ExceptionResponse says."""
    state = codes.STATE_ERRORS.get(response.state_error, f"state-error {response.state_error}")
    error = codes.EXCEPTION_ERRORS.get(response.service_error, f"service-error {response.service_error}")
    words = f"the server answers with an exception: {state}, {error}"
    if response.invocation_counter is not None:
        words += f", it expects an invocation counter of {response.invocation_counter}"
    return Refusal(
        "exception", response.service_error, words, _EXCEPTION_ADVICE.get(response.service_error, "")
    )


def of_service_error(error: ConfirmedServiceError) -> Refusal:
    """What a ConfirmedServiceError says."""
    service = codes.CONFIRMED_SERVICES.get(error.service, f"service {error.service}")
    kind, texts = codes.SERVICE_ERRORS.get(error.kind, (f"error {error.kind}", {}))
    words = f"the server answers {service}: {kind} {texts.get(error.value, error.value)}"
    advice = _INITIATE_ADVICE.get(error.value, "") if error.kind == 6 else ""
    if (error.kind, error.value) == (0, 6):
        advice = _EXCEPTION_ADVICE[5]
    return Refusal("service error", error.value, words, advice)


def of_access(code: int) -> Refusal:
    """What a Data-Access-Result other than success says."""
    words = codes.DATA_ACCESS_RESULTS.get(code, f"data-access-result {code}")
    return Refusal("data-access-result", code, f"the server answers {words}", _ACCESS_ADVICE.get(code, ""))


def of_action(code: int) -> Refusal:
    """What an Action-Result other than success says."""
    words = codes.ACTION_RESULTS.get(code, f"action-result {code}")
    return Refusal("action-result", code, f"the server answers {words}", _ACCESS_ADVICE.get(code, ""))


def at_client(words: str, advice: str = "") -> Refusal:
    """What was found at this end."""
    return Refusal("client", 0, words, advice)
