"""Falco's stable and incubating rules as its engine describes them: conditions, fields, outputs, event types, macros, lists.

The rule files are made from the data itself, so that the folder alone is enough. A list in a list is described by its items
and not by its name, so lists are made as they were compiled, and one that is used only in others looks unused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruleng.lang.ast import And, Call, Check, Expr, FieldRef, ListLit, Literal, Not, OperandList, Or, Ref
from ruleng.lang.load import Loaded
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source
from tests.conformance.cases import Result
from tests.conformance.described import described, differences, lists_differ, load, macros_differ, verdict


def run(data: dict[str, Any], folder: Path) -> Iterator[Result]:
    for name, file in data["files"].items():
        loaded = load([(f"{name}.yaml", rule_file(file))])
        yield Result(f"{name}: loads", next(verdict(loaded, ok=True, errors=(), warnings=()), None))
        for rule in file["rules"]:
            yield Result(f"{name}: rule {rule['name']}", next(_rule_differs(loaded, rule), None))
        for macro in file["macros"]:
            yield Result(f"{name}: macro {macro['name']}", next(macros_differ(loaded, [macro]), None))
        for entry in file["lists"]:
            ours = loaded.resolved.lists[entry["name"]]
            compiled = entry | {"items": entry["items_compiled"], "used": entry["used"] and ours.used}
            yield Result(f"{name}: list {entry['name']}", next(lists_differ(loaded, [compiled]), None))


def rule_file(file: Mapping[str, Any]) -> str:
    """A Falco file with what the data describes; JSON is YAML."""
    keys = ("priority", "source", "enabled", "tags", "condition", "output", "desc")
    items: list[dict[str, Any]] = [{"list": entry["name"], "items": entry["items_compiled"]} for entry in file["lists"]]
    items += [{"macro": macro["name"], "condition": macro["condition"]} for macro in file["macros"]]
    items += [{"rule": rule["name"]} | {key: rule[key] for key in keys} for rule in file["rules"]]
    return json.dumps(items, indent=1, ensure_ascii=False)


def _rule_differs(loaded: Loaded, theirs: Mapping[str, Any]) -> Iterator[str]:
    rule = next((rule for rule in loaded.rules if rule.name == theirs["name"]), None)
    resolved = next((rule for rule in loaded.resolved.rules if rule.decl.name.text == theirs["name"]), None)
    if rule is None or resolved is None:
        yield "is not loaded"
        return
    yield from differences(theirs, described(rule, resolved, theirs))
    if theirs["ast"] is None:  # Falco prints an empty text as nothing, so it cannot read what it printed
        return
    parsed, _ = parse_condition(Source("", theirs["condition_compiled"]))
    for origin, expr in (("the rule", resolved.expr), ("its compiled condition", parsed)):
        if expr is None or (tree := as_data(expr)) != theirs["ast"]:
            yield f"{theirs['name']}: {origin} has the tree {tree if expr is not None else None}, Falco has {theirs['ast']}"


def as_data(node: Expr | FieldRef | Call | Literal | ListLit | OperandList | None) -> Any:
    """A tree in the shape of the data's `ast`."""
    match node:
        case And(children):
            return {"and": [as_data(child) for child in children]}
        case Or(children):
            return {"or": [as_data(child) for child in children]}
        case Not(child):
            return {"not": as_data(child)}
        case Ref(name):
            return {"macro": name}
        case Check(left, op, None):
            return {"check": {"left": as_data(left), "op": op}}
        case Check(left, op, right):
            return {"check": {"left": as_data(left), "op": op, "right": as_data(right)}}
        case FieldRef(name, arg):
            return {"field": name, "arg": arg}
        case Call(name, args):
            return {"transformer": name, "args": [as_data(part) for part in args]}
        case ListLit(items):
            return {"list": [item.text for item in items]}
        case OperandList(parts):
            return [as_data(part) for part in parts]
        case Literal(text):
            return {"value": text}
        case None:
            return None
