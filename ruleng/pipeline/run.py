"""The loop: batches from a source, through the evaluator, to the sinks; until the source ends or somebody says stop.

SIGTERM and SIGINT drain: nothing more is read, what was read is decided, and the sinks get it. So does the end of the last
sink (`ruleng ... | head`). SIGHUP reloads where there is something to reload.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Sequence

from ruleng.alert import Alert
from ruleng.errors import RulengError
from ruleng.metrics import RunStats
from ruleng.pipeline.channel import SinkHub
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.pump import pump
from ruleng.pipeline.signals import handled
from ruleng.pipeline.voice import Voice
from ruleng.ports import Source


class Run:
    """One run. `ready` is called when everything is open. `reload` puts other rules in force, or raises RulengError having
    changed nothing. Afterwards `is_deserted` says whether it ended because no sink took anything any more.
    """

    def __init__(
        self,
        source: Source,
        evaluator: Evaluator,
        hub: SinkHub,
        stats: RunStats,
        voice: Voice,
        *,
        ready: Callable[[], None] | None = None,
        reload: Callable[[], None] | None = None,
    ) -> None:
        self.is_deserted = False
        self._source = source
        self._evaluator = evaluator
        self._hub = hub
        self._stats = stats
        self._voice = voice
        self._ready = ready
        self._reload = reload
        self._stop = asyncio.Event()
        self._is_open = False
        self._reload_wanted = False
        self._sending: set[asyncio.Future[None]] = set()  # what sinks have not made room for yet

    async def run(self, duration_s: float | None = None) -> None:
        """Opens sinks and source, runs for so long at most, drains, closes both. Raises what opening or reading raises."""
        with handled(stop=self._stop.set, hang_up=self._hang_up if self._reload is not None else None):
            await self._hub.open()
            watching = asyncio.ensure_future(self._until_no_sink_is_left())
            try:
                try:
                    await self._source.open(self._evaluator.ruleset.demand)
                    await self._batches(duration_s)
                finally:
                    self._is_open = False
                    await self._source.close()
                await self._losses()
            finally:
                watching.cancel()
                began_ns = time.perf_counter_ns()
                await asyncio.gather(self._hub.close(), *self._sending)
                self._stats.spent("drain", time.perf_counter_ns() - began_ns)

    async def _batches(self, duration_s: float | None) -> None:
        self._is_open = True
        _settle()
        if self._ready is not None:
            self._ready()
        if self._reload_wanted:
            self._hang_up()
        if duration_s is not None:
            asyncio.get_running_loop().call_later(duration_s, self._stop.set)
        async with contextlib.aclosing(pump(self._source, self._stop, self._stats)) as batches:
            async for batch in batches:
                if batch:
                    await self._send(self._evaluator.evaluate(batch))
                await self._losses()
                if (known := self._source.progress()) is not None:
                    self._voice.progress(self._stats.events.total(), *known)

    async def _losses(self) -> None:
        """What was lost is an event, too."""
        if lost := self._stats.ledger.drain():
            await self._send(self._evaluator.evaluate(lost))

    async def _send(self, alerts: Sequence[Alert]) -> None:
        """Waits while sinks that block are full, but not once the end has come: closing them settles that."""
        if not alerts:
            return
        self._voice.clear()
        began_ns = time.perf_counter_ns()
        sending = asyncio.ensure_future(self._hub.send(alerts))
        stopped = asyncio.ensure_future(self._stop.wait())
        self._sending.add(sending)
        await asyncio.wait({sending, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if sending.done():
            self._sending.discard(sending)
            sending.result()
        self._stats.spent("send", time.perf_counter_ns() - began_ns)

    def _hang_up(self) -> None:
        """SIGHUP. Before everything is open it is kept for then."""
        self._reload_wanted = not self._is_open
        if self._reload is None or not self._is_open:
            return
        try:
            self._reload()
        except RulengError as error:
            self._voice.say(f"reload refused, the old rules stay: {error}")
        else:
            _settle()
            self._voice.say(f"reloaded: {self._evaluator.enabled} rules")

    async def _until_no_sink_is_left(self) -> None:
        await self._hub.over.wait()
        self.is_deserted = True
        self._stop.set()


def _settle() -> None:
    """Rules and state that are there now stay: the collector need not look at them again. What a reload replaced, it may take."""
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
    gc.freeze()
