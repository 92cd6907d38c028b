"""perf_event_open(2) as the kernel defines it: numbers and layouts of linux/perf_event.h, and the call itself. No meaning.

All of it little-endian, as the architectures are whose system calls ruleng knows.
"""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from struct import Struct

from ruleng.abi import syscalls
from ruleng.errors import HostError

ARCHES = {"x86_64": syscalls.X86_64, "aarch64": syscalls.AARCH64}

# enum perf_type_id
TYPE_TRACEPOINT = 2

# enum perf_event_sample_format
SAMPLE_TID = 1 << 1
SAMPLE_TIME = 1 << 2
SAMPLE_RAW = 1 << 10
SAMPLE_REGS_USER = 1 << 12
SAMPLE = SAMPLE_TID | SAMPLE_TIME | SAMPLE_RAW

# enum perf_event_read_format
FORMAT_LOST = 1 << 4  # since Linux 6.0

# bits of struct perf_event_attr behind read_format
DISABLED = 1 << 0
WATERMARK = 1 << 14
SAMPLE_ID_ALL = 1 << 18
USE_CLOCKID = 1 << 25

CLOCK_MONOTONIC = 1  # linux/time.h
REGS_ABI_64 = 2  # enum perf_sample_regs_abi

# ioctls of a perf descriptor
IOC_ENABLE = 0x2400
IOC_DISABLE = 0x2401
IOC_SET_OUTPUT = 0x2405
IOC_SET_FILTER = 0x40082406

FLAG_FD_CLOEXEC = 1 << 3

# enum perf_event_type
RECORD_LOST = 2
RECORD_SAMPLE = 9

# struct perf_event_mmap_page: where the ring says how far each side is
DATA_HEAD, DATA_TAIL, DATA_OFFSET, DATA_SIZE = 1024, 1032, 1040, 1048

HEADER = Struct("<IHH")
"""struct perf_event_header: type, misc, size."""
LOST = Struct("<8xQQ")
"""PERF_RECORD_LOST: id of the event that came next, how many did not find room."""
RAW_AT = 28
"""Where the tracepoint's own data begin in a sample of `SAMPLE`: header 8, pid and tid 8, time 8, size of the data 4."""
LEAST_RECORD = 24
"""Every record ends with pid, tid and time (SAMPLE_ID_ALL) or has them behind its header."""

_ATTR = Struct("<IIQQQQQIIQQQQIi")
_ATTR_SIZE_VER3 = 96  # the first that ends with clockid
_ONE_REGISTER = 1  # any will do: it is the ABI before it that is wanted


def attr(tracepoint: int, *, lost: bool, wakeup_bytes: int | None, abi: bool) -> bytes:
    """struct perf_event_attr of a tracepoint, switched off. `wakeup_bytes` None wakes the reader at each sample.

    `abi` adds to each sample which kind of system calls the program makes, 32 or 64 bits.
    """
    return _ATTR.pack(
        TYPE_TRACEPOINT,
        _ATTR_SIZE_VER3,
        tracepoint,
        1,  # sample_period: each one
        SAMPLE | (SAMPLE_REGS_USER if abi else 0),
        FORMAT_LOST if lost else 0,
        DISABLED | SAMPLE_ID_ALL | USE_CLOCKID | (0 if wakeup_bytes is None else WATERMARK),
        1 if wakeup_bytes is None else wakeup_bytes,
        0,
        0,
        0,
        0,
        _ONE_REGISTER if abi else 0,
        0,
        CLOCK_MONOTONIC,
    )


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def architecture() -> int:
    """Of this machine, as `ruleng.abi.syscalls` names it. Raises HostError."""
    arch = ARCHES.get(platform.machine())
    if arch is None:
        raise HostError(f"perf: no system call numbers for {platform.machine()}", hint="run with --source audit")
    return arch


def call(name: str, *args: object) -> int:
    """A system call that Python has no function for. Raises OSError, or HostError on a machine that is not known."""
    number = min(syscalls.numbers(architecture())[name])  # the others are of the x32 ABI
    result: int = _libc().syscall(ctypes.c_long(number), *args)
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def open_event(attributes: bytes, cpu: int) -> int:
    """A descriptor of an event of all processes on one CPU. Raises OSError."""
    return call(
        "perf_event_open",
        ctypes.c_char_p(attributes),
        ctypes.c_int(-1),
        ctypes.c_int(cpu),
        ctypes.c_int(-1),
        ctypes.c_ulong(FLAG_FD_CLOEXEC),
    )
