"""Small octets in words, bit by bit."""

import re

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names.codes import (
    ABORT_DIAGNOSTICS,
    ABORT_SOURCES,
    ASSOCIATION_RESULTS,
    CONFORMANCE,
    INVOKE_TEXTS,
    MECHANISMS,
    PROVIDER_DIAGNOSTICS,
    RELEASE_REQUEST_REASONS,
    RELEASE_RESPONSE_REASONS,
    SECURITY_TEXTS,
    USER_DIAGNOSTICS,
    conformance_text,
    long_invoke_text,
)


@pytest.mark.parametrize(
    ("octet", "text"),
    [
        (0x00, "invoke-id 0, unconfirmed, normal priority"),
        (0x0F, "invoke-id 15, unconfirmed, normal priority"),
        (0x41, "invoke-id 1, confirmed, normal priority"),
        (0x82, "invoke-id 2, unconfirmed, high priority"),
        (0xC1, "invoke-id 1, confirmed, high priority"),
        (0x30, "invoke-id 0, unconfirmed, normal priority"),
        (0xFF, "invoke-id 15, confirmed, high priority"),
    ],
)
def test_invoke_ids(octet: int, text: str) -> None:
    """Bits 0 to 3 are the id, 6 the service class, 7 the priority; 4 and 5 mean nothing."""
    assert INVOKE_TEXTS[octet] == text
    assert len(INVOKE_TEXTS) == 256


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0x00FFFFFF, "invoke-id 16777215, unconfirmed, normal priority"),
        (0x0F000001, "invoke-id 1, unconfirmed, normal priority"),
        (0x10000001, "invoke-id 1, unconfirmed, normal priority, self-descriptive"),
        (0x20000001, "invoke-id 1, unconfirmed, normal priority, break on error"),
        (0x40000001, "invoke-id 1, confirmed, normal priority"),
        (0x80000001, "invoke-id 1, unconfirmed, high priority"),
    ],
)
def test_long_invoke_ids(value: int, text: str) -> None:
    """Bits 0 to 23 are the id, 28 to 31 options, service class and priority."""
    assert long_invoke_text(value) == text


@pytest.mark.parametrize(
    ("octet", "text"),
    [
        (0x00, "suite 0, not protected"),
        (0x1F, "suite 15, authenticated"),
        (0x22, "suite 2, encrypted"),
        (0x31, "suite 1, encrypted and authenticated"),
        (0x70, "suite 0, encrypted and authenticated, broadcast key"),
        (0xA0, "suite 0, encrypted, compressed (V.44)"),
        (0xC0, "suite 0, not protected, broadcast key, compressed (V.44)"),
    ],
)
def test_security_controls(octet: int, text: str) -> None:
    """Bits 0 to 3 are the suite, 4 authenticated, 5 encrypted, 6 key set, 7 compression."""
    assert SECURITY_TEXTS[octet] == text
    assert len(SECURITY_TEXTS) == 256


def test_conformance() -> None:
    """24 bits, the most significant first."""
    assert len(CONFORMANCE) == 24
    for bit, name in enumerate(CONFORMANCE):
        assert conformance_text(1 << 23 - bit) == name
    assert conformance_text(0) == "nothing"
    assert conformance_text(0x00001D) == "get, set, selective-access, action"


# The codes as the ASN.1 of IEC 62056-5-3 has them.

_SERVICE_ERROR = """
    application-reference [0] other (0), time-elapsed (1), application-unreachable (2),
        application-reference-invalid (3), application-context-unsupported (4),
        provider-communication-error (5), deciphering-error (6)
    hardware-resource [1] other (0), memory-unavailable (1), processor-resource-unavailable (2),
        mass-storage-unavailable (3), other-resource-unavailable (4)
    vde-state-error [2] other (0), no-dlms-context (1), loading-data-set (2), status-nochange (3),
        status-inoperable (4)
    service [3] other (0), pdu-size (1), service-unsupported (2)
    definition [4] other (0), object-undefined (1), object-class-inconsistent (2),
        object-attribute-inconsistent (3)
    access [5] other (0), scope-of-access-violated (1), object-access-violated (2), hardware-fault (3),
        object-unavailable (4)
    initiate [6] other (0), dlms-version-too-low (1), incompatible-conformance (2), pdu-size-too-short (3),
        refused-by-the-VDE-Handler (4)
    load-data-set [7] other (0), primitive-out-of-sequence (1), not-loadable (2), dataset-size-too-large (3),
        not-awaited-segment (4), interpretation-failure (5), storage-failure (6), data-set-not-ready (7)
    task [9] other (0), no-remote-control (1), ti-stopped (2), ti-running (3), ti-unusable (4)
"""
_CONFIRMED_SERVICES = """initiateError [1], getStatus [2], getNameList [3], getVariableAttribute [4],
    read [5], write [6], getDataSetAttribute [7], getTIAttribute [8], changeScope [9], start [10], stop [11],
    resume [12], makeUsable [13], initiateLoad [14], loadSegment [15], terminateLoad [16],
    initiateUpLoad [17], upLoadSegment [18], terminateUpLoad [19]"""
