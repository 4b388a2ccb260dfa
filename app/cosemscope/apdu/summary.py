"""One line that says what an APDU is about, for a table of thousands of them.

Made from the tree: service, object and attribute, value with its unit, or the error first. Ciphered APDUs
are told by what was inside where they were opened.
"""

from collections.abc import Callable

from cosemscope.apdu.context import Context, Reference
from cosemscope.apdu.data.tied_values import listed_texts
from cosemscope.apdu.fields import Decoded, Field, Problem, find, walk
from cosemscope.apdu.names.blue_book import class_name, member_name
from cosemscope.apdu.names.tags import APDU_TAGS, GENERAL_GLO, GLO_SERVICES
from cosemscope.apdu.names.text_marks import TELEGRAM
from cosemscope.apdu.names.texts import obis_text

MAX_LENGTH = 200

_NAMES = frozenset(APDU_TAGS.values())

_VERBS = {
    "get-request": "GET",
    "set-request": "SET",
    "action-request": "ACTION",
    "get-response": "GET response",
    "set-response": "SET response",
    "action-response": "ACTION response",
    "access-request": "ACCESS",
    "access-response": "ACCESS response",
    "event-notification-request": "EVENT",
    "data-notification": "PUSH",
    "data-notification-confirm": "PUSH confirm",
    "readRequest": "READ",
    "readResponse": "READ response",
    "writeRequest": "WRITE",
    "writeResponse": "WRITE response",
    "unconfirmedWriteRequest": "WRITE unconfirmed",
    "informationReportRequest": "INFORMATION REPORT",
}
_CIPHERED = frozenset(
    name
    for name in APDU_TAGS.values()
    if name.startswith(("glo-", "ded-", "general-glo", "general-ded")) or name == "general-ciphering"
)


def summarise(decoded: Decoded, context: Context | None = None) -> str:
    """The info line of a decoded APDU or WPDU, at most 200 characters; errors come first."""
    words = summarise_field(decoded.root, context)
    for reading in (" (read as date-time)", " (read as logical name)"):
        words = words.replace(reading, "")
    partly = any(problem.item == "incomplete-apdu" for problem in decoded.problems)
    if partly and "incomplete" not in words:
        words += " [incomplete]"
    broken = _broken(decoded)
    if broken is not None:
        words = f"BROKEN {words}: {broken.message}"
    return words if len(words) <= MAX_LENGTH else words[: MAX_LENGTH - 1] + "…"


def _broken(decoded: Decoded) -> Problem | None:
    """The first error, but for the tag of an APDU that was opened all the same."""
    errors = [problem for problem in decoded.problems if problem.severity == "error"]
    if not errors:
        return None
    read = {
        (field.source, field.start, field.start + 1)
        for field in walk(decoded.root)
        if field.name.startswith("unknown") and _opened(field) is not None
    }
    return next((one for one in errors if (one.source, one.start, one.stop) not in read), None)


def summarise_field(root: Field, context: Context | None = None) -> str:
    """The info line of one APDU's field (or of a WPDU's), not yet cut."""
    if root.name == "WPDU":
        inner = root.children[4] if len(root.children) > 4 else None  # behind the header
        return summarise_field(inner, context) if inner is not None else "WPDU without data"
    if root.name in _FRAMES:
        carried = _carried(root)
        if carried is not None:
            return summarise_field(carried, context)
        frames = [child for child in root.children if child.name == "HDLC frame"]
        return _plain(frames[0] if len(frames) == 1 else root, context)
    if root.name in _CIPHERED or root.name.startswith("unknown"):
        return _ciphered(root, context)
    return _TELLERS.get(root.name, _plain)(root, context)


#: What stands around an APDU in HDLC and in IEC 61334-4-32.
_FRAMES = frozenset(
    {
        "M-Bus frame",
        "M-Bus frames",
        "segment",
        "HDLC frame",
        "HDLC frames",
        "information",
        "IEC 61334-4-32 LLC",
    }
)


