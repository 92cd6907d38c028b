"""Laws that hold for any rule and any event: all ways of evaluating agree, and the index never drops a match."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.engine import operands, operators
from ruleng.engine.compile import compile_rules
from ruleng.engine.explain import explain
from ruleng.engine.factory import Nodes
from ruleng.engine.index import event_types
from ruleng.engine.interpret import holds
from ruleng.engine.nodes import Const, Group, Leaf, Node
from ruleng.engine.normalise import normalise
from ruleng.engine.ruleset import RuleSet
from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.fields.types import FieldType
from ruleng.lang.checked import Checked, FieldUse, Negate, Op, Rule
from ruleng.lang.checked import Test as Comparison
from ruleng.lang.load import load_rules
from tests.conftest import SHARED
from tests.engine.flat import flat_catalogue
from tests.engine.generate import CATALOGUE, TYPES, condition, flat, random_values, real, rule, solve

RANDOMS = st.randoms(use_true_random=False)


def events(conditions: list[Checked], random: Random) -> Iterator[Event]:
    """Some at random, some directed at the conditions' literals."""
    for _ in range(6):
        values = random_values(random)
        yield flat(values)
        wanted = solve(random.choice(conditions), random.random() < 0.7, random, TYPES)
        if wanted is not None:
            yield flat(values | wanted)


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_compiled_rules_say_what_the_interpreter_says(random):
    conditions = [condition(random, depth=random.randrange(1, 6)) for _ in range(random.randrange(1, 8))]
    ruleset = compile_rules([rule(tree, f"rule {number}") for number, tree in enumerate(conditions)], CATALOGUE)
    for event in events(conditions, random):
        assert list(ruleset.match(event)) == [number for number, tree in enumerate(conditions) if holds(tree, event)]


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_the_normal_form_says_what_the_condition_says(random):
    tree = condition(random, depth=5)
    node = normalise(tree, Nodes())
    for event in events([tree], random):
        assert _truth(node, event) is holds(tree, event)


def _truth(node: Node, event: Event) -> bool:
    match node:
        case Const():
            return node.value
        case Group():
            return (all if node.kind == "and" else any)(_truth(child, event) for child in node.children)
        case Leaf():
            return _of_leaf(node, event) is not node.negated


def _of_leaf(leaf: Leaf, event: Event) -> bool:
    if leaf.opaque is not None:
        return holds(leaf.opaque, event)
    value = _read(leaf.subject, event)
    if leaf.right is not None:
        return operators.between(leaf.op, lists=leaf.subject.is_list)(value, _read(leaf.right, event))
    any_kind = leaf.subject.type is FieldType.DYNAMIC
    test = operators.predicate(leaf.op, leaf.modifier, leaf.values, lists=leaf.subject.is_list, any_kind=any_kind)
    return any(map(test, value or ())) if leaf.subject.many else test(value)


def _read(subject: Any, event: Event) -> Any:
    carried = subject.types is None or event.type in subject.types
    return operands.reader(subject.text)(event) if carried else None


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_the_index_never_drops_a_match(random):
    tree = condition(random, depth=5)
    possible = event_types(tree, frozenset(TYPES))
    planned = compile_rules([rule(tree)], CATALOGUE).needs[0].event_types
    assert planned <= possible
    for event in events([tree], random):
        if holds(tree, event) and event.type in TYPES:
            assert event.type in planned


@settings(max_examples=100, deadline=None)
@given(RANDOMS)
def test_an_explanation_has_the_interpreters_verdict(random):
    tree = condition(random, depth=5)
    for event in events([tree], random):
        explanation = explain(rule(tree), event)
        assert explanation.verdict is holds(tree, event)
        assert (explanation.decisive is None) is explanation.verdict
        assert explanation.rows[0].value is explanation.verdict


def test_generated_rules_meet_events_that_match_and_events_that_miss():
    """Else the laws would hold of nothing: nearly every rule that is no constant is seen both ways."""
    random = Random(3)
    trees = [tree for tree in (condition(random, depth=4) for _ in range(300)) if not isinstance(normalise(tree, Nodes()), Const)]
    both = 0
    for tree in trees:
        solved = [solve(tree, wanted, random, TYPES) for wanted in (True, False) for _ in range(25)]
        both += {holds(tree, flat(random_values(random) | values)) for values in solved if values} == {True, False}
    assert both > 0.9 * len(trees)


def test_negation_of_a_missing_value_inverts_and_unequal_does_not():
    use = FieldUse(CATALOGUE.fields["g.s"])
    equal, differs = Comparison(use, Op.EQ, ("a",)), Comparison(use, Op.NE, ("a",))
    event = flat({"evt.type": "open", "g.s": None})
    assert [holds(each, event) for each in (equal, differs, Negate(equal), Negate(differs))] == [False, False, True, True]


# --- Falco's own rules ------------------------------------------------------------------------------------------------------------


@cache
def official(*, flattened: bool) -> tuple[tuple[Rule, ...], RuleSet]:
    catalogue = flat_catalogue(standard()) if flattened else standard()
    loaded = load_rules([SHARED / "falco-rules" / name for name in ("falco_rules.yaml", "falco-incubating_rules.yaml")], catalogue)
    assert not [diagnostic.message for diagnostic in loaded.diagnostics if diagnostic.is_error]
    return loaded.rules, compile_rules(loaded.rules, catalogue)


@pytest.mark.shared
def test_every_official_rule_matches_and_misses_and_all_verdicts_agree():
    rules, ruleset = official(flattened=True)
    random = Random(4)
    for number, each in enumerate(rules):
        seen = set()
        for attempt in range(60):
            values = solve(each.condition, attempt % 4 != 0, random, sorted(ruleset.demand.event_types))
            if values is not None:
                event = flat(values)
                verdict = holds(each.condition, event)
                assert (number in ruleset.match(event)) is verdict, values
                seen.add(verdict)
            if len(seen) == 2 and attempt > 8:
                break
        can_match = bool(ruleset.needs[number].event_types)  # a list that is empty until somebody fills it makes a rule impossible
        assert seen == ({True, False} if can_match else {False}), each.name


@pytest.mark.shared
def test_official_rules_agree_on_real_events():
    rules, ruleset = official(flattened=False)
    random = Random(5)
    matched = 0
    for each in rules:
        for attempt in range(12):
            values = solve(each.condition, attempt % 4 != 0, random, sorted(ruleset.demand.event_types))
            event = real(values, standard()) if values is not None else None
            if event is not None:
                verdicts = [number for number, other in enumerate(rules) if holds(other.condition, event)]
                assert list(ruleset.match(event)) == verdicts, values
                matched += bool(verdicts)
    assert matched > len(rules)
