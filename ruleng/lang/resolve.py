"""From rule files in their order to complete rules: what was appended and overridden applied, lists, macros and exceptions
put in.

In: RuleFiles. Out: rules whose condition has no name of a macro or list left, and what is wrong with names. What a rule or
macro cannot have because of a mistake elsewhere is not a mistake of its own.

Falco's order holds in Falco files: a macro sees those first defined before its own last change, a rule those of its file and
the files before. In `.rules` files order does not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ruleng.lang import exceptions
from ruleng.lang.ast import (
    And,
    Check,
    Condition,
    Dialect,
    Expr,
    Not,
    Ref,
    RuleDecl,
    RuleFile,
)
from ruleng.lang.collect import DEFAULT_SOURCE, Collected, RuleEntry, source_of
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.graph import ordered
from ruleng.lang.lists import ListEntry, Lists
from ruleng.lang.mistakes import names as mistakes
from ruleng.lang.mistakes import sources as source_mistakes
from ruleng.lang.odd_names import OddNames
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Span
from ruleng.lang.trees import Size, leaves, map_leaves, size_of

MAX_CHECKS = 100_000
"""Checks of a condition with all macros put in. Falco's largest rule has 300; more comes of macros that double each other."""

MAX_LEVELS = 200
"""Levels of a condition with all macros put in: one more than a condition alone may have, so that what walks the tree may be
recursive."""

CONDITION = "LOAD_ERR_COMPILE_CONDITION"


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """A rule with all changes applied. `macros` and `lists` are those that its own text mentions, sorted."""

    decl: RuleDecl
    expr: Expr
    dialect: Dialect
    macros: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedMacro:
    """`expr` is None when the macro has a mistake."""

    name: str
    text: str
    expr: Expr | None
    used: bool


@dataclass(frozen=True, slots=True)
class ResolvedList:
    name: str
    items: tuple[str, ...]  # as written, other lists by their names
    expanded: tuple[str, ...]
    used: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    rules: tuple[ResolvedRule, ...]
    lists: Mapping[str, ResolvedList]
    macros: Mapping[str, ResolvedMacro]
    diagnostics: tuple[Diagnostic, ...]


def resolve(
    files: Sequence[RuleFile], *, sources: Collection[str] | None = frozenset({DEFAULT_SOURCE}), complete: bool = True
) -> Resolved:
    """The rules of all files together.

    sources: the event sources that there are; a rule of another one is left out, with a warning. None: any.
    complete: False when some file could not be read, so that a name which nothing defines is no mistake.
    """
    return _Resolver(Collected.of(files), sources, complete).run()