def _carried(root: Field) -> Field | None:
    """The APDU in frames: that of the last one that has a whole one."""
    for child in reversed(root.children):
        found = (
            child
            if child.name in _NAMES or child.name == TELEGRAM
            else _carried(child)
            if child.name in _FRAMES
            else None
        )
        if found is not None:
            return found
    return None


def _ciphered(root: Field, context: Context | None) -> str:
    inner = _opened(root)
    if inner is None:
        return _plain(root, context)
    return f"{summarise_field(inner, context)} [{_cipher_name(root, inner)}]"


def _opened(root: Field) -> Field | None:
    """The APDU inside a ciphered one that was opened, or is authenticated only; None for any other."""
    content = find(root, "ciphered-content")
    for child in content.children if content is not None else ():
        if child.name == "ciphered-text" and child.children:
            return child.children[0]
        if child.name in _NAMES or child.name == TELEGRAM:
            return child
    return None


#: The tag of the ciphered APDU that a service has for its own, by its name; others have a general- one.
_OWN_TAGS = {APDU_TAGS[inner]: tag for tag, inner in GLO_SERVICES.items()}


def _cipher_name(root: Field, inner: Field) -> str:
    """The name of a ciphered APDU: by its tag, or by the tag that belongs in its place."""
    if root.name in _CIPHERED:
        return root.name
    tag = root.children[0].value
    return f"ciphered, tag {tag:02X} where {_OWN_TAGS.get(inner.name, GENERAL_GLO):02X} should stand"


def _plain(root: Field, context: Context | None) -> str:
    return f"{root.name} {root.text}".rstrip()


def _texts(field: Field | None, limit: int = 3) -> str:
    """The texts of a list's elements, the first few of them."""
    if field is None:
        return ""
    listed = [child for child in field.children if child.name.startswith("[")]
    if not listed:
        return ""
    elements = listed_texts(listed)
    told = len(listed) - len(elements)
    count = max(len(elements), len(field.value) - told) if isinstance(field.value, tuple) else len(elements)
    more = f", {count - limit} more" if count > limit else ""
    return ", ".join(elements[:limit]) + more


def _object(reference: Reference) -> str:
    """A reference for people: logical name with its meaning, else the class, then what is not attribute 2."""
    name = obis_text(reference.instance)
    if " " not in name and class_name(reference.class_id):
        name = f"{name} {class_name(reference.class_id)}"
    if reference.member == 2 and not reference.method:
        return name
    kind = "method" if reference.method else "attribute"
    member = member_name(reference.class_id, reference.member, method=reference.method)
    return f"{name}, {member or f'{kind} {reference.member}'}"


def _references(context: Context | None) -> tuple[Reference, ...]:
    """The references that the request asked for; none where the request is not known."""
    return context.request.references if context is not None and context.request is not None else ()


def _requested(context: Context | None) -> str:
    references = _references(context)
    if not references:
        return ""
    more = f" and {len(references) - 1} more" if len(references) > 1 else ""
    return _object(references[0]) + more


#: What holds a password or a key: secret and change_HLS_secret of the association objects.
_SECRETS = frozenset(((15, 7, False), (15, 2, True), (44, 5, False), (45, 3, False)))


def _any_secret(references: object) -> bool:
    """Whether one of these references (what else may stand there does not count) is to a secret."""
    listed = references if isinstance(references, tuple) else ()
    return any(is_secret(one) for one in listed if isinstance(one, Reference))


def is_secret(reference: Reference) -> bool:
    """Whether an attribute or a method's parameters are a secret: a password or a key."""
    return (reference.class_id, reference.member, reference.method) in _SECRETS


def hidden(field: Field) -> str:
    """The words in place of a secret value, since info lines end up in lists and mails; the tree shows it."""
    return f"secret{_size(field)}, not shown here"


def _size(field: Field) -> str:
    return f", {len(field.value)} octets" if isinstance(field.value, bytes) else ""


_REQUEST_PARTS = (
    ("access-selection", ""),
    ("value", "value = "),
    ("value-list", "values = "),
    ("attribute-value", "value = "),
    ("method-invocation-parameters", "parameters = "),
)


