"""Filters as fields of audit rules: an event that a rule matches is one that the kernel reports."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.abi.syscalls import AARCH64, I386, X86_64, numbers
from ruleng.engine.compile import compile_rules
from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.lang.checked import Checked
from ruleng.normalise.audit import AuditNormaliser
from ruleng.ports import HIGHEST, LOWEST, Atom, Filter
from ruleng.sources.audit.checks import ANY, FAILED, MOST, SUCCEEDED, Clause, clauses
from ruleng.sources.audit.kernel_rules import Owner, plan
from ruleng.sources.audit.reader import Reader
from ruleng.state import Limits, State
from tests.engine.filtered import checked, conditions
from tests.engine.generate import rule
from tests.sources.exit_filter import Call, is_reported
from tests.state.support import Losses, StillClock

EXIT, UID, EUID, GID, LOGINUID, ARG1 = 103, 1, 2, 5, 9, 201
EQUAL, NOT_EQUAL, AT_MOST, AT_LEAST = 0x40000000, 0x30000000, 0x50000000, 0x60000000
UNSET = 0xFFFFFFFF


def error(number: int) -> Clause:
    return ((EXIT, -number & 0xFFFFFFFF, EQUAL), *FAILED)


def atom(field: str, *ranges: tuple[int, int], or_missing: bool = False) -> Filter:
    return ((Atom(field, ranges, or_missing),),)


# event type, filter -> clauses
TABLE: list[tuple[str, Filter, tuple[Clause, ...]]] = [
    ("openat", atom("evt.rawres", (0, HIGHEST)), (SUCCEEDED,)),
    ("openat", atom("evt.rawres", (3, 3)), (SUCCEEDED,)),
    ("openat", atom("evt.rawres", (LOWEST, -1)), (FAILED,)),
    ("openat", atom("evt.rawres", (-13, -13), (-1, -1)), (error(13), error(1))),
    ("openat", atom("evt.rawres", (-13, -11)), (((EXIT, 2**32 - 13, AT_LEAST), (EXIT, 2**32 - 11, AT_MOST), *FAILED),)),
    ("openat", atom("evt.rawres", (LOWEST, -3), (-1, HIGHEST)), (((EXIT, 2**32 - 2, NOT_EQUAL), *FAILED), SUCCEEDED)),
    ("openat", atom("evt.rawres", (LOWEST, -1), or_missing=True), (FAILED,)),
    ("openat", atom("evt.rawres", or_missing=True), ()),
    ("openat", atom("fd.num", (0, HIGHEST)), (SUCCEEDED,)),
    ("openat", atom("fd.num", (-1, -1)), (FAILED,)),
    ("openat", atom("fd.num", (-1, HIGHEST)), (ANY,)),
    ("openat", (), ()),
    # calls that never return, that return more than an error or a small number, that are given their descriptor
    ("exit_group", atom("evt.rawres", (0, HIGHEST), or_missing=True), (ANY,)),
    ("reboot", atom("evt.rawres", (LOWEST, -1), or_missing=True), (ANY,)),
    ("ioctl", atom("evt.rawres", (LOWEST, -1)), (ANY,)),
    ("ioctl", atom("evt.rawres", (-25, -25)), (error(25),)),
    ("fchmod", atom("fd.num", (0, HIGHEST)), (ANY,)),
    # who
    ("openat", atom("user.uid", (0, 0)), (((UID, 0, EQUAL),),)),
    ("openat", atom("user.uid", (LOWEST, -1), (1, HIGHEST), or_missing=True), (((UID, 0, NOT_EQUAL),),)),
    ("openat", atom("user.euid", (1000, HIGHEST)), (((EUID, 1000, AT_LEAST),),)),
    ("openat", atom("user.loginuid", (-1, -1)), (((LOGINUID, UNSET, EQUAL),),)),
    ("openat", atom("user.loginuid", (LOWEST, -2), (0, HIGHEST)), (((LOGINUID, UNSET, NOT_EQUAL),),)),
    ("openat", atom("group.gid", (LOWEST, 4), (6, HIGHEST)), (((GID, 4, AT_MOST),), ((GID, 6, AT_LEAST),))),
    # arguments
    ("open", atom("evt.is_open_write", (1, 1)), (((ARG1, 3, 0x08000000),),)),
    ("openat2", atom("evt.is_open_write", (1, 1)), (ANY,)),
    ("open", atom("evt.is_open_write", (0, 0)), (ANY,)),
    ("open", atom("evt.is_open_read", (1, 1)), (ANY,)),
    ("ioctl", atom("ioctl.cmd", (21522, 21522)), (((ARG1, 21522, EQUAL),),)),
    ("ioctl", atom("ioctl.cmd", (LOWEST, 21521), (21523, HIGHEST), or_missing=True), (ANY,)),
    # together
    ("openat", atom("fd.name", (0, 0)), (ANY,)),
    ("openat", ((Atom("evt.rawres", ((0, HIGHEST),)), Atom("user.uid", ((0, 0),))),), (((UID, 0, EQUAL), *SUCCEEDED),)),
    ("openat", (*atom("evt.rawres", (0, HIGHEST)), *atom("evt.is_open_read", (1, 1))), (ANY,)),
]


@pytest.mark.parametrize(("event_type", "wanted", "expected"), TABLE)
def test_a_filter_becomes_what_audit_can_check_of_it(event_type: str, wanted: Filter, expected: tuple[Clause, ...]) -> None:
    assert set(clauses(event_type, wanted)) == set(expected)


def test_a_filter_of_too_many_clauses_is_one_of_results_only() -> None:
    uids = tuple((uid, uid) for uid in range(0, 4 * MOST, 2))
    wanted: Filter = ((Atom("evt.rawres", ((0, HIGHEST),)), Atom("user.uid", uids)),)
    assert clauses("openat", wanted) == (SUCCEEDED,)
    assert clauses("openat", atom("user.uid", *uids)) == (ANY,)


# --- from rules to records --------------------------------------------------------------------------------------------

OWNER = Owner(4711, 1, 0, 64)
NAMES = ("open", "openat", "creat", "connect", "ioctl", "chmod", "execve", "clone", "dup", "exit_group", "reboot")


def record(call: Call) -> bytes:
    """The SYSCALL record of a call, as audit_log_exit of kernel/auditsc.c writes it."""
    result = "" if call.result is None else f" success={'no' if -4095 <= call.result < 0 else 'yes'} exit={call.result}"
    args = " ".join(f"a{place}={value:x}" for place, value in enumerate(call.args))
    ids = f"auid={call.loginuid} uid={call.uid} gid={call.gid} euid={call.euid} suid={call.euid} fsuid={call.euid}"
    return (
        f"arch={call.arch:x} syscall={min(numbers(call.arch)[call.name])}{result} {args} items=0 ppid=1 pid={call.pid} {ids}"
        f' egid={call.egid} sgid={call.egid} fsgid={call.egid} tty=(none) ses=1 comm="cat" exe="/bin/cat" key=(null)'
    ).encode()


def normalised(call: Call) -> Event:
    losses = Losses()
    reader = Reader(losses, "test")
    (audit,) = [*reader.feed_netlink(1300, b"audit(1.000:1): " + record(call)), *reader.flush()]
    (event,) = AuditNormaliser(State(None, StillClock(), Limits(), losses), losses).events(audit)
    assert not losses.counts
    return event


def calls() -> st.SearchStrategy[Call]:
    ids = st.sampled_from((0, 5, 33, 999, 1000, 4294967294))
    results = {
        "exit_group": (None,),
        "reboot": (None, -1, -22),
        "ioctl": (0, 3, -1, -25, -13, -5000, 2**33),
    }

    def of(name: str) -> st.SearchStrategy[Call]:
        architectures = [arch for arch in (X86_64, I386, AARCH64) if name in numbers(arch)]
        argument = st.sampled_from((0, 1, 2, 3, 0o100, 0o1102, 21505, 21522, 0xFFFFFFFF00000000 | 21522, 17))
        return st.builds(
            Call,
            name=st.just(name),
            result=st.sampled_from(results.get(name, (0, 3, 4, 255, -1, -2, -5, -11, -13, -115, -4000))),
            args=st.tuples(argument, argument, argument, argument),
            arch=st.sampled_from(architectures),
            pid=st.sampled_from((1, 100)),
            uid=ids,
            euid=ids,
            gid=ids,
            egid=ids,
            groups=st.frozensets(ids, max_size=2),
            loginuid=st.one_of(st.just(UNSET), ids),
        )

    return st.sampled_from(NAMES).flatmap(of)


@settings(max_examples=150, deadline=None)
@given(st.lists(conditions(), min_size=1, max_size=4), st.lists(calls(), min_size=1, max_size=10))
def test_the_kernel_reports_every_call_that_some_rule_matches(trees: list[Checked], made: list[Call]) -> None:
    ruleset = compile_rules([rule(tree, f"rule {number}") for number, tree in enumerate(trees)], standard())
    planned = {machine: plan(ruleset.demand, machine, OWNER) for machine in ("x86_64", "aarch64")}
    for call in made:
        rules = planned["aarch64" if call.arch == AARCH64 else "x86_64"].rules
        if ruleset.match(normalised(call)):
            assert is_reported([each.data for each in rules], call)


def test_rules_of_what_opens_get_little_else() -> None:
    text = "evt.type in (open, openat) and evt.is_open_write = true and evt.rawres >= 0 and user.uid != 0"
    ruleset = compile_rules([rule(checked(text))], standard())
    rules = [each.data for each in plan(ruleset.demand, "x86_64", OWNER).rules]
    wanted = Call("openat", 3, (0, 0, 0o1101, 0))
    assert ruleset.match(normalised(wanted))
    assert is_reported(rules, wanted)
    for other in (replace(wanted, result=-13), replace(wanted, args=(0, 0, 0o100, 0)), replace(wanted, uid=0)):
        assert not ruleset.match(normalised(other))
        assert not is_reported(rules, other)
