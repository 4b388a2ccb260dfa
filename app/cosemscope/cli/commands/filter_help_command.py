"""`filter-help`: the language of display filters with examples, or what fits one field."""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import RowField, UnknownFieldError
from cosemscope.analysis.filter.filter_help import TOPICS, field_help, language_help, operators
from cosemscope.analysis.filter.language.filter_names import ALIASES
from cosemscope.analysis.filter.language.value_kinds import kind_of

DESCRIPTION = (
    "Print how display filters are written, with examples; with FIELD what one field is compared with. "
    "--filter of the commands that read captures and the window's filter bar take them."
)
_WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `filter-help`."""
    parser.add_argument("field", nargs="?", metavar="FIELD", help="the name of a field, or a spelling of it")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, a topic or a field a line")
    form.add_argument("--markdown", action="store_true", help="the language in Markdown")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope filter-help`; returns the exit status."""
    if arguments.field is None:
        form = _topics if arguments.json else markdown if arguments.markdown else _text
        print("\n".join(form()))
        return 0
    name = arguments.field.lower()
    try:
        field = FIELDS.named(ALIASES.get(name, name))
    except UnknownFieldError as error:
        print(f"cosemscope: {error}.", file=sys.stderr)
        return 1
    print("\n".join([_field(field)] if arguments.json else _wrapped(field_help(field))))
    return 0


def _text() -> Iterator[str]:
    return _wrapped(language_help())


def _topics() -> Iterator[str]:
    for topic in TOPICS:
        examples = [{"filter": example, "leaves": meaning} for example, meaning in topic.examples]
        yield json.dumps({"topic": topic.title, "text": topic.text, "examples": examples}, ensure_ascii=False)


def _field(field: RowField) -> str:
    told = {"name": field.name, "type": field.type.word, "several": field.several, "meaning": field.meaning}
    told |= {"operators": operators(kind_of(field)), "help": list(field_help(field))}
    return json.dumps(told, ensure_ascii=False)


def _wrapped(paragraphs: Iterator[str]) -> Iterator[str]:
    """Lines of paragraphs; examples stay as they are, titles have a blank line before them."""
    titles = {topic.title for topic in TOPICS}
    begun = False
    for paragraph in paragraphs:
        if paragraph in titles and begun:
            yield ""
        begun = True
        yield from [paragraph] if paragraph.startswith(" ") else textwrap.wrap(paragraph, _WIDTH)


def markdown() -> Iterator[str]:
    """The language in Markdown: a table of examples with the topics between."""
    yield "| Filter | Leaves |"
    yield "| --- | --- |"
    for topic in TOPICS:
        yield f"| **{topic.title}** | {_cell(topic.text)} |"
        for example, meaning in topic.examples:
            yield f"| `{_cell(example)}` | {meaning} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
