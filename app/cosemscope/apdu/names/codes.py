"""Codes that services answer with, and the bits of small octets, as IEC 62056-5-3 names them."""

DATA_ACCESS_RESULTS = {
    0: "success",
    1: "hardware-fault",
    2: "temporary-failure",
    3: "read-write-denied",
    4: "object-undefined",
    9: "object-class-inconsistent",
    11: "object-unavailable",
    12: "type-unmatched",
    13: "scope-of-access-violated",
    14: "data-block-unavailable",
    15: "long-get-aborted",
    16: "no-long-get-in-progress",
    17: "long-set-aborted",
    18: "no-long-set-in-progress",
    19: "data-block-number-invalid",
    250: "other-reason",
}

ACTION_RESULTS = {
    0: "success",
    1: "hardware-fault",
    2: "temporary-failure",
    3: "read-write-denied",
    4: "object-undefined",
    9: "object-class-inconsistent",
    11: "object-unavailable",
    12: "type-unmatched",
    13: "scope-of-access-violated",
    14: "data-block-unavailable",
    15: "long-action-aborted",
    16: "no-long-action-in-progress",
    250: "other-reason",
}

STATE_ERRORS = {1: "service-not-allowed", 2: "service-unknown"}
EXCEPTION_ERRORS = {
    1: "operation-not-possible",
    2: "service-not-supported",
    3: "other-reason",
    4: "pdu-too-long",
    5: "deciphering-error",
    6: "invocation-counter-error",
}

#: ConfirmedServiceError: the service that failed.
CONFIRMED_SERVICES = {
    1: "initiateError",
    2: "getStatus",
    3: "getNameList",
    4: "getVariableAttribute",
    5: "read",
    6: "write",
    7: "getDataSetAttribute",
    8: "getTIAttribute",
    9: "changeScope",
    10: "start",
    11: "stop",
    12: "resume",
    13: "makeUsable",
    14: "initiateLoad",
    15: "loadSegment",
    16: "terminateLoad",
    17: "initiateUpLoad",
    18: "upLoadSegment",
    19: "terminateUpLoad",
}

#: ServiceError: choice -> (its name, its values).
SERVICE_ERRORS: dict[int, tuple[str, dict[int, str]]] = {
    0: (
        "application-reference",
        {
            0: "other",
            1: "time-elapsed",
            2: "application-unreachable",
            3: "application-reference-invalid",
            4: "application-context-unsupported",
            5: "provider-communication-error",
            6: "deciphering-error",
        },
    ),
    1: (
        "hardware-resource",
        {
            0: "other",
            1: "memory-unavailable",
            2: "processor-resource-unavailable",
            3: "mass-storage-unavailable",
            4: "other-resource-unavailable",
        },
    ),
    2: (
        "vde-state-error",
        {
            0: "other",
            1: "no-dlms-context",
            2: "loading-data-set",
            3: "status-nochange",
            4: "status-inoperable",
        },
    ),
    3: ("service", {0: "other", 1: "pdu-size", 2: "service-unsupported"}),
    4: (
        "definition",
        {
            0: "other",
            1: "object-undefined",
            2: "object-class-inconsistent",
            3: "object-attribute-inconsistent",
        },
    ),
    5: (
        "access",
        {
            0: "other",
            1: "scope-of-access-violated",
            2: "object-access-violated",
            3: "hardware-fault",
            4: "object-unavailable",
        },
    ),
    6: (
        "initiate",
        {
            0: "other",
            1: "dlms-version-too-low",
            2: "incompatible-conformance",
            3: "pdu-size-too-short",
            4: "refused-by-the-VDE-Handler",
        },
    ),
    7: (
        "load-data-set",
        {
            0: "other",
            1: "primitive-out-of-sequence",
            2: "not-loadable",
            3: "dataset-size-too-large",
            4: "not-awaited-segment",
            5: "interpretation-failure",
            6: "storage-failure",
            7: "data-set-not-ready",
        },
    ),
    8: ("change-scope", {}),
    9: (
        "task",
        {0: "other", 1: "no-remote-control", 2: "ti-stopped", 3: "ti-running", 4: "ti-unusable"},
    ),
    10: ("other", {}),
}

#: Conformance block, bit 0 (the most significant) first.
CONFORMANCE = (
    "reserved-zero",
    "general-protection",
    "general-block-transfer",
    "read",
    "write",
    "unconfirmed-write",
    "delta-value-encoding",
    "reserved-seven",
    "attribute0-supported-with-set",
    "priority-mgmt-supported",
    "attribute0-supported-with-get",
    "block-transfer-with-get-or-read",
    "block-transfer-with-set-or-write",
    "block-transfer-with-action",
    "multiple-references",
    "information-report",
    "data-notification",
    "access",
    "parameterized-access",
    "get",
    "set",
    "selective-access",
    "event-notification",
    "action",
)

