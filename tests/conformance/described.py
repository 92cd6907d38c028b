"""What ruleng makes of rule files, in the words of Falco's load result and describe_rule(), and how the two compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ruleng.engine.index import event_types
from ruleng.fields.catalogue import standard
from ruleng.lang.ast import Argument, Call, Check, Expr, FieldRef, Name, OperandList
from ruleng.lang.checked import Output, Rule
from ruleng.lang.escapes import unescape
from ruleng.lang.format import format_condition
from ruleng.lang.load import Loaded, LoadOptions, load_sources
from ruleng.lang.resolve import ResolvedRule
from ruleng.lang.source import Source
from ruleng.lang.trees import leaves

ASYNC = frozenset({"asyncevent"})
"""Falco lists it with every rule; it is the type of its plugins' events."""

SILENT = frozenset({"R0226", "R0231", "R0524", "R0525"})
"""Codes of what Falco is silently wrong about: lists that it does not expand, values that it splits, names in quotes."""


def load(files: Iterable[tuple[str, str]]) -> Loaded:
    """(name, content) of Falco files, in their order."""
    sources = [Source(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml", content) for name, content in files]
    catalogue = standard()
    options = LoadOptions(event_types=lambda checked: event_types(checked, catalogue.event_types))
    return load_sources(sources, catalogue, options=options)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def verdict(loaded: Loaded, *, ok: bool, errors: Sequence[str], warnings: Sequence[str]) -> Iterator[str]:
    """How our verdict differs from Falco's, whose first error and whose warnings must be among ours; nothing when it does not."""
    ours = [(diagnostic.falco, diagnostic.code, diagnostic.message) for diagnostic in loaded.diagnostics if diagnostic.is_error]
    if ok and ours:
        yield f"loads in Falco, here: {ours[0]}"
    elif not ok and not ours:
        yield f"fails in Falco ({errors[0]}), loads here"
    elif not ok and errors[0] not in {falco for falco, _, _ in ours}:
        yield f"Falco says {errors[0]}, here: {ours[0]}"
    known = {diagnostic.falco for diagnostic in loaded.diagnostics}
    if ok and (lacking := [warning for warning in warnings if warning not in known]):
        yield f"no warning {lacking[0]}"


def warned(loaded: Loaded) -> str:
    """Our warnings that Falco makes something else of a text without a word; such a difference is meant."""
    codes = {diagnostic.code for diagnostic in loaded.diagnostics} & SILENT
    return f" (warned: {', '.join(sorted(codes))})" if codes else ""


# --- descriptions -----------------------------------------------------------------------------------------------------


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """A line for each key of ours that has another value in theirs."""
    for key, value in ours.items():
        if theirs[key] != value:
            yield f"{theirs.get('name')}: {key} is {value!r}, Falco says {theirs[key]!r}"


def rules_differ(loaded: Loaded, theirs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How rules differ from describe_rule()'s."""
    resolved = {rule.decl.name.text: rule for rule in loaded.resolved.rules}
    rules = {rule.name: rule for rule in loaded.rules}
    if list(rules) != [rule["name"] for rule in theirs]:
        yield f"rules {list(rules)}, Falco has {[rule['name'] for rule in theirs]}"
        return
    for rule in theirs:
        yield from differences(rule, described(rules[rule["name"]], resolved[rule["name"]], rule))


def described(rule: Rule, resolved: ResolvedRule, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """A rule in the words of describe_rule(). What Falco was told to add to outputs is left to it."""
    decl = resolved.decl
    assert decl.condition is not None
    output = _text(decl.output)
    text = printed(rule.output)
    added = theirs["output_compiled"].removeprefix(text)
    found: dict[str, Any] = {
        "name": rule.name,
        "priority": rule.priority.label,
        "source": rule.source,
        "enabled": rule.enabled,
        "tags": sorted(rule.tags),
        "condition": decl.condition.source.text,
        "output": output,
        "desc": theirs["desc"] if theirs["desc"].strip() == rule.desc else rule.desc,  # blanks around it are nothing to us
        "capture": decl.capture is True,
        "capture_duration": decl.capture_duration_ms or 0,
        "condition_compiled": format_condition(resolved.expr),
        "output_compiled": text + added,
        "condition_fields": sorted(fields(resolved.expr)),
        "macros": list(resolved.macros),
        "lists": list(resolved.lists),
        "exception_names": sorted({exception.name.text for exception in decl.exceptions or ()}),
    }
    if not added:
        names = {part.text for part in rule.output.parts if not isinstance(part, str)}
        added_fields = {name for name in theirs["output_fields"] if "%" in name}
        same = names | added_fields == set(theirs["output_fields"])  # Falco names some twice
        found["output_fields"] = theirs["output_fields"] if same else sorted(names)
    found["events"] = _events(event_types(rule.condition, standard().event_types), theirs["events"])
    return found


def _events(types: frozenset[str], theirs: list[str] | str) -> list[str] | str:
    """Our event types in their order. Of a rule for all events they tell only how many, of some nothing (`<None sc codes>`)."""
    if isinstance(theirs, str) or any(name.startswith("<") for name in theirs):
        everything = types == standard().event_types
        return theirs if isinstance(theirs, str) or everything else sorted(types)
    return [name for name in theirs if name in types | ASYNC] + sorted(types - set(theirs))


def macros_differ(loaded: Loaded, theirs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for macro in theirs:
        ours = loaded.resolved.macros.get(macro["name"])
        if ours is None or ours.expr is None:
            yield f"no macro {macro['name']}"
            continue
        compiled = format_condition(ours.expr)
        yield from differences(macro, {"condition": ours.text, "condition_compiled": compiled, "used": ours.used})


def lists_differ(loaded: Loaded, theirs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    names = loaded.resolved.lists.keys()
    for entry in theirs:
        ours = loaded.resolved.lists.get(entry["name"])
        if ours is None:
            yield f"no list {entry['name']}"
            continue
        unquoted = {key: [_unquoted(item) for item in entry[key]] for key in ("items", "items_compiled")}
        items = [item for item in ours.items if item not in names]
        yield from differences(entry | unquoted, {"items": items, "items_compiled": list(ours.expanded), "used": ours.used})


def fields(expr: Expr) -> set[str]:
    """Names of the fields in a condition, with their arguments."""
    found: set[str] = set()
    for leaf in leaves(expr):
        if isinstance(leaf, Check):
            work: list[Argument] = [side for side in (leaf.left, leaf.right) if isinstance(side, FieldRef | Call)]
            while work:
                match work.pop():
                    case FieldRef(name, arg):
                        found.add(name if arg is None else f"{name}[{arg}]")
                    case Call(args=parts) | OperandList(items=parts):
                        work += parts
    return found


def _unquoted(item: str) -> str:
    return unescape(item).text if item[:1] in {'"', "'"} else item


def _text(name: Name | None) -> str:
    return "" if name is None else name.text


def printed(output: Output) -> str:
    """The text of an output that is read as this one."""
    return "".join(part if isinstance(part, str) else f"%{part.width or ''}{part.text}" for part in output.parts)
