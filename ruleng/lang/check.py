"""Conditions and whole rules, from what was written to what the engine runs.

In go resolved conditions and rules (ruleng.lang.resolve) and the catalogue; out come the checked ones, or None when there are
errors, and all diagnostics at once.
"""

from __future__ import annotations

from dataclasses import replace

from ruleng.fields.types import Catalogue
from ruleng.lang.ast import Dialect, Expr
from ruleng.lang.checked import Checked
from ruleng.lang.conditions import Checker
from ruleng.lang.diagnostics import Diagnostic


def check_condition(
    expr: Expr, catalogue: Catalogue, *, dialect: Dialect = "rules", rule: str | None = None
) -> tuple[Checked | None, list[Diagnostic]]:
    """The checked condition, None when a diagnostic is an error. `rule` is the name that the diagnostics carry."""
    checker = Checker(catalogue, dialect)
    checked = checker.condition(expr)
    diagnostics = [replace(diagnostic, rule=rule) for diagnostic in checker.diagnostics]
    return (None if _errors(diagnostics) else checked), diagnostics


def _errors(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    return [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
