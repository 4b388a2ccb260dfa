"""Object lists and lists of logical devices out of values, whole and with odd entries."""

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.data_values import (
    NULL_DATA,
    Data,
    array,
    boolean,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from cosemscope.application.object_model.object_lists import (
    AccessRight,
    ObjectEntry,
    SapEntry,
    object_list,
    sap_list,
)

_NAME = bytes.fromhex("0100010800ff")


def _attribute(number: int, mode: int, selectors: Data = NULL_DATA) -> Data:
    return structure(integer(number), enum(mode), selectors)


def _entry(attributes: list[Data], methods: list[Data], name: bytes = _NAME) -> Data:
    rights = structure(array(attributes), array(methods))
    return structure(long_unsigned(3), unsigned(0), octet_string(name), rights)


def test_rights_that_are_numbered() -> None:
    """As associations before version 3 number them."""
    selectors = array([integer(1), integer(2)])
    value = array(
        [
            _entry(
                [_attribute(1, 1), _attribute(2, 3, selectors), _attribute(3, 0), _attribute(4, 6)],
                [
                    structure(integer(1), enum(1)),
                    structure(integer(2), enum(2)),
                    structure(integer(3), boolean(False)),
                ],
            )
        ]
    )
    (entry,) = object_list(value).entries
    assert isinstance(entry, ObjectEntry)
    assert (entry.class_id, entry.version, entry.instance) == (3, 0, _NAME)
    assert entry.attributes == {
        1: AccessRight(1, readable=True),
        2: AccessRight(3, readable=True, writable=True, selectors=(1, 2)),
        3: AccessRight(0),
        4: AccessRight(6, readable=True, writable=True, protected=("authenticated",)),
    }
    assert entry.methods == {
        1: AccessRight(1, callable_=True),
        2: AccessRight(2, callable_=True, protected=("authenticated",)),
        3: AccessRight(0),
    }
    assert entry.attribute(2) == Reference(3, _NAME, 2)
    assert entry.method(1) == Reference(3, _NAME, 1, True)


def test_rights_that_are_bits() -> None:
    """As associations from version 3 on have them, and as no number can be meant otherwise."""
    value = array([_entry([_attribute(2, 0x0D), _attribute(3, 0x13)], [structure(integer(1), enum(0x05))])])
    for version in (3, 1):
        (entry,) = object_list(value, version).entries
        assert entry.attributes[2] == AccessRight(
            0x0D, readable=True, protected=("authenticated", "encrypted")
        )
        assert entry.attributes[3] == AccessRight(0x13, readable=True, writable=True, protected=("signed",))
    (entry,) = object_list(value, 3).entries
    assert entry.methods[1] == AccessRight(5, callable_=True, protected=("authenticated",))


def test_odd_entries_hide_no_others() -> None:
    """Each is left out and named."""
    good = _entry([], [])
    odd = [
        unsigned(1),
        _entry([], [], b"\1"),
        _entry([unsigned(1)], []),
        structure(octet_string(b"x"), unsigned(0), octet_string(_NAME), structure(array([]), array([]))),
        structure(long_unsigned(1), unsigned(0), octet_string(_NAME), NULL_DATA),
    ]
    read = object_list(array([*odd, good]))
    assert len(read.entries) == 1
    assert [problem.partition(" is left out")[0] for problem in read.problems] == [
        f"entry {number} of the object list" for number in range(1, 6)
    ]
    assert object_list(NULL_DATA).problems == ("the object list is no array: null-data stands there",)


def test_logical_devices() -> None:
    """Names are octets, or text in some meters."""
    value = array(
        [
            structure(long_unsigned(1), octet_string(b"MTR0000000000001")),
            structure(long_unsigned(2), visible_string("MTR2")),
            structure(long_unsigned(3), unsigned(1)),
        ]
    )
    read = sap_list(value)
    assert read.entries == (SapEntry(1, b"MTR0000000000001"), SapEntry(2, b"MTR2"))
    assert read.problems == ("entry 3 of the SAP assignment list is left out: expected a name, found int",)
