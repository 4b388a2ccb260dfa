"""XML of translators: the octets that its fields stand for, octets beside it, and what cannot be written."""

import re

import pytest

from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.pieces import HexError
from cosemscope.apdu.pasted.translated_xml import BESIDE_NOTE, MADE_NOTE, read_xml, without_xml

INVOKE = '<InvokeIdAndPriority Value="C1" />'
REGISTER = '<ClassId Value="0003" /><InstanceId Value="0100010800FF" /><AttributeId Value="02" />'
METHOD = '<ClassId Value="000F" /><InstanceId Value="0000280000FF" /><MethodId Value="01" />'
NAME = "0003 0100010800ff 02"


def in_service(service: str, choice: str, content: str) -> str:
    return f"<{service}>\n  <{choice}>\n    {INVOKE}\n    {content}\n  </{choice}>\n</{service}>"


def got(data: str) -> str:
    return in_service("GetResponse", "GetResponseNormal", f"<Result><Data>{data}</Data></Result>")


def octets_of(text: str) -> bytes:
    found = read_xml(text)
    assert found is not None
    return found.octets


SERVICES = [
    (
        in_service(
            "GetRequest", "GetRequestNormal", f"<AttributeDescriptor>{REGISTER}</AttributeDescriptor>"
        ),
        f"c001c1 {NAME} 00",
    ),
    (
        in_service(
            "GetRequest",
            "GetRequestNormal",
            f"<AttributeDescriptor>{REGISTER}</AttributeDescriptor>"
            '<AccessSelection><AccessSelector Value="02" /><AccessParameters><Structure Qty="01">'
            '<UInt32 Value="00000001" /></Structure></AccessParameters></AccessSelection>',
        ),
        f"c001c1 {NAME} 01 02 0201 0600000001",
    ),
    (
        in_service("GetRequest", "GetRequestForNextDataBlock", '<BlockNumber Value="00000102" />'),
        "c002c1 00000102",
    ),
    (
        in_service(
            "GetRequest",
            "GetRequestWithList",
            '<AttributeDescriptorList Qty="02">'
            + f"<_AttributeDescriptorWithSelection><AttributeDescriptor>{REGISTER}</AttributeDescriptor>"
            "</_AttributeDescriptorWithSelection>" * 2 + "</AttributeDescriptorList>",
        ),
        f"c003c1 02 {NAME} 00 {NAME} 00",
    ),
    (got('<UInt32 Value="00000123" />'), "c401c1 00 0600000123"),
    (
        in_service(
            "GetResponse", "GetResponseNormal", '<Result><DataAccessError Value="ReadWriteDenied" /></Result>'
        ),
        "c401c1 01 03",
    ),
    (
        in_service(
            "GetResponse",
            "GetResponsewithDataBlock",
            '<Result><LastBlock Value="01" /><BlockNumber Value="00000003" /><Result>'
            '<RawData Value="010200" /></Result></Result>',
        ),
        "c402c1 01 00000003 00 03 010200",
    ),
    (
        in_service(
            "GetResponse",
            "GetResponseWithList",
            '<Result Qty="02"><Data><Int8 Value="FF" /></Data>'
            '<DataAccessError Value="ObjectUndefined" /></Result>',
        ),
        "c403c1 02 00 0fff 01 04",
    ),
    (
        in_service(
            "SetRequest",
            "SetRequestNormal",
            f'<AttributeDescriptor>{REGISTER}</AttributeDescriptor><Value><Enum Value="1E" /></Value>',
        ),
        f"c101c1 {NAME} 00 161e",
    ),
    (in_service("SetResponse", "SetResponseNormal", '<Result Value="Success" />'), "c501c1 00"),
    (
        in_service(
            "ActionRequest",
            "ActionRequestNormal",
            f"<MethodDescriptor>{METHOD}</MethodDescriptor><MethodInvocationParameters>"
            '<OctetString Value="AABB" /></MethodInvocationParameters>',
        ),
        "c301c1 000f 0000280000ff 01 01 0902aabb",
    ),
    (
        in_service("ActionRequest", "ActionRequestNormal", f"<MethodDescriptor>{METHOD}</MethodDescriptor>"),
        "c301c1 000f 0000280000ff 01 00",
    ),
    (
        in_service(
            "ActionResponse",
            "ActionResponseNormal",
            '<Result Value="Success" /><ReturnParameters><DataAccessError Value="Success" />'
            "</ReturnParameters>",
        ),
        "c701c1 00 01 01 00",
    ),
    (
        in_service("ActionResponse", "ActionResponseNormal", '<Result Value="LongActionAborted" />'),
        "c701c1 0f 00",
    ),
    (
        '<DataNotification><LongInvokeIdAndPriority Value="004B10AB" /><DateTime Value="" />'
        '<NotificationBody><DataValue><UInt8 Value="05" /></DataValue></NotificationBody></DataNotification>',
        "0f 004b10ab 00 1105",
    ),
    (
        '<EventNotificationRequest><Time Value="07E80A1B0707232DFF800000" />'
        f"<AttributeDescriptor>{REGISTER}</AttributeDescriptor>"
        '<AttributeValue><UInt8 Value="05" /></AttributeValue></EventNotificationRequest>',
        f"c2 01 0c07e80a1b0707232dff800000 {NAME} 1105",
    ),
    (
        f"<EventNotificationRequest><AttributeDescriptor>{REGISTER}</AttributeDescriptor>"
        '<AttributeValue><UInt8 Value="05" /></AttributeValue></EventNotificationRequest>',
        f"c2 00 {NAME} 1105",
    ),
    (
        '<ExceptionResponse><StateError Value="ServiceUnknown" /><ServiceError Value="PduTooLong" />'
        "</ExceptionResponse>",
        "d8 02 04",
    ),
    ('<glo_GetResponse Value="300000000111223344" />', "cc 09 300000000111223344"),
    ('<ded_ActionRequest Value="300000000111" />', "d3 06 300000000111"),
    (
        '<GeneralGloCiphering><SystemTitle Value="4D4D4D0000BC614E" />'
        '<CipheredService Value="300000000111223344" /></GeneralGloCiphering>',
        "db 08 4d4d4d0000bc614e 09 300000000111223344",
    ),
]


