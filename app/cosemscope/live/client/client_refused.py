"""What a meter's client raises: one sentence, the refusal behind it, and what was answered before."""

from cosemscope.application.client.refusals import Refusal, at_client
from cosemscope.application.client.service_operations import PartResult


class MeterError(Exception):
    """Something that a meter was asked for was not done; `str` is a sentence that says what to try.

    `refusal` says who refused, with the code of the standard; `results` are the parts of a request that were
    answered before. What happens to the connection itself is a `LinkError` while it is being opened.
    """

    def __init__(self, refusal: Refusal | str, results: tuple[PartResult, ...] = ()) -> None:
        self.refusal = at_client(refusal) if isinstance(refusal, str) else refusal
        self.results = results
        super().__init__(str(self.refusal))


class UnknownObjectError(MeterError):
    """A name or a logical name that means no object of this meter, or more than one."""
