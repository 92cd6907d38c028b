"""`ruleng events`: what a source or files normalise to, as JSON lines in the catalogue's names."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import BinaryIO

import orjson

from ruleng.errors import UsageError
from ruleng.fields.catalogue import standard
from ruleng.fields.record import to_fields
from ruleng.metrics import RunStats
from ruleng.pipeline import sources
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.ending import is_sound, say_losses
from ruleng.pipeline.pump import pump
from ruleng.pipeline.replay import file_source
from ruleng.pipeline.settings import Settings
from ruleng.pipeline.signals import handled
from ruleng.pipeline.voice import Voice
from ruleng.ports import Demand
from ruleng.state import ProcReader, State

_ARGUMENTS = ("evt.arg.", "evt.rawarg.")  # names of parameters follow


def demand_for(types: Collection[str] | None = None, fields: Collection[str] | None = None) -> Demand:
    """Everything, or what is named. Raises UsageError for names that the catalogue does not have."""
    catalogue = standard()
    _known("event type", types or (), catalogue.event_types)
    plain = {name.partition("[")[0] for name in fields or ()}
    _known("field", (name for name in plain if not name.startswith(_ARGUMENTS)), catalogue.fields)
    return Demand(
        event_types=catalogue.event_types if types is None else frozenset(types),
        fields=frozenset(catalogue.fields) if fields is None else frozenset(plain),
    )


def _known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise UsageError(f"there is no {kind} `{name}`", hint=f"did you mean `{near[0]}`?" if near else None)


async def print_events(
    settings: Settings,
    paths: Sequence[str],
    voice: Voice,
    out: BinaryIO,
    *,
    types: Sequence[str] | None = None,
    fields: Sequence[str] | None = None,
    rotated: bool = False,
) -> int:
    """Of files, or without any of the settings' source. `types` and `fields` say which; None is all of them.

    Exit status: 0, or 1 when some of the input could not be read. Raises UsageError for names that the catalogue lacks.
    """
    demand = demand_for(types, fields)
    stats = RunStats(SystemClock())
    kind = None if paths else sources.chosen(settings)
    if kind is None:
        source = file_source(settings, paths, stats.ledger, stats.clock, rotated=rotated)
    else:
        state = State(ProcReader(), stats.clock, settings.limits(), stats.ledger, fields=demand.fields)
        source = kind.make(settings, state, stats.ledger)
    stop = asyncio.Event()
    with handled(stop=stop.set):
        try:
            await source.open(demand)
            for remark in sources.remarks(source):
                voice.say(remark)
            if settings.duration_s is not None:
                asyncio.get_running_loop().call_later(settings.duration_s, stop.set)
            async with contextlib.aclosing(pump(source, stop, stats)) as batches:
                async for batch in batches:
                    lines = [
                        orjson.dumps(to_fields(event, fields), option=orjson.OPT_APPEND_NEWLINE)
                        for event in batch
                        if event.type in demand.event_types
                    ]
                    if lines:
                        out.write(b"".join(lines))
                        out.flush()
        finally:
            await source.close()
    say_losses(stats, voice)
    return 0 if is_sound(stats) else 1
