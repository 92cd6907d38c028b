"""Exceptions of rules: whether they are well formed, how appends meet them, and the conditions that they are.

A rule with exceptions e1 and e2 is `(condition) and not (e1) and not (e2)`; an exception is the disjunction of its tuples, a
tuple the conjunction of `field comparison value`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from ruleng.lang import falco_values
from ruleng.lang.ast import And, Call, Check, Dialect, ExceptionDecl, Expr, FieldRef, ListLit, Literal, Modifier, Name, Or
from ruleng.lang.checked import Op
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import names as mistakes
from ruleng.lang.operators import LIST_RIGHT, MODIFIABLE, canonical

Report = Callable[[Diagnostic], None]

Value = falco_values.Value

_MODIFIERS = frozenset({"oneof", "anyof", "allof"})


def checked(exception: ExceptionDecl, report: Report) -> ExceptionDecl | None:
    """The exception with its comparisons filled in; None when it is not well formed."""
    name, fields = exception.name, exception.fields
    if fields is None:
        report(mistakes.new_exception_incomplete(name.span, name.text, "fields"))
        return None
    default = Name("in" if exception.single else "=", name.span)
    comps = exception.comps if exception.comps is not None else (default,) * len(fields)
    if len(comps) != len(fields):
        report(mistakes.unequal_lengths(name.span, name.text, "comparisons", len(fields), len(comps)))
        return None
    whole = True
    for comp in comps:
        op, modifier = _operator(comp)
        takes_list = modifier is not None or op in LIST_RIGHT
        if op is None or op is Op.EXISTS or (modifier is not None and op not in MODIFIABLE):
            report(mistakes.exception_operator(comp.span, comp.text))
            whole = False
        elif exception.single and not takes_list:
            report(mistakes.exception_operator(comp.span, comp.text, single=True))
            whole = False
    whole = _rows_fit(exception, len(fields), report) and whole
    return replace(exception, comps=comps) if whole else None


def appended(before: Sequence[ExceptionDecl], changes: Sequence[ExceptionDecl], report: Report) -> tuple[ExceptionDecl, ...]:
    """The exceptions with what an append brings: values for those that exist, or new ones."""
    exceptions = list(before)
    for change in changes:
        name = change.name
        place = next((i for i, exception in enumerate(exceptions) if exception.name.text == name.text), None)
        if place is None:
            if not change.values and change.fields is not None:
                report(mistakes.new_exception_incomplete(name.span, name.text, "values"))
                continue
            whole = checked(change, report)
            exceptions += [] if whole is None else [whole]
        elif change.fields is not None or change.comps is not None:
            report(mistakes.fields_appended(name.span, name.text, "fields" if change.fields is not None else "comps"))
        elif change.values:
            old = exceptions[place]
            if change.single != old.single:
                found = "one value each" if change.single else "tuples"
                report(mistakes.values_unlike_fields(name.span, name.text, found, single=old.single))
            elif _rows_fit(change, len(old.fields or ()), report):
                exceptions[place] = replace(old, values=(old.values or ()) + change.values)
    return tuple(exceptions)


def condition(exception: ExceptionDecl, dialect: Dialect, report: Report) -> Expr | None:
    """What the exception excepts, None when it has no values (or, after a report, none that can be used)."""
    fields, comps, rows = exception.fields or (), exception.comps or (), exception.values or ()
    span = exception.span
    if exception.single:
        items = tuple(value for row in rows for value in row if isinstance(value, Literal))
        return _check(fields[0], comps[0], ListLit(items, span), dialect, report) if items else None
    tuples: list[Expr] = []
    for row in rows:
        checks = [_check(*parts, dialect, report) for parts in zip(fields, comps, row, strict=True)]
        whole = tuple(check for check in checks if check is not None)
        if len(whole) == len(checks) and whole:
            tuples.append(whole[0] if len(whole) == 1 else And(whole, span))
    if not tuples:
        return None
    return tuples[0] if len(tuples) == 1 else Or(tuple(tuples), span)


def _check(field: FieldRef | Call, comp: Name, value: Value, dialect: Dialect, report: Report) -> Check | None:
    op, modifier = comp.text, None
    if (word := op.rpartition(" ")[2]) in _MODIFIERS:
        op, modifier = op.removesuffix(word).rstrip(), cast(Modifier, word)
    right: Value | None = value
    if isinstance(value, Literal):
        takes_list = modifier is not None or canonical(op) in LIST_RIGHT
        if dialect == "falco":
            right, problems = falco_values.for_list(value) if takes_list else falco_values.for_text(value)
            for problem in problems:
                report(problem)
        elif takes_list:
            right = ListLit((value,), value.span)
    return None if right is None else Check(field, op, right, modifier, value.span)


def _operator(comp: Name) -> tuple[Op | None, str | None]:
    words = comp.text.split()
    if len(words) == 2 and words[1] in _MODIFIERS:
        return canonical(words[0]), words[1]
    return canonical(comp.text), None


def _rows_fit(exception: ExceptionDecl, width: int, report: Report) -> bool:
    whole = True
    for row in exception.values or ():
        if len(row) != width:
            name = exception.name
            report(mistakes.unequal_lengths(row[0].span if row else name.span, name.text, "values", width, len(row)))
            whole = False
    return whole
