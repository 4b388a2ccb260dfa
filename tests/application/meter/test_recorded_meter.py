"""A meter out of a recording: answers in order, the last one again, refusals, blocks as agreed now."""

from typing import Any

from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aarq
from cosemscope.application.encoding.apdus import encode, encode_data, parse, parse_data
from cosemscope.application.encoding.data_values import NULL_DATA, double_long_unsigned, octet_string
from cosemscope.application.encoding.initiate_apdus import InitiateRequest
from cosemscope.application.encoding.service_parts import DataAccessError, SelectiveAccess
from cosemscope.application.meter.association_terms import SUPPORTED
from cosemscope.application.meter.recorded_meter import (
    MeterRecording,
    RecordedAnswer,
    RecordedClient,
    RecordedMeter,
    selection_octets,
    written,
)
from tests.application.meter_session import INVOKE, KEYS, NOW, name

ENERGY, LONG, GONE = name(3, "1.0.1.8.0.255", 2), name(7, "1.0.99.1.0.255", 2), name(8, "0.0.1.0.0.255", 2)
METHOD = name(70, "0.0.96.3.10.255", 1, method=True)
SELECTION = SelectiveAccess(2, NULL_DATA)
WHOLE, PART = octet_string(bytes(2000)), octet_string(b"part")


def answer(data: Any, seconds: float = 0.0) -> RecordedAnswer:
    return RecordedAnswer(octets=encode_data(data), seconds=seconds)


ANSWERS = {
    (ENERGY, b""): (answer(double_long_unsigned(1), 0.25), answer(double_long_unsigned(2))),
    (LONG, b""): (answer(WHOLE),),
    (LONG, selection_octets(SELECTION)): (answer(PART),),
    (GONE, b""): (RecordedAnswer(3),),
    (written(ENERGY), b""): (RecordedAnswer(3), RecordedAnswer()),
    (METHOD, b""): (answer(PART),),
}
RECORDING = MeterRecording(b"REC\0\0\0\0\1", KEYS, {(16, 1): RecordedClient((16, 1), answers=ANSWERS)})


class Talk:
    def __init__(self, *, at_speed: bool = False, pdu: int = 200) -> None:
        self.meter = RecordedMeter(RECORDING, NOW, at_speed=at_speed)
        self.pdu = pdu
        self.associate()

    def associate(self) -> None:
        assert self.say(Aarq(1, encode(InitiateRequest(0xFFFFFF, self.pdu)))).result == 0

    def say(self, value: Any) -> Any:
        (octets,) = self.meter.receive(encode(value), 16, 1, NOW)
        return parse(octets)

    def get(self, reference: Any, selection: SelectiveAccess | None = None) -> Any:
        response = self.say(g.GetRequestNormal(INVOKE, reference, selection))
        octets = b""
        while isinstance(response, g.GetResponseWithDatablock):
            octets += response.result  # type: ignore[operator]
            if response.last:
                return parse_data(octets)
            response = self.say(g.GetRequestNext(INVOKE, response.number))
        return response.result


def test_answers_come_in_order_and_the_last_one_again_and_anew_in_each_association() -> None:
    talk = Talk()
    assert [talk.get(ENERGY).value for _ in range(3)] == [1, 2, 2]
    other = Talk()
    assert other.get(ENERGY).value == 1


def test_long_values_are_cut_to_the_size_agreed_now() -> None:
    assert Talk(pdu=100).get(LONG) == WHOLE
    assert Talk(pdu=5000).get(LONG) == WHOLE


def test_a_selection_that_was_not_asked_gets_what_there_is() -> None:
    talk = Talk()
    assert talk.get(LONG, SELECTION) == PART
    assert talk.get(LONG, SelectiveAccess(1, NULL_DATA)) == WHOLE


def test_refusals_are_refusals_and_what_was_never_asked_is_undefined() -> None:
    talk = Talk()
    assert talk.get(GONE) == DataAccessError(3)
    assert talk.get(name(3, "1.0.2.8.0.255", 2)) == DataAccessError(4)
    wish = g.SetRequestNormal(INVOKE, ENERGY, None, NULL_DATA)
    assert [talk.say(wish).result for _ in range(2)] == [3, 0]
    done = talk.say(g.ActionRequestNormal(INVOKE, METHOD)).answer
    assert (done.code, done.returned) == (0, PART)


def test_its_speed_is_told_where_it_is_wanted() -> None:
    talk = Talk(at_speed=True)
    talk.get(ENERGY)
    assert talk.meter.pause == 0.25
    talk.get(ENERGY)
    assert talk.meter.pause == 0.0
    quick = Talk()
    quick.get(ENERGY)
    assert quick.meter.pause == 0.0


def test_who_was_not_recorded_is_refused() -> None:
    meter = RecordedMeter(RECORDING, NOW)
    (octets,) = meter.receive(encode(Aarq(1, encode(InitiateRequest(0xFFFFFF, 0)))), 17, 1, NOW)
    assert parse(octets).result == 1
    assert meter.receive(b"\x60", 16, 9, NOW) == []
    assert meter.due(NOW) == []


def test_what_the_meter_had_agreed_on_and_nobody_here_can_is_not_agreed_on() -> None:
    had = RecordedClient((16, 1), conformance=0xFFFFFF)
    meter = RecordedMeter(MeterRecording(b"REC\0\0\0\0\1", KEYS, {(16, 1): had}), NOW)
    (octets,) = meter.receive(encode(Aarq(1, encode(InitiateRequest(0xFFFFFF, 0)))), 16, 1, NOW)
    assert parse(parse(octets).user_information).conformance == SUPPORTED
