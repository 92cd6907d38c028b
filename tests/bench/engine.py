"""How fast the engine decides: `python -m tests.bench.engine` prints it for Falco's stable and incubating rules.

The stream is like that of a host: of all events 42 % are of a type that some rule uses, and 3.8 % match. Numbers are CPU time
of one core, the median of several runs; what to trust across machines are ratios within one run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from ruleng.engine.compile import compile_rules
from ruleng.engine.interpret import holds
from ruleng.engine.ruleset import RuleSet
from ruleng.event import HOST, Container, Event, Fd, Paths, Process, Task, User
from ruleng.fields.catalogue import standard
from ruleng.lang.load import load_rules
from tests.engine.generate import real, solve

RULES = Path(__file__).resolve().parents[3] / "shared" / "falco-rules"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml")

MATCHING = 0.038
"""Share of events that match a rule."""

FREQUENCY: dict[str, float] = {
    "read": 17, "close": 13, "write": 8, "fstat": 7, "mmap": 5, "futex": 3, "epoll_wait": 2, "munmap": 1.5, "clone3": 1,
    "procexit": 0.5,
    "openat": 27, "open": 2, "connect": 3, "sendto": 2.5, "sendmsg": 0.7, "execve": 2.2, "socket": 1.5, "accept4": 0.8,
    "dup3": 0.6, "unlink": 0.5, "rename": 0.4, "fchmodat": 0.2, "setuid": 0.1, "symlinkat": 0.1, "ptrace": 0.02,
    "unshare": 0.02, "setns": 0.02,
}  # fmt: skip
"""Per cent of a host's events; those of the second half are of types that rules use, 42 % together."""

