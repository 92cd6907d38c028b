"""`ruleng events`: what a source or files normalise to, as JSON lines in the catalogue's names."""

from __future__ import annotations

import asyncio
import difflib
import signal
from collections.abc import Collection, Sequence
from typing import BinaryIO

import orjson

from ruleng.errors import UsageError
from ruleng.fields.catalogue import standard
from ruleng.fields.record import to_fields
from ruleng.metrics import RunStats
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.live import limits, say
from ruleng.pipeline.replay import events_of, file_source
from ruleng.pipeline.settings import Settings
from ruleng.pipeline.sources import chosen
from ruleng.ports import Demand
from ruleng.state import ProcReader, State


def demand_for(types: Collection[str] | None, fields: Collection[str] | None) -> Demand:
    """Everything, or what is named. Raises UsageError for names that the catalogue does not have."""
    catalogue = standard()
    for kind, names, known in (("event type", types, catalogue.event_types), ("field", fields, catalogue.fields.keys())):
        for name in names or ():
            if name.partition("[")[0] not in known and not name.startswith(("evt.arg.", "evt.rawarg.")):
                near = difflib.get_close_matches(name, known, 1)
                raise UsageError(f"there is no {kind} `{name}`", hint=f"did you mean `{near[0]}`?" if near else None)
    return Demand(
        event_types=frozenset(types) if types is not None else catalogue.event_types,
        fields=frozenset(name.partition("[")[0] for name in fields) if fields is not None else frozenset(catalogue.fields),
    )


async def print_events(
    settings: Settings, paths: Sequence[str], demand: Demand, fields: Sequence[str] | None, out: BinaryIO, *, rotated: bool
) -> int:
    """Exit status: 0, or 1 when some of the input could not be read."""
    clock = SystemClock()
    stats = RunStats(clock)
    if paths:
        source = file_source(settings, paths, stats.ledger, clock, rotated=rotated)
    else:
        kind = chosen(settings.source_names())
        state = State(ProcReader(), clock, limits(settings), stats.ledger, fields=demand.fields)
        source = kind.make(settings, state, stats.ledger)
    loop = asyncio.get_running_loop()
    closing: list[asyncio.Task[None]] = []

    def stop() -> None:
        closing.append(loop.create_task(source.close()))

    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, stop)
    if settings.duration_s is not None:
        loop.call_later(settings.duration_s, stop)
    async for batch in events_of(source, demand):
        out.write(
            b"".join(
                orjson.dumps(to_fields(event, fields), option=orjson.OPT_APPEND_NEWLINE)
                for event in batch
                if event.type in demand.event_types
            )
        )
        out.flush()
    for loss in stats.ledger.losses():
        say(f"{loss.where}: {loss.reason}: {loss.count} (first: {loss.sample})")
    return 1 if stats.ledger.losses() else 0
