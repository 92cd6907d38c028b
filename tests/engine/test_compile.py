"""The generated module: readable, the same in every run, safe whatever a rule says, at any size."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from random import Random

import pytest

from ruleng.engine.compile import compile_rules
from ruleng.engine.explain import explain
from ruleng.engine.interpret import holds
from ruleng.fields.types import Catalogue, FieldType
from ruleng.lang.checked import All, AnyOf, Checked, FieldUse, Negate, Op
from ruleng.lang.checked import Test as Comparison
from tests.engine.flat import flat_event, made_up
from tests.engine.generate import CATALOGUE, condition, flat, random_values, rule

S = FieldUse(CATALOGUE.fields["g.s"])
T = FieldUse(CATALOGUE.fields["g.t"])
TYPE = FieldUse(CATALOGUE.fields["evt.type"])


def equals(use: FieldUse, *values: object) -> Comparison:
    return Comparison(use, Op.IN, values)


def has(use: FieldUse, op: Op, *values: object) -> Comparison:
    return Comparison(use, op, values)


def source(*conditions: Checked) -> str:
    return compile_rules([rule(each, f"rule {number}") for number, each in enumerate(conditions)], CATALOGUE).source


GENERATED = """\
# Made from 2 rules. e is the event, p its process, f its descriptor, c its container.


def on_execve(e):  # execve
    found = []
    if e.source == 'syscall' and e.extra.get('g.s') in {'bash', 'sh'}:
        g_t = e.extra.get('g.t')
        if g_t is not None and g_t.startswith('/tmp'):
            found.append(0)  # 'rule 0'
        if g_t != '/root':
            found.append(1)  # 'rule 1'
    return found


HANDLERS = {
    'execve': on_execve,
}
NOTHING = ()
handler_of = HANDLERS.get


def match(e):
    handler = handler_of(e.type)
    return NOTHING if handler is None else handler(e)
"""


def test_the_source_reads_like_a_program():
    shell = All((equals(TYPE, "execve"), equals(S, "sh", "bash"), has(T, Op.STARTSWITH, "/tmp")))
    root = All((equals(TYPE, "execve"), equals(S, "sh", "bash"), Negate(equals(T, "/root"))))
    assert source(shell, root) == GENERATED


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_source_does_not_depend_on_the_order_of_hashes(seed):
    program = """
