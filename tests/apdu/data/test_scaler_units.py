"""What a response tells about later ones: scalers and units; and what stands around a service."""

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.data.scaler_units import scalers_in, service_of
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.framed import decode_octets
from cosemscope.apdu.opening import Opening, Verdict
from tests.helpers import apdu_encoder as encode

_NAME = bytes.fromhex("0100010800ff")
_VALUE, _SCALER = (3, _NAME, 2), (3, _NAME, 3)
_SCALER_UNIT = ("structure", [("integer", -1), ("enum", 30)])


def test_service_of_what_was_opened() -> None:
    """Behind a WPDU header and a cipher stands the service; unopened, the cipher is all there is."""
    body = encode.ciphered(0xC8, 0x30, 1, bytes(13), bytes(12))
    wpdu = b"\0\1\0\x10\0\1" + len(body).to_bytes(2, "big") + body
    context = Context(opener=lambda part: Opening(Verdict.OPENED, encode.get_request(_VALUE)))
    assert service_of(decode_octets(wpdu, context).root).name == "get-request"
    assert service_of(decode_octets(wpdu).root).name == "glo-get-request"
    assert (
        service_of(decode_apdu(encode.aarq(user_information=encode.initiate_request())).root).name == "AARQ"
    )


def test_scalers_are_learned() -> None:
    """From a plain answer, from a list, from ACCESS, from joined blocks; and the value is then scaled."""
    one, both = Request((Reference(*_SCALER),)), Request((Reference(*_VALUE), Reference(*_SCALER)), True)
    learned = {Reference(*_VALUE): (-1, 30)}
    number = ("double-long-unsigned", 5009)
    list_results = [number, _SCALER_UNIT]
    joined = encode.sequence([encode.data_result(result) for result in list_results])
    for octets, request, context in (
        (encode.get_response(_SCALER_UNIT), one, None),
        (encode.get_response_list(list_results), both, None),
        (encode.access_response(list_results, [(1, 0), (1, 0)]), both, None),
        (encode.get_response_block(True, 1, encode.data(_SCALER_UNIT)), one, None),
        (encode.get_response_block(True, 2, b"\0"), both, Context(request=both, joined=joined)),
    ):
        assert scalers_in(decode_apdu(octets, context).root, request) == learned
    assert scalers_in(decode_apdu(encode.get_response(number)).root, one) == {}
    assert scalers_in(decode_apdu(encode.get_response(3)).root, one) == {}
    assert scalers_in(decode_apdu(encode.get_response(_SCALER_UNIT)).root, None) == {}
    context = Context(request=Request((Reference(*_VALUE),)), scaler_unit=learned.get)
    shown = decode_apdu(encode.get_response(number), context).root.children[-1].text
    assert shown.startswith("500.9")
