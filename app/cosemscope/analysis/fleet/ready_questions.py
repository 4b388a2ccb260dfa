"""The ready questions: SQL in the resources, each with a name, and a first line that says what it answers."""

from functools import cache
from typing import NamedTuple

from cosemscope.resources import resource


class ReadyQuestion(NamedTuple):
    """A question: its name, what it answers in a sentence, and the SQL."""

    name: str
    meaning: str
    sql: str


@cache
def ready_questions() -> dict[str, ReadyQuestion]:
    """All of them by name. Raises FileNotFoundError where the installation lacks them."""
    found = {}
    for path in sorted(resource("questions").glob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        meaning = sql.partition("\n")[0].removeprefix("--").strip()
        found[path.stem] = ReadyQuestion(path.stem, meaning, sql)
    return found
