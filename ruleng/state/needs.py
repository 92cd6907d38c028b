"""What the rules ask about processes -> which files below /proc/PID are worth reading.

Names, arguments, ids, lineage and container are always kept. The rest costs a system call or more for each process that
starts, so it is read only when a field that needs it is in the Demand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Each is True when something of its kind is asked for."""

    env: bool = True  # environ
    cwd: bool = True
    root: bool = True
    namespaces: bool = True  # ns/*
    status: bool = True  # status after each exec: capabilities, virtual pids, memory
    exe_file: bool = True  # inode and times of the executable
    exe_layer: bool = True  # in which layer of an overlay file system it lies
    cgroups: bool = True  # the text of all of them


# a field, or with a dot at the end all fields below it -> what to read for it
_BY_FIELD: dict[str, tuple[str, ...]] = {
    "proc.env": ("env",),
    "proc.aenv": ("env",),
    "proc.cwd": ("cwd",),
    "proc.root": ("root",),
    "proc.ns.": ("namespaces",),
    "proc.escape": ("namespaces", "root", "cwd"),
    "proc.escaped": ("namespaces", "root", "cwd"),
    "proc.vpid": ("status",),
    "proc.pvpid": ("status",),
    "proc.vpgid": ("status",),
    "proc.vpgid.": ("status",),
    "proc.is_vpgid_leader": ("status",),
    "proc.is_sid_leader": ("status",),
    "proc.nthreads": ("status",),
    "proc.nchilds": ("status",),
    "proc.vmsize": ("status",),
    "proc.vmrss": ("status",),
    "proc.vmswap": ("status",),
    "proc.pidns_init_start_ts": ("status", "namespaces"),
    "proc.exe_ino": ("exe_file",),
    "proc.exe_ino.": ("exe_file",),
    "proc.exe_ino.ctime_duration_pidns_start": ("exe_file", "status", "namespaces"),
    "proc.is_exe_writable": ("exe_file", "status"),
    "proc.is_exe_upper_layer": ("exe_layer",),
    "proc.is_exe_lower_layer": ("exe_layer",),
    "thread.vtid": ("status",),
    "thread.vmsize": ("status",),
    "thread.vmrss": ("status",),
    "thread.vmsize.": ("status",),
    "thread.vmrss.": ("status",),
    "thread.cap_permitted": ("status",),
    "thread.cap_inheritable": ("status",),
    "thread.cap_effective": ("status",),
    "thread.cgroup": ("cgroups",),
    "thread.cgroups": ("cgroups",),
    "container.start_ts": ("status",),
    "container.duration": ("status",),
}

EVERYTHING = Needs()


def needs_of(demanded: Iterable[str] | None) -> Needs:
    """`demanded`: field names of the catalogue without arguments; None is everything."""
    if demanded is None:
        return EVERYTHING
    wanted: set[str] = set()
    for name in demanded:
        wanted.update(_BY_FIELD.get(name, ()))
        parent = name
        while "." in parent:
            parent = parent.rpartition(".")[0]
            wanted.update(_BY_FIELD.get(parent + ".", ()))
    return Needs(**{need.name: need.name in wanted for need in fields(Needs)})
