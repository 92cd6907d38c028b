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

    def take(self) -> bytes:
        """All that is there, in order; whole records. Their place is free for the kernel again."""
        head: int = self._words[abi.DATA_HEAD // 8]
        count = head - self._tail
        if count == 0:
            return b""
        self._barrier()
        if 0 < count <= self._size:
            start, end = self._tail % self._size, head % self._size
            view, offset = self._view, self._offset
            if start < end:
                data = bytes(view[offset + start : offset + end])
            else:
                data = b"".join((view[offset + start : offset + self._size], view[offset : offset + end]))
        else:
            self.overrun += abs(count)
            data = b""
        self._barrier()
        self._tail = self._words[abi.DATA_TAIL // 8] = head
        return data

    def close(self) -> None:
        self._words.release()
        self._view.release()
        if isinstance(self._memory, mmap.mmap):
            self._memory.close()

    def _barrier(self) -> None:
        """What comes before is done before what follows begins: a store that releases, then a load that acquires."""
        self._fence.release()
        self._fence.acquire()


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
