"""`decode` and `show`: the tree of fields that the window shows, as text or as JSON.

`decode` takes octets given as hex, `show` a WPDU of a capture by the number that `list` gives it, with what
is known of its association: titles, requests, blocks, scalers. Both open what the keys of `--keys` open.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cosemscope.analysis.annotations import Comment
    from cosemscope.analysis.associations.association import Look
    from cosemscope.analysis.engine import Analysis
    from cosemscope.apdu.fields import Decoded


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `decode` and `show` to the parser."""
    decode = commands.add_parser(
        "decode",
        help="decode a WPDU, an APDU or an HDLC frame given in hex",
        description="Decode octets given in hex: a WPDU, an APDU or an HDLC frame. Spaces, colons, 0x, line "
        "breaks and the offsets and characters of a hex dump may stand in it.",
    )
    decode.add_argument("hex", nargs="+", metavar="HEX", help="the octets; - reads them from standard input")
    show = commands.add_parser(
        "show",
        help="decode one WPDU of a capture",
        description="Print the fields of one WPDU of a capture, with their octets' offsets.",
    )
    add_capture_arguments(show)
    show.add_argument("number", type=int, metavar="NUMBER", help="the WPDU's number, as list gives it")
    for parser, run in ((decode, run_decode), (show, run_show)):
        parser.add_argument("--json", action="store_true", help="the tree as JSON")
        add_keys_argument(parser)
        parser.set_defaults(run=run)


def run_decode(arguments: argparse.Namespace) -> int:
    """Decode and print; 0 also when the octets break somewhere, 1 when what was given is no hex."""
    from cosemscope.analysis.associations.pasted import decode_pasted
    from cosemscope.apdu.hex_input import HexError, parse_octets

    words = " ".join(arguments.hex)
    try:
        keys = load_keys(arguments)
        octets = parse_octets(sys.stdin.read() if words.strip() == "-" else words)
    except (HexError, CommandError) as error:
        print(f"cosemscope decode: {error}", file=sys.stderr)
        return 1
    print_decoded(*decode_pasted(octets, keys), as_json=arguments.json)
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Decode one WPDU of a capture and print it; 1 when there is no such capture or no such WPDU."""
    return with_analysis(arguments, _show)


def _show(analysis: "Analysis", arguments: argparse.Namespace) -> int:
    from cosemscope.analysis.annotations import comments_of
    from cosemscope.analysis.associations.looks import Associations

    keys = load_keys(arguments)
    analysis.run()
    count, row = len(analysis.wpdus), arguments.number - 1
    if not 0 <= row < count:
        print(
            f"cosemscope show: {arguments.file} has {count} WPDUs, none is number {arguments.number}",
            file=sys.stderr,
        )
        return 1
    associations = Associations(analysis, keys)
    look = associations.look_in_order(row)
    decoded = associations.decode(row, look)
    print_decoded(decoded, look, comments_of(analysis, row), as_json=arguments.json)
    return 0


def print_decoded(
    decoded: "Decoded", look: "Look", comments: "Sequence[Comment]" = (), *, as_json: bool
) -> None:
    """Print a tree as text, its info line, comments and what is protected first, or as JSON."""
    from cosemscope.analysis.annotations import plain_lines
    from cosemscope.apdu.names.tags import apdu_name
    from cosemscope.apdu.plain import plain_tree, text_lines
    from cosemscope.apdu.summary import summarise

    info = summarise(decoded, look.context)
    security, inner = look.verdict.value, apdu_name(look.inner) if look.inner >= 0 else None
    if as_json:
        remarks = [{"packet": number, "comment": text} for number, text in comments]
        known = {"info": info, "security": security, "inner": inner, "comments": remarks}
        print(json.dumps({**known, **plain_tree(decoded)}, ensure_ascii=False, indent=2))
        return
    print(info)
    if look.opened is not None:
        print(f"security: {security}{f', {inner}' if inner else ''}")
    for number, text in comments:
        print(f"comment on packet {number}: {plain_lines(text)}")
    print()
    for line in text_lines(decoded):
        print(line)
