"""Normalised conditions: negation normal form over nodes that are made by `ruleng.engine.factory` and compared by identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ruleng.engine.subjects import Subject
from ruleng.lang.ast import Modifier
from ruleng.lang.checked import Checked, Op

Kind = Literal["and", "or"]


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    value: bool
    id: int
    cost: float = 0.0
    height: int = 0
    varies: bool = False

    @property
    def chance(self) -> float:
        return float(self.value)


TRUE, FALSE = Const(True, -1), Const(False, -2)


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A test or its negation. `values`: any of them must satisfy the operator, or as `modifier` (oneof, allof) says.

    `opaque` is the condition itself where the interpreter shall evaluate it.
    """

    id: int
    subject: Subject
    op: Op
    values: tuple[Any, ...]
    right: Subject | None
    modifier: Modifier | None
    negated: bool
    opaque: Checked | None
    types: frozenset[str] | None  # of events for which both sides are there at all; None: every type
    cost: float
    chance: float
    varies: bool  # its value, or whether it has one, depends on the event's type
    height: int = 0

    @property
    def plain(self) -> bool:
        """Whether it is an operator and literals and nothing else."""
        return self.right is None and self.modifier is None and self.opaque is None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    id: int
    kind: Kind
    children: tuple[Node, ...]  # in the order that decides soonest
    cost: float
    chance: float
    varies: bool
    height: int


Node = Const | Leaf | Group


def other(kind: Kind) -> Kind:
    return "or" if kind == "and" else "and"


def members(node: Node, kind: Kind) -> tuple[Node, ...]:
    """The children of a group of that kind; anything else is a group of one."""
    return node.children if isinstance(node, Group) and node.kind == kind else (node,)
