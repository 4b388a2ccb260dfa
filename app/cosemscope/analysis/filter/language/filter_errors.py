"""An error in the text of a filter says what is wrong, what would fit, and in which columns it stands."""

from cosemscope.wording import printable


class FilterError(ValueError):
    """What is wrong with a filter, in a sentence; `start` and `stop` (exclusive) are columns of its text."""

    def __init__(self, message: str, start: int, stop: int) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.start = start
        self.stop = max(stop, start + 1)

    def pointed(self, text: str) -> str:
        """Three lines: the sentence, the filter, and marks below the columns; of long filters a part."""
        text = "".join(letter if letter.isprintable() else " " for letter in text)
        first = max(0, self.start - _BEFORE)
        shown = text[first : first + _SHOWN]
        marks = min(self.stop, first + len(shown) + 1) - self.start
        return f"{self.message}\n  {shown}\n  {' ' * (self.start - first)}{'^' * max(marks, 1)}"


#: Columns of a filter that are shown before those in question, and in all.
_BEFORE, _SHOWN = 40, 100
