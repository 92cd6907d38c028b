"""Which kind of events a file holds: an audit log, or events recorded as JSON lines. Told by its first byte, not its name."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ruleng.errors import InputError, UsageError

Kind = Literal["audit", "recorded"]
_GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
_LOOK = 4096


def kind_of_files(paths: Sequence[str]) -> Kind:
    """Raises InputError for an unreadable file, UsageError for files of two kinds."""
    kinds = {path: _kind(path) for path in paths}
    found = set(kinds.values())
    if len(found) > 1:
        listing = ", ".join(f"{path} ({kind})" for path, kind in kinds.items())
        raise UsageError(f"files of two kinds: {listing}", hint="replay audit logs and recorded events one after the other")
    return found.pop()


def _kind(path: str) -> Kind:
    try:
        start = sys.stdin.buffer.peek(_LOOK) if path == "-" else _start_of(Path(path))  # type: ignore[union-attr]  # BufferedReader
    except (OSError, EOFError) as error:
        raise InputError(getattr(error, "strerror", None) or str(error), path=path) from error
    return "recorded" if start.lstrip()[:1] == b"{" else "audit"


def _start_of(path: Path) -> bytes:
    if path.is_dir():
        return b""
    with path.open("rb") as file:
        start = file.read(_LOOK)
    if start[:2] == _GZIP_MAGIC:
        with gzip.open(path) as unpacked:
            return unpacked.read(_LOOK)
    return start
