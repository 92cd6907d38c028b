"""A system call on its way through the normaliser: its records taken apart (`Hit`), and what the handlers share (`Context`).

A handler is a function of both: it makes the call's Event, or None when no rule wants one and it only had to note something.
Handlers stand in tables by event type, one module a family: of_files, of_processes, of_sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ruleng.event import NO_ARGS, NO_FD, NO_PATHS, NO_PROCESS, Arg, Event, Fd, Paths, Process, Signal
from ruleng.normalise.audit.arguments import Arguments
from ruleng.normalise.audit.calls import Call
from ruleng.normalise.audit.company import Company
from ruleng.normalise.audit.descriptors import Descriptors
from ruleng.normalise.audit.event import AuditEvent
from ruleng.normalise.audit.identity import Identities
from ruleng.normalise.audit.memo import Memo
from ruleng.normalise.audit.paths import PathItem, absolute
from ruleng.normalise.audit.syscall import Syscall
from ruleng.ports import EVERYTHING, Atom, Filter, Ledger

WHERE = "audit.parse"
_AT_FDCWD = -100  # linux/fcntl.h
_MAX_VERDICTS = 1024


class Plan:
    """What is to be done for one system call of one architecture. `wanted` is what rules demand of its events, None when they
    want none."""

    __slots__ = (
        "_unwanted",
        "_verdicts",
        "_wanted",
        "call",
        "handle",
        "is_aarch64",
        "is_exec",
        "is_handled",
        "is_picky",
        "is_wanted",
    )

    def __init__(self, call: Call, handle: Handler, wanted: Filter | None, *, is_state: bool, is_aarch64: bool) -> None:
        self.call = call
        self.handle = handle
        self.is_wanted = wanted is not None
        self.is_handled = self.is_wanted or is_state
        self.is_exec = call.name in ("execve", "execveat")
        self.is_aarch64 = is_aarch64
        self.is_picky = wanted is not None and wanted != EVERYTHING
        self._wanted = wanted or ()
        self._verdicts: dict[int | None, bool] = {}
        self._unwanted = Plan(call, handle, None, is_state=is_state, is_aarch64=is_aarch64) if self.is_picky else self

    def given(self, result: int | None) -> Plan:
        """This plan; another one that makes no event when no rule wants a call with such a result."""
        verdict = self._verdicts.get(result)
        if verdict is None:
            verdict = any(all(_allows(atom, result) for atom in alternative) for alternative in self._wanted)
            if len(self._verdicts) < _MAX_VERDICTS:
                self._verdicts[result] = verdict
        return self if verdict else self._unwanted


def _allows(atom: Atom, result: int | None) -> bool:
    if atom.field != "evt.rawres":
        return True
    return atom.or_missing if result is None else any(first <= result <= last for first, last in atom.ranges)


class Hit(msgspec.Struct, gc=False):
    """Records as they stand, and who did it."""

    audit: AuditEvent
    syscall: Syscall
    company: Company
    plan: Plan
    result: int | None
    proc: Process = NO_PROCESS


class Context:
    """What all handlers use."""

    __slots__ = ("descriptors", "identities", "ledger", "numbers", "origin", "paths", "remembers_files", "wants_args")

    def __init__(self, identities: Identities, ledger: Ledger, numbers: Iterator[int], origin: str) -> None:
        self.identities = identities
        self.ledger = ledger
        self.numbers = numbers
        self.origin = origin
        self.descriptors = Descriptors(ledger)
        self.paths: Memo[PathItem] = Memo(2048)  # by bodies of PATH records
        self.wants_args = True
        self.remembers_files = True

    def event(
        self,
        hit: Hit,
        more: Mapping[str, Arg] = NO_ARGS,
        *,
        fd_num: int | None = None,
        fd: Fd = NO_FD,
        paths: Paths = NO_PATHS,
        signal: Signal | None = None,
        of_process: bool = False,
    ) -> Event | None:
        """`more`: parameters that a0..a3 do not hold. `of_process`: those of the process are parameters too."""
        plan = hit.plan
        if not plan.is_wanted:
            return None
        args: Any = (
            Arguments(plan.call.numbers, hit.syscall, more, hit.proc if of_process else None) if self.wants_args else NO_ARGS
        )
        return Event(
            type=plan.call.name,
            time_ns=hit.audit.time_ns,
            proc=hit.proc,
            num=next(self.numbers),
            result=hit.result,
            fd_num=fd_num,
            fd=fd,
            args=args,
            paths=paths,
            signal=signal,
            host=hit.audit.node,
            origin=self.origin,
        )

    def lost(self, hit: Hit, reason: str) -> None:
        self.ledger.lost(WHERE, reason, sample=hit.audit.place)

    def items(self, hit: Hit) -> list[PathItem]:
        """The files that the call names, in its order."""
        company, announced = hit.company, hit.syscall.items
        if company.announced != announced:
            if len(company.paths) < int(announced):
                self.ledger.lost("audit.assemble", "an event lacks PATH records", sample=hit.audit.place)
            else:
                company.announced = announced
        files = company.files
        return company.items(self.paths) if files is None else files

    def absolute(self, hit: Hit, item: PathItem, directory_at: int | None) -> str | None:
        """The path of a file; None when the directory that its name is relative to is not known."""
        if item.path is not None or item.name is None:
            return item.path
        base = hit.proc.cwd
        if directory_at is not None:
            descriptor = hit.syscall.number(directory_at)
            if descriptor != _AT_FDCWD:
                base = self.descriptors.get(hit.proc, descriptor).name
        return absolute(item.name, base) if base is not None and base.startswith("/") else None

    def keep(self, hit: Hit, descriptor: int, fd: Fd) -> None:
        """Remember what a descriptor of the process stands for."""
        if hit.proc.pid is not None:
            self.descriptors.put(hit.proc.pid, descriptor, fd)


Handler = Callable[[Context, Hit], Event | None]


def returned(result: int | None) -> int:
    """The number of a descriptor that a call returned; -1 for none, as in Falco."""
    return result if result is not None and result >= 0 else -1
