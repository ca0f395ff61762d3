"""What hypothesis draws for tests of several files."""

from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import uticket_lite as ut

masks = hnp.arrays(
    bool,
    st.tuples(st.integers(1, 9), st.integers(1, 7), st.integers(1, 2), st.integers(1, 3))
    | st.tuples(st.integers(1, 9), st.integers(1, 7)),
)
accelerators = st.builds(ut.Accelerator, st.integers(1, 12), st.sampled_from(list(ut.MAPPINGS)))
