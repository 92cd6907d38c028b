"""Sizes and durations as people write them: `100MB`, `64KiB`, `500ms`, `10s`, `5m`, `1h`, `7d`."""

from __future__ import annotations

import re

_SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_DURATIONS_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_NUMBER = re.compile(r"(\d+)\s*([A-Za-z]*)")


def size(text: str) -> int:
    """`100MB` -> 100_000_000 bytes. Raises ValueError, saying what is wanted."""
    return _number(text, _SIZES, "a size such as 512KiB, 100MB, 1GB")


def duration_ns(text: str) -> int:
    """`1m` -> 60_000_000_000. Raises ValueError, saying what is wanted."""
    return _number(text, _DURATIONS_NS, "a duration such as 500ms, 10s, 5m, 1h, 7d")


def _number(text: str, units: dict[str, int], wanted: str) -> int:
    match = _NUMBER.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(wanted)
    return int(match[1]) * units[match[2]]
