"""Signals for a process, for all that descends from it, or for a whole container.

Where there is more than one, all are stopped first and looked for again until no new one turns up, so that none can fork
itself out; then the signal goes out, ancestors first, the leaves last.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ruleng.actions.grip import Describe, Grip, grip
from ruleng.actions.guard import Target
from ruleng.state.procfs_io import ProcReader

MAX_TARGETS = 1_024
_ROUNDS = 16  # of looking for newcomers: each must be forked by one that is not stopped yet

Find = Callable[[], Iterable[tuple[int, int]]]
"""(pid, start_ns) of everything in scope now, ancestors before their descendants."""


@dataclass(slots=True)
class Report:
    """What became of each process."""

    done: list[Target] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    refused: list[tuple[Target, str]] = field(default_factory=list)
    failed: list[tuple[Target | int, str]] = field(default_factory=list)

    def problems(self) -> str | None:
        """One line about those that were left alone; None when there are none."""
        told = [f"{target}: {reason}" for target, reason in (*self.refused, *self.failed)]
        return "; ".join(told[:5]) + (f"; and {len(told) - 5} more" if len(told) > 5 else "") if told else None


@dataclass(frozen=True, slots=True)
class Hand:
    """What it takes to act: where to look, how to describe to the guard, and what the guard says."""

    reader: ProcReader
    describe: Describe
    refusal: Callable[[Target], str | None]

    def take(self, pid: int, start_ns: int, report: Report) -> Grip | None:
        """A grip on a process that may be acted on; else None, and the report says why."""
        try:
            held = grip(self.reader, pid, start_ns, self.describe)
        except OSError as error:
            report.failed.append((pid, _named(error)))
            return None
        if held is None:
            report.gone.append(pid)
            return None
        reason = self.refusal(held.target)
        if reason is not None:
            report.refused.append((held.target, reason))
            held.close()
            return None
        return held


def signal_one(hand: Hand, pid: int, start_ns: int, number: int) -> Report:
    report = Report()
    held = hand.take(pid, start_ns, report)
    if held is not None:
        with held:
            _send(held, number, report)
    return report


def signal_all(hand: Hand, find: Find, number: int) -> Report:
    """More than MAX_TARGETS at the first look are too many: nothing is done, and the report says so."""
    report = Report()
    held: list[Grip] = []
    met: set[tuple[int, int]] = set()
    try:
        for _ in range(_ROUNDS):
            fresh = [one for one in find() if one not in met]
            if not fresh:
                break
            met.update(fresh)
            if len(met) > MAX_TARGETS:
                report.failed.append((fresh[0][0], f"more than {MAX_TARGETS} processes: too many for one action"))
                _release(held)
                return report
            taken = [one for pid, start_ns in fresh if (one := hand.take(pid, start_ns, report)) is not None]
            for one in taken:
                _stop(one)
            held += taken
        for one in held:
            sent = _send(one, number, report)
            if not sent or number not in (signal.SIGKILL, signal.SIGSTOP):
                _continue(one)  # a stopped process would not take the signal, and one that took none is not left stopped
    finally:
        for one in held:
            one.close()
    return report


def _send(held: Grip, number: int, report: Report) -> bool:
    try:
        held.send(number)
    except ProcessLookupError:
        report.gone.append(held.target.pid)
        return True
    except OSError as error:
        report.failed.append((held.target, _named(error)))
        return False
    report.done.append(held.target)
    return True


def _stop(held: Grip) -> None:
    try:
        held.send(signal.SIGSTOP)
    except OSError:
        return  # it has gone, or the signal proper will fail with the same reason and say so


def _continue(held: Grip) -> None:
    try:
        held.send(signal.SIGCONT)
    except OSError:
        return  # as above


def _release(held: Iterable[Grip]) -> None:
    for one in held:
        _continue(one)


def _named(error: OSError) -> str:
    return f"{errno.errorcode.get(error.errno or 0, error.errno)}: {error.strerror}"
