"""What audit can check of a system call when it returns: a `ports.Filter` put into fields of audit rules. Pure.

What audit cannot check is left out, so that a clause lets through at least what the filter does. All numbers that audit
compares are unsigned and of 32 bits, a result too (audit_comparator, kernel/auditfilter.c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import product

from ruleng.normalise.audit.calls import RESULT, call
from ruleng.ports import Atom, Filter

Check = tuple[int, int, int]
"""Field, value and operator as linux/audit.h numbers them."""

Clause = tuple[Check, ...]
"""Checks that must all hold: a rule of its own. Without any it lets everything through."""

PID, UID, ARCH, EXIT, SUCCESS, FILETYPE, SADDR_FAM, ARG0, KEY = 0, 1, 11, 103, 104, 108, 113, 200, 210
_EUID, _GID, _EGID, _LOGINUID = 2, 5, 6, 9
EQUAL, NOT_EQUAL, BIT_TEST = 0x40000000, 0x30000000, 0x48000000
_BIT_MASK, _AT_MOST, _AT_LEAST = 0x08000000, 0x50000000, 0x60000000

ANY: Clause = ()
SUCCEEDED: Clause = ((SUCCESS, 1, EQUAL),)
FAILED: Clause = ((SUCCESS, 0, EQUAL),)
_S_IFDIR = 0o040000  # linux/stat.h
OPENED_DIRECTORY: Clause = (*SUCCEEDED, (FILETYPE, _S_IFDIR, EQUAL))

MOST = 4
"""Clauses of one filter. Each is a rule, and a rule costs each call that it names some 10 ns, the others 1 ns."""

_UNSIGNED = 0xFFFFFFFF
_WORST = -4095  # -MAX_ERRNO, linux/err.h: what is below is no error, and audit calls it a success
_NEVER_RETURN = frozenset({"exit", "exit_group", "reboot"})
"""Calls that may have no result, not even of failure; a missing one is neither success nor failure to audit."""
_NEGATIVE_SUCCESS = frozenset({"fcntl", "ioctl", "lseek", "rt_sigreturn", "restart_syscall", "times"})
"""Calls whose result may be below -4095: a process group, an offset, whatever a driver or the interrupted call returns."""

_FLAGS_AT = {"open": 1, "openat": 2}
"""Where the flags are; openat2 has them in memory, creat has none."""


def clauses(event_type: str, wanted: Filter) -> tuple[Clause, ...]:
    """Clauses of which one holds whenever the filter does. None at all: no event is wanted."""
    for fields in (None, _OF_THE_RESULT):
        found = _fewest(clause for alternative in wanted for clause in _of_alternative(event_type, alternative, fields))
        if len(found) <= MOST:
            return found
    return (ANY,)


def united(*parts: Iterable[Clause]) -> tuple[Clause, ...]:
    """Clauses of which one holds whenever one of any part does."""
    return _fewest(clause for part in parts for clause in part)


def _fewest(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    distinct = dict.fromkeys(tuple(sorted(set(clause))) for clause in clauses)
    if SUCCEEDED in distinct and FAILED in distinct:
        return (ANY,)
    return tuple(sorted(one for one in distinct if not any(set(other) < set(one) for other in distinct)))


def _of_alternative(event_type: str, atoms: Iterable[Atom], fields: frozenset[str] | None) -> Iterable[Clause]:
    parts = [_of_atom(event_type, atom) for atom in atoms if fields is None or atom.field in fields]
    return (tuple(check for clause in chosen for check in clause) for chosen in product(*parts))


def _of_atom(event_type: str, atom: Atom) -> Sequence[Clause]:
    check = _CHECKS.get(atom.field)
    return [ANY] if check is None else check(event_type, atom)


# --- the result ---------------------------------------------------------------------------------------------------------------


def _result(event_type: str, atom: Atom) -> Sequence[Clause]:
    if event_type in _NEVER_RETURN:
        return [ANY]
    if event_type in _NEGATIVE_SUCCESS and any(first < _WORST for first, _ in atom.ranges):
        return [ANY]
    found = [SUCCEEDED] if any(last >= 0 for _, last in atom.ranges) else []
    return [*found, *((*FAILED, *clause) for clause in _numbers(EXIT, atom.ranges, _WORST, -1))]


def _descriptor(event_type: str, atom: Atom) -> Sequence[Clause]:
    """fd.num of a call that returns a descriptor is its result, and -1 when it failed."""
    if call(event_type).fd != RESULT:
        return [ANY]
    found = [SUCCEEDED] if any(last >= 0 for _, last in atom.ranges) else []
    return [*found, FAILED] if _has(atom, -1) else found


# --- arguments ----------------------------------------------------------------------------------------------------------------


def _opens_to_write(event_type: str, atom: Atom) -> Sequence[Clause]:
    """One of the two bits of O_ACCMODE is set."""
    return [_flags(event_type, 0o3)] if _has(atom, 1) and not _has(atom, 0) else [ANY]


def _opens_to_read(event_type: str, atom: Atom) -> Sequence[Clause]:
    """That an access mode is O_WRONLY, audit can nearly check, and that it is none at all."""
    return [_flags(event_type, 0o1)] if _has(atom, 0) and not _has(atom, 1) else [ANY]


def _flags(event_type: str, mask: int) -> Clause:
    place = _FLAGS_AT.get(event_type)
    return ANY if place is None else ((ARG0 + place, mask, _BIT_MASK),)


def _ioctl_command(_: str, atom: Atom) -> Sequence[Clause]:
    """The argument has 64 bits, of which audit sees 32: enough to say what it may be, not what it is not."""
    if any(first != last for first, last in atom.ranges) or atom.or_missing:
        return [ANY]
    return [((ARG0 + 1, first & _UNSIGNED, EQUAL),) for first, _ in atom.ranges]


# --- who --------------------------------------------------------------------------------------------------------------------


def _id(field: int, event_type: str, atom: Atom) -> Sequence[Clause]:
    return _numbers(field, atom.ranges, 0, _UNSIGNED - 1, unequal=field not in (_GID, _EGID))


def _login(event_type: str, atom: Atom) -> Sequence[Clause]:
    """Nobody's login is -1, which audit calls unset: the highest number."""
    ranges = [(first, min(last, _UNSIGNED - 1)) for first, last in atom.ranges if last >= 0]
    if _has(atom, -1):
        ranges.append((_UNSIGNED, _UNSIGNED))
    return _numbers(_LOGINUID, ranges, 0, _UNSIGNED)


