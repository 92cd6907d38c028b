"""Stand-ins for the host: a clock that stands still, a ledger that remembers, a /proc made of files."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from ruleng.state.procfs_io import ProcReader

SECOND_NS = 1_000_000_000
TICK_NS = 10_000_000


class StillClock:
    def __init__(self, now_ns: int = 1_000 * SECOND_NS) -> None:
        self.time_ns = now_ns

    def now_ns(self) -> int:
        return self.time_ns

    def monotonic_ns(self) -> int:
        return self.time_ns


class Losses:
    """A Ledger: `counts` by (where, reason)."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def lost(self, where: str, reason: str, count: int = 1, *, sample: str | None = None) -> None:
        self.counts[where, reason] += count


class FakeProc:
    """A /proc under a directory. Times are given in ticks of 10 ms after a boot at 0."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.host_root = path.parent / "host-root"
        self.container_root = path.parent / "container-root"
        self.host_root.mkdir()
        self.container_root.mkdir()
        self.add(1, name="init", argv=["/sbin/init"], exe="/usr/lib/systemd/systemd")
        (path / "self").symlink_to("1")

    def reader(self) -> ProcReader:
        reader = ProcReader(self.path)
        reader.boot_ns, reader.tick_ns = 0, TICK_NS
        return reader

    def add(
        self,
        pid: int,
        *,
        name: str = "cat",
        ppid: int = 0,
        sid: int = 0,
        pgid: int = 0,
        tty: int = 0,
        start_ticks: int = 100,
        uid: int = 0,
        argv: list[str] | None = None,
        env: list[str] | None = None,
        exe: str | None = "/usr/bin/cat",
        cgroup: str = "0::/",
        outside: bool = False,
        vpid: int | None = None,
    ) -> None:
        directory = self.path / str(pid)
        if directory.exists():
            shutil.rmtree(directory)
        (directory / "ns").mkdir(parents=True)
        middle = f"S {ppid} {pgid} {sid} {tty} -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 {start_ticks} 0 0"
        (directory / "stat").write_text(f"{pid} ({name}) {middle}\n")
        numbers = f"{pid}\t{vpid}" if vpid is not None else f"{pid}"
        status = f"Name:\t{name}\nTgid:\t{pid}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
        (directory / "status").write_text(f"{status}NSpid:\t{numbers}\nCapEff:\t00000000000000ff\nThreads:\t1\n")
        (directory / "cmdline").write_bytes(b"".join(arg.encode() + b"\0" for arg in argv or [name]))
        (directory / "environ").write_bytes(b"".join(entry.encode() + b"\0" for entry in env or []))
        (directory / "cgroup").write_text(cgroup + "\n")
        (directory / "loginuid").write_text("4294967295")
        if exe is not None:
            (directory / "exe").symlink_to(exe)
        (directory / "cwd").symlink_to("/home")
        (directory / "root").symlink_to(self.container_root if outside else self.host_root)
        (directory / "ns/mnt").symlink_to("mnt:[4026532177]" if outside else "mnt:[4026531841]")
        (directory / "ns/pid").symlink_to("pid:[4026532180]" if outside else "pid:[4026531836]")

    def remove(self, pid: int) -> None:
        shutil.rmtree(self.path / str(pid))
