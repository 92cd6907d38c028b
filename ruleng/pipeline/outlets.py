"""Settings -> where alerts go and who acts: the sinks behind their hub, and the actor behind its guard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ruleng.actions.act import Actor
from ruleng.actions.guard import Guard, Protected
from ruleng.actions.journal import Journal
from ruleng.errors import HostError, UsageError
from ruleng.pipeline.channel import Limits, Report, SinkHub
from ruleng.pipeline.settings import Settings
from ruleng.ports import Clock, Ledger
from ruleng.sinks.spec import SinkSpec, name_apart, open_sink, parse_spec
from ruleng.sinks.tools import Tools
from ruleng.state import State

DEFAULT_SINK = "stdout"
REPLAY_DEADLINE_S = 60.0
"""A replay waits longer for its sinks than a live run: no kernel stands behind it that would lose events meanwhile."""


def hub(settings: Settings, ledger: Ledger, clock: Clock, report: Report, *, live: bool) -> SinkHub:
    """Raises UsageError for a mistaken sink."""
    config = settings.config
    specs = name_apart(_specs(settings))
    limits = Limits(
        alerts=config.get("queue", "alerts"),
        policy=config.get("queue", "policy") if live else "block",
        deadline_s=config.duration_ns("queue", "deadline") / 1e9 if live else REPLAY_DEADLINE_S,
    )
    tools = Tools(ledger, clock, report)
    sinks = [open_sink(spec, tools) for spec in specs]
    return SinkHub(sinks, ledger, report=report, limits=limits, priorities={spec.name: spec.priority for spec in specs})


def _specs(settings: Settings) -> Iterator[SinkSpec]:
    """Those of the command line instead of those of the configuration."""
    rows = settings.config.arrays["sink"]
    if settings.sinks or not rows:
        yield from map(parse_spec, settings.sinks or (DEFAULT_SINK,))
        return
    for number, row in enumerate(rows):
        try:
            yield parse_spec(row["spec"], options=row["options"], name=row["name"], priority=row["priority"])
        except UsageError as error:
            raise settings.config.mistake("sink", "spec", error, number=number) from error


def actor(settings: Settings, state: State, ledger: Ledger, clock: Clock, report: Report) -> tuple[Actor, Journal]:
    """The journal is not open yet: `open_journal`, when rules want to act."""
    config = settings.config
    guard = Guard(
        Protected(
            pids=frozenset(config.get("guard", "pids")),
            users=frozenset(config.get("guard", "users")),
            images=tuple(config.get("guard", "images")),
            exe_paths=tuple(config.get("guard", "paths")),
        ),
        announce=report,
        per_minute=config.get("guard", "per_minute"),
    )
    path = config.get("guard", "journal")
    journal = Journal(Path(path) if path else None, ledger)
    return Actor(guard, journal, state, clock, dry_run=settings.without_acting()), journal


def open_journal(journal: Journal) -> None:
    """Makes its folder where only that is missing. Raises HostError."""
    if journal.path is not None:
        with contextlib.suppress(OSError):  # opening says what is wrong
            journal.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        journal.open()
    except HostError as error:
        raise HostError(f"rules want to act, and {error}", errno=error.errno, hint=error.hint) from error
