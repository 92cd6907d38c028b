"""Values of the keys of a Falco file: each is of the kind that its key wants, or complained of.

Methods give None for what is not there or was complained of, so a caller asks once and goes on.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from ruleng.lang.ast import Condition, Name
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import falco as mistakes
from ruleng.lang.nodes import Mapped, Node, Scalar, Sequenced, name_of, source_of, span_of
from ruleng.lang.source import Source, Span

# what yaml-cpp reads as a truth value, each in lower case, capitalised and upper case
_TRUTHS = {"y": True, "yes": True, "true": True, "on": True, "n": False, "no": False, "false": False, "off": False}
_BOOLEANS = {form: truth for word, truth in _TRUTHS.items() for form in (word, word.capitalize(), word.upper())}
_NUMBER = re.compile(r"[0-9]{1,10}")


def kind_of(node: Node) -> str:
    match node:
        case Scalar(null=True):
            return "nothing"
        case Scalar():
            return "a text"
        case Sequenced():
            return "a sequence"
        case Mapped():
            return "a mapping"


@dataclass(slots=True)
class Keys:
    """Reads the keys of one item after the other."""

    source: Source
    diagnostics: list[Diagnostic] = field(default_factory=list)
    what: str = "the item"  # the item being read, as messages call it
    rule: str | None = None  # its name

    def complain(self, diagnostic: Diagnostic) -> None:
        if diagnostic.rule is None and self.rule is not None:
            diagnostic = replace(diagnostic, rule=self.rule)
        self.diagnostics.append(diagnostic)

    def span(self, node: Node) -> Span:
        return span_of(self.source, node)

    def known_keys(self, node: Mapped, known: Collection[str], what: str | None = None) -> None:
        for key, _ in node.entries.values():
            if key.text not in known:
                self.complain(mistakes.unknown_key(self.span(key), what or self.what, key.text, known))
        for key in node.again:
            self.complain(mistakes.duplicate_key(self.span(key), key.text, self.span(node.entries[key.text][0])))
        for odd in node.odd:
            self.complain(mistakes.wrong_kind(self.span(odd), "a key", "a text", kind_of(odd)))

    def required(self, node: Mapped, key: str) -> Node | None:
        value = node.get(key)
        if value is None:
            first = next(iter(node.entries.values()), None)
            self.complain(mistakes.missing_key(self.span(first[1] if first else node), self.what, key))
        return value

    def scalar(self, key: str, value: Node | None) -> Scalar | None:
        if value is None:
            return None
        if isinstance(value, Scalar) and value.text and not value.null:
            return value
        found = "an empty text" if isinstance(value, Scalar) and not value.null else kind_of(value)
        self.complain(mistakes.wrong_kind(self.span(value), key, "a text", found))
        return None

    def text(self, node: Mapped, key: str) -> Name | None:
        scalar = self.scalar(key, self.required(node, key))
        return None if scalar is None else name_of(self.source, scalar)

    def boolean(self, node: Mapped, key: str) -> bool | None:
        scalar = self.scalar(key, node.get(key))
        if scalar is None:
            return None
        if scalar.text not in _BOOLEANS:
            self.complain(mistakes.not_a_choice(self.span(scalar), key, scalar.text, "`true` or `false`"))
        return _BOOLEANS.get(scalar.text)

    def number(self, node: Mapped, key: str) -> int | None:
        scalar = self.scalar(key, node.get(key))
        if scalar is None:
            return None
        if not _NUMBER.fullmatch(scalar.text) or int(scalar.text) >= 1 << 32:  # Falco's uint32_t
            self.complain(mistakes.not_a_choice(self.span(scalar), key, scalar.text, "a number"))
            return None
        return int(scalar.text)

    def sequence(self, key: str, value: Node | None) -> list[Node]:
        if isinstance(value, Sequenced):
            return value.items
        if value is not None:
            self.complain(mistakes.wrong_kind(self.span(value), key, "a sequence", kind_of(value)))
        return []

    def texts(self, key: str, value: Node | None) -> tuple[Name, ...]:
        names = []
        for item in self.sequence(key, value):
            if isinstance(item, Scalar) and not item.null:
                names.append(name_of(self.source, item))
            else:
                self.complain(mistakes.wrong_kind(self.span(item), key, "texts", kind_of(item)))
        return tuple(names)

    def condition(self, node: Mapped) -> Condition | None:
        scalar = self.scalar("condition", self.required(node, "condition"))
        if scalar is None:
            return None
        source = source_of(self.source, scalar)
        return Condition(source, None, Span(source, 0, len(source.text)))
