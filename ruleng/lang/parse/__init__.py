"""Text to syntax tree: conditions, operands and `.rules` files. In goes a Source; out come a tree and what is wrong.

The grammar is data (grammar/*.lark); Lark is known in this package only. No text is too deep or too long for it: nothing is
recursive, and time is linear in the text.
"""

from __future__ import annotations

from dataclasses import replace

from ruleng.lang.ast import Call, Expr, FieldRef, ListDecl, MacroDecl, RuleDecl, RuleFile
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.parse.conditions import Conditions
from ruleng.lang.parse.files import Files
from ruleng.lang.parse.reader import levels_of, read
from ruleng.lang.parse.recover import names_at
from ruleng.lang.source import Source, Span

__all__ = ["parse_condition", "parse_file", "parse_operand"]

MAX_DEPTH = 1000
"""Falco's limit for the conditions of rules, counted as Falco counts: 199 parentheses inside each other."""


def parse_condition(source: Source, *, max_depth: int = MAX_DEPTH) -> tuple[Expr | None, list[Diagnostic]]:
    """The tree of a condition; None with an error, and there may be warnings with a tree."""
    reading = read("condition", source, max_depth)
    if reading.tree is None:
        return None, reading.diagnostics
    build = Conditions(source, levels_of(max_depth))
    expr: Expr = build.transform(reading.tree)
    return (None if build.failed else expr), build.diagnostics


def parse_operand(source: Source) -> tuple[FieldRef | Call | None, list[Diagnostic]]:
    """The tree of a text that is one field or one transformer."""
    reading = read("operand", source, MAX_DEPTH)
    if reading.tree is None:
        return None, reading.diagnostics
    build = Conditions(source, levels_of(MAX_DEPTH))
    operand: FieldRef | Call = build.transform(reading.tree)
    return (None if build.failed else operand), build.diagnostics


def parse_file(source: Source) -> tuple[RuleFile, list[Diagnostic]]:
    """The items of a `.rules` file that can be read, and every mistake in the others, whose names are in `RuleFile.broken`."""
    nul = source.text.find("\0")
    if nul >= 0:
        return RuleFile(source, (), "rules"), [syntax.not_text(Span(source, nul, nul + 1))]
    reading = read("file", source, MAX_DEPTH)
    mistakes_at = [mistake.span.start for mistake in reading.diagnostics if mistake.span]
    names = names_at(source.text, mistakes_at)
    diagnostics = [replace(mistake, rule=name) for mistake, name in zip(reading.diagnostics, names, strict=True)]
    broken = {name for name in names if name}
    items = []
    files = Files(source, reading.comments, sorted(mistakes_at), Conditions(source, levels_of(MAX_DEPTH), strict=True))
    for built in files.items(reading.tree) if reading.tree else ():
        if not built.failed:
            items.append(built.item)
        elif isinstance(built.item, ListDecl | MacroDecl | RuleDecl):
            broken.add(built.item.name.text)
    diagnostics += files.diagnostics
    if not items and not diagnostics:
        diagnostics.append(syntax.no_items(Span(source, 0, 0)))
    diagnostics.sort(key=lambda mistake: mistake.span.located().start if mistake.span else 0)
    return RuleFile(source, tuple(items), "rules", tuple(sorted(broken))), diagnostics
