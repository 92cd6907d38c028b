"""AuditEvent + state + demand -> Events: the meaning of records, one handler a family of system calls.

An AuditEvent gives one Event for its system call and one for each record that says something of its own (AVC, USER_LOGIN).
Only what the demand names becomes an Event and is parsed to the end; of everything else just who did it, where and what it
started is noted, so that events do not depend on what else the rules ask. What cannot be read is counted in the ledger, with
its place, and left out.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from ruleng.abi import syscalls
from ruleng.event import NO_FD, NO_PATHS, NO_PROCESS, Arg, Event, Fd, Paths, Process, Signal, evolve
from ruleng.fields.params import event_name
from ruleng.normalise.audit import records, sockets
from ruleng.normalise.audit.calls import RESULT, STATE, Call, call, is_open, remembered, x86_open_flags
from ruleng.normalise.audit.descriptors import Descriptors
from ruleng.normalise.audit.event import AuditEvent, Record
from ruleng.normalise.audit.execve import arguments
from ruleng.normalise.audit.identity import UNSET, Identities, Subject, signed_id
from ruleng.normalise.audit.paths import S_IFDIR, S_IFMT, PathCache, PathItem, absolute, in_order, pick
from ruleng.normalise.audit.sockaddr import SockAddr, parse_sockaddr
from ruleng.normalise.audit.text import ENRICHED, enriched, number, pairs, raw, untrusted
from ruleng.ports import Demand, Ledger
from ruleng.state import State

WHERE = "audit.parse"
_SYSCALL = re.compile(
    rb"arch=([0-9a-f]{1,8} syscall=[0-9]{1,10})(?: per=[0-9a-f]+)?(?: success=[a-z]+ exit=(-?[0-9]{1,20}))?"
    rb" a0=([0-9a-f]{1,16}) a1=([0-9a-f]{1,16}) a2=([0-9a-f]{1,16}) a3=([0-9a-f]{1,16})"
    rb" items=([0-9]{1,5}) ppid=[0-9]{1,10} pid=([0-9]{1,10}) "
).match
"""The kernel writes it so since 2.6: kernel/auditsc.c, audit_log_exit and audit_log_task_info."""

_AT_FDCWD = -100  # linux/fcntl.h
_CREATE, _TEMPORARY = 0o100, 0o20000000  # O_CREAT, __O_TMPFILE: asm-generic/fcntl.h
_CREAT_FLAGS = 0o1101  # O_CREAT | O_WRONLY | O_TRUNC: creat(2)
_CLONE_THREAD = 0x10000  # linux/sched.h
_EINPROGRESS = -115
_SI_USER, _SI_TKILL, _SI_QUEUE = 0, -6, -1  # asm-generic/siginfo.h
_FLAGS_AT = {"open": 1, "openat": 2, "open_by_handle_at": 2}
_FDS = {
    # what a call returns -> Falco's type and letter, libsinsp fdinfo.h
    "memfd_create": ("memfd", "m"), "memfd_secret": ("memfd", "m"), "eventfd": ("event", "e"), "eventfd2": ("event", "e"),
    "signalfd": ("signalfd", "s"), "signalfd4": ("signalfd", "s"), "timerfd_create": ("timerfd", "t"),
    "inotify_init": ("inotify", "i"), "inotify_init1": ("inotify", "i"), "epoll_create": ("eventpoll", "l"),
    "epoll_create1": ("eventpoll", "l"), "bpf": ("bpf", "b"), "userfaultfd": ("userfaultfd", "u"),
    "io_uring_setup": ("io_uring", "r"), "pidfd_open": ("pidfd", "P"),
}  # fmt: skip
_NEEDS_ARGS = ("evt.arg", "evt.rawarg", "evt.info", "evt.is_open_exec", "ioctl.")
"""Fields whose value is in Event.args, or their beginning; without them no number is parsed."""


class _Plan:
    """What is to be done for one system call of one architecture."""

    __slots__ = ("aarch64", "call", "handle", "is_exec", "state", "wanted")

    def __init__(self, call: Call, handle: Callable[[_Hit], Event | None], *, wanted: bool, state: bool, aarch64: bool) -> None:
        self.call = call
        self.handle = handle
        self.wanted = wanted
        self.state = state
        self.aarch64 = aarch64
        self.is_exec = call.name in ("execve", "execveat")


class _Hit(Subject):
    """One system call on its way through a handler."""

    __slots__ = ("a", "audit", "execve", "items", "others", "paths", "plan", "proc", "result", "sockaddr")

    a: tuple[bytes, bytes, bytes, bytes]
    audit: AuditEvent
    execve: list[bytes]
    items: bytes  # how many PATH records the kernel announced
    others: list[Record]
    paths: list[bytes]
    plan: _Plan
    proc: Process
    result: int | None
    sockaddr: bytes | None


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
        self._descriptors = Descriptors(ledger)
        self._paths = PathCache()
        self._addresses: dict[bytes, SockAddr] = {}
        self._numbers = numbers if numbers is not None else count(1)
        self._origin = origin
        self._plans: dict[bytes, _Plan] = {}
        self._socket_plans: dict[str, _Plan] = {}
        self._remembered: frozenset[str] = frozenset()
        self._types: frozenset[str] | None = None
        self._wants_args = True
        self.demand(demand)

    def demand(self, demand: Demand | None) -> None:
        """Other rules are in force; None asks for everything."""
        self._plans.clear()
        self._socket_plans.clear()
        self._types = None if demand is None else demand.event_types
        self._remembered = remembered(self._types)
        self._wants_args = demand is None or any(field.startswith(_NEEDS_ARGS) for field in demand.fields)

    def events(self, audit: AuditEvent) -> list[Event]:
        """Never raises for what is in the records."""
        found: list[Event] = []
        syscall = cwd = sockaddr = proctitle = None
        paths: list[bytes] = []
        execve: list[bytes] = []
        others: list[Record] = []
        for kind, body in audit.records:
            if kind == b"PATH":
                paths.append(body)
            elif kind == b"CWD":
                cwd = body
            elif kind == b"SYSCALL":
                syscall = body if syscall is None else syscall
            elif kind == b"PROCTITLE":
                proctitle = body
            elif kind == b"SOCKADDR":
                sockaddr = body if sockaddr is None else sockaddr
            elif kind == b"EXECVE":
                execve.append(body)
            else:
                others.append((kind, body))
        proc = NO_PROCESS
        if syscall is not None:
            hit = _Hit()
            hit.audit, hit.time_ns, hit.body, hit.proc = audit, audit.time_ns, syscall, NO_PROCESS
            hit.cwd, hit.proctitle = cwd, proctitle
            hit.paths, hit.execve, hit.sockaddr, hit.others = paths, execve, sockaddr, others
            try:
                event = self._syscall(hit)
            except ValueError as error:
                self._lost(audit, str(error))
            else:
                proc = hit.proc
                if event is not None:
                    found.append(event)
        elif paths or execve or cwd is not None or sockaddr is not None:
            self._ledger.lost("audit.assemble", "an event lacks its SYSCALL record", sample=audit.place)
        for kind, body in others if len(others) < 2 else dict.fromkeys(others):
            event_type = records.TYPES.get(kind)
            if event_type is not None and (self._types is None or event_type in self._types):
                found.append(self._record(audit, kind, event_type, body, proc))
        return found

    # --- system calls ---------------------------------------------------------------------------------------------------

    def _syscall(self, hit: _Hit) -> Event | None:
        """Raises ValueError for a record that cannot be read."""
        body = hit.body
        match = _SYSCALL(body)
        if match is None:
            key, result, a0, a1, a2, a3, hit.items, hit.pid = _irregular(body)
            start = max(0, body.find(b"ppid="))
        else:
            key, result, a0, a1, a2, a3, hit.items, hit.pid = match.groups()
            start = match.end(7) + 1
        end = body.find(b" key=", start)
        if end < 0:
            end = body.find(ENRICHED, start)
        hit.tail = body[start:] if end < 0 else body[start:end]
        hit.a = (a0, a1, a2, a3)
        hit.result = None if result is None else int(result)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(hit, key)
            if plan is None:
                return None
        hit.plan = plan
        if not plan.is_exec or hit.result != 0:
            hit.proc = self._identities.of(hit)
        if not plan.wanted and not plan.state:
            return None
        return plan.handle(hit)

    def _plan(self, hit: _Hit, key: bytes) -> _Plan | None:
        arch_text, _, number_text = key.partition(b" syscall=")
        arch, nr = int(arch_text, 16), int(number_text)
        name = syscalls.name(arch, nr)
        if name is None:
            word = enriched(hit.body).get("SYSCALL") if ENRICHED in hit.body else None
            if word is None or word.startswith("unknown"):
                self._lost(hit.audit, f"system call {nr} of architecture {arch:x} is not known")
                return None
            return self._named(event_name(word), arch)
        if len(self._plans) > 4096:
            self._plans.clear()
        plan = self._plans[key] = self._named(name, arch)
        return plan

    def _named(self, name: str, arch: int) -> _Plan:
        aarch64 = arch == syscalls.AARCH64
        if name == "socketcall":
            return _Plan(call(name), self._socketcall, wanted=True, state=True, aarch64=aarch64)
        wanted = self._types is None or name in self._types
        state = name in STATE or name in self._remembered
        return _Plan(call(name), self._handler(name), wanted=wanted, state=state, aarch64=aarch64)

    def _handler(self, name: str) -> Callable[[_Hit], Event | None]:
        handlers: Mapping[str, Callable[[_Hit], Event | None]] = {
            **dict.fromkeys(("execve", "execveat"), self._exec),
            **dict.fromkeys(("fork", "vfork", "clone", "clone3"), self._fork),
            "exit_group": self._exit,
            **dict.fromkeys(("chdir", "fchdir"), self._chdir),
            "capset": self._capset,
            "socket": self._socket,
            "connect": self._connect,
            "bind": self._bind,
            **dict.fromkeys(("accept", "accept4"), self._accept),
            **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), self._send),
            **dict.fromkeys(("dup", "dup2", "dup3"), self._dup),
            **dict.fromkeys(("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"), self._signal),
            **dict.fromkeys(_FDS, self._new_fd),
        }
        if is_open(name):
            return self._open
        return handlers.get(name, self._plain)

    def _event(
        self,
        hit: _Hit,
        args: dict[str, Arg],
        *,
        fd_num: int | None = None,
        fd: Fd = NO_FD,
        open_flags: int | None = None,
        created: bool | None = None,
        paths: Paths = NO_PATHS,
        signal: Signal | None = None,
    ) -> Event | None:
        plan = hit.plan
        if not plan.wanted:
            return None
        return Event(
            type=plan.call.name,
            time_ns=hit.audit.time_ns,
            proc=hit.proc,
            num=next(self._numbers),
            result=hit.result,
            fd_num=fd_num,
            fd=fd,
            open_flags=open_flags,
            created=created,
            args=args,
            paths=paths,
            signal=signal,
            host=hit.audit.node,
            origin=self._origin,
        )

    def _args(self, hit: _Hit) -> dict[str, Arg]:
        found: dict[str, Arg] = {}
        if self._wants_args and hit.plan.wanted:
            a = hit.a
            for name, position, signed, mask in hit.plan.call.numbers:
                value = int(a[position], 16) & mask
                found[name] = _signed(value) if signed else value
        return found

    def _plain(self, hit: _Hit) -> Event | None:
        """Calls of which nothing needs to be remembered: their numbers, the descriptor and the paths that they work on."""
        args = self._args(hit)
        target = hit.plan.call.fd
        fd_num, fd = None, NO_FD
        if target == RESULT:
            fd_num = _number(hit.result)
        elif target is not None:
            fd_num = _signed(int(hit.a[target], 16))
            fd = self._descriptors.get(hit.proc, fd_num)
        return self._event(hit, args, fd_num=fd_num, fd=fd, paths=self._named_paths(hit, args))

    # --- files ----------------------------------------------------------------------------------------------------------

    def _open(self, hit: _Hit) -> Event | None:
        name, result = hit.plan.call.name, hit.result
        flags, mode = self._open_flags(hit, name)
        items = self._items(hit)
        item = items[0] if items else None
        fd_num = -1 if result is None or result < 0 else result
        fd, paths = NO_FD, NO_PATHS
        if item is not None and item.name is not None:
            if item.path is None:
                path = self._absolute(hit, item, _directory_at(hit.plan.call))
                fd, paths = _file(item, path, failed=fd_num < 0), Paths(name=path, nameraw=item.name)
            else:
                if item.paths is NO_PATHS:
                    item.paths = Paths(name=item.path, nameraw=item.name)
                fd, paths = item.fd if fd_num >= 0 else item.failed, item.paths
                if fd is NO_FD:
                    fd = _file(item, item.path, failed=fd_num < 0)
                    if fd_num < 0:
                        item.failed = fd
                    else:
                        item.fd = fd
            if fd_num >= 0 and hit.proc.pid is not None:
                self._descriptors.put(hit.proc.pid, fd_num, fd)
        args = self._args(hit)
        if self._wants_args:
            args["mode"] = mode if mode is not None and flags is not None and flags & (_CREATE | _TEMPORARY) else 0
            if item is not None and item.ino is not None:
                args["dev"], args["ino"] = item.dev or 0, item.ino
        created = None if item is None else item.nametype == b"CREATE"
        return self._event(hit, args, fd_num=fd_num, fd=fd, open_flags=flags, created=created, paths=paths)

    def _open_flags(self, hit: _Hit, name: str) -> tuple[int | None, int | None]:
        if name == "openat2":
            how = _first(hit.others, b"OPENAT2")
            if how is None:
                return None, None
            flags, mode = number(how, b"oflag", 8), number(how, b"mode", 8)
        elif name == "creat":
            return _CREAT_FLAGS, int(hit.a[1], 16) & 0xFFFFFFFF
        else:
            at = _FLAGS_AT[name]
            flags = int(hit.a[at], 16) & 0xFFFFFFFF
            mode = int(hit.a[at + 1], 16) & 0xFFFFFFFF if name != "open_by_handle_at" else None
        return (x86_open_flags(flags, aarch64=hit.plan.aarch64) if flags is not None else None), mode

    def _items(self, hit: _Hit) -> list[PathItem]:
        """The PATH records that name files, as the call named them. Those that cannot be read are counted and left out."""
        bodies = hit.paths
        if len(bodies) == 1:
            try:
                item = self._paths.item(bodies[0])
            except ValueError as error:
                self._lost(hit.audit, f"PATH: {error}")
                return []
            return [] if item.nametype == b"PARENT" else [item]
        found: list[PathItem] = []
        for body in bodies:
            try:
                found.append(self._paths.item(body))
            except ValueError as error:
                self._lost(hit.audit, f"PATH: {error}")
        if len(bodies) < int(hit.items):
            self._ledger.lost("audit.assemble", "an event lacks PATH records", sample=hit.audit.place)
        return in_order(found)

    def _absolute(self, hit: _Hit, item: PathItem, directory_at: int | None) -> str | None:
        """None when the directory that the name is relative to is not known."""
        if item.path is not None or item.name is None:
            return item.path
        base = hit.proc.cwd
        if directory_at is not None:
            descriptor = _signed(int(hit.a[directory_at], 16))
            if descriptor != _AT_FDCWD:
                base = self._descriptors.get(hit.proc, descriptor).name
        return absolute(item.name, base) if base is not None and base.startswith("/") else None

    def _named_paths(self, hit: _Hit, args: dict[str, Arg]) -> Paths:
        named = hit.plan.call.paths
        if not named or not hit.paths:
            return NO_PATHS
        items = self._items(hit)
        if len(named) == 1:
            slot, directory_at = named[0]
            item = items[0] if items else None
            return NO_PATHS if item is None else Paths(name=self._absolute(hit, item, directory_at), nameraw=item.name)
        chosen = dict(zip(("source", "target"), pick(hit.plan.call.name, items), strict=True))
        found: dict[str, str | None] = {}
        for slot, directory_at in named:
            item = chosen.get(slot)
            if item is not None:
                found[slot] = self._absolute(hit, item, directory_at)
                found[f"{slot}raw"] = item.name
        if hit.plan.call.name.startswith("symlink") and (text := found.get("targetraw")) is not None:
            args["target"] = text
            if not text.startswith("/"):  # it counts from where the link lies
                link = found.get("source")
                found["target"] = absolute(text, link.rpartition("/")[0]) if link is not None else None
        return Paths(**found)

    # --- processes ------------------------------------------------------------------------------------------------------

    def _exec(self, hit: _Hit) -> Event | None:
        argv: tuple[str, ...] | None = None
        if hit.execve:
            argv, complaint = arguments(hit.execve)
            if complaint is not None:
                self._lost(hit.audit, complaint)
        if hit.result == 0:
            more: dict[str, Any] = {}
            caps = _first(hit.others, b"BPRM_FCAPS")
            if caps is not None:
                more = _capabilities(caps, b"pi", b"pp", b"pe")
            hit.proc = self._identities.started(hit, argv, more)
        if not hit.plan.wanted:
            return None
        args = self._args(hit)
        if self._wants_args:
            args |= _process_args(hit.proc)
            if argv is not None and hit.result != 0:
                args["exe"], args["args"] = argv[0] if argv else "", argv[1:]
        items = self._items(hit)
        paths = NO_PATHS
        if items and items[0].name is not None:
            paths = Paths(name=self._absolute(hit, items[0], _directory_at(hit.plan.call)), nameraw=items[0].name)
        return self._event(hit, args, paths=paths)

    def _fork(self, hit: _Hit) -> Event | None:
        child, parent = hit.result, hit.proc.pid
        is_thread = hit.plan.call.name == "clone" and int(hit.a[0], 16) & _CLONE_THREAD
        if child is not None and child > 0 and parent is not None and not is_thread:
            self._identities.forked(parent, child, hit.audit.time_ns)
        args = self._args(hit)
        if self._wants_args:
            args |= _process_args(hit.proc)
            if hit.proc.gid is not None:
                args["gid"] = hit.proc.gid
        return self._event(hit, args)

    def _exit(self, hit: _Hit) -> Event | None:
        self._identities.exited(hit, hit.proc)
        if hit.proc.pid is not None:
            self._descriptors.drop(hit.proc.pid)
        return self._event(hit, self._args(hit))

    def _chdir(self, hit: _Hit) -> Event | None:
        args = self._args(hit)
        fd_num, fd, paths = None, NO_FD, NO_PATHS
        if hit.plan.call.name == "fchdir":
            fd_num = _signed(int(hit.a[0], 16))
            fd = self._descriptors.get(hit.proc, fd_num)
            path = fd.name if fd.name is not None and fd.name.startswith("/") else None
        else:
            paths = self._named_paths(hit, args)
            path = paths.name
            if (text := path or paths.nameraw) is not None:
                args["path"] = text
        if hit.result == 0 and path is not None:
            hit.proc = self._identities.changed(hit, hit.proc, cwd=path)
        return self._event(hit, args, fd_num=fd_num, fd=fd, paths=paths)

    def _capset(self, hit: _Hit) -> Event | None:
        args = self._args(hit)
        body = _first(hit.others, b"CAPSET")
        if body is not None:
            caps = _capabilities(body, b"cap_pi", b"cap_pp", b"cap_pe")
            args |= caps
            if hit.result == 0 and caps:
                hit.proc = self._identities.changed(hit, hit.proc, **caps)
        return self._event(hit, args)

    def _signal(self, hit: _Hit) -> Event | None:
        name = hit.plan.call.name
        body = _first(hit.others, b"OBJ_PID")
        target = NO_PROCESS if body is None else self._target(hit, body)
        at = 2 if name in ("tgkill", "rt_tgsigqueueinfo") else 1
        code = _SI_USER if name == "kill" else _SI_TKILL if name in ("tkill", "tgkill") else _SI_QUEUE
        signal = Signal(
            number=int(hit.a[at], 16) & 0xFFFFFFFF,
            code=None if name == "pidfd_send_signal" else code,
            sender=hit.proc,
            target=target,
        )
        fd_num = _signed(int(hit.a[0], 16)) if name == "pidfd_send_signal" else None
        return self._event(hit, self._args(hit), signal=signal, fd_num=fd_num)

    def _target(self, hit: _Hit, body: bytes) -> Process:
        pid = number(body, b"opid")
        if pid is None or pid <= 0:
            return NO_PROCESS
        comm, uid, auid = raw(body, b"ocomm"), number(body, b"ouid"), raw(body, b"oauid")
        if ENRICHED in body and uid is not None:
            self._identities.learn({"UID": enriched(body).get("OUID", "unset")}, {"UID": uid})
        return self._identities.other(
            pid,
            hit.audit.time_ns,
            name=None if comm is None else untrusted(comm),
            uid=uid,
            loginuid=None if auid is None else signed_id(auid.decode()),
        )

    # --- descriptors and sockets ----------------------------------------------------------------------------------------

    def _made(self, hit: _Hit, fd: Fd, args: dict[str, Arg]) -> Event | None:
        """A call that returned a descriptor, or failed to."""
        result = hit.result
        if result is not None and result >= 0 and hit.proc.pid is not None:
            self._descriptors.put(hit.proc.pid, result, fd)
        return self._event(hit, args, fd_num=_number(result), fd=fd)

    def _new_fd(self, hit: _Hit) -> Event | None:
        kind, typechar = _FDS[hit.plan.call.name]
        return self._made(hit, Fd(type=kind, typechar=typechar, name=""), self._args(hit))

    def _socket(self, hit: _Hit) -> Event | None:
        domain, kind, protocol = (int(value, 16) & 0xFFFFFFFF for value in hit.a[:3])
        args = self._args(hit)
        if self._wants_args:
            args["flags"] = kind & sockets.SOCKET_FLAGS
        return self._made(hit, sockets.new_socket(domain, kind, protocol), args)

    def _known(self, hit: _Hit) -> tuple[int, Fd]:
        fd_num = _signed(int(hit.a[0], 16))
        return fd_num, self._descriptors.get(hit.proc, fd_num)

    def _keep(self, hit: _Hit, fd_num: int, fd: Fd) -> None:
        if hit.proc.pid is not None:
            self._descriptors.put(hit.proc.pid, fd_num, evolve(fd, name_changed=False))

    def _connect(self, hit: _Hit) -> Event | None:
        fd_num, fd = self._known(hit)
        address = self._address(hit)
        args = self._args(hit)
        if address is not None:
            succeeded = hit.result is not None and (hit.result >= 0 or hit.result == _EINPROGRESS)
            fd = sockets.connected(fd, address, succeeded=succeeded)
            if succeeded:
                self._keep(hit, fd_num, fd)
            if self._wants_args and fd.name:
                args["tuple"] = args["addr"] = fd.name
        return self._event(hit, args, fd_num=fd_num, fd=fd)

    def _bind(self, hit: _Hit) -> Event | None:
        fd_num, fd = self._known(hit)
        address = self._address(hit)
        args = self._args(hit)
        if address is not None:
            fd = sockets.bound(fd, address)
            if hit.result == 0:
                self._keep(hit, fd_num, fd)
            if self._wants_args and fd.name:
                args["addr"] = fd.name
        return self._event(hit, args, fd_num=fd_num, fd=fd)

    def _accept(self, hit: _Hit) -> Event | None:
        _, listening = self._known(hit)
        fd = sockets.accepted(listening, self._address(hit))
        args = self._args(hit)
        if self._wants_args and fd.name:
            args["tuple"] = fd.name
        return self._made(hit, fd, args)

    def _send(self, hit: _Hit) -> Event | None:
        fd_num, fd = self._known(hit)
        address = self._address(hit)
        args = self._args(hit)
        if address is not None:
            before = fd.name
            fd = sockets.connected(fd, address, succeeded=hit.result is None or hit.result >= 0)
            if fd.name != before:
                self._keep(hit, fd_num, fd)
            if self._wants_args and fd.name:
                args["tuple"] = fd.name
        return self._event(hit, args, fd_num=fd_num, fd=fd)

    def _dup(self, hit: _Hit) -> Event | None:
        _, fd = self._known(hit)
        return self._made(hit, fd, self._args(hit))

    def _address(self, hit: _Hit) -> SockAddr | None:
        body = hit.sockaddr
        if body is None:
            return None
        known = self._addresses.get(body)
        if known is None:
            try:
                known = parse_sockaddr(unhexlify(raw(body, b"saddr") or b""))
            except ValueError as error:
                self._lost(hit.audit, f"SOCKADDR: {error}")
                return None
            if len(self._addresses) >= 4096:
                self._addresses.clear()
            self._addresses[body] = known
        return known

    def _socketcall(self, hit: _Hit) -> Event | None:
        """i386's one call for all of sockets: SOCKETCALL has the arguments of the real one."""
        body = _first(hit.others, b"SOCKETCALL")
        name = syscalls.SOCKETCALL.get(int(hit.a[0], 16))
        if body is None or name is None:
            self._lost(hit.audit, "a socketcall does not say which")
            return None
        values = [raw(body, b"a%d" % index) or b"0" for index in range(4)]
        hit.a = (values[0], values[1], values[2], values[3])
        plan = self._socket_plans.get(name)
        if plan is None:
            plan = self._socket_plans[name] = self._named(name, syscalls.I386)
        hit.plan = plan
        return plan.handle(hit) if plan.wanted or plan.state else None

    # --- records of their own -------------------------------------------------------------------------------------------

    def _record(self, audit: AuditEvent, kind: bytes, event_type: str, body: bytes, proc: Process) -> Event:
        keys = pairs(body)
        try:
            says = records.who(keys)
            if ENRICHED in body:
                ids = {key.upper(): int(keys[key]) for key in ("uid", "auid", "gid", "id") if keys.get(key, "").isdigit()}
                names = enriched(body)
                self._identities.learn({key if key != "ID" else "UID": name for key, name in names.items()}, ids)
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
            num=next(self._numbers),
            args=records.arguments(kind, keys),
            host=audit.node,
            origin=self._origin,
        )

    def _lost(self, audit: AuditEvent, reason: str) -> None:
        self._ledger.lost(WHERE, reason, sample=audit.place)


