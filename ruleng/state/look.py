"""A process as /proc shows it: an open directory below /proc in, attributes of a Process out.

Only what `Needs` names is read. Names of users, the lineage and the container are put in by `ruleng.state.processes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ruleng.errors import InputError
from ruleng.event import Namespaces
from ruleng.ports import Ledger
from ruleng.state import procfs
from ruleng.state.limits import Limits
from ruleng.state.needs import Needs
from ruleng.state.overlay import in_upper_layer
from ruleng.state.procfs_io import ProcDir, ProcReader
from ruleng.state.statx import FileStatus

_NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")
_CAP_DAC_OVERRIDE = 1  # linux/capability.h
_CAP_FOWNER = 3
DELETED = " (deleted)"  # d_path appends it to the name of a file that has none any more


@dataclass(frozen=True, slots=True)
class Host:
    """What is the host's own: outside of every container."""

    mnt: int | None = None  # inode of the mount namespace
    root: tuple[tuple[int, int], int] | None = None  # (device, inode)
    cgroups: tuple[bytes, ...] = ()


def host_of(reader: ProcReader) -> Host:
    """The host's own values, of pid 1 where it may be looked at (ruleng may run in a container that shares the host's
    pids), else of ruleng itself."""
    host = Host()
    for pid in ("self", 1):
        with reader.process(pid) as directory:
            if directory is None:
                continue
            link, status, cgroup = directory.link("ns/mnt"), directory.status("root"), directory.read("cgroup")
            host = Host(
                (procfs.parse_namespace(link) if link is not None else None) or host.mnt,
                (status.device, status.ino) if status is not None else host.root,
                host.cgroups + ((cgroup,) if cgroup is not None else ()),
            )
    return host


def command(name: str | None, argv: Sequence[str] | None) -> dict[str, Any]:
    """The attributes that follow from a name and an argv; argv None is unknown, empty is a process without arguments."""
    if argv is None:
        return {"exe": None, "args": None, "args_text": None, "cmdline": name}
    args = tuple(argv[1:])
    args_text = " ".join(args)
    cmdline = f"{name} {args_text}" if args and name is not None else name
    return {"exe": argv[0] if argv else None, "args": args, "args_text": args_text, "cmdline": cmdline}


