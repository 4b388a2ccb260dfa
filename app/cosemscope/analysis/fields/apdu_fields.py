"""Fields of APDUs: service, object, result and block, as the innermost APDU that could be reached has them.

What a response does not say, its request did: class, OBIS code and attribute of a response are those that
were asked for, of a list those of the first item.
"""

import numpy as np

from cosemscope.analysis.associations.result_words import RESULT_WORDS, result_word
from cosemscope.analysis.fields.asked_rows import NO_MEMBER, NO_OBIS, AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Coded, Values, coded, object_array
from cosemscope.analysis.fields.value_types import Flag, Integer, Obis, Quantity, Term, Text, Word
from cosemscope.apdu.first_look import ApduKind
from cosemscope.apdu.names.blue_book import class_name, member_name, obis_name
from cosemscope.apdu.names.tags import APDU_TAGS, apdu_name

_ABSTRACT = "(IEC 62056-5-3)"
_LN = "(IEC 62056-6-2)"
_NONE = Integer(none=-1)


@declared(
    "apdu",
    Word(apdu_name, none=-1, nothing="", numbers=APDU_TAGS),
    "APDU",
    f"Name of the APDU as it was sent {_ABSTRACT}",
)
def _apdu(asked: AskedRows) -> Values:
    return asked.wpdus("apdu_tag")


@declared("apdu.tag", Integer(none=-1), "Tag", f"First octet of the APDU as it was sent {_ABSTRACT}")
def _tag(asked: AskedRows) -> Values:
    return asked.wpdus("apdu_tag")


@declared(
    "inner",
    Word(apdu_name, none=-1, numbers=APDU_TAGS),
    "Inner",
    "Name of the APDU inside, once it was opened or joined from blocks",
    cost=Cost.TREE,
)
def _inner(asked: AskedRows) -> Values:
    inner = np.full(len(asked.looks), -1, np.int16)
    for place, look in asked.loud.items():
        inner[place] = look.inner
    return inner


@declared(
    "service",
    Word(apdu_name, none=-1, numbers=APDU_TAGS),
    "Service",
    "Name of the innermost APDU, which asks or answers: that of a ciphered one where it was opened",
    cost=Cost.LOOK,
)
def _service(asked: AskedRows) -> Values:
    return asked.seen("service")


@declared(
    "kind",
    Word(lambda value: ApduKind(value).word, numbers=ApduKind),
    "Kind",
    "Its part in an exchange: request, response, unconfirmed, notification, association or other",
    cost=Cost.LOOK,
)
def _kind(asked: AskedRows) -> Values:
    return asked.seen("kind")


@declared(
    "choice",
    _NONE,
    "Choice",
    f"Number of the service's form, such as 1 for normal and 3 for with-list {_ABSTRACT}",
    cost=Cost.LOOK,
)
def _choice(asked: AskedRows) -> Values:
    return asked.seen("choice")


@declared("invoke_id", _NONE, "Invoke-id", f"Invoke-id of request and response {_ABSTRACT}", cost=Cost.LOOK)
def _invoke_id(asked: AskedRows) -> Values:
    return asked.seen("invoke_id")


@declared("class", _NONE, "Class", f"Number of the interface class of the object {_LN}", cost=Cost.LOOK)
def _class(asked: AskedRows) -> Values:
    return asked.objects.class_id


@declared(
    "class.name",
    Word(class_name, none=-1),
    "Class name",
    f"Name of the interface class {_LN}",
    cost=Cost.LOOK,
)
def _class_name(asked: AskedRows) -> Values:
    return asked.objects.class_id


@declared(
    "obis", Obis(none=NO_OBIS), "OBIS code", "Logical name of the object (IEC 62056-6-1)", cost=Cost.LOOK
)
def _obis(asked: AskedRows) -> Values:
    return asked.objects.obis


