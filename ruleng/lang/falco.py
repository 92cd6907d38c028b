"""The front end of Falco's YAML rule files: text to RuleFile.

Structure is checked here: kinds of values, keys, overrides. What names mean, and what conditions say, is seen later, where
several files meet (`ruleng.lang.resolve`). An item with a mistake leaves what can be used of it, or else its name in
`RuleFile.broken`, so that its users are not called mistaken too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruleng.alert import Priority
from ruleng.lang import falco_values
from ruleng.lang.ast import (
    EngineVersion,
    Item,
    ListDecl,
    MacroDecl,
    Mode,
    Name,
    RuleDecl,
    RuleFile,
)
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.falco_exceptions import read_exceptions
from ruleng.lang.falco_keys import Keys, kind_of
from ruleng.lang.mistakes import falco as mistakes
from ruleng.lang.mistakes import names as name_mistakes
from ruleng.lang.nodes import Mapped, Node, Scalar, Sequenced, compose, name_of, trimmed_name
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
_PLUGIN_ALL = frozenset({"name", "version", "alternatives"})
_KINDS = ("required_engine_version", "required_plugin_versions", "list", "macro", "rule")  # in the order that Falco looks

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


def _version(text: str) -> tuple[int, int, int] | None:
    match = _SEMVER.match(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass(slots=True)
class _Reader(Keys):
    items: list[Item] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

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
                self.complain(mistakes.not_items(self.span(node), kind_of(node)))

    def item(self, node: Node) -> None:
        if not isinstance(node, Mapped):
            self.complain(mistakes.not_an_item(self.span(node), kind_of(node)))
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
            self.complain(mistakes.wrong_kind(self.span(node), "required_plugin_versions", "mappings", kind_of(node)))
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
            self.complain(mistakes.wrong_kind(self.span(override), "override", "a mapping", kind_of(override)))
            return None
        modes: dict[str, Mode] = {}
        for key, value in override.entries.values():
            operation = value.text if isinstance(value, Scalar) else kind_of(value)
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
                    value = None if text is None else trimmed_name(text)
                case "priority":
                    value = self.priority(node)
                case "tags":
                    value = self.texts("tags", node.get("tags"))
                case "exceptions":
                    value = read_exceptions(self, node.get("exceptions"), partial=modes[key] == "append")
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
