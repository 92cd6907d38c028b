"""Nodes -> Python expressions.

Text of a rule gets into the code by `repr` of a typed literal and no other way. What is no literal (a compiled pattern, a
frozen set) is bound to a name at the head of the module.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, assert_never

from ruleng.engine import cost
from ruleng.engine.nodes import Const, Group, Leaf, Node
from ruleng.engine.subjects import Subject, in_parentheses, shape
from ruleng.fields.address import IPV6, network_mask
from ruleng.fields.types import FieldType
from ruleng.lang.checked import Checked, Op

INLINE = 6
"""Literals of one test that stand where it stands; more of them are bound to a name."""

DEEPEST = 12
"""Nested groups in one expression; what is below is a function of its own (Python's parser takes 200 parentheses)."""

_LINE = 120

Joint = Literal["", "not", "and", "or"]


@dataclass(frozen=True, slots=True)
class Code:
    """An expression; `joint` is the operator that holds it together, which tells where it needs parentheses."""

    text: str
    joint: Joint = ""

    def within(self, operator: Joint) -> str:
        """The text as an operand of `operator`. `and` within `or` gets parentheses for the reader's sake."""
        tight = self.joint == "" or (self.joint == "not" and operator != "not") or (self.joint == operator and operator != "not")
        return self.text if tight else f"({self.text})"


class Module:
    """The names and constants of one generated module, and the functions that its code calls and still owes."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*taken, *keyword.kwlist, *keyword.softkwlist}
        self._constants: dict[str, str] = {}
        self._part_names: dict[Node, str] = {}
        self.definitions: list[str] = []
        self.interpreted: dict[str, Checked] = {}  # by the name of the function that evaluates it
        self.parts: list[tuple[str, Node]] = []

    def name(self, wanted: str, first: int = 0) -> str:
        """A name for the module that nothing else has: `wanted`, or with a number behind it."""
        name = self.free(wanted, (), first)
        self._taken.add(name)
        return name

    def free(self, wanted: str, taken: Collection[str], first: int = 0) -> str:
        number = first
        while (name := f"{wanted}_{number}" if number else wanted) in self._taken or name in taken:
            number += 1
        return name

    def constant(self, label: str, opening: str, values: Sequence[Any], closing: str) -> str:
        """The name of what the module makes once, when it is loaded, of literals between two pieces of Python."""
        texts = [repr(value) for value in values]
        text = f"{opening}{', '.join(texts)}{closing}"
        if text not in self._constants:
            name = self._constants[text] = self.name(label.upper(), 1)
            self.definitions += _definition(name, opening, texts, closing)
        return self._constants[text]

    def members(self, subject: Subject, values: Sequence[Any]) -> str:
        """A set for `in`; Python makes a constant of one that is written out."""
        return f"{{{_listed(values)}}}" if len(values) <= INLINE else self.frozen(subject, values)

    def frozen(self, subject: Subject, values: Sequence[Any]) -> str:
        return self.constant(subject.label, "frozenset({", values, "})")

    def alternatives(self, subject: Subject, values: Sequence[Any]) -> str:
        """The argument of `startswith` and `endswith`."""
        if len(values) == 1:
            return repr(values[0])
        return f"({_listed(values)})" if len(values) <= INLINE else self.constant(subject.label, "(", values, ")")

    def matcher(self, leaf: Leaf, function: str, rest: str = "") -> str:
        """A function of a value, made of the leaf's literals."""
        return self.constant(leaf.subject.label, f"{function}((", leaf.values, f",){rest})")

    def predicate(self, leaf: Leaf) -> str:
        """The same for what has no function of its own; it takes a missing value too."""
        rest = ("," if leaf.values else "") + ("), any_kind=True)" if leaf.subject.type is FieldType.DYNAMIC else "))")
        return self.constant(leaf.subject.label, f"predicate(Op.{leaf.op.name}, {leaf.modifier!r}, (", leaf.values, rest)

    def interpreter(self, condition: Checked) -> str:
        """The name of a function of an event that lets the interpreter evaluate the condition."""
        name = self.name("interpreted", 1)
        self.interpreted[name] = condition
        return name

    def part(self, node: Node) -> str:
        """The name of a function of an event that evaluates the node."""
        if node not in self._part_names:
            self._part_names[node] = self.name("part", 1)
            self.parts.append((self._part_names[node], node))
        return self._part_names[node]


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(repr, values))