def _request(root: Field, context: Context | None) -> str:
    words = [_VERBS[root.name]]
    secret = False
    for name in ("attribute-descriptor", "method-descriptor"):
        descriptor = find(root, name)
        if descriptor is not None and isinstance(descriptor.value, Reference):
            words.append(_object(descriptor.value))
            secret = _any_secret((descriptor.value,))
    for name in ("attribute-descriptor-list", "method-descriptor-list", "access-request-specification"):
        listed = find(root, name)
        if listed is not None:
            secret = secret or _any_secret(listed.value)
            words.append(f"list of {len(listed.value)}: {_texts(listed)}" if listed.value else "empty list")
    number = find(root, "block-number")
    if number is not None:
        words.append(f"next block {number.value}")
    line = " ".join(words)
    for name, shown_name in _REQUEST_PARTS:
        part = find(root, name)
        if part is not None and part.children:
            line += f", {shown_name}{hidden(part) if secret else _texts(part) or part.text}"
    for name in ("datablock", "pblock"):
        part = find(root, name)
        if part is not None:
            text = part.text if secret else _block(part)
            line += f" {text}" if line.endswith(words[0]) else f", {text}"
    return line


def _block(part: Field) -> str:
    """The words of a block; those of the last one say what all blocks together are, where they are joined."""
    number = find(part, "block-number")
    joined = find(part, "raw-data", "value")
    inner = joined.children[-1] if joined is not None and joined.children else None
    if inner is None or number is None:
        return part.text
    value = find(inner, "data") or inner
    elements = _texts(value)
    return f"block {number.value} (last): {value.text or inner.name}" + (f": {elements}" if elements else "")


def _block_transfer(root: Field, context: Context | None) -> str:
    """A block of any APDU; the last one says what the APDU is, where its blocks are joined."""
    joined = find(root, "block-data", "value") or find(root, "block-data")
    inner = next((child for child in joined.children if child.name in _NAMES), None) if joined else None
    if inner is None:
        return _plain(root, context)
    return f"{root.name} block {root.value} (last): {summarise_field(inner, context)}"


#: Responses that carry values.
_READ = frozenset({"get-response", "access-response"})
#: Where a response says that it failed.
_FAILURES = (
    ("result", "data-access-result"),
    ("result",),
    ("response", "action-result"),
    ("response", "return-parameters", "result", "data-access-result"),
)
#: Lists of results, and what says in an item that it failed.
_FAILED_ITEMS = (("result", "data-access-result"), ("result-list", "data-access-error"))


def _failure(root: Field) -> str:
    """The first result that is an error, or ""."""
    for path in _FAILURES:
        field = find(root, *path)
        if field is not None and not field.children and field.value not in (0, None):
            return field.text or str(field.value)
    for name in ("data-access-results", "response-list", "access-response-specification"):
        listed = find(root, name)
        if listed is not None:
            failed = [child.text for child in listed.children[1:] if child.value != 0 and child.text]
            return failed[0] if failed else ""
    for name, error in _FAILED_ITEMS:
        results = find(root, name)
        for child in results.children if results is not None else ():
            field = find(child, error) if child.name.startswith("[") else None
            if field is not None and field.value != 0:
                return field.text or str(field.value)
    return ""


def _response(root: Field, context: Context | None) -> str:
    words = _VERBS[root.name]
    name = _requested(context)
    if name:
        words += f" {name}"
    failure = _failure(root)
    if failure:
        words = f"{failure.upper()} {words}"
    listed = find(root, "result") or find(root, "response-list") or find(root, "response")
    for key in ("access-response-list-of-data", "data-access-results", "pblock"):
        listed = listed or find(root, key)
    if listed is None:
        number = find(root, "block-number")
        return f"{words}, block {number.value}" if number is not None else words
    request = context.request if context is not None else None
    secret = request is not None and not _SECRETS.isdisjoint(request.members)
    elements = _texts(listed)
    if secret and (elements or not failure) and root.name in _READ:
        return f"{words}, {hidden(listed)}"
    if not listed.children:
        return words if failure else f"{words}, {listed.text or listed.value}"
    if elements:
        return f"{words}, {elements}"
    block = find(listed, "block-number")
    if block is not None:
        return f"{words}, {_block(listed)}"
    data = find(listed, "data")
    if data is not None:
        return f"{words}, {'value' if name else 'data'} = {data.text}"
    return words if failure else f"{words}, {listed.text}"


