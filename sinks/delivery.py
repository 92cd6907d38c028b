"""Records to a receiver that may be away: sent at once, and where there is a spool, kept there until they can be.

Without a spool a failure is SinkError, and the channel keeps the alerts. With one, what cannot be sent is appended to it and
counts as taken; from then on everything passes through the spool, so that the order stays, until it is empty. A task sends
from it, waits longer after each failure, and goes on after a restart of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from ruleng.errors import SinkError
from ruleng.sinks.backoff import Backoff
from ruleng.sinks.blocking import Thread
from ruleng.sinks.spool import Spool, SpoolFullError
from ruleng.sinks.tools import Report

_PEEK = 50  # records read from the spool at once

Send = Callable[[bytes], Awaitable[None]]
"""Returns when the record is delivered, or counted as lost. Raises SinkError when it cannot be delivered now."""


class Delivery:
    def __init__(self, name: str, send: Send, report: Report, spool: Spool | None, backoff: Backoff) -> None:
        self._name = name
        self._send = send
        self._report = report
        self._spool = spool
        self._backoff = backoff
        self._disk = Thread(f"{name}-spool")
        self._waiting = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._down = False
        self._counts = dict.fromkeys(("errors", "spooled"), 0)

    async def open(self) -> None:
        spool = self._spool
        if spool is None or self._task is not None:
            return
        try:
            await self._disk.run(spool.open)
        except BlockingIOError as error:
            raise SinkError(self._name, f"{spool.folder}: another process has this spool", hint="give it one of its own") from error
        except OSError as error:
            raise SinkError(self._name, f"{spool.folder}: {error.strerror or error}") from error
        if len(spool):
            self._report(f"{self._name}: {len(spool)} alerts of an earlier run are in the spool {spool.folder}")
            self._waiting.set()
        self._task = asyncio.create_task(self._empty(spool), name=f"{self._name}-spool")

    async def write(self, records: Sequence[bytes]) -> None:
        """Raises SinkError with `taken` when neither the receiver nor the spool takes them."""
        spool = self._spool
        taken = 0
        if spool is None or not len(spool):
            try:
                for record in records:
                    await self._send(record)
                    taken += 1
            except SinkError as error:
                self._counts["errors"] += 1
                if spool is None:
                    error.taken = taken
                    raise
                self._fell(error, spool)
            else:
                return
        if spool is not None:
            await self._put(spool, records, taken)

    async def close(self) -> None:
        """What is in the spool stays there."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._spool is not None:
            await self._disk.run(self._spool.close)
        self._disk.stop()

    def counters(self) -> dict[str, int]:
        return self._counts if self._spool is None else self._counts | {"in_spool": len(self._spool)}

    async def _put(self, spool: Spool, records: Sequence[bytes], taken: int) -> None:
        """All at once, or near the limit one by one."""
        try:
            try:
                await self._append(spool, records[taken:])
            except SpoolFullError:
                for record in records[taken:]:
                    await self._append(spool, [record])
                    taken += 1
        except SpoolFullError as error:
            hint = "bring the receiver back, or give it more room: spool_max="
            raise SinkError(self._name, f"{spool.folder}: the spool is full", hint=hint, taken=taken) from error
        except OSError as error:
            raise SinkError(self._name, f"{spool.folder}: {error.strerror or error}", taken=taken) from error

    async def _append(self, spool: Spool, records: Sequence[bytes]) -> None:
        await self._disk.run(lambda: spool.append(records))
        self._counts["spooled"] += len(records)
        self._waiting.set()

    async def _empty(self, spool: Spool) -> None:
        while True:
            await self._waiting.wait()
            try:
                await self._empty_some(spool)
            except SinkError as error:
                self._counts["errors"] += 1
                self._fell(error, spool)
                await asyncio.sleep(self._backoff.delay_s())
            except OSError as error:
                self._fell(SinkError(self._name, f"{spool.folder}: {error.strerror or error}"), spool)
                await asyncio.sleep(self._backoff.delay_s())

    async def _empty_some(self, spool: Spool) -> None:
        for record in await self._disk.run(lambda: spool.peek(_PEEK)):
            await self._send(record)
            self._backoff.reset()
            await self._disk.run(lambda: spool.done(1))
        if not len(spool):
            self._waiting.clear()
            self._rose()

    def _fell(self, error: SinkError, spool: Spool) -> None:
        if not self._down:
            self._down = True
            self._report(f"{error}; alerts go to the spool {spool.folder}")

    def _rose(self) -> None:
        if self._down:
            self._down = False
            self._report(f"{self._name}: works again, the spool is empty")
