"""The system's clock, as ports.Clock."""

from __future__ import annotations

import time


class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()
