"""The ring that the kernel writes samples into and that ruleng reads, shared memory of both (perf_event_open(2), "MMAP layout").

The kernel moves data_head, the reader data_tail; both only grow. Between reading the head and the data, and between the data
and writing the tail, a processor must not change the order. Python has no barrier of its own: releasing and taking a lock is
one, and on x86 the order is kept anyway.
"""

from __future__ import annotations

import mmap
import threading
from struct import Struct

from ruleng.errors import HostError
from ruleng.sources.perf import abi

_U64 = Struct("<Q")
_PAIR = Struct("<QQ")


class Ring:
    """`memory` is the mapping: a page of its state, then the ring. Raises HostError when they do not fit together."""

    def __init__(self, memory: mmap.mmap | bytearray) -> None:
        self._memory = memory
        self._view = memoryview(memory)
        self._offset, self._size = _PAIR.unpack_from(memory, abi.DATA_OFFSET)
        if self._size <= 0 or self._offset < abi.DATA_SIZE + 8 or self._offset + self._size > len(memory):
            self._view.release()
            raise HostError(f"perf: a ring of {self._size} bytes at {self._offset} does not lie in its {len(memory)} bytes")
        # one aligned store of 8 bytes, which a pack of bytes would not promise
        self._words = self._view[: abi.DATA_SIZE + 8].cast("Q")
        self._tail: int = self._words[abi.DATA_TAIL // 8]
        self._fence = threading.Lock()
        self._fence.acquire()
        self.overrun = 0
        """Bytes that were given up, because head and tail did not fit together."""

    def take(self, most: int | None = None) -> tuple[bytes, bool]:
        """(whole records in order, whether that is all there is). Their place is free for the kernel again.

        `most`: about so many bytes, so that one ring that is full does not keep the others waiting.
        """
        head: int = self._words[abi.DATA_HEAD // 8]
        count = head - self._tail
        if count == 0:
            return b"", True
        self._barrier()
        is_all = True
        if not 0 < count <= self._size:
            self.overrun += abs(count)
            data = b""
        elif most is None or count <= most or not (data := _whole(self._copy(most))):
            data = self._copy(count)
        else:
            head, is_all = self._tail + len(data), False
        self._barrier()
        self._tail = self._words[abi.DATA_TAIL // 8] = head
        return data, is_all

    def _copy(self, count: int) -> bytes:
        start = self._tail % self._size
        end = start + count
        view, offset = self._view, self._offset
        if end <= self._size:
            return bytes(view[offset + start : offset + end])
        return b"".join((view[offset + start : offset + self._size], view[offset : offset + end - self._size]))

    def close(self) -> None:
        self._words.release()
        self._view.release()
        if isinstance(self._memory, mmap.mmap):
            self._memory.close()

    def _barrier(self) -> None:
        """What comes before is done before what follows begins: a store that releases, then a load that acquires."""
        self._fence.release()
        self._fence.acquire()


def _whole(data: bytes) -> bytes:
    """Without the record at the end that is cut off. Nothing when a size is wrong: then there are no borders."""
    at, end, size_of = 0, len(data), abi.HEADER.unpack_from
    while end - at >= abi.HEADER.size:
        size = size_of(data, at)[2]
        if size < abi.LEAST_RECORD:
            return b""
        if at + size > end:
            break
        at += size
    return data[:at]


def mapped(fd: int, pages: int) -> Ring:
    """The ring of a perf descriptor, a power of two of pages. Raises HostError."""
    try:
        memory = mmap.mmap(fd, (pages + 1) * mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    except OSError as error:
        raise HostError(
            f"perf: no ring of {pages} pages: {error.strerror}",
            errno=error.errno,
            hint="run as root, or raise kernel.perf_event_mlock_kb",
        ) from error
    return Ring(memory)
