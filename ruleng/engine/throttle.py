"""Throttles: at most so many alerts of a rule in a period, for each value of the fields that it names.

Times are the events' own, so a replay is throttled as the live run was. Nothing that is held back is lost without count: the
next alert of the rule and key says how many there were.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field

from ruleng.lang.checked import Throttle

MOST_KEYS = 10_000
"""Keys of all rules together; the one that was longest without an alert goes first."""


@dataclass(slots=True)
class _Window:
    times: deque[int]  # of the last alerts, oldest first
    suppressed: int = 0


@dataclass(slots=True)
class Throttles:
    """Outlives a RuleSet: after a reload the windows go on, by the rules' names."""

    most_keys: int = MOST_KEYS
    evicted: int = 0
    suppressed: dict[str, int] = field(default_factory=dict)  # by rule, in all
    _windows: OrderedDict[Hashable, _Window] = field(default_factory=OrderedDict)

    def admit(self, rule: str, throttle: Throttle, values: tuple[Hashable, ...], now_ns: int) -> int | None:
        """How many alerts were held back since the last one, if this one may pass; else None.

        When time goes back by more than the period, the window begins anew: a wrong time in one event must not silence a rule.
        """
        key = (rule, throttle.count, throttle.period_ns, values)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(deque(maxlen=throttle.count))
            if len(self._windows) > self.most_keys:
                self._windows.popitem(last=False)
                self.evicted += 1
        elif window.times and now_ns < window.times[-1] - throttle.period_ns:
            window.times.clear()
        times = window.times
        if len(times) == throttle.count and now_ns - times[0] < throttle.period_ns:
            window.suppressed += 1
            self.suppressed[rule] = self.suppressed.get(rule, 0) + 1
            return None
        times.append(now_ns)
        self._windows.move_to_end(key)
        held, window.suppressed = window.suppressed, 0
        return held
