"""Answers are told by kind and invoke-id: what answers what, and what is late, doubled or unasked."""

import pytest

from cosemscope.live.links.answers import AnswerBook, Standing, signs_of

AARQ, AARE, RLRQ, RLRE = b"\x60\x00", b"\x61\x00", b"\x62\x00", b"\x63\x00"
GET, GOT = bytes.fromhex("c001c1000100002a0000ff0200"), bytes.fromhex("c401c100090100")
GET2, GOT2 = bytes.fromhex("c001c2000100002a0000ff0200"), bytes.fromhex("c401c200090100")
PUSH = bytes.fromhex("0f00000001000203")
EVENT = bytes.fromhex("c2000001000060000000ff0200")


def standing(*steps: bytes | tuple[bytes, float]) -> list[str]:
    """What each APDU that came is, after requests that went; requests are those that a client sends."""
    book, told = AnswerBook(), []
    for now, step in enumerate(steps):
        if signs_of(step).expects:
            book.ask(step, 16, 1, now)
        else:
            came = book.came(step, 16, 1, now)
            told.append(came.standing.value if came.sure else "unsure")
    return told


@pytest.mark.parametrize(
    ("request_apdu", "answer"),
    [
        (AARQ, AARE),
        (RLRQ, RLRE),
        (GET, GOT),
        (bytes.fromhex("c101c1"), bytes.fromhex("c501c100")),
        (bytes.fromhex("c301c1"), bytes.fromhex("c701c100")),
        (bytes.fromhex("d9400000010000"), bytes.fromhex("da400000010000")),
        (bytes.fromhex("0501020008"), bytes.fromhex("0c0100")),
        (bytes.fromhex("06010200080100"), bytes.fromhex("0d0100")),
        (bytes.fromhex("01000000"), bytes.fromhex("0800")),
        (bytes.fromhex("c81e00"), bytes.fromhex("cc1e00")),
        (bytes.fromhex("d01e00"), bytes.fromhex("d41e00")),
        (bytes.fromhex("251e00"), bytes.fromhex("2c1e00")),
        (bytes.fromhex("db0800"), bytes.fromhex("db0800")),
        (bytes.fromhex("db0800"), GOT),
        (GET, bytes.fromhex("d80102")),
        (GET, bytes.fromhex("0e060000")),
        (GET, bytes.fromhex("e0000001")),
        (bytes.fromhex("e60000") + GET, bytes.fromhex("e70000") + GOT),
        (b"\xff\x01", b"\xfe\x01"),
        (GET, b"\xfe\x01"),
    ],
    ids=lambda apdu: apdu.hex(),
)
def test_what_answers_what(request_apdu: bytes, answer: bytes) -> None:
    """Every service that is answered: clear, ciphered, enveloped; a kind that is not known may answer all."""
    book = AnswerBook()
    asked = book.ask(request_apdu, 16, 1, 0)
    came = book.came(answer, 16, 1, 1)
    assert (came.standing, came.request, came.sure) == (Standing.ANSWER, asked, True)


@pytest.mark.parametrize("other", [AARE, GOT2, PUSH, EVENT, b"", GET, AARQ, bytes.fromhex("c501c100")])
def test_what_answers_no_get(other: bytes) -> None:
    """Another kind, another invoke-id, a push, an event, a request, nothing at all."""
    book = AnswerBook()
    asked = book.ask(GET, 16, 1, 0)
    assert book.came(other, 16, 1, 1).standing is Standing.UNASKED
    assert book.came(GOT, 16, 1, 2).request is asked


@pytest.mark.parametrize(
    "apdu",
    [
        bytes.fromhex("c10181"),
        bytes.fromhex("c30181"),
        PUSH,
        EVENT,
        GOT,
        AARE,
        bytes.fromhex("d9000000010000"),
    ],
)
def test_what_nobody_answers_is_not_waited_for(apdu: bytes) -> None:
    """Unconfirmed services by their service class, notifications, answers themselves."""
    assert not signs_of(apdu).expects


def test_two_under_way_are_told_apart() -> None:
    """In whichever order their answers come."""
    book = AnswerBook()
    first, second = book.ask(GET, 16, 1, 0), book.ask(GET2, 16, 1, 0)
    assert book.came(GOT2, 16, 1, 1).request is second
    assert book.came(GOT, 16, 1, 1).request is first


def test_a_doubled_answer_is_none_of_the_next_request() -> None:
    """Nor is a push that comes before an answer."""
    assert standing(AARQ, AARE, GET, AARE, PUSH, GOT, GOT) == [
        "answer",
        "doubled",
        "unasked",
        "answer",
        "doubled",
    ]


def test_a_late_answer_of_another_kind_is_named_late() -> None:
    """It does not shift those behind it."""
    book = AnswerBook()
    asked = book.ask(AARQ, 16, 1, 0)
    book.give_up(asked, 2)
    following = book.ask(GET, 16, 1, 2)
    late = book.came(AARE, 16, 1, 3)
    assert (late.standing, late.request) == (Standing.LATE, asked)
    assert book.came(GOT, 16, 1, 3).request is following


def test_where_two_look_alike_neither_is_sure() -> None:
    """The first answer may be the late one; the other comes later, or never. Doubt ends with time."""
    book = AnswerBook()
    book.give_up(book.ask(GET, 16, 1, 0), 2)
    second = book.ask(GET, 16, 1, 2)
    came = book.came(GOT, 16, 1, 3)
    assert (came.standing, came.request, came.sure) == (Standing.ANSWER, second, False)
    assert book.came(GOT, 16, 1, 4).standing is Standing.LATE
    book.give_up(book.ask(GET, 16, 1, 10), 12)
    book.ask(GET, 16, 1, 30)
    assert book.came(GOT, 16, 1, 31).sure


def test_a_wport_that_was_not_asked_answers_only_where_no_other_is_meant() -> None:
    """A logical device that answers from wPort 0 is heard; with two asked each has its own."""
    book = AnswerBook()
    asked = book.ask(GET, 16, 1, 0)
    assert book.came(GOT, 16, 0, 1).request is asked
    first, second = book.ask(GET, 16, 1, 2), book.ask(GET, 16, 17, 2)
    assert book.came(GOT, 16, 17, 3).request is second
    assert book.came(GOT, 16, 1, 3).request is first
    assert book.came(GOT, 17, 1, 3).standing is Standing.UNASKED


def test_what_waits_too_long_is_given_up_by_itself() -> None:
    """With a limit, though nobody gives it up."""
    book = AnswerBook()
    book.ask(GET, 16, 1, 0, limit=5)
    assert book.came(GOT, 16, 1, 6).standing is Standing.LATE


def test_nothing_grows_without_bound() -> None:
    """Requests that nobody answers, and answers that nobody takes."""
    book = AnswerBook()
    for number in range(5000):
        book.ask(GET, 16, number & 0xFFFF, number)
    assert book.came(GOT, 16, 0, 5000).standing is not Standing.UNASKED
    assert len(book._waiting) <= 1024


@pytest.mark.parametrize("apdu", [b"", b"\xe6", b"\xe6\x00\xff", b"\xc0", b"\xc0\x01", b"\xd9\x00", b"\xff"])
def test_what_is_cut_short_shows_what_it_shows(apdu: bytes) -> None:
    """And never raises."""
    assert signs_of(apdu).invoke_id == -1
