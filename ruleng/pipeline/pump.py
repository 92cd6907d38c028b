"""An opened source, read until it ends or somebody says stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from ruleng.event import Event
from ruleng.metrics import RunStats
from ruleng.ports import Source

TICK_S = 1.0
"""How long nothing may come before the reader hears that nothing came."""


async def pump(source: Source, stop: asyncio.Event, stats: RunStats) -> AsyncGenerator[Sequence[Event], None]:
    """The source's batches; an empty one every TICK_S while nothing comes.

    After `stop` the source is closed; what it had read by then still comes. Counts the processor's time that reading takes as
    `read` and the rest, in which there was nothing to do, as `wait`.
    """
    batches = source.batches()
    stopped = asyncio.ensure_future(stop.wait())
    awaited = {stopped}
    reading = asyncio.ensure_future(_next(batches))
    try:
        while True:
            began_ns, busy_ns = time.perf_counter_ns(), time.thread_time_ns()
            await asyncio.wait({reading, *awaited}, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
            has_ended = awaited and stopped.done()
            if has_ended:
                awaited.clear()
                await source.close()
            busy_ns = time.thread_time_ns() - busy_ns
            stats.spent("read", busy_ns)
            stats.spent("wait", max(0, time.perf_counter_ns() - began_ns - busy_ns))
            if reading.done():
                batch = reading.result()
                if batch is None:
                    return
                yield batch
                reading = asyncio.ensure_future(_next(batches))
            elif not has_ended:
                yield ()
    finally:
        for task in (stopped, reading):
            task.cancel()
        await asyncio.gather(stopped, reading, return_exceptions=True)


async def _next(batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event] | None:
    return await anext(batches, None)
