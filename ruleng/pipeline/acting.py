"""Settings -> who acts: the actor behind its guard, and the journal that it needs as soon as a rule may destroy something."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ruleng.actions.act import Actor
from ruleng.actions.guard import Guard, Protected
from ruleng.actions.journal import Journal
from ruleng.engine.ruleset import RuleSet
from ruleng.errors import HostError
from ruleng.pipeline.channel import Report
from ruleng.pipeline.settings import Settings
from ruleng.ports import Clock, Ledger
from ruleng.state import State

_DESTRUCTIVE = frozenset({"kill", "stop", "freeze"})


def actor(settings: Settings, state: State, ledger: Ledger, clock: Clock, report: Report) -> tuple[Actor, Journal]:
    """The journal is not open yet, see `prepare`."""
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


def prepare(ruleset: RuleSet, journal: Journal) -> None:
    """Opens the journal if these rules need it, and makes its folder where only that is missing. Raises HostError."""
    if not any(rule.enabled and any(action.name in _DESTRUCTIVE for action in rule.actions) for rule in ruleset.rules):
        return
    if journal.path is not None:
        with contextlib.suppress(OSError):  # opening says what is wrong
            journal.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        journal.open()
    except HostError as error:
        raise HostError(f"rules want to act, and {error}", errno=error.errno, hint=error.hint) from error
