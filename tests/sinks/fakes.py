"""Stand-ins for what sinks are given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ruleng.sinks.tools import Tools


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, now_ns: int = 1_700_000_000 * 10**9) -> None:
        self.wall_ns = now_ns
        self.steady_ns = 10**12

    def now_ns(self) -> int:
        return self.wall_ns

    def monotonic_ns(self) -> int:
        return self.steady_ns

    def pass_s(self, seconds: float) -> None:
        self.wall_ns += int(seconds * 10**9)
        self.steady_ns += int(seconds * 10**9)


@dataclass
class Ledger:
    losses: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def lost(self, where: str, reason: str, count: int = 1, *, sample: str | None = None) -> None:
        self.losses[where, reason] += count
        if sample is not None:
            self.samples.append(sample)


@dataclass
class Bench:
    """Tools, and what came of them."""

    ledger: Ledger = field(default_factory=Ledger)
    clock: Clock = field(default_factory=Clock)
    reports: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def tools(self) -> Tools:
        return Tools(ledger=self.ledger, clock=self.clock, report=self.reports.append, environ=self.environ)
