"""Short names: blocks that are whole are decoded as what they carry."""

from cosemscope.apdu.decoder import decode_apdu
from tests.helpers.apdu_checks import at, check_tree


def test_a_read_request_in_one_block() -> None:
    """The block of a read request carries a list of variable access specifications."""
    octets = bytes.fromhex("05010601000104" + "0102fa10")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert not decoded.problems
    block = at(decoded.root, "variable-access-specification/[1]/raw-data/variable-access-specification")
    assert at(block, "[1]/variable-name").value == 0xFA10


def test_a_read_response_in_one_block() -> None:
    """The block of a read response carries a list of results."""
    octets = bytes.fromhex("0c0102010001" + "06" + "020011050103")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert not decoded.problems
    block = at(decoded.root, "result-list/[1]/raw-data/list")
    assert at(block, "[1]/data").value == 5
    assert at(block, "[2]/data-access-error").text == "read-write-denied"


def test_detailed_access_is_named() -> None:
    """A choice of IEC 61334-4-41 that DLMS/COSEM does not use: it is named, and decoding ends there."""
    decoded = decode_apdu(bytes.fromhex("050103fa100100"))
    assert at(decoded.root, "variable-access-specification/[1]/choice").text == "detailed-access"
    assert [problem.severity for problem in decoded.problems] == ["error"]
