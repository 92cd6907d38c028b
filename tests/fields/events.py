"""Events of all kinds, for laws. Consistent as sources make them: the command line is that of the arguments, and so on."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ruleng.event import (
    NO_FD,
    NO_TASK,
    Arg,
    Container,
    Event,
    Fd,
    Group,
    Mount,
    Namespaces,
    Paths,
    Process,
    Signal,
    Task,
    User,
)
from ruleng.fields import params, signal

TEXTS = st.text(st.one_of(st.sampled_from("ab/. =:-\udcff"), st.characters(codec="utf-8")), max_size=6)
"""Bytes that are no UTF-8 among them, as surrogates."""
WORDS = st.text("abc/.-\udc80", min_size=1, max_size=6)
BITS32 = st.integers(0, 2**32 - 1)
BITS64 = st.integers(0, 2**64 - 1)
IDS = st.integers(-1, 2**31)
TIMES = st.integers(0, 2**62)
ADDRESSES = st.one_of(st.integers(0, 2**32 - 1), st.integers(2**128, 2**129 - 1))


def some(**slots: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the slots, each with a value of its strategy."""
    return st.fixed_dictionaries({}, optional=slots)


@st.composite
def processes(draw: st.DrawFn, depth: int = 3) -> Process:
    slots = draw(
        some(
            **dict.fromkeys(("pid", "ppid", "sid", "pgid", "vpid", "vpgid", "loginuid"), IDS),
            **dict.fromkeys(("start_ns", "exec_ns", "exe_ctime_ns", "exe_mtime_ns", "pidns_start_ns"), TIMES),
            **dict.fromkeys(("exe", "exepath", "cwd", "root", "cgroup"), TEXTS),
            **dict.fromkeys(("uid", "gid", "euid", "egid", "tty"), BITS32),
            **dict.fromkeys(("cap_permitted", "cap_effective", "cap_inheritable"), st.integers(0, 2**41 - 1)),
            **dict.fromkeys(("exe_writable", "exe_upper_layer", "exe_lower_layer", "exe_from_memfd"), st.booleans()),
            exe_ino=st.integers(0, 2**63 - 1),
            env=st.lists(TEXTS, max_size=3).map(tuple),
            escape=st.lists(st.sampled_from(["ns.mnt", "root"]), max_size=2).map(tuple),
            user=st.builds(User, name=TEXTS, home=TEXTS),
            group_of=st.builds(Group, name=TEXTS),
            login=st.builds(User, name=TEXTS),
            namespaces=st.builds(Namespaces, mnt=BITS32, user=BITS32),
            container=containers(),
            session=leaders(),
            group=leaders(),
            extra=some(**{"proc.vmsize": BITS64, "proc.fdusage": st.floats(0, 100), "thread.cgroups": st.just("cpu=/a memory=/b")}),
        )
    )
    if draw(st.booleans()):
        name, args = draw(WORDS), draw(st.lists(TEXTS, max_size=3).map(tuple))
        text = " ".join(args)
        slots |= {"name": name, "args": args, "args_text": text, "cmdline": f"{name} {text}" if text else name}
    if depth and draw(st.booleans()):
        slots["parent"] = Task(draw(processes(depth - 1)))
    return Process(**slots)


def leaders() -> st.SearchStrategy[Task]:
    return st.builds(Task, st.builds(Process, name=TEXTS, exe=TEXTS, exepath=TEXTS)) | st.just(NO_TASK)


def containers() -> st.SearchStrategy[Container]:
    mount = st.builds(Mount, source=TEXTS, dest=TEXTS, mode=TEXTS, rdwr=st.booleans(), propagation=TEXTS)
    slots = some(
        **dict.fromkeys(("id", "full_id", "name", "image", "image_repository", "ip", "pod_name", "pod_sandbox_id"), TEXTS),
        privileged=st.booleans(),
        start_ns=TIMES,
        mounts=st.lists(mount, max_size=2).map(tuple),
        labels=st.dictionaries(TEXTS, TEXTS, max_size=2),
        pod_labels=st.dictionaries(TEXTS, TEXTS, max_size=2),
    )
    return slots.map(lambda given: Container(**given))


@st.composite
def fds(draw: st.DrawFn) -> Fd:
    char, type, family = draw(
        st.sampled_from(
            [
                *(("f", "file", None), ("d", "directory", None), ("4", "ipv4", "ip"), ("6", "ipv6", "ip"), ("u", "unix", "unix")),
                *(("p", "pipe", None), (None, None, None)),
            ]
        )
    )
    slots = draw(
        some(
            **dict.fromkeys(("cip", "sip", "lip", "rip"), ADDRESSES),
            **dict.fromkeys(("cport", "sport", "lport", "rport"), st.integers(0, 65535)),
            **dict.fromkeys(("is_server", "connected", "name_changed", "upper_layer"), st.booleans()),
            l4proto=st.sampled_from(["tcp", "udp"]),
            dev=st.integers(0, 2**31 - 1),
            ino=st.integers(0, 2**63 - 1),
            nameraw=TEXTS,
        )
    )
    if char in ("f", "d"):
        name = f"/{draw(TEXTS)}"
        directory, _, filename = name.rpartition("/")
        slots |= {"name": name, "directory": directory or "/", "filename": filename}
    elif char is not None:
        slots["name"] = draw(TEXTS.filter(lambda text: not text.startswith("/")))
    return Fd(type=type, typechar=char, family=family, **slots)


def arguments(event_type: str) -> st.SearchStrategy[dict[str, Arg]]:
    """Values of the parameters that lie in Event.args."""
    values: dict[str, st.SearchStrategy[Any]] = {}
    for param in params.event_type(event_type).params:
        match param.kind.role:
            case "number" | "otherfd":
                values[param.name] = BITS32
            case "text" | "path":
                values[param.name] = TEXTS
            case "bytes":
                values[param.name] = st.binary(max_size=8)
            case "texts":
                values[param.name] = st.lists(TEXTS, max_size=3).map(tuple)
            case _:
                pass
    return some(**values)


@st.composite
def events(draw: st.DrawFn) -> Event:
    type = draw(
        st.sampled_from([*("open", "execve", "connect", "rename", "kill", "ioctl", "ruleng.lost"), *sorted(params.EVENT_TYPES)])
    )
    args = draw(arguments(type))
    slots = draw(
        some(
            num=BITS64,
            tid=IDS,
            cpu=st.integers(0, 1000),
            result=st.integers(-133, 2**40),
            fd_num=IDS,
            host=TEXTS,
            origin=st.sampled_from(["audit", "replay"]),
            proc=processes(),
            fd=fds() | st.just(NO_FD),
            paths=st.builds(Paths, name=TEXTS, nameraw=TEXTS, source=TEXTS, target=TEXTS),
            extra=some(**{"evt.reltime": TIMES, "fd.sip.name": TEXTS, "vm.name": TEXTS}),
        )
    )
    if type in params.OPENS and isinstance(flags := args.get("flags"), int):
        slots |= {"open_flags": flags, "created": draw(st.booleans() | st.none())}
    if type == "setuid" and "uid" in args:
        slots["extra"] = {"evt.arg.uid": draw(TEXTS)}
    if type in signal.TYPES:
        ends = some(pid=IDS, name=TEXTS, uid=BITS32, container=st.builds(Container, id=TEXTS)).map(lambda given: Process(**given))
        slots["signal"] = draw(st.builds(Signal, number=st.integers(1, 64), code=st.integers(-100, 100), sender=ends, target=ends))
    return Event(type=type, time_ns=draw(TIMES), args=args, **slots)
