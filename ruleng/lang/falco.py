"""The front end of Falco's YAML rule files: text to RuleFile.

Structure is checked here: kinds of values, keys, overrides. What names mean, and what conditions say, is seen later, where
several files meet (`ruleng.lang.resolve`). An item with a mistake leaves what can be used of it, or else its name in
`RuleFile.broken`, so that its users are not called mistaken too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ruleng.alert import Priority
from ruleng.lang import falco_values
from ruleng.lang.ast import (
    Call,
    Condition,
    EngineVersion,
    ExceptionDecl,
    FieldRef,
    Item,
    ListDecl,
    ListLit,
    Literal,
    MacroDecl,
    Mode,
    Name,
    RuleDecl,
    RuleFile,
)
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import falco as mistakes
from ruleng.lang.mistakes import names as name_mistakes
from ruleng.lang.nodes import Mapped, Node, Scalar, Sequenced, compose, name_of, source_of, span_of
from ruleng.lang.parse import parse_operand
from ruleng.lang.source import Source, Span

ENGINE_VERSION = (0, 63, 0)
"""The Falco engine whose language ruleng speaks."""

_RULE_KEYS = {
    "condition": "condition",
    "output": "output",
    "desc": "desc",
    "priority": "priority",
    "tags": "tags",
    "exceptions": "exceptions",
    "enabled": "enabled",
    "warn_evttypes": "warn_evttypes",
    "skip-if-unknown-filter": "skip_unknown",
    "capture": "capture",
    "capture_duration": "capture_duration_ms",
}
"""What `override` can name, and what RuleDecl calls it."""
_APPENDABLE = ("condition", "output", "desc", "tags", "exceptions")
_REQUIRED = ("condition", "output", "desc", "priority")
_RULE_ALL = frozenset({"rule", "source", "append", "override", *_RULE_KEYS})
_MACRO_ALL = frozenset({"macro", "condition", "append", "override"})
_LIST_ALL = frozenset({"list", "items", "append", "override"})
_EXCEPTION_ALL = frozenset({"name", "fields", "comps", "values"})
_PLUGIN_ALL = frozenset({"name", "version", "alternatives"})
_KINDS = ("required_engine_version", "required_plugin_versions", "list", "macro", "rule")  # in the order that Falco looks

# what yaml-cpp reads as a truth value, each in lower case, capitalised and upper case
_TRUTHS = {"y": True, "yes": True, "true": True, "on": True, "n": False, "no": False, "false": False, "off": False}
_BOOLEANS = {form: truth for word, truth in _TRUTHS.items() for form in (word, word.capitalize(), word.upper())}
_SEMVER = re.compile(r"\+?(\d+)\.\+?(\d+)\.\+?(\d+)")
_MACRO_NAME = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*")
_ITEM = re.compile(r"""^\s*(?:-\s+)?(?:rule|macro|list):[ \t]+["']?(.*?)["']?[ \t]*(?:#.*)?$""", re.MULTILINE)


def read_falco(source: Source) -> tuple[RuleFile, list[Diagnostic]]:
    """The items of a Falco rule file, and what is wrong with its structure."""
    documents, problem = compose(source)
    reader = _Reader(source)
    for document in documents:
        reader.document(document)
    if problem is not None:
        end = min(problem.offset + 1, len(source.text))
        reader.diagnostics.append(mistakes.not_yaml(Span(source, min(problem.offset, end), end), problem.message))
        reader.broken.update(_ITEM.findall(source.text))
    return RuleFile(source, tuple(reader.items), "falco", tuple(sorted(reader.broken))), reader.diagnostics


def _kind(node: Node) -> str:
    match node:
        case Scalar(null=True):
            return "nothing"
        case Scalar():
            return "a text"
        case Sequenced():
            return "a sequence"
        case Mapped():
            return "a mapping"


def _version(text: str) -> tuple[int, int, int] | None:
    match = _SEMVER.match(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass(slots=True)
class _Reader:
    source: Source
    items: list[Item] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    what: str = "the item"  # the item being read, as messages call it
    rule: str | None = None  # its name

    def complain(self, diagnostic: Diagnostic) -> None:
        if diagnostic.rule is None and self.rule is not None:
            diagnostic = replace(diagnostic, rule=self.rule)
        self.diagnostics.append(diagnostic)

    def span(self, node: Node) -> Span:
        return span_of(self.source, node)

    # --- documents and items

    def document(self, node: Node) -> None:
        match node:
            case Scalar(null=True):
                pass
            case Sequenced(items=items):
                for item in items:
                    if not (isinstance(item, Scalar) and item.null):
                        self.what, self.rule = "the item", None
                        self.item(item)
            case _:
                self.complain(mistakes.not_items(self.span(node), _kind(node)))

    def item(self, node: Node) -> None:
        if not isinstance(node, Mapped):
            self.complain(mistakes.not_an_item(self.span(node), _kind(node)))
            return
        kind = next((kind for kind in _KINDS if kind in node.entries), None)
        match kind:
            case "required_engine_version":
                self.engine_version(node)
            case "required_plugin_versions":
                self.plugin_versions(node)
            case "list" | "macro" | "rule":
                name = self.text(node, kind)
                if name is None:
                    return
                self.what, self.rule = f"{kind} `{name.text}`", name.text
                known = {"list": _LIST_ALL, "macro": _MACRO_ALL, "rule": _RULE_ALL}[kind]
                self.known_keys(node, known)
                read = {"list": self.list, "macro": self.macro, "rule": self.a_rule}[kind]
                read(node, name)
            case _:
                first = next(iter(node.entries.values()), (None,))[0]
                span = self.span(node if first is None else first)
                self.complain(mistakes.unknown_item(span, first.text if first else "", _KINDS))

    def known_keys(self, node: Mapped, known: Collection[str], what: str | None = None) -> None:
        for key, _ in node.entries.values():
            if key.text not in known:
                self.complain(mistakes.unknown_key(self.span(key), what or self.what, key.text, known))
        for key in node.again:
            self.complain(mistakes.duplicate_key(self.span(key), key.text, self.span(node.entries[key.text][0])))
        for odd in node.odd:
            self.complain(mistakes.wrong_kind(self.span(odd), "a key", "a text", _kind(odd)))

    # --- values of keys; None when there is none or it was complained of

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
        found = "an empty text" if isinstance(value, Scalar) and not value.null else _kind(value)
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
        try:
            number = int(scalar.text, 0 if scalar.text.lower().startswith("0x") else 10)
        except ValueError:
            number = -1
        if not 0 <= number < 1 << 32:  # Falco's uint32_t
            self.complain(mistakes.not_a_choice(self.span(scalar), key, scalar.text, "a number"))
            return None
        return number

    def sequence(self, key: str, value: Node | None) -> list[Node]:
        if isinstance(value, Sequenced):
            return value.items
        if value is not None:
            self.complain(mistakes.wrong_kind(self.span(value), key, "a sequence", _kind(value)))
        return []

    def texts(self, key: str, value: Node | None) -> tuple[Name, ...]:
        names = []
        for item in self.sequence(key, value):
            if isinstance(item, Scalar) and not item.null:
                names.append(name_of(self.source, item))
            else:
                self.complain(mistakes.wrong_kind(self.span(item), key, "texts", _kind(item)))
        return tuple(names)

    def condition(self, node: Mapped) -> Condition | None:
        scalar = self.scalar("condition", self.required(node, "condition"))
        if scalar is None:
            return None
        source = source_of(self.source, scalar)
        return Condition(source, None, Span(source, 0, len(source.text)))

    # --- versions

    def engine_version(self, node: Mapped) -> None:
        self.what = "required_engine_version"
        version = self.text(node, "required_engine_version")
        if version is None:
            return
        wanted = (0, int(version.text), 0) if re.fullmatch(r"\d{1,9}", version.text) else _version(version.text)
        if wanted is None:
            self.complain(mistakes.bad_engine_version(version.span, version.text))
            return
        self.items.append(EngineVersion(version))
        if wanted[0] != ENGINE_VERSION[0] or wanted > ENGINE_VERSION:
            ours = ".".join(map(str, ENGINE_VERSION))
            self.complain(mistakes.engine_too_old(version.span, ".".join(map(str, wanted)), ours))

    def plugin_versions(self, node: Mapped) -> None:
        self.what = "required_plugin_versions"
        for plugin in self.sequence("required_plugin_versions", node.get("required_plugin_versions")):
            names: set[str] = set()
            self.plugin_version(plugin, names)
            if isinstance(plugin, Mapped):
                for alternative in self.sequence("alternatives", plugin.get("alternatives")):
                    self.plugin_version(alternative, names)

    def plugin_version(self, node: Node, names: set[str]) -> None:
        if not isinstance(node, Mapped):
            self.complain(mistakes.wrong_kind(self.span(node), "required_plugin_versions", "mappings", _kind(node)))
            return
        self.known_keys(node, _PLUGIN_ALL)
        name, version = self.text(node, "name"), self.text(node, "version")
        if name is None or version is None:
            return
        if _version(version.text) is None:
            self.complain(mistakes.bad_plugin_version(version.span, name.text, version.text))
        if name.text in names:
            self.complain(mistakes.plugin_twice(name.span, name.text))
        names.add(name.text)

    # --- lists and macros

    def list(self, node: Mapped, name: Name) -> None:
        if not falco_values.BARE.fullmatch(name.text):
            self.complain(mistakes.bad_list_name(name.span, name.text))
        value = self.required(node, "items")
        mode = self.mode(node, "items")
        if not isinstance(value, Sequenced) or mode is None:
            self.sequence("items", value)
            self.broken.add(name.text)
            return
        items = []
        for text in self.texts("items", value):
            literal, found = falco_values.item(text)
            items += [] if literal is None else [literal]
            for diagnostic in found:
                self.complain(diagnostic)
        self.items.append(ListDecl(name, tuple(items), mode, name.span))

    def macro(self, node: Mapped, name: Name) -> None:
        if not _MACRO_NAME.fullmatch(name.text):
            self.complain(mistakes.bad_macro_name(name.span, name.text))
        condition = self.condition(node)
        mode = self.mode(node, "condition")
        if condition is None or mode is None:
            self.broken.add(name.text)
        else:
            self.items.append(MacroDecl(name, condition, mode, name.span))

    def mode(self, node: Mapped, key: str) -> Mode | None:
        """How a list or macro meets an earlier one; None after a mistake."""
        appends = self.appends(node)
        overrides = self.overrides(node, {key: key}, (key,))
        if overrides is None or (appends and overrides and self.both_ways(node)):
            return None
        return "append" if appends else overrides.get(key, "define")

    def appends(self, node: Mapped) -> bool:
        appends = self.boolean(node, "append") is True
        if appends:
            self.complain(mistakes.append_deprecated(self.span(node.entries["append"][0])))
        return appends

    def both_ways(self, node: Mapped) -> bool:
        keys = [self.span(node.entries[key][0]) for key in ("override", "append")]
        self.complain(mistakes.append_and_override(*keys))
        return True

    def overrides(self, node: Mapped, keys: Mapping[str, str], appendable: Collection[str]) -> dict[str, Mode] | None:
        """What `override` says of each key; empty without one, None after a mistake."""
        override = node.get("override")
        if override is None or (isinstance(override, Scalar) and override.null):
            return {}
        if not isinstance(override, Mapped):
            self.complain(mistakes.wrong_kind(self.span(override), "override", "a mapping", _kind(override)))
            return None
        modes: dict[str, Mode] = {}
        for key, value in override.entries.values():
            operation = value.text if isinstance(value, Scalar) else _kind(value)
            possible = [mode for mode in ("append", "replace") if key.text in (appendable if mode == "append" else keys)]
            match operation:
                case "append" | "replace" if operation in possible:
                    modes[key.text] = operation
                case _:
                    place = key if operation in {"append", "replace"} else value
                    self.complain(mistakes.override_impossible(self.span(place), key.text, operation, possible))
        self.known_keys(override, override.entries)
        return modes if len(modes) == len(override.entries) else None

    # --- rules

    def a_rule(self, node: Mapped, name: Name) -> None:
        appends = self.appends(node)
        overrides = self.overrides(node, _RULE_KEYS, _APPENDABLE)
        if overrides is None or (appends and overrides and self.both_ways(node)):
            return
        if overrides:
            for key, mode in overrides.items():
                if key not in node.entries:
                    self.complain(mistakes.override_without_value(self.span(node.entries["override"][0]), key, mode))
            for key in _RULE_KEYS:
                if key in node.entries and key not in overrides:
                    self.complain(mistakes.value_without_override(self.span(node.entries[key][0]), key))
            self.change(node, name, {key: mode for key, mode in overrides.items() if key in node.entries})
        elif appends:
            modes: dict[str, Mode] = {key: "append" for key in ("condition", "exceptions") if key in node.entries}
            if not modes:
                self.complain(name_mistakes.nothing_to_append(name.span))
            for key in _RULE_KEYS:
                if key in node.entries and key not in modes:
                    self.complain(mistakes.no_effect(self.span(node.entries[key][0]), key))
            self.change(node, name, modes)
        elif not any(key in node.entries for key in _REQUIRED) and "enabled" in node.entries:
            self.complain(mistakes.enabled_deprecated(self.span(node.entries["enabled"][0])))
            self.change(node, name, {"enabled": "replace"})
        else:
            self.definition(node, name)

    def definition(self, node: Mapped, name: Name) -> None:
        values = self.values(node, dict.fromkeys(_RULE_KEYS, "define"))
        source = self.text(node, "source") if "source" in node.entries else None
        for key in _REQUIRED:
            if key not in node.entries:
                self.complain(mistakes.missing_key(name.span, self.what, key))
        if values.get("condition") is None:
            self.broken.add(name.text)
            return
        # stand-ins for what was complained of, so that the rest of the rule is still checked
        values["output"] = values.get("output") or Name("", name.span)
        values["priority"] = values.get("priority") or Name("debug", name.span)
        self.items.append(RuleDecl(name, source=source, span=name.span, **values))

    def change(self, node: Mapped, name: Name, modes: Mapping[str, Mode]) -> None:
        values = self.values(node, modes)
        source = node.get("source")
        text = name_of(self.source, source) if isinstance(source, Scalar) and source.text and not source.null else None
        kept = tuple((_RULE_KEYS[key], mode) for key, mode in modes.items() if values.get(_RULE_KEYS[key]) is not None)
        if kept:
            self.items.append(RuleDecl(name, source=text, modes=kept, span=name.span, **values))

    def values(self, node: Mapped, modes: Mapping[str, Mode]) -> dict[str, Any]:
        """What RuleDecl takes, of the keys in `modes`."""
        values: dict[str, Any] = {}
        for key in modes:
            if key not in node.entries:
                continue
            value: object
            match key:
                case "condition":
                    value = self.condition(node)
                case "output" | "desc":
                    text = self.text(node, key)
                    value = None if text is None else _trimmed(text)
                case "priority":
                    value = self.priority(node)
                case "tags":
                    value = self.texts("tags", node.get("tags"))
                case "exceptions":
                    value = self.exceptions(node.get("exceptions"), partial=modes[key] == "append")
                case "capture_duration":
                    value = self.number(node, key)
                case _:
                    value = self.boolean(node, key)
            values[_RULE_KEYS[key]] = value
        return values

    def priority(self, node: Mapped) -> Name | None:
        text = self.text(node, "priority")
        if text is not None and Priority.parse(text.text) is None:
            self.complain(mistakes.bad_priority(text.span, text.text, Priority.__members__))
            return None
        return text

    # --- exceptions

    def exceptions(self, value: Node | None, *, partial: bool) -> tuple[ExceptionDecl, ...]:
        if isinstance(value, Scalar) and value.null:
            return ()
        read = []
        names: set[str] = set()
        for node in self.sequence("exceptions", value):
            exception = self.exception(node, partial=partial)
            if exception is None:
                continue
            if exception.name.text in names:
                self.complain(mistakes.exception_twice(exception.name.span, exception.name.text))
            names.add(exception.name.text)
            read.append(exception)
        return tuple(read)

    def exception(self, node: Node, *, partial: bool) -> ExceptionDecl | None:
        if not isinstance(node, Mapped):
            self.complain(mistakes.wrong_kind(self.span(node), "exceptions", "mappings", _kind(node)))
            return None
        name = self.text(node, "name")
        if name is None:
            return None
        self.known_keys(node, _EXCEPTION_ALL, f"exception `{name.text}`")
        given, comps, values = node.get("fields"), node.get("comps"), node.get("values")
        if given is None and not partial:
            self.complain(mistakes.missing_key(name.span, f"exception `{name.text}`", "fields"))
            return None
        if values is None and partial:
            self.complain(mistakes.exception_without_values(name.span, name.text))
        fields = self.fields(given) if given is not None else None
        if given is not None and fields is None:
            return None
        tuples = self.sequence("values", values)
        single = isinstance(given, Scalar) if given is not None else all(isinstance(row, Scalar) for row in tuples)
        names = None if comps is None else self.comps(comps, single=single)
        if comps is not None and names is None:
            return None
        rows = [row for row in (self.row(node, name, single=single) for node in tuples) if row is not None]
        return ExceptionDecl(name, fields, names, None if values is None else tuple(rows), single, name.span)

    def fields(self, given: Node) -> tuple[FieldRef | Call, ...] | None:
        scalars = [given] if isinstance(given, Scalar) else self.sequence("fields", given)
        fields = []
        for scalar in scalars:
            text = self.scalar("fields", scalar)
            if text is None:
                return None
            operand, found = parse_operand(source_of(self.source, text))
            if operand is None:
                self.complain(name_mistakes.not_a_field(self.span(text), text.text, found))
                return None
            fields.append(operand)
        return tuple(fields)

    def comps(self, comps: Node, *, single: bool) -> tuple[Name, ...] | None:
        if single != isinstance(comps, Scalar):
            wanted = "one operator, as `fields` is one field" if single else "a sequence, as `fields` is one"
            self.complain(name_mistakes.comps_unlike_fields(self.span(comps), wanted))
            return None
        scalars = [comps] if isinstance(comps, Scalar) else self.sequence("comps", comps)
        texts = [self.scalar("comps", scalar) for scalar in scalars]
        read = [_normalised(name_of(self.source, text)) for text in texts if text is not None]
        return tuple(read) if len(read) == len(texts) else None

    def row(self, node: Node, name: Name, *, single: bool) -> tuple[Literal | ListLit | Call, ...] | None:
        """One entry of `values`."""
        if single != isinstance(node, Scalar):
            self.complain(name_mistakes.values_unlike_fields(self.span(node), name.text, _kind(node), single=single))
            return None
        if isinstance(node, Scalar):
            literal = self.literal(node)
            return None if literal is None else (literal,)
        # a stand-in for what was complained of, so that the row keeps its length
        return tuple(self.cell(cell) or Literal("", True, self.span(cell)) for cell in self.sequence("values", node))

    def cell(self, node: Node) -> Literal | ListLit | Call | None:
        if isinstance(node, Sequenced):
            items = [self.literal(item) for item in node.items]
            kept = tuple(item for item in items if item is not None)
            return ListLit(kept, self.span(node)) if len(kept) == len(items) else None
        scalar = self.scalar("values", node)
        if scalar is None:
            return None
        value, found = falco_values.tuple_value(name_of(self.source, scalar))
        for diagnostic in found:
            self.complain(diagnostic)
        return value

    def literal(self, node: Node) -> Literal | None:
        scalar = self.scalar("values", node)
        if scalar is None:
            return None
        literal, found = falco_values.item(name_of(self.source, scalar))
        for diagnostic in found:
            self.complain(diagnostic)
        return literal


def _trimmed(name: Name) -> Name:
    text = name.text.strip()
    start = name.span.start + len(name.text) - len(name.text.lstrip())
    return Name(text, Span(name.span.source, start, start + len(text)))


def _normalised(comp: Name) -> Name:
    trimmed = _trimmed(comp)
    return Name(" ".join(trimmed.text.split()), trimmed.span)
