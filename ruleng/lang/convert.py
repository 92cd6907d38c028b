"""Falco's YAML files to `.rules` files that mean the same: `ruleng convert`.

Items stay what they are and in their order. What a Falco file says by leaving it out, a `.rules` file says aloud: a second
definition of a name becomes an `override`. Names that nothing defines are kept as they are, since what defines them may be
converted elsewhere; comments are lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ruleng.lang import falco_values
from ruleng.lang.ast import (
    And,
    Call,
    Check,
    Condition,
    EngineVersion,
    ExceptionDecl,
    Expr,
    Import,
    Item,
    ListDecl,
    ListLit,
    Literal,
    MacroDecl,
    Mode,
    Name,
    Or,
    Ref,
    RuleDecl,
    RuleFile,
)
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.falco import read_falco
from ruleng.lang.format import format_file
from ruleng.lang.load import read_source
from ruleng.lang.odd_names import OddNames
from ruleng.lang.operators import LIST_RIGHT, canonical
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source, join
from ruleng.lang.trees import Leaf, map_leaves

_LIST_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
_RESET: dict[str, object] = {
    "tags": (),
    "exceptions": (),
    "enabled": True,
    "warn_evttypes": True,
    "skip_unknown": False,
    "capture": False,
}
"""What a rule has that does not say; a second definition of it that is silent sets it back."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A `.rules` text for each Falco file, in their order, and what is wrong with those."""

    texts: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def convert(paths: Sequence[str | Path]) -> Converted:
    """Files that load together, in the order in which they load. One that cannot be read is a diagnostic and an empty text."""
    read = [read_source(Path(path)) for path in paths]
    unread = [source for source in read if isinstance(source, Diagnostic)]
    sources = [source if isinstance(source, Source) else Source(str(path), "") for path, source in zip(paths, read, strict=True)]
    converted = convert_sources(sources)
    return replace(converted, diagnostics=(*unread, *converted.diagnostics))


def convert_sources(sources: Sequence[Source]) -> Converted:
    """The same for texts."""
    diagnostics: list[Diagnostic] = []
    files = []
    for source in sources:
        file, found = read_falco(source)
        diagnostics += found
        files.append(file)
    names = [item.name.text for file in files for item in file.items if isinstance(item, ListDecl)]
    converter = _Converter(diagnostics.append, OddNames(names), _fit_names(names))
    texts = []
    for file in files:
        items = [converter.item(item) for item in file.items]
        texts.append(format_file(RuleFile(file.source, tuple(item for item in items if item is not None), "rules")))
    return Converted(tuple(texts), tuple(diagnostics))


def _fit_names(names: Iterable[str]) -> dict[str, str]:
    """Names of lists that `.rules` files can mention, for those that they cannot."""
    fit = {name for name in names if _LIST_NAME.fullmatch(name)}
    renamed: dict[str, str] = {}
    for name in names:
        if name not in fit and name not in renamed:
            new = re.sub(r"[^a-zA-Z0-9_.-]", "_", name)
            while new in fit or not _LIST_NAME.fullmatch(new):
                new = f"_{new}"
            renamed[name] = new
            fit.add(new)
    return renamed


