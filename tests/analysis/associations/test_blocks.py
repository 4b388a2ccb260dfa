"""Blocks joined again: whole transfers come out as they went in, anything else is never glued over."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations import blocks
from cosemscope.analysis.associations.blocks import (
    Block,
    BlockWindow,
    Joined,
    Transfer,
    add_block,
    add_to_window,
)

_PARTS = st.lists(st.binary(min_size=1, max_size=5), min_size=2, max_size=12)


def numbered(parts: list[bytes], first: int = 1) -> list[Block]:
    return [Block(number, number == first + len(parts) - 1, part) for number, part in enumerate(parts, first)]


def join(sent: list[Block]) -> list[Joined[Transfer]]:
    found: list[Joined[Transfer]] = []
    for block in sent:
        found.append(add_block(found[-1].transfer if found else None, block))
    return found


def join_window(sent: list[Block]) -> list[Joined[BlockWindow]]:
    found: list[Joined[BlockWindow]] = []
    for block in sent:
        found.append(add_to_window(found[-1].transfer if found else None, block))
    return found


@given(_PARTS, st.sampled_from([0, 1]), st.data())
def test_a_transfer_is_joined_with_its_last_block(
    parts: list[bytes], first: int, data: st.DataObject
) -> None:
    """Also when blocks are repeated, and when it starts once more in the middle; numbers from 0 or 1."""
    sent = numbered(parts, first)
    begun = data.draw(st.integers(0, len(sent) - 1))
    repeated = [block for block in sent for _ in range(data.draw(st.integers(1, 2)))]
    repeated = [block for block in repeated if not block.last] + [sent[-1]]
    found = join(sent[:begun] + repeated)
    assert found[-1].whole == b"".join(parts)
    assert found[-1].transfer is None
    assert [one.whole for one in found[:-1]] == [None] * (len(found) - 1)
    assert all("repeated" in one.note.message for one in found if one.note)


@given(_PARTS, st.data())
def test_a_transfer_with_a_hole_is_not_joined(parts: list[bytes], data: st.DataObject) -> None:
    """The block that is missing is named, and nothing whole is claimed."""
    sent = numbered([b"start", *parts])
    missing = data.draw(st.integers(0, len(sent) - 2))
    found = join(sent[:missing] + sent[missing + 1 :])
    assert all(one.whole is None for one in found)
    wanted = "comes first" if missing == 0 else f"block {missing + 1} is missing"
    assert [one.note for one in found if one.note]
    assert wanted in found[missing].note.message


def test_a_late_block_makes_none_behind_it_missing() -> None:
    """What came before is not said to lack: only the late block is out of its order."""
    sent = [Block(number, number == 4, bytes((number,))) for number in (1, 3, 2, 4)]
    joined = join(sent)
    assert [one.note.message if one.note else "" for one in joined] == [
        "",
        "block 3 follows block 1: block 2 is missing",
        "block 2 follows block 3: the order is wrong",
        "",
    ]
    assert joined[-1].whole is None


def test_one_block_alone_needs_no_joining() -> None:
    """The decoder reads it in place."""
    assert add_block(None, Block(1, True, b"all")) == Joined(None)
    alone = add_to_window(None, Block(1, True, b"all"))
    assert alone.whole is None
    assert alone.transfer is not None
    assert alone.transfer.whole


@given(_PARTS, st.data())
def test_a_window_is_joined_in_any_order(parts: list[bytes], data: st.DataObject) -> None:
    """Blocks of general-block-transfer that were lost come later: the whole comes with the last to come."""
    sent = numbered(parts)
    head, tail = sent[:1], data.draw(st.permutations(sent[1:]))
    extra = data.draw(st.lists(st.sampled_from(sent[1:]), max_size=3))
    found = join_window(
        [*head, *tail[:-1], *[block for block in extra if block in [*head, *tail[:-1]]], tail[-1]]
    )
    assert found[-1].whole == b"".join(parts)
    assert all(one.whole is None for one in found[:-1])


def test_acknowledgements_begin_nothing() -> None:
    """A block without data, as a receiver sends it to acknowledge, is no transfer."""
    assert add_to_window(None, Block(7, True, b"")) == Joined(None)
    window = add_to_window(None, Block(1, False, b"a")).transfer
    assert add_to_window(window, Block(1, True, b"")) == Joined(window)


FIRST, SECOND, THIRD = (Block(number, number == 3, bytes(3)) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("sent", "notes", "wholes"),
    [
        ([FIRST, SECOND, THIRD], {}, 1),
        ([FIRST, SECOND, SECOND, THIRD], {2: "block 2 is repeated"}, 1),
        ([FIRST, SECOND, THIRD, THIRD, FIRST, SECOND, THIRD], {3: "block 3 is repeated"}, 2),
        (
            [FIRST, THIRD, SECOND],
            {
                1: "block 3 came before its turn: block 2 is missing so far",
                2: "block 2 came late: block 3 came before it",
            },
            1,
        ),
        ([FIRST, FIRST, SECOND, THIRD], {1: "block 1 is repeated"}, 1),
        (
            [FIRST, THIRD, FIRST, SECOND, THIRD],
            {
                1: "block 3 came before its turn: block 2 is missing so far",
                2: "another transfer begins: of the one before it block 2 is missing",
            },
            1,
        ),
        (
            [FIRST, Block(1, False, b"other"), SECOND, THIRD],
            {1: "another transfer begins: of the one before it block 2 is missing"},
            1,
        ),
        (
            [SECOND, FIRST, THIRD],
            {
                0: "block 2 came before its turn: block 1 is missing so far",
                1: "block 1 came late: block 2 came before it",
            },
            1,
        ),
    ],
)
def test_what_lacks_comes_again_or_late_is_named(
    sent: list[Block], notes: dict[int, str], wholes: int
) -> None:
    """Each block says what is wrong with it, and whatever becomes whole has each block once."""
    found = join_window(sent)
    assert {number: one.note.message for number, one in enumerate(found) if one.note} == notes
    whole = [one.whole for one in found if one.whole is not None]
    assert [octets[-6:] for octets in whole] == [bytes(6)] * wholes


def test_memory_is_bounded() -> None:
    """Endless transfers, and windows whose missing block never comes, end by themselves."""
    transfer = None
    notes = []
    for number in itertools.count(1):
        joined = add_block(transfer, Block(number, False, bytes(1 << 20)))
        transfer = joined.transfer
        notes.append(joined.note)
        if number == 40:
            break
    assert transfer is not None
    assert transfer.broken
    assert transfer.size <= blocks.MAX_OCTETS
    assert sum("not joined" in note.message for note in notes if note) == 1
    window, most = None, 0
    for number in range(2, 2000):
        window = add_to_window(window, Block(number, False, b"x")).transfer
        most = max(most, len(window.ahead) if window else 0)
    assert most <= blocks.MAX_AHEAD
