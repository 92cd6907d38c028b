"""Normalised conditions: negation normal form over interned nodes.

A node is made by `Nodes`, which gives equal nodes one identity, so that a condition that many rules share is one object, and
keeps them small: constants folded, groups flattened, tests of one value merged. Two facts make that sound: a test of missing
data is false (so a literal or its negation holds, never neither), and reading a value twice gives the same.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from ruleng.engine import cost, functions, operands
from ruleng.engine.walk import fold
from ruleng.fields.types import FieldType
from ruleng.lang.ast import Modifier
from ruleng.lang.checked import Apply, Constant, FieldUse, Op, Operand, OperandTuple, Test

Kind = Literal["and", "or"]
MANY_DEEP = 20
"""Transformers nested deeper than this are left to the interpreter: Python's own parser takes 200 parentheses."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a test looks at: a field, one end of a connection, or a transformer applied."""

    id: int
    name: str  # for people: proc.name, proc.aname[2], tolower(...)
    label: str  # the same as an identifier, made of the catalogue's words only
    text: str  # the Python expression that reads it
    type: FieldType
    is_list: bool = False
    many: bool = False  # several values at once, one of which must satisfy a test
    nullable: bool = True
    types: frozenset[str] | None = None  # the event types that carry it; for all others it is missing
    cost: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    value: bool
    id: int = -1
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

    `opaque` stands for the whole test where it is too odd to compile.
    """

    id: int
    subject: Subject
    op: Op
    values: tuple[Any, ...]
    right: Subject | None
    modifier: Modifier | None
    negated: bool
    opaque: Test | None
    types: frozenset[str] | None  # where it can be true, or false if negated
    cost: float
    chance: float
    varies: bool  # its value, or whether it has one, depends on the event's type
    height: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    id: int
    kind: Kind
    children: tuple[Node, ...]
    cost: float
    chance: float
    varies: bool
    height: int


Node = Const | Leaf | Group

MERGED_BY_UNION = frozenset(
    {Op.IN, Op.INTERSECTS, Op.CONTAINS, Op.ICONTAINS, Op.STARTSWITH, Op.ENDSWITH, Op.GLOB, Op.IGLOB, Op.REGEX, Op.PMATCH}
)
"""Operators of which `x op a or x op b` is `x op (a, b)`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text of an expression tells."""

    names: frozenset[str]
    fixed: bool  # it needs nothing of the event but its type
    atom: bool  # it needs no parentheses
    ends: tuple[str, ...]  # of a tuple written out, its items


@functools.lru_cache(maxsize=8192)  # of a pure function
def shape(text: str) -> Shape:
    tree = ast.parse(text, mode="eval").body
    names, of_type = [], 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.append(node.id)
        elif isinstance(node, ast.Attribute) and node.attr == "type" and isinstance(node.value, ast.Name) and node.value.id == "e":
            of_type += 1
    fixed = not {"p", "f", "c"} & set(names) and names.count("e") == of_type
    atom = isinstance(tree, ast.Attribute | ast.Call | ast.Name | ast.Constant | ast.Subscript)
    ends = tuple(ast.unparse(item) for item in tree.elts) if isinstance(tree, ast.Tuple) else ()
    return Shape(frozenset(names), fixed, atom, ends)


def in_parentheses(text: str) -> str:
    return text if shape(text).atom else f"({text})"


class Nodes:
    """Makes nodes, and is where equal ones meet. For the rules of one RuleSet."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._subjects: dict[Hashable, Subject] = {}
        self._leaves: dict[Hashable, Leaf] = {}
        self._groups: dict[tuple[Kind, tuple[int, ...]], Group] = {}
        self._opaque: dict[tuple[int, bool], Leaf] = {}

    # --- subjects -------------------------------------------------------------------------------------------------------------

    def subject(self, operand: Operand) -> Subject:
        """Of a field, a constant or a transformer, whatever its quantifier."""
        written = _written(operand)
        known = self._subjects.get((written.name, written.text))
        return known or self._new_subject(operand, written)

    def _new_subject(self, operand: Operand, written: Written) -> Subject:
        uses = operands.fields(operand)
        subject = Subject(
            id=next(self._ids),
            name=written.name,
            label=written.label,
            text=written.text,
            type=operand.type,
            is_list=operand.is_list,
            many=isinstance(operand, FieldUse) and uses[0].field.quantifier == "any",
            nullable=any(use.field.nullable for use in uses) or _may_fail(operand),
            types=_carriers(uses),
            cost=sum(use.field.cost for use in uses) + cost.CALL * depth(operand),
        )
        self._subjects[subject.name, subject.text] = subject
        return subject

    def event_source(self) -> Subject:
        """Falco's event source, which each rule is for one of."""
        name, text = "evt.source", "e.source"
        if (name, text) not in self._subjects:
            self._subjects[name, text] = Subject(next(self._ids), name, "evt_source", text, FieldType.STRING, nullable=False)
        return self._subjects[name, text]

    def end(self, whole: Subject, place: int, text: str) -> Subject:
        """One end of a field that looks at both ends of a connection."""
        name = f"{whole.name}.{place}"
        if (name, text) not in self._subjects:
            self._subjects[name, text] = Subject(
                id=next(self._ids),
                name=name,
                label=f"{whole.label}_{place}",
                text=text,
                type=whole.type,
                types=whole.types,
                cost=whole.cost / 2,
            )
        return self._subjects[name, text]

    # --- leaves -----------------------------------------------------------------------------------------------------------------

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
        if op is Op.IN:
            kept = tuple(sorted(kept, key=lambda value: (type(value).__name__, value)))
        if not kept and right is None and op is not Op.EXISTS:
            return TRUE if negated else FALSE
        key = (subject.id, op, kept, right and right.id, modifier, negated)
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

    def opaque(self, test: Test, *, negated: bool = False) -> Leaf:
        """A test that the interpreter shall do."""
        if (known := self._opaque.get((id(test), negated))) is not None:
            return known
        uses = operands.fields(test.left) + (operands.fields(test.right) if test.right else [])
        subject = Subject(id=next(self._ids), name="", label="", text="None", type=test.left.type, types=_carriers(uses))
        leaf = Leaf(
            id=next(self._ids),
            subject=subject,
            op=test.op,
            values=test.values,
            right=None,
            modifier=test.modifier,
            negated=negated,
            opaque=test,  # keeps it alive, so its id stays its own
            types=subject.types,
            cost=cost.OPAQUE,
            chance=0.5,
            varies=subject.types is not None,
        )
        self._opaque[id(test), negated] = leaf
        return leaf

    def negation(self, leaf: Leaf) -> Node:
        if leaf.opaque is not None:
            return self.opaque(leaf.opaque, negated=not leaf.negated)
        return self.leaf(leaf.subject, leaf.op, leaf.values, right=leaf.right, modifier=leaf.modifier, negated=not leaf.negated)

    # --- groups -----------------------------------------------------------------------------------------------------------------

    def all(self, children: Iterable[Node]) -> Node:
        return self.group("and", children)

    def any(self, children: Iterable[Node]) -> Node:
        return self.group("or", children)

    def group(self, kind: Kind, children: Iterable[Node]) -> Node:
        """`and` or `or` of nodes, as small as these laws make it: a constant, one node, or a group of the other kind too."""
        neutral, absorbing = (TRUE, FALSE) if kind == "and" else (FALSE, TRUE)
        flat: dict[Node, None] = {}
        for child in children:
            for node in child.children if isinstance(child, Group) and child.kind == kind else (child,):
                if node is absorbing:
                    return absorbing
                if node is not neutral:
                    flat[node] = None
        merged = self._merged(kind, list(flat), absorbing)
        if merged is None:
            return absorbing
        if len(merged) < 2:
            return merged[0] if merged else neutral
        if shared := _shared(merged, "or" if kind == "and" else "and"):
            return self._factored(kind, merged, shared)
        return self._intern(kind, merged)

    def _intern(self, kind: Kind, children: Sequence[Node]) -> Group:
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

    def _factored(self, kind: Kind, children: Sequence[Node], shared: Sequence[Node]) -> Node:
        """(a and b) or (a and c) is a and (b or c); and the other way round."""
        other: Kind = "or" if kind == "and" else "and"
        taken = set(shared)
        rest = [
            self.group(other, [node for node in (child.children if isinstance(child, Group) else (child,)) if node not in taken])
            for child in children
        ]
        return self.group(other, [*shared, self.group(kind, rest)])

    def _merged(self, kind: Kind, nodes: list[Node], absorbing: Const) -> list[Node] | None:
        """Tests of one subject made one; None when two of them contradict (or in an `or` complete) each other."""
        by_subject: dict[int, list[Leaf]] = {}
        for node in nodes:
            if isinstance(node, Leaf) and node.opaque is None:
                by_subject.setdefault(node.subject.id, []).append(node)
        replaced: dict[Node, list[Node]] = {}
        for leaves in by_subject.values():
            if len(leaves) > 1:
                fewer = self._merged_leaves(kind, leaves)
                if absorbing in fewer:
                    return None
                for leaf in leaves:
                    replaced[leaf] = fewer if leaf is leaves[0] else []
        return list(dict.fromkeys(new for node in nodes for new in replaced.get(node, [node])))

    def _merged_leaves(self, kind: Kind, leaves: list[Leaf]) -> list[Node]:
        """Fewer leaves that say the same of one subject, or a constant. Written for `and`; an `or` is its mirror image."""
        conjunction = kind == "and"
        subject = leaves[0].subject
        gathered: dict[tuple[Op, bool], list[Any]] = {}  # (operator, must fail) -> literals of which none may satisfy it
        within: set[Any] | None = None  # the literals that it must equal one of
        rest: list[Node] = []
        narrows = not subject.many and not subject.is_list and subject.type not in (FieldType.IPNET, FieldType.DYNAMIC)
        for leaf in leaves:
            must_fail = leaf.negated is conjunction
            plain = leaf.right is None and leaf.modifier is None
            if plain and must_fail and _unites(leaf):
                gathered.setdefault((leaf.op, True), []).extend(leaf.values)
            elif plain and not must_fail and leaf.op is Op.IN and narrows:
                within = set(leaf.values) if within is None else within & set(leaf.values)
            else:
                rest.append(leaf)
        if within is not None and (Op.IN, True) in gathered:
            within -= set(gathered.pop((Op.IN, True)))
        made = [self.leaf(subject, op, values, negated=conjunction) for (op, _), values in gathered.items()]
        if within is not None:
            made.insert(0, self.leaf(subject, Op.IN, within, negated=not conjunction))
        return self._without_needless_presence(kind, [*made, *rest])

    def _without_needless_presence(self, kind: Kind, nodes: list[Node]) -> list[Node]:
        """A test that holds needs no check that the value is there; a contradiction is the absorbing constant."""
        conjunction = kind == "and"
        absorbing = FALSE if conjunction else TRUE
        leaves = [node for node in nodes if isinstance(node, Leaf)]
        if len({(leaf.subject.id, leaf.op, leaf.values, leaf.right, leaf.modifier) for leaf in leaves}) < len(leaves):
            return [absorbing]  # a test and its negation
        present = next((leaf for leaf in leaves if leaf.op is Op.EXISTS and leaf.negated is not conjunction), None)
        absent = next((leaf for leaf in leaves if leaf.op is Op.EXISTS and leaf.negated is conjunction), None)
        others = [leaf for leaf in leaves if leaf.op is not Op.EXISTS]
        needs_value = [leaf for leaf in others if leaf.negated is not conjunction]
        if absent and needs_value:
            return [absorbing]  # there is none, and it equals something
        if absent:
            return [absent]  # and of what is not there no test holds
        if present and needs_value:
            return [node for node in nodes if node is not present]
        return nodes


