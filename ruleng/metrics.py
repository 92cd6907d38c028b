"""What a run counted: events, matches, alerts, actions, losses, time by stage; and the words for it at the end.

Plain counters, one object a run, nothing global. `LossLedger` is the ports.Ledger of a run: every loss goes through it, and
comes back as `ruleng.lost` events that rules can match.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from ruleng.alert import Alert, Outcome, Priority
from ruleng.event import Arg, Event
from ruleng.ports import Clock, Loss
from ruleng.sinks.encode.values import iso, printable

_CAUSES_MAX = 1000
"""Different causes told apart; reasons are fixed texts, so more would be a reason that carries data."""

_OTHER = "other reasons"
_NOT_SOURCES = frozenset({"sink", "queue", "state", "actions"})  # first words of `where` that name no source
_TYPE = attrgetter("type")


@dataclass(slots=True)
class _Cause:
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    sample: str | None = None

    def add(self, count: int, now_ns: int, sample: str | None) -> None:
        if not self.count:
            self.first_ns = now_ns
            self.sample = sample
        self.count += count
        self.last_ns = now_ns


class LossLedger:
    """Counts losses by place and reason. May be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._all: dict[tuple[str, str], _Cause] = {}
        self._new: dict[tuple[str, str], _Cause] = {}

    def lost(self, where: str, reason: str, count: int = 1, *, sample: str | None = None) -> None:
        now_ns = self._clock.now_ns()
        with self._lock:
            key = (where, reason)
            if key not in self._all and len(self._all) >= _CAUSES_MAX:
                key = (where.partition(".")[0], _OTHER)
            for causes in (self._all, self._new):
                cause = causes.get(key)
                if cause is None:
                    cause = causes[key] = _Cause()
                cause.add(count, now_ns, sample)

    def losses(self) -> tuple[Loss, ...]:
        """All of the run, in the order in which they first happened."""
        with self._lock:
            return tuple(
                Loss(where=where, reason=reason, count=c.count, first_ns=c.first_ns, last_ns=c.last_ns, sample=c.sample)
                for (where, reason), c in self._all.items()
            )

    def drain(self) -> list[Event]:
        """What was lost since the last call, as `ruleng.lost` events."""
        if not self._new:
            return []
        with self._lock:
            new, self._new = self._new, {}
        return [_event(where, reason, cause) for (where, reason), cause in new.items()]


def _event(where: str, reason: str, cause: _Cause) -> Event:
    args: dict[str, Arg] = {
        "count": cause.count,
        "where": where,
        "reason": reason,
        "types": (),
        "first": cause.first_ns,
        "last": cause.last_ns,
    }
    if (source := where.partition(".")[0]) not in _NOT_SOURCES:
        args["source"] = source
    if cause.sample is not None:
        args["sample"] = cause.sample
    return Event(type="ruleng.lost", time_ns=cause.last_ns, args=args, origin="ruleng")


@dataclass(slots=True)
class RunStats:
    """The counters of a run. Times are nanoseconds; `started_ns` is of the monotonic clock."""

    clock: Clock
    ledger: LossLedger = field(init=False)
    started_ns: int = field(init=False)
    events: Counter[str] = field(default_factory=Counter)  # by type
    matches: Counter[str] = field(default_factory=Counter)  # by rule
    alerts: Counter[tuple[str, Priority]] = field(default_factory=Counter)  # by rule and priority
    suppressed: Counter[str] = field(default_factory=Counter)  # alerts that a throttle held back, as told by the next one
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)  # by action and outcome
    stages_ns: Counter[str] = field(default_factory=Counter)  # time spent, by stage
    sinks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # counters of each sink, when they are closed

    def __post_init__(self) -> None:
        self.ledger = LossLedger(self.clock)
        self.started_ns = self.clock.monotonic_ns()

    def saw(self, batch: Sequence[Event]) -> None:
        self.events.update(map(_TYPE, batch))

    def matched(self, rule: str) -> None:
        self.matches[rule] += 1

    def alerted(self, alert: Alert) -> None:
        self.alerts[alert.rule, alert.priority] += 1
        if alert.suppressed:
            self.suppressed[alert.rule] += alert.suppressed

    def acted(self, outcome: Outcome) -> None:
        self.actions[outcome.action, outcome.outcome] += 1

    def spent(self, stage: str, time_ns: int) -> None:
        self.stages_ns[stage] += time_ns

    def elapsed_ns(self) -> int:
        return self.clock.monotonic_ns() - self.started_ns


