"""filter_parser_cases.json: conditions that Falco's parser accepts, with tree, places and canonical text, or refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruleng.lang.ast import And, Argument, Call, Check, Expr, FieldRef, ListLit, Literal, Not, OperandList, Or, Ref
from ruleng.lang.format import format_condition
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source, Span
from tests.conformance.cases import Result

BLANKS = " \t\b\r\n"
_BLANK_ESCAPE = re.compile(r"\\[bnrt]")


def run(data: Mapping[str, Any], folder: Path) -> Iterator[Result]:
    depth = data["default_max_depth"]
    for case in data["cases"]:
        yield Result(case["input"], _problem(case, depth))
    for variant in data["whitespace_variants"]:
        yield Result(f"{variant['of']!r} as {variant['input']!r}", _variant_problem(variant["of"], variant["input"], depth))
    repeated, times = data["depth_case"]["input_repeat"]
    accepted = _parse(repeated * times, depth) is not None
    yield Result(f"{times} times {repeated!r}", "accepted" if accepted else None)


def _parse(text: str, max_depth: int) -> Expr | None:
    expr, diagnostics = parse_condition(Source("case", text), max_depth=max_depth)
    if expr is None and not any(diagnostic.is_error for diagnostic in diagnostics):
        raise ValueError(f"{text!r} has neither a tree nor an error")
    return expr


def _variant_problem(text: str, variant: str, max_depth: int) -> str | None:
    """The same tree; where blanks inside quotes were changed too, the same but for these."""
    original, expr = _parse(text, max_depth), _parse(variant, max_depth)
    if original is None or expr is None:
        return "refused"
    if expr == original or (
        not {'"', "'"}.isdisjoint(text) and _BLANK_ESCAPE.sub(" ", format_condition(expr)) == format_condition(original)
    ):
        return None
    return "not the tree of the text with plain blanks"


def _problem(case: Mapping[str, Any], max_depth: int) -> str | None:
    expr = _parse(case["input"], max_depth)
    if case["expect"] == "reject":
        return None if expr is None else f"accepted, but Falco says: {case['error']}"
    if expr is None:
        return "refused"
    if (written := format_condition(expr)) != case["canonical"]:
        return f"printed as {written!r}, wanted {case['canonical']!r}"
    return next(_differences(expr, case["ast"], case["input"]), None)


# --- trees ------------------------------------------------------------------------------------------------------------


def _differences(node: object, wanted: Mapping[str, Any], text: str) -> Iterator[str]:
    """How a tree of ours differs from Falco's, place of every node included."""
    match node:
        case And(children, span) | Or(children, span):
            key = "and" if isinstance(node, And) else "or"
            yield from _place(span, wanted, text, node)
            yield from _each(children, wanted.get(key), text, key)
        case Not(child, span):
            yield from _place(span, wanted, text, node)
            yield from _each([child], [wanted["not"]] if "not" in wanted else None, text, "not")
        case Ref(name, span):
            yield from _place(span, wanted, text, node)
            yield from _same(name, wanted.get("ident"), "macro")
        case Check(left, op, right, modifier, span):
            yield from _place(span, wanted, text, node)
            check = wanted.get("check", {})
            yield from _same(f"{op} {modifier}" if modifier else op, check.get("op"), "operator")
            yield from _each([left], [check.get("left", {})], text, "left side")
            yield from _each([right] if right else [], [check["right"]] if "right" in check else [], text, "right side")
        case _:
            yield from _operand_differences(node, wanted, text)


def _operand_differences(node: object, wanted: Mapping[str, Any], text: str) -> Iterator[str]:
    match node:
        case FieldRef(name, arg, span):
            yield from _place(span, wanted, text, node)
            yield from _same((name, arg), (wanted.get("field"), wanted.get("arg")), "field")
        case Call(name, args, arg, span):
            yield from _place(span, wanted, text, node)
            yield from _same((name, arg), (wanted.get("transformer"), wanted.get("arg")), "transformer")
            yield from _each(args, wanted.get("args"), text, "arguments")
        case OperandList(items, span):
            yield from _place(span, wanted, text, node)
            yield from _each(items, _placed(items, wanted, text), text, "list of arguments")
        case Literal(value, _, span):
            yield from _place(span, wanted, text, node)
            yield from _same(value, wanted.get("value"), "value")
        case ListLit(literals, span):
            yield from _place(span, wanted, text, node)
            yield from _same([literal.text for literal in literals], wanted.get("list"), "list")


def _placed(items: Sequence[Argument], wanted: Mapping[str, Any], text: str) -> Any:
    """Falco gives every item of such a list the place of the list; ours have their own."""
    its = wanted.get("tlist")
    if its is None or len(its) != len(items) or any(item["pos"] != wanted["pos"] for item in its):
        return its
    return [{**item, "pos": _position(text, ours.span.start)} for item, ours in zip(its, items, strict=True)]


def _each(nodes: Any, wanted: Any, text: str, what: str) -> Iterator[str]:
    if wanted is None or len(nodes) != len(wanted):
        yield f"{what}: {len(nodes)} nodes, wanted {wanted}"
        return
    for node, its in zip(nodes, wanted, strict=True):
        yield from _differences(node, its, text)


def _same(got: object, wanted: object, what: str) -> Iterator[str]:
    if got != wanted:
        yield f"{what} {got!r}, wanted {wanted!r}"


def _place(span: Span, wanted: Mapping[str, Any], text: str, node: object) -> Iterator[str]:
    """Falco notes some places before the blanks in front of a node; ours begin at the node. Nothing else may stand between."""
    offset, line, column = wanted["pos"]
    start = len(text.encode("utf-8", "surrogateescape")[:offset].decode("utf-8", "surrogateescape"))
    ours = span.start
    if text[start:ours].strip(BLANKS) == "" and start <= ours:
        ours = start
    if (got := _position(text, ours)) != [offset, line, column]:
        yield f"{type(node).__name__} at {got}, wanted {wanted['pos']}"


def _position(text: str, offset: int) -> list[int]:
    """Falco's: index in bytes, line, column; each of \\r and \\n ends a line."""
    before = text[:offset]
    line_start = max(before.rfind("\n"), before.rfind("\r")) + 1
    line = 1 + sum(char in "\r\n" for char in before)
    return [len(before.encode("utf-8", "surrogateescape")), line, len(before[line_start:].encode("utf-8", "surrogateescape")) + 1]
