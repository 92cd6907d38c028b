"""The laws that keep groups of tests small. All are stated for `and`; an `or` is the mirror image.

With t(x) a test and present(x) that there is something to test, t(x) implies present(x), since a test of missing data is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ruleng.engine.nodes import FALSE, TRUE, Group, Kind, Leaf, Node
from ruleng.lang.checked import Op

if TYPE_CHECKING:
    from ruleng.engine.factory import Nodes

_UNITED = frozenset(
    {Op.IN, Op.INTERSECTS, Op.CONTAINS, Op.ICONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.GLOB, Op.IGLOB, Op.REGEX, Op.PMATCH}
)
"""Operators of which `x op a or x op b` is `x op (a, b)`."""

_REACH = 3
"""Levels below a group in which its tests decide others."""


def merged(nodes: Nodes, kind: Kind, children: list[Node]) -> list[Node]:
    """Tests of one subject as few; [the absorbing constant] where two of them contradict each other."""
    by_subject: dict[int, list[Leaf]] = {}
    for child in children:
        if isinstance(child, Leaf) and child.opaque is None:
            by_subject.setdefault(child.subject.id, []).append(child)
    changed: dict[Node, list[Node]] = {}
    for leaves in by_subject.values():
        if len(leaves) > 1:
            fewer = _of_one_subject(nodes, kind, leaves)
            for leaf in leaves:
                changed[leaf] = fewer if leaf is leaves[0] else []
    return list(dict.fromkeys(new for child in children for new in changed.get(child, [child]))) if changed else children


def _of_one_subject(nodes: Nodes, kind: Kind, leaves: Sequence[Leaf]) -> list[Node]:
    """x not in A and x not in B is x not in A or B; x in A and x in B and x not in C is x in (A and B, without C)."""
    conjunction = kind == "and"
    subject = leaves[0].subject
    failing: dict[Op, list[Any]] = {}  # literals of which none may satisfy the operator
    within: set[Any] | None = None  # literals one of which it must equal
    rest: list[Node] = []
    for leaf in leaves:
        must_fail = leaf.negated is conjunction
        if leaf.plain and must_fail and leaf.op in _UNITED and not (leaf.op is Op.IN and subject.is_list):
            failing.setdefault(leaf.op, []).extend(leaf.values)
        elif leaf.plain and not must_fail and leaf.op is Op.IN and subject.narrows:
            within = set(leaf.values) if within is None else within & set(leaf.values)
        else:
            rest.append(leaf)
    if within is not None:
        within -= set(failing.pop(Op.IN, ()))
    made = [nodes.leaf(subject, op, values, negated=conjunction) for op, values in failing.items()]
    if within is not None:
        made.append(nodes.leaf(subject, Op.IN, within, negated=not conjunction))
    return _consistent(kind, [*made, *rest])


def _consistent(kind: Kind, children: list[Node]) -> list[Node]:
    """present(x) and t(x) is t(x); t(x) and not t(x), and t(x) and not present(x), are never."""
    conjunction = kind == "and"
    absorbing = FALSE if conjunction else TRUE
    leaves = [child for child in children if isinstance(child, Leaf)]
    if len({(leaf.op, leaf.values, leaf.right, leaf.modifier) for leaf in leaves}) < len(leaves):
        return [absorbing]
    present = next((leaf for leaf in leaves if leaf.op is Op.EXISTS and leaf.negated is not conjunction), None)
    absent = next((leaf for leaf in leaves if leaf.op is Op.EXISTS and leaf.negated is conjunction), None)
    succeeding = [leaf for leaf in leaves if leaf.op is not Op.EXISTS and leaf.negated is not conjunction]
    if absent:
        return [absorbing] if succeeding else [absent]
    return [child for child in children if child is not present] if succeeding else children


def reduced(nodes: Nodes, kind: Kind, children: list[Node]) -> list[Node]:
    """a and (a or b) is a; a and (not a or b) is a and b: what is below is asked only when the tests beside it hold.

    The list itself when nothing changed.
    """
    facts: dict[int, list[Leaf]] = {}
    for child in children:
        if isinstance(child, Leaf) and child.opaque is None:
            known = child if kind == "and" else nodes.negation(child)
            if isinstance(known, Leaf):
                facts.setdefault(child.subject.id, []).append(known)
    if not facts or all(isinstance(child, Leaf) for child in children):
        return children
    fewer = [child if isinstance(child, Leaf) else _assuming(nodes, child, facts, _REACH) for child in children]
    return fewer if any(new is not old for new, old in zip(fewer, children, strict=True)) else children


def _assuming(nodes: Nodes, node: Node, facts: dict[int, list[Leaf]], reach: int) -> Node:
    """What is left of a node where the facts hold."""
    if isinstance(node, Leaf):
        for fact in facts.get(node.subject.id, ()):
            if (value := _decided(node, fact)) is not None:
                return TRUE if value else FALSE
        return node
    if not isinstance(node, Group) or reach == 0:
        return node
    children = [_assuming(nodes, child, facts, reach - 1) for child in node.children]
    if all(new is old for new, old in zip(children, node.children, strict=True)):
        return node
    return nodes.group(node.kind, children)


def _decided(leaf: Leaf, fact: Leaf) -> bool | None:
    """The truth of a test, known that of another one of the same subject; None when it stays open."""
    truth: bool | None = None
    if (leaf.op, leaf.values, leaf.right, leaf.modifier) == (fact.op, fact.values, fact.right, fact.modifier):
        truth = not fact.negated
    elif not fact.negated and leaf.op is Op.EXISTS:
        truth = True
    elif fact.negated and fact.op is Op.EXISTS:
        truth = False
    elif leaf.plain and fact.plain and leaf.op is fact.op is Op.IN and leaf.subject.narrows:
        wanted, known = set(leaf.values), set(fact.values)
        if fact.negated:
            truth = False if wanted <= known else None
        elif known <= wanted:
            truth = True
        elif known.isdisjoint(wanted):
            truth = False
    return None if truth is None else truth is not leaf.negated
