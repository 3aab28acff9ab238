"""Groups of rules by form: numbers coded by a table and by sorting are coded alike."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zhiji_etl.consistency.conflicts import forms


@given(numbers=st.lists(st.integers(0, 40) | st.integers(0, 10**12)))
def test_codes_are_places_among_the_distinct_numbers(numbers: list[int]):
    made = np.array(numbers, dtype=np.int64)
    distinct, places = forms._coded(made)
    assert distinct.tolist() == sorted(set(numbers))
    assert distinct[places].tolist() == numbers
