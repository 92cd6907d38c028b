"""The loop: batches from a source, through the evaluator, to the sinks; until the source ends or somebody says stop.

SIGTERM and SIGINT drain: nothing more is read, what was read is decided, and the sinks get it. SIGHUP reloads: a bad file is
refused, the old rules stay, state is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from ruleng.alert import Alert
from ruleng.errors import RulengError
from ruleng.event import Event
from ruleng.metrics import RunStats
from ruleng.pipeline.channel import SinkHub
from ruleng.pipeline.evaluate import Evaluator
from ruleng.ports import Source

LOSSES_EVERY_S = 1.0
"""How often losses become `ruleng.lost` events, and progress is told, while nothing comes."""


class Run:
    """One run. `reload` returns after it has put other rules in force, or raises RulengError having changed nothing."""

    def __init__(
        self,
        source: Source,
        evaluator: Evaluator,
        hub: SinkHub,
        stats: RunStats,
        *,
        reload: Callable[[], None],
        say: Callable[[str], None],
        watch: Callable[[RunStats, Source], None] = lambda stats, source: None,
    ) -> None:
        self._source = source
        self._evaluator = evaluator
        self._hub = hub
        self._stats = stats
        self._reload = reload
        self._say = say
        self._watch = watch
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Read nothing more, finish what was read."""
        self._stop.set()

    def reload(self) -> None:
        try:
            self._reload()
        except RulengError as error:
            self._say(f"reload refused, the old rules stay: {error}")
        else:
            self._say(f"reloaded: {sum(rule.enabled for rule in self._evaluator.ruleset.rules)} rules")

    async def run(self, duration_s: float | None = None) -> None:
        """Opens sinks and source, runs, drains, closes both. Raises what opening raises."""
        await self._hub.open()
        try:
            await self._source.open(self._evaluator.ruleset.demand)
            try:
                with _signals(stop=self.stop, reload=self.reload):
                    timer = asyncio.get_running_loop().call_later(duration_s, self.stop) if duration_s is not None else None
                    await self._batches()
                    if timer is not None:
                        timer.cancel()
            finally:
                await self._source.close()
            await self._send(self._evaluator.evaluate(self._stats.ledger.drain()))
        finally:
            await self._hub.close()

    async def _batches(self) -> None:
        stopped = asyncio.ensure_future(self._stop.wait())
        batches = self._source.batches()
        try:
            waiting = asyncio.ensure_future(_next(batches))
            while True:
                started = time.perf_counter_ns()
                await asyncio.wait({waiting, stopped}, timeout=LOSSES_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                self._stats.spent("read", time.perf_counter_ns() - started)
                if stopped.done() and not waiting.done():
                    await self._source.close()  # ends the batches, the last one with what was read already
                    await asyncio.wait({waiting})
                if waiting.done():
                    batch = waiting.result()
                    if batch is None:
                        return
                    waiting = asyncio.ensure_future(_next(batches))
                    await self._send(self._evaluator.evaluate(batch))
                await self._send(self._evaluator.evaluate(self._stats.ledger.drain()))
                self._watch(self._stats, self._source)
        finally:
            stopped.cancel()
            waiting.cancel()
            await asyncio.gather(stopped, waiting, return_exceptions=True)

    async def _send(self, alerts: Sequence[Alert]) -> None:
        if alerts:
            started = time.perf_counter_ns()
            await self._hub.send(alerts)
            self._stats.spent("send", time.perf_counter_ns() - started)


async def _next(batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event] | None:
    return await anext(batches, None)


@contextlib.contextmanager
def _signals(*, stop: Callable[[], None], reload: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
