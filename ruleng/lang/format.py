"""Trees to text: conditions in Falco's canonical form, and `.rules` files for `ruleng convert`.

Comments are not part of a tree and do not come out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import assert_never

from ruleng.lang.ast import (
    ActionCall,
    And,
    Argument,
    Call,
    Check,
    Condition,
    EngineVersion,
    ExceptionDecl,
    Expr,
    FieldRef,
    Import,
    Item,
    ListDecl,
    ListLit,
    Literal,
    MacroDecl,
    Mode,
    Name,
    Not,
    OperandList,
    Or,
    Ref,
    RuleDecl,
    RuleFile,
    ThrottleDecl,
)
from ruleng.lang.escapes import escape, quote
from ruleng.lang.layout import WIDTH, lay_out, lay_out_joined, write_operand
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source, join

# --- canonical conditions ---------------------------------------------------------------------------------------------


def format_condition(expr: Expr) -> str:
    """As Falco's as_string prints it: `and` and `or` in parentheses, values in quotes only where blanks or the like are in them."""
    match expr:
        case And(children):
            return f"({' and '.join(map(format_condition, children))})"
        case Or(children):
            return f"({' or '.join(map(format_condition, children))})"
        case Not(child):
            return f"not {format_condition(child)}"
        case Ref(name):
            return name
        case Check(left, op, right, modifier):
            words = (_canonical(left), op, modifier, None if right is None else _canonical(right))
            return " ".join(word for word in words if word is not None)
        case _:
            assert_never(expr)


def _canonical(node: Argument | ListLit) -> str:
    match node:
        case FieldRef(name, arg):
            return name + _canonical_argument(arg)
        case Call(name, args, arg):
            return f"{name}({','.join(map(_canonical, args))}){_canonical_argument(arg)}"
        case OperandList(items):
            return f"({','.join(map(_canonical, items))})"
        case ListLit(items):
            return f"({', '.join(map(_canonical, items))})"
        case Literal(text):
            return escape(text)
        case _:
            assert_never(node)


def _canonical_argument(arg: str | None) -> str:
    if arg is None:
        return ""
    return f"[{escape(arg)}]" if arg else '[""]'


# --- files ------------------------------------------------------------------------------------------------------------

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
_WORD = re.compile(r"""(?!#)[^()\[\]{}"'\s\x00-\x1f\x7f\ufeff=,]+""")
_VALUE_COLUMN = 13
"""Where the values of a rule's keys begin, counted from 0."""
_INDENT = "  "
_MODE_WORDS: dict[Mode, str] = {"define": "", "append": "append ", "replace": "override "}
_UNITS = (("d", 86400 * 10**9), ("h", 3600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6))
_NS_PER_MS = 10**6


def format_file(file: RuleFile) -> str:
    """The text of a `.rules` file with these items. Keys stand in one order, long lists one item a line, so that changes show."""
    blocks = [list(_item(item)) for item in file.items]
    text: list[str] = []
    for item, lines in zip(file.items, blocks, strict=True):
        if text and not (
            isinstance(item, Import | EngineVersion) and len(lines) == 1 and text[-1].startswith(("import", "engine"))
        ):
            text.append("")
        text += lines
    return "\n".join(text) + "\n" if text else ""


def _item(item: Item) -> Iterator[str]:
    match item:
        case Import(path):
            yield f"import {quote(path.text)}"
        case EngineVersion(version):
            yield f"engine_version {quote(version.text)}"
        case ListDecl(name, items, mode):
            yield from _bracketed(f"{_MODE_WORDS[mode]}list {_name(name)}: ", map(_word, items), "")
        case MacroDecl(name, condition, mode):
            head = f"{_MODE_WORDS[mode]}macro {_name(name)}: "
            lines = _condition(condition, mode, len(head))
            if len(lines) > 1:  # long names would push long conditions to the right
                head, lines = head.rstrip(), ["", *_condition(condition, mode, len(_INDENT))]
            yield from _hanging(head, lines, len(_INDENT))
        case RuleDecl():
            yield from _rule(item)
        case _:
            assert_never(item)


def _rule(rule: RuleDecl) -> Iterator[str]:
    """A rule's definition, or an item for each way in which its keys change an earlier one."""
    modes = dict(rule.modes)
    possible: tuple[Mode, ...] = ("append", "replace") if modes else ("define",)
    for mode in possible:
        keys = [lines for key, lines in _keys(rule, modes) if modes.get(key, "define") == mode]
        if keys:
            if mode == "replace" and "append" in modes.values():
                yield ""
            yield f"{_MODE_WORDS[mode]}rule {quote(rule.name.text)} {{"
            yield from chain.from_iterable(keys)
            yield "}"


def _keys(rule: RuleDecl, modes: dict[str, Mode]) -> Iterator[tuple[str, list[str]]]:
    """The lines of each key, in the order that they are printed in."""
    if rule.desc is not None:
        yield "desc", _key("desc", _texts(rule.desc.text))
    if rule.condition is not None:
        yield "condition", _key("condition", _condition(rule.condition, modes.get("condition", "define"), _VALUE_COLUMN))
    if rule.output is not None:
        yield "output", _key("output", _texts(rule.output.text))
    if rule.priority is not None:
        yield "priority", _key("priority", [_word(rule.priority)])
    if rule.source is not None:
        yield "source", _key("source", [_word(rule.source)])
    if rule.tags is not None:
        yield "tags", list(_bracketed(_head("tags"), map(_word, rule.tags), _INDENT))
    if rule.actions is not None:
        yield "actions", list(_bracketed(_head("actions"), map(_action, rule.actions), _INDENT))
    if rule.throttle is not None:
        yield "throttle", _key("throttle", [_throttle(rule.throttle)])
    if rule.exceptions is not None:
        lines = [_INDENT * 2 + line for exception in rule.exceptions for line in _exception(exception)]
        yield "exceptions", [f"{_INDENT}exceptions: {{", *lines, f"{_INDENT}}}"]
    flags = (("enabled", rule.enabled), ("warn_evttypes", rule.warn_evttypes), ("skip_unknown", rule.skip_unknown))
    for attribute, flag in (*flags, ("capture", rule.capture)):
        if flag is not None:
            key = "skip-if-unknown-filter" if attribute == "skip_unknown" else attribute
            yield attribute, _key(key, ["true" if flag else "false"])
    if rule.capture_duration_ms is not None:
        yield "capture_duration_ms", _key("capture_duration", [_duration(rule.capture_duration_ms * _NS_PER_MS)])


