"""ruleng's rules and settings in the kernel: put there, kept in step with the Demand, and taken back.

Several rulengs may run at a time, and one may have been killed. Each marks its rules with its pid, its start and the
settings that the first of them found (`kernel_rules.Owner`). Who starts removes the rules of the dead; who ends last
restores the settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

from ruleng.errors import HostError, InputError
from ruleng.ports import Demand, Ledger
from ruleng.sources.audit import netlink
from ruleng.sources.audit.kernel_rules import KernelRule, Owner, hides_new_processes, owner_of, plan
from ruleng.sources.audit.netlink import Control, Status
from ruleng.state import ProcReader
from ruleng.state.procfs import parse_stat

_WHERE = "audit.rules"


class Installation:
    """What is in the kernel because of this process. `undo` may be called at any time."""

    def __init__(
        self, control: Control, reader: ProcReader, ledger: Ledger, *, machine: str, heavy: bool, only_uid: int | None
    ) -> None:
        self.left_out: Mapping[str, str] = {}
        self.notes: tuple[str, ...] = ()
        self._control = control
        self._reader = reader
        self._ledger = ledger
        self._machine = machine
        self._heavy = heavy
        self._only_uid = only_uid
        self._owner: Owner | None = None
        self._rules: tuple[KernelRule, ...] = ()
        self._wait_time: int | None = None  # what to restore

    def look(self) -> Status:
        """What of this host's audit limits what can be seen. Raises HostError."""
        status = self._control.status()
        if status.enabled == netlink.LOCKED:
            self._blind("audit is locked until the next boot (enabled 2): only what the rules in place record is seen")
        elif not status.enabled:
            self.notes += (
                "processes that ran before audit was turned on for the first time since boot are not seen (boot with audit=1)",
            )
        if any(hides_new_processes(rule) for rule in self._control.rules()):
            self._blind("a rule `task,never` hides every process that starts from audit (auditctl -d task,never)")
        return status

    def take_over(self, backlog_limit: int, *, may_wait: bool) -> None:
        """Undo what a crash left, and set audit up. Does nothing where audit is locked. Raises HostError.

        `may_wait`: whether programs may be made to wait while the kernel's queue is full. They may not when nobody but ruleng
        empties it: rather lose records, counted, than stop the host.
        """
        before = self.look()
        if before.enabled == netlink.LOCKED:
            return
        if before.failure == netlink.FAIL_PANIC:
            raise HostError(
                "audit: this host panics when audit loses a record (failure 2), and ruleng adds to the load",
                hint="auditctl -f 1, or run with --audit-rules leave",
            )
        control = self._control
        marked = [(rule, owner) for rule in control.rules() if (owner := owner_of(rule)) is not None]
        for rule, owner in marked:
            if not self._is_alive(owner):
                control.delete_rule(rule)
        first = next((owner for _, owner in marked if owner.pid), None)
        enabled, limit = (first.enabled, first.backlog_limit) if first else (before.enabled, before.backlog_limit)
        pid = os.getpid()
        self._owner = Owner(pid, self._start_ticks(pid) or 0, enabled, limit)
        if backlog_limit > before.backlog_limit > 0:
            control.set(Status(mask=netlink.AUDIT_STATUS_BACKLOG_LIMIT, backlog_limit=backlog_limit), "making its queue longer")
        if not may_wait:
            self._wait_time = before.backlog_wait_time
            control.set(Status(mask=netlink.AUDIT_STATUS_BACKLOG_WAIT_TIME), "letting no program wait for its queue")
        if not before.enabled:
            control.set(Status(mask=netlink.AUDIT_STATUS_ENABLED, enabled=1), "turning it on")

    def follow(self, demand: Demand) -> None:
        """Ask for what rules need now: first add what is new, then remove what is not needed any more."""
        if self._owner is None:
            return
        planned = plan(demand, self._machine, self._owner, heavy=self._heavy, only_uid=self._only_uid)
        left_out = dict(planned.left_out)
        present, wanted = {rule.data for rule in self._rules}, set[bytes]()
        for rule in planned.rules:
            try:
                if rule.data not in present:
                    self._control.add_rule(rule.data)
                    self._rules = (*self._rules, rule)  # at once: whatever happens next, undo removes it
            except HostError as error:
                left_out |= dict.fromkeys(rule.calls & demand.event_types, f"the kernel refuses its rule: {error}")
                self._blind(f"the kernel refuses a rule: {error}")
            else:
                wanted.add(rule.data)
        for rule in self._rules:
            if rule.data not in wanted:
                self._control.delete_rule(rule.data)
        self._rules = tuple(rule for rule in self._rules if rule.data in wanted)
        self.left_out = left_out

    def undo(self) -> None:
        """Everything is tried; what fails is counted."""
        for rule in self._rules:
            self._attempt(partial(self._control.delete_rule, rule.data))
        self._rules = ()
        if self._wait_time is not None:
            waiting = Status(mask=netlink.AUDIT_STATUS_BACKLOG_WAIT_TIME, backlog_wait_time=self._wait_time)
            self._attempt(partial(self._control.set, waiting, "restoring how long programs wait"))
            self._wait_time = None
        self._attempt(self._restore)

    def _restore(self) -> None:
        owner, self._owner = self._owner, None
        if owner is None:
            return
        others = (owner_of(rule) for rule in self._control.rules())
        if any(other is not None and self._is_alive(other) for other in others):
            return  # it knows what to restore
        now = self._control.status()
        if now.backlog_limit != owner.backlog_limit:
            shorter = Status(mask=netlink.AUDIT_STATUS_BACKLOG_LIMIT, backlog_limit=owner.backlog_limit)
            self._control.set(shorter, "restoring its queue")
        if now.enabled != owner.enabled:
            self._control.set(Status(mask=netlink.AUDIT_STATUS_ENABLED, enabled=owner.enabled), "turning it off again")

    def _attempt(self, undo: Callable[[], None]) -> None:
        try:
            undo()
        except HostError as error:
            self._ledger.lost(_WHERE, f"something of ruleng's may remain in the kernel: {error}")

    def _blind(self, reason: str) -> None:
        self.notes += (reason,)
        self._ledger.lost(_WHERE, reason)

    def _is_alive(self, owner: Owner) -> bool:
        return owner.pid > 0 and self._start_ticks(owner.pid) == owner.start_ticks

    def _start_ticks(self, pid: int) -> int | None:
        with self._reader.process(pid) as directory:
            data = directory.read("stat") if directory is not None else None
        try:
            return parse_stat(data).start_ticks if data is not None else None
        except InputError:
            return None