class _Resolver:
    """Parses the conditions, expands macros in the order of what they are made of, then builds the rules."""

    def __init__(self, collected: Collected, sources: Collection[str] | None, complete: bool) -> None:
        self.all = collected
        self.sources = sources
        self.complete = complete
        self.diagnostics = collected.diagnostics
        self.lists = Lists(collected.lists, self.diagnostics.append, collected.near, collected.broken, complete)
        self.parsed: dict[str, Expr] = {}  # macros as written
        self.macros: dict[str, Expr] = {}  # macros with lists and macros put in
        self.sizes: dict[str, Size] = {}
        self.odd = OddNames(collected.lists)

    def run(self) -> Resolved:
        self._orphans()
        self.lists.expand()
        self._expand_macros()
        rules = tuple(rule for entry in self.all.rules.values() if (rule := self._rule(entry)) is not None)
        self._unused()
        lists = {name: self._resolved_list(name, entry) for name, entry in self.all.lists.items()}
        macros = {
            name: ResolvedMacro(name, entry.condition.source.text, self.macros.get(name), entry.used)
            for name, entry in self.all.macros.items()
        }
        return Resolved(rules, lists, macros, tuple(self.diagnostics))

    def _resolved_list(self, name: str, entry: ListEntry) -> ResolvedList:
        expanded = tuple(item.text for item in self.lists.expanded.get(name, ()))
        return ResolvedList(name, tuple(item.text for item in entry.items), expanded, entry.used)

    def _orphans(self) -> None:
        if not self.complete:
            return
        for name, kind, severity in self.all.orphans:
            if name.text not in self.all.broken:
                known = {"list": self.all.lists.keys(), "macro": self.all.macros.keys(), "rule": self.all.rules.keys()}[kind]
                others = [other for other in self.all.near(known) if other != name.text]
                self._report(mistakes.nothing_to_change(name.span, kind, name.text, others, severity), name.text)

    def _unused(self) -> None:
        for macro in self.all.macros.values():
            if not macro.used and macro.dialect == "falco":
                self._report(mistakes.unused_macro(macro.name.span, macro.name.text), macro.name.text)
        for entry in self.lists.unused():
            if entry.dialect == "falco":
                self._report(mistakes.unused_list(entry.name.span, entry.name.text), entry.name.text)

    def _report(self, diagnostic: Diagnostic, owner: str) -> None:
        self.diagnostics.append(diagnostic if diagnostic.rule is not None else replace(diagnostic, rule=owner))

    # --- conditions

    def _parse(self, condition: Condition, dialect: Dialect, owner: str) -> Expr | None:
        if condition.expr is not None:
            return condition.expr
        source = self.odd.hidden(condition.source) if dialect == "falco" else condition.source
        expr, found = parse_condition(source)
        for diagnostic in found:
            self._report(replace(diagnostic, falco=CONDITION) if diagnostic.falco is None else diagnostic, owner)
        return expr if expr is None or source is condition.source else self.odd.shown(expr)

    def _put_in(self, expr: Expr, dialect: Dialect, owner: str, lists: set[str]) -> Expr | None:
        """The tree with lists and macros put in. Macros come as they are, so that equal parts stay one object."""

        def leaf(node: Ref | Check) -> Expr | None:
            if isinstance(node, Ref):
                return self.macros.get(node.name)
            return self.lists.put_in(node, dialect, owner, lists)

        return map_leaves(expr, leaf)

    def _fits(self, expr: Expr, span: Span, what: str, owner: str) -> Size | None:
        size = size_of(expr, self.sizes)
        if size.checks > MAX_CHECKS:
            self._report(mistakes.too_big(span, what, "checks", MAX_CHECKS), owner)
        elif size.levels > MAX_LEVELS:
            self._report(mistakes.too_big(span, what, "levels", MAX_LEVELS), owner)
        else:
            return size
        return None

    # --- macros

    def _expand_macros(self) -> None:
        uses: dict[str, list[Ref]] = {}
        for name, macro in self.all.macros.items():
            expr = self._parse(macro.condition, macro.dialect, name)
            if expr is not None and name not in self.all.broken:
                self.parsed[name] = expr
            uses[name] = [node for node in leaves(expr) if isinstance(node, Ref)] if expr is not None else []
        visible = {name: [ref for ref in refs if self._sees(name, ref)] for name, refs in uses.items()}
        order, circles = ordered(self.all.macros, lambda name: [ref.name for ref in visible[name]])
        for name in order:
            macro, expr = self.all.macros[name], self.parsed.get(name)
            whole = len(visible[name]) == len(uses[name])
            for ref in visible[name]:
                self.all.macros[ref.name].used = True
                if (name, ref.name) in circles:
                    self._report(mistakes.macro_cycle(ref.span, circles[name, ref.name]), name)
                    whole = False
            if expr is None or not whole or any(ref.name not in self.macros for ref in visible[name]):
                continue
            put_in = self._put_in(expr, macro.dialect, name, set())
            size = self._fits(expr, macro.name.span, f"the macro `{name}`", name) if put_in is not None else None
            if put_in is not None and size is not None:
                self.macros[name] = put_in
                self.sizes[name] = size

    def _sees(self, name: str, ref: Ref) -> bool:
        """Whether the macro sees the one that it mentions; reports when not."""
        macro, other = self.all.macros[name], self.all.macros.get(ref.name)
        if other is None:
            self._unknown(ref, name)
            return False
        if macro.dialect == "falco" and other.index >= macro.seen:
            self._report(mistakes.macro_comes_later(ref.span, ref.name, other.name.span), name)
            return False
        return True

    def _unknown(self, ref: Ref, owner: str) -> None:
        if not self.complete or ref.name in self.all.broken:
            return
        if ref.name in self.all.lists:
            self._report(mistakes.list_as_macro(ref.span, ref.name), owner)
        else:
            self._report(mistakes.unknown_macro(ref.span, ref.name, self.all.near(self.all.macros)), owner)

    # --- rules

    def _rule(self, entry: RuleEntry) -> ResolvedRule | None:
        decl, name = entry.decl, entry.decl.name.text
        if self.sources is not None and source_of(decl) not in self.sources:
            place = decl.source.span if decl.source is not None else decl.name.span
            self._report(source_mistakes.unknown_source(place, source_of(decl), self.sources), name)
            return None
        if decl.condition is None or name in self.all.broken:
            return None
        expr = self._parse(decl.condition, entry.dialect, name)
        if expr is None:
            return None
        refs = [node for node in leaves(expr) if isinstance(node, Ref)]
        if not self._all_known(refs, entry, name):
            return None
        lists: set[str] = set()
        whole = self._with_exceptions(entry, expr, name)
        put_in = self._put_in(whole, entry.dialect, name, lists) if whole is not None else None
        if put_in is None or whole is None or self._fits(whole, decl.name.span, "the condition", name) is None:
            return None
        return ResolvedRule(decl, put_in, entry.dialect, tuple(sorted({ref.name for ref in refs})), tuple(sorted(lists)))

    def _all_known(self, refs: Sequence[Ref], entry: RuleEntry, name: str) -> bool:
        whole = True
        for ref in refs:
            macro = self.all.macros.get(ref.name)
            if macro is None:
                self._unknown(ref, name)
            elif entry.dialect == "falco" and macro.file > entry.file:
                self._report(mistakes.macro_comes_later(ref.span, ref.name, macro.name.span), name)
                macro = None
            else:
                macro.used = True
            whole = whole and macro is not None and ref.name in self.macros
        return whole

    def _with_exceptions(self, entry: RuleEntry, expr: Expr, name: str) -> Expr | None:
        problems: list[Diagnostic] = []
        excepted = [exceptions.condition(exception, entry.dialect, problems.append) for exception in entry.decl.exceptions or ()]
        for problem in problems:
            self._report(problem, name)
        if problems:
            return None
        children = tuple(Not(part, part.span) for part in excepted if part is not None)
        return And((expr, *children), expr.span) if children else expr
