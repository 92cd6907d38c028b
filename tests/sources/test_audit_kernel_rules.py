"""From what the rules need to what the kernel is asked for."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.abi.syscalls import AARCH64, I386, X86_64, numbers
from ruleng.normalise.audit.calls import supporting
from ruleng.ports import Demand
from ruleng.sources.audit.kernel_rules import ADDRESSED, HEAVY, KernelRule, Owner, hides_new_processes, owner_of, pack, plan

OWNER = Owner(4711, 123456, 0, 64)
ARCH, PID, UID, FAMILY, ARG0, SUCCESS = 11, 0, 1, 113, 200, 104
EQUAL, NOT_EQUAL, BIT_TEST = 0x40000000, 0x30000000, 0x48000000


def demand(*event_types: str, fields: frozenset[str] = frozenset()) -> Demand:
    return Demand(event_types=frozenset(event_types), fields=fields)


def unpacked(rule: bytes) -> tuple[dict[int, tuple[int, int]], set[int]]:
    """(field -> (operator, value), system calls)."""
    header = struct.unpack_from("<3I", rule)
    assert header[:2] == (4, 2), "a rule of the exit list that always records"
    mask = struct.unpack_from("<64I", rule, 12)
    columns = [struct.unpack_from("<64I", rule, 12 + 256 * column) for column in (1, 2, 3)]
    fields = {columns[0][row]: (columns[2][row], columns[1][row]) for row in range(header[2])}
    return fields, {word * 32 + bit for word, bits in enumerate(mask) for bit in range(32) if bits >> bit & 1}


def asked(rules: tuple[KernelRule, ...], arch: int, **only: int) -> set[str]:
    """Names of the system calls that some rule of this architecture asks for without a further condition."""
    names: set[str] = set()
    for rule in rules:
        fields, calls = unpacked(rule.data)
        if fields[ARCH] == (EQUAL, arch) and set(fields) == {ARCH, PID, 210}:
            names |= {name for name, known in numbers(arch).items() if set(known) & calls}
    return names


def test_a_demand_is_asked_for_on_both_widths_of_the_machine() -> None:
    planned = plan(demand("openat", "chmod"), "x86_64", OWNER)
    for arch in (X86_64, I386):
        assert {"openat", "chmod", "execve", "execveat", "setns", "unshare", "capset"} <= asked(planned.rules, arch)
    assert planned.left_out == {}


def test_arm_is_asked_in_its_own_numbers() -> None:
    planned = plan(demand("openat"), "aarch64", OWNER)
    fields, calls = unpacked(planned.rules[-1].data)
    assert fields[ARCH] == (EQUAL, AARCH64)
    assert {56, 221} <= calls  # openat, execve: asm-generic/unistd.h


def test_nothing_is_asked_for_when_no_rule_needs_anything() -> None:
    assert plan(demand(), "x86_64", OWNER).rules == ()


def test_ruleng_itself_is_never_recorded() -> None:
    for rule in plan(demand("openat", "sendto", "connect"), "x86_64", OWNER).rules:
        assert unpacked(rule.data)[0][PID] == (NOT_EQUAL, 4711)


def test_a_trial_can_be_limited_to_one_user() -> None:
    for rule in plan(demand("openat", "sendto"), "x86_64", OWNER, only_uid=54321).rules:
        assert unpacked(rule.data)[0][UID] == (EQUAL, 54321)


def test_clone_is_asked_for_where_it_makes_a_process_and_not_for_threads() -> None:
    rules = plan(demand("openat"), "x86_64", OWNER).rules
    assert "clone" not in asked(rules, X86_64)
    assert "clone3" not in asked(rules, X86_64)
    conditions = [unpacked(rule.data) for rule in rules if rule.calls == {"clone"}]
    assert [(fields[ARG0], calls) for fields, calls in conditions] == [((BIT_TEST, 17), {56}), ((BIT_TEST, 17), {120})]


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
    planned = plan(demand("sendto"), "x86_64", OWNER)
    assert "sendto" not in asked(planned.rules, X86_64)
    families = [unpacked(rule.data)[0][FAMILY] for rule in planned.rules if rule.calls == {"sendto"}]
    assert set(families) == {(EQUAL, 2), (EQUAL, 10)}
    assert set(planned.left_out) == {"sendto"}


def test_socket_calls_of_i386_are_told_apart_by_their_first_argument() -> None:
    planned = plan(demand("connect"), "x86_64", OWNER)
    multiplexed = [fields[ARG0] for rule in planned.rules for fields, calls in [unpacked(rule.data)] if calls == {102}]
    assert multiplexed == [(EQUAL, 1), (EQUAL, 3)]  # socket and connect: linux/net.h


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


@given(st.frozensets(st.sampled_from(sorted(numbers(X86_64))), max_size=12), st.booleans())
def test_every_event_type_of_the_machine_is_asked_for_or_said_to_be_left_out(wanted: frozenset[str], heavy: bool) -> None:
    planned = plan(demand(*wanted), "x86_64", OWNER, heavy=heavy)
    have_bits = {name for name in wanted if any(number < 2048 for number in numbers(X86_64)[name])}
    plain = asked(planned.rules, X86_64)
    assert have_bits <= plain | set(planned.left_out)
    if heavy:
        assert planned.left_out == {}
    assert set(planned.left_out) <= (HEAVY | ADDRESSED) & supporting(wanted)
