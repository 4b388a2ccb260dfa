"""Shapes: what the elements of well-known data are called and how they are read.

Data on the wire have types but no names. Where the class and the attribute are known (or the selector of a
selective access), a shape gives the names of a structure's elements and says that octets are a date or a
logical name, a number a class or a unit. A shape never decides how
octets are split, only what they are called.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import DATE, DATE_TIME, TIME, Form, status_text
from cosemscope.apdu.names.blue_book import (
    attribute_name,
    attribute_unit,
    class_name,
    enumeration_texts,
    unit,
)
from cosemscope.apdu.names.texts import obis_text


class Shape(NamedTuple):
    """Names and shapes of a structure's elements, shape of an array's elements, form or text of a value."""

    elements: "tuple[tuple[str, Shape | None], ...]" = ()
    each: "Shape | None" = None
    form: Form | None = None
    text: Callable[[Any], str] | None = None


def _structure(**elements: Shape | None) -> Shape:
    return Shape(elements=tuple((name.replace("_", "-"), shape) for name, shape in elements.items()))


def _obis(value: object) -> str:
    return obis_text(value) if isinstance(value, bytes) and len(value) == 6 else ""


def _class(value: object) -> str:
    name = class_name(value) if isinstance(value, int) else ""
    return f"{name} ({value})" if name else ""


def _unit(value: object) -> str:
    if value == 255:
        return "no unit (255)"
    symbol = unit(value) if isinstance(value, int) else ""
    return f"{symbol} ({value})" if symbol else ""


def _scaler(value: object) -> str:
    return f"10^{value}"


def _coded(texts: dict[int, str]) -> Shape:
    """A number that stands for words: "connected (1)"."""

    def text(value: object) -> str:
        words = texts.get(value) if isinstance(value, int) else None
        return f"{words} ({value})" if words else ""

    return Shape(text=text)


_POLICY = (
    (0x04, "requests authenticated"),
    (0x08, "requests encrypted"),
    (0x10, "requests signed"),
    (0x20, "responses authenticated"),
    (0x40, "responses encrypted"),
    (0x80, "responses signed"),
)


def _protection(named: dict[int, str], *bits: tuple[int, str]) -> Shape:
    """Protection that a server requires: older versions of a class number the kinds, newer have bits.

    The numbers are few, and no newer server has a use for the bits that they would be.
    """

    def text(value: object) -> str:
        if not isinstance(value, int) or not 0 <= value <= 255:
            return ""
        words = named.get(value) or ", ".join(name for bit, name in (*bits, *_POLICY) if value & bit)
        return f"{words} ({value:d})"

    return Shape(text=text)


_SECURITY_POLICY = _protection(
    {0: "nothing", 1: "authenticated", 2: "encrypted", 3: "authenticated and encrypted"}
)
_ATTRIBUTE_ACCESS = _protection(
    {
        0: "no_access",
        1: "read_only",
        2: "write_only",
        3: "read_and_write",
        4: "authenticated_read_only",
        5: "authenticated_write_only",
        6: "authenticated_read_and_write",
    },
    (0x01, "read"),
    (0x02, "write"),
)
_METHOD_ACCESS = _protection({0: "no_access", 1: "access", 2: "authenticated_access"}, (0x01, "access"))


def _clock_status(value: object) -> str:
    return f"{status_text(value) or 'no flag'} (0x{value:02X})" if isinstance(value, int) else ""


def _ipv4(value: object) -> str:
    return str(IPv4Address(value)) if isinstance(value, int) and 0 <= value < 1 << 32 else ""


def _ipv6(value: object) -> str:
    return str(IPv6Address(value)) if isinstance(value, bytes) and len(value) == 16 else ""


def _mac(value: object) -> str:
    return value.hex(":") if isinstance(value, bytes) and len(value) in (6, 8) else ""


OBIS = Shape(text=_obis)
CLASS = Shape(text=_class)
MOMENT = Shape(form=DATE_TIME)
DAY = Shape(form=DATE)
CLOCK = Shape(form=TIME)
IPV4 = Shape(text=_ipv4)
IPV6 = Shape(text=_ipv6)


def _seconds(value: object) -> str:
    return f"{value} s" if isinstance(value, int) else ""


def _object_text(value: object) -> str:
    """A class, a logical name, an attribute and perhaps a data index: what they name."""
    if not isinstance(value, tuple) or len(value) < 3 or not isinstance(value[1], bytes):
        return ""
    class_id, instance, member = value[:3]
    if not isinstance(class_id, int) or not isinstance(member, int):
        return ""
    name = attribute_name(class_id, member) or f"attribute {member}"
    index = f", index {value[3]}" if len(value) > 3 and value[3] else ""
    return f"{obis_text(instance)}, {name}{index}"


SCALER_UNIT = _structure(scaler=Shape(text=_scaler), unit=Shape(text=_unit))
CAPTURE_OBJECT = _structure(
    class_id=CLASS, logical_name=OBIS, attribute_index=None, data_index=None
)._replace(text=_object_text)
RANGE_DESCRIPTOR = _structure(
    restricting_object=CAPTURE_OBJECT,
    from_value=MOMENT,
    to_value=MOMENT,
    selected_values=Shape(each=CAPTURE_OBJECT),
)
ENTRY_DESCRIPTOR = _structure(
    from_entry=None, to_entry=None, from_selected_value=None, to_selected_value=None
)
_SCRIPT = _structure(script_logical_name=OBIS, script_selector=None)
_MONITORED_VALUE = _structure(class_id=CLASS, logical_name=OBIS, attribute_index=None)._replace(
    text=_object_text
)
_WINDOWS = Shape(each=_structure(start_time=MOMENT, end_time=MOMENT))
_USER = _structure(user_id=None, user_name=None)
_TRANSPORTS = _coded(
    {
        0: "TCP",
        1: "UDP",
        2: "FTP",
        3: "SMTP",
        4: "SMS",
        5: "HDLC",
        6: "M-Bus",
        7: "ZigBee",
        8: "DLMS gateway",
        9: "CoAP",
    }
)
_MESSAGES = _coded({0: "A-XDR encoded xDLMS APDU", 1: "XML encoded xDLMS APDU"})
_QUALITY = _structure(
    precedence=None, delay=None, reliability=None, peak_throughput=None, mean_throughput=None
)
_KEYS = _coded(
    {
        0: "global unicast encryption key",
        1: "global broadcast encryption key",
        2: "authentication key",
        3: "master key",
    }
)
_ENTITIES = _coded({0: "server", 1: "client", 2: "certification authority", 3: "other"})
_CERTIFICATES = _coded({0: "digital signature", 1: "key agreement", 2: "TLS", 3: "other"})
_IDENTIFIER_ARCS: dict[str, Shape | None] = {
    "joint_iso_ctt_element": None,
    "country_element": None,
    "country_name_element": None,
    "identified_organization_element": None,
    "DLMS_UA_element": None,
}
_PUSH_OBJECT = _structure(
    class_id=CLASS, logical_name=OBIS, attribute_index=None, data_index=None, restriction=None, columns=None
)._replace(text=_object_text)
_OBJECT_LIST = Shape(
    each=_structure(
        class_id=CLASS,
        version=None,
        logical_name=OBIS,
        access_rights=_structure(
            attribute_access=Shape(
                each=_structure(attribute_id=None, access_mode=_ATTRIBUTE_ACCESS, access_selectors=None)
            ),
            method_access=Shape(each=_structure(method_id=None, access_mode=_METHOD_ACCESS)),
        ),
    )
)
_SEASONS = Shape(each=_structure(season_profile_name=None, season_start=MOMENT, week_name=None))
_WEEKS = Shape(
    each=_structure(
        week_profile_name=None,
        monday=None,
        tuesday=None,
        wednesday=None,
        thursday=None,
        friday=None,
        saturday=None,
        sunday=None,
    )
)
_DAY_PROFILES = Shape(
    each=_structure(
        day_id=None,
        day_schedule=Shape(each=_structure(start_time=CLOCK, script_logical_name=OBIS, script_selector=None)),
    )
)

#: Shapes of attributes: (class, attribute) -> shape. Attribute 1 of every class is its logical name.
_ATTRIBUTES: dict[tuple[int, int], Shape] = {
    (3, 3): SCALER_UNIT,
    (4, 3): SCALER_UNIT,
    (4, 5): MOMENT,
    (5, 4): SCALER_UNIT,
    (5, 6): MOMENT,
    (5, 7): MOMENT,
    (6, 2): Shape(each=_structure(class_id=CLASS, logical_name=OBIS)),
    (6, 3): Shape(each=_structure(mask_name=None, index_list=None)),
    (7, 3): Shape(each=CAPTURE_OBJECT),
    (7, 6): CAPTURE_OBJECT,
    (8, 2): MOMENT,
    (8, 4): Shape(text=_clock_status),
    (8, 5): MOMENT,
    (8, 6): MOMENT,
    (9, 2): Shape(
        each=_structure(
            script_identifier=None,
            actions=Shape(
                each=_structure(
                    service_id=None, class_id=CLASS, logical_name=OBIS, index=None, parameter=None
                )
            ),
        )
    ),
    (10, 2): Shape(
        each=_structure(
            index=None,
            enable=None,
            script_logical_name=OBIS,
            script_selector=None,
            switch_time=CLOCK,
            validity_window=None,
            exec_weekdays=None,
            exec_specdays=None,
            begin_date=DAY,
            end_date=DAY,
        )
    ),
    (11, 2): Shape(each=_structure(index=None, specialday_date=DAY, day_id=None)),
    (12, 2): Shape(each=_structure(base_name=None, class_id=CLASS, version=None, logical_name=OBIS)),
    (15, 2): _OBJECT_LIST,
    (15, 3): _structure(client_sap=None, server_sap=None),
    (15, 4): _structure(**_IDENTIFIER_ARCS, application_context_element=None, context_id_element=None),
    (15, 5): _structure(
        conformance=None,
        max_receive_pdu_size=None,
        max_send_pdu_size=None,
        dlms_version_number=None,
        quality_of_service=None,
        cyphering_info=None,
    ),
    (15, 6): _structure(
        **_IDENTIFIER_ARCS, authentication_mechanism_name_element=None, mechanism_id_element=None
    ),
    (15, 9): OBIS,
    (15, 10): Shape(each=_USER),
    (15, 11): _USER,
    (17, 2): Shape(each=_structure(sap=None, logical_device_name=None)),
    (18, 7): Shape(
        each=_structure(
            image_to_activate_size=None,
            image_to_activate_identification=None,
            image_to_activate_signature=None,
        )
    ),
    (20, 3): _SEASONS,
    (20, 4): _WEEKS,
    (20, 5): _DAY_PROFILES,
    (20, 7): _SEASONS,
    (20, 8): _WEEKS,
    (20, 9): _DAY_PROFILES,
    (20, 10): MOMENT,
    (21, 3): _MONITORED_VALUE,
    (21, 4): Shape(each=_structure(action_up=_SCRIPT, action_down=_SCRIPT)),
    (22, 2): _SCRIPT,
    (22, 4): Shape(each=_structure(time=CLOCK, date=DAY)),
    (27, 3): Shape(each=_structure(request=None, response=None, delay_after_response=None)),
    (28, 3): _WINDOWS,
    (29, 5): _WINDOWS,
    (40, 2): Shape(each=_PUSH_OBJECT),
    (40, 3): _structure(transport_service=_TRANSPORTS, destination=None, message=_MESSAGES),
    (40, 4): _WINDOWS,
    (40, 7): _structure(
        repetition_delay_min=None, repetition_delay_exponent=None, repetition_delay_max=None
    )._replace(text=_seconds),
    (40, 8): OBIS,
    (40, 13): MOMENT,
    (41, 3): OBIS,
    (42, 2): OBIS,
    (42, 3): IPV4,
    (42, 4): Shape(each=IPV4),
    (42, 6): IPV4,
    (42, 7): IPV4,
    (42, 9): IPV4,
    (42, 10): IPV4,
    (43, 2): Shape(text=_mac),
    (44, 2): OBIS,
    (45, 4): _structure(default=_QUALITY, requested=_QUALITY),
    (47, 6): _structure(
        cell_ID=None, location_ID=None, signal_quality=None, ber=None, mcc=None, mnc=None, channel_number=None
    ),
    (47, 7): Shape(each=_structure(cell_ID=None, signal_quality=None)),
    (47, 8): MOMENT,
    (48, 2): OBIS,
    (48, 4): Shape(each=IPV6),
    (48, 5): Shape(each=IPV6),
    (48, 6): Shape(each=IPV6),
    (48, 7): IPV6,
    (48, 8): IPV6,
    (61, 4): SCALER_UNIT,
    (62, 3): Shape(each=_PUSH_OBJECT),
    (64, 2): _SECURITY_POLICY,
    (64, 6): Shape(
        each=_structure(
            certificate_entity=_ENTITIES,
            certificate_type=_CERTIFICATES,
            serial_number=None,
            issuer=None,
            subject=None,
            subject_alt_name=None,
        )
    ),
    (65, 2): _structure(class_id=CLASS, logical_name=OBIS, attribute_index=None, attribute_value=None),
    (65, 3): MOMENT,
    (65, 4): Shape(each=_MONITORED_VALUE),
    (67, 8): SCALER_UNIT,
    (67, 10): MOMENT,
    (71, 2): _MONITORED_VALUE,
    (71, 8): _structure(emergency_profile_id=None, emergency_activation_time=MOMENT, emergency_duration=None),
    (71, 11): _structure(action_over_threshold=_SCRIPT, action_under_threshold=_SCRIPT),
    (72, 2): OBIS,
    (72, 3): Shape(each=_structure(data_information_block=None, value_information_block=None)),
    (77, 9): MOMENT,
}

#: Shapes of methods' parameters: (class, method) -> shape.
_METHODS: dict[tuple[int, int], Shape] = {
    (8, 5): _structure(preset_time=MOMENT, validity_interval_start=MOMENT, validity_interval_end=MOMENT),
    (18, 1): _structure(image_identifier=None, image_size=None),
    (18, 2): _structure(image_block_number=None, image_block_value=None),
    (64, 1): _SECURITY_POLICY,
    (64, 2): Shape(each=_structure(key_id=_KEYS, key_wrapped=None)),
    (64, 3): Shape(each=_structure(key_id=_KEYS, key_data=None)),
    (64, 4): _CERTIFICATES,
    (64, 5): _CERTIFICATES,
}

#: Attributes that carry a value in the scaler and unit of another attribute of the same object.
SCALER_UNIT_ATTRIBUTE = {(3, 2): 3, (4, 2): 3, (5, 2): 4, (5, 3): 4, (67, 7): 8}


#: Attributes that may be of another type than the shape: an object identifier as octets, a delay as a number.
_LOOSE = {(15, 4), (15, 6), (40, 7)}
# Type tags of Data; `types` stands on the dates that this module gives forms to.
_NOTHING, _ARRAYS, _STRUCTURE, _OCTET_STRING = (0, 255), (1, 19), 2, 9
_FORM_TAGS = {"date-time": 25, "date": 26, "time": 27}


def expected_type(reference: Reference, tag: int) -> str:
    """The type that an attribute is of, where Data of this type tag cannot be it; "" where they can.

    null-data may stand for any value, as may don't-care.
    """
    shape = _ATTRIBUTES.get((reference.class_id, reference.member))
    if shape is None or reference.method or tag in _NOTHING:
        return ""
    if (reference.class_id, reference.member) in _LOOSE:
        return ""
    if shape.each is not None:
        return "" if tag in _ARRAYS else "array"
    if shape.elements:
        return "" if tag == _STRUCTURE else "structure"
    if shape.form is not None:
        return "" if tag in (_OCTET_STRING, _FORM_TAGS[shape.form.name]) else shape.form.name
    return ""


@lru_cache(4096)
def _named_value(class_id: int, attribute: int) -> Shape | None:
    """The shape of an attribute whose values are named one by one, or have a unit; None for any other."""
    texts = enumeration_texts(class_id, attribute)
    if texts:
        return _coded(texts)
    symbol = attribute_unit(class_id, attribute)
    return Shape(text=lambda value: f"{value} {symbol}" if isinstance(value, int) else "") if symbol else None


def shape_of(reference: Reference | None) -> Shape | None:
    """The shape of an attribute's value, or of a method's parameters; None where nothing is known of it."""
    if reference is None:
        return None
    key = reference.class_id, reference.member
    if reference.method:
        return _METHODS.get(key)
    if reference.member == 1:
        return OBIS
    return _ATTRIBUTES.get(key) or _named_value(*key)
