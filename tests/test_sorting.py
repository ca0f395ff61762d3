"""The kernels' own sort against NumPy's."""

import numpy as np
import pytest

from uticket_lite.kernels.sorting import order_of

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_equal_values_stay_in_their_order(size, kind):
    rng = np.random.default_rng(size)
    values = (rng.integers(-9, 9, size) / 2).astype(kind)
    order = order_of(values)
    assert order.dtype == np.int64
    assert order.tolist() == np.argsort(values, kind="stable").tolist()