from random import Random
from ruleng.engine.compile import compile_rules
from tests.engine.generate import CATALOGUE, condition, rule
random = Random(1)
rules = [rule(condition(random, depth=5), str(number)) for number in range(60)]
import hashlib
print(hashlib.sha256(compile_rules(rules, CATALOGUE).source.encode()).hexdigest())
"""
    random = Random(1)
    here = compile_rules([rule(condition(random, depth=5), str(number)) for number in range(60)], CATALOGUE).source
    there = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


HOSTILE = ["'\"", "\\", "'''", "\n)]}; import os #", "{e}", "%s", "\udcff\ud800", "\u2028", "\0", "'\\'", "#"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_rule_is_never_code(text):
    conditions = [
        equals(S, text),
        equals(S, text, "other"),
        equals(S, text, *"abcdefgh"),
        has(S, Op.CONTAINS, text),
        has(S, Op.ICONTAINS, text),
        has(S, Op.STARTSWITH, text),
        has(S, Op.GLOB, f"*{text}?*"),
        has(S, Op.PMATCH, text),
        Comparison(S, Op.EQ, (text, "b"), modifier="oneof"),
    ]
    ruleset = compile_rules([rule(each, text) for each in conditions], CATALOGUE)
    for value in (text, f"{text}x", "a", ""):
        event = flat({"evt.type": "open", "g.s": value})
        assert list(ruleset.match(event)) == [number for number, each in enumerate(conditions) if holds(each, event)]


def test_a_field_that_is_named_like_a_function_of_the_module_is_only_a_name():
    names = ["lower", "glob", "predicate", "match", "e", "p", "found", "Op", "class", "sorted", "any", "map", "lowered"]
    catalogue = Catalogue.of([*CATALOGUE, *(made_up(name, FieldType.STRING) for name in names)], CATALOGUE.event_types)
    uses = [FieldUse(catalogue.fields[name]) for name in names]
    conditions = [All((has(use, Op.ICONTAINS, "a"), has(use, Op.GLOB, "?*b?"), has(use, Op.NE, "z"))) for use in uses]
    ruleset = compile_rules([rule(AnyOf(tuple(conditions)))], catalogue)
    assert list(ruleset.match(flat_event("open", dict.fromkeys(names, "xabx")))) == [0]


def test_events_of_an_unknown_type_still_meet_rules_for_every_type():
    ruleset = compile_rules([rule(equals(S, "a")), rule(equals(TYPE, "open")), rule(Negate(equals(TYPE, "open")))], CATALOGUE)
    assert list(ruleset.match(flat({"evt.type": "of tomorrow", "g.s": "a"}))) == [0, 2]


def test_a_rule_sees_events_of_its_own_source_only():
    ruleset = compile_rules([rule(equals(S, "a"), source="syscall"), rule(equals(S, "a"), source="k8s_audit")], CATALOGUE)
    assert list(ruleset.match(flat_event("open", {"g.s": "a"}))) == [0]
    assert list(ruleset.match(flat_event("open", {"g.s": "a"}, source="k8s_audit"))) == [1]


def test_a_disabled_rule_keeps_its_number_and_never_matches():
    ruleset = compile_rules([rule(equals(S, "a"), enabled=False), rule(equals(S, "a"))], CATALOGUE)
    assert list(ruleset.match(flat({"evt.type": "open", "g.s": "a"}))) == [1]
    assert not ruleset.needs[0].event_types


def test_matches_come_in_the_order_of_the_rules_however_the_tree_finds_them():
    shared = [All((has(T, Op.CONTAINS, "x"), has(S, Op.CONTAINS, str(number)))) for number in range(4)]
    conditions = [equals(S, "0123"), *shared, equals(T, "x"), equals(S, "0123")]
    ruleset = compile_rules([rule(each) for each in conditions], CATALOGUE)
    assert list(ruleset.match(flat({"evt.type": "open", "g.s": "0123", "g.t": "x"}))) == list(range(7))


def test_counters_count_what_was_tested_and_what_matched():
    conditions = [All((equals(S, "a"), equals(T, "x"))), All((equals(S, "a"), equals(T, "y"))), equals(TYPE, "open")]
    ruleset = compile_rules([rule(each) for each in conditions], CATALOGUE, count=True)
    for values in ({"g.s": "a", "g.t": "x"}, {"g.s": "b", "g.t": "x"}, {"g.s": "a", "g.t": "z"}):
        ruleset.match(flat({"evt.type": "open"} | values))
    assert list(ruleset.matched) == [1, 0, 3]
    assert ruleset.tested[2] == 3
    assert "tested" not in compile_rules([rule(conditions[0])], CATALOGUE).source


# --- size -----------------------------------------------------------------------------------------------------------------------


def deep(levels: int) -> tuple[Checked, Catalogue]:
    """and within or within and ..., each level with a test of its own."""
    fields = [made_up(f"deep.f{level}", FieldType.STRING) for level in range(levels)]
    tree: Checked = has(FieldUse(fields[0]), Op.STARTSWITH, "a")
    for level in range(1, levels):
        tree = (All if level % 2 else AnyOf)((has(FieldUse(fields[level]), Op.STARTSWITH, "a"), tree))
        if level % 7 == 0:
            tree = Negate(tree)
    return tree, Catalogue.of([*CATALOGUE, *fields], CATALOGUE.event_types)


@pytest.mark.parametrize("levels", [30, 1000, 6000])
def test_a_condition_may_be_nested_as_deep_as_it_likes(levels):
    tree, catalogue = deep(levels)
    ruleset = compile_rules([rule(tree)], catalogue)
    random = Random(1)
    for _ in range(4):
        event = flat_event("open", {f"deep.f{level}": random.choice(("a", "ab", "b", None)) for level in range(levels)})
        verdict = holds(tree, event)
        assert bool(ruleset.match(event)) is verdict
        assert explain(rule(tree), event).verdict is verdict


def test_many_negations_are_one_or_none():
    tree: Checked = equals(S, "a")
    for _ in range(5001):
        tree = Negate(tree)
    assert list(compile_rules([rule(tree)], CATALOGUE).match(flat({"evt.type": "open", "g.s": "b"}))) == [0]


WIDE = {
    "one list of many": has(S, Op.IN, *(f"k{number}" for number in range(20_000))),
    "many equalities": AnyOf(tuple(has(S, Op.EQ, f"k{number}") for number in range(3_000))),
    "many substrings": AnyOf(tuple(has(S, Op.CONTAINS, f"k{number}") for number in range(3_000))),
    "many prefixes": AnyOf(tuple(has(S, Op.STARTSWITH, f"k{number}") for number in range(3_000))),
    "many globs": AnyOf(tuple(has(S, Op.GLOB, f"*k{number}?") for number in range(500))),
    "many paths": has(S, Op.PMATCH, *(f"/p/k{number}" for number in range(3_000))),
    "many pairs": AnyOf(tuple(All((has(S, Op.STARTSWITH, f"k{n}"), has(T, Op.ENDSWITH, f"{n}"))) for n in range(2_000))),
    "many choices": All(tuple(AnyOf((has(S, Op.STARTSWITH, f"k{n}"), has(T, Op.ENDSWITH, f"{n}"))) for n in range(2_000))),
}


@pytest.mark.parametrize("tree", WIDE.values(), ids=WIDE.keys())
def test_a_condition_may_be_as_wide_as_it_likes(tree):
    ruleset = compile_rules([rule(tree)], CATALOGUE)
    for value in ("k17", "k499x", "xk2999y", "/p/k17/x", "none", None):
        event = flat({"evt.type": "open", "g.s": value, "g.t": "17"})
        assert bool(ruleset.match(event)) is holds(tree, event)


def test_ten_thousand_rules_compile_to_functions_of_bearable_size():
    rules = [
        rule(
            All((equals(TYPE, "open", "execve"), equals(S, f"program {number}"), has(T, Op.NE, str(number % 7)))),
            f"rule {number}",
        )
        for number in range(10_000)
    ]
    ruleset = compile_rules(rules, CATALOGUE)
    longest = max(len(function.splitlines()) for function in ruleset.source.split("\ndef "))
    assert longest < 1_000
    assert list(ruleset.match(flat({"evt.type": "open", "g.s": "program 4711", "g.t": "x"}))) == [4711]


def test_an_event_leaves_nothing_behind_in_the_rules():
    random = Random(9)
    conditions = [condition(random, depth=4) for _ in range(20)]
    ruleset = compile_rules([rule(each) for each in conditions], CATALOGUE)
    each_alone = [flat(random_values(random)) for _ in range(30)]
    first = [list(ruleset.match(event)) for event in each_alone]
    assert [list(ruleset.match(event)) for event in reversed(each_alone)] == first[::-1]