def _push(root: Field, context: Context | None) -> str:
    moment = find(root, "date-time")
    body = find(root, "notification-body")
    words = "PUSH" if root.name == "data-notification" else "PUSH confirm"
    if moment is not None and moment.value:
        words += f" {moment.text.partition(',')[0]}"
    if body is None:
        return words
    return f"{words}, {body.text}: {_texts(body)}".rstrip(": ")


def _short_name(root: Field, context: Context | None) -> str:
    words = _VERBS[root.name]
    failure = _failure(root)
    if failure:
        words = f"{failure.upper()} {words}"
    variables = find(root, "variable-access-specification")
    if variables is not None:
        words += f" {_texts(variables)}"
    for name in ("list-of-data", "result-list"):
        values = find(root, name)
        if values is not None:
            words += f", {_texts(values)}"
    return words


def _association(root: Field, context: Context | None) -> str:
    words = root.name
    result = find(root, "result")
    if result is not None and result.value != 0:
        words = f"REJECTED {words}"
    if root.text:
        words += f" {root.text}"
    secret = find(root, "calling-authentication-value")
    mechanism = find(root, "mechanism-name")
    if secret is not None and mechanism is not None and str(mechanism.value).endswith(".2.1"):
        words += f", LLS password{_size(secret)}"
    inner = find(root, "user-information")
    if inner is not None and inner.text:
        words += f", {inner.text}"
    return words


def _bare_data(root: Field, context: Context | None) -> str:
    elements = _texts(root)
    return f"no APDU: Data, {root.text}" + (f": {elements}" if elements else "")


def _hex_text(root: Field, context: Context | None) -> str:
    return f"hex digits as text of: {summarise_field(root.children[0], context)}"


def _exception(root: Field, context: Context | None) -> str:
    return f"EXCEPTION {root.text}"


def _service_error(root: Field, context: Context | None) -> str:
    return f"SERVICE ERROR {root.text}"


def _wrapped(root: Field, context: Context | None) -> str:
    """The info line of the APDU in a prefix or an envelope, with the envelope's name behind it."""
    for child in root.children:
        if child.name == "content" and len(child.children) > 1:
            return f"{summarise_field(child.children[1], context)} [{root.name}: {root.text}]"
    inner = root.children[-1] if root.children else None
    if inner is None or not inner.children or inner.name == "undecoded":
        return _plain(root, context)
    return f"{summarise_field(inner, context)} [{root.name}]"


_TELLERS: dict[str, Callable[[Field, Context | None], str]] = {
    **dict.fromkeys(
        ("get-request", "set-request", "action-request", "access-request", "event-notification-request"),
        _request,
    ),
    **dict.fromkeys(("get-response", "set-response", "action-response", "access-response"), _response),
    **dict.fromkeys(("data-notification", "data-notification-confirm"), _push),
    **dict.fromkeys(
        (
            "readRequest",
            "readResponse",
            "writeRequest",
            "writeResponse",
            "unconfirmedWriteRequest",
            "informationReportRequest",
        ),
        _short_name,
    ),
    **dict.fromkeys(("AARQ", "AARE", "RLRQ", "RLRE", "ABRT"), _association),
    "exception-response": _exception,
    "confirmedServiceError": _service_error,
    "general-block-transfer": _block_transfer,
    "Data": _bare_data,
    "hex text": _hex_text,
    **dict.fromkeys(("gateway-request", "gateway-response", "LLC", "general-signing"), _wrapped),
}
