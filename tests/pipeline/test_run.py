"""One run: from batches to alerts, signals, reloads, and sinks that do not take what they are given. Time jumps."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
from collections.abc import Callable, Iterator, Sequence

import pytest

from ruleng.alert import Outcome, Priority
from ruleng.engine.compile import compile_rules
from ruleng.engine.ruleset import RuleSet
from ruleng.errors import HostError, InputError, RulengError, SinkClosedError
from ruleng.event import Event, Process
from ruleng.fields.catalogue import standard
from ruleng.lang.checked import Action
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.load import load_sources
from ruleng.lang.source import Source
from ruleng.metrics import RunStats
from ruleng.pipeline.channel import Limits, SinkHub
from ruleng.pipeline.clock import SystemClock
from ruleng.pipeline.evaluate import Evaluator
from ruleng.pipeline.run import Run
from tests.pipeline.fakeloop import now, run
from tests.pipeline.feeds import Feed, Step, Taker

RULES = """\
rule "Shell" { desc: "" condition: evt.type = execve and proc.name = sh output: "%proc.name" priority: notice }
rule "Lost" { desc: "" condition: evt.type = ruleng.lost output: "%evt.lost.count" priority: error }
"""


def ruleset(text: str = RULES) -> RuleSet:
    loaded = load_sources([Source("test.rules", text)], standard())
    assert [diagnostic for diagnostic in loaded.diagnostics if diagnostic.is_error] == []
    return compile_rules(loaded.rules, standard())


def shell(number: int = 0) -> Event:
    return Event(type="execve", time_ns=0, num=number, proc=Process(pid=100 + number, name="sh"))


class Heard:
    """A Voice that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[Diagnostic] = []
        self.progressed: list[tuple[int, int, int]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def tell(self, text: str) -> None:
        self.said += text.splitlines()

    def show(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.shown += diagnostics

    def progress(self, events: int, done: int, total: int) -> None:
        self.progressed.append((events, done, total))

    def clear(self) -> None:
        self.progressed.clear()


class Acting:
    """Does nothing, and remembers."""

    def __init__(self) -> None:
        self.acted: list[tuple[str, int | None]] = []

    def act(self, action: Action, event: Event, rule_name: str) -> Outcome:
        self.acted.append((action.name, event.proc.pid))
        return Outcome(action=action.name, outcome="done")


class Bench:
    """A run with everything around it."""

    def __init__(
        self,
        feed: Feed,
        *sinks: Taker,
        limits: Limits | None = None,
        rules: str = RULES,
        ready: Callable[[], None] | None = None,
        reload: Callable[[], None] | None = None,
    ) -> None:
        self.feed = feed
        self.voice = Heard()
        self.actor = Acting()
        self.stats = RunStats(SystemClock())
        self.sinks = sinks or (Taker("sink"),)
        self.evaluator = Evaluator(ruleset(rules), self.actor, self.stats, hostname="host", log=self.voice.say)
        self.hub = SinkHub(self.sinks, self.stats.ledger, report=self.voice.say, limits=limits)
        self.run = Run(feed, self.evaluator, self.hub, self.stats, self.voice, ready=ready, reload=reload)


@pytest.fixture(autouse=True)
def _nothing_stays_frozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def ran(make: Callable[[], Bench], duration_s: float | None = None) -> Bench:
    """Made inside of the loop, and run to its end."""

    async def inside() -> Bench:
        bench = make()
        await bench.run.run(duration_s)
        return bench

    return run(inside())


def delivered(bench: Bench) -> int:
    return len(bench.sinks[0].got)


def and_signal(number: signal.Signals) -> Sequence[Event]:
    """A batch that comes together with a signal."""
    os.kill(os.getpid(), number)
    return [shell()]


def signal_in(seconds: float, number: signal.Signals) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(seconds, os.kill, os.getpid(), number)
    loop.call_later(seconds + 0.01, lambda: None)  # time jumps no further before the signal is seen


# --- to the end ---------------------------------------------------------------------------------------------------------


def test_alerts_of_all_batches_are_delivered_before_it_ends() -> None:
    feed = Feed([[shell(1)], [Event(type="execve", time_ns=0)], [shell(2), shell(3)]])
    bench = ran(lambda: Bench(feed, Taker("one"), Taker("two")))
    assert [len(sink.got) for sink in bench.sinks] == [3, 3]
    assert all(sink.closed for sink in bench.sinks)
    assert feed.closed == 1
    assert bench.stats.alerts == {("Shell", Priority.NOTICE): 3}


def test_it_is_ready_when_sinks_and_source_are_open() -> None:
    feed = Feed([[shell()]])
    seen: list[int] = []
    ran(lambda: Bench(feed, ready=lambda: seen.append(len(feed.demands))))
    assert seen == [1]
    assert feed.demands[0].event_types >= {"execve", "ruleng.lost"}


def test_a_duration_ends_it() -> None:
    assert delivered(ran(lambda: Bench(Feed([[shell()], 3600.0, [shell()]])), duration_s=5.0)) == 1


def test_what_is_lost_becomes_an_event_that_rules_see() -> None:
    def steps(bench: list[Bench]) -> Iterator[Step]:
        bench[0].stats.ledger.lost("feed", "broken", 7)
        yield [shell()]

    made: list[Bench] = []

    def make() -> Bench:
        made.append(Bench(Feed(steps(made))))
        return made[0]

    bench = ran(make)
    assert bench.stats.alerts[("Lost", Priority.ERROR)] == 1


def test_progress_is_told_with_what_was_counted() -> None:
    bench = ran(lambda: Bench(Feed([[Event(type="execve", time_ns=0)], [Event(type="execve", time_ns=0)]])))
    assert bench.voice.progressed == [(1, 1, 100), (2, 2, 100)]


# --- what goes wrong ----------------------------------------------------------------------------------------------------


def test_a_source_that_cannot_be_opened_ends_it_and_closes_the_sinks() -> None:
    sink = Taker("sink")
    feed = Feed([], opening=HostError("no audit here"))
    with pytest.raises(HostError, match="no audit here"):
        ran(lambda: Bench(feed, sink, ready=lambda: pytest.fail("it is not ready")))
    assert (sink.closed, feed.closed) == (True, 1)


def test_a_source_that_breaks_ends_it_after_what_came_was_delivered() -> None:
    sink = Taker("sink")
    with pytest.raises(InputError, match="broken"):
        ran(lambda: Bench(Feed([[shell()], InputError("broken")]), sink))
    assert len(sink.got) == 1
    assert sink.closed


def test_it_ends_when_no_sink_takes_anything_any_more() -> None:
    gone = [SinkClosedError("sink", "gone")]
    bench = ran(
        lambda: Bench(Feed(itertools.cycle([[shell()], 1.0])), Taker("one", steps=list(gone)), Taker("two", steps=list(gone)))
    )
    assert bench.run.is_deserted


def test_it_goes_on_while_one_sink_takes_something() -> None:
    bench = ran(
        lambda: Bench(Feed([[shell()], 1.0, [shell()]]), Taker("one", steps=[SinkClosedError("one", "gone")]), Taker("two"))
    )
    assert [alert.rule for alert in bench.sinks[1].got if alert.rule == "Shell"] == ["Shell"] * 2
    assert not bench.run.is_deserted


def test_a_sink_that_makes_it_wait_does_not_keep_it_from_ending() -> None:
    def make() -> Bench:
        stuck = Taker("stuck", stuck=True)
        limits = Limits(alerts=2, policy="block", deadline_s=3600.0, batch=1, drain_s=5.0)
        return Bench(Feed([[shell(number)] for number in range(10)]), stuck, limits=limits)

    async def inside() -> tuple[Bench, float]:
        bench, began = make(), now()
        signal_in(60.0, signal.SIGTERM)
        await bench.run.run()
        return bench, now() - began

    bench, seconds = run(inside())
    assert 60.0 <= seconds < 90.0
    lost = sum(loss.count for loss in bench.stats.ledger.losses())
    assert lost == bench.stats.alerts.total() > 2


# --- signals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_what_was_read(number: signal.Signals) -> None:
    def steps() -> Iterator[Step]:
        yield [shell()]
        yield and_signal(number)
        while True:
            yield 1.0

    feed = Feed(steps(), last=[shell(), shell()])
    assert delivered(ran(lambda: Bench(feed))) == 4


def test_a_source_that_never_waits_hears_the_signal() -> None:
    def steps() -> Iterator[Step]:
        yield and_signal(signal.SIGTERM)
        yield from itertools.repeat([shell()], 100_000)

    assert delivered(ran(lambda: Bench(Feed(steps())))) < 100


def test_a_reload_puts_other_rules_in_force_from_the_next_batch_on() -> None:
    def steps() -> Iterator[Step]:
        yield and_signal(signal.SIGHUP)
        yield 0.5
        yield [shell()]

    made: list[Bench] = []

    def reload() -> None:
        made[0].evaluator.use(ruleset(RULES.replace("Shell", "Other")), "first")

    def make() -> Bench:
        made.append(Bench(Feed(steps()), reload=reload))
        return made[0]

    bench = ran(make)
    assert bench.stats.alerts == {("Shell", Priority.NOTICE): 1, ("Other", Priority.NOTICE): 1}
    assert bench.voice.said == ["reloaded: 2 rules"]


def test_a_reload_that_is_refused_changes_nothing_and_is_told() -> None:
    def steps() -> Iterator[Step]:
        yield and_signal(signal.SIGHUP)
        yield 0.5
        yield [shell()]

    def refuse() -> None:
        raise RulengError("1 error in the rules")

    bench = ran(lambda: Bench(Feed(steps()), reload=refuse))
    assert bench.stats.alerts == {("Shell", Priority.NOTICE): 2}
    assert bench.voice.said == ["reload refused, the old rules stay: 1 error in the rules"]


def test_a_reload_while_it_opens_is_done_when_it_is_open() -> None:
    order: list[str] = []

    async def inside() -> None:
        bench = Bench(Feed([0.5, [shell()]]), Taker("slow", opening_s=2.0), ready=lambda: order.append("ready"),
                      reload=lambda: order.append("reload"))  # fmt: skip
        signal_in(1.0, signal.SIGHUP)
        await bench.run.run()

    run(inside())
    assert order == ["ready", "reload"]


def test_a_signal_while_it_opens_ends_it_in_order() -> None:
    async def inside() -> Bench:
        bench = Bench(Feed([3600.0]), Taker("slow", opening_s=2.0))
        signal_in(1.0, signal.SIGTERM)
        await bench.run.run()
        return bench

    bench = run(inside())
    assert (bench.feed.closed >= 1, bench.sinks[0].closed) == (True, True)


# --- the evaluator ------------------------------------------------------------------------------------------------------


def evaluated(rules: str, *events: Event, matching: str = "first") -> tuple[list[tuple[str, list[str]]], Acting, list[str]]:
    """(rule, outcomes) of each alert; what was done; what was logged."""
    actor, logged = Acting(), []
    stats = RunStats(SystemClock())
    evaluator = Evaluator(
        ruleset(rules), actor, stats, hostname="host", matching="all" if matching == "all" else "first", log=logged.append
    )
    alerts = evaluator.evaluate(events)
    return [(alert.rule, [outcome.action for outcome in alert.actions]) for alert in alerts], actor, logged


def rule(name: str, actions: str, priority: str = "notice") -> str:
    return (
        f'rule "{name}" {{ desc: "" condition: proc.name = sh output: "%proc.name" priority: {priority} actions: [{actions}] }}\n'
    )


def test_a_rule_that_only_logs_does_not_alert() -> None:
    alerts, _, logged = evaluated(rule("Quiet", "log"), shell())
    assert (alerts, logged) == ([], ["Notice Quiet: sh"])


def test_a_rule_that_kills_always_tells() -> None:
    alerts, actor, _ = evaluated(rule("Kill", "kill"), shell(5))
    assert (alerts, actor.acted) == ([("Kill", ["kill"])], [("kill", 105)])


def test_what_two_rules_want_is_done_once_and_told_by_both() -> None:
    alerts, actor, _ = evaluated(rule("One", "alert, stop") + rule("Two", "alert, kill"), shell(5), matching="all")
    assert alerts == [("One", ["kill"]), ("Two", ["kill"])]
    assert actor.acted == [("kill", 105)]


def test_the_first_rule_hides_the_second_unless_it_enforces() -> None:
    text = rule("One", "alert") + rule("Two", "alert") + rule("Three", "kill")
    assert [name for name, _ in evaluated(text, shell())[0]] == ["One", "Three"]
    assert [name for name, _ in evaluated(text, shell(), matching="all")[0]] == ["One", "Two", "Three"]


def test_an_alert_names_the_host_of_its_event_or_this_one() -> None:
    evaluator = Evaluator(ruleset(), Acting(), RunStats(SystemClock()), hostname="here", log=print)
    alerts = evaluator.evaluate([shell(), Event(type="execve", time_ns=0, host="there", proc=Process(pid=1, name="sh"))])
    assert [alert.hostname for alert in alerts] == ["here", "there"]
