"""Values of fields as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.fields.types import FieldType as T
from ruleng.fields.values import from_json, time_of, to_json


@given(st.binary())
def test_any_bytes_of_the_kernel_survive_as_text_and_as_bytes(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert from_json(to_json(text, T.STRING), T.STRING) == text
    assert from_json(to_json(data, T.BYTES), T.BYTES) == data


@pytest.mark.parametrize(
    ("value", "type", "json"),
    [
        ("a", T.STRING, "a"),
        ("\u00e9", T.STRING, "\u00e9"),
        ("a\udcff", T.STRING, {"hex": "61ff"}),
        (b"a", T.BYTES, {"hex": "61"}),
        (0x0A000001, T.IPADDR, "10.0.0.1"),
        (1 << 128 | 1, T.IPADDR, "::1"),
        (("a", "\udcff"), T.STRING, ["a", {"hex": "ff"}]),
        (7, T.INT64, 7),
        (None, T.INT64, None),
        (0.5, T.DOUBLE, 0.5),
    ],
)
def test_json_of_a_value(value: Any, type: T, json: Any) -> None:
    assert to_json(value, type) == json


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01 00:00:01.000000001", 1_000_000_001),
        ("1970-01-01T01:00:01+01:00", 1_000_000_000),
        ("2016-08-04T16:17:57.881785348+0000", 1470327477881785348),
        ("00:00:01.5", 1_500_000_000),
    ],
)
def test_times_are_read(text: str, time_ns: int) -> None:
    assert time_of(text) == time_ns


@pytest.mark.parametrize("text", ["", "now", "2016-13-01T00:00:00", "2016-08-04", "24:00:00", "00:00:00.1234567890", "\u0661"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"wants nanoseconds|no such time"):
        time_of(text)