def as_json(stats: RunStats) -> dict[str, Any]:
    """The counters as a document; durations in seconds."""
    elapsed_s = stats.elapsed_ns() / 10**9
    events = stats.events.total()
    return {
        "elapsed_s": elapsed_s,
        "events": events,
        "events_per_s": _rate(events, elapsed_s),
        "events_by_type": dict(stats.events.most_common()),
        "matches": dict(stats.matches.most_common()),
        "alerts": [
            {"rule": rule, "priority": priority.label, "count": count} for (rule, priority), count in _by_severity(stats.alerts)
        ],
        "suppressed": dict(stats.suppressed.most_common()),
        "actions": [
            {"action": action, "outcome": outcome, "count": count} for (action, outcome), count in sorted(stats.actions.items())
        ],
        "lost": [
            {
                "where": loss.where,
                "reason": loss.reason,
                "count": loss.count,
                "first": iso(loss.first_ns or 0),
                "last": iso(loss.last_ns or 0),
                "sample": loss.sample,
            }
            for loss in stats.ledger.losses()
        ],
        "stages_s": {stage: time_ns / 10**9 for stage, time_ns in stats.stages_ns.items()},
        "sinks": {name: dict(counters) for name, counters in stats.sinks.items()},
    }


def summary(stats: RunStats) -> str:
    """Some lines for a person, at the end of a run."""
    elapsed_s = stats.elapsed_ns() / 10**9
    events = stats.events.total()
    lines = [f"{_many(events, 'event')} in {elapsed_s:.1f} s, {_rate(events, elapsed_s):,} events/s"]
    alerts = stats.alerts.total()
    held = stats.suppressed.total()
    lines.append(f"{_many(alerts, 'alert')}{f', {held:,} more held back by throttles' if held else ''}")
    lines += _rows((f"{priority.label}", rule, count) for (rule, priority), count in _by_severity(stats.alerts))
    if stats.actions:
        lines.append("actions: " + ", ".join(f"{name} {outcome} {n:,}" for (name, outcome), n in sorted(stats.actions.items())))
    losses = stats.ledger.losses()
    lines.append(f"lost: {sum(loss.count for loss in losses):,}" if losses else "nothing was lost")
    lines += _rows((loss.where, _why(loss), loss.count) for loss in losses)
    if stats.stages_ns:
        lines.append("time: " + ", ".join(f"{stage} {time_ns / 10**9:.1f} s" for stage, time_ns in stats.stages_ns.items()))
    return "\n".join(lines)


def _rows(rows: Iterable[tuple[str, str, int]]) -> list[str]:
    """Count, kind and text, in columns."""
    found = list(rows)
    width = max((len(kind) for kind, _, _ in found), default=0)
    digits = max((len(f"{count:,}") for _, _, count in found), default=0)
    return [f"  {count:>{digits},}  {kind:{width}}  {printable(text)}" for kind, text, count in found]


def _why(loss: Loss) -> str:
    when = "" if loss.first_ns is None or loss.last_ns is None else f", {iso(loss.first_ns, 0)} to {iso(loss.last_ns, 0)}"
    return f"{loss.reason} (first: {loss.sample}{when})" if loss.sample else f"{loss.reason}{when}"


def _by_severity(alerts: Counter[tuple[str, Priority]]) -> list[tuple[tuple[str, Priority], int]]:
    """The severe first, then the many, then by name."""
    return sorted(alerts.items(), key=lambda row: (row[0][1], -row[1], row[0][0]))


def _rate(count: int, elapsed_s: float) -> int:
    return round(count / elapsed_s) if elapsed_s > 0 else 0


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
