"""`decode`: the trees of fields of octets that are pasted or piped, opened with the keys of `--keys`."""

import argparse
import json
import sys
import time
from pathlib import Path

from cosemscope.analysis.pasted.messages import messages_of
from cosemscope.analysis.pasted.pasted_capture import can_be_captured, message_times, write_messages
from cosemscope.analysis.pasted.pasted_page import pasted_page
from cosemscope.analysis.pasted.pasted_trees import NO_CONVERSATION, PastedTree, decode_each, decode_pasted
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.pieces import HexError, Pasted
from cosemscope.apdu.summary import summarise
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.cli.capture_arguments import CommandError, add_keys_argument, load_keys
from cosemscope.cli.page_file import add_html_argument, write_page
from cosemscope.cli.tree_lines import print_decoded, tree_object

DESCRIPTION = (
    "Decode octets: WPDUs, APDUs, HDLC frames or whole packets. They may stand in hex among spaces, colons, "
    "0x, time stamps, labels, addresses and headings of a log, in hex dumps of Wireshark, tcpdump, xxd or "
    "netty, in CSV or JSON, in literals of Python and C, as decimal numbers or base64; what is left out is "
    "said. Several messages are one conversation."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `decode`."""
    parser.add_argument("hex", nargs="+", metavar="HEX", help="the octets; - reads them from standard input")
    parser.add_argument(
        "--json",
        action="store_true",
        help="the tree as JSON; of several messages an object with the list `messages`",
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="keep the messages in this pcapng file, too, with the times that a log tells",
    )
    add_html_argument(parser)
    add_keys_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decode and print; 0 also when the octets break somewhere, 1 when what was given is no hex."""
    words = " ".join(arguments.hex)
    try:
        keys = load_keys(arguments)
        pasted = read_pasted(sys.stdin.read() if words.strip() == "-" else words)
        if arguments.write is not None:
            now, messages = time.time_ns(), messages_of(pasted)
            if not can_be_captured(messages):
                raise CommandError("nothing here is a message that a capture can hold")
            write_messages(arguments.write, messages, now)
            print(f"cosemscope decode: {message_times(messages, now)[1]}", file=sys.stderr)
    except (HexError, CommandError, SpoolError) as error:
        print(f"cosemscope decode: {error}", file=sys.stderr)
        return 1
    try:
        trees = decode_pasted(pasted, keys)
    except (SpoolError, OSError) as error:
        print(f"cosemscope decode: {NO_CONVERSATION}: {error}", file=sys.stderr)
        trees = decode_each(messages_of(pasted), keys)
    if arguments.html is not None:
        return _write_page(arguments.html, trees, pasted)
    if len(trees) == 1:
        print_decoded(trees[0].decoded, trees[0].look, as_json=arguments.json)
    elif arguments.json:
        print(json.dumps(_as_object(trees, pasted), ensure_ascii=False, indent=2))
    else:
        _print_messages(trees)
    if pasted.remark:
        sys.stdout.flush()
        print(f"cosemscope decode: {pasted.remark}", file=sys.stderr)
    return 0


def _write_page(path: Path, trees: list[PastedTree], pasted: Pasted) -> int:
    """Write the trees as an HTML page; 1 where it cannot be written."""
    try:
        write_page(path, pasted_page(trees, pasted))
    except CommandError as error:
        print(f"cosemscope decode: {error}", file=sys.stderr)
        return 1
    return 0


def _as_object(trees: list[PastedTree], pasted: Pasted) -> dict[str, object]:
    """Several messages for scripts: each with its number, sender and tree; and how the text was read."""
    messages = []
    for number, tree in enumerate(trees, 1):
        about = {"number": number, "sender": tree.sender.value, "time": tree.time or None}
        messages.append(about | tree_object(tree.decoded, tree.look))
    return {"messages": messages, "left_out": pasted.left_out, "notes": list(pasted.notes)}


def _print_messages(trees: list[PastedTree]) -> None:
    """A line a message, then each with its tree."""
    for number, tree in enumerate(trees, 1):
        time = f"{tree.time}  " if tree.time else ""
        print(f"{number:>4}  {time}{tree.sender.value:<6}  {summarise(tree.decoded, tree.look.context)}")
    for number, tree in enumerate(trees, 1):
        print(f"\n-- {number}, from the {tree.sender.value}")
        print_decoded(tree.decoded, tree.look, as_json=False)
