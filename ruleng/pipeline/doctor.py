"""What this host offers: privileges, sources, what can be enforced, and why not. Changes nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruleng.actions.freeze import cgroup2_mount
from ruleng.state import ProcReader


@dataclass(frozen=True, slots=True)
class Finding:
    """`works` None: nothing is wrong, and nothing is offered either."""

    area: str
    what: str
    works: bool | None
    text: str


def examine() -> Iterator[Finding]:
    yield from _host()
    yield from _sources()
    yield from _enforcement()
    yield from _logs()


def _host() -> Iterator[Finding]:
    yield Finding("host", "kernel", True, f"Linux {platform.release()} {platform.machine()}")
    is_root = os.geteuid() == 0
    yield Finding(
        "host", "privileges", is_root, "root" if is_root else "not root: `ruleng run` needs root; replay, check and test do not"
    )


def _sources() -> Iterator[Finding]:
    from ruleng.sources.audit import probe as audit
    from ruleng.sources.perf import probe as perf

    for found in audit.probe():
        yield Finding("source audit", found.what, found.works, found.text)
    for offered in perf.probe():
        yield Finding("source perf", offered.what, offered.works, offered.text)


def _enforcement() -> Iterator[Finding]:
    try:
        os.close(os.pidfd_open(os.getpid()))
        yield Finding("enforcement", "kill, stop", True, "by pidfd, after the event: a kill is not a prevention")
    except OSError as error:
        yield Finding("enforcement", "kill, stop", False, f"pidfd_open: {error.strerror} (since Linux 5.3)")
    mount = cgroup2_mount(ProcReader())
    if mount is None:
        yield Finding("enforcement", "freeze", False, "no cgroup v2 is mounted")
    else:
        yield Finding("enforcement", "freeze", True, f"containers with a cgroup of their own below {mount}")
    yield Finding(
        "enforcement", "deny", False, "no source of this version decides before the syscall: rules that deny are refused at load"
    )


def _logs() -> Iterator[Finding]:
    log = Path("/var/log/audit/audit.log")
    if not log.exists():
        yield Finding("logs", str(log), None, "not there: auditd does not run here or logs elsewhere")
    elif os.access(log, os.R_OK):
        yield Finding("logs", str(log), True, f"ruleng replay {log}")
    else:
        yield Finding("logs", str(log), False, "not readable for this user")
