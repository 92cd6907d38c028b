"""Which field is stored where: `STORED[name]` is the part of an event and its slot that hold the field, unchanged.

All other fields are made from these (`evt.is_open_write` from the flags), or lie in `extra` under their own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ruleng.event import Event

PARTS: Mapping[str, Callable[[Event], Any]] = {
    "event": lambda e: e,
    "proc": lambda e: e.proc,
    "parent": lambda e: e.proc.parent.now,
    "user": lambda e: e.proc.user,
    "group": lambda e: e.proc.group_of,
    "login": lambda e: e.proc.login,
    "namespaces": lambda e: e.proc.namespaces,
    "container": lambda e: e.proc.container,
    "fd": lambda e: e.fd,
    "paths": lambda e: e.paths,
    "signal": lambda e: e.signal,
    "sender": lambda e: e.signal and e.signal.sender,
    "target": lambda e: e.signal and e.signal.target,
}
"""The parts of an event; a part that an event lacks is None or has nothing but None."""


def _slots(part: str, prefix: str, names: str) -> dict[str, tuple[str, str]]:
    """`uid=p.uid` in `names` puts field PREFIXuid into the slot `uid`; a bare word is both."""
    rows = {}
    for word in names.split():
        field, _, slot = word.partition("=")
        rows[prefix + field] = (part, slot or field)
    return rows


_END = "pid name exepath cmdline uid"

STORED: Mapping[str, tuple[str, str]] = {
    **_slots("event", "evt.", "num source origin hostname=host cpu rawtime=time_ns rawres=result"),
    **_slots("event", "", "thread.tid=tid fd.num=fd_num"),
    **_slots(
        "proc",
        "proc.",
        "pid ppid vpid sid pgid vpgid pid.ts=start_ns name exe exepath cmdline cwd root tty cgroup exe_ino "
        "exe_ino.ctime=exe_ctime_ns exe_ino.mtime=exe_mtime_ns is_exe_writable=exe_writable is_exe_upper_layer=exe_upper_layer "
        "is_exe_lower_layer=exe_lower_layer is_exe_from_memfd=exe_from_memfd pidns_init_start_ts=pidns_start_ns escape",
    ),
    **_slots("proc", "user.", "uid euid loginuid"),
    **_slots("proc", "group.", "gid egid"),
    **_slots("parent", "proc.", "pvpid=vpid ppid.ts=start_ns"),
    **_slots("user", "user.", "name homedir=home shell"),
    **_slots("group", "group.", "name"),
    **_slots("login", "user.", "loginname=name"),
    **_slots("namespaces", "proc.ns.", "mnt pid net ipc uts user cgroup"),
    **_slots(
        "container",
        "container.",
        "id full_id name type image image.id=image_id image.repository=image_repository image.tag=image_tag "
        "image.digest=image_digest privileged host_pid host_network host_ipc ip start_ts=start_ns",
    ),
    **_slots("container", "k8s.", "ns.name=pod_namespace pod.name=pod_name pod.uid=pod_uid pod.full_sandbox_id=pod_sandbox_id"),
    **_slots(
        "fd",
        "fd.",
        "type typechar name nameraw directory filename l4proto sockfamily=family cip sip lip rip cport sport lport rport is_server "
        "connected name_changed dev ino is_upper_layer=upper_layer is_lower_layer=lower_layer",
    ),
    **_slots("paths", "fs.path.", "name nameraw source sourceraw target targetraw"),
    **_slots("signal", "signal.", "number code handler pending"),
    **_slots("sender", "signal.sender.", _END),
    **_slots("target", "signal.target.", _END),
}

ANCESTORS: Mapping[str, str] = {
    "proc.aname": "name",
    "proc.aexe": "exe",
    "proc.aexepath": "exepath",
    "proc.acmdline": "cmdline",
    "proc.aargs": "args_text",
    "proc.apid": "pid",
    "proc.aenv": "env",
}
"""Fields of ancestors, and the slot of each ancestor. In a record they are lists, the parent first."""

PARENT: Mapping[str, str] = {"proc.pname": "name", "proc.pexe": "exe", "proc.pexepath": "exepath", "proc.pcmdline": "cmdline"}
"""Other names of an ancestor's fields, for the parent."""

LEADERS: Mapping[str, tuple[str, str]] = {
    "proc.sname": ("session", "name"),
    "proc.sid.exe": ("session", "exe"),
    "proc.sid.exepath": ("session", "exepath"),
    "proc.pgid.name": ("leader", "name"),
    "proc.pgid.exe": ("leader", "exe"),
    "proc.pgid.exepath": ("leader", "exepath"),
}
"""Fields of the session's and the process group's leader. A record gives them where an event finds them by its ancestors, too."""

CAPABILITIES: Mapping[str, str] = {
    "thread.cap_permitted": "cap_permitted",
    "thread.cap_effective": "cap_effective",
    "thread.cap_inheritable": "cap_inheritable",
}
"""Slots of the process that a record gives in words."""
