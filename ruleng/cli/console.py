"""What a person at the terminal sees besides results: complaints, progress, colours. All of it goes to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from ruleng.errors import RulengError, RulesError

if TYPE_CHECKING:
    from ruleng.lang.diagnostics import Diagnostic


def wants_colour(stream: TextIO) -> bool:
    """On a terminal, unless NO_COLOR is set (no-color.org: to anything but nothing) or TERM is dumb."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Console:
    """The `ruleng.pipeline.voice.Voice` of the command line.

    Progress is one line, rewritten at most five times a second, on a terminal only: share, events, rate, time to go.
    """

    INTERVAL_S = 0.2

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._is_terminal = self._stream.isatty()
        self._began: float | None = None
        self._next = 0.0
        self._is_dirty = False  # the progress line stands there

    def say(self, text: str) -> None:
        self.tell(f"ruleng: {text}")

    def tell(self, text: str) -> None:
        self.clear()
        self._write(f"{text}\n")

    def show(self, diagnostics: Sequence[Diagnostic]) -> None:
        if diagnostics:
            from ruleng.lang.report import render_text

            self.tell(render_text(diagnostics, colour=wants_colour(self._stream)))

    def complain(self, error: RulengError, prog: str) -> None:
        """An error, and what to do about it."""
        if isinstance(error, RulesError):
            self.show(error.diagnostics)
        self.tell(f"{prog}: {error}")
        if error.hint:
            self.tell(f"  {error.hint}")

    def progress(self, events: int, done: int, total: int) -> None:
        now = self._clock()
        if self._began is None:
            self._began = now
            self._next = now + self.INTERVAL_S
        if not self._is_terminal or now < self._next:
            return
        self._next = now + self.INTERVAL_S
        elapsed = now - self._began
        left = elapsed * (total - done) / done if done else 0.0
        share = 100 * done / total if total else 0.0
        self._write(f"\r\x1b[K{share:5.1f} %  {events:,} events  {events / elapsed:,.0f}/s  {_clock(left)} left\r")
        self._is_dirty = True

    def clear(self) -> None:
        if self._is_dirty:
            self._is_dirty = False
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        """Whoever does not listen any more does not end the run."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