def _definition(name: str, opening: str, texts: Sequence[str], closing: str) -> list[str]:
    """In one line where it fits."""
    line = f"{name} = {opening}{', '.join(texts)}{closing}"
    return [line] if len(line) <= _LINE else [f"{name} = {opening}", *_filled(texts), closing.removeprefix(",")]


def _filled(texts: Sequence[str]) -> list[str]:
    """The texts with commas, as many in a line as fit."""
    lines = ["   "]
    for text in texts:
        if len(lines[-1]) + len(text) > _LINE and lines[-1].strip():
            lines.append("   ")
        lines[-1] += f" {text},"
    return lines


@dataclass(frozen=True, slots=True)
class Function:
    """What one generated function keeps: its locals by what they hold, and the names that its expressions use."""

    module: Module
    locals: dict[Subject | Node, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def local(self, thing: Subject | Node) -> str:
        if thing not in self.locals:
            taken = self.locals.values()
            self.locals[thing] = self.module.free(thing.label if isinstance(thing, Subject) else "shared", taken)
        return self.locals[thing]

    def text(self, subject: Subject) -> str:
        self.names.update(shape(subject.text).names)
        return in_parentheses(subject.text)


@dataclass(frozen=True, slots=True)
class Scope:
    """A place in a function: what has got its local by then, and which values are known not to be missing."""

    function: Function
    assigned: frozenset[Subject | Node] = frozenset()
    present: frozenset[Subject] = frozenset()

    def having(self, thing: Subject | Node) -> Scope:
        return replace(self, assigned=self.assigned | {thing})

    def knowing(self, *subjects: Subject) -> Scope:
        return replace(self, present=self.present.union(subjects))

    def read(self, subject: Subject) -> str:
        return self.function.locals[subject] if subject in self.assigned else self.function.text(subject)

    def is_present(self, subject: Subject) -> bool:
        return not subject.nullable or subject in self.present


def expression(node: Node, scope: Scope, depth: int = 0) -> Code:
    """The code of a node: true or false, though not always `True` or `False`."""
    return _code(node, scope, depth)[0]


def condition(nodes: Sequence[Node], scope: Scope, indent: str) -> tuple[str, Scope]:
    """`all of nodes` for an `if`, over several lines where it is long, and the place that is reached when it is true."""
    codes, inside = _conjunction(nodes, scope, 0)
    text = _joined("and", codes).text
    if len(text) <= _LINE or len(codes) == 1:
        return text, inside
    lines = f"\n{indent}    and ".join(code.within("and") for code in codes)
    return f"(\n{indent}    {lines}\n{indent})", inside


def _conjunction(nodes: Sequence[Node], scope: Scope, depth: int) -> tuple[list[Code], Scope]:
    codes = []
    for node in nodes:
        code, scope = _code(node, scope, depth + 1)
        codes.append(code)
        if isinstance(node, Leaf):
            scope = _learnt(node, scope, held=True)
    return codes, scope


def _joined(operator: Literal["and", "or"], codes: Sequence[Code]) -> Code:
    return codes[0] if len(codes) == 1 else Code(f" {operator} ".join(code.within(operator) for code in codes), operator)


def _code(node: Node, scope: Scope, depth: int) -> tuple[Code, Scope]:
    """The code, and the place behind it, whichever way it came out."""
    if node in scope.assigned:
        return Code(scope.function.locals[node]), scope
    match node:
        case Const():
            return Code(repr(node.value)), scope
        case Leaf():
            return _leaf(node, scope)
        case Group() if depth >= DEEPEST and node.height > 1:
            return Code(f"{scope.function.module.part(node)}(e)"), scope
        case Group() if node.kind == "and":
            return _joined("and", _conjunction(node.children, scope, depth)[0]), scope
        case Group():
            return _disjunction(node.children, scope, depth), scope
        case _:
            assert_never(node)


def _disjunction(nodes: Sequence[Node], scope: Scope, depth: int) -> Code:
    codes = []
    for node in nodes:
        code, scope = _code(node, scope, depth + 1)
        codes.append(code)
        if isinstance(node, Leaf):
            scope = _learnt(node, scope, held=False)
    return _joined("or", codes)


def _learnt(leaf: Leaf, scope: Scope, *, held: bool) -> Scope:
    """A test that succeeded had something to look at."""
    if leaf.opaque is not None or leaf.negated is held:
        return scope
    return scope.knowing(leaf.subject) if leaf.right is None else scope.knowing(leaf.subject, leaf.right)


# --- leaves -------------------------------------------------------------------------------------------------------------------


def _leaf(leaf: Leaf, scope: Scope) -> tuple[Code, Scope]:
    module, subject = scope.function.module, leaf.subject
    if leaf.opaque is not None:
        return _unless(leaf.negated, f"{module.interpreter(leaf.opaque)}(e)"), scope
    if (code := _null_safe(leaf, scope)) is not None:
        return code, scope
    if scope.is_present(subject):
        return _of_value(leaf, scope.read(subject), scope), scope
    checked = value = scope.read(subject)
    if subject not in scope.assigned:
        value = scope.function.local(subject)
        checked, scope = f"({value} := {checked})", scope.having(subject)
    test = _of_value(leaf, value, scope)
    if leaf.negated:
        return _joined("or", [Code(f"{checked} is None"), test]), scope
    return _joined("and", [Code(f"{checked} is not None"), test]), scope


def _unless(negated: bool, text: str) -> Code:
    return Code(f"not {text}", "not") if negated else Code(text)


def _null_safe(leaf: Leaf, scope: Scope) -> Code | None:
    """The code of a test that comes out right for a missing value without a check of its own."""
    module, subject, values = scope.function.module, leaf.subject, leaf.values
    if leaf.op is Op.EXISTS and not subject.many:
        return Code(f"{scope.read(subject)} is {'None' if leaf.negated else 'not None'}")
    if leaf.right is not None:
        return _of_two(leaf, leaf.right, scope)
    if leaf.modifier is not None or subject.type is FieldType.DYNAMIC:
        test = module.predicate(leaf)
        return _unless(leaf.negated, f"{test}({scope.read(subject)})")
    if leaf.op is not Op.IN or subject.many or subject.is_list or subject.type is FieldType.IPNET:
        return None
    text = scope.read(subject)
    if values[0] is True and len(values) == 1:
        return _unless(leaf.negated, text)
    if len(values) == 1:
        same, differs = ("is", "is not") if isinstance(values[0], bool) else ("==", "!=")
        return Code(f"{text} {differs if leaf.negated else same} {values[0]!r}")
    return Code(f"{text} {'not in' if leaf.negated else 'in'} {module.members(subject, values)}")


def _of_two(leaf: Leaf, right: Subject, scope: Scope) -> Code:
    """One operand against another; both must be there."""
    one, other = scope.read(leaf.subject), scope.read(right)
    if leaf.op is Op.EQ:
        if scope.is_present(leaf.subject) or scope.is_present(right):
            return Code(f"{one} {'!=' if leaf.negated else '=='} {other}")
        return (
            Code(f"{one} is None or {one} != {other}", "or")
            if leaf.negated
            else Code(f"{one} is not None and {one} == {other}", "and")
        )
    between = f"between(Op.{leaf.op.name}{', lists=True' if leaf.subject.is_list else ''}"
    return _unless(leaf.negated, f"{scope.function.module.constant(leaf.op.name, between, (), ')')}({one}, {other})")


_COMPARISONS = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_METHODS = {Op.STARTSWITH: "startswith", Op.ENDSWITH: "endswith"}


def _of_value(leaf: Leaf, value: str, scope: Scope) -> Code:
    """The code of a test of a value that is there."""
    module, subject, values, op = scope.function.module, leaf.subject, leaf.values, leaf.op
    if subject.many or subject.is_list:
        return _of_several(leaf, value, module)
    match op:
        case Op.IN:  # networks
            return _in_networks(leaf, value)
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return _unless(leaf.negated, f"{value} {_COMPARISONS[op]} {values[0]!r}")
        case Op.STARTSWITH | Op.ENDSWITH:
            return _unless(leaf.negated, f"{value}.{_METHODS[op]}({module.alternatives(subject, values)})")
        case Op.CONTAINS | Op.ICONTAINS if len(values) <= cost.CHAIN:
            return _chain(leaf, value)
        case Op.CONTAINS:
            test = module.matcher(leaf, "one_of_substrings")
        case Op.ICONTAINS:
            test = module.matcher(leaf, "one_of_substrings", ", ignore_case=True")
        case Op.GLOB | Op.IGLOB:
            test = _glob(leaf, ", ignore_case=True" if op is Op.IGLOB else "", module)
        case Op.REGEX:
            test = module.matcher(leaf, "one_of_regexes")
        case Op.PMATCH:
            test = module.matcher(leaf, "one_of_paths")
        case Op.EXISTS | Op.EQ | Op.NE | Op.BCONTAINS | Op.BSTARTSWITH | Op.INTERSECTS:  # normalised away
            test = module.predicate(leaf)
        case _:
            assert_never(op)
    return _unless(leaf.negated, f"{test}({value})")


def _glob(leaf: Leaf, rest: str, module: Module) -> str:
    if len(leaf.values) == 1:
        return module.constant(leaf.subject.label, "glob(", leaf.values, f"{rest}).fullmatch")
    return module.matcher(leaf, "one_of_globs", rest)


def _chain(leaf: Leaf, value: str) -> Code:
    """Substrings looked for one after the other."""
    texts = [value] * len(leaf.values)
    if leaf.op is Op.ICONTAINS:
        texts = [f"lower({value})"] if len(texts) == 1 else [f"(lowered := lower({value}))"] + ["lowered"] * (len(texts) - 1)
    found = "not in" if leaf.negated else "in"
    return _joined("and" if leaf.negated else "or", [Code(f"{v!r} {found} {t}") for v, t in zip(leaf.values, texts, strict=True)])


def _in_networks(leaf: Leaf, value: str) -> Code:
    """A network is a range of numbers, and comparing takes less than masking."""
    codes = []
    for mask, first in leaf.values:
        width = 128 if first & IPV6 else 32
        last = first | network_mask(width, width) ^ mask
        codes.append(_unless(leaf.negated, f"{first:#x} <= {value} <= {last:#x}"))
    return _joined("and" if leaf.negated else "or", codes)


def _of_several(leaf: Leaf, value: str, module: Module) -> Code:
    """A list, or several values of which one must satisfy the test."""
    subject, op = leaf.subject, leaf.op
    if op is Op.IN and subject.is_list:
        return _unless(leaf.negated, f"{module.frozen(subject, leaf.values)}.issuperset({value})")
    if op in (Op.IN, Op.INTERSECTS) and subject.type is not FieldType.IPNET:
        return _unless(not leaf.negated, f"{module.frozen(subject, leaf.values)}.isdisjoint({value})")
    return _unless(leaf.negated, f"any(map({module.predicate(leaf)}, {value}))")
