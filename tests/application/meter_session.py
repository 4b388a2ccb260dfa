"""A client for tests of the built-in meter: APDUs as values, straight into the meter."""

from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.hls import Challenges, HlsVerdict, check
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aare, Aarq
from cosemscope.application.encoding.apdus import encode, parse, parse_data
from cosemscope.application.encoding.data_values import Data, octet_string
from cosemscope.application.encoding.initiate_apdus import InitiateRequest, InitiateResponse
from cosemscope.application.encoding.service_parts import SelectiveAccess
from cosemscope.application.meter.built_in_meter import (
    MANAGING_CLIENT,
    PUBLIC_CLIENT,
    READING_CLIENT,
    BuiltInMeter,
    MeterPlan,
)
from cosemscope.application.meter.objects.cosem_object import logical_name
from cosemscope.application.protection.hls_answers import hls_answer
from cosemscope.application.protection.sealing import CipheringForm, Sealer
from cosemscope.application.protection.unsealing import PROTECTED_TAGS, unseal

#: 1 December 2025, 04:00:00 UTC.
NOW = 1_764_561_600.0
TITLE = b"CLI\0\0\0\0\1"
PASSWORD = b"a password"
KEYS = KeySet(
    "test",
    encryption=bytes(range(16)),
    authentication=bytes(range(0xD0, 0xE0)),
    master=bytes(range(0x40, 0x50)),
    hls_secret=b"a secret",
)
INVOKE = 0xC1


def plan(**changes: Any) -> MeterPlan:
    return MeterPlan(**{"keys": KEYS, "password": PASSWORD} | changes)


def name(class_id: int, text: str, member: int, *, method: bool = False) -> Reference:
    return Reference(class_id, logical_name(text), member, method)


class MeterSession:
    """One client of a meter. `counter` is the invocation counter of its next protected APDU."""

    def __init__(
        self,
        meter: BuiltInMeter,
        wport: int = PUBLIC_CLIENT,
        device: int = 1,
        *,
        keys: KeySet = KEYS,
        form: CipheringForm = CipheringForm.GLOBAL,
        link: object = None,
    ) -> None:
        self.meter, self.wport, self.device, self.keys, self.form = meter, wport, device, keys, form
        self.link = link
        self.ciphered = wport == MANAGING_CLIENT and meter.plan.ciphered
        self.counter = 1
        self.now = NOW
        self.agreed = InitiateResponse(0, 0)

    def octets(self, apdu: bytes) -> bytes | None:
        """What the meter answers to octets."""
        answers = self.meter.receive(apdu, self.wport, self.device, self.now, self.link)
        assert len(answers) <= 1
        return answers[0] if answers else None

    def seal(self, apdu: bytes, form: CipheringForm | None = None) -> bytes:
        sealer = Sealer(self.keys, TITLE, self.meter.plan.suite, form or self.form)
        self.counter += 1
        return sealer.seal(apdu, self.counter - 1)

    def open(self, apdu: bytes) -> bytes:
        title = self.meter.plan.title
        return (
            unseal(apdu, KeyedOpener(KeyRing([self.keys]), title)).apdu if apdu[0] in PROTECTED_TAGS else apdu
        )

    def say(self, value: Any) -> Any:
        """The answer to a request of the association, as a value."""
        apdu = encode(value)
        answer = self.octets(self.seal(apdu) if self.ciphered else apdu)
        return None if answer is None else parse(self.open(answer))

    def associate(self, *, pdu: int = 0xFFFF, conformance: int = 0xFFFFFF, secret: bytes = PASSWORD) -> Aare:
        """AARQ to the last pass; asserts nothing of what came of it but that all answers fit."""
        mechanism = {READING_CLIENT: 1, MANAGING_CLIENT: self.meter.plan.mechanism}.get(self.wport)
        own = bytes(range(0x20, 0x30)) if (mechanism or 0) > 1 else secret if mechanism else None
        initiate = encode(InitiateRequest(conformance, pdu, self.keys.dedicated))
        aarq = Aarq(
            3 if self.ciphered else 1,
            self.seal(initiate, CipheringForm.GLOBAL) if self.ciphered else initiate,
            mechanism=mechanism,
            calling_authentication_value=own,
            calling_ap_title=TITLE if (mechanism or 0) > 1 else None,
            authentication_required=True if mechanism else None,
        )
        answer = self.octets(encode(aarq))
        assert answer is not None
        aare = parse(answer)
        assert isinstance(aare, Aare)
        if aare.result == 0:
            self.agreed = parse(self.open(aare.user_information or b""))
            if (mechanism or 0) > 1:
                self.prove(
                    Challenges(
                        mechanism or 0,
                        TITLE,
                        self.meter.plan.title,
                        own,
                        aare.responding_authentication_value,
                    )
                )
        return aare

    def prove(self, challenges: Challenges) -> None:
        """Passes 3 and 4."""
        self.counter += 1
        proof = hls_answer(challenges, True, self.keys, suite=self.meter.plan.suite, counter=self.counter - 1)
        reply = name(15, "0.0.40.0.0.255", 1, method=True)
        response = self.say(g.ActionRequestNormal(INVOKE, reply, octet_string(proof)))
        assert response.answer.code == 0
        theirs = response.answer.returned.value
        sets = (self.keys, *([self.meter.keys.keys] if challenges.mechanism == 7 else []))
        assert check(challenges, False, theirs, sets).verdict is HlsVerdict.RIGHT

    def result(self, reference: Reference, selection: SelectiveAccess | None = None) -> Any:
        """An attribute: Data or DataAccessError, over as many blocks as it takes."""
        return self.joined(self.say(g.GetRequestNormal(INVOKE, reference, selection)), parse_data)

    def joined(self, response: Any, read: Any) -> Any:
        octets = b""
        while isinstance(response, g.GetResponseWithDatablock):
            if not isinstance(response.result, bytes):
                return response.result
            octets += response.result
            if response.last:
                return read(octets)
            response = self.say(g.GetRequestNext(INVOKE, response.number))
        return response.result

    def get(self, class_id: int, text: str, member: int = 2, selection: SelectiveAccess | None = None) -> Any:
        """The plain value of an attribute."""
        found = self.result(name(class_id, text, member), selection)
        assert isinstance(found, Data), found
        return found.plain

    def act(self, class_id: int, text: str, member: int, parameters: Data | None = None) -> int:
        """The action-result of a method."""
        reference = name(class_id, text, member, method=True)
        return int(self.say(g.ActionRequestNormal(INVOKE, reference, parameters)).answer.code)

    def set(self, class_id: int, text: str, member: int, value: Data) -> int:
        """The data-access-result of a SET."""
        request = g.SetRequestNormal(INVOKE, name(class_id, text, member), None, value)
        return int(self.say(request).result)


def session(wport: int = PUBLIC_CLIENT, device: int = 1, **changes: Any) -> MeterSession:
    """An association with a new meter."""
    found = MeterSession(BuiltInMeter(plan(**changes), NOW), wport, device)
    assert found.associate().result == 0
    return found