class Looker:
    """Looks at processes through one reader. What cannot be read right is counted and left unknown."""

    def __init__(self, reader: ProcReader, limits: Limits, ledger: Ledger, needs: Needs) -> None:
        self.reader = reader
        self.needs = needs
        self.host = host_of(reader)
        self._limits = limits
        self._ledger = ledger

    def whole(self, directory: ProcDir, pid: int) -> dict[str, Any] | None:
        """Everything that is wanted of a process; None when it has gone. Ids of others stand as numbers: ppid, pgid, sid."""
        found = self.place(directory)
        if found is None:
            return None
        found["pid"] = pid
        argv = self._parsed(directory, "cmdline", self._argv, self._limits.args_bytes)
        found |= command(found["name"], argv)
        found["exepath"] = directory.link("exe")
        status = self._parsed(directory, "status", procfs.parse_status)
        if status is not None:
            found |= _ids(status)
            if self.needs.status:
                found |= _status(status)
        found["loginuid"] = self._parsed(directory, "loginuid", procfs.parse_loginuid)
        if self.needs.cwd:
            found["cwd"] = directory.link("cwd")
        found |= self._asked(directory, found)
        return found

    def place(self, directory: ProcDir) -> dict[str, Any] | None:
        """Where a process stands: its name, start, parent, session, group and terminal."""
        stat = self._parsed(directory, "stat", procfs.parse_stat)
        if stat is None:
            return None
        return {
            "name": stat.name,
            "start_ns": self.reader.start_ns(stat.start_ticks),
            "ppid": stat.ppid,
            "pgid": stat.pgid,
            "sid": stat.sid,
            "tty": stat.tty & 0xFFFFFFFF,  # new_encode_dev may set the sign bit
        }

    def start_ns(self, pid: int) -> int | None:
        """Of the process that has the pid now; None when none has."""
        with self.reader.process(pid) as directory:
            place = self.place(directory) if directory is not None else None
        return None if place is None else int(place["start_ns"])

    def whole_of(self, pid: int) -> dict[str, Any] | None:
        with self.reader.process(pid) as directory:
            return self.whole(directory, pid) if directory is not None else None

    def after_exec(self, directory: ProcDir, exepath: str | None) -> dict[str, Any]:
        """What an exec changes and its record does not tell. Empty when the process runs something else already."""
        found: dict[str, Any] = {"exepath": exepath}
        needs = self.needs
        if not (needs.status or needs.env or needs.namespaces or needs.root or needs.exe_file or needs.exe_layer or needs.cgroups):
            return {}
        if exepath is not None and directory.link("exe") != exepath:
            return {}
        if needs.status:
            status = self._parsed(directory, "status", procfs.parse_status)
            if status is not None:
                found |= _ids(status)
                found |= _status(status)
        found |= self._asked(directory, found)
        return found

    def is_outside(self, directory: ProcDir) -> bool | None:
        """Whether the process has both another mount namespace and another root than the host; None when that cannot be told."""
        link, root = directory.link("ns/mnt"), directory.status("root")
        mnt = procfs.parse_namespace(link) if link is not None else None
        if mnt is None or root is None or self.host.mnt is None or self.host.root is None:
            return None
        return mnt != self.host.mnt and (root.device, root.ino) != self.host.root

    def _asked(self, directory: ProcDir, known: dict[str, Any]) -> dict[str, Any]:
        needs, found = self.needs, dict[str, Any]()
        if needs.env:
            found["env"] = self._parsed(directory, "environ", self._environ, self._limits.args_bytes)
        if needs.root:
            found["root"] = directory.link("root")
        if needs.namespaces:
            links = {name: directory.link(f"ns/{name}") for name in _NAMESPACES}
            found["namespaces"] = Namespaces(
                **{name: procfs.parse_namespace(link) for name, link in links.items() if link is not None}
            )
        if needs.exe_file:
            status = directory.status("exe")
            if status is not None:
                found |= {"exe_ino": status.ino, "exe_ctime_ns": status.ctime_ns, "exe_mtime_ns": status.mtime_ns}
                found["exe_writable"] = _writable(status, known)
        if needs.exe_layer:
            found |= self._layer(directory, known.get("exepath"))
        extra = dict(known.get("extra") or {})
        if needs.cgroups:
            lines = self._parsed(directory, "cgroup", procfs.parse_cgroup)
            if lines is not None:
                extra["thread.cgroups"] = " ".join(f"{','.join(line.controllers)}={line.path}" for line in lines)
        if extra:
            found["extra"] = extra
        return found

    def _layer(self, directory: ProcDir, exepath: str | None) -> dict[str, bool]:
        if exepath is None or not exepath.startswith("/"):
            return {}
        mounts = self._parsed(directory, "mountinfo", procfs.parse_mountinfo, self._limits.proc_file_bytes)
        if mounts is None:
            return {}
        upper = in_upper_layer(mounts, exepath.removesuffix(DELETED))
        return {"exe_upper_layer": upper is True, "exe_lower_layer": upper is False}

    def _parsed(self, directory: ProcDir, name: str, parse: Callable[[bytes], Any], limit_bytes: int = 65_536) -> Any:
        data = directory.read(name, limit_bytes)
        if data is None:
            return None
        try:
            return parse(data)
        except InputError as error:
            self._ledger.lost("state.processes", f"/proc/PID/{error}")
            return None

    def _argv(self, data: bytes) -> tuple[str, ...] | None:
        """None for kernel threads, for zombies, and for an instant within execve(2)."""
        argv, cut = procfs.parse_cmdline(data, self._limits.args_bytes)
        if cut:
            self._ledger.lost("state.processes", "an argument list was cut at its limit")
        return argv or None

    def _environ(self, data: bytes) -> tuple[str, ...]:
        env, cut = procfs.parse_environ(data, self._limits.args_bytes)
        if cut:
            self._ledger.lost("state.processes", "an environment was cut at its limit")
        return env


def _ids(status: procfs.Status) -> dict[str, Any]:
    return {"uid": status.uid, "euid": status.euid, "gid": status.gid, "egid": status.egid}


def _status(status: procfs.Status) -> dict[str, Any]:
    extra = {
        "proc.vmsize": status.vm_size_kb,
        "proc.vmrss": status.vm_rss_kb,
        "proc.vmswap": status.vm_swap_kb,
        "proc.nthreads": status.threads,
    }
    return {
        "vpid": status.vpid,
        "vpgid": status.vpgid,
        "cap_permitted": status.cap_permitted,
        "cap_effective": status.cap_effective,
        "cap_inheritable": status.cap_inheritable,
        "extra": {name: value for name, value in extra.items() if value is not None},
    }


def _writable(status: FileStatus, known: dict[str, Any]) -> bool | None:
    """Whether the user of the process could write the executable: its owner may give the right to himself."""
    euid, capabilities = known.get("euid"), known.get("cap_effective")
    if euid is None:
        return None
    if capabilities is not None and capabilities & (1 << _CAP_DAC_OVERRIDE | 1 << _CAP_FOWNER):
        return True
    return bool(status.uid == euid or (status.gid == known.get("egid") and status.mode & 0o020) or status.mode & 0o002)
