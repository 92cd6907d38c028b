"""`ruleng run`: put together from settings, run, summed up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from ruleng.errors import HostError
from ruleng.lang.checked import Rule
from ruleng.lang.diagnostics import Diagnostic
from ruleng.metrics import RunStats, summary
from ruleng.pipeline import outlets, rules
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.run import Run
from ruleng.pipeline.settings import Settings
from ruleng.pipeline.sources import chosen, reach
from ruleng.ports import Source
from ruleng.state import Limits, ProcReader, State

Show = Callable[[Sequence[Diagnostic]], None]
"""Tells a person what is odd about the rules."""

_DESTRUCTIVE = frozenset({"kill", "stop", "freeze"})


def say(text: str) -> None:
    """A line for the person who runs ruleng."""
    print(f"ruleng: {text}", file=sys.stderr, flush=True)


def limits(settings: Settings) -> Limits:
    config = settings.config
    return Limits(processes=config.get("state", "processes"), containers=config.get("state", "containers"))


async def live(settings: Settings, show: Show, *, quiet: bool = False) -> int:
    """Exit status. Raises RulengError when it cannot start."""
    clock = SystemClock()
    stats = RunStats(clock)
    kind = chosen(settings.source_names())
    ruled = rules.build(settings, reach=reach(kind))
    show(ruled.warnings)
    state = State(ProcReader(), clock, limits(settings), stats.ledger, fields=ruled.ruleset.demand.fields)
    source = kind.make(settings, state, stats.ledger)
    hub = outlets.hub(settings, stats.ledger, clock, say, live=True)
    actor, journal = outlets.actor(settings, state, stats.ledger, clock, say)
    if any(_acts(rule) for rule in ruled.ruleset.rules):
        outlets.open_journal(journal)
    evaluator = Evaluator(ruled.ruleset, actor, stats, hostname=settings.hostname(), matching=settings.rule_matching(), log=say)

    def reload() -> None:
        again = rules.build(settings, reach=reach(kind))
        show(again.warnings)
        if any(_acts(rule) for rule in again.ruleset.rules):
            outlets.open_journal(journal)
        _ask(source, again)
        evaluator.use(again.ruleset)
        actor.guard.reset()
        hub.reopen()

    run = Run(source, evaluator, hub, stats, reload=reload, say=say)
    say(f"{sum(rule.enabled for rule in ruled.ruleset.rules)} rules, source {kind.name}; Ctrl-C ends")
    try:
        await run.run(settings.duration_s)
    finally:
        journal.close()
    stats.sinks = hub.counters()
    if not quiet:
        print(summary(stats), file=sys.stderr)
    return 0


def _acts(rule: Rule) -> bool:
    return rule.enabled and any(action.name in _DESTRUCTIVE for action in rule.actions)


def _ask(source: Source, ruled: rules.Ruled) -> None:
    """Tell a running source what other rules need. Raises HostError when it cannot follow."""
    try:
        source.demand(ruled.ruleset.demand)
    except HostError as error:
        raise HostError(f"the source cannot follow: {error}", errno=error.errno, hint=error.hint) from error
