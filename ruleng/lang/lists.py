"""Lists: what is in them when lists in lists are put in, and where a condition means one.

Falco replaces names of lists in the text of a condition. Here they are replaced in its tree: a bare word in a list, or on the
right of an operator. Where Falco makes something else of it without a word, a Falco file gets a warning, a .rules file an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from ruleng.lang.ast import Check, Dialect, ListLit, Literal, Name
from ruleng.lang.diagnostics import Diagnostic, Severity
from ruleng.lang.graph import ordered
from ruleng.lang.mistakes import falco as falco_mistakes
from ruleng.lang.mistakes import names as mistakes
from ruleng.lang.operators import LIST_RIGHT, canonical

MAX_ITEMS = 1_000_000
"""Items of a list with all lists in it put in. Lists of indicators have 100,000; more comes of lists that double each other."""

ALIKE = 0.8
"""difflib's ratio from which a text is taken for a misspelt list's name."""

MAX_COMPARED = 20
"""Names that a text is compared with letter by letter."""

Report = Callable[[Diagnostic], None]

_WORDS = re.compile(r"[a-zA-Z]\w*_\w+")
_DELIMITERS = re.compile(r"[ \t\n\r(),=]+")  # what separates names for Falco (rule_loader_compiler.cpp, resolve_list)


@dataclass(slots=True)
class ListEntry:
    """A list with what was appended to it. `index` and `seen` are Falco's order: where it was first defined and last changed."""

    name: Name
    items: list[Literal]
    dialect: Dialect
    index: int
    seen: int
    used: bool = False


