"""Shapes: values of well-known attributes and parameters of methods are named, whoever sent them."""

import pytest

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
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
