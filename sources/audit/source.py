"""Audit logs and auditd's plugin stream as sources of events: bytes -> `Backend` -> AuditNormaliser -> batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.normalise.audit import AuditEvent, AuditNormaliser
from ruleng.ports import Demand, Ledger
from ruleng.sources.audit.files import STANDARD_INPUT, LogFile, ordered, sizes
from ruleng.sources.audit.reader import Backend, Reader
from ruleng.sources.stdin import InputStream
from ruleng.state import State

BATCH = 512
HOLD_S = 0.05  # what comes in drops is taken together for so long
PERIOD_S = 1.0  # of silence, after which events that were never closed are old


def backend_named(name: str, ledger: Ledger, source: str) -> Backend:
    """`ruleng`, or `auparse`. Raises HostError when it is not installed."""
    if name == "auparse":
        from ruleng.sources.audit.auparse import AuparseReader

        return AuparseReader(ledger, source)
    return Reader(ledger, source)


class _AuditSource:
    """What files and streams share."""

    name = "audit"

    def __init__(self, state: State, ledger: Ledger, backend: str) -> None:
        self._state = state
        self._ledger = ledger
        self._normaliser = AuditNormaliser(state, ledger)
        self._backend_name = backend
        self._backend: Backend | None = None

    @property
    def reader(self) -> Backend:
        if self._backend is None:
            self._backend = backend_named(self._backend_name, self._ledger, self.name)
        return self._backend

    def demand(self, demand: Demand) -> None:
        """What rules need now, also while reading."""
        self._normaliser.demand(demand)
        self._state.demand(demand.fields)

    def progress(self) -> tuple[int, int] | None:
        return None

    def _batches(self, found: Sequence[AuditEvent]) -> list[list[Event]]:
        """At most `BATCH` events each."""
        events = self._normaliser.batch(found)
        if len(events) <= BATCH:
            return [events] if events else []
        return [events[start : start + BATCH] for start in range(0, len(events), BATCH)]

    async def _stream(self, stream: InputStream) -> AsyncIterator[list[Event]]:
        """To the end of a stream; raises InputError when it breaks."""
        reader = self.reader
        while True:
            try:
                data = await stream.read(PERIOD_S)
            except OSError as error:
                raise InputError(error.strerror or str(error), path="standard input") from error
            if data == b"":
                break
            for batch in self._batches(reader.tick() if data is None else reader.feed(data)):
                yield batch
            if data is not None and len(data) < 4096:
                await asyncio.sleep(HOLD_S)
        for batch in self._batches(reader.flush()):
            yield batch


class AuditStdin(_AuditSource):
    """Standard input, or another descriptor that gives records line by line: auditd.conf(5), plugins."""

    name = "stdin"

    def __init__(self, state: State, ledger: Ledger, *, backend: str = "ruleng", fd: int = 0) -> None:
        super().__init__(state, ledger, backend)
        self._stream_in = InputStream(fd)

    async def open(self, demand: Demand) -> None:
        """Raises HostError when the backend is not installed."""
        self.demand(demand)
        self.reader.begin("standard input")
        self._state.seed()
        self._stream_in.open()

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        async for batch in self._stream(self._stream_in):
            yield batch

    async def close(self) -> None:
        self._stream_in.close()


class AuditFiles(_AuditSource):
    """Log files, see `ruleng.sources.audit.files`; `-` among them is standard input. With `follow` the last one has no end."""

    name = "replay"

    def __init__(
        self,
        paths: Sequence[str],
        state: State,
        ledger: Ledger,
        *,
        rotated: bool = False,
        follow: bool = False,
        backend: str = "ruleng",
        begun: bytes = b"",
    ) -> None:
        """`begun`: what was read of standard input already."""
        super().__init__(state, ledger, backend)
        self._groups = ordered(paths, rotated=rotated)
        self._last = self._groups[-1][-1] if follow and self._groups else None
        self._total_bytes = sizes(self._groups)
        self._done_bytes = 0
        self._file: LogFile | None = None
        self._is_closed = False
        self._stdin = InputStream(0, begun)

    async def open(self, demand: Demand) -> None:
        """Raises InputError for a file that cannot be read, HostError when the backend is not installed."""
        self.demand(demand)
        for path in (path for group in self._groups for path in group if str(path) != STANDARD_INPUT):
            LogFile(path, self._ledger).close()
        _ = self.reader

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        for group in self._groups:
            for path in group:
                read = self._standard_input() if str(path) == STANDARD_INPUT else self._log(path, follow=path is self._last)
                async for batch in read:
                    yield batch
            for batch in self._batches(self.reader.flush()):
                yield batch

    def progress(self) -> tuple[int, int] | None:
        """(bytes read, bytes in all) as they lie on disk; None where the end is not known."""
        if self._last is not None or not self._total_bytes:
            return None
        return self._done_bytes + (self._file.done_bytes() if self._file is not None else 0), self._total_bytes

    async def close(self) -> None:
        self._is_closed = True
        self._stdin.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _standard_input(self) -> AsyncIterator[list[Event]]:
        self.reader.begin("standard input")
        self._stdin.open()
        async for batch in self._stream(self._stdin):
            yield batch

    async def _log(self, path: Path, *, follow: bool) -> AsyncIterator[list[Event]]:
        file = self._file = LogFile(path, self._ledger)
        self.reader.begin(str(path))
        silent_s = 0.0
        while not self._is_closed:
            data = file.read()
            if data:
                silent_s = 0.0
                for batch in self._batches(self.reader.feed(data)):
                    yield batch
                await asyncio.sleep(0)
            elif not follow or not file.is_growing:
                break
            elif file.has_successor():
                file.close()
                file = self._file = LogFile(path, self._ledger)
                self.reader.begin(str(path))
            else:
                await asyncio.sleep(HOLD_S)
                silent_s += HOLD_S
                if silent_s >= PERIOD_S:
                    silent_s = 0.0
                    for batch in self._batches(self.reader.tick()):
                        yield batch
        if not self._is_closed:
            self._done_bytes += file.done_bytes()
            self._file = None
            file.close()
