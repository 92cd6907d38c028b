"""Demand -> tracepoints and filters."""

from ruleng.abi.syscalls import AARCH64, X86_64
from ruleng.fields.catalogue import standard
from ruleng.ports import HIGHEST, LOWEST, Atom, Demand
from ruleng.sources.perf.filters import LONGEST, Plan, plan

OWN = "common_pid != 99 && "


def planned(*event_types: str, arch: int = AARCH64, **more: object) -> Plan:
    demand = Demand(event_types=frozenset(event_types), **({"fields": frozenset()} | more))  # type: ignore[arg-type]
    return plan(demand, arch, 99, has_group_dead=True)


def filters(found: Plan) -> dict[str, str | None]:
    return {point.name: point.filter for point in found.tracepoints}


def test_without_any_demand_only_what_changes_processes_is_asked_for() -> None:
    found = filters(planned())
    assert set(found) == {"sched:sched_process_exec", "task:task_newtask", "sched:sched_process_exit", "raw_syscalls:sys_exit"}
    assert found["task:task_newtask"] == "!(clone_flags & 65536)"
    assert found["sched:sched_process_exit"] == "group_dead == 1"


def test_system_calls_are_asked_for_by_number_and_neighbours_as_a_range() -> None:
    found = filters(planned("ioctl", "openat", "close"))
    assert found["raw_syscalls:sys_enter"] == f"{OWN}(id == 29 || (id >= 56 && id <= 57))"


def test_an_x32_call_is_asked_for_under_its_own_number_too() -> None:
    assert filters(planned("close", arch=X86_64))["raw_syscalls:sys_enter"] == f"{OWN}(id == 3 || id == {0x40000003})"


def test_calls_that_only_the_state_needs_are_asked_for_when_they_succeed_and_only_at_their_end() -> None:
    found = filters(planned("openat"))
    assert "id == 146" not in (found["raw_syscalls:sys_enter"] or "")  # setuid
    leave = found["raw_syscalls:sys_exit"] or ""
    assert "(id >= 143 && id <= 147)" in leave
    assert leave.endswith("id == 268) && (ret >= 0)) || (id == 56))")


def test_results_that_no_rule_wants_are_left_out_in_the_kernel() -> None:
    failed = {"openat": ((Atom("evt.rawres", ((LOWEST, -1),)),), (Atom("evt.rawres", ((7, 7),)),))}
    leave = filters(planned("openat", "close", filters=failed))["raw_syscalls:sys_exit"] or ""
    assert "((id == 56) && ((ret <= -1) || (ret == 7)))" in leave
    assert "(id == 57)" in leave


def test_a_filter_with_one_way_around_the_result_asks_for_every_result() -> None:
    either = {"openat": ((Atom("evt.rawres", ((0, HIGHEST),)),), (Atom("user.uid", ((0, 0),)),))}
    assert (filters(planned("openat", filters=either))["raw_syscalls:sys_exit"] or "").endswith(" || (id == 56))")


def test_names_of_descriptors_need_every_call_that_gives_one_out() -> None:
    leave = filters(planned("read", fields=frozenset({"fd.name"})))["raw_syscalls:sys_exit"] or ""
    assert "id == 198" in leave  # socket
    assert "(id == 63))" in leave  # read itself, whatever it returns


def test_calls_that_never_return_are_asked_for_at_their_beginning_only() -> None:
    found = filters(planned("exit_group"))
    assert found["raw_syscalls:sys_enter"] == f"{OWN}(id == 94)"
    assert "94" not in (found["raw_syscalls:sys_exit"] or "")


def test_who_sent_a_signal_that_is_delivered_needs_its_generation() -> None:
    assert "signal:signal_generate" not in filters(planned("signal_deliver"))
    with_sender = planned("signal_deliver", fields=frozenset({"signal.sender.pid"}))
    assert {"signal:signal_generate", "signal:signal_deliver"} <= set(filters(with_sender))


def test_programs_and_signals_wake_the_reader_and_nothing_else_does() -> None:
    found = planned("signal_generate", "openat", "procexit")
    assert [point.name for point in found.tracepoints if point.wakes] == ["sched:sched_process_exec", "signal:signal_generate"]


def test_what_tracepoints_cannot_tell_is_said_with_the_reason() -> None:
    found = planned("execve", "user_login", "open", "openat", "signal_deliver").left_out
    assert found == {
        "execve": "tracepoints tell of programs that were started, not of attempts that failed",
        "user_login": "no tracepoint tells of it",
        "open": "this machine has no such system call",
    }


def test_everything_at_once_still_fits_into_a_filter() -> None:
    for arch in (X86_64, AARCH64):
        texts = filters(planned(*standard().event_types, arch=arch)).values()
        assert max(len(text or "") for text in texts) < LONGEST
