"""Parameters of primitives: what each takes and refuses, in the standard's words."""

import enum

import pytest

from cosemscope.transport.parameters import PARAMETERS, Quadruple, check_member, check_quadruple
from cosemscope.transport.primitives import TcpDataRequest


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@pytest.mark.parametrize("value", [None, "RED", 1, enum.Enum])
def test_a_member_is_asked_for(value):
    """Nothing else passes, None neither; the sentence names what may stand there."""
    with pytest.raises(ValueError, match="Result must be one of RED, BLUE, not"):
        check_member(Colour)("Result", value)


@pytest.mark.parametrize("value", [*Colour, None])
def test_a_member_or_none(value):
    """Where a parameter may be left out."""
    assert check_member(Colour, optional=True)("Reason", value) is value


NUMBERS = [name for name in PARAMETERS if name.endswith(("wport", "port", "length"))]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0, 1, 0x8000, 0xFFFE, 0xFFFF])
def test_numbers_have_16_bits(name, value):
    """Both ends of the range are in it."""
    words, check = PARAMETERS[name]
    assert check(words, value) == value


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, 0x10000, "1", True, None, 1.0])
def test_what_is_no_such_number_is_refused(name, value):
    """By the name that the standard gives the parameter."""
    words, check = PARAMETERS[name]
    with pytest.raises(ValueError, match=words):
        check(words, value)


def test_confirmation_type_is_needed_and_a_reason_of_failure_is_not():
    """As the services have them."""
    with pytest.raises(ValueError, match="Confirmation_Type"):
        PARAMETERS["confirmation_type"][1]("Confirmation_Type", None)
    assert PARAMETERS["reason_of_failure"][1]("Reason_of_Failure", None) is None


@pytest.mark.parametrize(
    ("local", "remote", "words"),
    [
        ("127.0.0.1", "::1", "two"),
        ("::", "192.0.2.1", "two"),
        ("192.0.2.1", "239.1.2.3", "239.1.2.3 is a group"),
        ("2001:db8::1", "ff02::1", "ff02::1 is a group"),
        ("255.255.255.255", "192.0.2.1", "is a group"),
    ],
)
def test_ends_that_no_connection_can_have_are_refused_when_made(local, remote, words):
    """TCP connects two ends of one IP version; both the quadruple and a request say so."""
    with pytest.raises(ValueError, match=words):
        check_quadruple(Quadruple(local, 4059, remote, 50000))
    with pytest.raises(ValueError, match=words):
        TcpDataRequest(
            local_wport=16,
            remote_wport=1,
            local_tcp_port=4059,
            remote_tcp_port=50000,
            local_ip_address=local,
            remote_ip_address=remote,
            data=b"\x62",
        )
    assert check_quadruple(Quadruple("::ffff:192.0.2.1", 1, "192.0.2.2", 2))
