"""Shapes: values of well-known attributes and parameters of methods are named, whoever sent them."""

import pytest

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.data.shapes import (
    IPV4,
    IPV6,
    MOMENT,
    OBIS,
    SCALER_UNIT,
    SCALER_UNIT_ATTRIBUTE,
    Shape,
    expected_type,
    shape_of,
)
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.names.blue_book import attribute_name
from tests.helpers.apdu_checks import at, check_tree


def text_of(class_id: int, member: int, octets: str) -> str:
    """The text of a GET response's data that answers a request for this attribute."""
    context = Context(Request((Reference(class_id, bytes(6), member),)))
    data = bytes.fromhex("c401c100" + octets)
    decoded = decode_apdu(data, context)
    check_tree(decoded, data)
    assert not decoded.problems
    return at(decoded.root, "result/data").text


@pytest.mark.parametrize(
    ("class_id", "member", "octets", "text"),
    [
        (70, 3, "1601", "connected (1)"),
        (70, 3, "1609", "9"),
        (7, 4, "0600000384", "900 s"),
        (8, 3, "10ffc4", "-60 min"),
        (8, 4, "1180", "daylight saving (0x80)"),
        (23, 8, "120078", "120 s"),
        (40, 7, "12003c", "60 s"),
        (47, 3, "1605", "registered, roaming (5)"),
        (42, 3, "06c0a8010a", "192.168.1.10"),
        (43, 2, "090600112233445a", "00:11:22:33:44:5a"),
        (64, 2, "1603", "authenticated and encrypted (3)"),
        (64, 2, "166c", "requests authenticated, requests encrypted, responses authenticated, "
                        "responses encrypted (108)"),
        (64, 2, "1600", "nothing (0)"),
        (15, 11, "020211050a03 414243".replace(" ", ""), 'user-id 5, user-name "ABC"'),
        (71, 2, "0203120003090601000107 00ff0f02".replace(" ", ""),
         "1.0.1.7.0.255 Active power import (+P), instantaneous, value"),
    ],
)  # fmt: skip
def test_values_are_named(class_id: int, member: int, octets: str, text: str) -> None:
    """Enumerations, addresses and policies are shown in words, and their number stays in view."""
    assert text_of(class_id, member, octets) == text


def test_parameters_of_methods_are_named() -> None:
    """An image block and a key transfer: the parameters of the method have the names of the Blue Book."""
    octets = bytes.fromhex("c301c1" + "001200002c0000ff02" + "01" + "0202" + "0600000007" + "0902abcd")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert at(decoded.root, "method-invocation-parameters/data/image-block-number").value == 7
    octets = bytes.fromhex("c301c1" + "004000002b0000ff02" + "01" + "0101" + "0202" + "1602" + "0902abcd")
    key = at(decode_apdu(octets).root, "method-invocation-parameters/data/[1]/key-id")
    assert key.text == "authentication key (2)"


def test_what_a_method_returns_has_not_the_shape_of_its_parameters() -> None:
    """security_activate takes a policy and returns a number, which is no policy."""
    request = Request((Reference(64, bytes(6), 1, True),))
    octets = bytes.fromhex("c701c1000100" + "0f00")
    decoded = decode_apdu(octets, Context(request))
    assert at(decoded.root, "response/return-parameters/result/data").text == "0"


def test_parameters_of_access_are_named() -> None:
    """The data of an access request that go to a method have the names of its parameters."""
    octets = bytes.fromhex("d940000001000103" + "001200002c0000ff02" + "0102020600000001" + "0902abcd")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert at(decoded.root, "access-request-list-of-data/[1]/image-block-number").value == 1


def test_selectors_of_the_object_list_are_named() -> None:
    """Selective access to the object list of an association: by class here."""
    octets = bytes.fromhex("c001c1000f0000280000ff02010201" + "01120003")
    assert at(decode_apdu(octets).root, "access-selection").text == "selector 2 (class_list)"


