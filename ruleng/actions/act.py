"""Doing what a rule wants done to the process of an event: guarded, journaled, and with an outcome for the alert.

In: an action of a rule and the event that it fired on. Out: an Outcome, always; what goes wrong is in it. `alert`, `log`
and `deny` are somebody else's to do and are only acknowledged here.
"""

from __future__ import annotations

import errno
import os
import signal
from typing import Any, assert_never

from ruleng.actions import scope
from ruleng.actions.freeze import cgroup2_mount, freeze, freezer_of, processes_in
from ruleng.actions.grip import start_of
from ruleng.actions.guard import Guard, Target
from ruleng.actions.journal import Journal
from ruleng.actions.kill import Hand, Report, signal_all, signal_one
from ruleng.alert import Outcome
from ruleng.errors import InputError
from ruleng.event import HOST, Event, Process
from ruleng.lang.checked import Action
from ruleng.ports import Clock
from ruleng.state import ProcReader, State
from ruleng.state.procfs import Stat, parse_status
from ruleng.state.procfs_io import ProcDir


class Actor:
    """Acts on this host through `state.reader`. With `dry_run` all is decided and nothing is done."""

    def __init__(self, guard: Guard, journal: Journal, state: State, clock: Clock, *, dry_run: bool = False) -> None:
        self.guard = guard
        self.dry_run = dry_run
        self._journal = journal
        self._state = state
        self._clock = clock

    def act(self, action: Action, event: Event, rule_name: str) -> Outcome:
        match action.name:
            case "alert" | "log":
                return self._outcome(action, "done", None)
            case "deny":
                return self._outcome(action, "skipped", _told(event.proc), "answered by an inline source, not here")
            case "kill" | "stop" | "freeze":
                return self._destroy(action, event, rule_name)
            case _:
                assert_never(action.name)

    def _destroy(self, action: Action, event: Event, rule_name: str) -> Outcome:
        proc, reader = event.proc, self._state.reader
        told = _told(proc)
        if reader is None or event.host is not None:
            return self._outcome(action, "skipped", told, "the event did not happen on this host now")
        if proc.pid is None:
            return self._outcome(action, "refused", told, "the event has no process")
        if proc.start_ns is None:
            return self._outcome(action, "refused", told, "its start time is not known: it cannot be told from another process")
        entry = _entry(action, event, rule_name)
        if _means_container(action) and (proc.container is HOST or proc.container.full_id is None):
            return self._left(entry, self._outcome(action, "refused", told, "it is in no container"))
        first = self._refusal_now(reader, proc.pid, proc.start_ns)
        if first is not None and not (first[0] == "gone" and (_means_container(action) or action.scope == "tree")):
            return self._left(entry, self._outcome(action, first[0], told, first[1]))
        if self.dry_run:
            return self._left(entry, self._outcome(action, "dry-run", told))
        blown = self.guard.blown
        reason = self.guard.take(self._clock.monotonic_ns())
        if reason is not None:
            refused = self._outcome(action, "refused", told, reason)
            return refused if blown else self._left(entry, refused)  # once is enough: the alerts hold the others
        self._journal.write(entry | {"phase": "intent", "time_ns": self._clock.now_ns()}, sync=True)
        outcome = self._freeze(action, proc, reader) if action.name == "freeze" else self._signal(action, proc, reader)
        self._journal.write(entry | _result(outcome), sync=True)
        return outcome

    def _left(self, entry: dict[str, Any], outcome: Outcome) -> Outcome:
        """Nothing was done, and the journal says why."""
        self._journal.write(entry | _result(outcome), sync=False)
        return outcome

    def _refusal_now(self, reader: ProcReader, pid: int, start_ns: int) -> tuple[str, str] | None:
        """(outcome, reason) when the event's own process may not be touched or is gone."""
        report = Report()
        held = self._hand(reader).take(pid, start_ns, report)
        if held is not None:
            held.close()
            return None
        if report.refused:
            return "refused", report.refused[0][1]
        if report.failed:
            return "failed", report.failed[0][1]
        return "gone", "it has exited"

    def _signal(self, action: Action, proc: Process, reader: ProcReader) -> Outcome:
        number = signal.SIGSTOP if action.name == "stop" else action.signal or signal.SIGKILL
        hand, full_id = self._hand(reader), proc.container.full_id
        pid, start_ns = proc.pid or 0, proc.start_ns or 0
        match action.scope:
            case "process":
                report = signal_one(hand, pid, start_ns, number)
            case "tree":
                report = signal_all(hand, lambda: scope.tree(self._state, reader, proc), number)
            case "container":
                report = signal_all(hand, lambda: scope.container(self._state, reader, full_id or ""), number)
            case _:
                assert_never(action.scope)
        told = _told(proc)
        if action.scope != "process":
            told = f"{told} and {action.scope}: {len(report.done)} processes"
        if report.done:
            return self._outcome(action, "done", told, report.problems())
        return self._outcome(
            action, "failed" if report.failed else "refused" if report.refused else "gone", told, report.problems()
        )

    def _freeze(self, action: Action, proc: Process, reader: ProcReader) -> Outcome:
        told, full_id = f"container {proc.container.id}", proc.container.full_id or ""
        mount = cgroup2_mount(reader)
        if mount is None:
            return self._outcome(action, "refused", told, "this host has no cgroups of version 2")
        inside = scope.container(self._state, reader, full_id)
        cgroup = _cgroup_of(reader, proc.pid or 0) or _cgroup_of(reader, inside[0][0] if inside else 0)
        if cgroup is None:
            return self._outcome(action, "gone", told, "all of its processes have exited")
        freezer = freezer_of(mount, cgroup, full_id)
        if isinstance(freezer, str):
            return self._outcome(action, "refused", told, freezer)
        try:
            kept = self._kept(reader, processes_in(freezer))
            if kept is not None:
                return self._outcome(action, "refused", told, kept)
            freeze(freezer)
        except OSError as error:
            return self._outcome(action, "failed", told, f"{errno.errorcode.get(error.errno or 0)}: {error.strerror}")
        return self._outcome(action, "done", told)

    def _kept(self, reader: ProcReader, pids: frozenset[int]) -> str | None:
        """Why a group of processes is not to be touched, for one of them."""
        own = own_pids(reader)
        for pid in sorted(pids):
            with reader.process(pid) as directory:
                found = start_of(reader, directory) if directory is not None else None
                target = self._describe(directory, *found) if directory is not None and found is not None else None
            reason = self.guard.refusal(target, own) if target is not None else None
            if reason is not None:
                return f"{target}: {reason}"
        return None

    def _hand(self, reader: ProcReader) -> Hand:
        own = own_pids(reader)
        return Hand(reader, self._describe, lambda target: self.guard.refusal(target, own))

    def _describe(self, directory: ProcDir, stat: Stat, start_ns: int) -> Target:
        """As the process is now; only its container's metadata come from what is known."""
        proc = self._state.processes.get(stat.pid)
        uid = _uid(directory)
        return Target(
            pid=stat.pid,
            start_ns=start_ns,
            name=stat.name,
            exepath=directory.link("exe"),
            uid=uid,
            user=self._state.users.user(uid).name,
            container_id=proc.container.id,
            image=proc.container.image,
            is_kernel_thread=stat.is_kernel_thread,
        )

    def _outcome(self, action: Action, outcome: str, target: str | None, error: str | None = None) -> Outcome:
        return Outcome(action=action.name, outcome=outcome, target=target, error=error, time_ns=self._clock.now_ns())


