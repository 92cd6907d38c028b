"""Conditions and whole rules, from what was written to what the engine runs.

In go resolved conditions and rules (ruleng.lang.resolve) and the catalogue; out come the checked ones, or None when there are
errors, and all diagnostics at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ruleng.alert import Priority
from ruleng.fields.types import Catalogue
from ruleng.lang.actions import check_actions
from ruleng.lang.ast import Dialect, Expr, RuleDecl, ThrottleDecl
from ruleng.lang.checked import Checked, FieldUse, Rule, Throttle
from ruleng.lang.conditions import Checker
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.format import format_condition
from ruleng.lang.mistakes import fields as field_mistakes
from ruleng.lang.mistakes import outputs as mistakes
from ruleng.lang.resolve import ResolvedRule
from ruleng.lang.template import parse_output


def check_condition(
    expr: Expr, catalogue: Catalogue, *, dialect: Dialect = "rules", rule: str | None = None
) -> tuple[Checked | None, list[Diagnostic]]:
    """The checked condition, None when a diagnostic is an error. `rule` is the name that the diagnostics carry."""
    checker = Checker(catalogue, dialect)
    checked = checker.condition(expr)
    diagnostics = [replace(diagnostic, rule=rule) for diagnostic in checker.diagnostics]
    return (None if _errors(diagnostics) else checked), diagnostics


def check_rule(rule: ResolvedRule, catalogue: Catalogue, *, inline: bool = False) -> tuple[Rule | None, list[Diagnostic]]:
    """The rule as the engine runs it, None when a diagnostic is an error. `inline`: whether a source of this run can deny calls."""
    decl, name = rule.decl, rule.decl.name.text
    condition, diagnostics = check_condition(rule.expr, catalogue, dialect=rule.dialect, rule=name)
    output = None
    if decl.output is not None:
        output, found = parse_output(decl.output, catalogue, dialect=rule.dialect, rule=name)
        diagnostics += found
    priority = None if decl.priority is None else Priority.parse(decl.priority.text)
    actions, found = check_actions(decl.actions, inline=inline)
    throttle, wrong = _throttle(decl.throttle, catalogue, rule.dialect)
    diagnostics += [replace(diagnostic, rule=name) for diagnostic in (*_parts(decl), *found, *wrong)]
    if _errors(diagnostics) or condition is None or output is None or priority is None:
        return None, diagnostics
    checked = Rule(
        name=name,
        condition=condition,
        output=output,
        priority=priority,
        desc="" if decl.desc is None else decl.desc.text,
        tags=tuple(tag.text for tag in decl.tags or ()),
        source="syscall" if decl.source is None else decl.source.text,
        enabled=decl.enabled is not False,
        actions=actions,
        throttle=throttle,
        text=format_condition(rule.expr),
        meta=_meta(rule),
        span=decl.span,
    )
    return checked, diagnostics


def _errors(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return [diagnostic for diagnostic in diagnostics if diagnostic.is_error]


def _parts(decl: RuleDecl) -> list[Diagnostic]:
    """What a rule must have and has not."""
    name = decl.name
    problems = [
        mistakes.part_missing(name.span, name.text, part)
        for part, value in (("output", decl.output), ("priority", decl.priority))
        if value is None
    ]
    if decl.priority is not None and Priority.parse(decl.priority.text) is None:
        known = [priority.name.lower() for priority in Priority]
        problems.append(mistakes.invalid_priority(decl.priority.span, decl.priority.text, known))
    return problems


def _throttle(decl: ThrottleDecl | None, catalogue: Catalogue, dialect: Dialect) -> tuple[Throttle | None, list[Diagnostic]]:
    if decl is None:
        return None, []
    checker = Checker(catalogue, dialect)
    by: list[FieldUse] = []
    for node in decl.by:
        use = checker.operand(node, output=True)
        if not isinstance(use, FieldUse):
            continue
        if use.field.quantifier != "one" and use.arg is None:
            checker.report(field_mistakes.many_values(node.span, use.field))
        by.append(use)
    return Throttle(decl.count, decl.period_ns, tuple(by)), checker.diagnostics


def _meta(rule: ResolvedRule) -> dict[str, Any]:
    """What reports say of a rule beside what it does."""
    decl = rule.decl
    return {
        "dialect": rule.dialect,
        "macros": rule.macros,
        "lists": rule.lists,
        "exception_names": tuple(exception.name.text for exception in decl.exceptions or ()),
        "warn_evttypes": decl.warn_evttypes is not False,
        "capture": bool(decl.capture),
        "capture_duration_ms": decl.capture_duration_ms,
    }
