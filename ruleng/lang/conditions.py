"""The checker of conditions and operands: every field known, every operator fit for its type, every value typed.

In goes a syntax tree without macros and list names left (ruleng.lang.resolve); out comes the checked tree, and in
`diagnostics` what is wrong. One mistake gives one diagnostic: nothing is said about the operator of an unknown field.
`ruleng.lang.check` and `ruleng.lang.template` are the doors to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from ruleng.fields.types import Catalogue, FieldType
from ruleng.lang import values
from ruleng.lang.ast import And, Argument, Call, Check, Dialect, Expr, FieldRef, ListLit, Literal, Not, OperandList, Or, Ref
from ruleng.lang.checked import All, AnyOf, Apply, Checked, Constant, FieldUse, Negate, Op, Operand, OperandTuple, Test, Value
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.functions import FUNCTIONS, VAL, Function, Parameter
from ruleng.lang.lookup import lookup, names_field
from ruleng.lang.mistakes import fields as field_mistakes
from ruleng.lang.mistakes import types as mistakes
from ruleng.lang.mistakes.names import unknown_macro
from ruleng.lang.operators import LIST_RIGHT, MODIFIABLE, OF_LIST, OF_TYPE, canonical
from ruleng.lang.source import Span

MAX_TRANSFORMERS = 64
"""How deep transformers may be nested; without a limit a hostile rule exhausts the stack of whatever walks the tree."""

EVENT_TYPE_FIELDS = frozenset({"evt.type", "syscall.type"})
"""Fields that are compared with names of event types; an unknown one would make a rule blind."""

_EQUALITY = frozenset({Op.EQ, Op.NE, Op.IN, Op.INTERSECTS})


class Checker:
    """Collects diagnostics while it checks the parts of one rule. Its methods return None for what an error was reported of."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect) -> None:
        self.catalogue = catalogue
        self.dialect = dialect
        self.diagnostics: list[Diagnostic] = []

    def report(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    # --- conditions ---------------------------------------------------------------------------------------------------

    def condition(self, root: Expr) -> Checked | None:
        """A loop and not a recursion: conditions nest up to a thousand levels deep, Python's calls not so far."""
        done: list[Checked | None] = []
        work: list[tuple[Expr, bool]] = [(root, False)]
        while work:
            node, visited = work.pop()
            match node:
                case And() | Or():
                    if not visited:
                        work.append((node, True))
                        work.extend((child, False) for child in reversed(node.children))
                        continue
                    first = len(done) - len(node.children)
                    children = tuple(child for child in done[first:] if child is not None)
                    whole = len(children) == len(node.children)
                    del done[first:]
                    kind = All if isinstance(node, And) else AnyOf
                    done.append(kind(children, node.span) if whole else None)
                case Not():
                    if not visited:
                        work.append((node, True))
                        work.append((node.child, False))
                        continue
                    child = done.pop()
                    done.append(None if child is None else Negate(child, node.span))
                case Check():
                    done.append(self._check(node))
                case Ref():
                    self.report(unknown_macro(node.span, node.name, ()))
                    done.append(None)
                case _:
                    assert_never(node)
        return done.pop()

    def _check(self, check: Check) -> Test | None:
        left = self.operand(check.left)
        op = canonical(check.op)
        if op is None:
            self.report(mistakes.unknown_operator(_operator(check), check.op, Op))
        if isinstance(check.right, FieldRef | Call):
            right = self._right(check.right)
            if left is None or op is None or right is None:
                return None
            return self._compare_fields(check, left, op, right, check.right)
        if left is None or op is None or not self._fits(check, left, op):
            return None
        if op is Op.EXISTS:
            return Test(left, op, span=check.span)
        if (literals := self._literals(check, op)) is None:
            return None
        typed = self._values(check, left, op, literals)
        if typed is None:
            return None
        if check.modifier != "oneof":  # there duplicates count: a value given twice matches twice
            typed = tuple(dict.fromkeys(typed))
        return Test(left, op, typed, None, check.modifier, check.span)

    def _fits(self, check: Check, left: Operand, op: Op) -> bool:
        """Whether the operator and its modifier go with the left side."""
        operators = OF_LIST if left.is_list else OF_TYPE[left.type]
        if op not in operators:
            self.report(mistakes.operator_unsupported(_operator(check), check.op, name_of(check.left), describe(left), operators))
            return False
        if check.modifier is not None and op not in MODIFIABLE:
            self.report(mistakes.modifier_unsupported(_operator(check), check.op, check.modifier))
            return False
        return True

    def _literals(self, check: Check, op: Op) -> Sequence[Literal] | None:
        match check.right:
            case Literal() as literal:
                return (literal,)
            case ListLit(items):
                if check.modifier is None and op not in LIST_RIGHT:
                    self.report(mistakes.one_value_wanted(check.right.span, check.op))
                    return None
                return items
            case _:
                self.report(mistakes.value_missing(check.span, check.op))
                return None

    def _values(self, check: Check, left: Operand, op: Op, literals: Sequence[Literal]) -> tuple[Value, ...] | None:
        event_types = isinstance(left, FieldUse) and left.field.name in EVENT_TYPE_FIELDS and op in _EQUALITY
        typed: list[Value] = []
        for literal in literals:
            value, problem = values.read(literal, left.type, op, self.dialect)
            mistaken = self._mistaken(literal)
            if problem is not None:
                self.report(replace(problem, help=mistaken.help) if problem.is_error and mistaken is not None else problem)
            if value is None:
                continue
            if event_types and self.catalogue.event_types and value not in self.catalogue.event_types:
                self.report(field_mistakes.unknown_event_type(literal.span, literal.text, self.catalogue.event_types))
                continue
            if mistaken is not None:
                self.report(mistaken)
            if literal.text == "<NA>" and (op in _EQUALITY or op is Op.PMATCH):
                self._compared_with_na(check, literal)
            typed.append(value)
        return tuple(typed) if len(typed) == len(literals) else None

    def _mistaken(self, literal: Literal) -> Diagnostic | None:
        """A value that looks as if a field was meant."""
        if literal.quoted and self.dialect == "rules":
            return None  # quotes say that the text is meant
        text = "".join(literal.text.split())
        if "." in text and self._names_field(text):
            return mistakes.field_as_text(literal.span, literal.text)
        if text.endswith(")") and text.partition("(")[0] in (*FUNCTIONS, VAL):
            return mistakes.transformer_as_text(literal.span, literal.text)
        return None

    def _compared_with_na(self, check: Check, literal: Literal) -> None:
        field = check.left.name if isinstance(check.left, FieldRef) else ""
        unsafe = field.startswith(("ka.", "jevt."))  # the fields of which Falco says so, filter_warning_resolver.cpp
        if unsafe or self.dialect == "rules":
            self._once(mistakes.compared_with_na(literal.span, name_of(check.left), falco=unsafe))

    def _names_field(self, text: str) -> bool:
        name, bracket, rest = text.partition("[")
        if bracket and not rest.endswith("]"):
            return False
        return names_field(self.catalogue, name, rest[:-1] if bracket else None)

    # --- fields on the right ------------------------------------------------------------------------------------------

    def _right(self, node: FieldRef | Call) -> Operand | None:
        if isinstance(node, FieldRef) or node.name != VAL:
            return self.operand(node)
        if node.arg is not None:
            self.report(mistakes.transformer_argument_unwanted(node.span, VAL))
            return None
        if len(node.args) != 1 or not isinstance(node.args[0], FieldRef):
            self.report(mistakes.val_wants_a_field(node.span))
            return None
        return self.operand(node.args[0])

    def _compare_fields(self, check: Check, left: Operand, op: Op, right: Operand, node: FieldRef | Call) -> Test | None:
        if not self._fits(check, left, op):
            return None
        problem = self._incomparable(check, left, op, right, node)
        if problem is not None:
            self.report(problem)
            return None
        if op in (Op.IN, Op.INTERSECTS) and not left.is_list:
            op = Op.EQ  # the list of one value
        return Test(left, op, (), right, None, check.span)

    def _incomparable(self, check: Check, left: Operand, op: Op, right: Operand, node: FieldRef | Call) -> Diagnostic | None:
        if op in (Op.EXISTS, Op.REGEX, Op.PMATCH):
            return mistakes.operator_without_fields(_operator(check), check.op)
        if check.modifier is not None:
            return mistakes.modifier_unsupported(check.span, check.op, check.modifier)
        if left.type is FieldType.IPNET or (isinstance(left, FieldUse) and self._constants_only(left)):
            return mistakes.constants_only(check.left.span, name_of(check.left))
        if isinstance(right, FieldUse) and not right.field.right_side:
            return mistakes.not_on_the_right(node.span, right.field.name)
        if values.kind(left.type) is not values.kind(right.type) or left.is_list != right.is_list:
            return mistakes.different_types(check.span, name_of(check.left), describe(left), name_of(node), describe(right))
        return None

    def _constants_only(self, use: FieldUse) -> bool:
        return not use.field.right_side or use.field.name == "evt.type"

    # --- operands -----------------------------------------------------------------------------------------------------

    def operand(self, node: FieldRef | Call, *, output: bool = False) -> Operand | None:
        """A field or transformer of a condition or, with `output`, of an output."""
        return self._field(node, output) if isinstance(node, FieldRef) else self._call(node, output, 1)

    def _field(self, node: FieldRef, output: bool) -> FieldUse | None:
        found = lookup(self.catalogue, node.name, node.arg, node.span)
        if isinstance(found, Diagnostic):
            self.report(found)
            return None
        if output and found.field.filter_only:
            self.report(field_mistakes.condition_only(node.span, found.field))
            return None
        if not output and found.field.print_only and self.dialect == "rules":  # Falco says so and does not ask
            self.report(field_mistakes.output_only(node.span, found.field))
            return None
        if found.field.deprecated is not None:
            self._once(field_mistakes.deprecated_field(node.span, found.field))
        return found

    def _once(self, warning: Diagnostic) -> None:
        """Reports a warning that need not be repeated at each place of a rule."""
        if all((known.code, known.message) != (warning.code, warning.message) for known in self.diagnostics):
            self.report(warning)

    def _call(self, node: Call, output: bool, depth: int) -> Apply | None:
        if depth > MAX_TRANSFORMERS:
            self.report(mistakes.nested_too_deeply(node.span, MAX_TRANSFORMERS))
            return None
        function = FUNCTIONS.get(node.name)
        if function is None:
            on_left = node.name == VAL
            problem = (
                mistakes.val_on_the_left(node.span) if on_left else mistakes.unknown_transformer(node.span, node.name, FUNCTIONS)
            )
            self.report(problem)
            return None
        if not self._own_argument(node, function):
            return None
        arguments = [self._argument(argument, output, depth) for argument in node.args]
        if not self._count(node, function):
            return None
        whole = [argument for argument in arguments if argument is not None]
        if len(whole) < len(arguments):
            return None
        fits = [
            self._argument_fits(function, parameter, argument, place)
            for parameter, argument, place in zip(_parameters(function, len(whole)), whole, node.args, strict=True)
        ]
        if not all(fits):
            return None
        selected = node.arg is not None
        if function.result is None:
            return Apply(function.name, tuple(whole), whole[0].type, whole[0].is_list, None, node.span)
        return Apply(function.name, tuple(whole), function.result, function.result_is_list and not selected, node.arg, node.span)

    def _own_argument(self, node: Call, function: Function) -> bool:
        if node.arg is None:
            return True
        if not function.selects:
            self.report(mistakes.transformer_argument_unwanted(node.span, function.name))
            return False
        if len(node.arg) != 1:
            self.report(mistakes.not_an_option(node.span, node.arg))
            return False
        return True

    def _count(self, node: Call, function: Function) -> bool:
        found, wanted = len(node.args), len(function.parameters)
        if found == wanted or (function.variadic and found > wanted):
            return True
        self.report(mistakes.wrong_argument_count(node.span, function.signature, found))
        return False

    def _argument(self, node: Argument, output: bool, depth: int) -> Operand | None:
        match node:
            case FieldRef():
                use = self._field(node, output)
                if use is not None and not use.field.transformable:
                    self.report(mistakes.not_transformable(node.span, use.field.name))
                    return None
                return use
            case Call():
                return self._call(node, output, depth + 1)
            case Literal():
                value, problem = values.read(node, FieldType.STRING, Op.EQ, self.dialect)
                if problem is not None:
                    self.report(problem)
                return None if value is None else Constant(value, span=node.span)
            case OperandList():
                return self._operand_list(node, output, depth)
            case _:
                assert_never(node)

    def _operand_list(self, node: OperandList, output: bool, depth: int) -> OperandTuple | None:
        items: list[Operand] = []
        for place in node.items:
            item = self._argument(place, output, depth + 1)
            if item is None:
                continue
            if item.is_list or item.type not in values.TEXTS:
                self.report(mistakes.wrong_item(place.span, describe(item)))
                continue
            items.append(item)
        return OperandTuple(tuple(items), span=node.span) if len(items) == len(node.items) else None

    def _argument_fits(self, function: Function, parameter: Parameter, argument: Operand, place: Argument) -> bool:
        if argument.is_list:
            fits = parameter.shape != "value" and (parameter.list_types is None or argument.type in parameter.list_types)
        else:
            fits = parameter.shape != "list" and (parameter.types is None or argument.type in parameter.types)
        if not fits:
            self.report(mistakes.wrong_argument(place.span, function.signature, parameter.wanted, describe(argument)))
        return fits


def _operator(check: Check) -> Span:
    """Where the operator stands: after the left side, unless the check was put together (exceptions are)."""
    left, span = check.left.span, check.span
    if left.source is not span.source or not span.start <= left.end <= span.end:
        return span
    start = span.source.text.find(check.op, left.end, span.end)
    return span if start < 0 else Span(span.source, start, start + len(check.op))


def _parameters(function: Function, count: int) -> Sequence[Parameter]:
    """As many parameters as there are arguments; the last of a variadic function stands for all that follow."""
    return function.parameters + (function.parameters[-1],) * (count - len(function.parameters))


def describe(operand: Operand) -> str:
    """Its type for people: `uint32`, `a list of string`."""
    return f"a list of {operand.type.label}" if operand.is_list else operand.type.label


def name_of(node: FieldRef | Call) -> str:
    """A field or transformer as a message names it, a transformer without its arguments."""
    match node:
        case FieldRef(name, None):
            return name
        case FieldRef(name, arg):
            return f"{name}[{arg}]"
        case Call("val", (FieldRef() as field,)):
            return name_of(field)
        case Call(name):
            return f"{name}(...)"
        case _:
            assert_never(node)
