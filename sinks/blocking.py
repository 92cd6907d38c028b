"""Sinks that block (a file, a pipe, a database) on a thread of their own, as ports.Sink.

The event loop never waits for a disk. The thread is a daemon: a disk or a pipe that hangs holds up neither the loop nor the
end of the process, as a thread of concurrent.futures would, which the interpreter joins at its exit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ruleng.alert import Alert

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    result: T


@dataclass(frozen=True, slots=True)
class Failed:
    error: BaseException


Finished = Done[T] | Failed


def _nothing() -> None:
    return


class Blocking(Protocol):
    """A sink whose methods block. All are called from one thread, but for `reopen` and `counters`, which may be called from
    any and return at once.
    """

    name: str
    idle_s: float | None
    """`idle` is called when so many seconds have passed without a call; None: never."""

    def open(self) -> None: ...

    def write(self, alerts: Sequence[Alert]) -> None:
        """As ports.Sink.write."""
        ...

    def idle(self) -> None:
        """What it raises, the next call raises instead of doing its work."""
        ...

    def close(self) -> None: ...

    def reopen(self) -> None:
        """Asks for what is held open to be opened anew before the next write: SIGHUP, after somebody moved it away."""
        ...

    def counters(self) -> Mapping[str, int]: ...


class Thread:
    """Runs functions one after the other on one daemon thread; the first starts it."""

    def __init__(self, name: str, idle: Callable[[], None] | None = None, idle_s: float | None = None) -> None:
        self._name = name
        self._idle = idle
        self._idle_s = idle_s
        self._idle_error: BaseException | None = None
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, function: Callable[[], T]) -> T:
        """Its result, or its exception. Cancelled, a function that has begun goes on: nothing can stop a blocked system call."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def settle(finished: Finished[T]) -> None:
            if done.cancelled():
                return
            if isinstance(finished, Failed):
                done.set_exception(finished.error)
            else:
                done.set_result(finished.result)

        def job() -> None:
            if done.cancelled():
                return
            with suppress(RuntimeError):  # the loop ended before its answer came
                loop.call_soon_threadsafe(settle, self._attempt(function))

        self._jobs.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"ruleng-{self._name}", daemon=True)
            self._thread.start()
        return await done

    def stop(self) -> None:
        """The thread ends after what it was given. Does not wait."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _attempt(self, function: Callable[[], T]) -> Finished[T]:
        error, self._idle_error = self._idle_error, None
        try:
            return Failed(error) if error is not None else Done(function())
        except BaseException as raised:  # handed to the one who waits
            return Failed(raised)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=self._idle_s)
            except queue.Empty:
                match self._attempt(self._idle or _nothing):
                    case Failed(error):
                        self._idle_error = error
                continue
            if job is None:
                return
            job()


class ThreadSink:
    """ports.Sink over a Blocking one."""

    def __init__(self, inner: Blocking) -> None:
        self.name = inner.name
        self.inner = inner
        self._thread = Thread(inner.name, inner.idle, inner.idle_s)

    async def open(self) -> None:
        await self._thread.run(self.inner.open)

    async def write(self, alerts: Sequence[Alert]) -> None:
        await self._thread.run(lambda: self.inner.write(alerts))

    async def close(self) -> None:
        try:
            await self._thread.run(self.inner.close)
        finally:
            self._thread.stop()

    def reopen(self) -> None:
        self.inner.reopen()

    def counters(self) -> Mapping[str, int]:
        return self.inner.counters()
