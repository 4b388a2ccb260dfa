"""XML that translators make of APDUs: the octets beside it are taken, or made anew from its fields.

People paste what a translator shows, `<GetResponse><GetResponseNormal>...`, since they have nothing else. Its
elements follow the abstract syntax of IEC 62056-5-3 one by one, so that the octets can be written again; the
names of the standard's own XML (`get-response-normal`) are taken too. What is not written is said.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from cosemscope.apdu.data import types
from cosemscope.apdu.names import codes, tags
from cosemscope.apdu.pasted.pieces import HexError, Pasted, Piece

_PDU = re.compile(r"<PDU>(?:\s|<!--.{0,400}?-->)*(?P<hex>[0-9A-Fa-f\s]{8,}?)\s*</PDU>", re.DOTALL)
_FIELDS = re.compile(
    r"<[\w:-]{0,40}(?:request|response|notification|descriptor|priority|ciphering)[\w-]{0,40}[\s/>]",
    re.IGNORECASE,
)
_HEX_BESIDE = re.compile(r"(?<![\"'\w])(?:[0-9A-Fa-f]{2}[ :-]?){8,}(?![\"'\w])")
_TAG = re.compile(r"<[^<>]{0,2000}>")
#: Elements within elements at most.
_DEPTH = 60
MADE_NOTE = "Octets made from the XML of a translator: they need not be the ones that were sent."

BESIDE_NOTE = "The XML was left out: the octets beside it are read."


def read_xml(text: str) -> Pasted | None:
    """The octets of the PDUs in XML of a translator; None for any other text.

    Raises HexError where the XML has the fields of an APDU and its octets cannot be made from them.
    """
    pieces, line, seen = [], 1, 0
    for match in _PDU.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        digits = "".join(match["hex"].split())
        if len(digits) % 2:
            return None
        pieces.append(Piece(bytes.fromhex(digits), None, line))
    if pieces:
        return Pasted(tuple(pieces), {}, ("Read what stands between <PDU> and </PDU>.",))
    if not _FIELDS.search(text) or ('="' not in text and "='" not in text and "</" not in text):
        return None
    if without_xml(text) != text:
        return None
    found = tuple(Piece(_octets(source, at), None, at) for at, source in _apdus(text))
    return Pasted(found, {}, (MADE_NOTE,)) if found else None


def without_xml(text: str) -> str:
    """A text without the XML of fields in it where octets stand beside that; the text as it is elsewhere."""
    if not _FIELDS.search(text):
        return text
    lines = text.splitlines()
    bare = [_TAG.sub("", line) for line in lines]
    if not any(map(_HEX_BESIDE.search, bare)):
        return text
    # What somebody wrote behind a tag, such as a value, is no octet either.
    kept = (
        one if one == line or _HEX_BESIDE.search(one) else "" for line, one in zip(lines, bare, strict=True)
    )
    return "\n".join(kept)


# Names are compared by their letters alone: GetResponseNormal, get-response-normal, glo_GetResponse.


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.rpartition("}")[2].rpartition(":")[2].lower())


def _codes(names: Mapping[int, str]) -> Mapping[str, int]:
    return MappingProxyType({_bare(name): code for code, name in names.items()})


_TAGS = _codes(tags.APDU_TAGS)
_RESULTS, _ACTION_RESULTS = _codes(codes.DATA_ACCESS_RESULTS), _codes(codes.ACTION_RESULTS)
_STATES, _ERRORS = _codes(codes.STATE_ERRORS), _codes(codes.EXCEPTION_ERRORS)
#: Names that translators have for types, beside the standard's.
_TYPES = MappingProxyType(
    {
        **_codes(types.TYPES),
        "none": 0,
        "int8": 15,
        "int16": 16,
        "int32": 5,
        "int64": 20,
        "uint8": 17,
        "uint16": 18,
        "uint32": 6,
        "uint64": 21,
        "string": 10,
        "stringutf8": 12,
    }
)
_ENVELOPES = {"generalglociphering": tags.GENERAL_GLO, "generaldedciphering": tags.GENERAL_DED}
#: Services that are written, by the name of the APDU and of the choice in it: tag and choice.
_CHOICES = {
    "getrequestnormal": (tags.GET_REQUEST, 1),
    "getrequestfornextdatablock": (tags.GET_REQUEST, 2),
    "getrequestnext": (tags.GET_REQUEST, 2),
    "getrequestwithlist": (tags.GET_REQUEST, 3),
    "getresponsenormal": (tags.GET_RESPONSE, 1),
    "getresponsewithdatablock": (tags.GET_RESPONSE, 2),
    "getresponsewithlist": (tags.GET_RESPONSE, 3),
    "setrequestnormal": (tags.SET_REQUEST, 1),
    "setresponsenormal": (tags.SET_RESPONSE, 1),
    "actionrequestnormal": (tags.ACTION_REQUEST, 1),
    "actionresponsenormal": (tags.ACTION_RESPONSE, 1),
}
_ROOT = re.compile(
    r"<(?P<name>(?:\w{1,20}:)?(?:Get-?Request|Get-?Response|Set-?Request|Set-?Response|Action-?Request"
    r"|Action-?Response|Data-?Notification|Event-?Notification-?Request|Exception-?Response"
    r"|General-?(?:Glo|Ded)-?Ciphering|(?:glo|ded)[_-]?\w{4,40}|\w{0,40}(?:Request|Response)))(?=[\s/>])",
    re.IGNORECASE,
)


def _apdus(text: str) -> Iterator[tuple[int, str]]:
    """The line and the text of each element that is an APDU."""
    at, line, seen = 0, 1, 0
    while match := _ROOT.search(text, at):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        closed = text.find(">", match.end())
        end = f"</{match['name']}>"
        at = closed + 1 if text[closed - 1 : closed] == "/" else text.find(end, match.end()) + len(end)
        if closed < 0 or at < len(end):
            raise HexError(f"line {line}: the XML is cut: <{match['name']}> has no end")
        yield line, text[match.start() : at]


def _octets(source: str, line: int) -> bytes:
    """The octets of one APDU in XML. Raises HexError."""
    if "<!DOCTYPE" in source or "<!ENTITY" in source:
        raise HexError(f"line {line}: XML of an APDU declares nothing, and this does")
    # A prefix need not be declared in what was copied.
    plain = re.sub(r"(</?)\w{1,20}:(?=\w)", r"\1", source)
    try:
        root = ElementTree.fromstring(plain)
    except ElementTree.ParseError as error:
        raise HexError(f"line {line}: the XML is damaged: {error}") from None
    _check_depth(root, line)
    try:
        return _Writer(_numbers_are_hex(root)).apdu(root)
    except _CannotWriteError as reason:
        raise HexError(
            f"this is XML of the fields of an APDU, not its octets, and they cannot be made from it (APDU at "
            f"line {line}: {reason}): paste the octets that it was made of"
        ) from None


class _CannotWriteError(ValueError):
    """What stands in the way of octets, with the name of the element."""


def _check_depth(root: Element, line: int) -> None:
    level = [root]
    for _ in range(_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise HexError(f"line {line}: the XML has more than {_DEPTH} elements within each other")


def _value(element: Element) -> str:
    """What an element says: its attribute Value, else its text."""
    return next(
        (value for name, value in element.attrib.items() if _bare(name) == "value"), element.text or ""
    ).strip()


def _numbers_are_hex(root: Element) -> bool:
    """Whether numbers are hex: two digits for each octet, or letters among them; else they are decimal."""
    numbers = [(_value(one), _SIZES[_bare(one.tag)]) for one in root.iter() if _bare(one.tag) in _SIZES]
    letters = any(re.search("[A-Fa-f]", words) for words, _ in numbers)
    return letters or all(len(words) == 2 * size for words, size in numbers)


_BOOLEAN, _FLOAT64 = 3, 24
_FLOATS = (types.FLOAT32, _FLOAT64)
#: Octets of numbers, in Data and outside.
_SIZES = {
    **{
        name: types.FIXED[tag][0]
        for name, tag in _TYPES.items()
        if tag in types.FIXED and tag not in (_BOOLEAN, *_FLOATS)
    },
    "invokeidandpriority": 1,
    "longinvokeidandpriority": 4,
    "classid": 2,
    "attributeid": 1,
    "methodid": 1,
    "blocknumber": 4,
    "accessselector": 1,
}


def _size(count: int) -> bytes:
    """A length or a count as A-XDR has it (IEC 61334-6)."""
    if count < 0x80:
        return bytes((count,))
    octets = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def _hex(element: Element) -> bytes:
    digits = "".join(_value(element).split())
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise _CannotWriteError(f"{digits[:20]!r} in <{element.tag}> is no hex") from None


def _sized(octets: bytes) -> bytes:
    return _size(len(octets)) + octets


class _Writer:
    """Writes elements; numbers in them are all hex, or all decimal."""

    def __init__(self, numbers_are_hex: bool) -> None:
        self._base = 16 if numbers_are_hex else 10

    def apdu(self, root: Element) -> bytes:
        """An APDU; raises _CannotWriteError."""
        name = _bare(root.tag)
        if name in _ENVELOPES:
            title, content = (
                self._child(root, "systemtitle"),
                self._child(root, "cipheredservice", "cipheredcontent"),
            )
            return bytes((_ENVELOPES[name],)) + _sized(_hex(title)) + _sized(_hex(content))
        if name.startswith(("glo", "ded")) and name in _TAGS:
            return bytes((_TAGS[name],)) + _sized(_hex(root))
        if name == "datanotification":
            moment = self._optional(root, "datetime")
            return (
                bytes((tags.DATA_NOTIFICATION,))
                + self._number(self._child(root, "longinvokeidandpriority"))
                + _sized(b"" if moment is None else _hex(moment))
                + self._data_in(self._child(root, "notificationbody"))
            )
        if name == "eventnotificationrequest":
            moment = self._optional(root, "time")
            when = b"\0" if moment is None else b"\1" + _sized(_hex(moment))
            value = self._data_in(self._child(root, "attributevalue"))
            return bytes((tags.EVENT_NOTIFICATION,)) + when + self._object(root) + value
        if name == "exceptionresponse":
            state = self._coded(self._child(root, "stateerror"), _STATES)
            return (
                bytes((tags.EXCEPTION_RESPONSE,))
                + state
                + self._coded(self._child(root, "serviceerror"), _ERRORS)
            )
        choice = next((child for child in root if _bare(child.tag) in _CHOICES), None)
        if choice is None:
            inner = next((child.tag for child in root), root.tag)
            raise _CannotWriteError(f"<{inner}> is not written")
        tag, number = _CHOICES[_bare(choice.tag)]
        head = bytes((tag, number)) + self._number(self._child(choice, "invokeidandpriority"))
        return head + self._service(tag, number, choice)

    def _service(self, tag: int, number: int, choice: Element) -> bytes:
        """What follows on the invoke-id of a service."""
        if tag == tags.GET_REQUEST and number == 2:
            return self._number(self._child(choice, "blocknumber"))
        if tag == tags.GET_REQUEST and number == 3:
            return self._listed(self._child(choice, "attributedescriptorlist"), self._selected)
        if tag == tags.GET_REQUEST:
            return self._selected(choice)
        if tag == tags.SET_REQUEST:
            return self._selected(choice) + self._data_in(self._child(choice, "value", "data"))
        if tag == tags.ACTION_REQUEST:
            given = self._optional(choice, "methodinvocationparameters")
            return self._object(choice) + (b"\0" if given is None else b"\1" + self._data_in(given))
        result = self._child(choice, "result")
        if tag == tags.GET_RESPONSE and number == 3:
            return self._listed(result, self._outcome)
        if tag == tags.GET_RESPONSE and number == 2:
            last = self._coded(self._child(result, "lastblock"), _TRUTHS)
            block = self._number(self._child(result, "blocknumber"))
            raw = next((one for one in result.iter() if _bare(one.tag) == "rawdata"), None)
            if raw is None:
                raise _CannotWriteError("a block without <RawData>")
            return last + block + b"\0" + _sized(_hex(raw))
        if tag == tags.GET_RESPONSE:
            return self._outcome(self._only(result))
        code = self._coded(result, _RESULTS if tag == tags.SET_RESPONSE else _ACTION_RESULTS)
        if tag == tags.SET_RESPONSE:
            return code
        returned = self._optional(choice, "returnparameters")
        return code + (b"\0" if returned is None else b"\1" + self._outcome(self._only(returned)))

    def _outcome(self, element: Element) -> bytes:
        """Get-Data-Result: data, or why there is none."""
        if _bare(element.tag) in ("dataaccesserror", "dataaccessresult"):
            return b"\1" + self._coded(element, _RESULTS)
        return b"\0" + (self._data_in(element) if _bare(element.tag) in _AROUND_DATA else self._data(element))

    def _selected(self, element: Element) -> bytes:
        """An attribute with its selection, if there is one."""
        selection = next(
            (one for one in element.iter() if _bare(one.tag) in ("accessselection", "accessselector")), None
        )
        if selection is None or _bare(selection.tag) == "accessselector":
            return self._object(element) + b"\0"
        selector = self._number(self._child(selection, "accessselector"))
        return (
            self._object(element)
            + b"\1"
            + selector
            + self._data_in(self._child(selection, "accessparameters"))
        )

    def _object(self, element: Element) -> bytes:
        """Class, logical name, and number of the attribute or method."""
        described = next((one for one in element.iter() if _bare(one.tag) in _DESCRIPTORS), None)
        if described is None:
            raise _CannotWriteError(f"<{element.tag}> has no descriptor of an attribute or a method")
        name = _hex(self._child(described, "instanceid"))
        if len(name) != 6:
            raise _CannotWriteError(f"<InstanceId> has {len(name)} octets, a logical name 6")
        member = self._child(described, "attributeid", "methodid")
        return self._number(self._child(described, "classid")) + name + self._number(member)

    def _listed(self, element: Element, write: Callable[[Element], bytes]) -> bytes:
        children = list(element)
        return _size(len(children)) + b"".join(map(write, children))

    # Data.

    def _data_in(self, element: Element) -> bytes:
        """The one value in an element, whatever stands around it."""
        inner = self._only(element)
        return self._data_in(inner) if _bare(inner.tag) in _AROUND_DATA else self._data(inner)

    def _data(self, element: Element) -> bytes:
        name = _bare(element.tag)
        tag = _TYPES.get(name)
        if tag is None or tag in (types.COMPACT_ARRAY, types.DONT_CARE):
            raise _CannotWriteError(f"<{element.tag}> is no type that is written")
        head = bytes((tag,))
        if tag == types.NULL:
            return head
        if tag in (types.ARRAY, types.STRUCTURE):
            return head + self._listed(element, self._data)
        if tag == types.BIT_STRING:
            bits = _value(element)
            if set(bits) - {"0", "1"}:
                raise _CannotWriteError(f"<{element.tag}> has other characters than 0 and 1")
            padded = bits + "0" * (-len(bits) % 8)
            octets = bytes(int(padded[at : at + 8], 2) for at in range(0, len(padded), 8))
            return head + _size(len(bits)) + octets
        if tag in (types.VISIBLE_STRING, types.UTF8_STRING):
            return head + _sized(_value(element).encode())
        if tag == types.OCTET_STRING:
            return head + _sized(_hex(element))
        if tag in types.FORMS or tag in _FLOATS:
            octets, size = _hex(element), types.FORMS[tag].size if tag in types.FORMS else types.FIXED[tag][0]
            if len(octets) != size:
                raise _CannotWriteError(f"<{element.tag}> has {len(octets)} octets, not {size}")
            return head + octets
        if tag == _BOOLEAN:
            return head + self._coded(element, _TRUTHS)
        return head + self._number(element)

    # Values.

    def _number(self, element: Element) -> bytes:
        words = _value(element)
        size = _SIZES[_bare(element.tag)]
        try:
            number = int(words, self._base)
            return number.to_bytes(size, "big", signed=number < 0)
        except (ValueError, OverflowError):
            raise _CannotWriteError(
                f"{words[:20]!r} in <{element.tag}> is no number of {size} octets"
            ) from None

    def _coded(self, element: Element, names: Mapping[str, int]) -> bytes:
        """The octet of a word, or of a number in place of it."""
        words = _value(element)
        code = names.get(_bare(words))
        if code is None:
            try:
                code = int(words, 16)
            except ValueError:
                code = 256
        if not 0 <= code < 256:
            raise _CannotWriteError(f"{words[:20]!r} in <{element.tag}> is not defined")
        return bytes((code,))

    # Elements.

    def _child(self, element: Element, *names: str) -> Element:
        found = self._optional(element, *names)
        if found is None:
            raise _CannotWriteError(f"<{element.tag}> has no <{names[0]}>")
        return found

    def _optional(self, element: Element, *names: str) -> Element | None:
        return next((child for child in element if _bare(child.tag) in names), None)

    def _only(self, element: Element) -> Element:
        if len(element) != 1:
            raise _CannotWriteError(f"<{element.tag}> has {len(element)} elements, not one")
        return element[0]


_TRUTHS = MappingProxyType({"true": 1, "false": 0, "1": 1, "0": 0, "00": 0, "01": 1})
_AROUND_DATA = ("data", "datavalue")
_DESCRIPTORS = (
    "attributedescriptor",
    "methoddescriptor",
    "cosemattributedescriptor",
    "cosemmethoddescriptor",
)
