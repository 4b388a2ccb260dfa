"""The help on filters: the language in topics with examples that all run, and what fits each field."""

from collections.abc import Iterator
from typing import NamedTuple

from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.filter.language.filter_names import ALIASES
from cosemscope.analysis.filter.language.filter_words import quoted, words_of
from cosemscope.analysis.filter.language.value_kinds import (
    NUMERIC,
    ORDERED,
    SEARCHED,
    FilterKind,
    kind_of,
)


class Topic(NamedTuple):
    """A part of the language: what it is, and filters with what they leave."""

    title: str
    text: str
    examples: tuple[tuple[str, str], ...]


TOPICS = (
    Topic(
        "Comparing",
        "A field, an operator, a value: == != < <= > >= or eq ne lt le gt ge. Names and words in any "
        "case. An empty filter leaves everything. Several comparisons may stand in a row.",
        (
            ("wport == 16", "from or to wPort 16: fields that both sides have mean either"),
            ("wport.src == 16", "from wPort 16"),
            ("wpdu.length > 0x400", "numbers, decimal or hexadecimal"),
            ("1 < wport.src <= 16", "both comparisons"),
            ("wport.src == wport.dst", "two fields"),
        ),
    ),
    Topic(
        "Joining",
        "&& or and, || or or, ^^ or xor, ! or not, and brackets; && binds closer than ||.",
        (
            ("exchange.status == unanswered || exchange.status == error", "one of them"),
            ("wport == 16 and not (apdu == get-request or apdu == get-response)", "brackets"),
        ),
    ),
    Topic(
        "Existence",
        "A field by itself leaves WPDUs that have a value of it; a flag those where it is set.",
        (
            ("result", "there is a result"),
            ("!exchange.result", "there is none"),
            ("wpdu.truncated", "octets are missing"),
        ),
    ),
    Topic(
        "Several values",
        "Some fields have several values, such as those of both sides. == < > and the others leave "
        "WPDUs of which any value compares so. != leaves WPDUs that have values, none of which is "
        "equal, as in Wireshark; !(field == value) leaves those without a value too. any and all before "
        "a field say which is meant; === (all are equal) and !== (one is not) are short for them.",
        (
            ("ip.addr != 10.1.0.7", "neither from nor to this address"),
            ("any wport != 1", "one side at least has another wPort"),
            ("all wport == 1", "both have wPort 1"),
            ("count(wpdu.packets) > 1", "in more than one packet"),
        ),
    ),
    Topic(
        "Sets",
        "Values and ranges in braces.",
        (
            ("wport in {1, 16, 64..70}", "one of these wPorts"),
            ("response_time in {1s..5s}", "from 1 to 5 seconds"),
            ("apdu not in {get-request, get-response}", "neither of them"),
        ),
    ),
    Topic(
        "Text",
        "contains looks for a part, letter by letter; matches (or ~) for a regular expression, in any "
        "case. Expressions are RE2's, which take linear time: no look-around, no back-references. In "
        'quotes a backslash escapes; in r"..." it is itself.',
        (
            ('info contains "clock"', "a part of the info line"),
            ('info matches "^(get|set) response"', "a regular expression"),
            (r'info ~ r"value = \d{3,}"', "the same without escapes"),
            ('lower(info) contains "active energy"', "in any case"),
        ),
    ),
    Topic(
        "Words",
        "What has a name is compared with it, with hyphens for blanks or in quotes.",
        (
            ("apdu == get-request", "the APDU"),
            ("class == profile-generic", "a class by its name, or class == 7"),
            ("result == object-undefined", "the standard's word"),
            ("direction == to-initiator", "a word with a blank"),
            ("expert.severity >= warning", "words of an order"),
            ("expert.item == hole", "see `cosemscope expert-kinds`"),
        ),
    ),
    Topic(
        "OBIS codes",
        "Six groups, * for any; or with signs, where E and F may be left out; or as octets in hex.",
        (
            ("obis == 1.0.1.8.0.255", "this object"),
            ("obis == 1.0.*.8.0.255", "any quantity's total"),
            ("obis == 1-0:1.8.0*255", "with signs"),
            ("obis == 1-0:1.8", "all tariffs"),
            ("obis == 1.8.0", "C, D and E, as displays have them"),
            ("obis == 0100010800FF", "in octets, also with colons"),
        ),
    ),
    Topic(
        "Addresses",
        "IPv4, IPv6, networks; source, destination, client and server also with a port.",
        (
            ("ip.addr == 10.1.0.0/16", "a network"),
            ("ip.src == fe80::1", "an IPv6 address"),
            ("server == 198.51.100.21:4059", "address and port"),
        ),
    ),
    Topic(
        "Times",
        "Durations have a unit: ns us ms s min h d; a number by itself is seconds. Times are local "
        "unless they have Z or an offset. response_time stands on the first answer, "
        "exchange.response_time on all WPDUs of the exchange.",
        (
            ("response_time > 500ms", "slow answers"),
            ("exchange.response_time > 0.5", "all WPDUs of slow exchanges"),
            ('frame.time >= "2026-11-02 08:00"', "from then on, local time"),
            ("frame.time < 2026-11-02T08:00:00Z", "before then, UTC"),
            ('wpdu.time - "2026-11-02 08:00" > 90min', "counted with"),
        ),
    ),
    Topic(
        "Octets",
        "Hex with colons or without, 0x, or text in quotes. Slices: [first:length], [first-last], "
        "[first:], [:length], [number], several with commas; numbers below 0 count from the end.",
        (
            ("wpdu.octets[8:2] == c0:01", "the APDU begins so"),
            ("wpdu.octets[8] == 0xc0", "one octet"),
            ("wpdu.octets[-2:] == 00:00", "the last two"),
            ('wpdu.octets contains "CSP"', "text in octets"),
            ("title == 4353500000000001", "a system title, also as CSP0000000001"),
        ),
    ),
    Topic(
        "Counting",
        "+ - * / % and & between numbers and times, and the functions len, lower, upper, abs, min, max "
        "and count.",
        (
            ("wpdu.length + 8 != wpdu.size", "sizes that disagree"),
            ("tcp.flags & 0x01", "a bit is set"),
            ("max(wport.src, wport.dst) > 100", "the greater one"),
            ("exchange.total_time > 2 * exchange.response_time", "times"),
            ("len(wpdu.octets) % 2 == 1", "an odd number of octets"),
        ),
    ),
    Topic(
        "Fields of the decoded tree",
        "The name of an APDU, a dot, and the name of a field anywhere below it, with others between "
        "where that is needed; tree begins a path in any APDU. Hyphens stand for all that is no letter. "
        "A field is compared by its number, its octets, or its text. field is the name of any field, "
        "text the text of any. Only WPDUs that the rest of the filter leaves are decoded.",
        (
            ("aarq.mechanism-name", "there is one"),
            ('aarq.mechanism-name == "LLS (1)"', "by its text"),
            ("aare.negotiated-conformance.value contains action", "below another field"),
            ("tree.client-max-receive-pdu-size < 512", "in any APDU"),
            ('field == "clock-status"', "a field has this name"),
            ('text contains "CSP"', "a text anywhere in it"),
            ("value > 230 && unit == V", "the value that is told, scaled, and its unit"),
        ),
    ),
)

