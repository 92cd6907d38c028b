"""Demand -> which tracepoints, with which filters. Pure.

A filter is an expression over a tracepoint's fields that the kernel decides before it writes a sample
(Documentation/trace/events.rst, "Event filtering").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ruleng.abi import syscalls
from ruleng.fields.params import NOT_SYSCALLS
from ruleng.normalise.perf.calls import EXECS, FD_FIELDS, NO_RETURN, STATE, makers
from ruleng.normalise.perf.record import DELIVER, ENTER, EXEC, EXIT, FORK, GENERATE, LEAVE
from ruleng.ports import HIGHEST, LOWEST, Demand, Filter

LONGEST = 4095
"""Characters: the kernel takes a page with its NUL (perf_event_set_filter of kernel/events/core.c)."""
_CLONE_THREAD = 0x10000  # linux/sched.h
_SEEN = frozenset({"signal_generate", "signal_deliver", "procexit", "ruleng.lost"})
Ranges = tuple[tuple[int, int], ...]
_ANY: Ranges = ((LOWEST, HIGHEST),)
_SUCCEEDED: Ranges = ((0, HIGHEST),)


@dataclass(frozen=True, slots=True)
class Tracepoint:
    name: str
    filter: str | None = None
    wakes: bool = False  # the reader, at each sample; else the timer or a ring that fills is soon enough
    is_bulk: bool = False  # goes into the large rings


@dataclass(frozen=True, slots=True)
class Plan:
    tracepoints: tuple[Tracepoint, ...]
    left_out: Mapping[str, str]  # event type -> why not all of it is seen


def plan(demand: Demand, arch: int, own_pid: int, *, has_group_dead: bool) -> Plan:
    """`own_pid`: ruleng's, whose system calls are left out. `has_group_dead`: sched_process_exit tells threads apart."""
    wanted = demand.event_types
    found = [
        Tracepoint(EXEC, wakes=True),
        Tracepoint(FORK, f"!(clone_flags & {_CLONE_THREAD})"),
        Tracepoint(EXIT, "group_dead == 1" if has_group_dead else None),
    ]
    delivers = "signal_deliver" in wanted
    if "signal_generate" in wanted or (delivers and any(field.startswith("signal.sender") for field in demand.fields)):
        found.append(Tracepoint(GENERATE, wakes=True))
    if delivers:
        found.append(Tracepoint(DELIVER, wakes=True))
    numbers = syscalls.numbers(arch)
    enters = [number for name in wanted - EXECS for number in numbers.get(name, ())]
    by_result: dict[Ranges, list[int]] = {}
    needed = STATE | makers(arch) if any(field.startswith(FD_FIELDS) for field in demand.fields) else STATE
    for name in (wanted | needed) - EXECS - NO_RETURN:
        ranges = _results(demand.filters.get(name)) if name in wanted else ()
        if name in needed:
            ranges = _union(ranges, _SUCCEEDED)  # only then does it change what is known
        by_result.setdefault(ranges, []).extend(numbers.get(name, ()))
    others = f"common_pid != {own_pid}"
    if enters:
        found.append(Tracepoint(ENTER, f"{others} && ({_one_of('id', enters)})", is_bulk=True))
    found.append(Tracepoint(LEAVE, f"{others} && ({_exits(by_result)})", is_bulk=True))
    return Plan(tuple(found), _left_out(wanted, numbers))


def _left_out(wanted: Iterable[str], numbers: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in wanted:
        if name == "execveat":
            found[name] = "it is seen as execve"
        elif name == "execve":
            found[name] = "tracepoints tell of programs that were started, not of attempts that failed"
        elif name in NOT_SYSCALLS - _SEEN:
            found[name] = "no tracepoint tells of it"
        elif name not in _SEEN and name not in numbers:
            found[name] = "this machine has no such system call"
    return found


def _results(needed: Filter | None) -> Ranges:
    """The results that every event some rule matches has."""
    if needed is None:
        return _ANY
    found: Ranges = ()
    for alternative in needed:
        found = _union(found, next((atom.ranges for atom in alternative if atom.field == "evt.rawres"), _ANY))
    return found or _ANY


def _union(one: Ranges, other: Ranges) -> Ranges:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(one + other):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _exits(by_result: Mapping[Ranges, Sequence[int]]) -> str:
    parts = [(_one_of("id", ids), _within("ret", ranges)) for ranges, ids in by_result.items() if ids]
    text = " || ".join(f"(({ids}) && ({results}))" if results else f"({ids})" for ids, results in sorted(parts))
    if len(text) > LONGEST // 2:
        text = _one_of("id", [number for ids in by_result.values() for number in ids])
    return text


def _one_of(field: str, numbers: Iterable[int]) -> str:
    """Neighbours as a range, which is shorter for the kernel too."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " || ".join(
        f"{field} == {first}" if first == last else f"({field} >= {first} && {field} <= {last})" for first, last in runs
    )


def _within(field: str, ranges: Ranges) -> str:
    """Empty when there is no limit."""
    parts: list[str] = []
    for first, last in ranges:
        limits = [f"{field} == {first}"] if first == last else []
        if not limits:
            limits = [f"{field} >= {first}"] * (first > LOWEST) + [f"{field} <= {last}"] * (last < HIGHEST)
        if not limits:
            return ""
        parts.append(" && ".join(limits))
    return parts[0] if len(parts) == 1 else " || ".join(f"({part})" for part in parts)