DAEMONS = (
    ("systemd", "/usr/lib/systemd/systemd", "root"), ("sshd", "/usr/sbin/sshd", "root"), ("cron", "/usr/sbin/cron", "root"),
    ("nginx", "/usr/sbin/nginx", "www-data"), ("postgres", "/usr/lib/postgresql/15/bin/postgres", "postgres"),
    ("dockerd", "/usr/bin/dockerd", "root"), ("containerd", "/usr/bin/containerd", "root"), ("node", "/usr/bin/node", "app"),
    ("java", "/usr/lib/jvm/bin/java", "app"), ("redis-server", "/usr/bin/redis-server", "redis"),
    ("python3", "/usr/bin/python3", "app"),
)  # fmt: skip
COMMANDS = (
    "bash",
    "sh",
    "ls",
    "cat",
    "grep",
    "sed",
    "awk",
    "git",
    "make",
    "gcc",
    "apt-get",
    "dpkg",
    "id",
    "date",
    "sleep",
    "tar",
    "vim",
)
PATHS = (
    "/usr/lib/x86_64-linux-gnu/libc.so.6", "/etc/ld.so.cache", "/usr/lib/locale/locale-archive", "/proc/self/status", "/dev/null",
    "/etc/passwd", "/etc/hosts", "/etc/resolv.conf", "/usr/share/zoneinfo/UTC", "/sys/fs/cgroup/memory.max", "/run/systemd/notify",
    "/var/lib/postgresql/15/main/base/5/2619", "/var/log/nginx/access.log", "/home/app/project/src/main.c", "/tmp/ccX3aQ.o",
)  # fmt: skip
O_RDONLY, O_WRONLY, O_CREAT, O_CLOEXEC = 0, 1, 0o100, 0o2000000  # asm-generic/fcntl.h


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events in the stream (default 100000)")
    parser.add_argument("--runs", type=int, default=7, help="runs to take the median of (default 7)")
    args = parser.parse_args()
    started = time.process_time()
    loaded = load_rules([RULES / name for name in FILES], standard())
    load_s = time.process_time() - started
    builds = [_timed(lambda: compile_rules(loaded.rules, standard())) for _ in range(args.runs)]
    ruleset = compile_rules(loaded.rules, standard())
    events = stream(ruleset, args.events)
    used = sum(event.type in ruleset.demand.event_types for event in events) / len(events)
    hits = sum(bool(ruleset.match(event)) for event in events) / len(events)
    print(f"{sum(rule.enabled for rule in ruleset.rules)} rules, {len(ruleset.source.splitlines())} lines of generated Python")
    print(f"load {load_s * 1e3:6.0f} ms   (read, parse, resolve, check)")
    print(f"build {statistics.median(builds) * 1e3:5.0f} ms   (normalise, plan, write, compile; first {builds[0] * 1e3:.0f} ms)")
    print(f"stream: {len(events)} events, {used:.1%} of a type that some rule uses, {hits:.2%} match")
    match = _per_event(ruleset, events, args.runs)
    relevant = [event for event in events if event.type in ruleset.demand.event_types]
    busy = _per_event(ruleset, relevant, args.runs)
    few = events[:: max(1, len(events) // 200)]
    slow = _timed(lambda: [holds(rule.condition, event) for event in few for rule in ruleset.rules if rule.enabled]) / len(few)
    print(f"match()      {1e-6 / match:7.3f} M events/s/core {match * 1e9:9.0f} ns an event")
    print(f"  of its own {1e-6 / busy:7.3f} M events/s/core {busy * 1e9:9.0f} ns an event of a type that some rule uses")
    print(f"interpreter  {1e-6 / slow:7.6f} M events/s/core {slow * 1e9:9.0f} ns an event, {slow / match:.0f} times slower")


def _timed(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _per_event(ruleset: RuleSet, events: Sequence[Event], runs: int) -> float:
    match = ruleset.match

    def work() -> None:
        for event in events:
            match(event)

    work()
    return statistics.median(_timed(work) for _ in range(runs)) / len(events)


def stream(ruleset: RuleSet, count: int, seed: int = 7) -> list[Event]:
    """Events in random order, the same for the same rules and seed."""
    random = Random(seed)
    processes = _processes(random)
    quiet = [event for event in (_event(random, processes) for _ in range(6_000)) if not ruleset.match(event)]
    loud = _matching(ruleset, random)
    return [random.choice(loud if random.random() < MATCHING else quiet) for _ in range(count)]


def _matching(ruleset: RuleSet, random: Random) -> list[Event]:
    """Events that match, from the literals of each rule."""
    found = []
    types = sorted(ruleset.demand.event_types)
    for rule in [rule for rule in ruleset.rules if rule.enabled] * 8:
        values = solve(rule.condition, True, random, types)
        event = real(values, standard()) if values else None
        if event is not None and ruleset.match(event):
            found.append(event)
    return found


def _processes(random: Random) -> list[Process]:
    init = Process(
        pid=1, name="systemd", exe="/sbin/init", exepath="/usr/lib/systemd/systemd", args=(), args_text="", cmdline="systemd"
    )
    containers = [HOST] * 7 + [
        Container(id=f"{number:012x}", name=f"app{number}", image_repository="acme/app", privileged=False) for number in range(3)
    ]
    processes = []
    for number in range(120):
        parent = Task(random.choice(processes) if processes and random.random() < 0.7 else init)
        if random.random() < 0.6:
            name, path, user = random.choice(DAEMONS)
            args: tuple[str, ...] = ("-c", "/etc/" + name)
        else:
            name = random.choice(COMMANDS)
            path, user, args = f"/usr/bin/{name}", random.choice(("root", "app", "alice")), ("-l", f"/srv/{number}")
        uid = 0 if user == "root" else 1000
        text = " ".join(args)
        processes.append(
            Process(
                pid=1000 + number, start_ns=number, parent=parent, ppid=parent.now.pid, name=name, exe=path, exepath=path,
                args=args, args_text=text, cmdline=f"{name} {text}", env=("PATH=/usr/bin", "LANG=C.UTF-8", "HOME=/root"), cwd="/",
                uid=uid, user=User(uid=uid, name=user), loginuid=-1, tty=34816 if name in COMMANDS else 0, cap_permitted=0,
                cap_effective=0, vpid=1000 + number, container=random.choice(containers), exe_upper_layer=False,
                exe_from_memfd=False, exe_writable=False,
            )
        )  # fmt: skip
    return processes


def _event(random: Random, processes: Sequence[Process]) -> Event:
    type = random.choices(list(FREQUENCY), list(FREQUENCY.values()))[0]
    proc = random.choice(processes)
    common: dict[str, Any] = {
        "type": type,
        "time_ns": 1_700_000_000 * 10**9 + random.randrange(10**9),
        "proc": proc,
        "num": 1,
        "tid": proc.pid,
    }
    result = -2 if random.random() < 0.1 else 0
    if type in ("openat", "open"):
        path = random.choice(PATHS) if random.random() < 0.7 else f"/srv/data/{random.randrange(500)}/file.txt"
        flags = O_CLOEXEC | (O_WRONLY | O_CREAT if random.random() < 0.12 else O_RDONLY)
        fd = None if result else random.randrange(3, 60)
        return Event(
            **common, result=result or fd, fd_num=-1 if result else fd, fd=_file(path), open_flags=flags,
            args={"name": path, "flags": flags, "mode": 0o644, "dirfd": -100}, paths=Paths(name=path, nameraw=path),
        )  # fmt: skip
    if type in ("read", "write", "close", "fstat"):
        return Event(
            **common,
            result=random.randrange(4096),
            fd_num=random.randrange(60),
            fd=_file(random.choice(PATHS)),
            args={"size": 4096},
        )
    if type in ("connect", "sendto", "sendmsg", "accept4"):
        return Event(**common, result=result, fd_num=random.randrange(60), fd=_socket(random), args={})
    if type == "socket":
        return Event(
            **common,
            result=random.randrange(3, 60),
            fd_num=5,
            args={"domain": random.choice((1, 2, 10, 16)), "type": 1, "proto": 0},
        )
    if type in ("unlink", "rename", "fchmodat", "symlinkat"):
        path = random.choice(PATHS)
        args = {
            "path": path,
            "oldpath": path,
            "newpath": path + "~",
            "filename": path,
            "mode": 0o644,
            "target": path,
            "linkpath": path + "2",
        }
        return Event(**common, result=result, args=args, paths=Paths(name=path))
    if type == "setuid":
        return Event(**common, result=result, args={"uid": 0})
    return Event(**common, result=result, args={})


def _file(path: str) -> Fd:
    directory, _, filename = path.rpartition("/")
    return Fd(type="file", typechar="f", name=path, directory=directory or "/", filename=filename)


def _socket(random: Random) -> Fd:
    if random.random() < 0.4:
        return Fd(type="unix", typechar="u", name="/run/dbus/socket", family="unix")
    client, server = 0x0A000005, random.choice((0x7F000001, 0x0A000102, 0xC0A80001, 0x08080808))
    return Fd(
        type="ipv4", typechar="4", family="ip", l4proto=random.choice(("tcp", "tcp", "udp")), cip=client, sip=server,
        cport=40000, sport=random.choice((443, 5432, 53, 8080)), name=f"10.0.0.5:40000->{server}", is_server=False,
        connected=True, name_changed=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
