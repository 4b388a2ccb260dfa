"""Associations (class 15) with their object lists, and the SAP assignment (class 17)."""

from collections.abc import Callable, Iterable, Mapping

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import NULL_DATA, Data
from cosemscope.application.meter.objects.cosem_object import (
    MANAGER,
    OTHER_REASON,
    PUBLIC,
    CosemObject,
    RefusedAccess,
    Value,
    expect,
)

CURRENT = "0.0.40.0.0.255"
NOT_ASSOCIATED, ASSOCIATION_PENDING, ASSOCIATED = range(3)
_NO_ACCESS, _READ, _WRITE, _BOTH = range(4)


class AssociationFacts:
    """What an association object tells of its client and of what is agreed with it now."""

    __slots__ = ("client_pdu", "conformance", "context", "mechanism", "server_pdu", "status", "wports")

    def __init__(self, wports: tuple[int, int], mechanism: int, context: int, server_pdu: int) -> None:
        self.wports, self.mechanism, self.context = wports, mechanism, context
        self.server_pdu, self.client_pdu, self.conformance = server_pdu, 0, 0
        self.status = NOT_ASSOCIATED


def association_object(
    name: str,
    facts: AssociationFacts,
    objects: Callable[[], Mapping[bytes, CosemObject]],
    level: int,
    change_secret: Callable[[bytes], None] | None,
    *,
    seen_by: int = PUBLIC,
) -> CosemObject:
    """An association with logical names; `level` is its client's, `change_secret` where it has a secret."""

    def set_secret(now: float, value: Data | None) -> None:
        secret = expect(value, 9).value
        if change_secret is None or not 1 <= len(secret) <= 64:
            raise RefusedAccess(OTHER_REASON)
        change_secret(secret)

    def list_of_objects(now: float) -> Value:
        seen = (one for one in objects().values() if one.level <= level)
        return d.array(_list_element(one, level) for one in sorted(seen, key=lambda one: one.instance))

    def context_info(now: float) -> Data:
        bits = f"{facts.conformance:024b}"
        sizes = d.long_unsigned(facts.server_pdu), d.long_unsigned(facts.client_pdu)
        version = d.unsigned(6), d.integer(0), d.octet_string(b"")
        return d.structure(d.bit_string(bits), *sizes, *version)

    return CosemObject(
        15,
        1,
        name,
        {
            2: list_of_objects,
            3: d.structure(d.integer(facts.wports[0]), d.long_unsigned(facts.wports[1])),
            4: _object_identifier(1, facts.context),
            5: context_info,
            6: _object_identifier(2, facts.mechanism),
            8: lambda now: d.enum(facts.status),
            9: d.octet_string(bytes((0, 0, 43, 0, 0, 255)) if facts.context == 3 else b""),
        },
        writes={7: set_secret},
        acts={2: set_secret},
        level=seen_by,
    )


def _object_identifier(arc: int, number: int) -> Data:
    """The name of an application context (arc 1) or of a mechanism (arc 2)."""
    arcs = d.unsigned(2), d.unsigned(16), d.long_unsigned(756), d.unsigned(5), d.unsigned(8)
    return d.structure(*arcs, d.unsigned(arc), d.unsigned(number))


def _list_element(one: CosemObject, level: int) -> Data:
    """An element of the object list, with the rights of a client of this level."""
    attributes = [
        d.structure(d.integer(member), d.enum(_mode(one, member, level)), _selectors(one, member))
        for member in one.attributes
    ]
    methods = [
        d.structure(d.integer(member), d.enum(int(level >= MANAGER or _is_reply(one, member))))
        for member in sorted({*one.acts, *((1,) if one.class_id == 15 else ())})
    ]
    return d.structure(
        d.long_unsigned(one.class_id),
        d.unsigned(one.version),
        d.octet_string(one.instance),
        d.structure(d.array(attributes), d.array(methods)),
    )


def _is_reply(one: CosemObject, member: int) -> bool:
    """Whether it is reply_to_HLS_authentication, which is how a client gets its rights."""
    return one.class_id == 15 and member == 1


def _mode(one: CosemObject, member: int, level: int) -> int:
    readable = member == 1 or member in one.reads
    return _READ * readable + _WRITE * (level >= MANAGER and member in one.writes)


def _selectors(one: CosemObject, member: int) -> Data:
    return d.array([d.integer(1), d.integer(2)]) if member in one.selects else NULL_DATA


def sap_assignment(devices: Iterable[tuple[int, bytes]]) -> CosemObject:
    """The logical devices of a meter: wPorts and names."""
    assigned = [d.structure(d.long_unsigned(wport), d.octet_string(name)) for wport, name in devices]
    return CosemObject(17, 0, "0.0.41.0.0.255", {2: d.array(assigned)}, level=PUBLIC)
