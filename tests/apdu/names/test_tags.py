"""The first octets of APDUs, by the list of IEC 62056-5-3."""

from cosemscope.apdu.names.tags import (
    APDU_TAGS,
    CLIENT_TAGS,
    DED_SERVICES,
    GLO_SERVICES,
    SERVER_TAGS,
    apdu_name,
)

#: A service in clear, with a global key, with a dedicated key; the client's ones first.
_CLIENT = {
    0x01: (0x21, 0x41, "initiateRequest"),
    0x05: (0x25, 0x45, "readRequest"),
    0x06: (0x26, 0x46, "writeRequest"),
    0x16: (0x36, 0x56, "unconfirmedWriteRequest"),
    0xC0: (0xC8, 0xD0, "get-request"),
    0xC1: (0xC9, 0xD1, "set-request"),
    0xC3: (0xCB, 0xD3, "action-request"),
}
_SERVER = {
    0x08: (0x28, 0x48, "initiateResponse"),
    0x0C: (0x2C, 0x4C, "readResponse"),
    0x0D: (0x2D, 0x4D, "writeResponse"),
    0x0E: (0x2E, 0x4E, "confirmedServiceError"),
    0x18: (0x38, 0x58, "informationReportRequest"),
    0xC2: (0xCA, 0xD2, "event-notification-request"),
    0xC4: (0xCC, 0xD4, "get-response"),
    0xC5: (0xCD, 0xD5, "set-response"),
    0xC7: (0xCF, 0xD7, "action-response"),
}
_CLIENT_ALONE = {
    0x10: "data-notification-confirm",
    0x60: "AARQ",
    0x62: "RLRQ",
    0xD9: "access-request",
    0xE6: "gateway-request",
}
_SERVER_ALONE = {
    0x0F: "data-notification",
    0x61: "AARE",
    0x63: "RLRE",
    0xD8: "exception-response",
    0xDA: "access-response",
    0xE7: "gateway-response",
}
_EITHER = {
    0x64: "ABRT",
    0xDB: "general-glo-ciphering",
    0xDC: "general-ded-ciphering",
    0xDD: "general-ciphering",
    0xDF: "general-signing",
    0xE0: "general-block-transfer",
}


def test_names() -> None:
    """Every tag that is defined has its name, in the order of the tags; others say what they are."""
    names = {**_CLIENT_ALONE, **_SERVER_ALONE, **_EITHER}
    for tag, (glo, ded, name) in {**_CLIENT, **_SERVER}.items():
        names |= {tag: name, glo: f"glo-{name}", ded: f"ded-{name}"}
    assert list(APDU_TAGS.items()) == sorted(names.items())
    assert {apdu_name(tag) for tag in range(256) if tag not in names} == {
        f"unknown (0x{tag:02X})" for tag in range(256) if tag not in names
    }
    assert all(apdu_name(tag) == name for tag, name in names.items())


def test_ciphered_services() -> None:
    """Each leads to the service inside."""
    services = {**_CLIENT, **_SERVER}
    assert dict(GLO_SERVICES) == {glo: tag for tag, (glo, _, _) in services.items()}
    assert dict(DED_SERVICES) == {ded: tag for tag, (_, ded, _) in services.items()}


def test_who_sends_what() -> None:
    """Requests and confirmations come from the client, responses and notifications from the server."""
    for found, ciphered, alone in (
        (CLIENT_TAGS, _CLIENT, _CLIENT_ALONE),
        (SERVER_TAGS, _SERVER, _SERVER_ALONE),
    ):
        tags = {one for tag, (glo, ded, _) in ciphered.items() for one in (tag, glo, ded)}
        assert found == tags | set(alone)
