"""Values of fields as JSON has them, and back.

A text is a JSON string; one that is no UTF-8, and bytes, are {"hex": "2f746d70"}. An address is a string. Times are integers
of nanoseconds; a point in time may also be given in ISO 8601. Everything else is what it is.

Wrong values raise ValueError, its message saying what the type wants and what it got.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from ruleng.fields import address
from ruleng.fields.types import FieldType as T

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_NS = 1_000_000_000
_INT64, _UINT64 = -(1 << 63), (1 << 64) - 1


def to_json(value: Any, type: T) -> Json:
    """The JSON of one value, or of each in a list."""
    if isinstance(value, (tuple, list)):
        return [to_json(item, type) for item in value]
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if type is T.IPADDR and isinstance(value, int):
        return address.format_address(value)
    return value  # type: ignore[no-any-return]


def _text(value: str) -> Json:
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"hex": value.encode("utf-8", "surrogateescape").hex()}
    return value


def from_json(value: Json, type: T) -> Any:
    """The value of a field of that type."""
    return reader(type)(value)


@cache
def reader(type: T) -> Callable[[Json], Any]:
    """What reads values of that type."""
    if (read := _READERS.get(type)) is not None:
        return read
    bits, signed = type.integer or (64, True)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return partial(_integer, low=low, high=high)


def text_of(value: Json) -> str:
    """A text as it was, also from {"hex": ...}."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _unhex(value).decode("utf-8", "surrogateescape")
    raise ValueError(f"wants a text, got {_shown(value)}; put it in quotes")


def texts_of(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"wants a list of texts, got {_shown(value)}")
    return tuple([item if isinstance(item, str) else text_of(item) for item in value])


def bytes_of(value: Json) -> bytes:
    """Bytes from {"hex": ...} or from a text."""
    return _unhex(value) if isinstance(value, Mapping) else text_of(value).encode("utf-8", "surrogateescape")


def _unhex(value: Mapping[str, Json]) -> bytes:
    digits = value.get("hex")
    if len(value) != 1 or not isinstance(digits, str):
        raise ValueError(f'wants a text or {{"hex": "..."}}, got {_shown(value)}')
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise ValueError(f'"hex" wants pairs of hexadecimal digits, got {digits!r}') from None


def _integer(value: Json, low: int, high: int) -> int:
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdecimal():
        value = int(value)  # a recording's number in quotes
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"wants a whole number, got {_shown(value)}")
    if not low <= value <= high:
        raise ValueError(f"wants a number from {low} to {high}, got {value}")
    return value


def _time(value: Json) -> int:
    return time_of(value) if isinstance(value, str) and not value.isdecimal() else _integer(value, 0, _UINT64)


def _address(value: Json) -> int:
    return address.parse_address(text_of(value))


def _network(value: Json) -> int:
    """The first address of a network: a recording of fd.net can say no more."""
    text = text_of(value)
    return address.parse_network(text)[1] if "/" in text else address.parse_address(text)


def _bool(value: Json) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"wants true or false, got {_shown(value)}")
    return value


def _double(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"wants a number, got {_shown(value)}")
    return float(value)


def _dynamic(value: Json) -> int | str | bytes | tuple[str, ...]:
    match value:
        case dict():
            return _unhex(value)
        case list():
            return texts_of(value)
        case str():
            return value
        case _:
            return _integer(value, _INT64, _UINT64)


_READERS: dict[T, Callable[[Json], Any]] = {
    T.STRING: text_of,
    T.PATH: text_of,
    T.BYTES: bytes_of,
    T.BOOL: _bool,
    T.DOUBLE: _double,
    T.ABSTIME: _time,
    T.IPADDR: _address,
    T.IPNET: _network,
    T.DYNAMIC: _dynamic,
}

_ISO = re.compile(
    r"(?:(?P<day>\d{4}-\d\d-\d\d)[T ])?(?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?:Z|(?P<zone>[+-]\d\d:?\d\d))?"
)


def time_of(text: str) -> int:
    """Nanoseconds since the epoch of a time in ISO 8601; UTC unless it names an offset; a time alone is on the first day."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError(f"wants nanoseconds since the epoch or a time like 2024-05-17T09:30:00.5Z, got {text!r}")
    zone = match["zone"] or "+00:00"
    try:
        moment = datetime.fromisoformat(f"{match['day'] or '1970-01-01'}T{match['time']}{zone}")
    except ValueError:
        raise ValueError(f"there is no such time as {text!r}") from None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * _NS + int((match["fraction"] or "0").ljust(9, "0"))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
