"""`ruleng replay`, and reading events from files for other commands: audit logs and recordings alike. Touches no host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from ruleng.event import Event
from ruleng.metrics import RunStats
from ruleng.pipeline import outlets, rules
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.ending import is_sound, sum_up
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.files import look
from ruleng.pipeline.inert import Inert
from ruleng.pipeline.run import Run
from ruleng.pipeline.settings import Settings
from ruleng.pipeline.voice import Voice
from ruleng.ports import Clock, Demand, Ledger, Source
from ruleng.state import State


def file_source(settings: Settings, paths: Sequence[str], ledger: Ledger, clock: Clock, *, rotated: bool = False) -> Source:
    """Raises InputError for an unreadable file, UsageError for files of two kinds."""
    found = look(paths)
    if found.kind == "recorded":
        from ruleng.sources.replay import RecordedEvents

        return RecordedEvents(paths, ledger, begun=found.begun)
    from ruleng.sources.audit.source import AuditFiles

    state = State(None, clock, settings.limits(), ledger)
    return AuditFiles(paths, state, ledger, rotated=rotated, backend=settings.audit_backend(), begun=found.begun)


async def replay(settings: Settings, paths: Sequence[str], voice: Voice, *, rotated: bool = False, quiet: bool = False) -> int:
    """Exit status: 0, or 1 when input could not be read or an alert not be delivered."""
    ruled = rules.build(settings)
    voice.show(ruled.warnings)
    clock = SystemClock()
    stats = RunStats(clock)
    source = file_source(settings, paths, stats.ledger, clock, rotated=rotated)
    hub = outlets.hub(settings, stats.ledger, clock, voice.say, live=False)
    evaluator = Evaluator(
        ruled.ruleset, Inert(), stats, hostname=settings.hostname(), matching=settings.rule_matching(), log=voice.say
    )
    run = Run(source, evaluator, hub, stats, voice)
    try:
        await run.run()
    finally:
        voice.clear()
    sum_up(stats, evaluator, hub, voice, quiet=quiet)
    return 0 if is_sound(stats) or run.is_deserted else 1


def read_events(settings: Settings, path: str, demand: Demand, stats: RunStats) -> Iterator[Event]:
    """The events of a file, in order, as they are read, for commands that are in no hurry."""
    source = file_source(settings, [path], stats.ledger, stats.clock)
    with asyncio.Runner() as runner:
        try:
            runner.run(source.open(demand))
            batches = source.batches()
            while (batch := runner.run(_next(batches))) is not None:
                yield from batch
        finally:
            runner.run(source.close())


async def _next(batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event] | None:
    return await anext(batches, None)
