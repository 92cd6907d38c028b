"""`jsonl:FILE`: a file of JSON lines.

When it fails: a batch that does not fit on the disk is taken back whole, so that the file holds complete lines only, and
SinkError says what to do; the channel keeps the batch and tries again. A line that a killed process left cut off is removed
at the next start and counted. A file that was moved or deleted meanwhile is opened anew. A rotation that fails is told once
and tried again a minute later; writing goes on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ruleng.alert import Alert
from ruleng.errors import SinkError
from ruleng.sinks import rotate
from ruleng.sinks.encode.formats import Encode
from ruleng.sinks.tools import Tools

_ROTATION_PAUSE_NS = 60 * 10**9
_CHUNK = 1 << 16
_HINTS = {
    errno.ENOSPC: "free some space; alerts wait in memory meanwhile",
    errno.EDQUOT: "raise the quota or free some space; alerts wait in memory meanwhile",
    errno.EFBIG: "rotate with max_size=, or raise the limit on file sizes (ulimit -f)",
    errno.ENOENT: "create the directory",
    errno.EACCES: "let ruleng's user write there, or name another file",
    errno.EPERM: "let ruleng's user write there, or name another file",
    errno.EROFS: "the file system is mounted read-only: name a file elsewhere",
    errno.EISDIR: "name a file in it",
}


@dataclass(frozen=True, slots=True)
class Rotation:
    max_bytes: int | None = None  # a new file before this is exceeded
    every_ns: int | None = None  # a new file at each multiple of this, UTC: 1d is at midnight
    keep: int = 5
    compress: bool = False


class FileSink:
    """A Blocking sink. `fsync_ns`: None leaves it to the kernel, 0 syncs every batch before it counts as taken, else at most
    so long after a batch.
    """

    def __init__(
        self, name: str, path: Path, encode: Encode, tools: Tools, *, rotation: Rotation | None = None, fsync_ns: int | None = None
    ) -> None:
        self.name = name
        self.idle_s = fsync_ns / 10**9 if fsync_ns else None
        self._path = path
        self._encode = encode
        self._tools = tools
        self._rotation = rotation or Rotation()
        self._fsync_ns = fsync_ns
        self._fd: int | None = None
        self._regular = True
        self._identity = (0, 0)  # device and inode of what is open
        self._size = 0
        self._written_ns = 0  # time of the last write, also one of an earlier process
        self._unsynced_since_ns: int | None = None  # monotonic
        self._no_rotation_before_ns = 0  # monotonic
        self._reopen = False
        self._packer: threading.Thread | None = None
        self._counts = dict.fromkeys(("alerts", "bytes", "errors", "rotations", "rotation_errors", "reopened"), 0)

    # --- Blocking -------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        self._attempt(lambda: self._ready(0))

    def write(self, alerts: Sequence[Alert]) -> None:
        data = b"".join(self._encode(alert) + b"\n" for alert in alerts)
        self._attempt(lambda: self._append(data))
        self._counts["alerts"] += len(alerts)
        self._counts["bytes"] += len(data)

    def idle(self) -> None:
        if self._unsynced_since_ns is not None:
            self._attempt(self._sync)

    def close(self) -> None:
        if self._packer is not None:
            self._packer.join()
        if self._fd is not None:
            if self._unsynced_since_ns is not None:
                self._attempt(self._sync)
            self._drop()

    def reopen(self) -> None:
        self._reopen = True

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    # --- opening --------------------------------------------------------------------------------------------------------

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            step()
        except OSError as error:
            self._counts["errors"] += 1
            self._drop()
            raise SinkError(self.name, f"{self._path}: {error.strerror or error}", hint=_HINTS.get(error.errno or 0)) from error

    def _open(self) -> int:
        # reading too: to find a line that was cut off, and because opening a pipe for both never waits for a reader
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o640)
        self._fd = fd
        status = os.fstat(fd)
        self._regular = stat.S_ISREG(status.st_mode)
        if not self._regular and not stat.S_ISCHR(status.st_mode):
            raise OSError(errno.EINVAL, "neither a regular file nor a device")
        if self._regular:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise OSError(errno.EWOULDBLOCK, "another process has it open and locked") from error
        self._identity = (status.st_dev, status.st_ino)
        self._size = status.st_size if self._regular else 0
        self._written_ns = status.st_mtime_ns
        self._unsynced_since_ns = None
        self._reopen = False
        if self._size:
            self._mend(fd)
        return fd

    def _mend(self, fd: int) -> None:
        """Ends the last line, or removes it when it is one of ours that was cut off."""
        if os.pread(fd, 1, self._size - 1) == b"\n":
            return
        start = self._size
        while start > 0:
            step = min(_CHUNK, start)
            newline = os.pread(fd, step, start - step).rfind(b"\n")
            start -= step
            if newline >= 0:
                start += newline + 1
                break
        if os.pread(fd, 2, start) != b'{"':
            os.write(fd, b"\n")
            self._size += 1
            return
        os.ftruncate(fd, start)
        self._size = start
        reason = "an alert was cut off when the process that wrote it was killed"
        self._tools.ledger.lost(f"sink.{self.name}", reason, sample=f"{self._path}, byte {start}")

    def _drop(self) -> None:
        if self._fd is not None:
            with suppress(OSError):  # what could fail was synced or said before
                os.close(self._fd)
            self._fd = None
            self._unsynced_since_ns = None

    # --- writing --------------------------------------------------------------------------------------------------------

    def _append(self, data: bytes) -> None:
        fd = self._ready(len(data))
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(fd, left) :]
            if self._fsync_ns == 0:
                os.fdatasync(fd)
        except OSError:
            if self._regular:
                with suppress(OSError):  # else the next open mends it
                    os.ftruncate(fd, self._size)
            raise
        self._size += len(data)
        self._written_ns = self._tools.clock.now_ns()
        if self._fsync_ns:
            now_ns = self._tools.clock.monotonic_ns()
            if self._unsynced_since_ns is None:
                self._unsynced_since_ns = now_ns
            elif now_ns - self._unsynced_since_ns >= self._fsync_ns:
                self._sync()

    def _ready(self, size: int) -> int:
        """The file to write `size` bytes to: the one at the path now, rotated if it is time."""
        if self._fd is not None and (self._reopen or self._moved()):
            self._counts["reopened"] += 1
            self._drop()
        fd = self._open() if self._fd is None else self._fd
        return self._rotate(fd) if self._rotation_due(size) else fd

    def _moved(self) -> bool:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return True
        return (status.st_dev, status.st_ino) != self._identity

    def _sync(self) -> None:
        if self._fd is not None:
            self._unsynced_since_ns = None
            os.fdatasync(self._fd)

    # --- rotation -------------------------------------------------------------------------------------------------------

    def _rotation_due(self, size: int) -> bool:
        rotation, clock = self._rotation, self._tools.clock
        if not self._regular or not self._size or clock.monotonic_ns() < self._no_rotation_before_ns:
            return False
        if rotation.max_bytes is not None and self._size + size > rotation.max_bytes:
            return True
        every_ns = rotation.every_ns
        return every_ns is not None and clock.now_ns() // every_ns != self._written_ns // every_ns

    def _rotate(self, fd: int) -> int:
        """The new file; the old one when it cannot be moved away."""
        if self._packer is not None:
            self._packer.join()
            self._packer = None
        if self._fsync_ns is not None:
            self._sync()
        try:
            rotate.shift(self._path, self._rotation.keep)
        except OSError as error:
            self._rotation_failed(error)
            return fd
        self._counts["rotations"] += 1
        self._drop()
        fd = self._open()
        if self._rotation.compress and self._rotation.keep:
            self._packer = threading.Thread(target=self._compress, name=f"ruleng-{self.name}-gzip", daemon=True)
            self._packer.start()
        return fd

    def _compress(self) -> None:
        try:
            rotate.compress(self._path)
        except OSError as error:
            self._rotation_failed(error)

    def _rotation_failed(self, error: OSError) -> None:
        if not self._counts["rotation_errors"]:
            self._tools.report(f"{self.name}: {self._path} cannot be rotated: {error.strerror or error}; writing goes on")
        self._counts["rotation_errors"] += 1
        self._no_rotation_before_ns = self._tools.clock.monotonic_ns() + _ROTATION_PAUSE_NS
