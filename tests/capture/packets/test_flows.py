"""Flow numbers: exact, in the order of first packets, the same however packets come in batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.packets import flows
from cosemscope.capture.packets.flows import Endpoints, FlowTable

_WORD = st.sampled_from([0, 1, 2, 2**32 - 1, 2**63, 2**64 - 1])
_PORT = st.sampled_from([0, 1, 4059, 65_535])
PACKET = st.one_of(
    st.tuples(
        st.sampled_from([6, 17]),
        st.just(4),
        st.just(0),
        st.integers(0, 3),
        _PORT,
        st.just(0),
        st.integers(0, 3),
        _PORT,
    ),
    st.tuples(st.sampled_from([6, 17]), st.just(6), _WORD, _WORD, _PORT, _WORD, _WORD, _PORT),
)


def number_one_by_one(packets):
    """The same, by the book: a dictionary."""
    known: dict[tuple[int, ...], int] = {}
    numbers, directions = [], []
    for protocol, family, *ends in packets:
        a, b = tuple(ends[:3]), tuple(ends[3:])
        if (protocol, family, *b, *a) in known and a != b:
            numbers.append(known[protocol, family, *b, *a])
            directions.append(1)
        else:
            numbers.append(known.setdefault((protocol, family, *a, *b), len(known)))
            directions.append(0)
    return numbers, directions, list(known)


def endpoints(packets) -> Endpoints:
    types = (np.uint8, np.uint8, np.uint64, np.uint64, np.uint16, np.uint64, np.uint64, np.uint16)
    columns = zip(*packets, strict=True) if packets else [[]] * 8
    return Endpoints._make(np.array(list(c), kind) for c, kind in zip(columns, types, strict=True))


def check(packets, cuts) -> None:
    table = FlowTable()
    numbers: list[int] = []
    directions: list[int] = []
    for start, stop in zip([0, *cuts], [*cuts, len(packets)], strict=True):
        flow, direction = table.number(endpoints(packets[start:stop]))
        numbers += flow.tolist()
        directions += direction.tolist()
    columns = [table.flows[name].tolist() for name in table.flows.names if name != "vlan"]
    assert (numbers, directions, list(zip(*columns, strict=True))) == number_one_by_one(packets)


@given(st.lists(PACKET, max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_numbers_are_those_of_a_dictionary(packets, cuts) -> None:
    """Batches change nothing, directions follow the first packet."""
    check(packets, sorted(min(cut, len(packets)) for cut in cuts))


@given(st.lists(PACKET, max_size=60), st.sampled_from([0, 1, 3]))
def test_hashes_that_collide_never_merge_flows(packets, mask: int) -> None:
    """Even when all flows have one of very few hashes."""
    patch = pytest.MonkeyPatch()
    original = flows.hash_keys
    patch.setattr(flows, "hash_keys", lambda keys: original(keys) & np.uint64(mask))
    try:
        check(packets, [len(packets) // 3, len(packets) // 2])
    finally:
        patch.undo()


def test_what_else_is_in_a_batch_changes_nothing() -> None:
    """An IPv4 flow is found again when IPv6 packets stand beside it, and the other way round."""
    four, six = (6, 4, 0, 1, 1, 0, 2, 4059), (6, 6, 1, 1, 1, 1, 2, 4059)
    check([four, six, four, six, four, six], [1, 2, 4, 5])


def test_very_many_flows() -> None:
    """The table grows; a second look finds every flow where it was."""
    count = 50_000
    rng = np.random.default_rng(1)
    packets = [(6, 4, 0, int(a), int(p), 0, 7, 4059) for a, p in rng.integers(0, 60_000, (count, 2))]
    check(packets, [10, 20_000, 20_001])