@declared(
    "obis.name",
    Word(lambda value: obis_name(value.to_bytes(6, "big")), none=NO_OBIS),
    "OBIS name",
    "What the value groups of the OBIS code mean (IEC 62056-6-1)",
    cost=Cost.LOOK,
)
def _obis_name(asked: AskedRows) -> Values:
    return asked.objects.obis


@declared(
    "attribute",
    Integer(none=NO_MEMBER),
    "Attribute",
    f"Number of the attribute; with ACTION, of the method {_LN}",
    cost=Cost.LOOK,
)
def _attribute(asked: AskedRows) -> Values:
    return asked.objects.member


@declared(
    "method",
    Integer(none=NO_MEMBER),
    "Method",
    f"Number of the method that ACTION calls {_LN}",
    cost=Cost.LOOK,
)
def _method(asked: AskedRows) -> Values:
    found = asked.objects
    return np.where(found.method, found.member, NO_MEMBER)


@declared(
    "attribute.name",
    Text(),
    "Attribute name",
    f"Name of the attribute; with ACTION, of the method {_LN}",
    cost=Cost.LOOK,
)
def _attribute_name(asked: AskedRows) -> Values:
    found = asked.objects
    member = found.member.astype(np.int64) - NO_MEMBER
    codes, used = coded(found.class_id.astype(np.int64) << 17 | member << 1 | found.method)
    names = [
        member_name(key >> 17, (key >> 1 & 0xFFFF) + NO_MEMBER, method=bool(key & 1)) if key >= 0 else None
        for key in used.tolist()
    ]
    return Coded(codes, object_array(names))


@declared(
    "result",
    Term(RESULT_WORDS),
    "Result",
    "The standard's word for the result, such as success or object-undefined; of a list the first that is "
    f"no success {_ABSTRACT}",
    cost=Cost.LOOK,
)
def _result(asked: AskedRows) -> Values:
    # Pairs of services and results that occur, as numbers so small that a table tells them apart.
    codes, results = coded(asked.seen("result"))
    keys = asked.seen("service").astype(np.int64) * len(results) + codes
    pairs, used = coded(keys)
    told = [(key // len(results), int(results[key % len(results)])) for key in used.tolist()]
    words = [result_word(service, code) if service >= 0 else None for service, code in told]
    return Coded(pairs, object_array(words))


@declared("block", _NONE, "Block", f"Number of the block in a transfer {_ABSTRACT}", cost=Cost.LOOK)
def _block(asked: AskedRows) -> Values:
    return asked.seen("block")


@declared(
    "last_block",
    Flag(none=-1),
    "Last block",
    f"Whether it is a transfer's last block {_ABSTRACT}",
    cost=Cost.LOOK,
)
def _last_block(asked: AskedRows) -> Values:
    return asked.seen("last_block")


@declared(
    "info",
    Text(),
    "Info",
    "What the WPDU is about in one line: errors first, then service, object and value",
    cost=Cost.TREE,
)
def _info(asked: AskedRows) -> Values:
    return object_array(asked.infos)


# What an answer, or a SET request, says of its object: numbers with their scalers, wherever in the capture
# these were told; what is no number or text is told in words. Of lists and profiles it is the words too.


@declared(
    "value",
    Quantity(),
    "Value",
    "What an answer, or a SET request, says of its object, with its scaler applied",
    cost=Cost.TREE,
)
def _value(asked: AskedRows) -> Values:
    return object_array([told.value for told in asked.told_values])


@declared(
    "value.text",
    Text(),
    "Value and unit",
    "The value in its unit as people read it, in thousands where those are usual",
    cost=Cost.TREE,
)
def _value_text(asked: AskedRows) -> Values:
    return object_array([told.text for told in asked.told_values])


@declared("unit", Term(), "Unit", "Unit of the value, as the meter told it (IEC 62056-6-2)", cost=Cost.TREE)
def _unit(asked: AskedRows) -> Values:
    return object_array([told.unit for told in asked.told_values])
