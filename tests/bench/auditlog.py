"""A log as auditd writes it on a busy host, always the same for the same arguments.

    python -m tests.bench.auditlog 1000000 > audit.log

Programs start (fork, execve, loader and libraries), open files, look up names and connect, rename and delete, and end; users
log in. Records and their order are those of Linux 6 with rules for the calls that the shipped rules need: SYSCALL, EXECVE,
CWD, PATH, SOCKADDR, PROCTITLE; no EOE, as in log files.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_LIBRARIES = (
    "/etc/ld.so.cache",
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/x86_64-linux-gnu/libm.so.6",
    "/lib/x86_64-linux-gnu/libpthread.so.0",
    "/lib/x86_64-linux-gnu/libselinux.so.1",
    "/usr/lib/locale/locale-archive",
)
# (program, what starts it, its arguments)
_PROGRAMS = (
    ("/usr/bin/bash", ("bash", "-c", "run-parts /etc/cron.hourly")),
    ("/usr/bin/grep", ("grep", "-rn", "TODO", "src")),
    ("/usr/bin/sed", ("sed", "-e", "s/a b/c/", "config.in")),
    ("/usr/bin/git", ("git", "rev-parse", "--short", "HEAD")),
    ("/usr/bin/python3.11", ("python3", "/srv/app/worker.py", "--queue", "mail out")),
    ("/usr/bin/gcc", ("gcc", "-O2", "-c", "main.c", "-o", "main.o")),
    ("/usr/bin/ls", ("ls", "-la", "/var/log")),
    ("/usr/bin/curl", ("curl", "-sf", "https://repo.example.org/health")),
    ("/usr/sbin/logrotate", ("/usr/sbin/logrotate", "/etc/logrotate.conf")),
    ("/usr/bin/cat", ("cat", "/proc/loadavg")),
)
_FILES = (
    *(f"/srv/app/data/{part}/item-{number}.json" for part in ("in", "out", "done") for number in range(120)),
    "/etc/passwd", "/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf", "/proc/self/stat", "/dev/null", "/etc/localtime",
    "/usr/share/zoneinfo/Etc/UTC", "/var/log/app/app.log", "/run/systemd/resolve/stub-resolv.conf",
)  # fmt: skip
_ADDRESSES = ("0200003500000000", "020001BB5DB8D822", "02001F900A000005", "0A0001BB0000000020010DB8000000000000000000000001")
_USERS = {0: "root", 33: "www-data", 1000: "deploy", 1001: "ana"}
_UNSET = 4294967295


@dataclass(slots=True)
class _Proc:
    pid: int
    ppid: int
    uid: int
    auid: int
    exe: str
    argv: tuple[str, ...]
    cwd: str
    tty: str
    fds: int = 3
    todo: list[Callable[[_Host, _Proc], Iterator[str]]] = field(default_factory=list)


class _Host:
    def __init__(self, seed: int, *, enriched: bool) -> None:
        self.random = random.Random(seed)
        self.enriched = enriched
        self.time_ms = 1_700_000_000_000
        self.serial = 1000
        self.next_pid = 2000
        self.alive: list[_Proc] = []
        for uid, exe in (
            (0, "/usr/sbin/cron"),
            (33, "/usr/sbin/nginx"),
            (1000, "/usr/bin/bash"),
            (1001, "/usr/bin/bash"),
            (0, "/usr/sbin/sshd"),
        ):
            auid = uid if uid >= 1000 else _UNSET
            tty = f"pts{uid - 1000}" if uid >= 1000 else "(none)"
            self.alive.append(_Proc(self.pid(), 1, uid, auid, exe, (exe.rpartition("/")[2],), "/srv/app", tty))

    def pid(self) -> int:
        self.next_pid += self.random.randint(1, 3)
        return self.next_pid

    def stamp(self) -> str:
        self.time_ms += self.random.choice((0, 0, 0, 1, 1, 4, 20))
        self.serial += 1
        return f"audit({self.time_ms // 1000}.{self.time_ms % 1000:03}:{self.serial})"


def _value(text: str) -> str:
    if any(character <= " " or character in '"' or character > "~" for character in text):
        return text.encode().hex().upper()
    return f'"{text}"'


def _event(
    host: _Host, proc: _Proc, name: str, number: int, result: int | None, args: tuple[int, int, int, int], records: list[str]
) -> Iterator[str]:
    stamp = host.stamp()
    items = sum(1 for record in records if record.startswith("PATH"))
    outcome = "" if result is None else f" success={'yes' if result >= 0 else 'no'} exit={result}"
    uid, comm = proc.uid, proc.exe.rpartition("/")[2][:15]
    ids = " ".join(f"{key}={uid}" for key in ("uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"))
    ses = 3 if proc.auid != _UNSET else _UNSET
    added = ""
    if host.enriched:
        user = _USERS[uid]
        names = " ".join(f'{key}="{user}"' for key in ("UID", "GID", "EUID", "SUID", "FSUID", "EGID", "SGID", "FSGID"))
        added = f'\x1dARCH=x86_64 SYSCALL={name} AUID="{_USERS.get(proc.auid, "unset")}" {names}'
    yield (
        f"type=SYSCALL msg={stamp}: arch=c000003e syscall={number}{outcome} a0={args[0]:x} a1={args[1]:x}"
        f" a2={args[2]:x} a3={args[3]:x} items={items} ppid={proc.ppid} pid={proc.pid}"
        f" auid={proc.auid} {ids} tty={proc.tty} ses={ses}"
        f' comm={_value(comm)} exe={_value(proc.exe)} subj=unconfined key="ruleng"{added}\n'
    )
    for record in records:
        kind, _, body = record.partition(" ")
        yield f"type={kind} msg={stamp}: {body}\n"
    title = "\0".join(proc.argv)[:128]
    yield f"type=PROCTITLE msg={stamp}: proctitle={title.encode().hex().upper() if len(proc.argv) > 1 else _value(title)}\n"


def _path(host: _Host, item: int, name: str, nametype: str = "NORMAL", mode: str = "0100644") -> str:
    inode = 100_000 + sum(name.encode()) * 7
    added = '\x1dOUID="root" OGID="root"' if host.enriched else ""
    return (
        f"PATH item={item} name={_value(name)} inode={inode} dev=fe:00 mode={mode} ouid=0 ogid=0 rdev=00:00 nametype={nametype}"
        f" cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0{added}"
    )


def _open(path: str, flags: int = 0o2000000) -> Callable[[_Host, _Proc], Iterator[str]]:
    def emit(host: _Host, proc: _Proc) -> Iterator[str]:
        result = -2 if host.random.random() < 0.08 else proc.fds
        pointer = 0x7F0000000000 + host.random.getrandbits(32)
        records = [f"CWD cwd={_value(proc.cwd)}", _path(host, 0, path)]
        if result < 0:
            records[1] = f"PATH item=0 name={_value(path)} nametype=UNKNOWN cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
        return _event(host, proc, "openat", 257, result, (0xFFFFFF9C, pointer, flags, 0), records)

    return emit


def _look_around(host: _Host, proc: _Proc) -> Iterator[str]:
    """A name that was not seen before."""
    yield from _open(f"/proc/{host.random.randrange(2, host.next_pid)}/stat")(host, proc)


def _create(host: _Host, proc: _Proc) -> Iterator[str]:
    name = f"item-{host.random.randrange(10_000)}.tmp"
    records = [
        f"CWD cwd={_value(proc.cwd)}",
        _path(host, 0, proc.cwd, "PARENT", "040755"),
        _path(host, 1, name, "CREATE"),
    ]
    yield from _event(host, proc, "openat", 257, 4, (0xFFFFFF9C, 0x55D0C0DE, 0o1101, 0o644), records)


def _rename(host: _Host, proc: _Proc) -> Iterator[str]:
    name = f"item-{host.random.randrange(10_000)}"
    records = [
        f"CWD cwd={_value(proc.cwd)}",
        _path(host, 0, proc.cwd, "PARENT", "040755"),
        _path(host, 1, proc.cwd, "PARENT", "040755"),
        _path(host, 2, f"{name}.tmp", "DELETE"),
        _path(host, 3, f"{name}.json", "CREATE"),
    ]
    yield from _event(host, proc, "rename", 82, 0, (0x7FFD0000, 0x7FFD1000, 0, 0), records)


def _unlink(host: _Host, proc: _Proc) -> Iterator[str]:
    name = f"item-{host.random.randrange(10_000)}.json"
    records = [f"CWD cwd={_value(proc.cwd)}", _path(host, 0, proc.cwd, "PARENT", "040755"), _path(host, 1, name, "DELETE")]
    yield from _event(host, proc, "unlink", 87, 0, (0x7FFD0000, 0, 0, 0), records)


def _connect(host: _Host, proc: _Proc) -> Iterator[str]:
    address = host.random.choice(_ADDRESSES)
    family = 10 if address.startswith("0A") else 2
    yield from _event(host, proc, "socket", 41, 5, (family, 0x80801, 0, 0), [])
    records = [f"SOCKADDR saddr={address.ljust(32, '0')}"]
    yield from _event(host, proc, "connect", 42, -115, (5, 0x7FFD2000, 16, 0), records)


def _start(host: _Host, parent: _Proc) -> Iterator[str]:
    exe, argv = host.random.choice(_PROGRAMS)
    child = _Proc(host.pid(), parent.pid, parent.uid, parent.auid, exe, argv, parent.cwd, parent.tty)
    yield from _event(host, parent, "clone", 56, child.pid, (0x1200011, 0, 0, 0x7F00DEAD), [])
    args = " ".join(f"a{index}={_value(arg)}" for index, arg in enumerate(argv))
    records = [
        f"EXECVE argc={len(argv)} {args}",
        f"CWD cwd={_value(child.cwd)}",
        _path(host, 0, exe, mode="0100755"),
        _path(host, 1, "/lib64/ld-linux-x86-64.so.2", mode="0100755"),
    ]
    yield from _event(host, child, "execve", 59, 0, (0x55D0A000, 0x55D0B000, 0x55D0C000, 8), records)
    steps = host.random.choices(
        (_open(host.random.choice(_FILES)), _create, _rename, _unlink, _connect, _look_around, _open(host.random.choice(_FILES))),
        (35, 4, 3, 3, 8, 15, 32),
        k=host.random.randrange(2, 24),
    )
    child.todo = [_open(library) for library in _LIBRARIES[: host.random.randrange(2, 7)]] + steps
    host.alive.append(child)


def _login(host: _Host) -> Iterator[str]:
    enriched = '\x1dUID="root" AUID="ana"' if host.enriched else ""
    yield (
        f"type=USER_START msg={host.stamp()}: pid={host.pid()} uid=0 auid=1001 ses=9 subj=unconfined "
        'msg=\'op=PAM:session_open grantors=pam_keyinit,pam_limits,pam_unix acct="ana" exe="/usr/sbin/sshd" '
        f"hostname=10.0.0.7 addr=10.0.0.7 terminal=ssh res=success'{enriched}\n"
    )


def lines(records: int, *, enriched: bool = False, seed: int = 1) -> Iterator[str]:
    """At least that many lines; stops after the event that reaches the number."""
    host = _Host(seed, enriched=enriched)
    services = len(host.alive)
    written = 0

    def counted(event: Iterator[str]) -> Iterator[str]:
        nonlocal written
        for line in event:
            written += 1
            yield line

    while written < records:
        if host.random.random() < 0.004:
            yield from counted(_login(host))
        index = host.random.randrange(len(host.alive))
        proc = host.alive[index]
        if index < services or len(host.alive) < 12:
            yield from counted(_start(host, proc) if len(host.alive) < 40 else _open(host.random.choice(_FILES))(host, proc))
        elif proc.todo:
            yield from counted(proc.todo.pop(0)(host, proc))
        else:
            yield from counted(_event(host, proc, "exit_group", 231, None, (0, 0xE7, 0x3C, 0x7FFD), []))
            del host.alive[index]


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sys.stdout.writelines(lines(wanted, enriched="--enriched" in sys.argv[2:]))
