"""The facts in the XML that both oracles write (Gurux's translator's dialect): kind -> values in order.

Standard library only: it runs in the oracles' environment. Comments, nesting and the names of services differ
between the two and are left out; what an APDU says is in the values.
"""

import xml.etree.ElementTree as ElementTree

#: Elements whose value is one number in hex, and the kind of fact that it is.
_NUMBERS = {
    "InvokeIdAndPriority": "invoke-id",
    "LongInvokeIdAndPriority": "invoke-id",
    "ClassId": "class-id",
    "AttributeId": "member",
    "MethodId": "member",
    "BlockNumber": "block-number",
    "LastBlock": "last-block",
    "VariableName": "variable-name",
    "Selector": "selector",
    "ProposedDlmsVersionNumber": "version",
    "NegotiatedDlmsVersionNumber": "version",
    "ProposedMaxPduSize": "pdu-size",
    "NegotiatedMaxPduSize": "pdu-size",
    "AssociationResult": "association-result",
    "ACSEServiceUser": "diagnostic",
    "ACSEServiceProvider": "diagnostic",
}
#: Elements whose value is octets in hex.
_OCTETS = {
    "InstanceId": "instance",
    "RawData": "raw-data",
    "DedicatedKey": "dedicated-key",
    "CallingAPTitle": "title",
    "RespondingAPTitle": "title",
    "CallingAuthentication": "challenge",
    "RespondingAuthentication": "challenge",
}
_RESULTS = ("Result", "DataAccessError")
#: What stands in lists where nothing is wrong.
_SUCCESS = ("Ok", "Success")
_TYPES = {
    "None": "null-data",
    "Boolean": "boolean",
    "BitString": "bit-string",
    "Int32": "double-long",
    "UInt32": "double-long-unsigned",
    "OctetString": "octet-string",
    "String": "visible-string",
    "StringUTF8": "utf8-string",
    "Int8": "integer",
    "Int16": "long",
    "UInt8": "unsigned",
    "UInt16": "long-unsigned",
    "Int64": "long64",
    "UInt64": "long64-unsigned",
    "Enum": "enum",
    "Float32": "float32",
    "Float64": "float64",
    "Array": "array",
    "Structure": "structure",
}


def facts(xml: str) -> dict[str, list[list[str]]]:
    """What the XML of one APDU says. Raises ElementTree.ParseError for what is no XML."""
    found: dict[str, list[list[str]]] = {}
    pending = [ElementTree.fromstring(xml)]
    while pending:
        element = pending.pop()
        fact = _fact(element)
        if fact is not None:
            found.setdefault(fact[0], []).append(fact[1])
        if element.tag != "CompactArray":  # its inside is text, in another form in each oracle
            pending.extend(reversed(element))
    return found


def _fact(element: "ElementTree.Element") -> "tuple[str, list[str]] | None":
    name, value = str(element.tag), element.get("Value")
    if name == "CompactArray":
        return "data", ["compact-array", ""]
    if name in _SUCCESS:
        return "result", ["Success"]
    if name in _TYPES:
        kind = _TYPES[name]
        if kind in ("array", "structure"):
            return "data", [kind, str(int(element.get("Qty", "0"), 16))]
        text = value or ""
        return "data", [kind, text.lower() if kind not in ("visible-string", "utf8-string") else text]
    if value is None:
        return None
    if name in _NUMBERS:
        return _NUMBERS[name], [str(int(value, 16))]
    if name in _OCTETS:
        return _OCTETS[name], [value.lower()]
    return ("result", [value]) if name in _RESULTS else None
