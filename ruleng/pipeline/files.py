"""Which kind of events a file holds: an audit log, or events recorded as JSON lines. Told by how it begins, not by its name."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ruleng.errors import InputError, UsageError

Kind = Literal["audit", "recorded"]
STANDARD_INPUT = "-"
_GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
_LOOK = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """`begun` is what was read of standard input to find out: it cannot be put back."""

    kind: Kind
    begun: bytes = b""


def look(paths: Sequence[str]) -> Found:
    """Raises InputError for an unreadable file, UsageError for files of two kinds. What is empty is of any kind."""
    if paths.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input can be read only once")
    starts = {path: _begin_stdin() if path == STANDARD_INPUT else _start_of(path) for path in paths}
    kinds = {path: _kind(start) for path, start in starts.items() if start}
    found = set(kinds.values())
    if len(found) > 1:
        listing = ", ".join(f"{path} ({kind})" for path, kind in kinds.items())
        raise UsageError(f"files of two kinds: {listing}", hint="replay audit logs and recorded events one after the other")
    return Found(found.pop() if found else "audit", starts.get(STANDARD_INPUT, b""))


def _kind(start: bytes) -> Kind:
    return "recorded" if start.lstrip()[:1] == b"{" else "audit"


def _begin_stdin() -> bytes:
    """Reads as little as tells: what is read here, its reader is given."""
    start = b""
    try:
        while not start.strip() and len(start) < _LOOK and (piece := os.read(0, _LOOK)):
            start += piece
    except OSError as error:
        raise InputError(error.strerror or str(error), path="standard input") from error
    if start.startswith(_GZIP_MAGIC):
        raise InputError("is compressed", path="standard input", hint="zcat FILE | ruleng ... -, or give the file's name")
    return start


def _start_of(path: str) -> bytes:
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            return b""
        if not stat.S_ISREG(mode):  # reading its beginning would take it from whoever reads it next
            raise InputError("is no file", path=path, hint="give its content on standard input: ruleng ... - < PATH")
        with Path(path).open("rb") as file:
            start = file.read(_LOOK)
        if start.startswith(_GZIP_MAGIC):
            with gzip.open(path) as unpacked:
                return unpacked.read(_LOOK)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(getattr(error, "strerror", None) or str(error), path=path) from error
    return start
