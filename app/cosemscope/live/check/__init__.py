"""Transport check: a list of tests of IEC 62056-4-7 against a server, each pass, fail or not decidable."""

from cosemscope.live.check.bench import Check, CheckOptions, CheckVerdict, Finding
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.runner import CheckResult, Report, run_checks, settle_address

__all__ = [
    "CHECKS",
    "Check",
    "CheckOptions",
    "CheckResult",
    "CheckVerdict",
    "Finding",
    "Report",
    "run_checks",
    "settle_address",
]
