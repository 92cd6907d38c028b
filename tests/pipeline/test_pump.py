"""A source, read until it ends or somebody says stop. Time jumps: nothing here waits."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing

import pytest

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.metrics import RunStats
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.pump import TICK_S, pump
from tests.pipeline.fakeloop import now, run
from tests.pipeline.feeds import Feed, Step

ONE, TWO, THREE = (Event(type="openat", time_ns=0, num=number) for number in (1, 2, 3))


def pumped(feed: Feed, *, stop_after: int | None = None, stats: RunStats | None = None) -> list[tuple[float, list[int]]]:
    """(seconds since the start, numbers of the events) of each batch; says stop after so many."""

    async def read() -> list[tuple[float, list[int]]]:
        began, stop, found = now(), asyncio.Event(), []
        async with aclosing(pump(feed, stop, stats or RunStats(SystemClock()))) as batches:
            async for batch in batches:
                found.append((now() - began, [event.num for event in batch]))
                if len(found) == stop_after:
                    stop.set()
        return found

    return run(read())


def test_batches_come_in_order_until_the_source_ends() -> None:
    assert pumped(Feed([[ONE], [TWO, THREE]])) == [(0, [1]), (0, [2, 3])]


def test_while_nothing_comes_it_says_so_every_second() -> None:
    silence = 2.5 * TICK_S
    assert pumped(Feed([[ONE], silence, [TWO]])) == [(0, [1]), (TICK_S, []), (2 * TICK_S, []), (silence, [2])]


def test_a_source_that_never_waits_is_stopped_all_the_same() -> None:
    feed = Feed(itertools.repeat([ONE]))
    assert len(pumped(feed, stop_after=3)) <= 4  # one may have been read already
    assert feed.closed == 1


def test_a_source_that_waits_is_stopped_at_once() -> None:
    assert pumped(Feed([[ONE], 3600.0, [TWO]]), stop_after=1) == [(0, [1])]


def test_what_was_read_before_it_was_stopped_still_comes() -> None:
    assert pumped(Feed([[ONE], 3600.0], last=[TWO, THREE]), stop_after=1) == [(0, [1]), (0, [2, 3])]


def test_what_the_source_raises_is_raised() -> None:
    with pytest.raises(InputError, match="gone"):
        pumped(Feed([[ONE], InputError("gone")]))


def test_who_reads_no_more_leaves_nothing_running() -> None:
    async def read() -> int:
        async with aclosing(pump(Feed([[ONE], 3600.0]), asyncio.Event(), RunStats(SystemClock()))) as batches:
            async for _ in batches:
                break
        return len(asyncio.all_tasks())

    assert run(read()) == 1


def test_the_processors_time_is_counted_as_reading() -> None:
    def work() -> Iterator[Step]:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        yield [ONE]

    stats = RunStats(SystemClock())
    pumped(Feed(work()), stats=stats)
    assert stats.stages_ns["read"] >= 50_000_000


def test_time_without_work_is_counted_as_waiting() -> None:
    stats = RunStats(SystemClock())

    async def read() -> list[Sequence[Event]]:
        return [batch async for batch in pump(Feed([0.1, [ONE]]), asyncio.Event(), stats)]

    asyncio.run(read())  # time passes here
    assert stats.stages_ns["wait"] >= 90_000_000
    assert stats.stages_ns["read"] < 50_000_000
