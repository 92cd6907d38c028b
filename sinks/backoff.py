"""How long to wait before trying again: doubled each time, up to a limit, and never the same for two hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import random


@dataclass(slots=True)
class Backoff:
    """`delay_s` gives the next wait: half of it fixed, half random, so that a fleet does not come back all at once."""

    first_s: float = 0.25
    limit_s: float = 30.0
    chance: Callable[[], float] = random  # in [0, 1)
    failures: int = 0

    def delay_s(self) -> float:
        whole = min(self.limit_s, self.first_s * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return whole * (0.5 + self.chance() / 2)

    def reset(self) -> None:
        self.failures = 0
