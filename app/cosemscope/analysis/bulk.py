"""One pass over all rows, in order, that completes what only associations know: keys, blocks, scalers.

    complete(associations, cancelled=stopped.is_set, told=lambda done, total: ...)

Afterwards the first-look columns say what stands in ciphered and joined APDUs, values have the scalers that
any connection told before them, and a look at any row is quick. It may be run again whenever there are more
rows or other keys: what is done is not done again. While it runs, looks from other threads go first.
"""

from collections.abc import Callable

from cosemscope.analysis.associations.looks import Associations

#: Rows between two questions whether to go on: some milliseconds where they are ciphered.
_AT_ONCE = 256


def complete(
    associations: Associations,
    stop: int | None = None,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> bool:
    """Take all rows, or those before `stop`, that were not taken yet; False when `cancelled` said so.

    What was paired before, when less was seen, is paired again. `told` is called with the rows that are done
    and their number, every 256 rows. For the thread that steps.
    """
    before = associations.passed
    while not cancelled():
        total = len(associations.analysis.first_look) if stop is None else stop
        if associations.passed >= total:
            if before < len(associations.analysis.exchanges.of):
                associations.analysis.pair_anew()
            return True
        associations.go_on(min(_AT_ONCE, total - associations.passed))
        told(min(associations.passed, total), total)
    return False
