"""What a filter is asked about: the capture, who knows its associations, who may cancel, who is told."""

from collections.abc import Callable
from typing import NamedTuple

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.cancelling import Look

Progress = Callable[[int, int], None]


class Asked(NamedTuple):
    """What a filter is asked about: a capture, who knows its associations, who may cancel, who is told."""

    analysis: Analysis
    associations: Associations
    look: Look
    progress: Progress
