"""What this host offers to the audit source, a line each, and why not. Changes nothing."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from ruleng.errors import HostError
from ruleng.sources.audit import netlink
from ruleng.sources.audit.kernel_rules import MACHINES, hides_new_processes, owner_of
from ruleng.sources.audit.netlink import Control, Listener, Status


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says how it is, or why it does not work and what to do."""

    what: str
    works: bool
    text: str


def probe() -> tuple[Finding, ...]:
    """In the order in which they are needed; what cannot be known without an earlier one is left out."""
    machine = platform.machine()
    findings = [
        Finding("system calls", machine in MACHINES, machine if machine in MACHINES else f"no system call numbers for {machine}"),
        _listening(),
    ]
    try:
        with Control() as control:
            status = control.status()
            findings += [_enabled(status), _failure(status), _daemon(status), _losses(status), *_rules(control)]
    except HostError as error:
        findings.append(Finding("control", False, _told(error)))
    return tuple(findings)


def _listening() -> Finding:
    try:
        listener = Listener(multicast=True, buffer_bytes=65_536)
    except HostError as error:
        return Finding("listening", False, _told(error))
    listener.close()
    return Finding("listening", True, "beside the audit daemon (multicast)")


def _enabled(status: Status) -> Finding:
    if status.enabled == netlink.LOCKED:
        return Finding("rules", False, "audit is locked until the next boot (enabled 2): only what its rules record is seen")
    if not status.enabled:
        return Finding("rules", True, "audit is off: ruleng turns it on while it runs; processes that are older are not seen")
    return Finding("rules", True, "audit is on")


def _failure(status: Status) -> Finding:
    if status.failure == netlink.FAIL_PANIC:
        return Finding("losses", False, "this host panics when audit loses a record (failure 2): auditctl -f 1")
    return Finding("losses", True, "counted by the kernel")


def _daemon(status: Status) -> Finding:
    if status.pid:
        return Finding("daemon", True, f"pid {status.pid} gets the records too")
    return Finding("daemon", True, "none runs: the kernel also prints records to its log")


def _losses(status: Status) -> Finding:
    text = f"{status.lost} records lost since boot; {status.backlog} of {status.backlog_limit} waiting"
    return Finding("queue", status.backlog < status.backlog_limit or not status.backlog_limit, text)


def _rules(control: Control) -> list[Finding]:
    rules = control.rules()
    if any(hides_new_processes(rule) for rule in rules):
        return [Finding("processes", False, "a rule `task,never` hides every process that starts: auditctl -d task,never")]
    own = sum(owner_of(rule) is not None for rule in rules)
    return [Finding("processes", True, f"{len(rules)} rules in the kernel, {own} of them ruleng's")]


def _told(error: HostError) -> str:
    return f"{error}: {error.hint}" if error.hint else str(error)
