"""`ruleng run` in a process of its own: started, waited for, watched, ended. And what of it is in the kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ruleng.sources.audit.kernel_rules import Owner, owner_of
from ruleng.sources.audit.netlink import Control

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "ruleng")
DEADLINE_S = 30.0
READY = "Ctrl-C ends"

T = TypeVar("T")


def until(look: Callable[[], T], what: str, deadline_s: float = DEADLINE_S) -> T:
    """What `look` gives as soon as it is true; fails when it is not in time."""
    end = time.monotonic() + deadline_s
    while not (found := look()):
        assert time.monotonic() < end, f"not in {deadline_s:.0f} s: {what}"
        time.sleep(0.02)
    return found


class Running:
    """A `ruleng run` with a sink of JSON lines in `folder`."""

    def __init__(
        self, folder: Path, *arguments: str | Path, wrapped: Sequence[str] = (), sinks: Sequence[str] | None = None
    ) -> None:
        """`wrapped`: the command that starts it, where it is not started directly."""
        self.alerts_path = folder / "alerts.jsonl"
        self.told_path = folder / f"told-{time.monotonic_ns()}"
        specs = [f"jsonl:{self.alerts_path}"] if sinks is None else sinks
        options = [text for spec in specs for text in ("--sink", spec)]
        command = [*wrapped, *COMMAND, "run", "--source", "audit", *options, *map(str, arguments)]
        with self.told_path.open("wb") as told:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=told, stderr=told, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def told(self) -> str:
        return self.told_path.read_text()

    def wait_ready(self) -> None:
        until(lambda: READY in self.told or self.process.poll() is not None, "ruleng is ready")
        assert self.process.poll() is None, self.told

    def wait_told(self, text: str) -> None:
        until(lambda: text in self.told or self.process.poll() is not None, f"{text!r} in {self.told_path}")
        assert text in self.told, self.told

    def alerts(self, rule: str | None = None) -> list[dict[str, Any]]:
        """Those that are written to their end, of all rules or of one."""
        if not self.alerts_path.exists():
            return []
        lines = self.alerts_path.read_bytes().split(b"\n")[:-1]
        return [alert for alert in map(json.loads, lines) if rule is None or alert["rule"] == rule]

    def wait_alerts(
        self, rule: str, count: int = 1, where: Callable[[dict[str, Any]], bool] = lambda alert: True
    ) -> list[dict[str, Any]]:
        """The alerts of a rule that are meant, when there are so many."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            found[:] = filter(where, self.alerts(rule))
            return len(found) >= count or self.process.poll() is not None

        until(enough, f"{count} alerts of {rule} in {self.alerts_path}")
        assert len(found) >= count, self.told
        return found

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        self.send(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def running(
    folder: Path, *arguments: str | Path, wrapped: Sequence[str] = (), sinks: Sequence[str] | None = None
) -> Iterator[Running]:
    """Ready when entered; ended when left, whatever happens, so that nothing remains in the kernel."""
    run = Running(folder, *arguments, wrapped=wrapped, sinks=sinks)
    try:
        run.wait_ready()
        yield run
    finally:
        if run.process.poll() is None:
            run.end()


def owners() -> list[Owner]:
    """Who has rules of ruleng's in the kernel."""
    with Control() as control:
        return [owner for rule in control.rules() if (owner := owner_of(rule)) is not None]


def has_rules(pid: int) -> bool:
    return any(owner.pid == pid for owner in owners())


def settings() -> tuple[int, int, int]:
    """(enabled, pid of the daemon, backlog limit) of the kernel's audit."""
    with Control() as control:
        now = control.status()
    return now.enabled, now.pid, now.backlog_limit
