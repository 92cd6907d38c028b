"""What happened: an event, and the process, descriptor and container it concerns.

Values only. A missing value is None, never "<NA>". Text from the kernel is `str` decoded as UTF-8 with surrogateescape, so
that no byte is lost. Times are nanoseconds since the Unix epoch. An address is an int, see `ruleng.fields.address`.

The engine's compiled rules read these attributes directly; the field catalogue (`ruleng.fields`) says which field reads
which. `NO_PROCESS`, `NO_FD` and `NO_CONTAINER` stand for what is not known: each of their attributes is None, so that a
reader needs no guard (`event.proc.parent.now.parent.now.name`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

Arg = int | str | bytes | tuple[str, ...]
NO_ARGS: Mapping[str, Arg] = MappingProxyType({})


class Mount(msgspec.Struct, frozen=True, gc=False):
    """One mount of a container, as its runtime was told."""

    source: str
    dest: str
    mode: str = ""
    rdwr: bool = True
    propagation: str = ""


class Container(msgspec.Struct, gc=False, kw_only=True):
    """A container, shared by its processes. Not frozen: its runtime's metadata may arrive after its first event."""

    id: str | None = None  # the first 12 characters; "host" outside of containers
    full_id: str | None = None
    name: str | None = None
    type: str | None = None  # docker, podman, containerd, cri-o, runc, ...
    image: str | None = None  # repository:tag as the runtime prints it
    image_id: str | None = None
    image_repository: str | None = None
    image_tag: str | None = None
    image_digest: str | None = None
    privileged: bool | None = None
    host_pid: bool | None = None
    host_network: bool | None = None
    host_ipc: bool | None = None
    mounts: tuple[Mount, ...] | None = None
    labels: Mapping[str, str] | None = None
    ip: str | None = None
    start_ns: int | None = None
    pod_name: str | None = None
    pod_uid: str | None = None
    pod_namespace: str | None = None
    pod_sandbox_id: str | None = None
    pod_labels: Mapping[str, str] | None = None


NO_CONTAINER = Container()
HOST = Container(id="host", full_id="host", name="host", type="host")


class User(msgspec.Struct, frozen=True, gc=False):
    """A row of the user database; name, home and shell are None when the id has no row."""

    uid: int | None = None
    name: str | None = None
    home: str | None = None
    shell: str | None = None


class Group(msgspec.Struct, frozen=True, gc=False):
    gid: int | None = None
    name: str | None = None


NO_USER = User()
NO_GROUP = Group()


class Namespaces(msgspec.Struct, frozen=True, gc=False):
    """Inode numbers of a task's namespaces, see namespaces(7)."""

    mnt: int | None = None
    pid: int | None = None
    net: int | None = None
    ipc: int | None = None
    uts: int | None = None
    user: int | None = None
    cgroup: int | None = None


NO_NAMESPACES = Namespaces()


class Task:
    """The place of one process in the tree: who it is stays, `now` is its latest snapshot.

    Children hold their parent's Task, so that they see its present name, and after its exit its last one.
    """

    __slots__ = ("now",)

    now: Process

    def __init__(self, now: Process | None = None) -> None:
        if now is not None:
            self.now = now


NO_TASK = Task()


