"""`decode` and `show`: the tree of fields that the window shows, as text or as JSON.

`decode` takes octets given as hex, `show` a WPDU of a capture by the number that `list` gives it.
"""

import argparse
import json
import sys
from typing import Any


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `decode` and `show` to the parser."""
    decode = commands.add_parser(
        "decode",
        help="decode a WPDU, an APDU or an HDLC frame given in hex",
        description="Decode octets given in hex: a WPDU, an APDU or an HDLC frame. Spaces, colons, 0x, line "
        "breaks and the offsets and characters of a hex dump may stand in it.",
    )
    decode.add_argument("hex", nargs="+", metavar="HEX", help="the octets; - reads them from standard input")
    decode.add_argument("--json", action="store_true", help="the tree as JSON")
    decode.set_defaults(run=run_decode)
    show = commands.add_parser(
        "show",
        help="decode one WPDU of a capture",
        description="Print the fields of one WPDU of a capture, with their octets' offsets.",
    )
    show.add_argument("file", metavar="FILE", help="a pcap or pcapng file")
    show.add_argument("number", type=int, metavar="NUMBER", help="the WPDU's number, as list gives it")
    show.add_argument("--json", action="store_true", help="the tree as JSON")
    show.add_argument(
        "--decode-as",
        action="append",
        default=[],
        metavar="WHERE=WHAT",
        help="set what is otherwise recognised, as for list",
    )
    show.set_defaults(run=run_show)


def run_decode(arguments: argparse.Namespace) -> int:
    """Decode and print; 0 also when the octets break somewhere, 1 when what was given is no hex."""
    from cosemscope.apdu.hex_input import HexError, parse_octets
    from cosemscope.apdu.layers import decode_octets

    words = " ".join(arguments.hex)
    try:
        octets = parse_octets(sys.stdin.read() if words.strip() == "-" else words)
    except HexError as error:
        print(f"cosemscope decode: {error}", file=sys.stderr)
        return 1
    print_decoded(decode_octets(octets), as_json=arguments.json)
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Decode one WPDU of a capture and print it; 1 when there is no such capture or no such WPDU."""
    from cosemscope.analysis.decode_as import parse_decode_as
    from cosemscope.analysis.engine import Analysis
    from cosemscope.apdu.layers import decode_octets
    from cosemscope.capture.reader import open_capture
    from cosemscope.capture.records import CaptureError

    try:
        decode_as = parse_decode_as(arguments.decode_as)
    except ValueError as error:
        print(f"cosemscope show: --decode-as {error}", file=sys.stderr)
        return 2
    try:
        with open_capture(arguments.file) as reader:
            analysis = Analysis(reader, decode_as).run()
            count, row = len(analysis.wpdus), arguments.number - 1
            if not 0 <= row < count:
                print(
                    f"cosemscope show: {arguments.file} has {count} WPDUs, none is number {arguments.number}",
                    file=sys.stderr,
                )
                return 1
            octets = analysis.octets(row)
    except CaptureError as error:
        print(f"cosemscope show: {error}", file=sys.stderr)
        return 1
    print_decoded(decode_octets(octets), as_json=arguments.json)
    return 0


def print_decoded(decoded: Any, *, as_json: bool) -> None:
    """Print a tree as text, its info line first, or as JSON."""
    from cosemscope.apdu.plain import plain_tree, text_lines
    from cosemscope.apdu.summary import summarise

    if as_json:
        print(json.dumps({"info": summarise(decoded), **plain_tree(decoded)}, ensure_ascii=False, indent=2))
        return
    print(summarise(decoded))
    print()
    for line in text_lines(decoded):
        print(line)