@pytest.mark.parametrize(("text", "octets"), SERVICES)
def test_services(text: str, octets: str) -> None:
    """As IEC 62056-5-3 encodes what the elements say; that the octets were made is said."""
    assert octets_of(text).hex() == bytes.fromhex(octets).hex()
    assert read_pasted(text).remark == MADE_NOTE


@pytest.mark.parametrize(
    ("data", "octets"),
    [
        ("<None />", "00"),
        ('<NullData Value="" />', "00"),
        ('<Boolean Value="true" />', "0301"),
        ('<Boolean Value="00" />', "0300"),
        ('<BitString Value="1010000011" />', "040aa0c0"),
        ('<Int32 Value="FFFFFFFE" />', "05fffffffe"),
        ('<DoubleLongUnsigned Value="00000001" />', "0600000001"),
        ('<OctetString Value="" />', "0900"),
        (f'<OctetString Value="{"ab" * 128}" />', "098180" + "ab" * 128),
        ('<String Value="kWh" />', "0a036b5768"),
        ('<StringUTF8 Value="ä" />', "0c02c3a4"),
        ('<Int16 Value="8000" />', "108000"),
        ('<UInt16 Value="08CA" />', "1208ca"),
        ('<Int64 Value="0000000000000001" />', "140000000000000001"),
        ('<UInt64 Value="FFFFFFFFFFFFFFFF" />', "15ffffffffffffffff"),
        ('<Enum Value="1B" />', "161b"),
        ('<Float32 Value="3F800000" />', "173f800000"),
        ('<Float64 Value="3FF0000000000000" />', "183ff0000000000000"),
        ('<DateTime Value="07E80A1B0707232DFF800000" />', "1907e80a1b0707232dff800000"),
        ('<Date Value="07E80A1B07" />', "1a07e80a1b07"),
        ('<Time Value="07232DFF" />', "1b07232dff"),
        ('<Array Qty="00" />', "0100"),
        (
            '<Array Qty="2"><Structure Qty="1"><UInt8 Value="01" /></Structure><None /></Array>',
            "0102 0201 1101 00",
        ),
    ],
)
def test_values(data: str, octets: str) -> None:
    """Every type that translators write, under the names that they and the standard have."""
    assert octets_of(got(data))[4:].hex() == bytes.fromhex(octets).hex()


