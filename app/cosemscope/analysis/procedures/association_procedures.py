"""Association set-ups and HLS as procedures: AARQ and AARE, and the answers to both challenges."""

import numpy as np

from cosemscope.analysis.associations.association_notes import HlsAnswer
from cosemscope.analysis.outcomes.association_details import AssociationDetails, association_details
from cosemscope.analysis.outcomes.association_table import Acceptance, is_hls_reply
from cosemscope.analysis.procedures.procedure import (
    Procedure,
    ProcedureKind,
    ProcedureSource,
    ProcedureVerdict,
)
from cosemscope.apdu.names import tags as t

_SET_UP = {
    Acceptance.ACCEPTED: ProcedureVerdict.COMPLETE,
    Acceptance.REFUSED: ProcedureVerdict.REFUSED,
    Acceptance.UNANSWERED: ProcedureVerdict.UNANSWERED,
    Acceptance.UNFINISHED: ProcedureVerdict.UNFINISHED,
}
_HLS = {
    HlsAnswer.RIGHT: (ProcedureVerdict.COMPLETE, "the answers are right"),
    HlsAnswer.WRONG: (ProcedureVerdict.WRONG, "an answer is wrong"),
    HlsAnswer.UNPROVEN: (ProcedureVerdict.UNPROVEN, "the answers could not be checked"),
    HlsAnswer.NONE: (ProcedureVerdict.UNPROVEN, "the answers could not be checked"),
}
_PASSES = 4
#: Services that are ciphered, as their first octets say.
_CIPHERED = (*t.GLO_SERVICES, *t.DED_SERVICES, t.GENERAL_GLO, t.GENERAL_DED, t.GENERAL_CIPHERING)


def association_procedures(source: ProcedureSource) -> list[Procedure]:
    """A set-up for each AARQ, and HLS where the association has it."""
    found: list[Procedure] = []
    facts, exchanges = source.facts, source.exchanges
    table, answers = facts.associations, facts.association_security.hls
    replies: dict[int, list[int]] = {}
    for exchange in np.flatnonzero(is_hls_reply(exchanges)).tolist():
        replies.setdefault(int(table.of[exchange]), []).append(exchange)
    for association, opening in enumerate(table.opening.tolist()):
        details = association_details(source.analysis, exchanges, table, association)
        if opening >= 0 and int(exchanges["request"][opening]) >= 0:
            acceptance = Acceptance(int(table.acceptance[association]))
            found.append(_set_up(source, opening, acceptance, details))
        asked, answered = int(table.hls_asked[association]), int(table.hls_answered[association])
        passes = details.hls_passes(asked, answered)
        if not passes and asked:  # AARQ and AARE were not captured
            passes = 4 if answered else 3
        if passes > 1:
            mine = replies.get(association) or [opening]
            found.append(_hls(source, mine, passes, HlsAnswer(int(answers[association]))))
    return found


def _set_up(
    source: ProcedureSource, opening: int, acceptance: Acceptance, details: AssociationDetails
) -> Procedure:
    verdict = _SET_UP[acceptance]
    mechanism = details.mechanism.mechanism_name or "no authentication"
    text = f"accepted, {mechanism}"
    if verdict is not ProcedureVerdict.COMPLETE:
        cut = acceptance is Acceptance.REFUSED and int(source.exchanges["answer"][opening]) < 0
        failure = "the connection was closed" if cut else source.failure(opening)
        text = ": ".join(filter(None, (failure, details.answered.diagnostic)))
    done = 1 + (int(source.exchanges["responses"][opening]) > 0)
    context = details.asked.context or None
    return Procedure(
        ProcedureKind.ASSOCIATION,
        verdict,
        text,
        (opening,),
        done,
        2,
        details={"context": context, "mechanism": mechanism},
    )


def _hls(source: ProcedureSource, exchanges: list[int], passes: int, answer: HlsAnswer) -> Procedure:
    last = exchanges[-1]
    verdict, text = _HLS[answer]
    if passes < _PASSES and answer is not HlsAnswer.WRONG:
        verdict = source.verdict(last)
        text = f"reply_to_HLS_authentication: {source.failure(last)}"
        if verdict is ProcedureVerdict.COMPLETE and _is_hidden(source, last):
            verdict, text = ProcedureVerdict.UNPROVEN, "what may answer the challenges is ciphered"
        elif verdict is ProcedureVerdict.COMPLETE:
            verdict, text = ProcedureVerdict.UNFINISHED, "the challenges were not answered"
    return Procedure(ProcedureKind.HLS, verdict, text, tuple(exchanges), passes, _PASSES)


def _is_hidden(source: ProcedureSource, exchange: int) -> bool:
    """Whether the exchange behind this one in its association is one that no key has opened."""
    of, service = source.facts.associations.of, source.exchanges["service"]
    behind = exchange + 1 + np.flatnonzero(of[exchange + 1 :] == of[exchange])[:1]
    return bool(np.isin(service[behind], _CIPHERED).any())
