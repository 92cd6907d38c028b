"""Makes nodes: gives equal nodes one identity, so that a condition that many rules share is one object, and keeps them small.

Two facts make the laws sound that it goes by: a test of missing data is false (so a test or its negation holds, never
neither), and reading a value twice gives the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from ruleng.engine import cost, laws, operands
from ruleng.engine.nodes import FALSE, TRUE, Group, Kind, Leaf, Node, members, other
from ruleng.engine.subjects import Subject, Subjects, ids, shape
from ruleng.lang.ast import Modifier
from ruleng.lang.checked import Checked, Op, Test


def is_fixed(subject: Subject, right: Subject | None = None) -> bool:
    """Whether a test of it is decided as soon as the event's type is known."""
    return right is None and not subject.many and shape(subject.text).fixed


class Nodes:
    """Makes nodes, and is where equal ones meet. For the rules of one RuleSet."""

    def __init__(self) -> None:
        self._ids = ids()
        self._leaves: dict[Hashable, Leaf] = {}
        self._groups: dict[tuple[Kind, tuple[int, ...]], Group] = {}
        self.subjects = Subjects(self._ids)

    def leaf(
        self,
        subject: Subject,
        op: Op,
        values: Iterable[Any] = (),
        *,
        right: Subject | None = None,
        modifier: Modifier | None = None,
        negated: bool = False,
    ) -> Node:
        """A test of one subject; a constant where nothing of the event can change it."""
        kept = tuple(dict.fromkeys(values)) if modifier is None else tuple(values)
        if op is Op.EXISTS and not subject.nullable and subject.types is None:
            return FALSE if negated else TRUE
        if op is Op.IN and len(kept) > 1:
            kept = tuple(sorted(kept, key=lambda value: (type(value).__name__, value)))
        if not kept and right is None and op is not Op.EXISTS:
            return TRUE if negated else FALSE
        key = (subject, op, kept, right, modifier, negated)
        if (known := self._leaves.get(key)) is not None:
            return known
        types = subject.types
        if right is not None and right.types is not None:
            types = right.types if types is None else types & right.types
        chance = cost.chance(op, subject.name, kept, subject.type)
        leaf = Leaf(
            id=next(self._ids),
            subject=subject,
            op=op,
            values=kept,
            right=right,
            modifier=modifier,
            negated=negated,
            opaque=None,
            types=types,
            cost=cost.of_test(op, len(kept), subject.cost + (right.cost if right else 0), subject.type, many=subject.many),
            chance=1 - chance if negated else chance,
            varies=types is not None or is_fixed(subject, right),
        )
        self._leaves[key] = leaf
        return leaf

    def opaque(self, condition: Checked, *, negated: bool = False) -> Leaf:
        """A condition that the interpreter shall evaluate."""
        key = (id(condition), negated)
        if (known := self._leaves.get(key)) is not None:
            return known
        sides = [condition.left, condition.right] if isinstance(condition, Test) else []
        subject = self.subjects.unread([use for side in sides if side is not None for use in operands.fields(side)])
        leaf = Leaf(
            id=next(self._ids),
            subject=subject,
            op=Op.EXISTS,
            values=(),
            right=None,
            modifier=None,
            negated=negated,
            opaque=condition,  # which keeps it alive, so its id stays its own
            types=subject.types,
            cost=cost.OPAQUE,
            chance=0.5,
            varies=subject.types is not None,
        )
        self._leaves[key] = leaf
        return leaf

    def negation(self, leaf: Leaf) -> Node:
        if leaf.opaque is not None:
            return self.opaque(leaf.opaque, negated=not leaf.negated)
        return self.leaf(leaf.subject, leaf.op, leaf.values, right=leaf.right, modifier=leaf.modifier, negated=not leaf.negated)

    def all(self, children: Iterable[Node]) -> Node:
        return self.group("and", children)

    def any(self, children: Iterable[Node]) -> Node:
        return self.group("or", children)

    def group(self, kind: Kind, children: Iterable[Node]) -> Node:
        """`and` or `or` of nodes, as small as the laws make it: a constant, one node, or a group of the other kind too."""
        neutral, absorbing = (TRUE, FALSE) if kind == "and" else (FALSE, TRUE)
        nodes = list(children)
        while True:
            flat: dict[Node, None] = {}
            for child in nodes:
                if isinstance(child, Group) and child.kind == kind:
                    flat.update(dict.fromkeys(child.children))
                elif child is absorbing:
                    return absorbing
                elif child is not neutral:
                    flat[child] = None
            merged = laws.merged(self, kind, list(flat))
            nodes = laws.reduced(self, kind, merged)
            if nodes is merged:
                break
        if absorbing in nodes:
            return absorbing
        if len(nodes) < 2:
            return nodes[0] if nodes else neutral
        if shared := _shared(nodes, other(kind)):
            return self._factored(kind, nodes, shared)
        return self._interned(kind, nodes)

    def _factored(self, kind: Kind, children: Sequence[Node], shared: Sequence[Node]) -> Node:
        """(a and b) or (a and c) is a and (b or c); and the other way round."""
        taken = set(shared)
        rest = [self.group(other(kind), [node for node in members(child, other(kind)) if node not in taken]) for child in children]
        return self.group(other(kind), [*shared, self.group(kind, rest)])

    def _interned(self, kind: Kind, children: Sequence[Node]) -> Group:
        ordered = tuple(cost.order(kind, children))
        key = (kind, tuple(child.id for child in ordered))
        if (known := self._groups.get(key)) is not None:
            return known
        group = Group(
            id=next(self._ids),
            kind=kind,
            children=ordered,
            cost=cost.of_group(kind, ordered),
            chance=cost.chance_of_group(kind, ordered),
            varies=any(child.varies for child in ordered),
            height=1 + max(child.height for child in ordered),
        )
        self._groups[key] = group
        return group


def _shared(nodes: Sequence[Node], kind: Kind) -> list[Node]:
    """The nodes that all of these groups have in them."""
    first, *rest = [members(node, kind) for node in nodes]
    common = set(first).intersection(*rest)
    return [node for node in first if node in common]