@pytest.mark.parametrize(
    ("attribute", "method", "words"),
    [
        ("1603", "0301", ("read_and_write (3)", "access (1)")),
        ("1606", "1602", ("authenticated_read_and_write (6)", "authenticated_access (2)")),
        ("160d", "1625", ("read, requests authenticated, requests encrypted (13)",
                          "access, requests authenticated, responses authenticated (37)")),
    ],
)  # fmt: skip
def test_access_rights_are_in_words(attribute: str, method: str, words: tuple[str, str]) -> None:
    """Access modes of an object list, of the older and of the newer versions of the association."""
    attributes = "0101" + "0203" + "0f02" + attribute + "00"
    methods = "0101" + "0202" + "0f01" + method
    entry = "0204" + "120003" + "1100" + "09060100010800ff" + "0202" + attributes + methods
    octets = bytes.fromhex("c401c100" + "0101" + entry)
    decoded = decode_apdu(octets, Context(Request((Reference(15, bytes(6), 2),))))
    check_tree(decoded, octets)
    rights = at(decoded.root, "result/data/[1]/access-rights")
    found = [at(rights, f"{kind}-access/[1]/access-mode").text for kind in ("attribute", "method")]
    assert tuple(found) == words


# Which attributes have which shape.

_REFERENCES = [Reference(class_id, bytes(6), member) for class_id in range(1, 200) for member in range(2, 30)]


def names_with(shape: Shape) -> set[str]:
    """Class and name of the attributes that have this shape."""
    found = (one for one in _REFERENCES if shape_of(one) is shape)
    return {f"{one.class_id} {attribute_name(one.class_id, one.member)}" for one in found}


def test_attributes_of_one_value() -> None:
    """Scalers and units, times, references and addresses are where the Blue Book has them."""
    assert names_with(SCALER_UNIT) == {f"{number} scaler_unit" for number in (3, 4, 5, 61, 67)}
    assert names_with(MOMENT) == {
        *(f"{number} capture_time" for number in (4, 5, 47, 65, 67, 77)),
        "5 start_time_current",
        "8 time",
        "8 daylight_savings_begin",
        "8 daylight_savings_end",
        "20 activate_passive_calendar_time",
        "40 last_confirmation_date_time",
    }
    assert names_with(OBIS) == {
        "15 security_setup_reference",
        "40 port_reference",
        "41 IP_reference",
        "42 DL_reference",
        "44 PHY_reference",
        "48 DL_reference",
        "72 mbus_port_reference",
    }
    names = (
        "IP_address",
        "subnet_mask",
        "gateway_IP_address",
        "primary_DNS_address",
        "secondary_DNS_address",
    )
    assert names_with(IPV4) == {f"42 {name}" for name in names}
    assert names_with(IPV6) == {"48 primary_DNS_address", "48 secondary_DNS_address"}
    for class_id in (3, 20, 99):
        assert shape_of(Reference(class_id, bytes(6), 1)) is OBIS
    assert shape_of(None) is None


def test_values_in_the_scaler_of_another_attribute() -> None:
    """The other one is the scaler_unit of the same class."""
    assert {key: attribute_name(*key) for key in SCALER_UNIT_ATTRIBUTE} == {
        (3, 2): "value",
        (4, 2): "value",
        (5, 2): "current_average_value",
        (5, 3): "last_average_value",
        (67, 7): attribute_name(67, 7),
    }
    for (class_id, _), member in SCALER_UNIT_ATTRIBUTE.items():
        assert attribute_name(class_id, member) == "scaler_unit"


