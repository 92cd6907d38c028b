"""Which matches become alerts, and what is done about the event."""

from __future__ import annotations

import signal

from ruleng.engine.compile import compile_rules
from ruleng.engine.decide import Decider, Order
from ruleng.engine.throttle import Throttles
from ruleng.event import Event
from ruleng.lang.checked import Action, FieldUse, Negate, Op, Rule, Throttle
from ruleng.lang.checked import Test as Comparison
from tests.engine.generate import CATALOGUE, flat, rule

S = FieldUse(CATALOGUE.fields["g.s"])
ALWAYS = Negate(Comparison(S, Op.IN, ("never",)))
EVENT = flat({"evt.type": "open", "g.s": "a"})
SECOND = 1_000_000_000


def rules(*actions: tuple[Action, ...], **more: object) -> list[Rule]:
    return [rule(ALWAYS, f"rule {number}", actions=each, **more) for number, each in enumerate(actions)]


def decider(wanted: list[Rule], **options: object) -> Decider:
    return Decider(compile_rules(wanted, CATALOGUE), **options)  # type: ignore[arg-type]


def fired(decision) -> list[int]:
    return [each.number for each in decision.fired]


ALERT = Action("alert")


def test_the_first_rule_that_matches_hides_those_behind_it():
    assert fired(decider(rules((ALERT,), (ALERT,))).decide(EVENT, [0, 1])) == [0]


def test_all_rules_that_match_fire_when_asked_for_all():
    assert fired(decider(rules((ALERT,), (ALERT,)), matching="all").decide(EVENT, [0, 1])) == [0, 1]


def test_first_or_all_is_chosen_by_event_source():
    both = decider(rules((ALERT,), (ALERT,)), matching="first", by_source={"k8s_audit": "all"})
    assert fired(both.decide(EVENT, [0, 1])) == [0]
    assert fired(both.decide(Event(type="open", time_ns=0, source="k8s_audit", extra={}), [0, 1])) == [0, 1]


def test_a_rule_that_enforces_is_never_hidden():
    decision = decider(rules((ALERT,), (ALERT,), (ALERT, Action("kill")))).decide(EVENT, [0, 1, 2])
    assert fired(decision) == [0, 2]
    assert decision.orders == (Order(Action("kill"), 2),)


def test_what_is_done_comes_strongest_first():
    wanted = rules((Action("stop", scope="container"),), (Action("kill"), ALERT), (Action("deny", errno=1),), (Action("log"),))
    decision = decider(wanted, matching="all").decide(EVENT, [0, 1, 2, 3])
    assert [order.action.name for order in decision.orders] == ["deny", "kill", "stop"]
    assert [action.name for each in decision.fired for action in each.notices] == ["alert", "log"]


def test_a_weaker_action_within_the_reach_of_a_stronger_one_is_covered_by_it():
    wanted = rules((Action("freeze", scope="tree"),), (Action("kill", scope="container"), ALERT), (Action("kill"),))
    decision = decider(wanted, matching="all").decide(EVENT, [0, 1, 2])
    killing = Order(Action("kill", scope="container"), 1)
    assert decision.orders == (killing,)
    assert [each.covered for each in decision.fired] == [
        ((Action("freeze", scope="tree"), killing),),
        (),
        ((Action("kill"), killing),),
    ]


def test_a_signal_that_may_be_caught_covers_nothing_but_itself():
    term = Action("kill", signal=signal.SIGTERM, scope="container")
    decision = decider(rules((term,), (Action("stop"),), (Action("kill"),), (term,)), matching="all").decide(EVENT, [0, 1, 2, 3])
    assert [order.action for order in decision.orders] == [term, Action("kill")]
    assert [order.number for order in decision.orders] == [0, 2]


def test_a_throttle_holds_alerts_back_and_the_next_one_says_how_many():
    wanted = rules((ALERT,), throttle=Throttle(2, 10 * SECOND))
    limited = decider(wanted)

    def at(second: int) -> list[int]:
        event = Event(type="open", time_ns=second * SECOND, extra={})
        return [each.suppressed for each in limited.decide(event, [0]).fired]

    assert [at(second) for second in (0, 1, 2, 3, 10, 11, 12)] == [[0], [0], [], [], [2], [0], []]
    assert limited.throttles.suppressed == {"rule 0": 3}


def test_a_throttle_holds_no_enforcement_back():
    limited = decider(rules((ALERT, Action("kill")), throttle=Throttle(1, SECOND)))
    first, second = limited.decide(EVENT, [0]), limited.decide(EVENT, [0])
    assert (fired(first), fired(second)) == ([0], [])
    assert first.orders == second.orders == (Order(Action("kill"), 0),)


def test_a_throttle_counts_for_each_value_of_its_fields():
    limited = decider(rules((ALERT,), throttle=Throttle(1, SECOND, by=(S,))))
    events = [flat({"evt.type": "open", "g.s": value}) for value in ("a", "b", None, "a", None)]
    assert [fired(limited.decide(event, [0])) for event in events] == [[0], [0], [0], [], []]


def test_throttles_outlive_a_reload():
    throttles = Throttles()
    wanted = rules((ALERT,), throttle=Throttle(1, SECOND))
    assert fired(decider(wanted, throttles=throttles).decide(EVENT, [0])) == [0]
    assert fired(decider(wanted, throttles=throttles).decide(EVENT, [0])) == []
