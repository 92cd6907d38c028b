"""Recorded events: JSON lines in the catalogue's names, as `ruleng events` prints them, from files (gzip too) or a stream.

A line that is no event is counted with its place and skipped. Lines longer than a mebibyte are counted and never held whole.
"""

from __future__ import annotations

import gzip
import io
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import orjson

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.fields.record import from_fields
from ruleng.ports import Demand, Ledger

BATCH = 512
HOLD_S = 0.05  # a batch that is not full waits no longer than this for its next line
LINE_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
WHERE = "replay"


class RecordedEvents:
    """`-` is standard input. Files are read one after the other, in the order given."""

    name = "replay"

    def __init__(self, paths: Sequence[str], ledger: Ledger) -> None:
        self._paths = tuple(paths)
        self._ledger = ledger
        self._total = 0
        self._done = 0
        self._raw: BinaryIO | None = None
        self._count = 0

    async def open(self, demand: Demand) -> None:
        for path in self._paths:
            if path != "-":
                try:
                    self._total += Path(path).stat().st_size
                except OSError as error:
                    raise InputError(error.strerror or str(error), path=path) from error

    def demand(self, demand: Demand) -> None:
        """A recording holds what it holds."""

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        for path in self._paths:
            for batch in self._read(path):
                yield batch

    def progress(self) -> tuple[int, int] | None:
        if not self._total:
            return None
        return self._done + (self._raw.tell() if self._raw else 0), self._total

    async def close(self) -> None:
        if self._raw is not None:
            self._raw.close()

    def _read(self, path: str) -> Iterator[list[Event]]:
        if path == "-":
            yield from self._batches("standard input", sys.stdin.buffer)
            return
        try:
            with Path(path).open("rb") as raw:
                self._raw = raw
                stream: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP_MAGIC else raw
                yield from self._batches(path, stream)
                self._done += raw.tell()
        except (OSError, EOFError) as error:
            raise InputError(getattr(error, "strerror", None) or str(error), path=path) from error
        finally:
            self._raw = None

    def _batches(self, path: str, stream: BinaryIO | gzip.GzipFile) -> Iterator[list[Event]]:
        batch: list[Event] = []
        since = time.monotonic()
        for number, line in lines(stream):
            if line is None:
                self._ledger.lost(WHERE, f"a line longer than {LINE_BYTES} bytes", sample=f"{path}:{number}")
            elif not line.isspace():
                event = self._event(line, f"{path}:{number}")
                if event is not None:
                    batch.append(event)
            if len(batch) >= BATCH or (batch and time.monotonic() - since > HOLD_S):
                yield batch
                batch, since = [], time.monotonic()
        if batch:
            yield batch

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


def lines(stream: BinaryIO | gzip.GzipFile | io.BytesIO) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line) of a stream; None for a line that is too long."""
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        if len(line) > LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, line
