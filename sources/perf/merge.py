"""Records of several CPUs in the order of their time.

Each CPU's ring is in order, or nearly; rings are not ordered against each other. What is younger than the moment at which the
reading began is held back until the next time: another ring, read earlier, may have got something older meanwhile.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from ruleng.normalise.perf.record import Record

_time = itemgetter(0)


class Merger:
    """`late` counts records that came after a younger one was given out. They are given out all the same."""

    def __init__(self) -> None:
        self.late = 0
        self._held: list[Record] = []
        self._until_ns = 0

    def merge(self, records: list[Record], until_ns: int) -> list[Record]:
        """`records`: what all rings gave, one after the other. `until_ns`: up to when they are complete, on their own clock."""
        found = self._held + records if self._held else records
        found.sort(key=_time)  # runs that are in order already: a merge
        if found and found[-1][0] > until_ns:
            border = bisect_right(found, until_ns, key=_time)
            found, self._held = found[:border], found[border:]
        else:
            self._held = []
        if found:
            if found[0][0] < self._until_ns:
                self.late += bisect_right(found, self._until_ns - 1, key=_time)
            self._until_ns = max(self._until_ns, found[-1][0])
        return found

    @property
    def holds(self) -> bool:
        """Whether something waits for the next reading, for which nobody needs to be woken any more."""
        return bool(self._held)

    def rest(self) -> list[Record]:
        """What is held back, at the end."""
        held, self._held = self._held, []
        return held
