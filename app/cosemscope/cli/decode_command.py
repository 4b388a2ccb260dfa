"""`decode`: the tree of fields of octets given as hex, opened with the keys of `--keys`."""

import argparse
import sys

from cosemscope.analysis.associations.pasted import decode_pasted
from cosemscope.apdu.hex_input import HexError, parse_octets
from cosemscope.cli.capture_arguments import CommandError, add_keys_argument, load_keys
from cosemscope.cli.tree_lines import print_decoded

DESCRIPTION = (
    "Decode octets given in hex: a WPDU, an APDU or an HDLC frame. Spaces, colons, 0x, line "
    "breaks and the offsets and characters of a hex dump may stand in it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `decode`."""
    parser.add_argument("hex", nargs="+", metavar="HEX", help="the octets; - reads them from standard input")
    parser.add_argument("--json", action="store_true", help="the tree as JSON")
    add_keys_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decode and print; 0 also when the octets break somewhere, 1 when what was given is no hex."""
    words = " ".join(arguments.hex)
    try:
        keys = load_keys(arguments)
        octets = parse_octets(sys.stdin.read() if words.strip() == "-" else words)
    except (HexError, CommandError) as error:
        print(f"cosemscope decode: {error}", file=sys.stderr)
        return 1
    print_decoded(*decode_pasted(octets, keys), as_json=arguments.json)
    return 0
