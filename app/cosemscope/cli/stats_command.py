"""`stats`: counts of a capture, as text for people or one JSON object for scripts."""

import argparse
import json

from cosemscope.analysis.annotations import dropped_of
from cosemscope.analysis.engine import Analysis
from cosemscope.cli.capture_arguments import add_capture_arguments, with_analysis

DESCRIPTION = "Print counts of a capture."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `stats`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope stats`; returns the exit status."""
    return with_analysis(arguments, _stats)


def _stats(analysis: Analysis, arguments: argparse.Namespace) -> int:
    counts = analysis.run().statistics()
    dropped = dropped_of(analysis.reader)
    if dropped is not None:
        counts = {**counts, "dropped_packets": dropped}
    if arguments.json:
        print(json.dumps(counts))
        return 0
    for name, value in counts.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            print(f"{label}:")
            for key, count in value.items():
                print(f"  {key:<32}{count:>14,}")
        else:
            print(f"{label:<34}{value:>14,}")
    return 0
