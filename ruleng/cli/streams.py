"""The process's standard streams as commands want them: open, and with a failure of standard output that is told apart."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class OutputError(Exception):
    """Standard output takes no more; `__cause__` is why."""


class _StandardOutput(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError from error


def prepare() -> None:
    """Once, before anything is printed.

    A stream may be closed (`ruleng ... >&-`): the next file that is opened must not take its place. Names of files may be no
    text, and are shown with escapes.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - stays open
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_StandardOutput(1, "wb", closefd=False)),
        encoding=sys.stdout.encoding,
        errors="backslashreplace",
        line_buffering=sys.stdout.isatty(),
    )


def give_up() -> None:
    """Nothing more goes out: else the interpreter complains once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