def _irregular(body: bytes) -> tuple[bytes, bytes | None, bytes, bytes, bytes, bytes, bytes, bytes]:
    """What `_SYSCALL` finds, of a record that is not as the kernel writes it. Raises ValueError."""
    values = {key: raw(body, key) for key in (b"arch", b"syscall", b"exit", b"a0", b"a1", b"a2", b"a3", b"pid")}
    arch, nr, pid = values[b"arch"], values[b"syscall"], values[b"pid"]
    if arch is None or nr is None or pid is None:
        raise ValueError("a SYSCALL record lacks arch=, syscall= or pid=")
    key = b"%x syscall=%d" % (int(arch, 16), int(nr))
    numbers = [values[b"a%d" % index] or b"0" for index in range(4)]
    for value in numbers:
        int(value, 16)
    result = values[b"exit"]
    result = None if result in (None, b"?") else result
    return key, result, numbers[0], numbers[1], numbers[2], numbers[3], raw(body, b"items") or b"0", pid


def _signed(value: int) -> int:
    """An argument as the C type int or long: audit writes the register, which may hold only the lower half."""
    if value >> 63:
        return value - (1 << 64)
    return value - (1 << 32) if 0x80000000 <= value <= 0xFFFFFFFF else value


def _number(result: int | None) -> int:
    """Of a descriptor that a call returned; -1 for none, as in Falco."""
    return result if result is not None and result >= 0 else -1