_COSTS = {
    Cost.TREE: "WPDUs that the rest of the filter leaves are looked at one by one",
    Cost.TREES: "all APDUs are decoded once",
    Cost.WHOLE: "all WPDUs are walked once",
    Cost.LOOK: "all WPDUs are walked once",
}


def language_help() -> Iterator[str]:
    """The paragraphs of the help on the language: titles, texts, and examples that begin with blanks."""
    for topic in TOPICS:
        yield topic.title
        yield topic.text
        width = max(len(example) for example, _ in topic.examples)
        for example, meaning in topic.examples:
            yield f"  {example:<{width}}  {meaning}"


def field_help(field: RowField) -> Iterator[str]:
    """The paragraphs of the help on one field: meaning, what it is compared with, spellings, words, cost."""
    kind = kind_of(field)
    yield f"{field.name} ({field.type.word}): {field.title}"
    yield f"{field.meaning}."
    words = words_of(field)
    if kind in (FilterKind.WORD, FilterKind.RANK):
        yield f"It is compared with words: {_words(field)}." if words else "It is compared with words."
    else:
        named = f", or a name: {words.examples()}, ..." if words else ""
        yield f"It is compared with {kind.value}{named}."
    yield f"Operators: {' '.join(operators(kind))}"
    if field.several:
        yield "It has several values: any of them may compare so; all before it asks for all."
    spellings = [alias for alias, name in ALIASES.items() if name == field.name]
    if spellings:
        yield f"Other spellings: {', '.join(spellings)}."
    if field.cost in _COSTS:
        yield f"Cost: {_COSTS[field.cost]}."


def operators(kind: FilterKind) -> list[str]:
    """The operators that a kind of values has."""
    found = ["==", "!=", "in"]
    if kind in ORDERED:
        found += ["<", "<=", ">", ">="]
    if kind in SEARCHED:
        found += ["contains", "matches"]
    return found + (["+", "-", "*", "/", "%"] if kind in NUMERIC else [])


def _words(field: RowField) -> str:
    words = words_of(field)
    return ", ".join(map(quoted, words.shown.values())) if words is not None else ""
