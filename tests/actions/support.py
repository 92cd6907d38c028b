"""Processes that the tests start, watch and end; nothing else is ever touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ruleng.actions.act import Actor
from ruleng.actions.guard import Guard, Protected
from ruleng.actions.journal import Journal
from ruleng.event import Event, Process
from ruleng.state import Limits, ProcReader, State
from ruleng.state.procfs import parse_stat
from tests.state.support import Losses


class RealClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def wait_until(holds: Callable[[], object]) -> None:
    """Until it is true, or fail after ten seconds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "waited ten seconds in vain"
        time.sleep(0.002)


def state_of(pid: int) -> str | None:
    """The letter of /proc/PID/stat; None when there is no such process."""
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_bytes()).state
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_dead(pid: int) -> bool:
    return state_of(pid) in (None, "Z", "X")


def is_stopped(pid: int) -> bool:
    return state_of(pid) == "T"


@contextmanager
def sleeper() -> Iterator[int]:
    child = subprocess.Popen(["sleep", "60"])
    try:
        wait_until(Path(f"/proc/{child.pid}/cmdline").read_bytes)
        yield child.pid
    finally:
        child.kill()
        child.wait()


TREE = """
import os, sys, time
def branch(depth):
    for _ in range(2):
        if os.fork() == 0:
            if depth:
                branch(depth - 1)
            break
branch(int(sys.argv[1]))
os.write(1, b"%d\\n" % os.getpid())
time.sleep(60)
"""


@contextmanager
def family(depth: int) -> Iterator[tuple[int, list[int]]]:
    """(a process, all of its descendants): 2 children each, so many generations."""
    root = subprocess.Popen([sys.executable, "-c", TREE, str(depth)], stdout=subprocess.PIPE)
    assert root.stdout is not None
    members = [int(root.stdout.readline()) for _ in range(2 ** (depth + 2) - 1)]
    try:
        yield root.pid, [pid for pid in members if pid != root.pid]
    finally:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        root.stdout.close()
        root.wait()


def live_state() -> State:
    return State(ProcReader(), RealClock(), Limits(), Losses(), fields=frozenset())


def actor(state: State, *, journal: Path | None = None, per_minute: int = 30, dry_run: bool = False, **protected: object) -> Actor:
    guard = Guard(Protected(**protected), announce=lambda _: None, per_minute=per_minute)  # type: ignore[arg-type]
    log = Journal(journal, Losses())
    log.open()
    return Actor(guard, log, state, RealClock(), dry_run=dry_run)


def event(proc: Process) -> Event:
    return Event(type="execve", time_ns=time.time_ns(), proc=proc)
