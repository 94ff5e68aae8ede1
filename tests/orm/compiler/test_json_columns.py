"""A column of values as one JSON array."""

from __future__ import annotations

import msgspec
from hypothesis import given, strategies as st

from turbostar.orm.compiler.json_columns import column_writer
from turbostar.orm.types import type_of_annotation


@given(st.lists(st.none() | st.floats()))
def test_no_number_is_lost(values: list[float | None]) -> None:
    """JSON has no NaN and no infinity; they go as words that PostgreSQL reads."""
    written = msgspec.json.decode(column_writer(type_of_annotation(float), "x")(values))
    assert len(written) == len(values)
    for one, value in zip(written, values, strict=True):
        assert (one is None) is (value is None)
        assert one is None or repr(float(one)) == repr(value)
