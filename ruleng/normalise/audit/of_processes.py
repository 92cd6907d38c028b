"""Handlers of calls that start, end, change and signal processes."""

from __future__ import annotations

from typing import Any

from ruleng.event import NO_FD, NO_PATHS, NO_PROCESS, Arg, Event, Paths, Process, Signal
from ruleng.normalise.audit.hit import Context, Handler, Hit
from ruleng.normalise.audit.identity import signed_id
from ruleng.normalise.audit.of_files import named
from ruleng.normalise.audit.text import ENRICHED, enriched, number, raw, untrusted

_CLONE_THREAD = 0x10000  # linux/sched.h
_SI_USER, _SI_TKILL, _SI_QUEUE = 0, -6, -1  # asm-generic/siginfo.h
# position of the signal's number, si_code of what arrives; None is in a siginfo_t that audit does not show
_SIGNALS: dict[str, tuple[int, int | None]] = {
    "kill": (1, _SI_USER),
    "tkill": (1, _SI_TKILL),
    "tgkill": (2, _SI_TKILL),
    "rt_sigqueueinfo": (1, _SI_QUEUE),
    "rt_tgsigqueueinfo": (2, _SI_QUEUE),
    "pidfd_send_signal": (1, None),
}


def executed(context: Context, hit: Hit) -> Event | None:
    argv = hit.company.arguments()
    succeeded = hit.result == 0
    if succeeded:
        body = hit.company.other(b"BPRM_FCAPS")
        capabilities = {} if body is None else _capabilities(body, b"pi", b"pp", b"pe")
        hit.proc = context.identities.started(hit.syscall, hit.company, hit.audit.time_ns, argv, capabilities)
    if not hit.plan.is_wanted:
        return None
    more: dict[str, Arg] = {}
    if argv is not None and not succeeded:
        more["exe"], more["args"] = argv[0] if argv else "", argv[1:]
    items = context.items(hit)
    paths = NO_PATHS
    if items and items[0].name is not None:
        paths = Paths(name=context.absolute(hit, items[0], hit.plan.call.directory), nameraw=items[0].name)
    return context.event(hit, more, paths=paths, of_process=True)


def forked(context: Context, hit: Hit) -> Event | None:
    child, parent = hit.result, hit.proc.pid
    is_thread = hit.plan.call.name == "clone" and int(hit.syscall.a0, 16) & _CLONE_THREAD
    if child is not None and child > 0 and parent is not None and not is_thread:
        context.identities.forked(parent, child, hit.audit.time_ns)
    return context.event(hit, of_process=True)


def exited(context: Context, hit: Hit) -> Event | None:
    context.identities.exited(hit.syscall, hit.proc, hit.audit.time_ns)
    if hit.proc.pid is not None:
        context.descriptors.drop(hit.proc.pid)
    return context.event(hit)


def moved(context: Context, hit: Hit) -> Event | None:
    """chdir and fchdir; the event's process is in the new directory already."""
    fd_num, fd, paths = None, NO_FD, NO_PATHS
    more: dict[str, Arg] = {}
    if hit.plan.call.name == "fchdir":
        fd_num = hit.syscall.number(0)
        fd = context.descriptors.get(hit.proc, fd_num)
        path = fd.name if fd.name is not None and fd.name.startswith("/") else None
    else:
        paths, _ = named(context, hit)
        path = paths.name
        if (text := path or paths.nameraw) is not None:
            more["path"] = text
    if hit.result == 0 and path is not None:
        hit.proc = context.identities.changed(hit.syscall, hit.proc, hit.audit.time_ns, cwd=path)
    return context.event(hit, more, fd_num=fd_num, fd=fd, paths=paths)


def capabilities_set(context: Context, hit: Hit) -> Event | None:
    body = hit.company.other(b"CAPSET")
    if body is None:
        return context.event(hit)
    capabilities = _capabilities(body, b"cap_pi", b"cap_pp", b"cap_pe")
    if hit.result == 0 and capabilities:
        hit.proc = context.identities.changed(hit.syscall, hit.proc, hit.audit.time_ns, **capabilities)
    return context.event(hit, capabilities)


def signalled(context: Context, hit: Hit) -> Event | None:
    name = hit.plan.call.name
    at, code = _SIGNALS[name]
    body = hit.company.other(b"OBJ_PID")
    signal = Signal(
        number=hit.syscall.unsigned(at),
        code=code,
        sender=hit.proc,
        target=NO_PROCESS if body is None else _target(context, hit, body),
    )
    return context.event(hit, signal=signal, fd_num=hit.syscall.number(0) if name == "pidfd_send_signal" else None)


def _target(context: Context, hit: Hit, body: bytes) -> Process:
    pid = number(body, b"opid")
    if pid is None or pid <= 0:
        return NO_PROCESS
    comm, uid, auid = raw(body, b"ocomm"), number(body, b"ouid"), raw(body, b"oauid")
    if ENRICHED in body and uid is not None:
        context.identities.learn({"UID": enriched(body).get("OUID", "unset")}, {"UID": uid})
    return context.identities.other(
        pid,
        hit.audit.time_ns,
        name=None if comm is None else untrusted(comm),
        uid=uid,
        loginuid=None if auid is None else signed_id(auid.decode()),
    )


def _capabilities(body: bytes, inheritable: bytes, permitted: bytes, effective: bytes) -> dict[str, Any]:
    values = {
        "cap_inheritable": number(body, inheritable, 16),
        "cap_permitted": number(body, permitted, 16),
        "cap_effective": number(body, effective, 16),
    }
    return {name: value for name, value in values.items() if value is not None}


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("execve", "execveat"), executed),
    **dict.fromkeys(("fork", "vfork", "clone", "clone3"), forked),
    "exit_group": exited,
    **dict.fromkeys(("chdir", "fchdir"), moved),
    "capset": capabilities_set,
    **dict.fromkeys(_SIGNALS, signalled),
}
