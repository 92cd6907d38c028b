"""Reading /proc, thinly: bytes and links out, no meaning. The only module of the state that touches other processes.

A directory below /proc stays bound to its process: after the process has gone its files answer ESRCH, even when the pid
has been given away again. So everything of one process is read through one open directory.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ruleng.state.statx import FileStatus, statx

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_CLOEXEC


class ProcDir:
    """/proc/PID, open. Each method answers None when there is no such thing, as when the process has gone, and when the
    kernel refuses: that is counted in `refused`."""

    __slots__ = ("_fd", "_refused")

    def __init__(self, fd: int, refused: Counter[str]) -> None:
        self._fd = fd
        self._refused = refused

    def read(self, name: str, limit_bytes: int = 65_536) -> bytes | None:
        """At most limit_bytes and one more, so that a longer file can be told from one that just fits."""
        try:
            fd = os.open(name, _FILE, dir_fd=self._fd)
        except OSError as error:
            self._count(name, error)
            return None
        try:
            data = os.read(fd, min(limit_bytes + 1, 65_536))
            chunks, size = [data], len(data)
            # a short read says nothing here: the kernel fills a page or less at a time
            while data and size <= limit_bytes:
                data = os.read(fd, min(limit_bytes + 1 - size, 65_536))
                chunks.append(data)
                size += len(data)
        except OSError as error:
            self._count(name, error)
            return None
        finally:
            os.close(fd)
        return b"".join(chunks)

    def link(self, name: str) -> str | None:
        """Where a magic link points, as text; nothing is followed."""
        try:
            return os.readlink(name, dir_fd=self._fd)
        except OSError as error:
            self._count(name, error)
            return None

    def status(self, name: str) -> FileStatus | None:
        """Of what a magic link (`exe`, `root`) points to, as the kernel remembers it: no file system is asked to look."""
        try:
            return statx(self._fd, name)
        except OSError as error:
            self._count(name, error)
            return None

    def _count(self, name: str, error: OSError) -> None:
        count_refusal(self._refused, name, error)


class ProcReader:
    """A mounted /proc. `refused` counts, by file name and reason, what exists and could not be read."""

    def __init__(self, path: str | Path = "/proc") -> None:
        self.path = Path(path)
        self.refused: Counter[str] = Counter()
        self._prefix = f"{self.path}/"
        # one offset for all, so that the start time of one process is the same number whenever it is read
        self.boot_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")

    def pids(self) -> list[int]:
        """Every process (not thread) there is now."""
        with os.scandir(self.path) as entries:
            return [int(entry.name) for entry in entries if entry.name.isdecimal()]

    @contextmanager
    def process(self, pid: int | str) -> Iterator[ProcDir | None]:
        """None when there is no such process. `self` stands for the reader itself."""
        try:
            fd = os.open(f"{self._prefix}{pid}", _DIRECTORY)
        except OSError as error:
            count_refusal(self.refused, "", error)
            yield None
            return
        try:
            yield ProcDir(fd, self.refused)
        finally:
            os.close(fd)

    def start_ns(self, start_ticks: int) -> int:
        """Since the epoch, from field 22 of /proc/PID/stat."""
        return self.boot_ns + start_ticks * self.tick_ns


def count_refusal(refused: Counter[str], name: str, error: OSError) -> None:
    """That the process has gone is no refusal: ENOENT, and ESRCH for what was already open."""
    if not isinstance(error, FileNotFoundError | ProcessLookupError):
        refused[f"/proc/PID/{name}: {error.strerror}"] += 1
