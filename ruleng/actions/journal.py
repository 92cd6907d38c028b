"""The action log: what ruleng was about to do and what came of it, as JSON lines that a crash cannot take back.

Each destructive action leaves two lines, one before (`"phase": "intent"`) and one after (`"phase": "outcome"`), each on
the disk before anything else happens. An intent without an outcome is where ruleng, or the host, died. What was refused or
only tried (dry run) leaves an outcome alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from ruleng.errors import HostError
from ruleng.ports import Ledger

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_MODE = 0o600


class Journal:
    """Append-only. `path` None keeps no log.

    An action whose line cannot be written (a full disk) is still taken and the missing line counted: an attacker who
    fills the disk must not be able to stop the response.
    """

    def __init__(self, path: Path | None, ledger: Ledger) -> None:
        self.path = path
        self._ledger = ledger
        self._fd: int | None = None

    def open(self) -> None:
        """Once; a second time does nothing. Raises HostError. A line that a crash cut off is ended, so that the next one stands
        alone.
        """
        if self.path is None or self._fd is not None:
            return
        try:
            fd = os.open(self.path, _FLAGS, _MODE)
        except OSError as error:
            raise HostError(
                f"{self.path}: the action log cannot be opened: {error.strerror}",
                errno=error.errno,
                hint="name a file in an existing directory that only root can write to",
            ) from error
        self._fd = fd
        if _is_torn(self.path):
            self._append(b"\n")

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Journal:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def write(self, entry: Mapping[str, Any], *, sync: bool) -> None:
        """With `sync` it returns when the line is on the disk, or when the loss is counted."""
        if self._fd is not None:
            self._append(orjson.dumps(_clean(entry)) + b"\n", sync=sync)

    def _append(self, line: bytes, *, sync: bool = True) -> None:
        fd = self._fd
        if fd is None:
            return
        try:
            written = os.write(fd, line)
            if written < len(line):
                raise OSError(None, "the line was cut off")
            if sync:
                os.fsync(fd)
        except OSError as error:
            self._ledger.lost("actions.journal", f"the action log cannot be written: {error.strerror}", sample=str(self.path))


def read_journal(path: Path) -> tuple[list[dict[str, Any]], int]:
    """(entries, how many lines cannot be read). Raises OSError."""
    entries, broken = [], 0
    for line in path.read_bytes().splitlines():
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            broken += 1
            continue
        if isinstance(entry, dict):
            entries.append(entry)
        else:
            broken += 1
    return entries, broken


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"


def _clean(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Text of the kernel may hold bytes that are not UTF-8: they stand as escapes."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for name, value in entry.items()
        if value is not None
    }
