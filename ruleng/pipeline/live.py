"""`ruleng run`: put together from settings, run, summed up."""

from __future__ import annotations

from collections.abc import Callable

from ruleng.errors import RulesError
from ruleng.metrics import RunStats
from ruleng.pipeline import acting, outlets, rules, sources
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.ending import sum_up
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.run import Run
from ruleng.pipeline.settings import Settings
from ruleng.pipeline.voice import Voice
from ruleng.state import ProcReader, State


async def live(read_settings: Callable[[], Settings], voice: Voice, *, quiet: bool = False) -> int:
    """Exit status. Raises RulengError when it cannot start.

    A reload reads the settings anew, but takes only what they say of rules: sinks, source, state and guard stay.
    """
    settings = read_settings()
    kind = sources.chosen(settings)
    reach = sources.reach(kind)
    ruled = rules.build(settings, reach=reach)
    voice.show(ruled.warnings)
    clock = SystemClock()
    stats = RunStats(clock)
    state = State(ProcReader(), clock, settings.limits(), stats.ledger, fields=ruled.ruleset.demand.fields)
    source = kind.make(settings, state, stats.ledger)
    hub = outlets.hub(settings, stats.ledger, clock, voice.say, live=True)
    actor, journal = acting.actor(settings, state, stats.ledger, clock, voice.say)
    evaluator = Evaluator(
        ruled.ruleset, actor, stats, hostname=settings.hostname(), matching=settings.rule_matching(), log=voice.say
    )

    def ready() -> None:
        voice.say(f"{evaluator.enabled} rules, source {kind.name}; Ctrl-C ends")
        for remark in sources.remarks(source):
            voice.say(remark)

    def reload() -> None:
        hub.reopen()  # whatever becomes of the rules: files may have been rotated
        anew = read_settings()
        try:
            ruled = rules.build(anew, reach=reach)
        except RulesError as error:
            voice.show(error.diagnostics)
            raise
        voice.show(ruled.warnings)
        acting.prepare(ruled.ruleset, journal)
        source.demand(ruled.ruleset.demand)
        evaluator.use(ruled.ruleset, anew.rule_matching())
        actor.guard.reset()

    run = Run(source, evaluator, hub, stats, voice, ready=ready, reload=reload)
    try:
        acting.prepare(ruled.ruleset, journal)
        await run.run(settings.duration_s)
    finally:
        journal.close()
    sum_up(stats, evaluator, hub, voice, quiet=quiet)
    return 0
