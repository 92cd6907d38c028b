"""statx(2) without asking the file system: what the kernel remembers of a file.

A program may lie on a file system that a hostile user serves (FUSE); stat(2) would wait for that user's answer.
AT_STATX_DONT_SYNC does not. os.statx exists only since Python 3.15. Linux 4.11, glibc 2.28, musl 1.2.3.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import cache

AT_NO_AUTOMOUNT = 0x800  # linux/fcntl.h
AT_STATX_DONT_SYNC = 0x4000
STATX_BASIC_STATS = 0x7FF  # linux/stat.h


class _Timestamp(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_int64), ("nsec", ctypes.c_uint32), ("pad", ctypes.c_int32))


class _Statx(ctypes.Structure):  # struct statx of linux/stat.h
    _fields_ = (
        ("mask", ctypes.c_uint32),
        ("blksize", ctypes.c_uint32),
        ("attributes", ctypes.c_uint64),
        ("nlink", ctypes.c_uint32),
        ("uid", ctypes.c_uint32),
        ("gid", ctypes.c_uint32),
        ("mode", ctypes.c_uint16),
        ("pad1", ctypes.c_uint16),
        ("ino", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("blocks", ctypes.c_uint64),
        ("attributes_mask", ctypes.c_uint64),
        ("atime", _Timestamp),
        ("btime", _Timestamp),
        ("ctime", _Timestamp),
        ("mtime", _Timestamp),
        ("rdev_major", ctypes.c_uint32),
        ("rdev_minor", ctypes.c_uint32),
        ("dev_major", ctypes.c_uint32),
        ("dev_minor", ctypes.c_uint32),
        ("spare", ctypes.c_uint64 * 14),
    )


@dataclass(frozen=True, slots=True)
class FileStatus:
    device: tuple[int, int]  # major, minor
    ino: int
    mode: int
    uid: int
    gid: int
    ctime_ns: int
    mtime_ns: int


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def statx(dir_fd: int, path: str) -> FileStatus:
    """Follows links. Raises OSError."""
    buffer = _Statx()
    flags = AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC
    if _libc().statx(dir_fd, os.fsencode(path), flags, STATX_BASIC_STATS, ctypes.byref(buffer)) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), path)
    return FileStatus(
        device=(buffer.dev_major, buffer.dev_minor),
        ino=buffer.ino,
        mode=buffer.mode,
        uid=buffer.uid,
        gid=buffer.gid,
        ctime_ns=buffer.ctime.sec * 1_000_000_000 + buffer.ctime.nsec,
        mtime_ns=buffer.mtime.sec * 1_000_000_000 + buffer.mtime.nsec,
    )