ASSOCIATION_RESULTS = {0: "accepted", 1: "rejected-permanent", 2: "rejected-transient"}

#: Diagnostics of an AARE as sentences: what the service user says, and what the provider says.
USER_DIAGNOSTICS = {
    0: "no diagnostic (null)",
    1: "rejected without a reason (no-reason-given)",
    2: "the server does not support this application context (application-context-name-not-supported)",
    3: "the server does not know the client's system title (calling-AP-title-not-recognized)",
    4: "the calling AP invocation identifier is not recognized",
    5: "the calling AE qualifier, the client's certificate, is not recognized",
    6: "the calling AE invocation identifier, the client's user, is not recognized",
    7: "the called AP title is not recognized",
    8: "the called AP invocation identifier is not recognized",
    9: "the called AE qualifier is not recognized",
    10: "the called AE invocation identifier is not recognized",
    11: "the server does not know this authentication mechanism "
    "(authentication-mechanism-name-not-recognised)",
    12: "the server wants an authentication mechanism named (authentication-mechanism-name-required)",
    13: "the password or the authentication is wrong (authentication-failure)",
    14: "the client has to authenticate next, HLS pass 3 (authentication-required)",
}
PROVIDER_DIAGNOSTICS = {
    0: "no diagnostic (null)",
    1: "rejected by the ACSE provider without a reason (no-reason-given)",
    2: "client and server have no version of ACSE in common (no-common-acse-version)",
}

RELEASE_REQUEST_REASONS = {0: "normal", 1: "urgent", 30: "user-defined"}
RELEASE_RESPONSE_REASONS = {0: "normal", 1: "not-finished", 30: "user-defined"}
ABORT_SOURCES = {0: "acse-service-user", 1: "acse-service-provider"}
ABORT_DIAGNOSTICS = {
    1: "no-reason-given",
    2: "protocol-error",
    3: "authentication-mechanism-name-not-recognized",
    4: "authentication-mechanism-name-required",
    5: "authentication-failure",
    6: "authentication-required",
}

#: Application contexts and mechanisms by the last arc of their object identifiers, and what stands before it.
CONTEXT_ARCS, MECHANISM_ARCS = "2.16.756.5.8.1.", "2.16.756.5.8.2."
APPLICATION_CONTEXTS = {
    1: "LN referencing, no ciphering",
    2: "SN referencing, no ciphering",
    3: "LN referencing, with ciphering",
    4: "SN referencing, with ciphering",
}
MECHANISMS = {
    0: "lowest level security",
    1: "LLS",
    2: "HLS (manufacturer specific)",
    3: "HLS-MD5",
    4: "HLS-SHA-1",
    5: "HLS-GMAC",
    6: "HLS-SHA-256",
    7: "HLS-ECDSA",
}


def _invoke_text(octet: int) -> str:
    confirmed = "confirmed" if octet & 0x40 else "unconfirmed"
    return f"invoke-id {octet & 0x0F}, {confirmed}, {'high' if octet & 0x80 else 'normal'} priority"


#: Invoke-Id-And-Priority: bits 0 to 3 the id, 6 the service class, 7 the priority.
INVOKE_TEXTS = {octet: _invoke_text(octet) for octet in range(256)}


def long_invoke_text(value: int) -> str:
    """Long-Invoke-Id-And-Priority: bits 0 to 23 the id, 28 to 31 the options."""
    words = [
        f"invoke-id {value & 0xFFFFFF}",
        "confirmed" if value & 0x40000000 else "unconfirmed",
        f"{'high' if value & 0x80000000 else 'normal'} priority",
    ]
    if value & 0x10000000:
        words.append("self-descriptive")
    if value & 0x20000000:
        words.append("break on error")
    return ", ".join(words)


def conformance_text(value: int) -> str:
    """The names of the bits set in a conformance block of 24 bits."""
    names = [name for bit, name in enumerate(CONFORMANCE) if value & 0x800000 >> bit]
    return ", ".join(names) or "nothing"


def _security_text(octet: int) -> str:
    words = [f"suite {octet & 0x0F}"]
    words.append(
        {0: "not protected", 1: "authenticated", 2: "encrypted", 3: "encrypted and authenticated"}[
            octet >> 4 & 3
        ]
    )
    if octet & 0x40:
        words.append("broadcast key")
    if octet & 0x80:
        words.append("compressed (V.44)")
    return ", ".join(words)


#: Security control: bits 0 to 3 the suite, 4 authenticated, 5 encrypted, 6 broadcast key, 7 compressed.
SECURITY_TEXTS = {octet: _security_text(octet) for octet in range(256)}
