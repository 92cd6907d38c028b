"""What the rules of ruleng need, as rules of the kernel's audit. Pure: a Demand in, packed rules and a list of what is left out.

Asked for, on each architecture of this machine (64 bit and 32 bit), and why:
- every system call that is an event type of the Demand, but those that would flood the stream (`HEAVY`), which are left out
  unless the configuration allows them; of calls that send and receive, those that pass an internet address, which are few;
- what such events need to be complete: `socket` tells a datagram from a stream, `bind` has the address of an `accept`;
- `execve` and `execveat`, by which a process becomes another program; `fork`, `vfork`, and `clone` where it makes a process
  (not a thread: the child's signal is SIGCHLD), for lineages whose middle exits before anybody can look; `setns`, `unshare`
  and `capset`, which are rare. Not `clone3`, which libraries use for threads and for processes that exec at once, and not
  exits, which are seen by looking at /proc;
- `chdir` and `fchdir` where a rule asks for `proc.cwd`.
Of these, what succeeds is enough where no rule looks at the event itself: a call that failed changed nothing. Where rules do,
the Demand's filters say of which of a type's events any rule may match; of opens, those are asked for too by which a later call
can be told what it works on: all that succeed where such a call gets a file, directories where it gets one to start from.
ruleng's own process is excluded. Nothing is asked for twice: calls that want the same checked share a rule, since one rule with
many system calls costs the kernel no more than one with a single one.

All rules have the key `ruleng`, and beside it one that names the process that added them and the settings it found: so what
a crash left can be told from what another ruleng needs, and be undone, settings included.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ruleng.abi.syscalls import AARCH64, I386, SOCKETCALL, X86_64, numbers
from ruleng.normalise.audit.calls import RESULT, STATE, call, is_open, remembered, supporting
from ruleng.ports import EVERYTHING, Demand
from ruleng.sources.audit import checks
from ruleng.sources.audit.checks import ANY, EQUAL, SUCCEEDED, Check, Clause

KEY = "ruleng"
MACHINES: Mapping[str, tuple[int, ...]] = {"x86_64": (X86_64, I386), "aarch64": (AARCH64,)}
"""Architectures by the machine's name (uname(2)); 32-bit ARM programs are not seen, and neither are x32 ones (audit's rules
have no bits for their numbers)."""

_FILTER_EXIT, _FILTER_TASK, _FILTER_MASK = 4, 1, 0x0F  # linux/audit.h
_NEVER, _ALWAYS = 0, 2
_WORDS, _FIELDS = 64, 64  # AUDIT_BITMASK_SIZE, AUDIT_MAX_FIELDS
_RULE = struct.Struct(f"<3I{_WORDS}I{_FIELDS}I{_FIELDS}I{_FIELDS}II")  # struct audit_rule_data without its buffer
_SEPARATOR = "\x01"  # AUDIT_KEY_SEPARATOR of libaudit.h
_MAKES_A_PROCESS: Clause = ((checks.ARG0, 17, checks.BIT_TEST),)  # SIGCHLD, asm-generic/signal.h: of a thread it is 0
_IN_PROGRESS: Clause = (*checks.FAILED, (checks.EXIT, -errno.EINPROGRESS & 0xFFFFFFFF, EQUAL))  # a connect that may succeed yet
_AF_INET, _AF_INET6 = 2, 10
_SOCKETCALL_NUMBER = 102  # of i386

MOST = 8
"""Different clauses of one architecture, see `checks.MOST`."""

HEAVY = frozenset(
    """
    read readv pread preadv preadv2 write writev pwrite pwritev pwritev2 close close_range mmap mmap2 munmap mremap mprotect
    madvise msync mincore brk futex poll ppoll select _newselect pselect6 epoll_wait epoll_pwait epoll_pwait2 epoll_ctl nanosleep
    clock_nanosleep clock_gettime gettimeofday time times getcpu getpid gettid getppid getpgid getpgrp getsid getuid getgid geteuid
    getegid getresuid getresgid getgroups sched_yield rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack rt_sigtimedwait
    rt_sigsuspend restart_syscall stat lstat fstat stat64 lstat64 fstat64 newfstatat statx lseek llseek fcntl getdents getdents64
    access faccessat faccessat2 readlink readlinkat getcwd uname sysinfo getrandom getrusage wait4 waitid getrlimit prlimit
    set_robust_list get_robust_list rseq membarrier sendfile splice tee vmsplice copy_file_range send recv sendmmsg recvmmsg
    shutdown getsockopt setsockopt getsockname getpeername io_uring_enter io_submit io_getevents timer_settime
    timerfd_settime timerfd_gettime set_tid_address arch_prctl
    """.split()  # noqa: SIM905 - a table of a hundred words
)
"""Calls that every program makes all the time: thousands a second on an idle host."""

ADDRESSED = frozenset({"sendto", "sendmsg", "recvfrom", "recvmsg"})
"""Heavy, but the kernel can pick those with an address of a family (Linux 5.3): datagrams."""

OFTEN = frozenset({"clone", "connect", "execve", "ioctl", "open", "openat", "openat2"})
"""Not heavy, but many: for them it is worth a rule to leave out what nobody needs. Others may share such a rule."""

_ALWAYS_WANTED = frozenset({"execve", "execveat", "fork", "vfork", "clone", "setns", "unshare", "capset"})
_CWD = frozenset({"chdir", "fchdir"})
_CHANGES: Mapping[str, tuple[Clause, ...]] = {"clone": (_MAKES_A_PROCESS,), "connect": (SUCCEEDED, _IN_PROGRESS)}
"""What changes a process or a descriptor, where that is not what succeeds."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who added a rule, and what it found: `PID.START.ENABLED.BACKLOG` in the second key."""

    pid: int
    start_ticks: int  # field 22 of /proc/PID/stat
    enabled: int
    backlog_limit: int

    @property
    def key(self) -> str:
        return f"{KEY}{_SEPARATOR}{self.pid}.{self.start_ticks}.{self.enabled}.{self.backlog_limit}"


