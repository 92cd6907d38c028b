"""AuditEvent + state + demand -> Events: the meaning of records.

An AuditEvent gives one Event for its system call and one for each record that says something of its own (AVC, USER_LOGIN).
Only what the demand names, with a result that its filters let through, becomes an Event and is parsed to the end; of
everything else just who did it, where and what it started is noted, so that events do not depend on what else the rules ask.
What cannot be read is counted in the ledger, with its place, and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from msgspec.structs import replace

from ruleng.abi import syscalls
from ruleng.event import NO_PROCESS, Event, Process
from ruleng.fields.params import event_name
from ruleng.normalise.audit import of_files, of_processes, of_sockets, records
from ruleng.normalise.audit.calls import STATE, call, remembered
from ruleng.normalise.audit.company import NO_COMPANY, Companies, Company
from ruleng.normalise.audit.event import AuditEvent
from ruleng.normalise.audit.hit import WHERE, Context, Handler, Hit, Plan
from ruleng.normalise.audit.identity import Identities
from ruleng.normalise.audit.syscall import Syscall
from ruleng.normalise.audit.text import ENRICHED, enriched, pairs, raw
from ruleng.ports import EVERYTHING, Demand, Filter, Ledger
from ruleng.state import State

_RESULTS: dict[bytes | None, int] = {b"%d" % number: number for number in range(-133, 1024)}
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
        self._filters: Mapping[str, Filter] = {}
        self.demand(demand)

    def demand(self, demand: Demand | None) -> None:
        """Other rules are in force; None asks for everything."""
        self._plans.clear()
        self._socket_plans.clear()
        self._types = None if demand is None else demand.event_types
        self._filters = {} if demand is None else demand.filters
        self._remembered = remembered(self._types)
        self._context.remembers_files = "openat" in self._remembered
        self._context.wants_args = demand is None or any(field.startswith(_NEEDS_ARGS) for field in demand.fields)

    def events(self, audit: AuditEvent) -> list[Event]:
        """Never raises for what is in the records."""
        return self.batch((audit,))

    def batch(self, audits: Iterable[AuditEvent]) -> list[Event]:
        """The events of many, in order. Never raises for what is in the records."""
        found: list[Event] = []
        context, plans, companies, known_of = self._context, self._plans, self._companies, self._identities.known
        for audit in audits:
            syscall, text = audit.syscall, audit.company
            company = companies.of(text) if text else NO_COMPANY
            if syscall is None:
                found += self._alone(audit, company)
                continue
            event, proc = None, NO_PROCESS
            try:
                plan = plans.get(syscall.key) or self._plan(audit, syscall)
                result = _RESULTS.get(syscall.exit)
                if result is None and syscall.exit is not None:
                    result = int(syscall.exit)
                if plan.is_picky:
                    plan = plan.given(result)
                hit = Hit(audit, syscall, company, plan, result)
                if not plan.is_exec or result != 0:
                    known = known_of.get(syscall.pid)
                    if (
                        known is not None
                        and known.task == syscall.task
                        and known.place.now is known.now
                        and (company.cwd is None or company.cwd == known.cwd)
                    ):
                        hit.proc = known.now
                    else:
                        hit.proc = self._identities.of(syscall, company, audit)
                if plan.is_handled:
                    event = plan.handle(context, hit)
                proc = hit.proc
            except ValueError as error:
                self._lost(audit, str(error))
            for complaint in company.complaints:
                self._lost(audit, complaint)
            if event is not None:
                found.append(event)
            if company.others:
                found += self._records(audit, company, proc)
        return found

    def _alone(self, audit: AuditEvent, company: Company) -> list[Event]:
        """Without a system call."""
        if company.needs_syscall():
            self._ledger.lost("audit.assemble", "an event lacks its SYSCALL record", sample=audit.place)
        return self._records(audit, company, NO_PROCESS)

    def _records(self, audit: AuditEvent, company: Company, proc: Process) -> list[Event]:
        """Events of records that say something of their own; `proc` did the system call that they came with, if any."""
        found: list[Event] = []
        for kind, body in company.others:
            event_type = records.TYPES.get(kind)
            if event_type is not None and (self._types is None or event_type in self._types):
                found.append(self._record(audit, kind, event_type, body, proc))
        return found

    def _plan(self, audit: AuditEvent, syscall: Syscall) -> Plan:
        """Raises ValueError for an unknown system call."""
        arch_text, _, number_text = syscall.key.partition(b" syscall=")
        arch, number = int(arch_text, 16), int(number_text)
        name = syscalls.name(arch, number)
        if name is None:
            word = enriched(syscall.task).get("SYSCALL")
            if word is None or word.startswith("unknown"):
                raise ValueError(f"system call {number} of architecture {arch:x} is not known")
            return self._named(event_name(word), arch)
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        plan = self._plans[syscall.key] = self._named(name, arch)
        return plan

    def _named(self, name: str, arch: int) -> Plan:
        is_aarch64 = arch == syscalls.AARCH64
        if name == "socketcall":
            return Plan(call(name), self._socketcall, None, is_state=True, is_aarch64=is_aarch64)
        wanted = self._filters.get(name, EVERYTHING) if self._types is None or name in self._types else None
        is_state = name in STATE or name in self._remembered
        return Plan(call(name), _HANDLERS.get(name, of_files.plain), wanted, is_state=is_state, is_aarch64=is_aarch64)

    def _socketcall(self, context: Context, hit: Hit) -> Event | None:
        """i386's one call for all of sockets: SOCKETCALL has the arguments of the real one."""
        body = hit.company.other(b"SOCKETCALL")
        name = syscalls.SOCKETCALL.get(hit.syscall.unsigned(0))
        if body is None or name is None:
            context.lost(hit, "a socketcall does not say which")
            return None
        a0, a1, a2, a3 = (_argument(body, b"a%d" % index) for index in range(4))
        hit.syscall = replace(hit.syscall, a0=a0, a1=a1, a2=a2, a3=a3)
        plan = self._socket_plans.get(name)
        if plan is None:
            plan = self._socket_plans[name] = self._named(name, syscalls.I386)
        hit.plan = plan.given(hit.result) if plan.is_picky else plan
        return plan.handle(context, hit) if hit.plan.is_handled else None

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


def _argument(body: bytes, key: bytes) -> bytes:
    """A number in hex; 0 when it is absent. Raises ValueError."""
    return b"%x" % (int(raw(body, key) or b"0", 16) & 0xFFFFFFFF)