def _directory_at(called: Call) -> int | None:
    return called.paths[0][1] if called.paths else None


def _first(others: list[Record], kind: bytes) -> bytes | None:
    return next((body for record, body in others if record == kind), None)


def _file(item: PathItem, path: str | None, *, failed: bool) -> Fd:
    """What an open of this file returns, or shows when it failed. Like Falco's, everything but a directory is a file."""
    is_directory = item.mode is not None and item.mode & S_IFMT == S_IFDIR
    text = path if path is not None else item.name
    before, _, filename = (text or "").rpartition("/")
    return Fd(
        type=None if failed else "directory" if is_directory else "file",
        typechar="o" if failed else "d" if is_directory else "f",
        name=path,
        nameraw=item.name,
        directory=(before or "/") if path is not None else None,
        filename=filename,
        dev=item.dev,
        ino=item.ino,
    )


def _process_args(proc: Process) -> dict[str, Arg]:
    """What Falco's execve and clone events repeat of their process."""
    values = {
        "exe": proc.exe,
        "args": proc.args,
        "tid": proc.pid,
        "pid": proc.pid,
        "ptid": proc.ppid,
        "cwd": proc.cwd,
        "comm": proc.name,
        "tty": proc.tty,
        "loginuid": None if proc.loginuid is None else proc.loginuid & UNSET,
        "uid": proc.uid,
    }
    return {name: value for name, value in values.items() if value is not None}


def _capabilities(body: bytes, inheritable: bytes, permitted: bytes, effective: bytes) -> dict[str, Any]:
    values = {
        "cap_inheritable": number(body, inheritable, 16),
        "cap_permitted": number(body, permitted, 16),
        "cap_effective": number(body, effective, 16),
    }
    return {name: value for name, value in values.items() if value is not None}
