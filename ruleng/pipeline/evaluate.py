"""Events in, alerts out: match, decide, act, put into words. Holds the rules in force; a reload swaps them between two batches."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from ruleng.alert import Alert, Outcome
from ruleng.engine.decide import Decider, Fired, Matching, Order
from ruleng.engine.output import Format, compile_output
from ruleng.engine.ruleset import RuleSet
from ruleng.event import Event
from ruleng.lang.checked import Action
from ruleng.metrics import RunStats


class Acts(Protocol):
    """What does kill, stop and freeze: ruleng.actions.Actor, or in replay something that only says so."""

    def act(self, action: Action, event: Event, rule_name: str) -> Outcome: ...


class Evaluator:
    def __init__(
        self,
        ruleset: RuleSet,
        actor: Acts,
        stats: RunStats,
        *,
        hostname: str,
        matching: Matching = "first",
        log: Callable[[str], None],
    ) -> None:
        """`log` takes the line of a rule that logs."""
        self._actor = actor
        self._stats = stats
        self._hostname = hostname
        self._log = log
        self._decider = Decider(ruleset, matching=matching)
        self._ruleset = ruleset
        self._formats: dict[int, Format] = {}

    @property
    def ruleset(self) -> RuleSet:
        return self._ruleset

    @property
    def enabled(self) -> int:
        """How many rules are asked."""
        return sum(rule.enabled for rule in self._ruleset.rules)

    def use(self, ruleset: RuleSet, matching: Matching) -> None:
        """Other rules from here on; throttles go on."""
        self._decider = Decider(ruleset, self._decider.throttles, matching=matching)
        self._ruleset = ruleset
        self._formats = {}

    @property
    def suppressed(self) -> dict[str, int]:
        """Alerts that throttles held back, by rule."""
        return self._decider.throttles.suppressed

    def evaluate(self, batch: Sequence[Event]) -> list[Alert]:
        """The alerts of a batch, in order; what rules want done to their processes is done when this returns."""
        match = self._ruleset.match
        started = time.perf_counter_ns()
        hits = [(event, found) for event in batch if (found := match(event))]
        matched = time.perf_counter_ns()
        self._stats.saw(batch)
        self._stats.spent("match", matched - started)
        if not hits:
            return []
        alerts = [alert for event, found in hits for alert in self._answer(event, found)]
        self._stats.spent("act", time.perf_counter_ns() - matched)
        return alerts

    def _answer(self, event: Event, found: Sequence[int]) -> list[Alert]:
        decision = self._decider.decide(event, found)
        rules = self._ruleset.rules
        done = {order: self._do(order, event) for order in decision.orders}
        for number in found:
            self._stats.matched(rules[number].name)
        alerts = []
        for fired in decision.fired:
            text, fields = self._format(fired.number)(event)
            outcomes = [outcome for order, outcome in done.items() if order.number == fired.number]
            outcomes += [done[by] for _, by in fired.covered]
            if any(notice.name == "log" for notice in fired.notices):
                self._log(f"{fired.rule.priority.label} {fired.rule.name}: {text}")
            if self._alerts(fired):
                alert = self._alert(fired, event, text, fields, tuple(outcomes))
                self._stats.alerted(alert)
                alerts.append(alert)
        return alerts

    def _do(self, order: Order, event: Event) -> Outcome:
        outcome = self._actor.act(order.action, event, self._ruleset.rules[order.number].name)
        self._stats.acted(outcome)
        return outcome

    @staticmethod
    def _alerts(fired: Fired) -> bool:
        """A rule that only logs does not alert; one that kills always tells."""
        return any(notice.name == "alert" for notice in fired.notices) or any(
            action.name not in ("alert", "log") for action in fired.rule.actions
        )

    def _format(self, number: int) -> Format:
        found = self._formats.get(number)
        if found is None:
            found = self._formats[number] = compile_output(self._ruleset.rules[number].output)
        return found

    def _alert(self, fired: Fired, event: Event, text: str, fields: dict[str, object], outcomes: tuple[Outcome, ...]) -> Alert:
        rule = fired.rule
        return Alert(
            uuid=str(uuid.uuid4()),
            time_ns=event.time_ns,
            rule=rule.name,
            priority=rule.priority,
            source=event.source,
            hostname=event.host or self._hostname,
            output=text,
            output_fields=fields,
            tags=rule.tags,
            actions=outcomes,
            sinks=tuple(dict.fromkeys(name for notice in fired.notices for name in notice.sinks)),
            suppressed=fired.suppressed,
            event=event,
        )
