"""What a person at the terminal sees besides results: complaints, progress, colours. All of it goes to standard error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

from ruleng.errors import RulengError, RulesError


def wants_colour(stream: TextIO) -> bool:
    """On a terminal, unless NO_COLOR is set (no-color.org) or TERM is dumb."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def complain(error: RulengError, prog: str) -> None:
    """One error, and what to do about it."""
    if isinstance(error, RulesError):
        from ruleng.lang.report import render_text

        print(render_text(error.diagnostics, colour=wants_colour(sys.stderr)), file=sys.stderr)
    print(f"{prog}: {error}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)


def note(text: str) -> None:
    print(text, file=sys.stderr)


class Progress:
    """One line that is rewritten, at most five times a second, on a terminal only: done of all, rate, time to go."""

    INTERVAL_S = 0.2

    def __init__(self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._shown = stream.isatty()
        self._start = clock()
        self._next = self._start + self.INTERVAL_S

    def update(self, events: int, done: int, total: int) -> None:
        """`done` of `total` bytes are read."""
        now = self._clock()
        if not self._shown or now < self._next:
            return
        self._next = now + self.INTERVAL_S
        elapsed = now - self._start
        left = elapsed * (total - done) / done if done else 0.0
        share = 100 * done / total if total else 0.0
        self._stream.write(f"\r\x1b[K{share:5.1f} %  {events:,} events  {events / elapsed:,.0f}/s  {_clock(left)} left")
        self._stream.flush()

    def clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
