"""Fields of the process and of those above it (`proc`).

An ancestor is a chain of `parent.now`: what nobody knows is NO_PROCESS, whose every attribute is None, so chains need no guard.
"""

from __future__ import annotations

from collections.abc import Callable

from ruleng.fields.extra import of_process, process_or
from ruleng.fields.filled import ANY, SOCKETS
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

DEEPEST = 64
"""How many ancestors are looked at: a lineage is cut there, and a chain that leads in a circle ends."""


def chain(level: int) -> str:
    """The expression of the ancestor `level` generations up; 0 is the process itself."""
    return "p" + ".parent.now" * level


def _level(arg: str) -> int | None:
    if arg.isascii() and arg.isdecimal() and int(arg) <= DEEPEST:
        return int(arg)
    return None


def _ancestor(attribute: str) -> Callable[[str], str]:
    def read(arg: str) -> str:
        level = _level(arg)
        if level is None:
            raise ValueError(f"the argument is how many generations up, from 0 (the process itself) to {DEEPEST}")
        return f"{chain(level)}.{attribute}"

    return read


def _any(attribute: str) -> str:
    return f"[a.{attribute} for a in ancestors(p) if a.{attribute} is not None]"


def _argument(arg: str) -> str:
    if not (arg.isascii() and arg.isdecimal()):
        raise ValueError("the argument is the place of an argument, from 0")
    return f"item(p.args, {int(arg)})"


def _variable(arg: str) -> str:
    return f"variable(p.env, {arg + '='!r})"


def _ancestor_variable(arg: str) -> str:
    level = _level(arg)
    return f"inherited(p, {arg + '='!r})" if level is None else f"env_text({chain(level)}.env)"


_UP = "how many generations up: 1 is the parent, 0 the process itself"