@dataclass(slots=True)
class Lists:
    """All lists of a set of files. `expanded` holds their items with lists put in; a list that cannot be has no entry there."""

    entries: Mapping[str, ListEntry]
    report: Report
    near: Callable[[Collection[str]], Collection[str]]  # names to look for a near one in
    broken: Collection[str] = ()  # names that could not be read
    complete: bool = True  # False: some file could not be read, so an unknown name may be in there
    expanded: dict[str, tuple[Literal, ...]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)  # each list after those in it
    kinds: dict[str, list[str]] = field(default_factory=dict)  # names of lists by their first word and by their last

    def expand(self) -> None:
        """Fill `expanded`; reports circles, and names that look like lists and are none."""
        for name in self.entries:
            if _WORDS.fullmatch(name):
                for kind in (_first_word(name), _last_word(name)):
                    self.kinds.setdefault(kind, []).append(name)
        self.order, circles = ordered(self.entries, self._inner)
        for name in self.order:
            entry = self.entries[name]
            items: list[Literal] = []
            for item in entry.items:
                inner = None if item.quoted else self.entries.get(item.text)
                if inner is None:
                    self._looks_like_list(item, entry.dialect, name)
                    items.append(item)
                elif (name, item.text) in circles:
                    if entry.dialect == "rules" or inner is not entry:  # Falco files have lists named like one of their items
                        self._report(mistakes.list_cycle(item.span, item.text, _severity(entry.dialect)), name)
                    items.append(item)
                else:
                    items += self.expanded.get(item.text, ())
                    inner.used |= inner.index < entry.seen  # Falco asks no more; a list that is unused itself uses it too
            if len(items) > MAX_ITEMS:
                self._report(mistakes.too_big(entry.name.span, f"the list `{name}`", "items", MAX_ITEMS), name)
                continue
            self.expanded[name] = tuple(items)
            if entry.dialect == "falco":
                self._not_expanded_by_falco(entry)

    def _inner(self, name: str) -> Iterator[str]:
        return (item.text for item in self.entries[name].items if not item.quoted and item.text in self.entries)

    def _not_expanded_by_falco(self, entry: ListEntry) -> None:
        """Falco puts in lists one level deep, then replaces names in conditions in the order of the lists: a name that comes
        into the text by a later list stays there."""
        for item in entry.items:
            inner = None if item.quoted else self.entries.get(item.text)
            if inner is None or inner is entry:
                continue
            for token in inner.items if inner.index < entry.seen else [item]:
                left = None if token.quoted else self.entries.get(token.text)
                if left is not None and left is not entry and left.index < entry.index:
                    name = entry.name.text
                    self._report(mistakes.not_expanded_by_falco(item.span, name, token.text), name)

    def unused(self) -> list[ListEntry]:
        """Lists that nothing mentions, after all conditions have been seen."""
        for name in reversed(self.order):
            if self.entries[name].used:
                for inner in self._inner(name):
                    self.entries[inner].used = True
        return [entry for entry in self.entries.values() if not entry.used]

    # --- in conditions

    def put_in(self, check: Check, dialect: Dialect, owner: str, used: set[str]) -> Check | None:
        """The check with lists put in; None after an error. The names of lists that it mentions go to `used`."""
        right = check.right
        match right:
            case ListLit(items):
                self._mentioned(items, dialect, owner)
                if len(items) == 1:
                    self._looks_like_list(items[0], dialect, owner, check)
                if not any(not item.quoted and item.text in self.entries for item in items):
                    return check
                return replace(check, right=ListLit(self._items(items, used), right.span))
            case Literal(quoted=False, text=text) if text in self.entries:
                return self._value(check, right, dialect, owner, used)
            case Literal():
                self._mentioned((right,), dialect, owner)
                if self._takes_list(check) and not right.quoted:
                    self._no_such_list(right, dialect, owner, check)
        return check

    def _items(self, items: Iterable[Literal], used: set[str]) -> tuple[Literal, ...]:
        found: list[tuple[Literal, ...]] = []
        for item in items:
            if item.quoted or item.text not in self.entries:
                found.append((item,))
            else:
                self._use(item.text, used)
                found.append(self.expanded.get(item.text, ()))
        return found[0] if len(found) == 1 else tuple(item for part in found for item in part)

    def _value(self, check: Check, right: Literal, dialect: Dialect, owner: str, used: set[str]) -> Check | None:
        """A list's name that stands alone: its one item, or in .rules files after `in` the list."""
        self._use(right.text, used)
        if right.text not in self.expanded:
            return None
        items = self.expanded[right.text]
        takes_list = self._takes_list(check)
        if takes_list and dialect == "rules":
            return replace(check, right=ListLit(items, right.span))
        if len(items) == 1:
            return replace(check, right=Literal(items[0].text, items[0].quoted, right.span))
        op = check.op if check.modifier is None else f"{check.op} {check.modifier}"
        if takes_list:
            self._report(mistakes.list_needs_parentheses(right.span, right.text, op), owner)
        else:
            self._report(mistakes.list_as_value(right.span, right.text, op, len(items)), owner)
        return None

    def _takes_list(self, check: Check) -> bool:
        return check.modifier is not None or canonical(check.op) in LIST_RIGHT

    def _use(self, name: str, used: set[str]) -> None:
        self.entries[name].used = True
        used.add(name)

    # --- suspicions

    def _looks_like_list(self, item: Literal, dialect: Dialect, owner: str, check: Check | None = None) -> None:
        """A word that is no list's name but looks like one: made of words, and misspelt or of the same kind as others."""
        text = item.text
        if item.quoted or text in self.entries or not _WORDS.fullmatch(text):
            return
        if _last_word(text) in self.kinds or any(
            _alike(text, name) for name in self.kinds.get(_first_word(text), ())[:MAX_COMPARED]
        ):
            self._no_such_list(item, dialect, owner, check)

    def _no_such_list(self, item: Literal, dialect: Dialect, owner: str, check: Check | None) -> None:
        if not self.complete or item.text in self.broken or (check is not None and check.left.name in {"evt.type", "syscall.type"}):
            return  # an unknown event type is a mistake of its own
        self._report(mistakes.unknown_list(item.span, item.text, self.near(self.entries), _severity(dialect)), owner)

    def _mentioned(self, items: Iterable[Literal], dialect: Dialect, owner: str) -> None:
        """Names of lists inside quotes, which Falco replaces."""
        if dialect != "falco":
            return
        for item in items:
            if item.quoted:
                for word in _DELIMITERS.split(item.text)[1:-1]:
                    if word in self.entries:
                        self._report(falco_mistakes.list_name_quoted(item.span, word), owner)

    def _report(self, diagnostic: Diagnostic, owner: str) -> None:
        self.report(replace(diagnostic, rule=owner))


def _severity(dialect: Dialect) -> Severity:
    return "warning" if dialect == "falco" else "error"


def _first_word(name: str) -> str:
    return name[: name.find("_") + 1]


def _last_word(name: str) -> str:
    return name[name.rfind("_") :]


def _alike(text: str, name: str) -> bool:
    if abs(len(text) - len(name)) > 3 or len(text) > 64:
        return False
    matcher = SequenceMatcher(None, text, name)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
