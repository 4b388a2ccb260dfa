"""The history of what was looked at, as in a web browser: back, forward, and what lay ahead is forgotten."""


class History:
    """WPDU rows that were looked at, with a place in them, as in a web browser."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._at = -1

    def visit(self, row: int) -> None:
        """Remember `row` after the present place; what lay ahead is forgotten."""
        if self._at < 0 or self._rows[self._at] != row:
            self._rows[self._at + 1 :] = [row]
            del self._rows[:-500]
            self._at = len(self._rows) - 1

    def move(self, by: int) -> int | None:
        """Go back (-1) or forward (1); the row there, or None at the end."""
        if not 0 <= self._at + by < len(self._rows):
            return None
        self._at += by
        return self._rows[self._at]

    def can_move(self, by: int) -> bool:
        """Whether there is something to go to."""
        return 0 <= self._at + by < len(self._rows)

    def clear(self) -> None:
        """Forget all."""
        self._rows, self._at = [], -1