def test_numbers_without_all_their_digits_are_decimal() -> None:
    """Hex has two digits an octet in translators' XML; decimal numbers have as many as they take."""
    text = got(
        '<Structure Qty="3"><UInt32 Value="4609456" /><Int8 Value="-2" /><Enum Value="30" /></Structure>'
    )
    assert octets_of(text.replace('"C1"', '"193"'))[2:].hex() == "c1 00 0203 0600465 5b0 0ffe 161e".replace(
        " ", ""
    )


def test_names_of_the_standard() -> None:
    """Prefix, hyphens, and values as text: the XML that the standard itself defines."""
    text = (
        "<x:get-response>\n<x:get-response-normal>\n<x:invoke-id-and-priority>C1</x:invoke-id-and-priority>"
        "<x:result><x:data><x:long-unsigned>08CA</x:long-unsigned></x:data></x:result>\n"
        "</x:get-response-normal>\n</x:get-response>"
    )
    assert octets_of(text).hex() == "c401c1001208ca"


def test_several_in_a_text() -> None:
    """Each is a message, with the line where it begins; what stands between is no part of them."""
    request = SERVICES[0][0]
    found = read_xml(f"a log\n{request}\nand then\n{SERVICES[4][0]}")
    assert found is not None
    assert [(piece.line, piece.octets.hex()[:6]) for piece in found.pieces] == [(2, "c001c1"), (9, "c401c1")]


def test_octets_beside_the_fields_are_the_better_ones() -> None:
    """A trace of a translator has both: what was sent is read, and what stands behind a tag is none of it."""
    frame = "7e a0 13 03 03 74 70 33 e6 e7 00"
    text = f"HDLC -> {frame}\n{got(chr(60) + 'UInt16 Value=' + chr(34) + '08CA' + chr(34) + ' /> 2250')}"
    assert read_xml(text) is None
    pasted = read_pasted(text)
    assert pasted.octets == bytes.fromhex(frame)
    assert pasted.notes == (BESIDE_NOTE,)
    assert without_xml(text).splitlines()[0] == f"HDLC -> {frame}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (got('<CompactArray Value="00" />'), r"line 1.*<CompactArray> is no type that is written"),
        (got('<UInt8 Value="100" /><UInt8 Value="1" />'), "has 2 elements, not one"),
        (got('<UInt8 Value="300" />'), "'300' in <UInt8> is no number of 1 octets"),
        (got('<OctetString Value="0g" />'), "'0g' in <OctetString> is no hex"),
        (got(f'<OctetString Value="{"0123456789" * 3}g" />'), "'01234567890123456789' in <OctetString>"),
        (got('<BitString Value="012" />'), "other characters than 0 and 1"),
        (got('<Time Value="07232D" />'), "<Time> has 3 octets, not 4"),
        (got('<Boolean Value="perhaps" />'), "'perhaps' in <Boolean> is not defined"),
        (SERVICES[0][0].replace("00FF", "FF"), "has 5 octets, a logical name 6"),
        (SERVICES[0][0].replace(INVOKE, ""), "has no <invokeidandpriority>"),
        (
            '<AssociationRequest>\n<ApplicationContextName Value="LN" />\n</AssociationRequest>',
            "is not written",
        ),
        ("<GetResponse>\n<GetResponseNormal>\n" + INVOKE, "line 1: the XML is cut: <GetResponse> has no end"),
        ('<GetResponse>\n<Data="08" /></GetResponse>', "line 1: the XML is damaged"),
        (got('<Array Qty="1">' * 80 + "</Array>" * 80), "more than 60 elements within each other"),
        ('<GetRequest><!DOCTYPE a Value="1"></GetRequest>', "declares nothing"),
    ],
)
def test_what_cannot_be_written_is_said(text: str, said: str) -> None:
    """Where, which element, and that the octets are needed; nothing is made up."""
    with pytest.raises(HexError) as refusal:
        read_pasted(text)
    assert re.search(said, str(refusal.value)), refusal.value
