"""The bounded table of processes: pid -> Node. What goes when it is full, and when the exited go.

Exited ones go first, oldest first. Of the living that goes which was not asked for since eviction last passed by ("second
chance"): a flag per use instead of a list to be kept in order, because use happens at every event.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ruleng.event import NO_TASK, evolve
from ruleng.state.limits import Limits
from ruleng.state.lineage import Node


@dataclass(slots=True)
class Counters:
    """What happened to the table since the start."""

    seeded: int = 0  # read from /proc by seed and repair
    vanished: int = 0  # gone before /proc could be read
    forks: int = 0
    execs: int = 0
    exits: int = 0
    reused: int = 0  # pids seen to stand for another process than before
    evicted: int = 0  # of the living, because the table was full
    forgotten: int = 0  # of the exited, after their grace
    lineages_cut: int = 0
    args_cut: int = 0


class Table:
    """`on_eviction` is called for each living process that had to go."""

    def __init__(self, limits: Limits, counted: Counters, on_eviction: Callable[[], None]) -> None:
        self.nodes: OrderedDict[int, Node] = OrderedDict()
        self.get = self.nodes.get  # no call more than needed: asked at every event
        self._limits = limits
        self._counted = counted
        self._on_eviction = on_eviction
        self._exited: deque[tuple[int, Node]] = deque()

    def __len__(self) -> int:
        return len(self.nodes)

    def living(self) -> Iterator[tuple[int, Node]]:
        """A copy: the table may change meanwhile."""
        return iter([(pid, node) for pid, node in self.nodes.items() if node.exited_ns is None])

    def insert(self, pid: int, node: Node) -> None:
        while len(self.nodes) >= self._limits.processes:
            self._evict()
        node.asked = True  # its parent may need the place of one more before it is filled
        self.nodes[pid] = node

    def remove(self, pid: int, node: Node) -> None:
        """It leaves the table; whoever holds it can still read it."""
        del self.nodes[pid]
        node.in_table = False
        # leaders hold themselves, and the garbage collector does not track Process: let go
        node.now = evolve(node.now, session=NO_TASK, group=NO_TASK)

    def exited(self, pid: int, node: Node, time_ns: int) -> None:
        node.exited_ns = time_ns
        node.now = evolve(node.now)  # whoever kept the last snapshot instead of asking sees that something has happened
        self._exited.append((pid, node))
        self.purge(time_ns)

    def purge(self, time_ns: int) -> None:
        """Forget the exited ones whose grace is over, or that are too many."""
        while self._exited:
            _, node = self._exited[0]
            over = node.exited_ns is None or time_ns - node.exited_ns > self._limits.exited_grace_ns
            if not over and len(self._exited) <= self._limits.exited:
                return
            self._forget_first()

    def _evict(self) -> None:
        if self._exited:
            self._forget_first()
            return
        while True:
            pid, node = next(iter(self.nodes.items()))
            if not node.asked:
                break
            node.asked = False
            self.nodes.move_to_end(pid)
        self.remove(pid, node)
        self._counted.evicted += 1
        self._on_eviction()

    def _forget_first(self) -> None:
        pid, node = self._exited.popleft()
        if node.exited_ns is None or self.nodes.get(pid) is not node:
            return  # it lives after all, or another process has its pid
        self.remove(pid, node)
        self._counted.forgotten += 1