def _unites(leaf: Leaf) -> bool:
    """Whether `x op a or x op b` is `x op (a, b)` here."""
    return leaf.op in MERGED_BY_UNION and not (leaf.op is Op.IN and leaf.subject.is_list)


def _shared(nodes: Sequence[Node], kind: Kind) -> list[Node]:
    """The nodes that all of these have in them, each being a group of that kind or a group of one."""
    members = [node.children if isinstance(node, Group) and node.kind == kind else (node,) for node in nodes]
    common = set(members[0]).intersection(*members[1:])
    return [node for node in members[0] if node in common]


def _may_fail(operand: Operand) -> bool:
    """Whether a transformer in it gives nothing for some arguments."""

    def combine(node: Operand, below: list[bool]) -> bool:
        return (isinstance(node, Apply) and node.function in functions.FAILING) or any(below)

    return fold(operand, operands.children, combine)


def _carriers(uses: Iterable[FieldUse]) -> frozenset[str] | None:
    """The event types that carry all of these fields; None for every type."""
    limits = [use.field.event_types for use in uses if use.field.event_types is not None]
    return limits[0].intersection(*limits[1:]) if limits else None


def is_fixed(subject: Subject, right: Subject | None = None) -> bool:
    """Whether a test of it is decided as soon as the event's type is known."""
    return right is None and not subject.many and shape(subject.text).fixed


