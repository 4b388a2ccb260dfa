"""How much of troubled TCP streams is told right: `python3 tests/benchmarks/stream_rates.py [SEEDS]`.

Each trouble of `stream_troubles` is met by conversations numbered in each of twelve ways; a line for each
trouble tells the WPDUs found, those that were invented, and the fillers of gaps told right. Exit status 1: a
WPDU was lost or invented, or fewer than 98 % of the fillers are right.
"""

import sys
import tempfile
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: The least share of fillers that are to be told right.
BAR = 0.98


def main() -> int:
    """Print the rates."""
    equip()
    from tests.helpers.stream_troubles import FILLED, TROUBLES
    from tests.helpers.stream_truth import Rates, analyse, rates, troubled
    from tests.helpers.troubled_wire import NUMBERINGS

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    fillers = right = lost = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "troubled.pcap"
        for trouble in TROUBLES:
            results: list[Rates] = []
            wrong = []
            for numbering in NUMBERINGS:
                truth = troubled(path, trouble, numbering, range(count))
                one = rates(analyse(path), truth)
                results.append(one)
                if one.told != one.true or one.found < one.wpdus or one.invented:
                    wrong.append(f"{numbering.name} {one.right}/{one.fillers} {one.told} for {one.true}")
            found, true = sum(one.found for one in results), sum(one.wpdus for one in results)
            lost += true - found + sum(one.invented for one in results)
            some, good = sum(one.fillers for one in results), sum(one.right for one in results)
            if trouble in FILLED:
                fillers, right = fillers + some, right + good
            print(f"{trouble}: WPDUs {found} / {true}, invented {sum(one.invented for one in results)}, "
                  f"fillers {good} / {some}; " + "; ".join(wrong[:4]))  # fmt: skip
    print(f"fillers right: {right} / {fillers} = {right / fillers:.1%}; WPDUs lost or invented: {lost}")
    return int(lost > 0 or right < BAR * fillers)


if __name__ == "__main__":
    sys.exit(main())
