"""What a kernel can check before it reports an event: never more than some rule wants."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.engine import pushdown
from ruleng.engine.compile import compile_rules
from ruleng.engine.ranges import EVERY, Ranges, complement, intersection, union, within
from ruleng.engine.ruleset import RuleSet
from ruleng.event import Event, Process
from ruleng.fields.catalogue import standard
from ruleng.lang.checked import Checked
from ruleng.lang.load import load_rules
from ruleng.ports import HIGHEST, LOWEST, Atom, Filter
from tests.conftest import SHARED
from tests.engine.filtered import TESTS, checked, compiled, conditions, may_match
from tests.engine.generate import real, rule, solve

SHIPPED = Path(__file__).resolve().parents[2] / "rules"
TYPES = ("open", "openat", "creat", "connect", "ioctl", "chmod")


def filters(*conditions: str) -> Mapping[str, Filter]:
    return compiled(*conditions).demand.filters


def results(*ranges: tuple[int, int], or_missing: bool = False) -> Filter:
    return ((Atom("evt.rawres", ranges, or_missing),),)


SUCCESS = (0, HIGHEST)
FAILURE = (LOWEST, -1)

# condition of openat -> the results with which it can hold
OUTCOMES = [
    ("evt.rawres >= 0", results(SUCCESS)),
    ("evt.rawres > 2", results((3, HIGHEST))),
    ("evt.rawres = -2", results((-2, -2))),
    ("evt.rawres < 0", results(FAILURE)),
    ("evt.rawres >= -13 and evt.rawres < 0", results((-13, -1))),
    ("evt.rawres in (-13, -1, 3)", results((-13, -13), (-1, -1), (3, 3))),
    ("evt.rawres != -2", results((LOWEST, -3), (-1, HIGHEST))),
    ("not evt.rawres = -2", results((LOWEST, -3), (-1, HIGHEST), or_missing=True)),
    ("evt.res = EACCES", results((-13, -13))),
    ("evt.res in (SUCCESS, EINTR)", results((-4, -4), SUCCESS)),
    ("evt.res != SUCCESS", results(FAILURE)),
    ("evt.res = 4000", results((-4000, -4000))),
    ("evt.failed = true", results(FAILURE)),
    ("evt.failed != true", results(SUCCESS)),
    ("evt.rawres >= 0 or evt.res = EACCES", results((-13, -13), SUCCESS)),
    ("evt.rawres >= 0 and evt.res in (SUCCESS, EACCES)", results(SUCCESS)),
    ("evt.rawres >= 0 and proc.name = cat", results(SUCCESS)),
    ("not evt.rawres exists", results(or_missing=True)),
    # nothing can make it true
    ("evt.res = EWOULDBLOCK", ()),  # the number's other name is the one that evt.res has
    ("evt.res = NOTHING", ()),
    ("evt.rawres = 1 and evt.res = EACCES", ()),
]


@pytest.mark.parametrize(("condition", "wanted"), OUTCOMES)
def test_a_condition_of_the_outcome_leaves_the_others_out(condition: str, wanted: Filter) -> None:
    assert filters(f"evt.type = openat and ({condition})") == {"openat": wanted}


# conditions of openat for which any event may be needed
OPEN_ENDS = [
    "proc.name = cat",
    "evt.rawres >= 0 or proc.name = cat",
    "evt.rawres exists",
    "not (evt.rawres >= 0 and proc.name = cat)",
    "evt.rawres >= 0 or evt.rawres < 0",
    "evt.res startswith E",
    "fd.name = /etc/shadow",
    "user.name = root",
    "evt.arg.flags contains O_CREAT",
]


@pytest.mark.parametrize("condition", OPEN_ENDS)
def test_what_no_kernel_can_tell_leaves_nothing_out(condition: str) -> None:
    assert filters(f"evt.type = openat and ({condition})") == {}


def test_fields_of_the_process_and_of_flags_are_numbers_too() -> None:
    atoms = {
        "user.uid = 0": Atom("user.uid", ((0, 0),)),
        "not user.euid in (0, 1)": Atom("user.euid", ((LOWEST, -1), (2, HIGHEST)), or_missing=True),
        "user.loginuid != -1": Atom("user.loginuid", ((LOWEST, -2), (0, HIGHEST))),
        "group.gid >= 1000": Atom("group.gid", ((1000, HIGHEST),)),
        "proc.pid = 1": Atom("proc.pid", ((1, 1),)),
        "fd.num >= 0": Atom("fd.num", ((0, HIGHEST),)),
        "evt.is_open_write = true": Atom("evt.is_open_write", ((1, 1),)),
        "evt.is_open_read = false": Atom("evt.is_open_read", ((0, 0),)),
    }
    for condition, atom in atoms.items():
        assert filters(f"evt.type = openat and {condition}") == {"openat": ((atom,),)}


def test_rules_of_one_type_are_alternatives_and_a_rule_that_wants_all_ends_them() -> None:
    written = "evt.type in (open, openat) and evt.is_open_write = true and evt.rawres >= 0"
    refused = "evt.type = openat and evt.res in (EACCES, EPERM)"
    opened, success = Atom("evt.is_open_write", ((1, 1),)), Atom("evt.rawres", (SUCCESS,))
    failed = Atom("evt.rawres", ((-13, -13), (-1, -1)))
    assert filters(written, refused) == {"open": ((opened, success),), "openat": ((opened, success), (failed,))}
    assert filters(written, refused, "evt.type = openat and proc.name = cat") == {"open": ((opened, success),)}


def test_too_many_alternatives_become_one_that_is_wider() -> None:
    conditions = [f"evt.type = openat and user.uid = {n} and evt.rawres = -{n}" for n in range(1, pushdown.MOST + 2)]
    uids, failures = Atom("user.uid", ((1, pushdown.MOST + 1),)), Atom("evt.rawres", ((-pushdown.MOST - 1, -1),))
    assert filters(*conditions) == {"openat": ((failures, uids),)}


def test_a_disabled_rule_asks_for_nothing() -> None:
    enabled, disabled = "evt.type = openat and evt.rawres >= 0", "evt.type = openat and proc.name = cat"
    rules = [rule(checked(enabled)), rule(checked(disabled), enabled=False)]
    assert compile_rules(rules, standard()).demand.filters == {"openat": results(SUCCESS)}


def test_every_expression_that_is_understood_is_one_of_the_catalogues() -> None:
    """Else a change of the catalogue would silently end the narrowing of kernel rules."""
    reads = {field.read: field.name for field in standard()}
    assert set(pushdown.UNDERSTOOD) <= reads.keys()
    for text, (name, _) in pushdown.UNDERSTOOD.items():
        assert name in standard().fields
        assert reads[text] == name or text in ("res(e.result)", "failed(e.result)")


# --- laws -----------------------------------------------------------------------------------------------------------------------


def events() -> st.SearchStrategy[Event]:
    ids = st.sampled_from((None, 0, 5, 33, 999, 1000, 4294967294))
    processes = st.builds(
        Process,
        pid=st.sampled_from((None, 1, 100)),
        name=st.sampled_from((None, "cat", "sh")),
        uid=ids,
        euid=ids,
        gid=ids,
        egid=ids,
        loginuid=st.one_of(st.just(-1), ids),
    )
    return st.builds(
        Event,
        type=st.sampled_from(TYPES),
        time_ns=st.just(0),
        proc=processes,
        num=st.just(1),
        result=st.sampled_from((None, 0, 3, 4, 255, -1, -2, -5, -11, -13, -4000, -5000, 2**33)),
        fd_num=st.sampled_from((None, -1, 0, 3)),
        open_flags=st.sampled_from((None, 0, 1, 2, 3, 0o100, 0o1102)),
        args=st.sampled_from(({}, {"request": 21505}, {"request": 21522}, {"request": "text"})),
    )


@settings(max_examples=400, deadline=None)
@given(st.lists(conditions(), min_size=1, max_size=4), st.lists(events(), min_size=1, max_size=12))
def test_what_some_rule_matches_passes_the_filter_of_its_type(trees: list[Checked], found: list[Event]) -> None:
    ruleset = compile_rules([rule(tree, f"rule {number}") for number, tree in enumerate(trees)], standard())
    for event in found:
        if ruleset.match(event):
            assert may_match(ruleset.demand, event)


def test_filters_of_generated_rules_leave_out_a_good_part() -> None:
    """Else the law would hold of filters that let everything through."""
    random = Random(6)
    left_out = passed = 0
    for _ in range(200):
        ruleset = compiled(*(" and ".join(random.sample(TESTS, 3)) for _ in range(2)))
        for name in TYPES:
            for result in (None, 0, 3, -1, -2, -13):
                event = Event(type=name, time_ns=0, num=1, result=result, proc=Process(uid=random.choice((0, 1000)), pid=100))
                wanted = may_match(ruleset.demand, event)
                left_out, passed = left_out + (not wanted), passed + wanted
    assert left_out > passed > 100


def directed(ruleset: RuleSet, random: Random, attempts: int) -> Iterator[Event]:
    """Events made for each of the rules."""
    types = sorted(ruleset.demand.event_types)
    for each in ruleset.rules:
        for attempt in range(attempts):
            values = solve(each.condition, attempt % 4 != 0, random, types)
            event = real(values, standard()) if values is not None else None
            if event is not None:
                yield event


def test_shipped_rules_get_all_that_they_match() -> None:
    loaded = load_rules([SHIPPED], standard())
    ruleset = compile_rules(loaded.rules, standard())
    matched = 0
    for event in directed(ruleset, Random(7), 24):
        if ruleset.match(event):
            matched += 1
            assert may_match(ruleset.demand, event), event
    assert matched > len(loaded.rules)
    refused = Event(type="openat", time_ns=0, num=1, result=-13)
    missing = Event(type="openat", time_ns=0, num=1, result=-2)
    assert may_match(ruleset.demand, refused)
    assert not may_match(ruleset.demand, missing), "the flood of files that are not there"


@pytest.mark.shared
def test_official_rules_get_all_that_they_match() -> None:
    loaded = load_rules([SHARED / "falco-rules" / name for name in ("falco_rules.yaml", "falco-incubating_rules.yaml")], standard())
    ruleset = compile_rules(loaded.rules, standard())
    matched = 0
    for event in directed(ruleset, Random(8), 24):
        if ruleset.match(event):
            matched += 1
            assert may_match(ruleset.demand, event), event
    assert matched > len(loaded.rules)


def test_thousands_of_rules_are_understood_in_a_moment() -> None:
    trees = [checked(f"evt.type in (openat, connect) and evt.rawres = {n % 4000} and user.uid = {n}") for n in range(3000)]
    rules = [rule(tree, f"rule {number}") for number, tree in enumerate(trees)]
    started = time.process_time()
    filtered = compile_rules(rules, standard()).demand.filters
    whole = time.process_time() - started
    assert filtered == {
        name: ((Atom("evt.rawres", ((0, 2999),)), Atom("user.uid", ((0, 2999),))),) for name in ("openat", "connect")
    }
    assert whole < 30, "compiling them all"


# --- ranges -----------------------------------------------------------------------------------------------------------------------


def ranges() -> st.SearchStrategy[Ranges]:
    ends = st.integers(-12, 12)
    pairs = st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair)))
    return st.lists(pairs, max_size=4).map(lambda found: union(tuple(sorted(found))))


def numbers(found: Ranges) -> set[int]:
    return {number for number in range(-20, 21) if any(first <= number <= last for first, last in found)}


@given(ranges(), ranges())
def test_ranges_are_sets_of_numbers(one: Ranges, other: Ranges) -> None:
    assert numbers(union(one, other)) == numbers(one) | numbers(other)
    assert numbers(intersection(one, other)) == numbers(one) & numbers(other)
    assert numbers(complement(one)) == set(range(-20, 21)) - numbers(one)
    assert within(one, other) is (numbers(one) <= numbers(other))
    assert complement(complement(one)) == one
    assert union(one, complement(one)) == EVERY
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(one))
