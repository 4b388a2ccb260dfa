"""Fields of protection: what came of opening an APDU, security control, invocation counter, title."""

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Values
from cosemscope.analysis.fields.value_types import Integer, SystemTitle, Text, Word
from cosemscope.apdu.names.codes import SECURITY_TEXTS
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.opening import Verdict

_CLAUSE = "(IEC 62056-5-3)"
_VERDICTS = tuple(Verdict)
_PLACES = {verdict: place for place, verdict in enumerate(_VERDICTS)}


@declared(
    "security",
    Word(lambda place: _VERDICTS[place].value, numbers=range(len(_VERDICTS))),
    "Security",
    "What came of opening the APDU: clear where it is not protected, else opened, tag-wrong, no-key, ...",
    cost=Cost.TREE,
)
def _security(asked: AskedRows) -> Values:
    verdicts = np.full(len(asked.looks), _PLACES[Verdict.CLEAR], np.int8)
    for place, look in asked.loud.items():
        verdicts[place] = _PLACES[look.verdict]
    return verdicts


@declared(
    "security.text", Text(), "Protection", "How the APDU was opened, or why not, in words", cost=Cost.TREE
)
def _text(asked: AskedRows) -> Values:
    texts = np.full(len(asked.looks), None, object)
    for place, opening in asked.openings.items():
        texts[place] = opening.text
    return texts


@declared("security.control", Integer(none=-1, digits=2), "Control", f"The security control octet {_CLAUSE}")
def _control(asked: AskedRows) -> Values:
    return asked.first_look("security")


@declared(
    "security.suite",
    Integer(none=-1),
    "Suite",
    f"The security suite, bits 0 to 3 of security control {_CLAUSE}",
)
def _suite(asked: AskedRows) -> Values:
    control = asked.first_look("security")
    return np.where(control < 0, control, control & 0x0F)


@declared(
    "security.policy",
    Word(SECURITY_TEXTS, none=-1),
    "Policy",
    f"What security control says in words: suite, authenticated, encrypted {_CLAUSE}",
)
def _policy(asked: AskedRows) -> Values:
    return asked.first_look("security")


@declared("ic", Integer(none=-1), "IC", f"Invocation counter of a protected APDU {_CLAUSE}")
def _counter(asked: AskedRows) -> Values:
    return asked.first_look("invocation_counter")


@declared(
    "title",
    SystemTitle(),
    "System title",
    f"System title that a protected APDU was opened with, or else its sender's {_CLAUSE}",
    cost=Cost.TREE,
)
def _title(asked: AskedRows) -> Values:
    texts = np.full(len(asked.looks), None, object)
    for place, opening in asked.openings.items():
        texts[place] = title_text(opening.title) if opening.title else None
    return texts