@dataclass(slots=True)
class _Converter:
    """Knows what was defined before the item that it converts."""

    report: Callable[[Diagnostic], None]
    odd: OddNames
    renamed: dict[str, str]
    defined: set[tuple[str, str]] = field(default_factory=set)
    rules: dict[str, RuleDecl] = field(default_factory=dict)

    def item(self, item: Item) -> Item | None:
        """None for an item that changes nothing."""
        match item:
            case ListDecl(name):
                named = replace(name, text=self.renamed.get(name.text, name.text))
                items = tuple(map(self.literal, item.items))
                return replace(item, name=named, items=items, mode=self.mode("list", name, item.mode))
            case MacroDecl(name):
                mode = self.mode("macro", name, item.mode)
                return replace(item, condition=self.condition(item.condition, mode, name.text), mode=mode)
            case RuleDecl():
                return self.rule(item)
            case EngineVersion() | Import():
                return item

    def mode(self, kind: str, name: Name, mode: Mode) -> Mode:
        again = (kind, name.text) in self.defined
        self.defined.add((kind, name.text))
        return "replace" if mode == "define" and again else mode

    # --- conditions

    def condition(self, condition: Condition, mode: Mode, owner: str) -> Condition:
        """Read here and not by the printer, since Falco's names of lists may need to be hidden."""
        source = self.odd.hidden(condition.source)
        if mode == "append":  # only what it is appended to tells where it begins
            return Condition(source)
        expr, found = parse_condition(source)
        for diagnostic in found:
            self.report(replace(diagnostic, rule=owner))
        if expr is None:
            return condition
        named = map_leaves(self.odd.shown(expr), self.leaf) or expr
        return replace(condition, expr=And((named,)) if _in_parentheses(source, expr) else named)

    def leaf(self, leaf: Leaf) -> Expr:
        match leaf:
            case Check(right=ListLit(items, span)):
                return replace(leaf, right=ListLit(tuple(map(self.literal, items)), span))
            case Check(right=Literal() as literal):
                return replace(leaf, right=self.literal(literal))
            case _:
                return leaf

    def literal(self, literal: Literal) -> Literal:
        new = None if literal.quoted else self.renamed.get(literal.text)
        return literal if new is None else replace(literal, text=new)

    # --- rules

    def rule(self, rule: RuleDecl) -> RuleDecl | None:
        name = rule.name.text
        before = self.rules.get(name)
        modes = dict(rule.modes)
        if rule.condition is not None:
            mode = modes.get("condition", "define")
            rule = replace(rule, condition=self.condition(rule.condition, mode, name))
        if rule.exceptions is not None:
            known = {exception.name.text: exception for exception in (before.exceptions if before else None) or ()}
            kept = (exception for exception in rule.exceptions if exception.fields is not None or exception.values)
            rule = replace(rule, exceptions=tuple(self.exception(exception, known) for exception in kept))
            if not rule.exceptions and modes.get("exceptions") == "append":
                rule = _without(rule, "exceptions")
        if rule.capture_duration_ms == 0:  # the same as none
            rule = _without(rule, "capture_duration_ms")
        if modes:
            if before is not None:
                self.rules[name] = replace(before, exceptions=(*(before.exceptions or ()), *(rule.exceptions or ())))
            return rule if rule.modes else None
        self.rules[name] = rule
        return rule if before is None else _override(rule, before)

    def exception(self, exception: ExceptionDecl, known: dict[str, ExceptionDecl]) -> ExceptionDecl:
        """Values as they are meant beside their operators."""
        comps = exception.comps or (known[exception.name.text].comps if exception.name.text in known else None) or ()
        rows = tuple(
            tuple(self.cell(value, comps[index] if index < len(comps) else None) for index, value in enumerate(row))
            for row in exception.values or ()
        )
        return replace(exception, values=rows or None)

    def cell(self, value: Literal | ListLit | Call, comp: Name | None) -> Literal | ListLit | Call:
        match value:
            case ListLit(items, span):
                return ListLit(tuple(map(self.literal, items)), span)
            case Literal():
                words = comp.text.split() if comp is not None else ["="]
                takes_list = len(words) > 1 or canonical(words[0]) in LIST_RIGHT
                meant, _ = falco_values.for_list(value) if takes_list else falco_values.for_text(value)
                if isinstance(meant, ListLit) and meant.items == (value,):
                    return self.literal(value)
                return self.literal(meant) if isinstance(meant, Literal) else meant or value
            case Call():
                return value


def _without(rule: RuleDecl, key: str) -> RuleDecl:
    modes = tuple((other, mode) for other, mode in rule.modes if other != key)
    return replace(rule, modes=modes, **{key: None})  # type: ignore[arg-type]  # every key of a change can be None


def _in_parentheses(source: Source, expr: Expr) -> bool:
    """Whether what is appended to the text does not come between its operands. An And of one is printed in parentheses."""
    joined, _ = parse_condition(join(source, Source("", "and more")))
    return isinstance(expr, And | Or) and joined == And((expr, Ref("more")))


def _override(rule: RuleDecl, before: RuleDecl) -> RuleDecl:
    """A second definition as a change of the first: what it does not say is set back."""
    reset = {key: value for key, value in _RESET.items() if getattr(rule, key) is None and getattr(before, key) is not None}
    whole = replace(rule, source=None, **reset)  # type: ignore[arg-type]  # keys and values are those of RuleDecl
    keys = (
        key
        for key in ("condition", "output", "desc", "priority", *_RESET, "capture_duration_ms")
        if getattr(whole, key) is not None
    )
    return replace(whole, modes=tuple((key, "replace") for key in keys))
