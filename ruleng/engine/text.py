"""Kernel text as Python strings: what C's byte strings do, on `str` decoded with surrogateescape."""

from __future__ import annotations

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def lower(text: str) -> str:
    """tolower(3) of each byte in the C locale: only ASCII letters change."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper(text: str) -> str:
    """toupper(3) of each byte in the C locale."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def encode(text: str) -> bytes:
    """The bytes that the kernel gave. A lone surrogate that stands for no byte (JSON can hold one) becomes its three bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def valid_utf8(text: str) -> bytes:
    """UTF-8 in which a byte that was none is one character still: what RE2 reads, so that `.` matches it."""
    return text.encode("utf-8", "surrogatepass")
