"""A target of fuzzing: what takes octets, octets to begin with, and how much work each input may cost."""

import cProfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Something that reads octets of others, and how it is told that it read them wrongly: by an exception.

    The work that an input may cost is `calls` and, for each of its octets, `calls_an_octet`. Calls of
    functions are counted, Python's and C's, which nothing else on the machine changes.
    """

    name: str
    take: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    calls: int
    calls_an_octet: int
    longest: int = 4096
    """Octets of the longest input."""

    def begin(self) -> Sequence[bytes]:
        """The octets to begin with, each taken once: what is made at first use is no work of an input."""
        seeds = self.seeds()
        for octets in seeds:
            self.take(octets)
        return seeds

    def run(self, octets: bytes) -> int:
        """Take an input and see what it costs, in calls; raises what `take` raises, and AssertionError."""
        profile = cProfile.Profile()
        profile.runcall(self.take, octets)
        calls: int = sum(entry.callcount for entry in profile.getstats())
        most = self.calls + self.calls_an_octet * len(octets)
        assert calls <= most, f"{calls} calls for {len(octets)} octets, {most} are allowed"
        return calls
