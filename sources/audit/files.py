"""Log files: which ones, in what order, and their bytes. Thin I/O; nothing here knows what a record is.

Plain or gzip (told by the first bytes), rotated by auditd (audit.log.4 is older than audit.log.3) or by logrotate with dates,
one file, several, or a directory of them; and the file that is being written, followed over its rotations.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from ruleng.errors import InputError
from ruleng.ports import Ledger

CHUNK = 262_144
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
STANDARD_INPUT = "-"
_ROTATED = re.compile(r"(?P<base>.+?\.log)(?:\.(?P<number>[0-9]{1,6})|-(?P<date>[0-9]{4,10}))?(?:\.gz)?")


def ordered(names: Iterable[str], *, rotated: bool = False) -> list[list[Path]]:
    """The files to read, grouped: the files of a group are one log, oldest part first, and events may go on from one to the next.

    A directory stands for the logs in it. With `rotated` a name stands for itself and its older parts beside it. Raises
    InputError for what is not there.
    """
    groups: list[list[Path]] = []
    for name in names:
        path = Path(name)
        try:
            if path.is_dir():
                found = _logs(path.iterdir())
                if not found:
                    raise InputError(
                        "no audit log in this directory", path=name, hint="logs are called audit.log, audit.log.1, ..."
                    )
                groups += found
            elif rotated and name != STANDARD_INPUT:
                beside = [log for log in _logs(path.parent.iterdir()) if log[-1].name == path.name]
                groups += beside or [[_existing(path)]]
            else:
                groups.append([path if name == STANDARD_INPUT else _existing(path)])
        except OSError as error:
            raise InputError(error.strerror or str(error), path=name) from error
    return groups


def _existing(path: Path) -> Path:
    path.stat()
    return path


def _logs(paths: Iterable[Path]) -> list[list[Path]]:
    """Those that are logs, by base name, oldest part first."""
    logs: dict[str, list[tuple[tuple[int, int], Path]]] = {}
    for path in paths:
        match = _ROTATED.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        if match["number"]:
            age = (1, -int(match["number"]))
        elif match["date"]:
            age = (0, int(match["date"]))
        else:
            age = (2, 0)
        logs.setdefault(match["base"], []).append((age, path))
    return [[path for _, path in sorted(parts)] for _, parts in sorted(logs.items())]


class LogFile:
    """One open file. Raises InputError when it cannot be opened."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self._ledger = ledger
        try:
            self._raw = path.open("rb")
            is_gzip = self._raw.peek(2)[:2] == GZIP_MAGIC
        except OSError as error:
            raise InputError(error.strerror or str(error), path=str(path)) from error
        self.is_growing = not is_gzip
        self._stream: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=self._raw) if is_gzip else self._raw

    def read(self) -> bytes:
        """The next bytes; none at the end. What cannot be read is counted, and the file ends there."""
        try:
            return self._stream.read(CHUNK)
        except (OSError, EOFError, zlib.error) as error:
            self._ledger.lost("audit.parse", f"a file cannot be read to its end: {error}", sample=str(self.path))
            return b""

    def done_bytes(self) -> int:
        """How much of the file on disk has been read."""
        return self._raw.tell()

    def has_successor(self) -> bool:
        """Whether the name stands for another file by now, or for less of this one: it was rotated or cut."""
        try:
            there, here = self.path.stat(), Path(f"/proc/self/fd/{self._raw.fileno()}").stat()
        except OSError:
            return False  # between two names: look again
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) or there.st_size < self._raw.tell()

    def close(self) -> None:
        self._stream.close()
        self._raw.close()


def sizes(groups: Iterable[Iterable[Path]]) -> int:
    """Bytes on disk, all together; without what has none."""
    return sum(_size(path) for group in groups for path in group)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
