"""Who descends from whom: nodes of the process tree and how they are linked.

Children hold their parent's node, so a parent stays readable after it has exited and left the table. Two things must then
be held off: a ring of parents (records can be forged, pids are reused), and a chain that grows for ever (a program that
forks and exits, again and again, would keep all its dead ancestors in memory).
"""

from __future__ import annotations

from ruleng.event import NO_TASK, Process, Task, evolve

HARD_FACTOR = 4


class Node(Task):
    """A Task and what the table knows about it besides."""

    __slots__ = ("asked", "exited_ns", "first_ns", "height", "in_table", "kernel_ppid")

    def __init__(self, now: Process, first_ns: int) -> None:
        self.now = now
        self.first_ns = first_ns  # when it was first heard of
        self.kernel_ppid = now.ppid  # the kernel's present parent: differs from the lineage once the parent has exited
        self.exited_ns: int | None = None
        self.in_table = True
        self.asked = False  # since eviction last passed by
        self.height = 0  # at least as many generations are below it

    @property
    def is_gone(self) -> bool:
        return self.exited_ns is not None or not self.in_table


def link(child: Node, parent: Node, limit: int) -> tuple[Task, bool]:
    """(the task that the child may take as its parent, whether an old part of the chain was cut off).

    Counted from the youngest descendant, ancestors beyond `limit` that are gone lose their own parents, and beyond
    HARD_FACTOR times that the living do too. NO_TASK when the child is an ancestor of the parent, or itself beyond that.
    """
    hard = limit * HARD_FACTOR
    distance = child.height
    if distance >= hard:
        return NO_TASK, True
    up: Task = parent
    while isinstance(up, Node):
        if up is child:
            return NO_TASK, True
        distance += 1
        up.height = max(up.height, distance)
        above = up.now.parent
        if above is not NO_TASK and (distance >= hard or (distance >= limit and up.is_gone)):
            up.now = evolve(up.now, parent=NO_TASK)
            return parent, True
        up = above
    return parent, False