def _means_container(action: Action) -> bool:
    return action.name == "freeze" or action.scope == "container"


def _uid(directory: ProcDir) -> int | None:
    data = directory.read("status")
    try:
        return parse_status(data).uid if data is not None else None
    except InputError:
        return None  # an unknown user is protected by nothing, like a nameless one


def _cgroup_of(reader: ProcReader, pid: int) -> bytes | None:
    with reader.process(pid) as directory:
        return directory.read("cgroup") if directory is not None else None


def _result(outcome: Outcome) -> dict[str, Any]:
    told = {"outcome": outcome.outcome, "target": outcome.target, "error": outcome.error, "time_ns": outcome.time_ns}
    return {"phase": "outcome", **told}


def own_pids(reader: ProcReader) -> frozenset[int]:
    """ruleng, its threads, and everything that it descends from."""
    pid = os.getpid()
    own = {pid, *(int(task.name) for task in (reader.path / "self/task").iterdir())}
    while pid > 0:
        with reader.process(pid) as directory:
            found = start_of(reader, directory) if directory is not None else None
        pid = found[0].ppid if found is not None else 0
        own.add(pid)
    return frozenset(own)


def _told(proc: Process) -> str | None:
    return None if proc.pid is None else str(Target(pid=proc.pid, name=proc.name))


def _entry(action: Action, event: Event, rule_name: str) -> dict[str, Any]:
    proc = event.proc
    return {
        "action": action.name,
        "scope": action.scope,
        "signal": action.signal,
        "rule": rule_name,
        "pid": proc.pid,
        "start_ns": proc.start_ns,
        "name": proc.name,
        "exepath": proc.exepath,
        "cmdline": proc.cmdline,
        "container": proc.container.id,
        "event_type": event.type,
        "event_time_ns": event.time_ns,
    }
