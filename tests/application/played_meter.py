"""A meter for tests: it answers APDUs with APDUs, long ones in blocks, and keeps what it was asked."""

from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.apdu.security.hls import Challenges, HlsVerdict, check
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aare, Aarq, Diagnostic, Rlre, Rlrq
from cosemscope.application.encoding.apdus import encode, encode_data, parse, parse_data
from cosemscope.application.encoding.data_values import Data, octet_string
from cosemscope.application.encoding.initiate_apdus import InitiateRequest, InitiateResponse
from cosemscope.application.encoding.octet_codecs import write_count
from cosemscope.application.encoding.service_parts import DATA_RESULT, DataAccessError, Datablock
from cosemscope.application.protection.hls_answers import hls_answer
from cosemscope.application.protection.sealing import CipheringForm, Sealer
from cosemscope.application.protection.unsealing import PROTECTED_TAGS, unseal
from cosemscope.application.transfer.general_block_machine import GeneralBlockMachine

TITLE = b"MTR\0\0\0\0\1"
STOC = b"the meter's challenge"
_HLS = Reference(15, bytes.fromhex("0000280000ff"), 1, True)


class PlayedMeter:
    """`values` and `returns` are what attributes hold and methods return; `long` what one APDU may have."""

    def __init__(
        self,
        *,
        mechanism: int = 0,
        password: bytes = b"",
        keys: KeySet | None = None,
        peer: KeySet | None = None,
        own: KeySet | None = None,
        suite: int = 0,
        form: CipheringForm | None = None,
        conformance: int = 0xFFFFFF,
        long: int = 0xFFFF,
        blocks: bool = False,
    ) -> None:
        self.values: dict[Reference, Data] = {}
        self.returns: dict[Reference, Data | None] = {}
        self.acted: list[tuple[Reference, Data | None]] = []
        self.requests: list[Any] = []
        self.counter = 100
        self.client_counters: list[int] = []
        self.wrong_proof = self.no_proof = False
        self._mechanism, self._password = mechanism, password
        self._keys, self._peer, self._own = keys, peer, own
        self._suite, self._form = suite, form
        self._conformance, self._long, self._blocks = conformance, long, blocks
        self._challenges = Challenges(mechanism)
        self._client_title: bytes | None = None
        self.peers: list[KeySet] = []
        self._dedicated: bytes | None = None
        self._rest: list[bytes] = []
        self._taken = bytearray()
        self._begun: Any = None
        self.general = GeneralBlockMachine(window=2)
        self._authenticated = False

    # Around APDUs.

    def answer(self, octets: bytes) -> list[bytes]:
        """What it sends when it has received an APDU."""
        if octets[0] == 0xE0:
            taken = self.general.receive(parse(octets))
            sent = [encode(block) for block in taken.blocks]
            return sent if taken.apdu is None else sent + self.answer(taken.apdu)
        if octets[0] in PROTECTED_TAGS:
            assert self._keys is not None
            dedicated = KeySet("d", dedicated=self._dedicated, authentication=self._keys.authentication)
            sets = [dedicated, self._keys, *self.peers]
            unsealed = unseal(octets, KeyedOpener(KeyRing(sets), self._client_title))
            assert unsealed.counter is not None
            self.client_counters.append(unsealed.counter)
            octets = unsealed.apdu
        value = parse(octets)
        self.requests.append(value)
        if isinstance(value, Aarq):
            return [encode(self._associate(value))]
        if isinstance(value, Rlrq):
            return [encode(Rlre(0))]
        return self.send(self._serve(value))

    def send(self, apdu: Any) -> list[bytes]:
        """An APDU as it goes out: sealed, and in general blocks where it is too long."""
        sealed = self.seal(encode(apdu))
        if len(sealed) <= self._long:
            return [sealed]
        return [encode(block) for block in self.general.send(sealed, self._long - 11)]

    def seal(self, octets: bytes) -> bytes:
        """An APDU sealed as the association says."""
        form = self._form
        if form is None:
            return octets
        assert self._keys is not None
        keys = self._keys
        if not self._authenticated:
            form = CipheringForm.GLOBAL
        if form.dedicated:
            keys = KeySet("d", dedicated=self._dedicated, authentication=keys.authentication)
        sealer = Sealer(keys, TITLE, self._suite, form)
        if not sealer.seals(octets[0]):
            return octets
        self.counter += 1
        return sealer.seal(octets, self.counter)

    # Associating.

    def _associate(self, aarq: Aarq) -> Aare:
        self._client_title = aarq.calling_ap_title
        if (aarq.mechanism or 0) != self._mechanism:
            return Aare(aarq.context, 1, Diagnostic(1, 11))
        secret = aarq.calling_authentication_value
        if self._mechanism == 1 and secret != self._password:
            return Aare(aarq.context, 1, Diagnostic(1, 13))
        initiate = aarq.user_information or b""
        if initiate[0] in PROTECTED_TAGS:
            assert self._keys is not None
            unsealed = unseal(initiate, KeyedOpener(KeyRing([self._keys]), self._client_title))
            assert unsealed.counter is not None
            self.client_counters.append(unsealed.counter)
            initiate = unsealed.apdu
        asked = parse(initiate)
        assert isinstance(asked, InitiateRequest)
        self._dedicated = asked.dedicated_key
        hls = self._mechanism >= 2
        self._challenges = Challenges(
            self._mechanism, self._client_title, TITLE, secret if hls else None, STOC if hls else None
        )
        agreed = InitiateResponse(asked.conformance & self._conformance, self._long)
        sealed = self.seal(encode(agreed))
        self._authenticated = not hls
        return Aare(
            aarq.context,
            0,
            Diagnostic(1, 14 if hls else 0),
            sealed,
            mechanism=self._mechanism or None,
            responding_authentication_value=STOC if hls else None,
            responding_ap_title=TITLE,
        )

    def _prove(self, request: g.ActionRequestNormal) -> g.ActionResponseNormal:
        assert request.parameters is not None
        sets = [one for one in (self._peer, self._keys) if one is not None]
        found = check(self._challenges, True, request.parameters.value, sets)
        if found.verdict is not HlsVerdict.RIGHT:
            return g.ActionResponseNormal(request.invoke, g.ActionAnswer(250))
        self.counter += 1
        keys = self._own or self._keys
        assert keys is not None
        proof = hls_answer(self._challenges, False, keys, suite=self._suite, counter=self.counter)
        if self.wrong_proof:
            proof = proof[:-1] + bytes((proof[-1] ^ 1,))
        returned = None if self.no_proof else octet_string(proof)
        return g.ActionResponseNormal(request.invoke, g.ActionAnswer(0, returned))

    # Serving.

    def _serve(self, value: Any) -> Any:
        match value:
            case g.GetRequestNormal(invoke, reference, _):
                return self._long_get(invoke, self._value(reference))
            case g.GetRequestWithList(invoke, attributes):
                results = tuple(self._value(one.reference) for one in attributes)
                out = bytearray()
                write_count(out, len(results))
                for result in results:
                    DATA_RESULT.write(out, result)
                if self._blocks and len(out) > self._long - 20:
                    return self._first_block(invoke, bytes(out))
                return g.GetResponseWithList(invoke, results)
            case g.GetRequestNext(invoke, number):
                return g.GetResponseWithDatablock(
                    invoke, number == len(self._rest) - 1, number + 1, self._rest[number]
                )
            case g.SetRequestNormal(invoke, reference, _, data):
                self.values[reference] = data
                return g.SetResponseNormal(invoke, 0)
            case g.SetRequestWithList(invoke, attributes, values):
                for one, data in zip(attributes, values, strict=True):
                    self.values[one.reference] = data
                return g.SetResponseWithList(invoke, (0,) * len(values))
            case g.SetRequestWithFirstDatablock(invoke, reference, _, block):
                self._begun, self._taken = reference, bytearray()
                return self._take_set(invoke, block)
            case g.SetRequestWithDatablock(invoke, block):
                return self._take_set(invoke, block)
            case g.ActionRequestNormal(invoke, reference, parameters):
                if reference == _HLS and not self._authenticated:
                    response = self._prove(value)
                    self._authenticated = True
                    return response
                return self._acted(invoke, reference, parameters)
            case g.ActionRequestWithList(invoke, methods, parameters):
                answers = tuple(
                    self._acted(invoke, one, data).answer
                    for one, data in zip(methods, parameters, strict=True)
                )
                return g.ActionResponseWithList(invoke, answers)
            case g.ActionRequestWithFirstPblock(invoke, reference, block):
                self._begun, self._taken = reference, bytearray()
                return self._take_action(invoke, block)
            case g.ActionRequestWithPblock(invoke, block):
                return self._take_action(invoke, block)
            case g.ActionRequestNextPblock(invoke, number):
                last = number == len(self._rest) - 1
                return g.ActionResponseWithPblock(invoke, Datablock(last, number + 1, self._rest[number]))
        raise AssertionError(value)

    def _value(self, reference: Reference) -> Any:
        return self.values.get(reference, DataAccessError(4))

    def _long_get(self, invoke: int, value: Any) -> Any:
        octets = encode_data(value) if isinstance(value, Data) else b""
        if self._blocks and len(octets) > self._long - 20:
            return self._first_block(invoke, octets)
        return g.GetResponseNormal(invoke, value)

    def _first_block(self, invoke: int, octets: bytes) -> g.GetResponseWithDatablock:
        size = self._long - 40
        self._rest = [octets[at : at + size] for at in range(0, len(octets), size)]
        return g.GetResponseWithDatablock(invoke, len(self._rest) == 1, 1, self._rest[0])

    def _take_set(self, invoke: int, block: Datablock) -> Any:
        self._taken += block.octets
        if not block.last:
            return g.SetResponseDatablock(invoke, block.number)
        self.values[self._begun] = parse_data(bytes(self._taken))
        return g.SetResponseLastDatablock(invoke, 0, block.number)

    def _take_action(self, invoke: int, block: Datablock) -> Any:
        self._taken += block.octets
        if not block.last:
            return g.ActionResponseNextPblock(invoke, block.number)
        return self._acted(invoke, self._begun, parse_data(bytes(self._taken)))

    def _acted(self, invoke: int, reference: Reference, parameters: Data | None) -> Any:
        self.acted.append((reference, parameters))
        if reference not in self.returns:
            return g.ActionResponseNormal(invoke, g.ActionAnswer(4))
        returned = self.returns[reference]
        octets = encode_data(returned) if returned is not None else b""
        if self._blocks and len(octets) > self._long - 20:
            size = self._long - 40
            self._rest = [octets[at : at + size] for at in range(0, len(octets), size)]
            return g.ActionResponseWithPblock(invoke, Datablock(len(self._rest) == 1, 1, self._rest[0]))
        return g.ActionResponseNormal(invoke, g.ActionAnswer(0, returned))