def _numbers(field: int, ranges: Sequence[tuple[int, int]], lowest: int, highest: int, *, unequal: bool = True) -> list[Clause]:
    """That the field is in one of the ranges, where it is a number from `lowest` to `highest`.

    Not `unequal`: audit's "not this group" also looks at a process's other groups.
    """
    inside = sorted((max(first, lowest), min(last, highest)) for first, last in ranges if first <= highest and last >= lowest)
    gaps = _gaps(inside, lowest, highest)
    if unequal and inside and len(gaps) <= len(inside) + 1 and all(first == last for first, last in gaps):
        return [tuple((field, gap & _UNSIGNED, NOT_EQUAL) for gap, _ in gaps)]
    return [_between(field, first, last, lowest, highest) for first, last in inside]


def _gaps(ranges: Sequence[tuple[int, int]], lowest: int, highest: int) -> list[tuple[int, int]]:
    firsts = [lowest, *(last + 1 for _, last in ranges)]
    lasts = [*(first - 1 for first, _ in ranges), highest]
    return [(first, last) for first, last in zip(firsts, lasts, strict=True) if first <= last]


def _between(field: int, first: int, last: int, lowest: int, highest: int) -> Clause:
    if first == last:
        return ((field, first & _UNSIGNED, EQUAL),)
    above = [(field, first & _UNSIGNED, _AT_LEAST)] if first > lowest else []
    below = [(field, last & _UNSIGNED, _AT_MOST)] if last < highest else []
    return (*above, *below)


def _has(atom: Atom, number: int) -> bool:
    return any(first <= number <= last for first, last in atom.ranges)


_CHECKS: Mapping[str, Callable[[str, Atom], Sequence[Clause]]] = {
    "evt.rawres": _result,
    "fd.num": _descriptor,
    "evt.is_open_write": _opens_to_write,
    "evt.is_open_read": _opens_to_read,
    "ioctl.cmd": _ioctl_command,
    "proc.pid": partial(_id, PID),
    "user.uid": partial(_id, UID),
    "user.euid": partial(_id, _EUID),
    "user.loginuid": _login,
    "group.gid": partial(_id, _GID),
    "group.egid": partial(_id, _EGID),
}
_OF_THE_RESULT = frozenset({"evt.rawres", "fd.num"})
