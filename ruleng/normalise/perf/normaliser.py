"""Records of tracepoints + state + demand -> Events.

A system call is two samples, its beginning with the arguments and its end with the result, paired by thread. Programs, forks
and ends keep the state current and are events where the demand names them. What a tracepoint does not hold is looked up in
/proc right away, only where it is demanded; it may have changed or gone meanwhile, and is then missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from ruleng.abi import syscalls
from ruleng.event import NO_ARGS, NO_FD, NO_PATHS, NO_PROCESS, Arg, Event, Fd, Paths, Process, Signal, evolve
from ruleng.normalise.audit.calls import x86_open_flags
from ruleng.normalise.audit.paths import absolute
from ruleng.normalise.perf.calls import FD_FIELDS, FORKS, NO_RETURN, STATE, Layout, layout, makers
from ruleng.normalise.perf.record import DELIVER, ENTER, EXEC, EXIT, FORK, GENERATE, LEAVE, Record
from ruleng.normalise.perf.signals import Signals
from ruleng.ports import Demand, Ledger
from ruleng.state import State, glance
from ruleng.state.limits import Limits

WHERE = "perf.events"
_CLONE_PARENT, _CLONE_THREAD = 0x8000, 0x10000  # linux/sched.h
_CLONE_NEW = 0x7E020080  # CLONE_NEW*: time, mount, cgroup, uts, ipc, user, pid, net
_ABI_64 = 2  # PERF_SAMPLE_REGS_ABI_64 of linux/perf_event.h
_COMM_BYTES = 15  # TASK_COMM_LEN of linux/sched.h, without the NUL
_MOST_PENDING = 65_536
_NEEDS_ARGS = ("evt.arg", "evt.rawarg", "evt.info", "evt.is_open_exec", "ioctl.")
# position of the target's pid and of the number; si_code of what arrives
_KILLS = {
    "kill": (0, 1, 0),
    "tkill": (0, 1, -6),
    "tgkill": (0, 2, -6),
    "rt_sigqueueinfo": (0, 1, -1),
    "rt_tgsigqueueinfo": (0, 2, -1),
}
_BAD_ABI = "a system call of a 32-bit program, whose numbers mean other calls"
_GONE = "a program had ended, or ran another one, before its arguments could be read from /proc"

_Entered = tuple[Any, ...] | None


class PerfNormaliser:
    """`arch` as `ruleng.abi.syscalls` names it. `leaders_only`: the kernel tells of the end of each thread, not of processes.
    `numbers` counts the events of a run, from 1."""

    def __init__(
        self,
        state: State,
        ledger: Ledger,
        arch: int,
        demand: Demand | None = None,
        *,
        limits: Limits | None = None,
        leaders_only: bool = False,
        numbers: Iterator[int] | None = None,
        origin: str = "perf",
    ) -> None:
        self._processes = state.processes
        self._reader = state.reader
        self._ledger = ledger
        self._args_bytes = (limits or Limits()).args_bytes
        self._leaders_only = leaders_only
        self._numbers = numbers if numbers is not None else count(1)
        self._origin = origin
        self._is_aarch64 = arch == syscalls.AARCH64
        self._names: Mapping[int, str] = syscalls.names(arch) or {}
        self._makers = frozenset(number for number, name in self._names.items() if name in makers(arch))
        self._made: dict[
            tuple[int | None, int | None], int
        ] = {}  # (process, descriptor) -> when it was last given out, of what is known
        self._signals = Signals(state)
        self._pending: dict[int, _Entered] = {}
        self._types: frozenset[str] | None = None
        self._wants_args = self._wants_fd = True
        self._handlers: dict[str, Callable[[int, int, tuple[Any, ...]], Event | None]] = {
            EXEC: self._exec,
            FORK: self._fork,
            EXIT: self._exit,
            GENERATE: self._generate,
            DELIVER: self._deliver,
            ENTER: self._enter,
            LEAVE: self._leave,
        }
        self.demand(demand)

    def demand(self, demand: Demand | None) -> None:
        """Other rules are in force; None asks for everything."""
        self._types = None if demand is None else demand.event_types
        self._wants_args = demand is None or any(field.startswith(_NEEDS_ARGS) for field in demand.fields)
        self._wants_fd = demand is None or any(field.startswith(FD_FIELDS) for field in demand.fields)
        self._signals.demand(demand)

    def events(self, records: Sequence[Record], offset_ns: int) -> list[Event]:
        """`records` in the order of their time, `offset_ns` what makes it one since the epoch."""
        handlers = self._handlers
        found: list[Event] = []
        for time_ns, name, cpu, values in records:
            event = handlers[name](time_ns + offset_ns, cpu, values)
            if event is not None:
                found.append(event)
        return found

    @property
    def looks_at_descriptors(self) -> bool:
        """Whether `checked` has anything to do."""
        return self._wants_fd

    def look_ahead(self, records: Sequence[Record]) -> None:
        """All that has been read by now, before parts of it are given to `events`: a descriptor that one of these gives out
        again is not what it was before, and is not looked up for what came before."""
        self._made = self._given_out(records) if self._wants_fd else {}

    def checked(self, events: list[Event], later: Sequence[Record], offset_ns: int) -> list[Event]:
        """The same, without the descriptors that had been given out again when they were looked up.

        `later`: what was read after that. `offset_ns` as for `events`.
        """
        made = self._given_out(later)
        if not made:
            return events
        return [
            evolve(event, fd=NO_FD)
            if event.fd is not NO_FD and made.get((event.proc.pid, event.fd_num), 0) + offset_ns > event.time_ns
            else event
            for event in events
        ]

    def _given_out(self, records: Sequence[Record]) -> dict[tuple[int | None, int | None], int]:
        makers = self._makers
        return {
            (values[0], values[4]): time_ns
            for time_ns, name, _, values in records
            if name == LEAVE and values[3] in makers and values[4] >= 0
        }

    def missed(self) -> None:
        """Samples were lost: what began before is not paired with an end any more."""
        self._pending.clear()

    def _wants(self, event_type: str) -> bool:
        return self._types is None or event_type in self._types

    def _event(self, type: str, time_ns: int, cpu: int, tid: int, proc: Process, **more: Any) -> Event:
        return Event(type=type, time_ns=time_ns, proc=proc, num=next(self._numbers), tid=tid, cpu=cpu, origin=self._origin, **more)

    def _who(self, pid: int, time_ns: int) -> Process:
        return self._processes.seen(pid, time_ns) if pid > 0 else NO_PROCESS

    # --- processes ----------------------------------------------------------------------------------------------------

    def _exec(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> Event | None:
        pid, tid, _, filename = values
        self._pending.pop(tid, None)
        if pid <= 0:
            return None
        name = comm(filename)
        found = None if self._reader is None else glance.image(self._reader, pid, self._args_bytes)
        if found is None or found.name != name or found.argv is None:
            self._ledger.lost(WHERE, _GONE, sample=filename)
            self._processes.seen(pid, time_ns)  # an unknown one is read now: what it runs by then is taken back below
            proc = self._processes.exec(pid, time_ns, name=name, argv=None, exepath=None)
        else:
            proc = self._processes.exec(pid, time_ns, name=name, argv=found.argv, exepath=found.exepath, **found.ids)
        if not self._wants("execve"):
            return None
        path = filename if filename.startswith("/") or proc.cwd is None else absolute(filename, proc.cwd)
        return self._event(
            "execve",
            time_ns,
            cpu,
            tid,
            proc,
            result=0,
            args=repeated(proc) if self._wants_args else NO_ARGS,
            paths=Paths(name=path if path.startswith("/") else None, nameraw=filename),
        )

    def _fork(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> None:
        pid, _, _, child, flags = values
        if pid <= 0 or child <= 0 or flags & _CLONE_THREAD:
            return
        parent = self._processes.get(pid).ppid if flags & _CLONE_PARENT else pid
        self._processes.fork(parent or pid, child, time_ns)
        if flags & _CLONE_NEW:
            self._processes.refresh(child)

    def _exit(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> Event | None:
        pid, tid = values[0], values[1]
        self._pending.pop(tid, None)
        if pid <= 0 or (self._leaders_only and pid != tid):
            return None
        event = self._event("procexit", time_ns, cpu, tid, self._who(pid, time_ns)) if self._wants("procexit") else None
        self._processes.exit(pid, time_ns)
        return event

    # --- signals ------------------------------------------------------------------------------------------------------

    def _generate(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> Event | None:
        pid, tid, _, number, code, target, result = values
        sender = self._who(pid, time_ns)
        signal = self._signals.generated(sender, number, code, target, result)
        if not self._wants("signal_generate"):
            return None
        return self._signal("signal_generate", time_ns, cpu, tid, signal)

    def _deliver(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> Event | None:
        pid, tid, _, number, code, handler = values
        target = self._who(pid, time_ns)
        return self._signal("signal_deliver", time_ns, cpu, tid, self._signals.delivered(target, number, code, handler))

    def _signal(self, type: str, time_ns: int, cpu: int, tid: int, signal: Signal) -> Event:
        """Of the process in which it happens."""
        proc = signal.sender if type == "signal_generate" else signal.target
        args: Mapping[str, Arg] = {"sig": signal.number} if self._wants_args else NO_ARGS
        return self._event(type, time_ns, cpu, tid, proc, signal=signal, args=args)

    # --- system calls -------------------------------------------------------------------------------------------------

    def _enter(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> Event | None:
        tid, number, abi = values[1], values[3], values[-1]
        if abi != _ABI_64:
            self._ledger.lost(WHERE, _BAD_ABI)
            self._pending[tid] = None
            return None
        name = self._names.get(number)
        if name in NO_RETURN:
            self._pending.pop(tid, None)
            return self._call(name, time_ns, cpu, values, a=values[4:10], result=None) if self._wants(name) else None
        if len(self._pending) >= _MOST_PENDING and tid not in self._pending:
            del self._pending[next(iter(self._pending))]
            self._ledger.lost(WHERE, "too many system calls at once: the arguments of the oldest were forgotten")
        self._pending[tid] = values
        return None

    def _leave(self, time_ns: int, cpu: int, values: tuple[Any, ...]) -> Event | None:
        pid, tid, _, number, result = values
        name = self._names.get(number)
        try:
            entered = self._pending.pop(tid)
        except KeyError:
            if name is None or name in FORKS:
                return None  # of a fork: the child's side, which is no call of its own
            a = None
        else:
            if entered is None:
                return None  # of a 32-bit program
            a = entered[4:10] if entered[3] == number else None
        if name is None or pid <= 0:
            return None
        if name in STATE and result >= 0:
            self._processes.refresh(pid)
        return self._call(name, time_ns, cpu, values, a=a, result=result) if self._wants(name) else None

    def _call(
        self, name: str, time_ns: int, cpu: int, values: tuple[Any, ...], *, a: tuple[int, ...] | None, result: int | None
    ) -> Event:
        """`a` None: when it began was not seen."""
        pid, tid = values[0], values[1]
        known = layout(name)
        proc = self._who(pid, time_ns)
        fd_num = known.fd_num(a, result)
        flags = None if a is None else known.open_flags(a)
        if flags is not None and self._is_aarch64:
            flags = x86_open_flags(flags)
        args: Mapping[str, Arg] = NO_ARGS
        if self._wants_args:
            args = {} if a is None else known.arguments(a, flags)
            if name in FORKS:
                args = {**repeated(proc), **args}
        return Event(
            type=name,
            time_ns=time_ns,
            proc=proc,
            num=next(self._numbers),
            tid=tid,
            cpu=cpu,
            result=result,
            fd_num=fd_num,
            fd=self._descriptor(known, values, fd_num, flags),
            open_flags=flags,
            args=args,
            paths=NO_PATHS,
            signal=None if a is None else self._killing(name, proc, a, result),
            origin=self._origin,
        )

    def _descriptor(self, known: Layout, values: tuple[Any, ...], number: int | None, flags: int | None) -> Fd:
        """As it is now; NO_FD when it is known to be another one by now. `flags`: what it was opened with."""
        if number is None or number < 0 or not self._wants_fd or self._reader is None or known.name == "close":
            return NO_FD
        if self._made.get((values[0], number), 0) > values[2]:
            return NO_FD
        return glance.descriptor(self._reader, values[0], number, flags) or NO_FD

    def _killing(self, name: str, sender: Process, a: tuple[int, ...], result: int | None) -> Signal | None:
        found = _KILLS.get(name)
        if found is None:
            return None
        target, number, code = found
        pid = a[target] & 0xFFFFFFFF
        is_one = 0 < pid < 1 << 31 and result == 0
        return Signal(
            number=a[number] & 0xFFFFFFFF,
            code=code,
            sender=sender,
            target=self._processes.get(pid) if is_one else NO_PROCESS,
        )


def comm(filename: str) -> str:
    """The name of a process that runs this file; begin_new_exec of fs/exec.c."""
    name = filename.rpartition("/")[2].encode("utf-8", "surrogateescape")
    return name[:_COMM_BYTES].decode("utf-8", "surrogateescape")


def repeated(proc: Process) -> dict[str, Arg]:
    """What Falco's execve and clone events repeat of their process."""
    values: dict[str, Arg | None] = {
        "exe": proc.exe,
        "args": proc.args,
        "tid": proc.pid,
        "pid": proc.pid,
        "ptid": proc.ppid,
        "cwd": proc.cwd,
        "comm": proc.name,
        "tty": proc.tty,
        "pgid": proc.pgid,
        "loginuid": None if proc.loginuid is None else proc.loginuid & 0xFFFFFFFF,
        "uid": proc.uid,
    }
    return {name: value for name, value in values.items() if value is not None}
