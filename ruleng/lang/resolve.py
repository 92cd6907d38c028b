"""From rule files in their order to complete rules: what was appended and overridden applied, lists, macros and exceptions
put in.

In: RuleFiles. Out: rules whose condition has no name of a macro or list left, and what is wrong with names. What a rule or
macro cannot have because of a mistake elsewhere is not a mistake of its own.

Falco's order holds in Falco files: a macro sees those first defined before its own last change, a rule those of its file and
the files before. In `.rules` files order does not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ruleng.lang import exceptions
from ruleng.lang.ast import (
    And,
    Check,
    Condition,
    Dialect,
    ExceptionDecl,
    Expr,
    ListDecl,
    MacroDecl,
    Name,
    Not,
    Ref,
    RuleDecl,
    RuleFile,
)
from ruleng.lang.diagnostics import Diagnostic, Severity
from ruleng.lang.graph import ordered
from ruleng.lang.lists import ListEntry, Lists
from ruleng.lang.mistakes import names as mistakes
from ruleng.lang.mistakes import sources as source_mistakes
from ruleng.lang.odd_names import OddNames
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Piece, Source, Span, join
from ruleng.lang.trees import Size, leaves, map_leaves, size_of

MAX_CHECKS = 100_000
"""Checks of a condition with all macros put in. Falco's largest rule has 300; more comes of macros that double each other."""

MAX_LEVELS = 200
"""Levels of a condition with all macros put in: one more than a condition alone may have, so that what walks the tree may be
recursive."""

DEFAULT_SOURCE = "syscall"
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
    collected = _Collected()
    for number, file in enumerate(files):
        collected.broken.update(file.broken)
        for item in file.items:
            collected.add(item, file.dialect, number)
    return _Resolver(collected, sources, complete).run()


# --- what there is ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Macro:
    name: Name
    condition: Condition
    dialect: Dialect
    file: int  # that first defined it
    index: int  # Falco's order: where it was first defined,
    seen: int  # and last changed
    used: bool = False


@dataclass(slots=True)
class _Rule:
    decl: RuleDecl
    dialect: Dialect
    file: int  # that last changed it


@dataclass(slots=True)
class _Collected:
    """Items in order, each change applied to what it changes."""

    lists: dict[str, ListEntry] = field(default_factory=dict)
    macros: dict[str, _Macro] = field(default_factory=dict)
    rules: dict[str, _Rule] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    orphans: list[tuple[Name, str, Severity]] = field(default_factory=list)  # changes to nothing, and the kind that they change
    count: int = 0

    def add(self, item: object, dialect: Dialect, file: int) -> None:
        self.count += 1
        match item:
            case ListDecl():
                self._list(item, dialect)
            case MacroDecl():
                self._macro(item, dialect, file)
            case RuleDecl():
                self._rule(item, dialect, file)

    def _list(self, decl: ListDecl, dialect: Dialect) -> None:
        name = decl.name.text
        old = self.lists.get(name)
        match decl.mode:
            case "append" if old is None:
                self.orphans.append((decl.name, "list", "error"))
            case "append" if old is not None:
                old.items += decl.items
                old.seen = self.count
            case _:
                self._define(decl.mode, dialect, "list", decl.name, None if old is None else old.name)
                index = self.count if old is None else old.index
                self.lists[name] = ListEntry(decl.name, list(decl.items), dialect, index, self.count)

    def _macro(self, decl: MacroDecl, dialect: Dialect, file: int) -> None:
        name = decl.name.text
        old = self.macros.get(name)
        match decl.mode:
            case "append" if old is None:
                self.orphans.append((decl.name, "macro", "error"))
            case "append" if old is not None:
                old.condition = _joined(old.condition, decl.condition)
                old.seen = self.count
            case _:
                self._define(decl.mode, dialect, "macro", decl.name, None if old is None else old.name)
                index, first = (self.count, file) if old is None else (old.index, old.file)
                self.macros[name] = _Macro(decl.name, decl.condition, dialect, first, index, self.count)

    def _rule(self, decl: RuleDecl, dialect: Dialect, file: int) -> None:
        name = decl.name.text
        old = self.rules.get(name)
        if old is None:
            if decl.modes:
                self.orphans.append((decl.name, "rule", "error"))
            else:
                self._put(name, decl, dialect, file)
            return
        before, now = _source(old.decl), decl.source.text if decl.source is not None else _source(old.decl)
        if not decl.modes:
            now = _source(decl)
        if before != now:
            self._report(mistakes.another_source(decl.source.span if decl.source else decl.name.span, name, before, now), name)
        elif not decl.modes:
            self._define("define", dialect, "rule", decl.name, old.decl.name)
            self._put(name, decl, dialect, file)
        else:
            old.decl = self._changed(old.decl, decl)
            old.file = file

    def _put(self, name: str, decl: RuleDecl, dialect: Dialect, file: int) -> None:
        if decl.exceptions:
            decl = replace(decl, exceptions=self._checked(decl))
        self.rules[name] = _Rule(decl, dialect, file)

    def _checked(self, decl: RuleDecl) -> tuple[ExceptionDecl, ...]:
        checked = (exceptions.checked(exception, self._reporter(decl)) for exception in decl.exceptions or ())
        return tuple(exception for exception in checked if exception is not None)

    def _changed(self, old: RuleDecl, change: RuleDecl) -> RuleDecl:
        values: dict[str, object] = {}
        for key, mode in change.modes:
            new, before = getattr(change, key), getattr(old, key)
            match key:
                case "exceptions" if mode == "append":
                    values[key] = exceptions.appended(before or (), new, self._reporter(change))
                case "exceptions":
                    values[key] = self._checked(change)
                case _ if mode == "replace" or before is None:
                    values[key] = new
                case "condition":
                    values[key] = _joined(before, new)
                case "tags":
                    known = {tag.text for tag in before}
                    values[key] = before + tuple(tag for tag in new if tag.text not in known)
                case "output" | "desc":
                    values[key] = _joined_text(before, new)
                case _:
                    values[key] = before + new
        return replace(old, **values)  # type: ignore[arg-type]  # keys and values are those of RuleDecl

    def _reporter(self, decl: RuleDecl) -> exceptions.Report:
        return lambda diagnostic: self._report(diagnostic, decl.name.text)

    def _report(self, diagnostic: Diagnostic, owner: str) -> None:
        self.diagnostics.append(diagnostic if diagnostic.rule is not None else replace(diagnostic, rule=owner))

    def _define(self, mode: str, dialect: Dialect, kind: str, name: Name, first: Name | None) -> None:
        """In `.rules` files a definition is new and a replacement is not; Falco does not care."""
        if dialect == "rules" and mode == "define" and first is not None:
            self._report(mistakes.defined_twice(name.span, kind, name.text, first.span), name.text)
        elif dialect == "rules" and mode == "replace" and first is None:
            self.orphans.append((name, kind, "warning"))


