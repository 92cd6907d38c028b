"""Recorded events: JSON lines in the catalogue's names, as `ruleng events` prints them, from files (gzip too) or a stream.

A line that is no event is counted with its place and skipped. Lines longer than a mebibyte are counted and never held whole.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

import msgspec
import orjson

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.fields.record import from_fields
from ruleng.ports import Demand, Ledger
from ruleng.sources.stdin import InputStream

LINE_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
STANDARD_INPUT = "-"
WHERE = "replay"
_PIECE = 65_536
_PERIOD_S = 1.0


class RecordedEvents:
    """`-` is standard input, of which `begun` was read already. Files are read one after the other, in the order given."""

    name = "replay"

    def __init__(self, paths: Sequence[str], ledger: Ledger, *, begun: bytes = b"") -> None:
        self._paths = tuple(paths)
        self._ledger = ledger
        self._stdin = InputStream(0, begun)
        self._total_bytes = 0
        self._done_bytes = 0
        self._raw: io.BufferedReader | None = None
        self._count = 0
        self._is_closed = False

    async def open(self, demand: Demand) -> None:
        """Raises InputError for a file that cannot be read."""
        for path in self._paths:
            if path != STANDARD_INPUT:
                with _opened(path) as file:
                    self._total_bytes += file.seek(0, os.SEEK_END)

    def demand(self, demand: Demand) -> None:
        """A recording holds what it holds."""

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """One for each piece that is read, so that what comes slowly is not held back."""
        for path in self._paths:
            lines = _Lines()
            async for piece in self._standard_input() if path == STANDARD_INPUT else self._file(path):
                if batch := self._events(path, lines.feed(piece)):
                    yield batch
                if self._is_closed:
                    return
            if batch := self._events(path, lines.end()):
                yield batch

    def progress(self) -> tuple[int, int] | None:
        """(bytes read, bytes in all) as they lie on disk; None where the end is not known."""
        if not self._total_bytes or STANDARD_INPUT in self._paths:
            return None
        return self._done_bytes + (self._raw.tell() if self._raw else 0), self._total_bytes

    async def close(self) -> None:
        """Ends the batches after the piece that is being read."""
        self._is_closed = True
        self._stdin.close()

    async def _standard_input(self) -> AsyncIterator[bytes]:
        self._stdin.open()
        try:
            while (piece := await self._stdin.read(_PERIOD_S)) != b"":
                if piece is not None:
                    yield piece
        except OSError as error:
            raise InputError(error.strerror or str(error), path="standard input") from error

    async def _file(self, path: str) -> AsyncIterator[bytes]:
        try:
            with _opened(path) as raw:
                self._raw = raw
                stream: io.BufferedReader | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP_MAGIC else raw
                while piece := stream.read(_PIECE):
                    yield piece
                self._done_bytes += raw.tell()
        except (OSError, EOFError, zlib.error) as error:
            self._ledger.lost(WHERE, f"a file cannot be read to its end: {error}", sample=path)
        finally:
            self._raw = None

    def _events(self, path: str, lines: Iterable[tuple[int, bytes | None]]) -> list[Event]:
        name = "standard input" if path == STANDARD_INPUT else path
        events = []
        for number, line in lines:
            if line is None:
                self._ledger.lost(WHERE, f"a line longer than {LINE_BYTES} bytes", sample=f"{name}:{number}")
            elif line and not line.isspace():
                event = self._event(line, f"{name}:{number}")
                if event is not None:
                    events.append(event)
        return events

    def _event(self, line: bytes, place: str) -> Event | None:
        try:
            fields = orjson.loads(line)
            if not isinstance(fields, dict):
                raise InputError("wants an object of fields")
            event = from_fields(fields)
        except orjson.JSONDecodeError:
            self._ledger.lost(WHERE, "a line that is no JSON", sample=place)
        except InputError as error:
            self._ledger.lost(WHERE, f"a line that is no event: {error}", sample=place)
        else:
            self._count += 1
            return event if event.num else msgspec.structs.replace(event, num=self._count)
        return None


def _opened(path: str) -> io.BufferedReader:
    """Raises InputError."""
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise InputError(error.strerror or str(error), path=path) from error


class _Lines:
    """Pieces in, lines with their numbers and without their ends out; None for one that is too long."""

    def __init__(self) -> None:
        self._count = 0
        self._rest = b""
        self._is_skipping = False

    def feed(self, piece: bytes) -> Iterable[tuple[int, bytes | None]]:
        *whole, rest = (self._rest + piece).split(b"\n")
        lines: list[bytes | None] = [line if len(line) <= LINE_BYTES else None for line in whole]
        if self._is_skipping and lines:
            lines[0] = None
            self._is_skipping = False
        if len(rest) > LINE_BYTES or self._is_skipping:
            self._is_skipping = True
            rest = b""
        self._rest = rest
        before, self._count = self._count, self._count + len(lines)
        return enumerate(lines, before + 1)

    def end(self) -> Iterable[tuple[int, bytes | None]]:
        """The last line, if it has no end."""
        if self._is_skipping or self._rest:
            yield self._count + 1, None if self._is_skipping else self._rest