def _head(key: str) -> str:
    return f"{_INDENT}{key}: ".ljust(_VALUE_COLUMN)


def _key(key: str, lines: Sequence[str]) -> list[str]:
    return list(_hanging(_head(key), lines, _VALUE_COLUMN))


def _hanging(head: str, lines: Sequence[str], column: int) -> Iterator[str]:
    yield head + lines[0]
    for line in lines[1:]:
        yield " " * column + line


def _condition(condition: Condition, mode: Mode, column: int) -> list[str]:
    """The lines of a condition. One that Falco could not read either is printed as it stands."""
    if mode == "append":
        joined, _ = parse_condition(join(Source("", "earlier"), condition.source))
        parts = list(_continuation(joined)) if joined else []
        return lay_out_joined(parts, column) if parts else [condition.source.text.strip()]
    expr = condition.expr or parse_condition(condition.source)[0]
    return lay_out(expr, column) if expr else [condition.source.text.strip()]


def _continuation(joined: Expr) -> Iterator[tuple[str, Expr]]:
    """What follows the first operand of a condition, with the words that join it."""
    match joined:
        case Or((And((Ref(), *more)), *others)):
            yield from (("and ", child) for child in more)
            yield from (("or ", child) for child in others)
        case Or((Ref(), *others)):
            yield from (("or ", child) for child in others)
        case And((Ref(), *more)):
            yield from (("and ", child) for child in more)


def _texts(text: str) -> list[str]:
    """A text in quotes, in pieces where it is too long for a line."""
    pieces = [""]
    for word in re.findall(r"\s*\S+\s*?(?=\s\S|$)|\s+", text):
        if pieces[-1] and _VALUE_COLUMN + len(quote(pieces[-1] + word)) > WIDTH:
            pieces.append("")
        pieces[-1] += word
    return [quote(piece) for piece in pieces]


def _name(name: Name) -> str:
    return name.text if _NAME.fullmatch(name.text) else quote(name.text)


def _word(word: Name | Literal) -> str:
    quoted = isinstance(word, Literal) and word.quoted
    return word.text if _WORD.fullmatch(word.text) and not quoted else quote(word.text)


def _bracketed(head: str, words: Iterable[str], indent: str) -> Iterator[str]:
    """`[a, b]` in one line if it fits, else an item a line."""
    items = list(words)
    line = f"{head}[{', '.join(items)}]"
    if len(line) <= WIDTH:
        yield line
    else:
        yield f"{head}["
        yield from (f"{indent}{_INDENT}{item}," for item in items)
        yield f"{indent}]"


def _action(action: ActionCall) -> str:
    options = [f"{key.text}={_word(value)}" for key, value in action.options]
    args = ", ".join([*map(_word, action.args), *options])
    return f"{action.name.text}({args})" if args else action.name.text


def _throttle(throttle: ThrottleDecl) -> str:
    by = f" by {', '.join(map(write_operand, throttle.by))}" if throttle.by else ""
    return f"{throttle.count} per {_duration(throttle.period_ns)}{by}"


def _duration(duration_ns: int) -> str:
    """In the largest unit that it is a whole number of."""
    unit, size = next(((unit, size) for unit, size in _UNITS if duration_ns % size == 0 and duration_ns), ("ms", _NS_PER_MS))
    return f"{duration_ns // size}{unit}"


# --- exceptions -------------------------------------------------------------------------------------------------------


def _exception(exception: ExceptionDecl) -> Iterator[str]:
    comps = [comp.text for comp in exception.comps or ()]
    head = f"{_name(exception.name)}: "
    if exception.fields is not None and exception.single:
        head += f"{write_operand(exception.fields[0])} {comps[0] if comps else 'in'}"
    elif exception.fields is not None:
        implied = any(comp != "=" for comp in comps)  # `=` where others have an operator
        shown = ["" if comp == "=" and implied else f" {comp}" for comp in comps]
        columns = [write_operand(field) + comp for field, comp in zip(exception.fields, chain(shown, repeat("")), strict=False)]
        head += f"({', '.join(columns)})" + (" in" if exception.values is not None else "")
    if exception.values is None:
        yield head
        return
    head = head.rstrip() + " "
    if exception.single:
        yield from _bracketed(head, (_cell(row[0]) for row in exception.values), "")
        return
    rows = [f"({', '.join(map(_cell, row))})" for row in exception.values]
    if len(rows) > 1:
        yield f"{head}["
        yield from (f"{_INDENT}{row}," for row in rows)
        yield "]"
    else:
        yield f"{head}[{', '.join(rows)}]"


def _cell(value: Literal | ListLit | Call) -> str:
    match value:
        case Literal():
            return _word(value)
        case ListLit(items):
            return f"({', '.join(map(_word, items))})"
        case Call():
            return write_operand(value)
        case _:
            assert_never(value)
