"""A batch as a value: packets by stream, and the numbers of their first octets."""

from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.packets.packet_row import ACK, SYN
from tests.helpers.made_streams import Made, Sent


@given(st.lists(st.integers(-1, 4), max_size=30), st.integers(0, 9))
def test_packets_by_stream_as_they_came(streams: list[int], row: int) -> None:
    """Those of no stream are left out; a stream that is not here has none."""
    batch = Made([Sent(b"x", stream=one) for one in streams], row=row).batch
    assert batch.rows == slice(row, row + len(streams))
    expected = {one: [at for at, owner in enumerate(streams) if owner == one] for one in range(6)}
    assert {one: batch.of_stream(one).tolist() for one in range(6)} == expected
    assert batch.order.tolist() == [at for one in range(6) for at in expected[one]]


def test_columns_are_those_of_the_batch_only() -> None:
    """Packets before it do not show."""
    batch = Made([Sent(b"one", time=5, side=1), Sent(b"three", time=6, ip_id=9)], row=3).batch
    assert (batch.time.tolist(), batch.direction.tolist(), batch.ip_id.tolist()) == ([5, 6], [1, 0], [0, 9])
    assert batch.payload_length.tolist() == [3, 5]


def test_a_syn_counts_one_before_the_first_octet() -> None:
    """And sequence numbers wrap."""
    sent = [Sent(seq=7), Sent(seq=7, flags=SYN), Sent(seq=2**32 - 1, flags=SYN | ACK), Sent(seq=2**32 - 1)]
    batch = Made(sent).batch
    assert batch.first_octets(batch.order).tolist() == [7, 8, 0, 2**32 - 1]
    assert batch.first_octets(batch.order[1:2]).tolist() == [8]