class Process(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An immutable snapshot of a process. exec, setuid, chdir, setns and the like make a new one (`evolve`).

    A process is identified by (pid, start_ns): pids are reused.
    """

    pid: int | None = None
    start_ns: int | None = None
    parent: Task = NO_TASK
    session: Task = NO_TASK  # the session leader
    group: Task = NO_TASK  # the process group leader
    ppid: int | None = None
    sid: int | None = None
    pgid: int | None = None
    vpid: int | None = None  # as its own pid namespace numbers it; likewise vpgid
    vpgid: int | None = None
    name: str | None = None  # comm, at most 15 bytes
    exe: str | None = None  # argv[0]
    exepath: str | None = None  # the executable file, resolved
    args: tuple[str, ...] | None = None  # argv[1:]
    args_text: str | None = None  # args joined by one blank
    cmdline: str | None = None  # name and args_text joined by one blank
    env: tuple[str, ...] | None = None  # NAME=VALUE
    cwd: str | None = None
    root: str | None = None
    uid: int | None = None
    gid: int | None = None
    euid: int | None = None
    egid: int | None = None
    loginuid: int | None = None  # -1 is unset
    user: User = NO_USER
    group_of: Group = NO_GROUP
    login: User = NO_USER
    tty: int | None = None  # device number of the controlling terminal; 0 is none
    cap_permitted: int | None = None  # bit n is capability n of capabilities(7)
    cap_effective: int | None = None
    cap_inheritable: int | None = None
    cgroup: str | None = None
    namespaces: Namespaces = NO_NAMESPACES
    container: Container = msgspec.field(default_factory=lambda: NO_CONTAINER)  # shared; msgspec refuses a mutable default
    exe_ino: int | None = None
    exe_ctime_ns: int | None = None
    exe_mtime_ns: int | None = None
    exe_writable: bool | None = None
    exe_upper_layer: bool | None = None  # of an overlay file system
    exe_lower_layer: bool | None = None
    exe_from_memfd: bool | None = None
    exec_ns: int | None = None  # time of the last exec
    pidns_start_ns: int | None = None
    escape: tuple[str, ...] | None = None  # ways in which it left its baseline: ns.mnt, root, cwd, cgroup, ...
    extra: Mapping[str, Any] | None = None  # rarely asked values by field name: proc.vmsize, thread.cgroups, ...


NO_PROCESS = Process()
NO_TASK.now = NO_PROCESS
evolve = msgspec.structs.replace


class Fd(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a file descriptor stands for. `c` is the client's end, `s` the server's, `l` the local, `r` the remote one."""

    type: str | None = None  # file, directory, ipv4, ipv6, unix, pipe, event, signalfd, ...
    typechar: str | None = None  # f d 4 6 u p e s l i t n b r m P o
    name: str | None = None
    nameraw: str | None = None  # a path as the program gave it
    directory: str | None = None  # of a file: what is before the last slash; "/" for what lies in the root
    filename: str | None = None
    l4proto: str | None = None  # tcp, udp, icmp, raw
    family: str | None = None  # ip or unix
    cip: int | None = None
    sip: int | None = None
    lip: int | None = None
    rip: int | None = None
    cport: int | None = None
    sport: int | None = None
    lport: int | None = None
    rport: int | None = None
    is_server: bool | None = None
    connected: bool | None = None
    name_changed: bool | None = None  # by this event
    dev: int | None = None
    ino: int | None = None
    upper_layer: bool | None = None
    lower_layer: bool | None = None


NO_FD = Fd()


class Paths(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Paths that an event names: absolute, and raw as the program gave them."""

    name: str | None = None
    nameraw: str | None = None
    source: str | None = None
    sourceraw: str | None = None
    target: str | None = None
    targetraw: str | None = None


NO_PATHS = Paths()


class Signal(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A signal on its way, with both ends."""

    number: int
    code: int | None = None  # si_code, see sigaction(2)
    sender: Process = NO_PROCESS
    target: Process = NO_PROCESS
    handler: str | None = None  # default, ignored, caught
    pending: tuple[str, ...] | None = None


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing that happened, in the one vocabulary that rules know.

    `args` holds the event's parameters under the names of `ruleng.fields.params`; numbers stay numbers (flags, modes and
    enumerations too) and are put into words only when a rule or an output asks.
    """

    type: str
    time_ns: int
    proc: Process = NO_PROCESS
    num: int = 0  # the first event of a run has 1
    source: str = "syscall"
    tid: int | None = None
    cpu: int | None = None
    result: int | None = None  # of the syscall; a negative errno when it failed
    fd_num: int | None = None
    fd: Fd = NO_FD
    open_flags: int | None = None  # of open, openat, openat2, creat, open_by_handle_at: O_* of this machine's ABI
    created: bool | None = None  # whether an open made the file, where the source sees it
    args: Mapping[str, Arg] = NO_ARGS
    paths: Paths = NO_PATHS
    signal: Signal | None = None
    host: str | None = None  # where it happened, when not here
    origin: str | None = None  # the ruleng source that saw it: audit, perf, bpf, replay, kafka, ...
    extra: Mapping[str, Any] | None = None  # values by field name that a recording gave and nothing else holds