def depth(operand: Operand) -> int:
    """How many transformers are nested in it."""

    def combine(node: Operand, below: list[int]) -> int:
        return 1 + max(below, default=0) if isinstance(node, Apply | OperandTuple) else 0

    return fold(operand, operands.children, combine)


@dataclass(frozen=True, slots=True)
class Written:
    """An operand in words, as an identifier, and as Python."""

    name: str
    label: str
    text: str


def _written(operand: Operand) -> Written:
    def combine(node: Operand, below: list[Written]) -> Written:
        names, texts = ", ".join(part.name for part in below), [part.text for part in below]
        label = next((part.label for part in below if part.label), "")
        match node:
            case FieldUse():
                return Written(field_name(node), _label(node), operands.expression(node) or "None")
            case Constant():
                return Written(repr(node.value), "", repr(node.value))
            case OperandTuple():
                return Written(f"({names})", label, f"items({', '.join(texts)})")
            case Apply():
                arguments = texts if node.arg is None else [*texts, repr(node.arg)]
                selected = "" if node.arg is None else f"[{node.arg}]"
                text = f"fn_{node.function}({', '.join(arguments)})"
                return Written(f"{node.function}({names}){selected}", f"{node.function}_{label}", text)
            case _:
                assert_never(node)

    return fold(operand, operands.children, combine)


def _label(use: FieldUse) -> str:
    """What a rule's author wrote in brackets goes into no identifier, but for a number."""
    words = use.field.name.replace(".", "_")
    return f"{words}_{int(use.arg)}" if use.arg and use.arg.isascii() and use.arg.isdecimal() else words


def field_name(use: FieldUse) -> str:
    """As a rule writes it: `proc.name`, `proc.aname[2]`, `evt.arg.flags`."""
    if use.arg is None:
        return use.field.name
    return f"{use.field.name}.{use.arg}" if use.field.dotted and not use.arg.isdecimal() else f"{use.field.name}[{use.arg}]"
