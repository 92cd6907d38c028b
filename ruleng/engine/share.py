"""Which values a block of generated code should put into locals: those that it would read or work out more than once.

A local costs a store, and a value that is never needed costs its reading; so what counts is how often a value is needed each
time the block is entered, by the chances of `ruleng.engine.cost`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ruleng.engine.emit import DEEPEST
from ruleng.engine.nodes import Group, Leaf, Node
from ruleng.engine.subjects import Subject
from ruleng.engine.tree import Branch, Hit, Tree

_STORE = 0.6
_LOAD = 0.3

_WORTH = 4.0
"""What a truth value must cost at least to be kept."""


def shared(tree: Tree) -> Iterator[Subject | Node]:
    """What to keep in locals from the start of the block on; what others need comes first."""
    needs = _Needs()
    needs.of_tree(tree, 1.0)
    kept = [thing for thing, times in needs.times.items() if (times - 1) * thing.cost > _STORE + _LOAD * times]
    yield from (thing for thing in kept if isinstance(thing, Subject))
    yield from sorted((thing for thing in kept if isinstance(thing, Leaf | Group)), key=lambda node: (node.height, node.id))


class _Needs:
    """How often each value is needed, on average, when a block is entered."""

    def __init__(self) -> None:
        self.times: dict[Subject | Node, float] = {}
        self._descended: set[Node] = set()

    def of_tree(self, tree: Tree, reached: float) -> None:
        for part in tree:
            inside = self._of_sequence("and", part.tests, reached)
            match part:
                case Branch():
                    self.of_tree(part.then, inside)
                case Hit():
                    pass

    def _of_sequence(self, kind: str, nodes: Sequence[Node], reached: float, depth: int = 0) -> float:
        """Counts the nodes one after the other; how often the end is reached."""
        for node in nodes:
            self._of_node(node, reached, depth)
            reached *= node.chance if kind == "and" else 1 - node.chance
        return reached

    def _of_node(self, node: Node, reached: float, depth: int) -> None:
        if isinstance(node, Leaf) and node.opaque is None:
            self._count(node.subject, reached)
            if node.right is not None:
                self._count(node.right, reached)
            if node.cost - node.subject.cost >= 2 * _WORTH:
                self._count(node, reached)
        elif isinstance(node, Group) and depth < DEEPEST:
            if node.cost >= _WORTH:
                self._count(node, reached)
            if node not in self._descended:  # else it will be in a local, and what is in it is needed once
                self._descended.add(node)
                self._of_sequence(node.kind, node.children, reached, depth + 1)

    def _count(self, thing: Subject | Node, reached: float) -> None:
        if not isinstance(thing, Subject) or thing.cost > 0:
            self.times[thing] = self.times.get(thing, 0.0) + reached
