"""`text`, `json`, and `stdout` (text on a terminal, JSON lines in a pipe): alerts on standard output.

It writes to the descriptor itself, so that no buffer of Python's is left to fail at exit. When the reader is gone
(`ruleng ... | head`) it raises SinkClosedError: this sink is over, and it is for the pipeline to say whether the run is.
A disk that is full (`ruleng ... > file`) is a SinkError: what was written of a line is remembered and continued.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable, Mapping, Sequence

from ruleng.alert import Alert
from ruleng.errors import SinkClosedError, SinkError
from ruleng.sinks.encode import text
from ruleng.sinks.encode.formats import Encode

STDOUT = 1


def wants_text(fd: int = STDOUT) -> bool:
    return os.isatty(fd)


def wants_colour(environ: Mapping[str, str], fd: int = STDOUT) -> bool:
    """On a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb."""
    return os.isatty(fd) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def text_encoder(*, colour: bool) -> Encode:
    def encode(alert: Alert) -> bytes:
        return text.block(alert, colour=colour).encode("utf-8", "replace")

    return encode


def lines_of(encode: Encode) -> Encode:
    def line(alert: Alert) -> bytes:
        return encode(alert) + b"\n"

    return line


class StdoutSink:
    """A Blocking sink. `encode` gives whole lines, their ends included."""

    idle_s: float | None = None

    def __init__(self, name: str, encode: Encode, fd: int = STDOUT, write: Callable[[int, bytes], int] = os.write) -> None:
        self.name = name
        self._encode = encode
        self._fd = fd
        self._write = write
        self._rest = b""  # of an alert that was taken
        self._counts = dict.fromkeys(("alerts", "bytes", "errors"), 0)

    def open(self) -> None:
        try:
            os.fstat(self._fd)
        except OSError as error:
            raise SinkClosedError(self.name, "standard output is closed") from error

    def write(self, alerts: Sequence[Alert]) -> None:
        """One write for all: whoever reads sees a batch at once."""
        lines = [self._encode(alert) for alert in alerts]
        stopped = self._flush(b"".join([self._rest, *lines]))
        if stopped is not None:
            self._stopped_at(*stopped, lines)
        self._rest = b""
        self._counts["alerts"] += len(alerts)

    def idle(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        stopped = self._flush(self._rest)
        if stopped is not None:
            self._stopped_at(*stopped, ())

    def reopen(self) -> None:
        """Nothing to open anew."""

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    def _flush(self, data: bytes) -> tuple[int, OSError] | None:
        """None when all of it went out, else how many bytes did, and why no more."""
        done = 0
        while done < len(data):
            try:
                done += self._write(self._fd, data[done:])
            except BlockingIOError:  # somebody made the terminal non-blocking
                select.select([], [self._fd], [])
            except OSError as error:
                self._counts["bytes"] += done
                return done, error
        self._counts["bytes"] += done
        return None

    def _stopped_at(self, done: int, error: OSError, lines: Sequence[bytes]) -> None:
        """Raises; an alert of which some bytes went out counts as taken, and its rest goes out first next time."""
        self._counts["errors"] += 1
        if error.errno == errno.EPIPE:
            raise SinkClosedError(self.name, "whoever read standard output is gone") from error
        done -= len(self._rest)
        taken = 0
        if done < 0:
            self._rest = self._rest[done:]
        else:
            self._rest = b""
            while done > 0:
                self._rest = lines[taken][done:]
                done -= len(lines[taken])
                taken += 1
        self._counts["alerts"] += taken
        hint = "free some space; alerts wait in memory meanwhile" if error.errno == errno.ENOSPC else None
        raise SinkError(self.name, f"standard output: {error.strerror or error}", hint=hint, taken=taken) from error
