"""Layouts of tracepoints, as the kernel describes them in tracefs. `parse_format` is pure; `Tracefs` finds the files.

Where tracefs is not mounted, ruleng mounts it for itself alone, without a place in the file system (fsmount(2)), so that
nothing is left to unmount.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from ruleng.errors import HostError
from ruleng.sources.perf import abi

PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_LIMIT_BYTES = 65_536  # a format file has a few kB, print fmt included
_FSCONFIG_CMD_CREATE = 6  # linux/mount.h, as the following
_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_HINT = "run with --source audit"

Shape = Literal["number", "numbers", "text", "data_loc", "rel_loc"]
"""number, numbers (an array); text in place, or elsewhere in the record: 16 bits of place, 16 of size (data_loc: from the
beginning of the data, rel_loc: from behind the field)."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    shape: Shape
    offset: int  # in bytes, as are the following
    size: int
    count: int  # of an array
    is_signed: bool


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    id: int
    fields: Mapping[str, Field]


_LINE = re.compile(r"\tfield:([^;]+);\toffset:(\d{1,9});\tsize:(\d{1,9});(?:\tsigned:([01]);)?", re.ASCII).fullmatch
_ID = re.compile(r"ID: (\d{1,5})", re.ASCII).fullmatch
_MOST = 65_535  # bytes of a record: the size in its header has 16 bits


def parse_format(name: str, text: str) -> Format:
    """`name` is what to call it: sched:sched_process_exec. Raises HostError saying what is wrong."""
    lines = text.splitlines()
    found = next((match for line in lines if (match := _ID(line))), None)
    if found is None:
        raise _odd(name, "it has no ID")
    if not any(line.startswith("print fmt:") for line in lines):
        raise _odd(name, "it is cut off: no `print fmt` at its end")
    fields: dict[str, Field] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("\tfield"):
            field = _field(name, number, line)
            fields[field.name] = field
    if "common_type" not in fields or fields["common_type"].offset != 0 or fields["common_type"].size != 2:
        raise _odd(name, "common_type is not its first two bytes")
    return Format(name, int(found[1]), fields)


def _field(name: str, number: int, line: str) -> Field:
    match = _LINE(line)
    if match is None:
        raise _odd(name, f"line {number} is no field: {line.strip()[:80]!r}")
    declared, offset, size = match[1].strip(), int(match[2]), int(match[3])
    if offset + size > _MOST:
        raise _odd(name, f"line {number} lies outside of a record")
    word, count = declared.rpartition(" ")[2], 1
    if word.endswith("]"):
        word, _, inside = word[:-1].partition("[")
        count = int(inside) if inside.isascii() and inside.isdecimal() and len(inside) < 6 else 0
    is_text = "char" in declared.split() or "char[]" in declared.split()
    shape: Shape = "number"
    if declared.startswith(("__data_loc", "__rel_loc")):
        shape = "data_loc" if declared.startswith("__data_loc") else "rel_loc"
        if size != 4:
            raise _odd(name, f"line {number}: where `{word}` lies is not told in 4 bytes")
    elif declared.endswith("]"):
        shape = "text" if is_text else "numbers"
    item = size // count if count > 0 else 0
    if shape in ("number", "numbers") and (item not in (1, 2, 4, 8) or item * count != size):
        # of no use, and of no harm as long as nobody asks for it
        shape, count = "text", 1
    return Field(word.lstrip("*"), shape, offset, size, max(count, 1), match[4] == "1")


def _odd(name: str, reason: str) -> HostError:
    return HostError(f"tracefs: the format of {name} cannot be read: {reason}", hint=_HINT)


class Tracefs:
    """An open tracefs; `place` says where it is. To be closed; a context manager."""

    def __init__(self, places: tuple[str, ...] = PLACES) -> None:
        """Raises HostError."""
        self._fd = -1
        for place in places:
            with suppress(OSError):
                self._fd = os.open(f"{place}/events", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                self.place = place
                return
        self._fd, self.place = _mounted(), "not mounted: ruleng has it open for itself"

    def format(self, name: str) -> Format:
        """Of a tracepoint, SYSTEM:EVENT. Raises HostError when this kernel does not have it or says odd things of it."""
        path = f"{name.replace(':', '/')}/format"
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._fd)
        except OSError as error:
            raise HostError(f"tracefs: no tracepoint {name}: {error.strerror}", errno=error.errno, hint=_HINT) from error
        try:
            chunks = [os.read(fd, _LIMIT_BYTES)]
            while chunks[-1] and sum(map(len, chunks)) < _LIMIT_BYTES:
                chunks.append(os.read(fd, _LIMIT_BYTES))
        except OSError as error:
            raise HostError(f"tracefs: {name}: {error.strerror}", errno=error.errno, hint=_HINT) from error
        finally:
            os.close(fd)
        return parse_format(name, b"".join(chunks).decode("utf-8", "replace"))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Tracefs:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _mounted() -> int:
    """The events directory of a tracefs that nobody else sees. Raises HostError."""
    held: list[int] = []
    try:
        held.append(abi.call("fsopen", ctypes.c_char_p(b"tracefs"), ctypes.c_uint(_FSOPEN_CLOEXEC)))
        abi.call("fsconfig", ctypes.c_int(held[0]), ctypes.c_uint(_FSCONFIG_CMD_CREATE), None, None, ctypes.c_int(0))
        held.append(abi.call("fsmount", ctypes.c_int(held[0]), ctypes.c_uint(_FSMOUNT_CLOEXEC), ctypes.c_uint(0)))
        return os.open("events", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=held[1])
    except OSError as error:
        raise HostError(
            f"tracefs is neither mounted nor can ruleng mount it: {error.strerror}",
            errno=error.errno,
            hint="as root: mount -t tracefs tracefs /sys/kernel/tracing",
        ) from error
    finally:
        for fd in held:
            os.close(fd)
