"""`cosemscope decode`: octets given as hex, shown as the tree of fields that the window shows."""

import argparse
import json
import sys
from typing import Any


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `decode` to the parser."""
    decode = commands.add_parser(
        "decode",
        help="decode a WPDU, an APDU or an HDLC frame given in hex",
        description="Decode octets given in hex: a WPDU, an APDU or an HDLC frame. Spaces, colons, 0x, line "
        "breaks and the offsets and characters of a hex dump may stand in it.",
    )
    decode.add_argument("hex", nargs="+", metavar="HEX", help="the octets; - reads them from standard input")
    decode.add_argument("--json", action="store_true", help="the tree as JSON")
    decode.set_defaults(run=run_decode)


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