def _source(decl: RuleDecl) -> str:
    return DEFAULT_SOURCE if decl.source is None else decl.source.text


def _joined(first: Condition, second: Condition) -> Condition:
    """Texts are joined and read again, so that operators bind as in one text."""
    return Condition(join(first.source, second.source), None, first.span)


def _joined_text(first: Name, second: Name) -> Name:
    source = join(_as_source(first), _as_source(second))
    return Name(source.text, Span(source, 0, len(source.text)))


def _as_source(name: Name) -> Source:
    span = name.span
    return Source(span.source.name, name.text, (Piece(0, span.source, range(span.start, span.end)),))


# --- put together -----------------------------------------------------------------------------------------------------


class _Resolver:
    """Parses the conditions, expands macros in the order of what they are made of, then builds the rules."""

    def __init__(self, collected: _Collected, sources: Collection[str] | None, complete: bool) -> None:
        self.all = collected
        self.sources = sources
        self.complete = complete
        self.diagnostics = collected.diagnostics
        self.lists = Lists(collected.lists, self.diagnostics.append, complete)
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
                self._report(mistakes.nothing_to_change(name.span, kind, name.text, known - {name.text}, severity), name.text)

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
            self._report(mistakes.unknown_macro(ref.span, ref.name, self.all.macros), owner)

    # --- rules

    def _rule(self, entry: _Rule) -> ResolvedRule | None:
        decl, name = entry.decl, entry.decl.name.text
        if self.sources is not None and _source(decl) not in self.sources:
            place = decl.source.span if decl.source is not None else decl.name.span
            self._report(source_mistakes.unknown_source(place, _source(decl), self.sources), name)
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

    def _all_known(self, refs: Sequence[Ref], entry: _Rule, name: str) -> bool:
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

    def _with_exceptions(self, entry: _Rule, expr: Expr, name: str) -> Expr | None:
        problems: list[Diagnostic] = []
        excepted = [exceptions.condition(exception, entry.dialect, problems.append) for exception in entry.decl.exceptions or ()]
        for problem in problems:
            self._report(problem, name)
        if problems:
            return None
        children = tuple(Not(part, part.span) for part in excepted if part is not None)
        return And((expr, *children), expr.span) if children else expr