@dataclass(frozen=True, slots=True)
class KernelRule:
    """A packed rule, and the calls that nobody reports when the kernel refuses it."""

    data: bytes
    calls: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules, and why event types are left out, wholly or in part."""

    rules: tuple[KernelRule, ...]
    left_out: Mapping[str, str]


def plan(demand: Demand, machine: str, owner: Owner, *, heavy: bool = False, only_uid: int | None = None) -> Plan:
    """`machine` is one of MACHINES. `only_uid`: ask only for what one user does, as for a trial."""
    if not demand.event_types:
        return Plan((), {})
    wanted = supporting(demand.event_types) - (STATE - _ALWAYS_WANTED - demand.event_types)
    if "proc.cwd" in demand.fields:
        wanted |= _CWD
    left_out: dict[str, str] = {}
    addressed = frozenset[str]()
    if not heavy:
        for name in wanted & HEAVY:
            left_out[name] = "it would flood audit; the configuration can allow it (audit.heavy)"
        for name in wanted & ADDRESSED:
            left_out[name] = "only calls with an internet address; the configuration can allow all of them (audit.heavy)"
        addressed = wanted & ADDRESSED
        wanted -= HEAVY
    asked = _few(_asked(wanted, demand, addressed))
    rules: list[KernelRule] = []
    for arch in MACHINES[machine]:
        rules += _for_arch(arch, asked, addressed, _ours(arch, owner, only_uid), owner)
    return Plan(tuple(rules), left_out)


def _asked(wanted: frozenset[str], demand: Demand, addressed: frozenset[str]) -> dict[str, tuple[Clause, ...]]:
    """For each call when it is to be reported: whenever one of the clauses holds."""
    types = demand.event_types & wanted
    needed = _ALWAYS_WANTED | _CWD | remembered(types)
    opens = _needed_opens(types, wanted)
    asked: dict[str, tuple[Clause, ...]] = {}
    for name in sorted(wanted - addressed):
        of_rules = checks.clauses(name, demand.filters.get(name, EVERYTHING)) if name in types else ()
        of_state = opens if is_open(name) else _CHANGES.get(name, (SUCCEEDED,)) if name in needed else ()
        asked[name] = checks.united(of_rules, of_state)
    return asked


def _needed_opens(types: frozenset[str], wanted: frozenset[str]) -> tuple[Clause, ...]:
    """Of which opens to know, so that what comes later can be told by its descriptor."""
    users = [name for name in types if any(map(is_open, remembered({name})))]
    if any(call(name).fd not in (None, RESULT) and name != "fchdir" for name in users):
        return (SUCCEEDED,)
    return (checks.OPENED_DIRECTORY,) if users or "fchdir" in wanted else ()


def _few(asked: dict[str, tuple[Clause, ...]]) -> dict[str, tuple[Clause, ...]]:
    """The same without clauses that are not worth a rule of their own: the calls that want one are reported always."""
    while rows := [(len(OFTEN.intersection(names)), names) for clause, names in _sharing(asked).items() if clause != ANY]:
        often, names = min(rows)
        if often and len(rows) <= MOST:
            break
        asked = asked | dict.fromkeys(names, (ANY,))
    return asked


def _sharing(asked: Mapping[str, tuple[Clause, ...]]) -> dict[Clause, list[str]]:
    """For each clause the calls that want it."""
    sharing: dict[Clause, list[str]] = {}
    for name, clauses in asked.items():
        for clause in clauses:
            sharing.setdefault(clause, []).append(name)
    return sharing


def _ours(arch: int, owner: Owner, only_uid: int | None) -> list[Check]:
    ours = [(checks.ARCH, arch, EQUAL), (checks.PID, owner.pid, checks.NOT_EQUAL)]
    return ours if only_uid is None else [*ours, (checks.UID, only_uid, EQUAL)]


def _for_arch(
    arch: int, asked: Mapping[str, tuple[Clause, ...]], addressed: frozenset[str], ours: list[Check], owner: Owner
) -> list[KernelRule]:
    rules = [_rule(arch, names, [*ours, *clause], owner) for clause, names in _sharing(asked).items()]
    families = [(checks.SADDR_FAM, family, EQUAL) for family in (_AF_INET, _AF_INET6)]
    if addressed:
        rules += [_rule(arch, addressed, [*ours, family], owner) for family in families]
    if arch == I386:  # its socket calls are one, told apart by the first argument
        for number, name in SOCKETCALL.items():
            fields = [*ours, (checks.ARG0, number, EQUAL)]
            more = [[]] if asked.get(name) else [[family] for family in families] if name in addressed else []
            rules += [KernelRule(pack(fields + last, [_SOCKETCALL_NUMBER], owner.key), frozenset({name})) for last in more]
    return [rule for rule in rules if rule is not None]


def _rule(arch: int, names: Iterable[str], fields: list[Check], owner: Owner) -> KernelRule | None:
    table, calls = numbers(arch), frozenset(names)
    found = [number for name in calls for number in table.get(name, ()) if number < _WORDS * 32]
    return KernelRule(pack(fields, found, owner.key), calls) if found else None


def pack(fields: Iterable[Check], calls: Iterable[int], key: str) -> bytes:
    """struct audit_rule_data: (field, value, operator)s, all of which must hold, and the system calls by number."""
    mask = [0] * _WORDS
    for number in calls:
        mask[number >> 5] |= 1 << (number & 31)
    text = key.encode()
    rows = [*fields, (checks.KEY, len(text), EQUAL)]
    empty = [0] * (_FIELDS - len(rows))
    columns = ([row[column] for row in rows] + empty for column in range(3))
    return _RULE.pack(_FILTER_EXIT, _ALWAYS, len(rows), *mask, *(value for column in columns for value in column), len(text)) + text


def owner_of(rule: bytes) -> Owner | None:
    """Who of ruleng added a rule; None for everybody else's. One with the bare key `ruleng` has an owner with pid 0."""
    keys = _key(rule).split(_SEPARATOR)
    if keys[0] != KEY:
        return None
    parts = keys[1].split(".") if len(keys) > 1 else []
    if len(parts) != 4 or not all(part.isdecimal() and len(part) < 20 for part in parts):
        return Owner(0, 0, 0, 0)
    return Owner(*(int(part) for part in parts))


def hides_new_processes(rule: bytes) -> bool:
    """Whether it is a `never` of the task list: what starts under it is invisible to every rule (auditctl -a task,never)."""
    if len(rule) < _RULE.size:
        return False
    flags, action, field_count = struct.unpack_from("<3I", rule)
    return (flags & _FILTER_MASK, action, field_count) == (_FILTER_TASK, _NEVER, 0)


def _key(rule: bytes) -> str:
    """The text of its key field, which stands in the buffer after those of the fields before it."""
    if len(rule) < _RULE.size:
        return ""
    values = _RULE.unpack_from(rule)
    count, kinds, lengths = values[2], values[3 + _WORDS :], values[3 + _WORDS + _FIELDS :]
    offset = _RULE.size
    for kind, length in zip(kinds[: min(count, _FIELDS)], lengths, strict=False):
        if kind == checks.KEY:
            return rule[offset : offset + length].decode("utf-8", "replace")
        if kind in _WITH_TEXT:
            offset += length
    return ""


_WITH_TEXT = frozenset({13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 105, 107, 112})
"""Fields whose value is the length of a text: AUDIT_SUBJ_*, AUDIT_OBJ_*, AUDIT_WATCH, AUDIT_DIR, AUDIT_EXE."""
