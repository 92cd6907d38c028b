"""`ruleng replay`, and reading events from files for other commands: audit logs and recordings alike. Touches no host."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol

from ruleng.event import Event
from ruleng.metrics import RunStats, summary
from ruleng.pipeline import outlets, rules
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.files import kind_of_files
from ruleng.pipeline.inert import Inert
from ruleng.pipeline.live import Show, limits, say
from ruleng.pipeline.run import Run
from ruleng.pipeline.settings import Settings
from ruleng.ports import Clock, Demand, Ledger, Source
from ruleng.state import State


class Progress(Protocol):
    def update(self, events: int, done: int, total: int) -> None: ...

    def clear(self) -> None: ...


def file_source(
    settings: Settings, paths: Sequence[str], ledger: Ledger, clock: Clock, *, rotated: bool = False, backend: str | None = None
) -> Source:
    """Raises InputError for an unreadable file, UsageError for files of two kinds."""
    if kind_of_files(paths) == "recorded":
        from ruleng.sources.replay import RecordedEvents

        return RecordedEvents(paths, ledger)
    from ruleng.sources.audit.source import AuditFiles

    state = State(None, clock, limits(settings), ledger)
    return AuditFiles(paths, state, ledger, rotated=rotated, backend=backend or settings.config.get("audit", "backend"))


async def replay(
    settings: Settings,
    paths: Sequence[str],
    show: Show,
    progress: Progress,
    *,
    rotated: bool = False,
    backend: str | None = None,
    quiet: bool = False,
) -> int:
    """Exit status: 0, or 1 when some of the input could not be read."""
    clock = SystemClock()
    stats = RunStats(clock)
    ruled = rules.build(settings)
    show(ruled.warnings)
    source = file_source(settings, paths, stats.ledger, clock, rotated=rotated, backend=backend)
    hub = outlets.hub(settings, stats.ledger, clock, say, live=False)
    evaluator = Evaluator(ruled.ruleset, Inert(), stats, hostname=settings.hostname(), matching=settings.rule_matching(), log=say)

    def watch(stats: RunStats, source: Source) -> None:
        known = source.progress()
        if known is not None:
            progress.update(stats.events.total(), *known)

    run = Run(source, evaluator, hub, stats, reload=lambda: None, say=say, watch=watch)
    try:
        await run.run()
    finally:
        progress.clear()
    stats.sinks = hub.counters()
    if not quiet:
        print(summary(stats), file=sys.stderr)
    return 1 if any(loss.where.startswith(("audit.parse", "replay")) for loss in stats.ledger.losses()) else 0


async def events_of(source: Source, demand: Demand) -> AsyncIterator[Sequence[Event]]:
    """Opens, reads to the end, closes."""
    await source.open(demand)
    try:
        async for batch in source.batches():
            yield batch
    finally:
        await source.close()


def read_events(settings: Settings, path: str, demand: Demand, stats: RunStats) -> Iterator[Event]:
    """All events of a file, in order, for commands that are in no hurry."""

    async def read() -> list[Event]:
        source = file_source(settings, [path], stats.ledger, stats.clock)
        return [event async for batch in events_of(source, demand) for event in batch]

    yield from asyncio.run(read())
