"""AuditEvent + state + demand -> Events: the meaning of records.

An AuditEvent gives one Event for its system call and one for each record that says something of its own (AVC, USER_LOGIN).
Only what the demand names becomes an Event and is parsed to the end; of everything else just who did it, where and what it
started is noted, so that events do not depend on what else the rules ask. What cannot be read is counted in the ledger, with
its place, and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from ruleng.abi import syscalls
from ruleng.event import NO_PROCESS, Event, Process
from ruleng.fields.params import event_name
from ruleng.normalise.audit import of_files, of_processes, of_sockets, records
from ruleng.normalise.audit.calls import STATE, call, remembered
from ruleng.normalise.audit.company import NO_COMPANY, Companies, Company
from ruleng.normalise.audit.event import AuditEvent
from ruleng.normalise.audit.hit import WHERE, Context, Handler, Hit, Plan
from ruleng.normalise.audit.identity import Identities
from ruleng.normalise.audit.text import ENRICHED, enriched, pairs, raw
from ruleng.ports import Demand, Ledger
from ruleng.state import State

_SYSCALL = re.compile(
    rb"arch=([0-9a-f]{1,8} syscall=[0-9]{1,10})(?: per=[0-9a-f]+)?(?: success=[a-z]+ exit=(-?[0-9]{1,20}))?"
    rb" a0=([0-9a-f]{1,16}) a1=([0-9a-f]{1,16}) a2=([0-9a-f]{1,16}) a3=([0-9a-f]{1,16})"
    rb" items=([0-9]{1,5}) ppid=[0-9]{1,10} pid=([0-9]{1,10}) "
).match
"""The kernel writes it so since 2.6: kernel/auditsc.c, audit_log_exit and audit_log_task_info."""
_RESULTS = {b"%d" % number: number for number in range(-133, 1024)}
"""What calls mostly return: errno(3) and descriptors."""
_NEEDS_ARGS = ("evt.arg", "evt.rawarg", "evt.info", "evt.is_open_exec", "ioctl.")
"""Fields whose value is in Event.args, or their beginning."""
_HANDLERS: dict[str, Handler] = {**of_files.HANDLERS, **of_processes.HANDLERS, **of_sockets.HANDLERS}
_MAX_PLANS = 4096


class AuditNormaliser:
    """Not shared between streams of different hosts: pids are one host's. `numbers` counts the events of a run, from 1."""

    def __init__(
        self,
        state: State,
        ledger: Ledger,
        demand: Demand | None = None,
        *,
        numbers: Iterator[int] | None = None,
        origin: str = "audit",
    ) -> None:
        self._ledger = ledger
        self._identities = Identities(state, ledger)
        self._context = Context(self._identities, ledger, numbers if numbers is not None else count(1), origin)
        self._companies = Companies()
        self._plans: dict[bytes, Plan] = {}
        self._socket_plans: dict[str, Plan] = {}
        self._remembered: frozenset[str] = frozenset()
        self._types: frozenset[str] | None = None
        self.demand(demand)

    def demand(self, demand: Demand | None) -> None:
        """Other rules are in force; None asks for everything."""
        self._plans.clear()
        self._socket_plans.clear()
        self._types = None if demand is None else demand.event_types
        self._remembered = remembered(self._types)
        self._context.wants_args = demand is None or any(field.startswith(_NEEDS_ARGS) for field in demand.fields)

    def events(self, audit: AuditEvent) -> list[Event]:
        """Never raises for what is in the records."""
        text = audit.company
        company = self._companies.of(text) if text else NO_COMPANY
        if audit.syscall is None:
            if company.is_any():
                self._ledger.lost("audit.assemble", "an event lacks its SYSCALL record", sample=audit.place)
            return self._records(audit, company, NO_PROCESS)
        hit = Hit()
        hit.audit, hit.time_ns, hit.body, hit.proc = audit, audit.time_ns, audit.syscall, NO_PROCESS
        hit.cwd, hit.proctitle, hit.company = company.cwd, audit.title, company
        event = None
        try:
            event = self._syscall(hit)
        except ValueError as error:
            self._lost(audit, str(error))
        for complaint in company.complaints:
            self._lost(audit, complaint)
        if company.others:
            others = self._records(audit, company, hit.proc)
            return others if event is None else [event, *others]
        return [] if event is None else [event]

    def _records(self, audit: AuditEvent, company: Company, proc: Process) -> list[Event]:
        """Events of records that say something of their own; `proc` did the system call that they came with, if any."""
        found: list[Event] = []
        for kind, body in company.others:
            event_type = records.TYPES.get(kind)
            if event_type is not None and (self._types is None or event_type in self._types):
                found.append(self._record(audit, kind, event_type, body, proc))
        return found

    def _syscall(self, hit: Hit) -> Event | None:
        """Raises ValueError for a record that cannot be read."""
        body = hit.body
        match = _SYSCALL(body)
        if match is None:
            key, result, a0, a1, a2, a3, hit.items, hit.pid = _irregular(body)
            start = max(0, body.find(b"ppid="))
        else:
            key, result, a0, a1, a2, a3, hit.items, hit.pid = match.groups()
            start = match.end(7) + 1
        end = body.find(b" key=", start)
        if end < 0:
            end = body.find(ENRICHED, start)
        hit.tail = body[start:] if end < 0 else body[start:end]
        hit.a = (a0, a1, a2, a3)
        if result is None:
            hit.result = None
        else:
            hit.result = _RESULTS.get(result)
            if hit.result is None:
                hit.result = int(result)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(hit, key)
            if plan is None:
                return None
        hit.plan = plan
        if not plan.is_exec or hit.result != 0:
            hit.proc = self._identities.of(hit)
        return plan.handle(self._context, hit) if plan.is_handled else None

    def _plan(self, hit: Hit, key: bytes) -> Plan | None:
        arch_text, _, number_text = key.partition(b" syscall=")
        arch, number = int(arch_text, 16), int(number_text)
        name = syscalls.name(arch, number)
        if name is None:
            word = enriched(hit.body).get("SYSCALL") if ENRICHED in hit.body else None
            if word is None or word.startswith("unknown"):
                self._lost(hit.audit, f"system call {number} of architecture {arch:x} is not known")
                return None
            return self._named(event_name(word), arch)
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        plan = self._plans[key] = self._named(name, arch)
        return plan

    def _named(self, name: str, arch: int) -> Plan:
        is_aarch64 = arch == syscalls.AARCH64
        if name == "socketcall":
            return Plan(call(name), self._socketcall, is_wanted=False, is_state=True, is_aarch64=is_aarch64)
        return Plan(
            call(name),
            _HANDLERS.get(name, of_files.plain),
            is_wanted=self._types is None or name in self._types,
            is_state=name in STATE or name in self._remembered,
            is_aarch64=is_aarch64,
        )

    def _socketcall(self, context: Context, hit: Hit) -> Event | None:
        """i386's one call for all of sockets: SOCKETCALL has the arguments of the real one."""
        body = hit.company.other(b"SOCKETCALL")
        name = syscalls.SOCKETCALL.get(int(hit.a[0], 16))
        if body is None or name is None:
            context.lost(hit, "a socketcall does not say which")
            return None
        hit.a = (_argument(body, b"a0"), _argument(body, b"a1"), _argument(body, b"a2"), _argument(body, b"a3"))
        plan = self._socket_plans.get(name)
        if plan is None:
            plan = self._socket_plans[name] = self._named(name, syscalls.I386)
        hit.plan = plan
        return plan.handle(context, hit) if plan.is_handled else None

    def _record(self, audit: AuditEvent, kind: bytes, event_type: str, body: bytes, proc: Process) -> Event:
        keys = pairs(body)
        try:
            says = records.who(keys)
            if ENRICHED in body:
                self._identities.learn(*records.names(keys, enriched(body)))
            if proc is NO_PROCESS and says:
                pid = says.pop("pid")
                exepath = says.pop("exepath", None)
                proc = self._identities.other(pid, audit.time_ns, **says)
                if proc.exepath is None and exepath is not None:
                    proc = self._identities.other(pid, audit.time_ns, exepath=exepath)
        except ValueError as error:
            self._lost(audit, f"{kind.decode()}: {error}")
        return Event(
            type=event_type,
            time_ns=audit.time_ns,
            proc=proc,
            num=next(self._context.numbers),
            args=records.arguments(kind, keys),
            host=audit.node,
            origin=self._context.origin,
        )

    def _lost(self, audit: AuditEvent, reason: str) -> None:
        self._ledger.lost(WHERE, reason, sample=audit.place)


def _irregular(body: bytes) -> tuple[bytes, bytes | None, bytes, bytes, bytes, bytes, bytes, bytes]:
    """What `_SYSCALL` finds, of a record that is not as the kernel writes it. Raises ValueError."""
    arch, number, pid = raw(body, b"arch"), raw(body, b"syscall"), raw(body, b"pid")
    if arch is None or number is None or pid is None:
        raise ValueError("a SYSCALL record lacks arch=, syscall= or pid=")
    key = b"%x syscall=%d" % (int(arch, 16), int(number))
    result = raw(body, b"exit")
    items = raw(body, b"items")
    return (
        key,
        None if result in (None, b"?") else result,
        _argument(body, b"a0"),
        _argument(body, b"a1"),
        _argument(body, b"a2"),
        _argument(body, b"a3"),
        items if items is not None and items.isdigit() and len(items) < 6 else b"0",
        pid,
    )


def _argument(body: bytes, key: bytes) -> bytes:
    """A number in hex; 0 when it is absent. Raises ValueError."""
    value = raw(body, key) or b"0"
    int(value, 16)
    return value