_RESULTS = """success (0), hardware-fault (1), temporary-failure (2), read-write-denied (3),
    object-undefined (4), object-class-inconsistent (9), object-unavailable (11), type-unmatched (12),
    scope-of-access-violated (13), data-block-unavailable (14), other-reason (250)"""
_OF_DATA = "long-get-aborted (15), no-long-get-in-progress (16), long-set-aborted (17), \
    no-long-set-in-progress (18), data-block-number-invalid (19)"
_OF_ACTIONS = "long-action-aborted (15), no-long-action-in-progress (16)"


def _codes(text: str) -> list[tuple[str, int]]:
    return [(name, int(code)) for name, code in re.findall(r"([\w-]+) [(\[](\d+)[)\]]", text)]


def _last(octets: bytes) -> str:
    """The text of the whole APDU, and of its last field; nothing in it is a problem."""
    decoded = decode_apdu(octets)
    assert not decoded.problems
    return f"{decoded.root.text}; {decoded.root.children[-1].text}"


def test_service_errors() -> None:
    """Each value of each choice, by name, and what goes one beyond the last is no name."""
    choices = re.split(r"\n    (?=\w)", _SERVICE_ERROR)[1:]
    assert len(choices) == 9
    for choice in choices:
        (name, number), *values = _codes(choice)
        for word, code in values:
            assert _last(bytes((0x0E, 1, number, code))) == f"initiateError, {name} {word}; {word}"
        beyond = decode_apdu(bytes((0x0E, 1, number, len(values))))
        assert [problem.item for problem in beyond.problems] == ["undefined-code"]


def test_services_that_failed() -> None:
    """Each of ConfirmedServiceError, by name."""
    for name, number in _codes(_CONFIRMED_SERVICES):
        assert _last(bytes((0x0E, number, 0, 0))) == f"{name}, application-reference other; other"


@pytest.mark.parametrize(
    ("head", "codes"),
    [
        ("c401c101", f"{_RESULTS}, {_OF_DATA}"),
        ("c501c1", f"{_RESULTS}, {_OF_DATA}"),
        ("d801", "operation-not-possible (1), service-not-supported (2), other-reason (3), pdu-too-long (4)"),
        ("d802", "deciphering-error (5)"),
    ],
)
def test_results(head: str, codes: str) -> None:
    """Data-Access-Result, and service-error of ExceptionResponse, by value; others are undefined."""
    named = {code: name for name, code in _codes(codes)}
    for code in range(256) if head.startswith("c") else named:
        octets = bytes.fromhex(head) + bytes((code,))
        if code in named:
            assert named[code] in _last(octets)
        else:
            assert [problem.item for problem in decode_apdu(octets).problems] == ["undefined-code"]


def test_action_results() -> None:
    """Action-Result, value by value; all others are undefined."""
    named = {code: name for name, code in _codes(f"{_RESULTS}, {_OF_ACTIONS}")}
    for code in range(256):
        decoded = decode_apdu(bytes((0xC7, 1, 0xC1, code, 0)))
        if code in named:
            assert decoded.root.children[-1].children[0].text == named[code]
            assert not decoded.problems
        else:
            assert [problem.item for problem in decoded.problems] == ["undefined-code"]


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (ASSOCIATION_RESULTS, "accepted (0), rejected-permanent (1), rejected-transient (2)"),
        (RELEASE_REQUEST_REASONS, "normal (0), urgent (1), user-defined (30)"),
        (RELEASE_RESPONSE_REASONS, "normal (0), not-finished (1), user-defined (30)"),
        (ABORT_SOURCES, "acse-service-user (0), acse-service-provider (1)"),
        (
            ABORT_DIAGNOSTICS,
            "no-reason-given (1), protocol-error (2), authentication-mechanism-name-not-recognized (3), "
            "authentication-mechanism-name-required (4), "
            "authentication-failure (5), authentication-required (6)",
        ),
    ],
)
def test_codes_of_acse(names: dict[int, str], codes: str) -> None:
    """Results, reasons and sources of ACSE (ISO/IEC 15954)."""
    assert sorted((name, code) for code, name in names.items()) == sorted(_codes(codes))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            USER_DIAGNOSTICS,
            "null|no-reason-given|application-context-name-not-supported|calling-AP-title-not-recognized|"
            "calling AP invocation|calling AE qualifier|calling AE invocation|called AP title|"
            "called AP invocation|called AE qualifier|called AE invocation|"
            "authentication-mechanism-name-not-recognised|authentication-mechanism-name-required|"
            "authentication-failure|authentication-required",
        ),
        (PROVIDER_DIAGNOSTICS, "null|no-reason-given|no-common-acse-version"),
        (MECHANISMS, "lowest|LLS|manufacturer|MD5|SHA-1|GMAC|SHA-256|ECDSA"),
    ],
)
def test_diagnostics_and_mechanisms(names: dict[int, str], words: str) -> None:
    """Each number from 0 on has a sentence, with the standard's word in it."""
    assert sorted(names) == list(range(words.count("|") + 1))
    for number, word in enumerate(words.split("|")):
        assert word in names[number]