# fmt: off
FIELDS = (
    # --- names and command lines
    Field(
        name="proc.name", type=T.STRING, doc="Name of the process as the kernel keeps it, 15 bytes at most.", read="p.name",
        sources=ANY, ecs="process.name", ocsf="actor.process.name",
    ),
    Field(name="proc.exe", type=T.STRING, doc="First word of the command line, argv[0].", read="p.exe", sources=ANY),
    Field(
        name="proc.exepath", type=T.STRING, doc="Path of the executable, links resolved.", read="p.exepath", sources=ANY,
        ecs="process.executable", ocsf="actor.process.file.path",
    ),
    Field(
        name="proc.args", type=T.STRING, doc="Arguments without argv[0], with blanks between.", read="p.args_text",
        read_arg=_argument, argument="optional", argument_doc="place of the argument, from 0: `proc.args[0]`", sources=ANY,
        ecs="process.args",
    ),
    Field(
        name="proc.cmdline", type=T.STRING, doc="`proc.name` and `proc.args` with a blank between.", read="p.cmdline",
        sources=ANY, ecs="process.command_line", ocsf="actor.process.cmd_line",
    ),
    Field(
        name="proc.exeline", type=T.STRING, doc="`proc.exe` and `proc.args` with a blank between: what was typed.",
        read="chained(p.exe, p.args_text, ' ')", cost=5, sources=ANY,
    ),
    Field(
        name="proc.cmdnargs", type=T.UINT64, doc="Number of arguments.", read=process_or("proc.cmdnargs", "count(p.args)"),
        cost=3, sources=ANY, ecs="process.args_count",
    ),
    Field(
        name="proc.cmdlenargs", type=T.UINT64, doc="Length of all arguments, without the blanks between.", unit="characters",
        read=process_or("proc.cmdlenargs", "length(p.args)"), cost=6, sources=ANY,
    ),
    Field(
        name="proc.env", type=T.STRING, doc="Environment, NAME=value with blanks between.", read="env_text(p.env)",
        read_arg=_variable, argument="optional", argument_doc="a variable: `proc.env[HOME]` is its value", cost=10, sources=ANY,
        ecs="process.env_vars", ocsf="actor.process.environment_variables",
    ),
    Field(
        name="proc.cwd", type=T.STRING, doc="Working directory, with a slash at its end.", read="slashed(p.cwd)", cost=3,
        sources=ANY, ecs="process.working_directory", ocsf="actor.process.working_directory",
    ),
    Field(
        name="proc.tty", type=T.UINT32, doc="Device number of the controlling terminal; 0 when there is none.", read="p.tty",
        sources=ANY, ecs="process.tty.char_device.minor", ocsf="actor.process.tty.name",
    ),
    # --- the parent and the ancestors
    Field(
        name="proc.pname", type=T.STRING, doc="Name of the parent.", read="p.parent.now.name", cost=3, sources=ANY,
        ecs="process.parent.name", ocsf="actor.process.parent_process.name",
    ),
    Field(name="proc.pexe", type=T.STRING, doc="argv[0] of the parent.", read="p.parent.now.exe", cost=3, sources=ANY),
    Field(
        name="proc.pexepath", type=T.STRING, doc="Path of the parent's executable.", read="p.parent.now.exepath", cost=3,
        sources=ANY, ecs="process.parent.executable", ocsf="actor.process.parent_process.file.path",
    ),
    Field(
        name="proc.pcmdline", type=T.STRING, doc="Command line of the parent.", read="p.parent.now.cmdline", cost=3,
        sources=ANY, ecs="process.parent.command_line", ocsf="actor.process.parent_process.cmd_line",
    ),
    Field(
        name="proc.aname", type=T.STRING, doc="Name of an ancestor; without argument: of any, the process itself apart.",
        quantifier="any", read=_any("name"), read_arg=_ancestor("name"), argument="optional", argument_doc=_UP, cost=12,
        sources=ANY, right_side=False, transformable=False, ocsf="actor.process.ancestry.name",
    ),
    Field(
        name="proc.aexe", type=T.STRING, doc="argv[0] of an ancestor; without argument: of any.", quantifier="any",
        read=_any("exe"), read_arg=_ancestor("exe"), argument="optional", argument_doc=_UP, cost=12, sources=ANY,
        right_side=False, transformable=False,
    ),
    Field(
        name="proc.aexepath", type=T.STRING, doc="Path of an ancestor's executable; without argument: of any.",
        quantifier="any", read=_any("exepath"), read_arg=_ancestor("exepath"), argument="optional", argument_doc=_UP, cost=12,
        sources=ANY, right_side=False, transformable=False,
    ),
    Field(
        name="proc.acmdline", type=T.STRING, doc="Command line of an ancestor; without argument: of any.", quantifier="any",
        read=_any("cmdline"), read_arg=_ancestor("cmdline"), argument="optional", argument_doc=_UP, cost=12, sources=ANY,
        right_side=False, transformable=False, ocsf="actor.process.ancestry.cmd_line",
    ),
    Field(
        name="proc.aargs", type=T.STRING, doc="Arguments of an ancestor; without argument: of any.", quantifier="any",
        read=_any("args_text"), read_arg=_ancestor("args_text"), argument="optional", argument_doc=_UP, cost=12, sources=ANY,
    ),
    Field(
        name="proc.apid", type=T.INT64, doc="Process id of an ancestor; without argument: of any.", quantifier="any",
        read=_any("pid"), read_arg=_ancestor("pid"), argument="optional", argument_doc=_UP, cost=12, sources=ANY,
        right_side=False, transformable=False, ocsf="actor.process.ancestry.pid",
    ),
    Field(
        name="proc.aenv", type=T.STRING, doc="Environment of an ancestor; without argument: of any.", quantifier="any",
        read="[env_text(a.env) for a in ancestors(p) if a.env is not None]", read_arg=_ancestor_variable, argument="optional",
        argument_doc=f"{_UP}; or a variable: its value in the nearest ancestor that has it", cost=40, sources=ANY,
        right_side=False, transformable=False,
    ),
    # --- numbers
    Field(
        name="proc.pid", type=T.INT64, doc="Process id as the host counts.", read="p.pid", sources=ANY, ecs="process.pid",
        ocsf="actor.process.pid",
    ),
    Field(
        name="proc.ppid", type=T.INT64, doc="Process id of the parent.", read="p.ppid", sources=ANY, ecs="process.parent.pid",
        ocsf="actor.process.parent_process.pid",
    ),
    Field(
        name="proc.vpid", type=T.INT64, doc="Process id as its own pid namespace counts.", read="p.vpid", sources=ANY,
        ecs="process.vpid", ocsf="actor.process.namespace_pid",
    ),
    Field(
        name="proc.pvpid", type=T.INT64, doc="Process id of the parent as the parent's pid namespace counts.",
        read="p.parent.now.vpid", cost=3, sources=ANY,
    ),
    Field(
        name="proc.sid", type=T.INT64, doc="Session id.", read="p.sid", sources=ANY, ecs="process.session_leader.pid",
        ocsf="actor.process.session.uid",
    ),
    Field(
        name="proc.sname", type=T.STRING, doc="Name of the session's leader.", read="session_leader(p).name", cost=6,
        sources=ANY, ecs="process.session_leader.name",
    ),
    Field(
        name="proc.sid.exe", type=T.STRING, doc="argv[0] of the session's leader.", read="session_leader(p).exe", cost=6,
        sources=ANY,
    ),
    Field(
        name="proc.sid.exepath", type=T.STRING, doc="Path of the session leader's executable.",
        read="session_leader(p).exepath", cost=6, sources=ANY, ecs="process.session_leader.executable",
    ),
    Field(
        name="proc.is_sid_leader", type=T.BOOL, doc="Whether the process leads its session.",
        read=process_or("proc.is_sid_leader", "same(p.sid, p.pid)"), cost=3, sources=ANY,
    ),
    Field(
        name="proc.pgid", type=T.INT64, doc="Process group id as the host counts.", read="p.pgid", sources=ANY,
        ecs="process.group_leader.pid",
    ),
    Field(
        name="proc.pgid.name", type=T.STRING, doc="Name of the process group's leader.", read="group_leader(p).name", cost=6,
        sources=ANY, ecs="process.group_leader.name",
    ),
    Field(
        name="proc.pgid.exe", type=T.STRING, doc="argv[0] of the process group's leader.", read="group_leader(p).exe", cost=6,
        sources=ANY,
    ),
    Field(
        name="proc.pgid.exepath", type=T.STRING, doc="Path of the group leader's executable.", read="group_leader(p).exepath",
        cost=6, sources=ANY, ecs="process.group_leader.executable",
    ),
    Field(
        name="proc.is_pgid_leader", type=T.BOOL, doc="Whether the process leads its group, as the host counts.",
        read=process_or("proc.is_pgid_leader", "same(p.pgid, p.pid)"), cost=3, sources=ANY,
    ),
    Field(
        name="proc.vpgid", type=T.INT64, doc="Process group id as its own pid namespace counts.", read="p.vpgid", sources=ANY,
    ),
    Field(
        name="proc.vpgid.name", type=T.STRING, doc="The same as `proc.pgid.name`.", read="group_leader(p).name", cost=6,
        sources=ANY,
    ),
    Field(
        name="proc.vpgid.exe", type=T.STRING, doc="The same as `proc.pgid.exe`.", read="group_leader(p).exe", cost=6,
        sources=ANY,
    ),
    Field(
        name="proc.vpgid.exepath", type=T.STRING, doc="The same as `proc.pgid.exepath`.", read="group_leader(p).exepath",
        cost=6, sources=ANY,
    ),
    Field(
        name="proc.is_vpgid_leader", type=T.BOOL,
        doc="Whether the process leads its group, as its own pid namespace counts: it was started straight from a shell "
            "or by the container's entry point.", read=process_or("proc.is_vpgid_leader", "same(p.vpgid, p.vpid)"), cost=3,
        sources=ANY,
    ),
    Field(
        name="proc.loginshellid", type=T.INT64,
        doc="Process id of the topmost shell above the process: tells login sessions apart.",
        read=process_or("proc.loginshellid", "login_shell(p)"), cost=15, sources=ANY,
    ),
    # --- times
    Field(
        name="proc.pid.ts", type=T.RELTIME, doc="When the process started, since the epoch.", unit="ns", read="p.start_ns",
        sources=ANY, ecs="process.start", ocsf="actor.process.created_time",
    ),
    Field(
        name="proc.ppid.ts", type=T.RELTIME, doc="When the parent started, since the epoch.", unit="ns",
        read="p.parent.now.start_ns", cost=3, sources=ANY, ecs="process.parent.start",
        ocsf="actor.process.parent_process.created_time",
    ),
    Field(
        name="proc.duration", type=T.RELTIME, doc="How long the process has run.", unit="ns",
        read="since(e.time_ns, p.start_ns)", cost=3, sources=ANY, ecs="process.uptime",
    ),
    Field(
        name="proc.ppid.duration", type=T.RELTIME, doc="How long the parent has run.", unit="ns",
        read="since(e.time_ns, p.parent.now.start_ns)", cost=5, sources=ANY, ecs="process.parent.uptime",
    ),
    Field(
        name="proc.pidns_init_start_ts", type=T.UINT64, doc="When the process's pid namespace began, since the epoch.",
        unit="ns", read="p.pidns_start_ns", sources=ANY,
    ),
    # --- the executable file
    Field(
        name="proc.is_exe_writable", type=T.BOOL, doc="Whether the user of the process may write its executable.",
        read="p.exe_writable", sources=ANY,
    ),
    Field(
        name="proc.is_exe_upper_layer", type=T.BOOL,
        doc="Whether the executable lies in the upper layer of an overlay file system: it came after the image.",
        read="p.exe_upper_layer", sources=ANY,
    ),
    Field(
        name="proc.is_exe_lower_layer", type=T.BOOL,
        doc="Whether the executable lies in a lower layer: it came with the image.", read="p.exe_lower_layer", sources=ANY,
    ),
    Field(
        name="proc.is_exe_from_memfd", type=T.BOOL, doc="Whether the executable is memory without a file, see memfd_create(2).",
        read="p.exe_from_memfd", sources=ANY,
    ),
    Field(
        name="proc.exe_ino", type=T.INT64, doc="Inode number of the executable.", read="p.exe_ino", sources=ANY,
        ecs="file.inode", ocsf="actor.process.file.uid",
    ),
    Field(
        name="proc.exe_ino.ctime", type=T.ABSTIME, doc="When the executable's content or attributes last changed.", unit="ns",
        read="p.exe_ctime_ns", sources=ANY, ecs="file.ctime", ocsf="actor.process.file.modified_time",
    ),
    Field(
        name="proc.exe_ino.mtime", type=T.ABSTIME, doc="When the executable's content last changed.", unit="ns",
        read="p.exe_mtime_ns", sources=ANY, ecs="file.mtime", ocsf="actor.process.file.modified_time",
    ),
    Field(
        name="proc.exe_ino.ctime_duration_proc_start", type=T.ABSTIME,
        doc="From that change to the start of the process; missing when the change is later.", unit="ns",
        read="since(p.start_ns, p.exe_ctime_ns)", cost=3, sources=ANY,
    ),
    Field(
        name="proc.exe_ino.ctime_duration_pidns_start", type=T.ABSTIME,
        doc="From the start of the pid namespace to that change; missing when the change is earlier.", unit="ns",
        read="since(p.exe_ctime_ns, p.pidns_start_ns)", cost=3, sources=ANY,
    ),
    # --- size and descriptors
    Field(
        name="proc.fdopencount", type=T.UINT64, doc="Number of open descriptors.", read=of_process("proc.fdopencount"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="proc.fdlimit", type=T.INT64, doc="Most descriptors that it may open.", read=of_process("proc.fdlimit"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="proc.fdusage", type=T.DOUBLE, doc="Open descriptors of those it may open.", unit="percent",
        read=of_process("proc.fdusage"), cost=2, sources=SOCKETS,
    ),
    Field(
        name="proc.vmsize", type=T.UINT64, doc="Virtual memory.", unit="kB", read=of_process("proc.vmsize"), cost=2,
        sources=ANY,
    ),
    Field(
        name="proc.vmrss", type=T.UINT64, doc="Memory that is not swapped out.", unit="kB", read=of_process("proc.vmrss"),
        cost=2, sources=ANY,
    ),
    Field(
        name="proc.vmswap", type=T.UINT64, doc="Memory that is swapped out.", unit="kB", read=of_process("proc.vmswap"), cost=2,
        sources=ANY,
    ),
    Field(
        name="proc.nthreads", type=T.UINT64, doc="Number of live threads, the main one included.",
        read=of_process("proc.nthreads"), cost=2, sources=ANY, ecs="process.thread.count",
    ),
    Field(
        name="proc.nchilds", type=T.UINT64, doc="Number of live threads besides the main one.",
        read=process_or("proc.nchilds", "besides_main(p)"), cost=4, sources=ANY,
    ),
    Field(
        name="proc.stdin.type", type=T.STRING, doc="What standard input is, in words of `fd.type`.",
        read=of_process("proc.stdin.type"), cost=2, sources=SOCKETS,
    ),
    Field(
        name="proc.stdout.type", type=T.STRING, doc="What standard output is.", read=of_process("proc.stdout.type"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="proc.stderr.type", type=T.STRING, doc="What standard error is.", read=of_process("proc.stderr.type"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="proc.stdin.name", type=T.STRING, doc="Name of standard input, in words of `fd.name`.",
        read=of_process("proc.stdin.name"), cost=2, sources=SOCKETS,
    ),
    Field(
        name="proc.stdout.name", type=T.STRING, doc="Name of standard output.", read=of_process("proc.stdout.name"), cost=2,
        sources=SOCKETS,
    ),
    Field(
        name="proc.stderr.name", type=T.STRING, doc="Name of standard error.", read=of_process("proc.stderr.name"), cost=2,
        sources=SOCKETS,
    ),
    # --- where it lives, and whether it left
    Field(
        name="proc.root", type=T.STRING, doc="Root directory of the process as the host sees it.", read="p.root", sources=ANY,
        falco=False,
    ),
    Field(
        name="proc.cgroup", type=T.STRING, doc="Path of its control group in the unified hierarchy.", read="p.cgroup",
        sources=ANY, falco=False,
    ),
    Field(
        name="proc.ns.mnt", type=T.UINT64, doc="Mount namespace, by inode number; see namespaces(7).", read="p.namespaces.mnt",
        cost=2, sources=ANY, falco=False,
    ),
    Field(name="proc.ns.pid", type=T.UINT64, doc="Pid namespace.", read="p.namespaces.pid", cost=2, sources=ANY, falco=False),
    Field(
        name="proc.ns.net", type=T.UINT64, doc="Network namespace.", read="p.namespaces.net", cost=2, sources=ANY, falco=False,
    ),
    Field(name="proc.ns.ipc", type=T.UINT64, doc="IPC namespace.", read="p.namespaces.ipc", cost=2, sources=ANY, falco=False),
    Field(
        name="proc.ns.uts", type=T.UINT64, doc="Host name namespace.", read="p.namespaces.uts", cost=2, sources=ANY,
        falco=False,
    ),
    Field(
        name="proc.ns.user", type=T.UINT64, doc="User namespace.", read="p.namespaces.user", cost=2, sources=ANY, falco=False,
    ),
    Field(
        name="proc.ns.cgroup", type=T.UINT64, doc="Cgroup namespace.", read="p.namespaces.cgroup", cost=2, sources=ANY,
        falco=False,
    ),
    Field(
        name="proc.escape", type=T.STRING, is_list=True,
        doc="Ways in which the process left where it was put: ns.mnt, ns.pid, ns.net, ns.ipc, ns.uts, ns.user, "
            "ns.cgroup, root, cwd, cgroup. Empty while it has not.", read="p.escape", sources=ANY, falco=False,
    ),
    Field(
        name="proc.escaped", type=T.BOOL, doc="Whether `proc.escape` names any.",
        read=process_or("proc.escaped", "escaped(p.escape)"), cost=3, sources=ANY, falco=False,
    ),
)
# fmt: on
