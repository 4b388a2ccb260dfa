"""The server's answers while an association is made: what an AARE and an answer to a challenge amount to.

They are held against what the client asked for: an AARE accepts only with an InitiateResponse that can be
taken, with HLS exactly where the client offers it, and with a challenge that is not the client's own.
"""

from typing import NamedTuple

from cosemscope.apdu.security.hls import Challenges, HlsVerdict
from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_protection import ClientProtection
from cosemscope.application.client.client_states import ClientInput
from cosemscope.application.client.refusals import Refusal, at_client, of_aare, of_action, of_service_error
from cosemscope.application.encoding.acse_apdus import Aare, Diagnostic
from cosemscope.application.encoding.apdus import ApduValue, parse
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.get_set_action import ActionAnswer
from cosemscope.application.encoding.initiate_apdus import ConfirmedServiceError, InitiateResponse
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.protection.unsealing import PROTECTED_TAGS, UnsealError

_AUTHENTICATION_REQUIRED = Diagnostic(1, 14)
_OCTET_STRING = 9
_HLS_WANTED = at_client("the server asks for HLS authentication", "associate with a mechanism from 2 to 7")
_HLS_UNWANTED = at_client(
    "the server asks for no HLS authentication", "it does not prove who it is: check the wPorts"
)
_NO_CHALLENGE = at_client("the server asks for HLS authentication without a challenge")
_MIRRORED = at_client(
    "the server's challenge is the client's own, sent back: it may only repeat what it hears"
)
_NO_PROOF = at_client("the server gives no answer to the client's challenge: it does not prove who it is")


class AssociationAnswer(NamedTuple):
    """What an answer is to the state table; what was agreed, or why the association is refused."""

    input: ClientInput
    refusal: Refusal | None = None
    agreed: InitiateResponse | None = None


def _refused(refusal: Refusal) -> AssociationAnswer:
    return AssociationAnswer(ClientInput.AARE_REFUSED, refusal)


class AssociationAnswers:
    """Judges the answers of one server; keeps its system title and the challenges."""

    def __init__(self, parameters: AssociationParameters, protection: ClientProtection) -> None:
        self._parameters = parameters
        self._protection = protection
        self.server_title = parameters.server_title
        self.challenges = Challenges(parameters.mechanism)

    def of_aare(self, aare: Aare) -> AssociationAnswer:
        """What an AARE amounts to."""
        self._protection.know_server(aare.responding_ap_title)
        self.server_title = aare.responding_ap_title or self.server_title
        answer, problem = self._user_information(aare.user_information)
        if aare.result != 0:
            return _refused(of_aare(aare, answer if isinstance(answer, ConfirmedServiceError) else None))
        if isinstance(answer, ConfirmedServiceError):
            return _refused(of_service_error(answer))
        if not isinstance(answer, InitiateResponse):
            words = f"the server accepts, but without an InitiateResponse that can be taken: {problem}"
            advice = "check the keys, the suite and the system titles" if aare.user_information else ""
            return _refused(at_client(words, advice))
        return self._accepted(aare, answer)

    def _accepted(self, aare: Aare, agreed: InitiateResponse) -> AssociationAnswer:
        parameters, challenge = self._parameters, aare.responding_authentication_value
        hls = aare.diagnostic == _AUTHENTICATION_REQUIRED
        if hls != parameters.hls:
            return _refused(_HLS_WANTED if hls else _HLS_UNWANTED)
        if not hls:
            return AssociationAnswer(ClientInput.AARE_ACCEPTED, agreed=agreed)
        if challenge is None or challenge == parameters.challenge:
            return _refused(_NO_CHALLENGE if challenge is None else _MIRRORED)
        titles = parameters.title, self.server_title
        self.challenges = Challenges(parameters.mechanism, *titles, parameters.challenge, challenge)
        return AssociationAnswer(ClientInput.AARE_HLS, agreed=agreed)

    def _user_information(self, octets: bytes | None) -> tuple[ApduValue, str]:
        """The APDU in an AARE; or None and why not."""
        if not octets:
            return None, "there is none"
        control: int | None = None
        try:
            if octets[0] in PROTECTED_TAGS:
                unsealed = self._protection.unseal(octets)
                control, octets = unsealed.control, unsealed.apdu
            answer = parse(octets)
        except (UnsealError, ParseError) as reason:
            return None, str(reason)
        lacking = self._protection.enough(control)
        if lacking and isinstance(answer, InitiateResponse):
            return None, lacking
        return answer, f"{type(answer).__name__} stands there"

    def of_hls(self, answer: ActionAnswer) -> AssociationAnswer:
        """What the answer to reply_to_HLS_authentication amounts to: f(CtoS), right or wrong."""
        code, returned = answer
        if code:
            words = f"the server does not take the client's answer to its challenge: {of_action(code).words}"
            advice = "check the HLS secret, the keys and the system titles"
            refusal = Refusal("action-result", code, words, advice)
            return AssociationAnswer(ClientInput.HLS_WRONG, refusal)
        if not isinstance(returned, Data) or returned.tag != _OCTET_STRING:
            return AssociationAnswer(ClientInput.HLS_WRONG, _NO_PROOF)
        check = self._protection.judge(self.challenges, returned.value)
        if check.verdict is HlsVerdict.RIGHT:
            return AssociationAnswer(ClientInput.HLS_RIGHT)
        words = f"the server does not prove who it is: {check.sentence}"
        return AssociationAnswer(ClientInput.HLS_WRONG, at_client(words, "check the keys of this meter"))