#: Class, attribute, and the elements of its structure (or of each structure in its array) in the Blue Book.
_ELEMENTS = """\
3 3: scaler, unit
4 3: scaler, unit
5 4: scaler, unit
6 2: each: class-id, logical-name
6 3: each: mask-name, index-list
7 3: each: class-id, logical-name, attribute-index, data-index
7 6: class-id, logical-name, attribute-index, data-index
9 2: each: script-identifier, actions
10 2: each: index, enable, script-logical-name, script-selector, switch-time, validity-window,
    exec-weekdays, exec-specdays, begin-date, end-date
11 2: each: index, specialday-date, day-id
12 2: each: base-name, class-id, version, logical-name
15 2: each: class-id, version, logical-name, access-rights
15 3: client-sap, server-sap
15 4: joint-iso-ctt-element, country-element, country-name-element, identified-organization-element,
    DLMS-UA-element, application-context-element, context-id-element
15 5: conformance, max-receive-pdu-size, max-send-pdu-size, dlms-version-number, quality-of-service,
    cyphering-info
15 6: joint-iso-ctt-element, country-element, country-name-element, identified-organization-element,
    DLMS-UA-element, authentication-mechanism-name-element, mechanism-id-element
15 10: each: user-id, user-name
15 11: user-id, user-name
17 2: each: sap, logical-device-name
18 7: each: image-to-activate-size, image-to-activate-identification, image-to-activate-signature
20 3: each: season-profile-name, season-start, week-name
20 4: each: week-profile-name, monday, tuesday, wednesday, thursday, friday, saturday, sunday
20 5: each: day-id, day-schedule
20 7: each: season-profile-name, season-start, week-name
20 8: each: week-profile-name, monday, tuesday, wednesday, thursday, friday, saturday, sunday
20 9: each: day-id, day-schedule
21 3: class-id, logical-name, attribute-index
21 4: each: action-up, action-down
22 2: script-logical-name, script-selector
22 4: each: time, date
27 3: each: request, response, delay-after-response
28 3: each: start-time, end-time
29 5: each: start-time, end-time
40 2: each: class-id, logical-name, attribute-index, data-index, restriction, columns
40 3: transport-service, destination, message
40 4: each: start-time, end-time
40 7: repetition-delay-min, repetition-delay-exponent, repetition-delay-max
45 4: default, requested
47 6: cell-ID, location-ID, signal-quality, ber, mcc, mnc, channel-number
47 7: each: cell-ID, signal-quality
61 4: scaler, unit
62 3: each: class-id, logical-name, attribute-index, data-index, restriction, columns
64 6: each: certificate-entity, certificate-type, serial-number, issuer, subject, subject-alt-name
65 2: class-id, logical-name, attribute-index, attribute-value
65 4: each: class-id, logical-name, attribute-index
67 8: scaler, unit
71 2: class-id, logical-name, attribute-index
71 8: emergency-profile-id, emergency-activation-time, emergency-duration
71 11: action-over-threshold, action-under-threshold
72 3: each: data-information-block, value-information-block
"""


def test_elements_of_structures() -> None:
    """In the order of the Blue Book; no other attribute has any."""
    found = []
    for one in _REFERENCES:
        shape = shape_of(one)
        inner = (shape.each or shape) if shape is not None else Shape()
        if inner.elements:
            names = ", ".join(name for name, _ in inner.elements)
            found.append(f"{one.class_id} {one.member}: {'' if inner is shape else 'each: '}{names}")
    assert found == _ELEMENTS.replace("\n    ", " ").splitlines()


