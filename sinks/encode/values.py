"""What the encoders share: times as text, values that JSON can hold, text that can fool neither a terminal nor a log.

Text may hold bytes of the kernel that are no UTF-8, as lone surrogates (PEP 383). JSON has no way to say them: each such
byte becomes one U+FFFD, as in Falco. Text for people and logs says them: `\\xff`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

import orjson

Json = Any

_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, all that ISO 8601 has without agreement
_INT64, _UINT64 = -(2**63), 2**64 - 1  # what JSON readers take as an integer
_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def iso(time_ns: int, digits: int = 9) -> str:
    """`2016-08-04T16:17:57.881785348Z`; a time outside of the years 1 to 9999 becomes the nearest in them."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(min(max(seconds, _FIRST_S), _LAST_S), UTC)
    fraction = f".{nanoseconds:09}"[: digits + 1] if digits else ""
    return f"{moment.isoformat()[:19]}{fraction}Z"


def dumps(document: Mapping[str, Json]) -> bytes:
    """JSON on one line, UTF-8. Never fails: see `jsonable` for what becomes of values that JSON cannot hold."""
    try:
        return orjson.dumps(document, default=jsonable)
    except orjson.JSONEncodeError:
        return orjson.dumps(jsonable(document))


def jsonable(value: Json) -> Json:
    """Lone surrogates -> U+FFFD, bytes -> text, integers beyond 64 bits -> decimal text, NaN and infinities -> null (by
    orjson), sets -> sorted lists, keys -> text, anything else -> its str().
    """
    match value:
        case None | bool() | float():
            return value
        case str():
            return _SURROGATES.sub("\ufffd", value)
        case int():
            return int(value) if _INT64 <= value <= _UINT64 else str(value)
        case bytes() | bytearray():
            return value.decode("utf-8", "replace")
        case Mapping():
            return {jsonable(str(key)): jsonable(item) for key, item in value.items()}
        case Sequence():
            return [jsonable(item) for item in value]
        case AbstractSet():
            return [jsonable(item) for item in sorted(value, key=str)]
        case _:
            return jsonable(str(value))


def text(value: Json) -> str:
    """A value of an output field as one line of text: None is empty, true and false as rules write them."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return printable(value)
        case bytes():
            return printable(value.decode("utf-8", "surrogateescape"))
        case list() | tuple():
            return ",".join(text(item) for item in value)
        case _:
            return printable(str(value))


def printable(line: str) -> str:
    r"""The text on one line, harmless: what a terminal or a log would obey instead of showing is escaped.

    Controls, line ends, direction marks and invisible characters become `\n`, `\x1b`, `\u202e`; a byte that is no UTF-8
    becomes `\xff`. A process chooses its own command line: without this it could forge log lines and hide from a reader.
    """
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else _escape(char) for char in line)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a raw byte, PEP 383
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return _ESCAPES.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
