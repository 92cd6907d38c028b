"""What open descriptors stand for, as far as the stream tells: the opens, sockets and copies that were audited.

Closes are hardly ever audited, so an entry lives until its number is given out again; a lookup that finds nothing goes on to
the parent process, from which descriptors are inherited. Bounded by processes and by descriptors of each.
"""

from __future__ import annotations

from ruleng.event import NO_FD, Fd, Process
from ruleng.ports import Ledger

_INHERITED = 3
"""Generations to look up: a shell's pipeline is one or two."""


class Descriptors:
    def __init__(self, ledger: Ledger, *, processes: int = 4096, each: int = 1024) -> None:
        self._ledger = ledger
        self._processes = processes
        self._each = each
        self._tables: dict[int, dict[int, Fd]] = {}

    def get(self, process: Process, number: int) -> Fd:
        """NO_FD when it is not known."""
        for _ in range(_INHERITED):
            pid = process.pid
            if pid is None:
                break
            table = self._tables.get(pid)
            if table is not None and (fd := table.get(number)) is not None:
                return fd
            process = process.parent.now
        return NO_FD

    def put(self, pid: int, number: int, fd: Fd) -> None:
        table = self._tables.get(pid)
        if table is None:
            if len(self._tables) >= self._processes:
                del self._tables[next(iter(self._tables))]
                self._ledger.lost("normalise.descriptors", "too many processes with open files: the oldest one's were forgotten")
            table = self._tables[pid] = {}
        elif len(table) >= self._each and number not in table:
            del table[next(iter(table))]
            self._ledger.lost("normalise.descriptors", "too many open files of a process: the oldest was forgotten")
        table[number] = fd

    def drop(self, pid: int) -> None:
        """The process has ended."""
        self._tables.pop(pid, None)