@pytest.mark.parametrize(
    ("class_id", "member", "octets", "texts"),
    [
        (22, 4, "0101 0202 0904 173b0000 0905 07e80601ff",
         {"[1]/time": "23:59:00", "[1]/date": "2024-06-01"}),
        (8, 2, "090c 07e80601060a1e0000800000", {"": "2024-06-01 Sat 10:30:00"}),
        (11, 2, "0101 0203 120001 0905 ffff0c19ff 1101", {"[1]/specialday-date": "*-12-25"}),
        (28, 3, "0101 0202 090c ffffffffff080000ff800000 090c ffffffffff0a0000ff800000",
         {"[1]/start-time": "*-*-* 08:00:00", "[1]/end-time": "*-*-* 10:00:00"}),
        (42, 4, "0102 06e0000001 06 00000000", {"[1]": "224.0.0.1", "[2]": "0.0.0.0"}),
        (48, 7, "0910 20010db8000000000000000000000001", {"": "2001:db8::1"}),
        (43, 2, "0908 0011223344556677", {"": "00:11:22:33:44:55:66:77"}),
        (43, 2, "0905 0011223344", {"": "0011223344"}),
        (8, 4, "1100", {"": "no flag (0x00)"}),
        (8, 4, "1181", {"": "invalid value, daylight saving (0x81)"}),
        (3, 3, "0202 0ffd 16ff", {"scaler": "10^-3", "unit": "no unit (255)"}),
        (3, 3, "0202 0f00 161e", {"scaler": "10^0", "unit": "Wh (30)"}),
        (3, 3, "0202 0f00 16c8", {"unit": "200"}),
        (7, 6, "0204 120003 0906 0100010800ff 0f02 120001",
         {"": "1.0.1.8.0.255 Active energy import (+A), value, index 1", "class-id": "Register (3)"}),
        (21, 3, "0203 120003 0906 0100010800ff 0f7f",
         {"": "1.0.1.8.0.255 Active energy import (+A), attribute 127"}),
        (40, 3, "0203 1601 0900 1601",
         {"transport-service": "UDP (1)", "message": "XML encoded xDLMS APDU (1)"}),
        (40, 7, "0203 120001 120002 120003", {"repetition-delay-min": "1"}),
        (64, 2, "1607", {"": "requests authenticated (7)"}),
        (64, 2, "16e0", {"": "responses authenticated, responses encrypted, responses signed (224)"}),
        (64, 2, "1618", {"": "requests encrypted, requests signed (24)"}),
        (64, 6, "0101 0206 1601 1602 0900 0900 0900 0900",
         {"[1]/certificate-entity": "client (1)", "[1]/certificate-type": "TLS (2)"}),
    ],
)  # fmt: skip
def test_forms_and_words(class_id: int, member: int, octets: str, texts: dict[str, str]) -> None:
    """Dates, addresses, units, objects and codes, and what fits none of them."""
    context = Context(Request((Reference(class_id, bytes(6), member),)))
    data = bytes.fromhex("c401c100" + octets)
    decoded = decode_apdu(data, context)
    check_tree(decoded, data)
    for path, text in texts.items():
        assert at(decoded.root, f"result/data/{path}").text == text


@pytest.mark.parametrize(
    ("class_id", "member", "wrong", "expected"),
    [
        (7, 3, "0200", "array"),
        (7, 3, "1100", "array"),
        (3, 3, "0100", "structure"),
        (3, 3, "1101", "structure"),
        (8, 2, "1100", "date-time"),
        (3, 2, "", ""),
    ],
)
def test_types_that_an_attribute_has_not(class_id: int, member: int, wrong: str, expected: str) -> None:
    """Arrays, structures and dates are expected where the Blue Book has them; null-data may stand for any."""
    reference = Reference(class_id, bytes(6), member)
    for octets in ("00", wrong):
        decoded = decode_apdu(bytes.fromhex(f"c401c100{octets}"), Context(Request((reference,))))
        words = [problem.message for problem in decoded.problems if problem.item == "wrong-type"]
        assert [expected in one for one in words] == ([True] if expected and octets == wrong else [])
    assert expected_type(reference, 255) == ""
    for tag, word in ((1, "array"), (2, "structure"), (9, "date-time"), (25, "date-time"), (19, "array")):
        if expected:
            assert (expected_type(reference, tag) == "") is (word == expected)


def test_methods_and_loose_attributes_may_have_any_type() -> None:
    """A method's parameters are no attribute; some attributes are written in several ways."""
    assert expected_type(Reference(7, bytes(6), 2, True), 17) == ""
    for class_id, member in ((15, 4), (15, 6), (40, 7), (999, 1)):
        assert expected_type(Reference(class_id, bytes(6), member), 17) == ""
