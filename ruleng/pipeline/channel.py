"""Between the rules and the sinks: a bounded queue and a worker for each sink, so that no sink holds up another or the rules.

`SinkHub.send` gives each alert to the channels it is for. A channel with room takes it at once; one that is full does what
its policy says: `block` makes the sender wait, once for each stall and at most `deadline_s`, then drops; `drop-oldest` and
`drop-newest` drop at once. What is dropped is counted in the Ledger under `sink.NAME`.

The worker writes batches. A batch that the sink refuses (SinkError) is kept and tried again, later each time; the trouble is
told once when it begins and once when it ends. A sink that is over (SinkClosedError) gets nothing more. An exception of any
other kind is a bug: it ends that channel, is told at once and raised by `close`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from ruleng.alert import Alert, Priority
from ruleng.errors import SinkClosedError, SinkError
from ruleng.ports import Ledger, Sink
from ruleng.sinks.backoff import Backoff

Policy = Literal["block", "drop-oldest", "drop-newest"]
Report = Callable[[str], None]

_ALERT_BYTES = 2048  # an alert without its output, roughly: its fields, and the event that it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    alerts: int = 10_000
    bytes: int = 64 << 20  # estimated
    policy: Policy = "block"
    deadline_s: float = 2.0  # of `block`
    batch: int = 500  # alerts written at once
    linger_s: float = 0.02  # a batch that is not full waits so long for more
    drain_s: float = 5.0  # patience at the end, while the sink takes nothing; as long again for it to close
    drain_max_s: float = 30.0  # however busily it takes


class Channel:
    """One sink's queue and worker. `start`, then `offer` or `put`, then `close`."""

    def __init__(
        self,
        sink: Sink,
        ledger: Ledger,
        report: Report,
        limits: Limits,
        *,
        priority: Priority = Priority.DEBUG,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = sink.name
        self.tried = asyncio.Event()  # to open the sink: it is open, or has said why not
        self.over = asyncio.Event()  # the sink takes nothing more
        self._sink = sink
        self._ledger = ledger
        self._report = report
        self._limits = limits
        self._priority = priority
        self._backoff = backoff or Backoff()
        self._queue: deque[Alert] = deque()
        self._queued_bytes = 0
        self._writing: list[Alert] = []  # the batch that the worker holds
        self._some = asyncio.Event()  # something is queued, or the end has come
        self._enough = asyncio.Event()  # a whole batch is, or the end has come
        self._room = asyncio.Event()
        self._stalled = False  # a sender has waited in vain since there was last room
        self._closing = asyncio.Event()
        self._failed_at: float | None = None
        self._worker: asyncio.Task[None] | None = None
        self._counts = dict.fromkeys(("delivered", "dropped", "retries"), 0)

    # --- for the sender -------------------------------------------------------------------------------------------------

    def wants(self, alert: Alert) -> bool:
        return alert.priority <= self._priority

    def offer(self, alerts: Sequence[Alert]) -> int:
        """Takes alerts without waiting. How many from the front are dealt with, which is all but where the policy is `block`."""
        for number, alert in enumerate(alerts):
            if not self._has_room() and not self._make_room():
                if self._limits.policy == "block" and not self._stalled and not self.over.is_set():
                    return number
                self._drop(1, "it is over" if self.over.is_set() else "its queue was full")
            else:
                self._append(alert)
        return len(alerts)

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Takes alerts, and waits for room where the policy is `block`."""
        taken = self.offer(alerts)
        while taken < len(alerts):
            self._room.clear()
            try:
                async with asyncio.timeout(self._limits.deadline_s):
                    await self._room.wait()
            except TimeoutError:
                self._stalled = True
            taken += self.offer(alerts[taken:])

    def counters(self) -> dict[str, int]:
        """Of the channel and of its sink; `waiting` is what is not delivered yet."""
        return {**self._sink.counters(), **self._counts, "waiting": len(self._queue) + len(self._writing)}

    def reopen(self) -> None:
        reopen = getattr(self._sink, "reopen", None)  # files and connections have it, see ruleng.sinks.blocking
        if reopen is not None:
            reopen()

    def _has_room(self) -> bool:
        limits = self._limits
        return not self.over.is_set() and len(self._queue) < limits.alerts and self._queued_bytes < limits.bytes

    def _make_room(self) -> bool:
        if self._limits.policy != "drop-oldest" or not self._queue:
            return False
        self._popleft()
        self._drop(1, "its queue was full")
        return True

    def _append(self, alert: Alert) -> None:
        self._queue.append(alert)
        self._queued_bytes += _weight(alert)
        self._some.set()
        if len(self._queue) >= self._limits.batch:
            self._enough.set()

    def _popleft(self) -> Alert:
        alert = self._queue.popleft()
        self._queued_bytes -= _weight(alert)
        return alert

    def _drop(self, count: int, reason: str) -> None:
        self._counts["dropped"] += count
        self._ledger.lost(f"sink.{self.name}", reason, count)

    # --- life -----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._worker = asyncio.create_task(self._work(), name=f"sink-{self.name}")
        self._worker.add_done_callback(self._ended)

    async def close(self) -> None:
        """Delivers what is queued, as long as there is progress, and closes the sink. Raises what the worker died of."""
        for event in (self._closing, self._some, self._enough):
            event.set()
        worker = self._worker
        if worker is not None:
            await self._drained(worker)
            worker.cancel()
            await asyncio.wait({worker})
        if left := len(self._queue) + len(self._writing):
            self._drop(left, "it had not taken them when the run ended")
            self._queue.clear()
            self._writing.clear()
            self._queued_bytes = 0
        try:
            async with asyncio.timeout(self._limits.drain_s):
                await self._sink.close()
        except TimeoutError:
            self._report(f"{self.name}: does not close; left as it is")
        except SinkError as error:
            self._say(error)
        if worker is not None and not worker.cancelled() and (bug := worker.exception()) is not None:
            raise bug

    async def _drained(self, worker: asyncio.Task[None]) -> None:
        loop, limits = asyncio.get_running_loop(), self._limits
        end = loop.time() + limits.drain_max_s
        delivered = -1
        while not worker.done() and self._counts["delivered"] != delivered and loop.time() < end:
            delivered = self._counts["delivered"]
            await asyncio.wait({worker}, timeout=min(limits.drain_s, end - loop.time()))

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """Whatever ended the worker, nobody waits for it in vain."""
        self.over.set()
        self.tried.set()
        self._room.set()
        if not worker.cancelled() and (bug := worker.exception()) is not None:
            self._report(f"{self.name}: stopped by a bug in it: {bug!r}")

    # --- the worker -----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            await self._open()
            while await self._next_batch():
                await self._deliver()
        except SinkClosedError as error:
            self.over.set()
            self._say(error)
            lost = len(self._writing) + len(self._queue)
            self._writing.clear()
            self._queue.clear()
            self._queued_bytes = 0
            if lost:
                self._drop(lost, "it is over")

    async def _open(self) -> None:
        while True:
            try:
                await self._sink.open()
            except SinkClosedError:
                raise
            except SinkError as error:
                self._fell(error)
                self.tried.set()
                await self._pause()
            else:
                self.tried.set()
                return

    async def _next_batch(self) -> bool:
        """Fills `_writing`. False when the end has come and nothing is left."""
        if not self._queue:
            self._some.clear()
            if not self._closing.is_set():
                await self._some.wait()
        if len(self._queue) < self._limits.batch and not self._closing.is_set():
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.linger_s):
                    await self._enough.wait()
        self._writing = [self._popleft() for _ in range(min(self._limits.batch, len(self._queue)))]
        self._stalled = False
        self._room.set()
        return bool(self._writing)

    async def _deliver(self) -> None:
        """Until the sink has taken all of `_writing`."""
        while self._writing:
            try:
                await self._sink.write(self._writing)
            except SinkClosedError as error:
                self._took(error.taken)
                raise
            except SinkError as error:
                self._took(error.taken)
                self._fell(error)
                await self._pause()
            else:
                self._took(len(self._writing))
                self._rose()

    def _took(self, count: int) -> None:
        del self._writing[:count]
        self._counts["delivered"] += count

    async def _pause(self) -> None:
        """Before the next try; the end of the run is a reason to try at once."""
        delay_s = self._backoff.delay_s()
        if self._closing.is_set():
            await asyncio.sleep(delay_s)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._closing.wait()

    def _fell(self, error: SinkError) -> None:
        self._counts["retries"] += 1
        if self._failed_at is None:
            self._failed_at = asyncio.get_running_loop().time()
            self._say(error)

    def _rose(self) -> None:
        if self._failed_at is not None:
            seconds = asyncio.get_running_loop().time() - self._failed_at
            self._failed_at = None
            self._backoff.reset()
            self._report(f"{self.name}: works again after {seconds:.0f} s")

    def _say(self, error: SinkError) -> None:
        self._report(f"{error}" if error.hint is None else f"{error} ({error.hint})")


def _weight(alert: Alert) -> int:
    return _ALERT_BYTES + 2 * len(alert.output)


class SinkHub:
    """All sinks of a run. `priorities` says, by sink, what alerts must be at least; `backoff` makes one for each."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        ledger: Ledger,
        *,
        report: Report,
        limits: Limits | None = None,
        priorities: Mapping[str, Priority] | None = None,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self.over = asyncio.Event()  # no sink is left that takes anything
        self._limits = limits or Limits()
        self._report = report
        self._unknown: set[str] = set()
        self._channels = {
            sink.name: Channel(
                sink,
                ledger,
                report,
                self._limits,
                priority=(priorities or {}).get(sink.name, Priority.DEBUG),
                backoff=backoff(),
            )
            for sink in sinks
        }
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Starts the channels. Returns when each sink has been tried, or takes long: one that fails is tried again later."""
        for channel in self._channels.values():
            channel.start()
        if self._channels:
            self._watcher = asyncio.create_task(self._watch(), name="sinks")
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_s):
                await asyncio.gather(*(channel.tried.wait() for channel in self._channels.values()))

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Waits only for channels that are full and `block`, for all of them together."""
        waiting = []
        for channel in self._channels.values():
            wanted = [alert for alert in alerts if self._is_for(alert, channel)]
            taken = channel.offer(wanted)
            if taken < len(wanted):
                waiting.append(channel.put(wanted[taken:]))
        if waiting:
            await asyncio.gather(*waiting)

    async def close(self) -> None:
        """Delivers what is queued and closes the sinks, all at the same time. Raises what a worker died of."""
        results = await asyncio.gather(*(channel.close() for channel in self._channels.values()), return_exceptions=True)
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def reopen(self) -> None:
        """SIGHUP: files that were moved away are opened anew."""
        for channel in self._channels.values():
            channel.reopen()

    def counters(self) -> dict[str, dict[str, int]]:
        return {name: channel.counters() for name, channel in self._channels.items()}

    def _is_for(self, alert: Alert, channel: Channel) -> bool:
        if not channel.wants(alert):
            return False
        if not alert.sinks or channel.name in alert.sinks:
            return True
        known = False
        for name in alert.sinks:
            if name in self._channels:
                known = True
            elif name not in self._unknown:
                self._unknown.add(name)
                self._report(f"the rule `{alert.rule}` names the sink `{name}`, which is not there")
        return not known  # an alert for nobody is for everybody

    async def _watch(self) -> None:
        """A run without sinks is not over: it may act."""
        await asyncio.gather(*(channel.over.wait() for channel in self._channels.values()))
        self.over.set()
