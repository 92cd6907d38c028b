"""Items of all files in their order, each change applied to what it changes: what there is, before names are looked up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from ruleng.lang import exceptions
from ruleng.lang.ast import Condition, Dialect, ExceptionDecl, ListDecl, MacroDecl, Name, RuleDecl, RuleFile
from ruleng.lang.diagnostics import Diagnostic, Severity
from ruleng.lang.lists import ListEntry
from ruleng.lang.mistakes import names as mistakes
from ruleng.lang.source import Piece, Source, Span, join

DEFAULT_SOURCE = "syscall"

MAX_HINTS = 32
"""Mistakes for which a near name is looked for: among thousands of names that costs milliseconds each."""


@dataclass(slots=True)
class MacroEntry:
    name: Name
    condition: Condition
    dialect: Dialect
    file: int  # that first defined it
    index: int  # Falco's order: where it was first defined,
    seen: int  # and last changed
    used: bool = False


@dataclass(slots=True)
class RuleEntry:
    decl: RuleDecl
    dialect: Dialect
    file: int  # that last changed it


@dataclass(slots=True)
class Collected:
    """Items in order, each change applied to what it changes."""

    lists: dict[str, ListEntry] = field(default_factory=dict)
    macros: dict[str, MacroEntry] = field(default_factory=dict)
    rules: dict[str, RuleEntry] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    orphans: list[tuple[Name, str, Severity]] = field(default_factory=list)  # changes to nothing, and the kind that they change
    count: int = 0
    hints: int = MAX_HINTS

    @classmethod
    def of(cls, files: Sequence[RuleFile]) -> Collected:
        collected = cls()
        for number, file in enumerate(files):
            collected.broken.update(file.broken)
            for item in file.items:
                collected.add(item, file.dialect, number)
        return collected

    def add(self, item: object, dialect: Dialect, file: int) -> None:
        self.count += 1
        match item:
            case ListDecl():
                self._list(item, dialect)
            case MacroDecl():
                self._macro(item, dialect, file)
            case RuleDecl():
                self._rule(item, dialect, file)

    def near(self, names: Collection[str]) -> Collection[str]:
        """The names to look for a near one in; none when that was done often enough."""
        self.hints -= 1
        return names if self.hints >= 0 else ()

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
                self.macros[name] = MacroEntry(decl.name, decl.condition, dialect, first, index, self.count)

    def _rule(self, decl: RuleDecl, dialect: Dialect, file: int) -> None:
        name = decl.name.text
        old = self.rules.get(name)
        if old is None:
            if decl.modes:
                self.orphans.append((decl.name, "rule", "error"))
            else:
                self._put(name, decl, dialect, file)
            return
        before, now = source_of(old.decl), decl.source.text if decl.source is not None else source_of(old.decl)
        if not decl.modes:
            now = source_of(decl)
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
        self.rules[name] = RuleEntry(decl, dialect, file)

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


def source_of(decl: RuleDecl) -> str:
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
