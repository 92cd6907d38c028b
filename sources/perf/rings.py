"""The events of a plan, open on every CPU, in two rings each: a small one for what is rare, a large one for system calls.

Everything is opened switched off, and `switch` starts and ends it. Losses are told twice: in the ring, once there is room
again, and by each event's own counter (PERF_FORMAT_LOST); `losses` says what neither has said before.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

from ruleng.errors import HostError
from ruleng.normalise.perf.record import WITH_ABI, Record
from ruleng.sources.perf import abi
from ruleng.sources.perf.filters import Tracepoint
from ruleng.sources.perf.reader import Reader
from ruleng.sources.perf.ring import Ring, mapped
from ruleng.sources.perf.tracefs import Format

ONLINE = Path("/sys/devices/system/cpu/online")
_COUNTS = Struct("<QQ")  # value, lost: read_format FORMAT_LOST


def online_cpus(text: str) -> tuple[int, ...]:
    """Of `0-3,8`, as cpu lists are written below /sys. Raises HostError."""
    found: list[int] = []
    try:
        for part in text.strip().split(","):
            first, _, last = part.partition("-")
            low, high = int(first), int(last or first)
            if not 0 <= low <= high < 65_536:
                raise ValueError(part)
            found.extend(range(low, high + 1))
    except ValueError:
        raise HostError(f"perf: {text[:80]!r} is no list of CPUs") from None
    return tuple(found)


@dataclass(slots=True)
class Reconciled:
    """One loss, told twice: what is counted is what the more talkative of both has told."""

    told: int = 0  # by records in the ring
    found: int = 0  # by the counters of the events
    counted: int = 0

    def news(self) -> int:
        """What has not been counted yet."""
        most = max(self.told, self.found)
        new, self.counted = most - self.counted, most
        return new


@dataclass(slots=True)
class CpuRing:
    cpu: int
    ring: Ring
    fds: dict[str, int]  # by tracepoint; the first one's is the ring's
    lost: Reconciled = field(default_factory=Reconciled)
    by_name: dict[str, int] = field(default_factory=dict)  # lost, as the counters say

    @property
    def fd(self) -> int:
        """That becomes readable when the kernel wakes its reader."""
        return next(iter(self.fds.values()))


@dataclass(frozen=True, slots=True)
class Lost:
    cpu: int
    count: int
    tracepoints: tuple[str, ...]  # which; none when the kernel does not say


class Rings:
    """To be closed."""

    def __init__(
        self, tracepoints: Sequence[Tracepoint], formats: Mapping[str, Format], cpus: Sequence[int], *, pages: int, bulk_pages: int
    ) -> None:
        """Pages of the two rings of each CPU, powers of two. Raises HostError, then nothing is left open."""
        self._rings: list[CpuRing] = []
        self._counts_losses = True
        self._descriptors: list[int] = []
        try:
            for cpu in cpus:
                for is_bulk, size in ((False, pages), (True, bulk_pages)):
                    some = [point for point in tracepoints if point.is_bulk == is_bulk]
                    if some:
                        self._open(some, formats, cpu, size)
        except HostError:
            self.close()
            raise

    def _open(self, tracepoints: Sequence[Tracepoint], formats: Mapping[str, Format], cpu: int, pages: int) -> None:
        one: CpuRing | None = None
        for point in tracepoints:
            wakeup_bytes = None if point.wakes else pages * mmap.PAGESIZE // 4
            fd = self._event(point, formats[point.name].id, cpu, wakeup_bytes)
            self._descriptors.append(fd)
            if one is None:
                one = CpuRing(cpu, mapped(fd, pages), {point.name: fd})
                self._rings.append(one)
            else:
                _ioctl(fd, abi.IOC_SET_OUTPUT, one.fd, f"{point.name}: cannot share a ring")
                one.fds[point.name] = fd
            if point.filter is not None:
                _ioctl(
                    fd, abi.IOC_SET_FILTER, bytearray(point.filter.encode() + b"\0"), f"{point.name}: the filter {point.filter!r}"
                )

    def _event(self, point: Tracepoint, number: int, cpu: int, wakeup_bytes: int | None) -> int:
        has_abi = point.name in WITH_ABI
        while True:
            attributes = abi.attr(number, lost=self._counts_losses, wakeup_bytes=wakeup_bytes, abi=has_abi)
            try:
                return abi.open_event(attributes, cpu)
            except OSError as error:
                if error.errno == errno.EINVAL and self._counts_losses:
                    self._counts_losses = False  # before Linux 6.0
                    continue
                raise HostError(
                    f"perf: {point.name} on CPU {cpu}: {error.strerror}", errno=error.errno, hint=_HINTS.get(error.errno or 0)
                ) from error

    @property
    def fds(self) -> list[int]:
        """One for each ring: readable when it should be read."""
        return [ring.fd for ring in self._rings]

    def switch(self, *, on: bool) -> None:
        """Raises HostError."""
        for fd in self._descriptors:
            _ioctl(fd, abi.IOC_ENABLE if on else abi.IOC_DISABLE, 0, "cannot be switched")

    def read(self, reader: Reader, out: list[Record], most: int | None = None) -> int | None:
        """Appends what the rings hold, one after the other; of each about `most` bytes.

        Where that was not all, returns up to which time all of them have been read.
        """
        until_ns: int | None = None
        for one in self._rings:
            data, is_all = one.ring.take(most)
            if data:
                one.lost.told += reader.feed(data, one.cpu, out)
            if not is_all and out:
                until_ns = out[-1][0] if until_ns is None else min(until_ns, out[-1][0])
        return until_ns

    def losses(self) -> list[Lost]:
        """Samples that did not find room, since the last call."""
        found: list[Lost] = []
        for one in self._rings:
            names: list[str] = []
            if self._counts_losses:
                for name, fd in one.fds.items():
                    with suppress(OSError):
                        lost = _COUNTS.unpack(os.read(fd, _COUNTS.size))[1]
                        if lost > one.by_name.get(name, 0):
                            one.by_name[name] = lost
                            names.append(name)
                one.lost.found = sum(one.by_name.values())
            count = one.lost.news()
            if count:
                found.append(Lost(one.cpu, count, tuple(names)))
        return found

    def overruns(self) -> int:
        """Bytes that were given up because a ring's head and tail did not fit together, since the last call."""
        count = sum(one.ring.overrun for one in self._rings)
        for one in self._rings:
            one.ring.overrun = 0
        return count

    def close(self) -> None:
        for one in self._rings:
            one.ring.close()
        for fd in self._descriptors:
            os.close(fd)
        self._rings, self._descriptors = [], []


_HINTS = {
    errno.EACCES: "run as root, or with CAP_PERFMON",
    errno.EPERM: "run as root, or with CAP_PERFMON",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
    errno.ENOSYS: "this kernel has no perf events: run with --source audit",
    errno.EINVAL: "this kernel's perf events are older than Linux 4.1: run with --source audit",
}


def _ioctl(fd: int, request: int, argument: int | bytearray, what: str) -> None:
    """A bytearray may be of any length; Python takes no bytes beyond 1024."""
    try:
        fcntl.ioctl(fd, request, argument)
    except OSError as error:
        raise HostError(f"perf: {what}: {error.strerror}", errno=error.errno, hint="run with --source audit") from error
