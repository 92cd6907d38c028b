"""From what the rules need to what the kernel is asked for."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.abi.syscalls import AARCH64, I386, X86_64, numbers
from ruleng.normalise.audit.calls import supporting
from ruleng.ports import HIGHEST, Atom, Demand, Filter
from ruleng.sources.audit.kernel_rules import (
    ADDRESSED,
    HEAVY,
    MOST,
    KernelRule,
    Owner,
    hides_new_processes,
    owner_of,
    pack,
    plan,
)
from tests.sources.exit_filter import EQUAL, NOT_EQUAL, Call, calls_of, checks_of, is_reported

OWNER = Owner(4711, 123456, 0, 64)
ARCH, PID, UID = 11, 0, 1
SUCCEEDS: Filter = ((Atom("evt.rawres", ((0, HIGHEST),)),),)
ENOENT, EACCES, EINPROGRESS = -2, -13, -115


def demand(*event_types: str, fields: frozenset[str] = frozenset(), **filters: Filter) -> Demand:
    return Demand(event_types=frozenset(event_types), fields=fields, filters=filters)


def fails_with(*results: int) -> Filter:
    return ((Atom("evt.rawres", tuple((result, result) for result in sorted(results))),),)


def asked(rules: tuple[KernelRule, ...], arch: int) -> set[str]:
    """Names of the system calls of this architecture that are reported when they succeed."""
    data = [rule.data for rule in rules]
    return {name for name in numbers(arch) if is_reported(data, Call(name, arch=arch))}


def reported(planned_for: Demand, call: Call) -> bool:
    return is_reported([rule.data for rule in plan(planned_for, "x86_64", OWNER).rules], call)


def test_a_demand_is_asked_for_on_both_widths_of_the_machine() -> None:
    planned = plan(demand("openat", "chmod"), "x86_64", OWNER)
    for arch in (X86_64, I386):
        assert {"openat", "chmod", "execve", "execveat", "setns", "unshare", "capset"} <= asked(planned.rules, arch)
    assert planned.left_out == {}


def test_arm_is_asked_in_its_own_numbers() -> None:
    rules = plan(demand("openat"), "aarch64", OWNER).rules
    assert {(ARCH, AARCH64, EQUAL)} == {checks_of(rule.data)[0] for rule in rules}
    assert {56, 221} <= set().union(*(calls_of(rule.data) for rule in rules))  # openat, execve: asm-generic/unistd.h


def test_nothing_is_asked_for_when_no_rule_needs_anything() -> None:
    assert plan(demand(), "x86_64", OWNER).rules == ()


def test_ruleng_itself_is_never_recorded() -> None:
    for rule in plan(demand("openat", "sendto", "connect"), "x86_64", OWNER).rules:
        assert (PID, 4711, NOT_EQUAL) in checks_of(rule.data)


def test_a_trial_can_be_limited_to_one_user() -> None:
    for rule in plan(demand("openat", "sendto"), "x86_64", OWNER, only_uid=54321).rules:
        assert (UID, 54321, EQUAL) in checks_of(rule.data)


def test_clone_is_asked_for_where_it_makes_a_process_and_not_for_threads() -> None:
    thread, process = 0x3D0F00, 0x1200011  # of pthread_create(3) and fork(3) in glibc; the last byte is the child's signal
    for arch in (X86_64, I386):
        assert not reported(demand("openat"), Call("clone", 200, (thread, 0, 0, 0), arch=arch))
        assert reported(demand("openat"), Call("clone", 200, (process, 0, 0, 0), arch=arch))
        assert not reported(demand("openat"), Call("clone3", 200, arch=arch))


def test_a_rule_about_clone_gets_all_of_them() -> None:
    rules = plan(demand("clone", "clone3"), "x86_64", OWNER).rules
    assert {"clone", "clone3"} <= asked(rules, X86_64)


def test_exits_are_asked_for_only_when_a_rule_is_about_them() -> None:
    assert "exit_group" not in asked(plan(demand("openat"), "x86_64", OWNER).rules, X86_64)
    assert "exit_group" in asked(plan(demand("exit_group"), "x86_64", OWNER).rules, X86_64)


@pytest.mark.parametrize(("fields", "wanted"), [(frozenset({"proc.cwd"}), True), (frozenset[str](), False)])
def test_chdir_is_asked_for_when_a_rule_wants_the_working_directory(fields: frozenset[str], wanted: bool) -> None:
    assert ({"chdir", "fchdir"} <= asked(plan(demand("connect", fields=fields), "x86_64", OWNER).rules, X86_64)) is wanted


def test_what_would_flood_is_left_out_and_named() -> None:
    planned = plan(demand("read", "close", "openat"), "x86_64", OWNER)
    assert not {"read", "close"} & asked(planned.rules, X86_64)
    assert set(planned.left_out) == {"read", "close"}
    assert planned.left_out["read"] == "it would flood audit; the configuration can allow it (audit.heavy)"


def test_the_configuration_can_allow_the_flood() -> None:
    planned = plan(demand("read", "sendto"), "x86_64", OWNER, heavy=True)
    assert {"read", "sendto"} <= asked(planned.rules, X86_64)
    assert planned.left_out == {}


def test_sending_is_asked_for_where_it_names_an_internet_address() -> None:
    assert [reported(demand("sendto"), Call("sendto", family=family)) for family in (None, 1, 2, 10)] == [False, False, True, True]
    assert set(plan(demand("sendto"), "x86_64", OWNER).left_out) == {"sendto"}


def test_socket_calls_of_i386_are_told_apart_by_their_first_argument() -> None:
    subcalls = [n for n in range(1, 21) if reported(demand("connect"), Call("socketcall", args=(n, 0, 0, 0), arch=I386))]
    assert subcalls == [1, 3]  # socket and connect: linux/net.h


# --- filters ----------------------------------------------------------------------------------------------------------


def test_what_fails_is_not_asked_for_where_no_rule_wants_it() -> None:
    opens = demand("openat", openat=SUCCEEDS)
    assert reported(opens, Call("openat", 3))
    assert not reported(opens, Call("openat", ENOENT))
    assert reported(demand("openat"), Call("openat", ENOENT))


def test_errors_that_rules_want_are_asked_for_and_no_others() -> None:
    refused = demand("openat", openat=fails_with(EACCES))
    assert [result for result in (3, ENOENT, EACCES) if reported(refused, Call("openat", result))] == [EACCES]


def test_programs_that_could_not_be_started_are_no_news_to_the_state() -> None:
    assert reported(demand("chmod"), Call("execve", 0))
    assert not reported(demand("chmod"), Call("execve", ENOENT))
    assert reported(demand("execve"), Call("execve", ENOENT))
    assert reported(demand("execve", execve=fails_with(EACCES)), Call("execve", 0)), "the state needs it"
    assert not reported(demand("execve", execve=fails_with(EACCES)), Call("execve", ENOENT))


def test_a_connection_in_progress_is_one_that_the_socket_has() -> None:
    sent = demand("connect", "sendto", connect=fails_with(EACCES))
    assert [r for r in (0, ENOENT, EACCES, EINPROGRESS) if reported(sent, Call("connect", r))] == [0, EACCES, EINPROGRESS]


WRITES: Filter = ((Atom("evt.is_open_write", ((1, 1),)),),)
READ, WRITE, READ_WRITE, CREATE = 0, 1, 2, 0o100


def test_opens_to_write_are_told_by_their_flags() -> None:
    written = demand("open", "openat", "openat2", open=WRITES, openat=WRITES, openat2=WRITES)
    for arch in (X86_64, I386):
        for flags, wanted in ((READ, False), (CREATE, False), (WRITE, True), (READ_WRITE, True), (READ_WRITE | CREATE, True)):
            assert reported(written, Call("open", 3, (0, flags, 0, 0), arch=arch)) is wanted
            assert reported(written, Call("openat", 3, (0, 0, flags, 0), arch=arch)) is wanted
            assert reported(written, Call("openat2", 3, (0, 0, flags, 0), arch=arch)), "its flags lie in memory"


def test_directories_are_asked_for_too_that_later_opens_may_start_from() -> None:
    directory = frozenset({0o040000})
    for wanted in (demand("openat", openat=WRITES), demand("open", "unlinkat", open=WRITES)):
        name = "openat" if "openat" in wanted.event_types else "open"
        assert reported(wanted, Call(name, 3, file_types=directory))
        assert not reported(wanted, Call(name, 3, file_types=frozenset({0o100000})))
        assert not reported(wanted, Call(name, ENOENT, file_types=directory))
    assert not reported(demand("open", open=WRITES), Call("open", 3, file_types=directory)), "nothing can start from it"


def test_all_files_are_asked_for_where_calls_work_on_open_ones() -> None:
    changed = demand("openat", "fchmod", openat=WRITES)
    assert reported(changed, Call("openat", 3))
    assert not reported(changed, Call("openat", ENOENT))


def test_a_working_directory_that_is_a_descriptor_is_asked_for() -> None:
    entered = demand("open", fields=frozenset({"proc.cwd"}), open=WRITES)
    assert reported(entered, Call("open", 3, file_types=frozenset({0o040000})))


def test_users_are_told_apart() -> None:
    for name, value in (("user.uid", "uid"), ("user.euid", "euid")):
        of_root = demand("openat", openat=((Atom(name, ((0, 0),)),),))
        assert reported(of_root, Call("openat", **{value: 0}))
        assert not reported(of_root, Call("openat", **{value: 1000}))


def test_calls_that_want_the_same_share_a_rule() -> None:
    names = ("open", "openat", "openat2", "chmod", "unlink", "rename")
    rules = plan(demand(*names, **dict.fromkeys(names, SUCCEEDS)), "x86_64", OWNER).rules
    assert len([rule for rule in rules if {*names, "execve"} <= rule.calls]) == 2, "one an architecture"


def test_a_call_that_is_made_seldom_is_not_worth_a_rule_of_its_own() -> None:
    assert reported(demand("setuid", setuid=((Atom("user.uid", ((0, 0),)),),)), Call("setuid", uid=1000))


def test_what_no_event_can_satisfy_is_not_asked_for() -> None:
    assert not reported(demand("openat", "chmod", chmod=()), Call("chmod"))


def test_many_filters_make_few_rules() -> None:
    often = ("connect", "ioctl", "open", "openat", "openat2")
    each = {name: fails_with(*range(-4 * n - 4, -4 * n)) for n, name in enumerate(often)}
    rules = plan(demand(*often, **each), "x86_64", OWNER).rules
    for arch in (X86_64, I386):
        own = [rule for rule in rules if (ARCH, arch, EQUAL) in checks_of(rule.data) and 102 not in calls_of(rule.data)]
        assert len(own) <= MOST + 1
    for name, wanted in each.items():
        (atom,) = wanted[0]
        for result, _ in atom.ranges:
            assert reported(demand(*often, **each), Call(name, result))


# --- keys -------------------------------------------------------------------------------------------------------------


def test_every_rule_says_whose_it_is_and_what_it_found() -> None:
    for rule in plan(demand("openat", "sendto", "connect"), "x86_64", OWNER).rules:
        assert owner_of(rule.data) == OWNER
        assert rule.data.endswith(b"ruleng\x014711.123456.0.64")


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("ruleng", Owner(0, 0, 0, 0)),
        ("ruleng\x01something else", Owner(0, 0, 0, 0)),
        ("ruleng\x011.2.3", Owner(0, 0, 0, 0)),
        ("rulengine", None),
        ("access\x01ruleng", None),
        ("", None),
    ],
)
def test_rules_of_others_are_not_taken_for_ours(key: str, owner: Owner | None) -> None:
    assert owner_of(pack([(ARCH, X86_64, EQUAL)], [59], key)) == owner


def test_the_key_is_found_behind_other_texts_of_a_rule() -> None:
    path = b"/etc/shadow"
    watched = bytearray(pack([(105, len(path), EQUAL)], [257], OWNER.key))
    watched[1036:1040] = struct.pack("<I", len(path) + len(OWNER.key))
    watched[1040:1040] = path
    assert owner_of(bytes(watched)) == OWNER


@given(st.binary(max_size=1200))
def test_any_bytes_are_somebodys_rule_or_nobodys(rule: bytes) -> None:
    assert owner_of(rule) is None or isinstance(owner_of(rule), Owner)
    assert hides_new_processes(rule) in (True, False)


def test_a_rule_that_hides_every_new_process_is_recognised() -> None:
    never = bytearray(pack([], [], ""))
    struct.pack_into("<3I", never, 0, 1, 0, 0)
    assert hides_new_processes(bytes(never))
    assert not hides_new_processes(pack([], [59], "x"))


@settings(deadline=None)
@given(st.frozensets(st.sampled_from(sorted(numbers(X86_64))), max_size=12), st.booleans())
def test_every_event_type_of_the_machine_is_asked_for_or_said_to_be_left_out(wanted: frozenset[str], heavy: bool) -> None:
    planned = plan(demand(*wanted), "x86_64", OWNER, heavy=heavy)
    have_bits = {name for name in wanted if any(number < 2048 for number in numbers(X86_64)[name])}
    plain = asked(planned.rules, X86_64)
    assert have_bits <= plain | set(planned.left_out)
    if heavy:
        assert planned.left_out == {}
    assert set(planned.left_out) <= (HEAVY | ADDRESSED) & supporting(wanted)
