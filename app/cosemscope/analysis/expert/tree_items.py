"""Items out of trees: each problem of a row's tree, and each remark on it, is one of the kind it names."""

from cosemscope.apdu.fields import Problem
from cosemscope.apdu.opening import Verdict
from cosemscope.streams.tables.expert_items import KINDS, Group, ItemKind, Severity, declare
from cosemscope.streams.tables.stream_kinds import FRAME_CLAUSE

#: The kinds of problems that name none, by whether decoding broke.
ILL_FORMED = declare("ill-formed-apdu", Severity.ERROR, Group.DATA, "the APDU cannot be read to its end")
ODD = declare("odd-apdu", Severity.WARNING, Group.DATA, "something in the APDU breaks the rules")

declare("unknown-tag", Severity.ERROR, Group.DATA, "the first octet is no tag of an APDU")
declare("surplus-octets", Severity.ERROR, Group.DATA, "octets behind the end of what was to be read")
declare("undefined-code", Severity.WARNING, Group.DATA, "a code has no meaning in the standard")
declare("wrong-type", Severity.WARNING, Group.DATA, "the value has another type than its attribute")
declare("glued-apdus", Severity.ERROR, Group.DATA, "the bodies of two APDUs are glued together")

declare("ill-formed-frame", Severity.ERROR, Group.HDLC, "a control field or flag is wrong", FRAME_CLAUSE)

declare("unknown-suite", Severity.WARNING, Group.SECURITY, "the security suite is not defined")
declare("other-apdu-inside", Severity.WARNING, Group.SECURITY, "another APDU inside than the tag says")
declare(Verdict.KEY_UNFIT.value, Severity.WARNING, Group.SECURITY, "a key that was given does not fit")
declare(Verdict.TAG_WRONG.value, Severity.WARNING, Group.SECURITY, "the authentication tag is wrong")
declare(Verdict.SIGNATURE_WRONG.value, Severity.WARNING, Group.SECURITY, "the signature is wrong")
declare(Verdict.PLAIN.value, Severity.WARNING, Group.SECURITY, "said to be encrypted, and plain")
declare(Verdict.OPENED.value, Severity.CHAT, Group.SECURITY, "opened, the authentication tag is right")
declare(Verdict.UNTAGGED.value, Severity.CHAT, Group.SECURITY, "opened, there is no authentication tag")
declare(Verdict.UNAUTHENTICATED.value, Severity.CHAT, Group.SECURITY, "opened, not authenticated")
declare(Verdict.NO_KEY.value, Severity.CHAT, Group.SECURITY, "no key is given")
declare(Verdict.NO_TITLE.value, Severity.CHAT, Group.SECURITY, "the sender's system title is not known")
declare(Verdict.VERIFIED.value, Severity.CHAT, Group.SECURITY, "the signature is right")


def kind_of(problem: Problem) -> ItemKind:
    """The kind of items that a problem is."""
    return KINDS.get(problem.item) or (ILL_FORMED if problem.severity == "error" else ODD)
