"""A bounded queue of byte strings on disk, in order, that survives the process: what a receiver could not take yet.

A folder with a lock, segments `NUMBER.spool` of records (length and CRC-32, then the bytes), and `cursor`, which says where
the oldest record begins. `append` takes all of a batch or none; `peek` shows the oldest, `done` forgets them. After a kill
records may be seen again that were done already (at least once), none is missing; a record that was cut off or damaged is
removed with what follows it in its segment, and counted.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from ruleng.ports import Ledger

_HEAD = struct.Struct("<II")  # length, CRC-32 of the bytes
_PLACE = struct.Struct("<QQ")  # segment, offset in it
_CHECKSUM = struct.Struct("<I")
_SEGMENT_MAX = 4 << 20
_SEGMENTS_MIN = 8  # a segment is at most this part of the whole, since it is removed only when all of it is done


class SpoolFullError(Exception):
    """There is no room for the batch; nothing of it was taken."""


class _Record(NamedTuple):
    segment: int
    start: int
    end: int


class Spool:
    """Not safe for threads. Raises OSError for what the disk does."""

    def __init__(self, folder: Path, *, max_bytes: int, where: str, ledger: Ledger, sync: bool = True) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = min(_SEGMENT_MAX, max_bytes // _SEGMENTS_MIN)
        self._where = where
        self._ledger = ledger
        self._sync = sync
        self._pending: deque[_Record] = deque()
        self._sizes: dict[int, int] = {}  # of the segments there are, oldest first
        self._next = 1  # number of the next segment; never used before
        self._lock: int | None = None
        self._cursor: int | None = None
        self._tail: tuple[int, int] | None = None  # the segment that is written to, and its descriptor

    def __len__(self) -> int:
        """Records not done."""
        return len(self._pending)

    @property
    def size_bytes(self) -> int:
        """On the disk, records included that are done but lie in a segment with others."""
        return sum(self._sizes.values())

    # --- opening --------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Raises BlockingIOError when another process has the folder."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock = self._open_file("lock")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._cursor = self._open_file("cursor")
            self._load()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        self._close_tail()
        for fd in (self._cursor, self._lock):
            if fd is not None:
                os.close(fd)
        self._lock = self._cursor = None
        self._sizes.clear()
        self._pending.clear()

    def _load(self) -> None:
        first, offset = self._read_cursor()
        self._next = max(first, 1)
        for path in sorted(self.folder.glob("*.spool")):
            number = int(path.stem) if path.stem.isdecimal() else -1
            if number < 0 or path != self._path(number):
                continue  # not ours
            if number < first:  # done
                path.unlink()
                continue
            self._sizes[number] = self._scan(number, path, offset if number == first else 0)
            self._next = number + 1
        self._move_cursor()

    def _read_cursor(self) -> tuple[int, int]:
        data = os.pread(self._cursor_fd(), _PLACE.size + _CHECKSUM.size, 0)
        place = data[: _PLACE.size]
        if data[_PLACE.size :] == _CHECKSUM.pack(zlib.crc32(place)) and len(place) == _PLACE.size:
            number, offset = _PLACE.unpack(place)
            return number, offset
        return 0, 0  # from the beginning of what there is: again rather than never

    def _scan(self, number: int, path: Path, start: int) -> int:
        """Finds the records from `start` on and removes what is damaged. Returns the segment's size."""
        with path.open("r+b") as file:
            data = memoryview(file.read())
            at = min(start, len(data))
            while at + _HEAD.size <= len(data):
                length, checksum = _HEAD.unpack_from(data, at)
                end = at + _HEAD.size + length
                if end > len(data) or zlib.crc32(data[at + _HEAD.size : end]) != checksum:
                    break
                self._pending.append(_Record(number, at, end))
                at = end
            if at < len(data):
                reason = "a spooled record was cut off or damaged; it and what followed it in its segment are gone"
                self._ledger.lost(self._where, reason, sample=f"{path}, byte {at}")
                file.truncate(at)
        return at

    # --- using ----------------------------------------------------------------------------------------------------------

    def append(self, records: Sequence[bytes]) -> None:
        """All of them behind the others, on the disk when it returns; or SpoolFullError or OSError, and none."""
        data = b"".join(_HEAD.pack(len(record), zlib.crc32(record)) + record for record in records)
        if self.size_bytes + len(data) > self._max_bytes:
            raise SpoolFullError
        number, fd = self._newest()
        at = self._sizes[number]
        try:
            left = memoryview(data)
            while left:
                left = left[os.pwrite(fd, left, at + len(data) - len(left)) :]
            if self._sync:
                os.fdatasync(fd)
        except OSError:
            with suppress(OSError):  # else the next open cuts it off
                os.ftruncate(fd, at)
            raise
        self._sizes[number] = at + len(data)
        for record in records:
            end = at + _HEAD.size + len(record)
            self._pending.append(_Record(number, at, end))
            at = end

    def peek(self, count: int) -> list[bytes]:
        """The oldest records, at most `count`."""
        found: list[bytes] = []
        for segment, records in groupby(islice(self._pending, count), key=lambda record: record.segment):
            with self._path(segment).open("rb") as file:
                for record in records:
                    file.seek(record.start + _HEAD.size)
                    found.append(file.read(record.end - record.start - _HEAD.size))
        return found

    def done(self, count: int) -> None:
        """Forgets the oldest records."""
        for _ in range(count):
            self._pending.popleft()
        self._move_cursor()

    def _newest(self) -> tuple[int, int]:
        """The segment to write to, and its descriptor."""
        newest = self._next - 1
        if self._sizes.get(newest, self._segment_bytes) >= self._segment_bytes:
            newest = self._next
        if self._tail is None or self._tail[0] != newest:
            self._close_tail()
            self._tail = newest, self._open_file(self._path(newest).name)
        if newest not in self._sizes:
            self._sizes[newest] = 0
            self._next = newest + 1
            if self._sync:
                self._sync_folder()
        return self._tail

    def _move_cursor(self) -> None:
        """To the oldest record, and removes the segments before it; all when there is none."""
        number, offset = self._pending[0][:2] if self._pending else (self._next, 0)
        place = _PLACE.pack(number, offset)
        os.pwrite(self._cursor_fd(), place + _CHECKSUM.pack(zlib.crc32(place)), 0)
        for old in [segment for segment in self._sizes if segment < number]:
            if self._tail is not None and self._tail[0] == old:
                self._close_tail()
            self._path(old).unlink(missing_ok=True)
            del self._sizes[old]

    # --- files ----------------------------------------------------------------------------------------------------------

    def _path(self, segment: int) -> Path:
        return self.folder / f"{segment:020}.spool"

    def _close_tail(self) -> None:
        if self._tail is not None:
            os.close(self._tail[1])
            self._tail = None

    def _sync_folder(self) -> None:
        """Else a power cut could take a new segment's name."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open_file(self, name: str) -> int:
        return os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _cursor_fd(self) -> int:
        if self._cursor is None:
            raise ValueError("the spool is not open")
        return self._cursor
