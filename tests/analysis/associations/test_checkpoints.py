"""Checkpoints: the nearest state before a row, bounded in number and octets."""

import pytest

from cosemscope.analysis.associations import checkpoints as module
from cosemscope.analysis.associations.association import Association
from cosemscope.analysis.associations.blocks import BlockWindow, Transfer
from cosemscope.analysis.associations.checkpoints import STRIDE, Checkpoints
from cosemscope.analysis.keys.key_table import NO_KEYS


def walked(rows: int, pair: int = 0, kept: Checkpoints | None = None) -> Checkpoints:
    """The checkpoints of a pair whose rows are 0, 10, 20, ...; its association counts them as base name."""
    kept = kept or Checkpoints()
    association = Association(NO_KEYS)
    for number in range(rows):
        association.taken += 1
        association.base_name = number
        kept.offer(pair, 10 * number + 1, association)
    return kept


def test_the_nearest_one() -> None:
    """Every 64 rows of a pair; of each pair its own; none before the first."""
    kept = walked(3 * STRIDE)
    assert kept.nearest(0, 10 * (STRIDE - 1)) is None
    assert kept.nearest(1, 10_000) is None
    for row, wanted in ((631, 631), (1000, 631), (1270, 631), (1271, 1271), (99_999, 1911)):
        found = kept.nearest(0, row)
        assert found is not None
        assert (found[0], found[1].base_name) == (wanted, wanted // 10)


def test_a_state_is_kept_as_it_was() -> None:
    """Neither the association that goes on nor a copy that is gone on with changes it."""
    kept = walked(STRIDE)
    for _ in range(2):
        found = kept.nearest(0, 10_000)
        assert found is not None
        assert not found[1].requests
        found[1].requests[1] = found[1]  # type: ignore[assignment]


def test_too_many_stand_farther_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is bounded, and there is still one for every part of the capture."""
    monkeypatch.setattr(module, "_MOST", 10)
    kept = Checkpoints()
    for pair in range(3):
        walked(40 * STRIDE, pair, kept)
    for pair in range(3):
        found = {kept.nearest(pair, row)[0] for row in range(11_000, 25_000, 100)}  # type: ignore[index]
        assert 1 <= len(found) <= 10
    last = kept.nearest(0, 10**6)
    assert last is not None
    assert last[0] > 10 * 16 * STRIDE


def test_octets_of_blocks_are_not_kept() -> None:
    """In the midst of a long transfer there is no checkpoint, also behind a gateway."""
    for state in (
        {"transfers": {(1, 0xC4, 1): Transfer(1, 9, None, 9000, 9)}},
        {"windows": {0: BlockWindow(b"", 2, None, {}, 0, 9000)}},
    ):
        association, gateway = Association(NO_KEYS), Association(NO_KEYS)
        association.__dict__.update(state)
        gateway.behind[b"1"] = association
        for one in (association, gateway):
            kept = Checkpoints()
            one.taken = STRIDE
            kept.offer(0, 1, one)
            assert kept.nearest(0, 100) is None
