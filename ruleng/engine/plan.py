"""Normalised rules by event type: what is left of each rule for events of one type.

An event's type tells much before any field is read: which tests of evt.type hold, and which fields are there at all. Types for
which all rules come out the same make one bucket, which becomes one function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ruleng.engine import operands, operators
from ruleng.engine.factory import Nodes, is_fixed
from ruleng.engine.nodes import FALSE, TRUE, Const, Group, Leaf, Node
from ruleng.engine.walk import fold
from ruleng.lang.checked import Op

OTHER = ""
"""Stands for every event type that the catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Event types for which the same is left of the rules."""

    types: tuple[str, ...]
    rules: tuple[tuple[int, Node], ...]  # (number of the rule, what is left of its condition)


@dataclass(frozen=True, slots=True)
class Reach:
    """The event types of which a test can be true, and those of which it can be false."""

    true: frozenset[str]
    false: frozenset[str]


def buckets(rules: Sequence[tuple[int, Node]], universe: frozenset[str], nodes: Nodes) -> list[Bucket]:
    """The event types (OTHER among them) of which some rule can be true, with what is left of each such rule."""
    every = universe | {OTHER}
    reaches = {leaf: _reach(leaf, universe, every) for leaf in _varying_leaves(node for _, node in rules)}
    possible: dict[Node, int] = {}  # by node: bit n for the n-th group of types
    grouped = _alike(sorted(every), reaches.values())
    masks = {leaf: sum(1 << n for n, types in enumerate(grouped) if types[0] in reach.true) for leaf, reach in reaches.items()}
    for _, node in rules:
        _possible(node, masks, (1 << len(grouped)) - 1, possible)
    same: dict[tuple[tuple[int, int], ...], tuple[list[str], list[tuple[int, Node]]]] = {}
    for n, types in enumerate(grouped):
        known: dict[Node, Node] = {}
        left = [(number, _specialised(node, types[0], reaches, known, nodes)) for number, node in rules if possible[node] >> n & 1]
        left = [(number, node) for number, node in left if node is not FALSE]
        if left:
            same.setdefault(tuple((number, node.id) for number, node in left), ([], left))[0].extend(types)
    return [Bucket(tuple(sorted(types)), tuple(left)) for types, left in same.values()]


def _varying_leaves(roots: Iterable[Node]) -> list[Leaf]:
    seen: dict[Node, None] = {}
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node.varies and node not in seen:
            seen[node] = None
            if isinstance(node, Group):
                waiting.extend(node.children)
    return [node for node in seen if isinstance(node, Leaf)]


def _reach(leaf: Leaf, universe: frozenset[str], every: frozenset[str]) -> Reach:
    carriers = every if leaf.types is None else leaf.types
    surely: frozenset[str] = frozenset()  # of these types the test is true
    maybe = carriers
    if leaf.op is Op.EXISTS and not leaf.subject.nullable:
        surely = carriers
    elif leaf.opaque is None and is_fixed(leaf.subject, leaf.right):
        if leaf.subject.text == "e.type" and leaf.op is Op.IN and leaf.modifier is None and universe.issuperset(leaf.values):
            surely = maybe = carriers.intersection(leaf.values)
        else:
            holds = operators.predicate(leaf.op, leaf.modifier, leaf.values, lists=leaf.subject.is_list)
            read = operands.reader_of_type(leaf.subject.text)
            surely = frozenset(type for type in carriers & universe if holds(read(type)))
            maybe = surely | carriers & {OTHER}
    return Reach(every - surely, maybe) if leaf.negated else Reach(maybe, every - surely)


def _alike(types: Sequence[str], reaches: Iterable[Reach]) -> list[list[str]]:
    """The types in groups that no reach divides."""
    signatures = dict.fromkeys(types, 0)
    for bit, members in enumerate({members: None for reach in reaches for members in (reach.true, reach.false)}):
        for type in members:
            if type in signatures:
                signatures[type] |= 1 << bit
    groups: dict[int, list[str]] = defaultdict(list)
    for type, signature in signatures.items():
        groups[signature].append(type)
    return list(groups.values())


def _possible(root: Node, masks: dict[Leaf, int], everywhere: int, known: dict[Node, int]) -> None:
    """For the node and those below it, the groups of types of which it can be true; a superset."""

    def below(node: Node) -> Sequence[Node]:
        return node.children if isinstance(node, Group) and node.varies and node not in known else ()

    def combine(node: Node, parts: list[int]) -> int:
        if node in known:
            return known[node]
        match node:
            case Const():
                mask = everywhere if node.value else 0
            case Leaf():
                mask = masks.get(node, everywhere)
            case Group() if not node.varies:
                mask = everywhere
            case Group():
                mask = everywhere if node.kind == "and" else 0
                for part in parts:
                    mask = mask & part if node.kind == "and" else mask | part
        known[node] = mask
        return mask

    fold(root, below, combine)


def _specialised(root: Node, type: str, reaches: dict[Leaf, Reach], known: dict[Node, Node], nodes: Nodes) -> Node:
    """What is left of the node for events of that type."""

    def below(node: Node) -> Sequence[Node]:
        return node.children if isinstance(node, Group) and node.varies and node not in known else ()

    def combine(node: Node, parts: list[Node]) -> Node:
        if not node.varies:
            return node
        if node not in known:
            known[node] = nodes.group(node.kind, parts) if isinstance(node, Group) else decided(node)
        return known[node]

    def decided(node: Node) -> Node:
        if isinstance(node, Leaf) and (reach := reaches.get(node)):
            if type not in reach.true:
                return FALSE
            if type not in reach.false:
                return TRUE
        return node

    return fold(root, below, combine)
