"""An order by radix is the stable order of any integers, however far they lie apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.columns import stable_order

_DTYPES = [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64]


@pytest.mark.parametrize("dtype", _DTYPES)
@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(1, 64), count=st.sampled_from([0, 1, 7, 3000]))
def test_it_is_that_of_numpy(dtype: type, seed: int, bits: int, count: int) -> None:
    """Of numbers with many equals and with few, negative ones too, and over the whole range of their type."""
    draw, kind = np.random.default_rng(seed), np.iinfo(dtype)
    least = max(int(kind.min), -(1 << bits >> 1))
    most = min(int(kind.max), least + (1 << bits))
    numbers = draw.integers(least, most, count, dtype, endpoint=True)
    assert stable_order(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()
