"""Old files beside a file: FILE.1 (the newest), FILE.2, ... with `.gz` where they are compressed. Raises OSError."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20


def shift(path: Path, keep: int) -> None:
    """Makes FILE.1 of FILE, FILE.2 of FILE.1 and so on; afterwards at most `keep` old files are left and FILE is gone."""
    for number, old in sorted(_rotated(path), reverse=True):
        if number >= keep:
            old.unlink()
        else:
            old.rename(path.with_name(f"{path.name}.{number + 1}{'.gz' if old.suffix == '.gz' else ''}"))
    if keep:
        path.rename(path.with_name(f"{path.name}.1"))
    else:
        path.unlink()


def compress(path: Path) -> None:
    """Compresses the old files that are not yet; one that a crash left half done begins anew."""
    for _, old in _rotated(path):
        if old.suffix == ".gz":
            continue
        packed = old.with_name(f"{old.name}.gz")
        draft = old.with_name(f"{old.name}.gz.tmp")
        mode = old.stat().st_mode & 0o777
        try:
            with old.open("rb") as plain, draft.open("wb") as file, gzip.open(file, "wb", compresslevel=6) as out:
                os.fchmod(file.fileno(), mode)
                shutil.copyfileobj(plain, out, _CHUNK)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        draft.rename(packed)
        old.unlink()


def _rotated(path: Path) -> Iterator[tuple[int, Path]]:
    pattern = re.compile(re.escape(path.name) + r"\.(\d+)(?:\.gz)?")
    for entry in list(path.parent.iterdir()):
        if match := pattern.fullmatch(entry.name):
            yield int(match[1]), entry
