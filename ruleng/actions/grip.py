"""Getting hold of exactly one process, so that no signal can hit another one that got its pid meanwhile.

A pidfd is bound to a process for good. It is opened first, then /proc is asked when the process of that pid started, then
the pidfd whether its process is still there: if so, the start was its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import TracebackType

from ruleng.actions.guard import Target
from ruleng.errors import InputError
from ruleng.state.procfs import Stat, parse_stat
from ruleng.state.procfs_io import ProcDir, ProcReader

START_SLACK_NS = 100_000_000
"""A process known from its fork has the time of that event, one known from /proc counts ticks: they differ by
milliseconds. A pid is not given away again within that time: all others have their turn first."""

_DEAD = ("Z", "X")

Describe = Callable[[ProcDir, Stat, int], Target]
"""(directory, its stat, start in ns) -> the process as the guard wants to see it."""


class Grip:
    """One living process, held by a pidfd."""

    __slots__ = ("_fd", "target")

    def __init__(self, fd: int, target: Target) -> None:
        self._fd = fd
        self.target = target

    def send(self, number: int) -> None:
        """Raises ProcessLookupError when it has exited, other OSErrors as pidfd_send_signal(2)."""
        signal.pidfd_send_signal(self._fd, number)

    def close(self) -> None:
        os.close(self._fd)

    def __enter__(self) -> Grip:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def grip(reader: ProcReader, pid: int, start_ns: int, describe: Describe) -> Grip | None:
    """None when that process is gone, whoever has its pid now. Raises OSError when there is no pidfd to be had for it."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    held = False
    try:
        target = _look(reader, pid, start_ns, describe)
        if target is None or not _is_alive(fd):
            return None
        held = True
        return Grip(fd, target)
    finally:
        if not held:
            os.close(fd)


def start_of(reader: ProcReader, directory: ProcDir) -> tuple[Stat, int] | None:
    """(stat, start in ns) of a process that has not exited."""
    data = directory.read("stat")
    try:
        stat = parse_stat(data) if data is not None else None
    except InputError:
        return None  # nothing that the kernel wrote: nothing to act on
    if stat is None or stat.state in _DEAD:
        return None
    return stat, reader.start_ns(stat.start_ticks)


def _look(reader: ProcReader, pid: int, start_ns: int, describe: Describe) -> Target | None:
    with reader.process(pid) as directory:
        found = start_of(reader, directory) if directory is not None else None
        if directory is None or found is None or abs(found[1] - start_ns) > START_SLACK_NS:
            return None
        return describe(directory, *found)


def _is_alive(fd: int) -> bool:
    try:
        signal.pidfd_send_signal(fd, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is there, and not ours to signal
    return True
