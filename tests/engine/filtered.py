"""For laws about filters: rules at random of which some can be pushed down, and the filters of a Demand evaluated."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from ruleng.engine import operands
from ruleng.engine.compile import compile_rules
from ruleng.engine.ruleset import RuleSet
from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.lang.check import check_condition
from ruleng.lang.checked import All, AnyOf, Checked, FieldUse, Negate
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source
from ruleng.ports import Atom, Demand, Filter
from tests.engine.generate import rule

TESTS = (
    "evt.rawres >= 0", "evt.rawres < 0", "evt.rawres = 0", "evt.rawres != -2", "evt.rawres in (3, -1, -13)", "evt.rawres exists",
    "evt.rawres <= -5", "evt.rawres > 3", "evt.res = EACCES", "evt.res in (SUCCESS, ENOENT)", "evt.res != SUCCESS",
    "evt.res = EWOULDBLOCK", "evt.res contains AC", "evt.failed = true", "evt.failed = false", "fd.num >= 0", "fd.num = -1",
    "fd.num in (3, 4)", "evt.is_open_write = true", "evt.is_open_write = false", "evt.is_open_read = true",
    "evt.is_open_read != true", "user.uid = 0", "user.uid != 0", "user.uid in (0, 1000)", "user.uid > 999", "user.euid < 1000",
    "user.euid = anyof (0, 33)", "user.loginuid = -1", "user.loginuid >= 1000", "user.loginuid != -1", "group.gid = 5",
    "group.gid != 0", "group.egid <= 5", "proc.pid = 100", "proc.pid != 100", "ioctl.cmd = 21522", "ioctl.cmd in (21505, 21522)",
    "not ioctl.cmd = 21522", "proc.name = cat", "proc.name exists", "user.uid = val(user.euid)", "evt.type = openat",
    "evt.type in (open, creat)", "evt.type != ioctl", "evt.type in (connect, chmod)",
)  # fmt: skip
"""Tests of what is understood, and some of what is not."""


def conditions() -> st.SearchStrategy[Checked]:
    return st.recursive(
        st.sampled_from(TESTS).map(checked),
        lambda below: st.one_of(
            below.map(Negate),
            st.lists(below, min_size=2, max_size=4).map(lambda parts: All(tuple(parts))),
            st.lists(below, min_size=2, max_size=4).map(lambda parts: AnyOf(tuple(parts))),
        ),
        max_leaves=12,
    )


@cache
def checked(text: str) -> Checked:
    expr, mistakes = parse_condition(Source("test", text))
    assert expr is not None, [mistake.message for mistake in mistakes]
    condition, mistakes = check_condition(expr, standard())
    assert condition is not None, [mistake.message for mistake in mistakes]
    return condition


def compiled(*conditions: str) -> RuleSet:
    return compile_rules([rule(checked(text), text) for text in conditions], standard())


def may_match(demand: Demand, event: Event) -> bool:
    """Whether a source must hand out the event."""
    if event.type not in demand.event_types:
        return False
    wanted = demand.filters.get(event.type)
    return wanted is None or satisfies(wanted, event)


def satisfies(wanted: Filter, event: Event) -> bool:
    return any(all(_holds(atom, event) for atom in alternative) for alternative in wanted)


def _holds(atom: Atom, event: Event) -> bool:
    value = operands.value(FieldUse(standard().fields[atom.field]), event)
    if value is None:
        return atom.or_missing
    return any(first <= value <= last for first, last in atom.ranges)
